//! `compare`: two runs side by side.

use super::{kept, outcome};
use crate::cli::CompareArgs;
use crate::console::Console;
use crate::exit::Exit;
use report::compare::{self, Comparison};
use report::record::Record;
use report::visible;

/// Reads two records and compares them.
pub fn compare(args: &CompareArgs, console: Console) -> Exit {
    let tell = |message: String| console.warn(&message);
    let read = |path| kept::read(path).map_err(tell).ok().map(|(_, record)| record);
    let (Some(a), Some(b)) = (read(&args.a), read(&args.b)) else { return Exit::Usage };
    if !args.force && refused(&a, &b, console) {
        return Exit::Usage;
    }
    let comparison = compare::compare(&a, &b, &args.gates);
    let json = serde_json::to_string_pretty(&comparison).expect("a comparison is plain data");
    let text = compare::text(&comparison);
    let told = outcome::deliver(&text, &(json + "\n"), args.json.as_deref(), console);
    told.max(exit(&comparison))
}

/// Whether a comparison would say little, and why.
fn refused(a: &Record, b: &Record, console: Console) -> bool {
    let differences = compare::differences(a, b);
    for compare::Difference { what, a, b } in &differences {
        console.warn(&visible::line(&format!("not the same {what}: {a} | {b}")));
    }
    if !differences.is_empty() {
        console.warn("a comparison would say little: run both alike, or add --force");
    }
    !differences.is_empty()
}

fn exit(comparison: &Comparison) -> Exit {
    let new = !comparison.failures.new.is_empty();
    let gates = || comparison.gates.iter();
    if new {
        Exit::Failed
    } else if gates().any(|gate| !gate.missed.is_empty()) {
        Exit::Gate
    } else if gates().any(|gate| gate.judged == 0) {
        // A gate that looked at nothing has kept nothing out.
        Exit::NothingRan
    } else {
        Exit::Ok
    }
}
