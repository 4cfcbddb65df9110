//! `report`: the files of a run or of a night are made again, of its record.

use super::{kept, outcome};
use crate::cli::ReportArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::soak::shelf;
use report::writing;
use std::io;
use std::path::{Path, PathBuf};

/// Reads a record, and writes everything that is made of it.
pub fn report(args: &ReportArgs, console: Console) -> Exit {
    let written = match night_in(&args.run) {
        Some(dir) => of_night(&dir, args.output.as_deref()),
        None => of_run(args),
    };
    match written {
        Ok(Ok(page)) => {
            console.say(&format!("report: {}", page.display()));
            Exit::Ok
        }
        Ok(Err(error)) => {
            console.warn(&outcome::unwritten("the report", &error));
            Exit::Environment
        }
        Err(message) => {
            console.warn(&message);
            Exit::Usage
        }
    }
}

/// The page that was written, or why it was not; an error if there is no record to make it of.
type Made = Result<io::Result<PathBuf>, String>;

fn of_run(args: &ReportArgs) -> Made {
    let (dir, record) = kept::read(&args.run)?;
    let written = writing::write_run(args.output.as_ref().unwrap_or(&dir), &record);
    Ok(written.map(|written| written.html))
}

/// The directory of the night that is meant, if one is.
fn night_in(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        let is_night = shelf::holds_one(path) && !path.join("result.json").exists();
        return is_night.then(|| path.to_owned());
    }
    let is_night = path.file_name().is_some_and(|name| name == shelf::RECORD);
    is_night.then(|| path.parent().unwrap_or(Path::new("")).to_owned())
}

fn of_night(dir: &Path, output: Option<&Path>) -> Made {
    let night = shelf::take(dir)?;
    let to = output.unwrap_or(dir);
    if output.is_some() {
        shelf::holds_no_run(to)?;
    }
    let mut written = writing::write_night(to, &night);
    if output.is_some() {
        written = written.and_then(|()| shelf::set_aside(to, &night).map(drop));
    }
    Ok(written.map(|()| to.join("report.html")))
}
