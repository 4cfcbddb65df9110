//! What all runs of a command leave together: one `JUnit` file, and what GitHub Actions is told.

use super::outcome;
use crate::cli::RunArgs;
use crate::console::Console;
use crate::exit::Exit;
use report::github::{LARGEST, OWN, annotations, job_summary};
use report::junit::junit;
use report::record::Record;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes what was asked for. The answer is how well that went.
pub fn leave(records: &[Record], args: &RunArgs, console: Console) -> Exit {
    let records: Vec<&Record> = records.iter().collect();
    let mut exit = Exit::Ok;
    if let Some(file) = &args.junit
        && let Err(error) = outcome::write_whole(file, junit(&records).as_bytes())
    {
        console.warn(&outcome::unwritten(&file.display().to_string(), &error));
        exit = Exit::Environment;
    }
    if console.is_read_by_github() {
        console.command(&annotations(&records, in_repository));
        if let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY") {
            summarize(&records, Path::new(&file), console);
        }
    }
    exit
}

/// A scenario's path from the top of the repository, as annotations need it; as it is if it lies
/// elsewhere.
fn in_repository(file: &str) -> String {
    let below = || {
        let top = fs::canonicalize(std::env::var_os("GITHUB_WORKSPACE")?).ok()?;
        let path = fs::canonicalize(file).ok()?;
        Some(path.strip_prefix(top).ok()?.to_str()?.to_owned())
    };
    below().unwrap_or_else(|| file.to_owned())
}

/// Adds to the summary of the step. A summary is a courtesy: without one nothing has failed.
fn summarize(records: &[&Record], file: &Path, console: Console) {
    match summary(records, file) {
        Ok(true) => {}
        Ok(false) => console.warn("the job's summary is full: nothing was added to it"),
        Err(error) => console.warn(&outcome::unwritten("the job's summary", &error)),
    }
}

/// Whether there was room.
fn summary(records: &[&Record], file: &Path) -> io::Result<bool> {
    let before = fs::metadata(file).map_or(0, |data| data.len());
    let left = LARGEST.saturating_sub(usize::try_from(before).unwrap_or(LARGEST));
    let Some(page) = job_summary(records, OWN.min(left)) else { return Ok(false) };
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(page.as_bytes())?;
    Ok(true)
}
