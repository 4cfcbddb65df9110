//! The list of bugs: a few lines for each, or JSON.

use crate::catalogue::{Bug, Commit};
use crate::commands::prose::wrapped;
use serde_json::{Value, json};

/// A few lines for each bug.
pub(super) fn listing(bugs: &[&Bug]) -> String {
    let text = |bug: &&Bug| {
        let what = wrapped(&name("what"), first_sentence(bug.what));
        let scenario = format!("{}{}\n", name("scenario"), bug.file());
        format!("{}\n{what}{}{scenario}", bug.id, facts(bug))
    };
    bugs.iter().map(text).collect()
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |stop| &text[..=stop])
}

/// What a bug sets, who fixed it, what tests it and what catches it: a line each.
pub(super) fn facts(bug: &Bug) -> String {
    let sets = bug.sets.iter().map(|(decision, value)| format!("{decision}: {value}"));
    let groups = [
        ("sets", sets.collect()),
        ("fixed by", bug.fixed_by.iter().map(described).collect()),
        ("fstest", bug.fstest.iter().map(ToString::to_string).collect()),
        ("caught by", vec![bug.caught_by.to_owned()]),
    ];
    let mut text = String::new();
    for (label, lines) in groups {
        let names = std::iter::once(label).chain(std::iter::repeat(""));
        for (label, line) in names.zip(&lines) {
            text.extend([&name(label), line.as_str(), "\n"]);
        }
    }
    text
}

/// What stands before a line.
fn name(name: &str) -> String {
    format!("    {name:<11}")
}

/// The same, and the text of each scenario, as JSON.
pub(super) fn json(bugs: &[&Bug]) -> String {
    let list: Vec<_> = bugs.iter().map(|bug| object(bug)).collect();
    format!("{:#}\n", Value::from(list))
}

fn described(commit: &Commit) -> String {
    let version = commit.version.map_or(String::new(), |version| format!(" ({version})"));
    format!("{}{version} {}", commit.hash, commit.subject)
}

fn object(bug: &Bug) -> Value {
    let sets = bug.sets.iter().map(|(name, value)| json!({ "decision": name, "value": value }));
    let commits = bug.fixed_by.iter().map(|Commit { hash, version, subject }| {
        json!({ "hash": hash, "version": version, "subject": subject })
    });
    json!({
        "id": bug.id,
        "what": bug.what,
        "sets": sets.collect::<Vec<_>>(),
        "fixed_by": commits.collect::<Vec<_>>(),
        "fstest": bug.fstest,
        "caught_by": bug.caught_by,
        "scenario": { "file": bug.file(), "text": bug.scenario },
    })
}
