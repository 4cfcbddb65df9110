//! `report`: the files of a run are made again, of its record.

use super::{kept, outcome};
use crate::cli::ReportArgs;
use crate::console::Console;
use crate::exit::Exit;
use report::writing;

/// Reads a record, and writes everything that is made of it.
pub fn report(args: &ReportArgs, console: Console) -> Exit {
    let (dir, record) = match kept::read(&args.run) {
        Ok(read) => read,
        Err(message) => {
            console.warn(&message);
            return Exit::Usage;
        }
    };
    match writing::write_run(args.output.as_ref().unwrap_or(&dir), &record) {
        Ok(written) => {
            console.say(&format!("report: {}", written.html.display()));
            Exit::Ok
        }
        Err(error) => {
            console.warn(&outcome::unwritten("the report", &error));
            Exit::Environment
        }
    }
}
