//! The list of bugs: a few lines for each, or JSON.

use crate::catalogue::{Bug, Commit};
use serde_json::{Value, json};

/// A few lines for each bug.
pub(super) fn listing(bugs: &[&Bug]) -> String {
    bugs.iter().flat_map(|bug| [bug.id.to_owned(), "\n".to_owned(), facts(bug)]).collect()
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
    for (name, lines) in groups {
        let names = std::iter::once(name).chain(std::iter::repeat(""));
        for (name, line) in names.zip(&lines) {
            text.extend([&format!("    {name:<11}"), line.as_str(), "\n"]);
        }
    }
    text
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
