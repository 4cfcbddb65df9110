//! What a run leaves: its directory, its result on stdout, and the last words on stderr.

use crate::cli::RunArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::record;
use report::record::{Record, Seed, VerdictKind};
use report::{summary, visible, writing};
use std::io;
use std::path::{Path, PathBuf};

/// Writes and prints the record. The answer is how well that went, not what the verdict is.
pub fn tell(record: &Record, args: &RunArgs, console: Console) -> Exit {
    let mut exit = Exit::Ok;
    let summary = summary::summary(record);
    exit = exit.max(deliver(&summary, &record.to_json(), args.json.as_deref(), console));
    // The run of a reproducer is not that of the scenario that it comes from.
    let name = &record.scenario.name;
    let name = if record.scenario.scheduled { &format!("{name}-case") } else { name };
    let dir = directory(name, record.seed.first, &args.reports);
    match writing::write_run(&dir, record) {
        Ok(written) => console.say(&format!("report: {}", written.html.display())),
        Err(error) => {
            console.warn(&unwritten("the report", &error));
            exit = exit.max(Exit::Environment);
        }
    }
    let kind = record.verdict.kind;
    let ended_from_outside = matches!(kind, VerdictKind::Interrupted | VerdictKind::Environment);
    if !record.verdict.as_expected && !ended_from_outside {
        last_words(record, console);
    }
    exit
}

/// Prints a text, or writes or prints the same as JSON, as `--json FILE|-` asks.
pub fn deliver(text: &str, json: &str, file: Option<&Path>, console: Console) -> Exit {
    let json = &*visible::json(json);
    if file == Some(Path::new("-")) {
        return console.print(json);
    }
    let printed = console.print(text);
    match file.map(|file| (file, writing::write_whole(file, json.as_bytes()))) {
        Some((file, Err(error))) => {
            console.warn(&unwritten(&file.display().to_string(), &error));
            printed.max(Exit::Environment)
        }
        _ => printed,
    }
}

/// What a person needs next: what it looked like, and how to see it again.
fn last_words(record: &Record, console: Console) {
    if let Some(violation) = record.violations.first() {
        for line in violation.strip.lines() {
            console.say(&format!("  {line}"));
        }
    }
    console.warn(&format!("reproduce with: {}", record::reproduce_line(record)));
}

/// The run's own directory: by the scenario's name and the seed, so that the same run replaces itself.
pub fn directory(name: &str, seed: Seed, reports: &Path) -> PathBuf {
    reports.join(format!("{name}-{seed}"))
}

/// What to do about a place that took nothing.
pub(super) fn remedy(error: &io::Error) -> &'static str {
    if writing::is_full(error) {
        "free space there, or name another place"
    } else {
        "name another place"
    }
}

/// What could not be written, and what to do.
pub(super) fn unwritten(what: &str, error: &io::Error) -> String {
    format!("{what} was not written: {error}; {}", remedy(error))
}
