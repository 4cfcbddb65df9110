//! What all runs of a command leave together: one `JUnit` file, and what GitHub Actions is told.

use super::outcome;
use crate::cli::RunArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::scenario;
use report::github::{LARGEST, OWN, annotations, job_summary, night_annotations, night_summary};
use report::junit::{self, junit};
use report::record::{Night, Record};
use report::writing;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes what was asked for. The answer is how well that went.
pub fn leave(records: &[Record], args: &RunArgs, console: Console) -> Exit {
    let records: Vec<&Record> = records.iter().collect();
    let exit = tests(args.junit.as_deref(), || junit(&records), console);
    if console.is_read_by_github() {
        console.command(&annotations(&records, in_repository));
        summarize(&|room| job_summary(&records, room), console);
    }
    exit
}

/// The same of a night, which is in `dir`, or nowhere.
pub fn leave_night(
    night: &Night,
    dir: Option<&Path>,
    file: Option<&Path>,
    console: Console,
) -> Exit {
    let exit = tests(file, || junit::night(night), console);
    if console.is_read_by_github() {
        console.command(&night_annotations(night, in_repository, line_of_expectation, dir));
        summarize(&|room| night_summary(night, room, dir), console);
    }
    exit
}

fn tests(file: Option<&Path>, text: impl Fn() -> String, console: Console) -> Exit {
    let Some(file) = file else { return Exit::Ok };
    match writing::write_whole(file, text().as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            console.warn(&outcome::unwritten(&file.display().to_string(), &error));
            Exit::Environment
        }
    }
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

/// Where a scenario says what it expects; none if it cannot be read here.
fn line_of_expectation(file: &str) -> Option<usize> {
    let text = scenario::text_of(Path::new(file)).ok()?;
    Some(report::github::line_of_expectation(&text))
}

/// What makes a summary in so many bytes, if it can.
type Summary<'a> = &'a dyn Fn(usize) -> Option<String>;

/// Adds to the summary of the step. A summary is a courtesy: without one nothing has failed.
fn summarize(page: Summary<'_>, console: Console) {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return };
    match summary(page, Path::new(&file)) {
        Ok(true) => {}
        Ok(false) => console.warn("the job's summary is full: nothing was added to it"),
        Err(error) => console.warn(&outcome::unwritten("the job's summary", &error)),
    }
}

/// Whether there was room.
fn summary(page: Summary<'_>, file: &Path) -> io::Result<bool> {
    let before = fs::metadata(file).map_or(0, |data| data.len());
    let left = LARGEST.saturating_sub(usize::try_from(before).unwrap_or(LARGEST));
    let Some(page) = page(OWN.min(left)) else { return Ok(false) };
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(page.as_bytes())?;
    Ok(true)
}
