//! What lies beside a reproducer: the failure as a trace for Perfetto, and its operations for fsx. Of
//! threads there is only the list: when which of them passed what, nobody knows.

use crate::chronicle::{Chronicle, MOST};
use crate::console::Console;
use crate::fsxops;
use crate::perfetto;
use crate::scenario::Plan;
use oracle::Violation;
use report::{visible, writing};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Writes `NAME.trace.json`, and `NAME.fsxops` where fsx has words for what the case does.
pub fn write(
    failures: &Path,
    name: &str,
    (case, invariant): (&Plan, &str),
    (console, interrupted): (Console, &Arc<AtomicBool>),
) -> io::Result<()> {
    let chronicle = match Chronicle::of(case, interrupted) {
        Ok(Some(chronicle)) => chronicle,
        Ok(None) => {
            console.say(&format!("no trace of {name}: it has more than {MOST} moments"));
            return Ok(());
        }
        Err(error) => return Err(io::Error::other(error.to_string())),
    };
    // A run that a signal cut short shows nothing.
    let same = chronicle.violation.as_ref().filter(|found| found.invariant == invariant);
    let Some(violation) = same else { return Ok(()) };
    let trace = perfetto::trace(case, &chronicle, violation);
    writing::write_whole(
        &failures.join(format!("{name}.trace.json")),
        visible::json(&trace).as_bytes(),
    )?;
    if let Some(list) = fsxops::fsxops(case, &chronicle, violation) {
        writing::write_whole(&failures.join(format!("{name}.fsxops")), list.as_bytes())?;
    }
    Ok(())
}

/// Writes `NAME.fsxops` of what threads did last, where fsx has words for it.
pub fn of_threads(failures: &Path, name: &str, case: &Plan, found: &Violation) -> io::Result<()> {
    let Some(list) = fsxops::of_threads(case, found) else { return Ok(()) };
    writing::write_whole(&failures.join(format!("{name}.fsxops")), list.as_bytes())
}
