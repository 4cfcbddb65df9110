//! `export`: a case becomes one C file.

use crate::cli::ExportArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::export;
use crate::scenario;
use crate::vocabulary;
use report::writing::write_whole;
use std::sync::Arc;

/// Writes it, and says what could not be.
pub fn export(args: &ExportArgs, console: Console) -> Exit {
    let name = args.file.display().to_string();
    let read = scenario::text_of(&args.file).and_then(|text| {
        let plan = scenario::parse(&name, &text, &vocabulary::known(), &args.sets)?;
        if export::is_listed(&plan) {
            return Ok(plan);
        }
        Err(scenario::not_for(scenario::Command::Export, (&name, &text), &plan))
    });
    let case = match read {
        Ok(case) => case,
        Err(report) => {
            console.raw(&report.render(console.styled));
            return Exit::Usage;
        }
    };
    if let Some(why) = export::hidden(&case) {
        let other = if case.is_real_case() {
            "nothing is written: `pagestorm replay FILE` runs it again and looks"
        } else {
            "nothing is written: `pagestorm replay --target kernel:xfs FILE` leads it through a real \
             filesystem and looks"
        };
        console.warn(&format!("{name}: {why}; {other}"));
        return Exit::Usage;
    }
    let exported = match export::export(&case, &name, &Arc::default()) {
        Ok(exported) => exported,
        Err(refused) => {
            console.warn(&refused.to_string());
            return Exit::Environment;
        }
    };
    for what in &exported.left_out {
        console.say(&format!("left out: {what}"));
    }
    let Some(output) = &args.output else { return console.print(&exported.text) };
    match write_whole(output, exported.text.as_bytes()) {
        Ok(()) => {
            let path = output.display();
            console.say(&format!("{path}: cc -pthread {path} && ./a.out DIRECTORY"));
            Exit::Ok
        }
        Err(error) => {
            console.warn(&format!("{}: {error}; name another place with -o", output.display()));
            Exit::Unwritten
        }
    }
}
