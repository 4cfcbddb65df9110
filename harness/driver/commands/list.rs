//! `list`: the scenarios of a directory, and the words that a scenario is made of.

use super::prose::wrapped;
use crate::console::Console;
use crate::exit::Exit;
use crate::scenario::{load, reference};
use crate::vocabulary;
use report::visible;
use std::fs;
use std::path::{Path, PathBuf};
use stormfs::choices::Choices;
use stormfs::op::OpKind;

/// Prints the lists. A directory that cannot be read is told, and ends the command with 2.
pub fn list(dir: &Path, console: Console) -> Exit {
    let mut text = String::new();
    let mut exit = Exit::Ok;
    match scenarios(dir) {
        Ok(files) => {
            section(&mut text, &format!("scenarios in {}", dir.display()), &described(&files));
        }
        Err(error) => {
            let dir = dir.display();
            console.warn(&format!("{dir}: {error}; name a directory of scenarios"));
            exit = Exit::Usage;
        }
    }
    let kinds = OpKind::ALL.iter().map(|kind| (kind.name().to_owned(), kind.about().to_owned()));
    section(&mut text, "operations", &kinds.collect::<Vec<_>>());
    let faults = reference::fault_names();
    let faults = faults.into_iter().map(|(name, about)| (name.to_owned(), about.to_owned()));
    section(&mut text, "faults", &faults.collect::<Vec<_>>());
    section(&mut text, "decisions of the filesystem, the correct value first", &decisions());
    exit.max(console.print(&visible::block(&text)))
}

fn scenarios(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn described(files: &[PathBuf]) -> Vec<(String, String)> {
    let row = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let about = match load(file, &vocabulary::known(), &[]) {
            Ok(plan) => {
                let kind = match plan.schedule {
                    Some(_) => "reproducer",
                    None if plan.script.is_empty() => plan.world.name(),
                    None => "script",
                };
                format!("[{kind}] {}", plan.about)
            }
            Err(_) => "has mistakes: `pagestorm check` tells them".to_owned(),
        };
        (visible(&name), visible(&about))
    };
    files.iter().map(row).collect()
}

fn decisions() -> Vec<(String, String)> {
    let row = |decision: &stormfs::choices::Decision| {
        let values: Vec<_> = decision.values.iter().map(|(value, _)| *value).collect();
        (decision.name.to_owned(), format!("{} {}", decision.about, values.join(", ")))
    };
    Choices::DECISIONS.iter().map(row).collect()
}

/// A heading and its rows: a name, and beside it a text in lines that fit.
fn section(text: &mut String, heading: &str, rows: &[(String, String)]) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.extend([heading, "\n"]);
    for (name, about) in rows {
        text.push_str(&wrapped(&format!("  {name:<28} "), about));
    }
}

/// Names of files and texts of scenarios are anybody's.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
