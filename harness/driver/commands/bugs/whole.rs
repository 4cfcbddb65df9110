//! One bug, whole: what it is, what it decides otherwise, how it is caught, and how to see it.

use super::listing::facts;
use crate::catalogue::Bug;
use crate::commands::prose::wrapped;
use oracle::Invariant;
use stormfs::choices::{Choices, Decision};

/// All there is to know of each.
pub(super) fn whole(bugs: &[&Bug]) -> String {
    bugs.iter().map(|bug| one(bug)).collect::<Vec<_>>().join("\n")
}

fn one(bug: &Bug) -> String {
    let mut text = format!("{}\n\n{}\n{}", bug.id, wrapped("    ", bug.what), facts(bug));
    for (name, value) in bug.sets {
        let decision = Choices::DECISIONS.iter().find(|known| known.name == *name);
        let decision = decision.expect("the catalogue sets decisions of the filesystem");
        text.push('\n');
        text.push_str(&wrapped("    ", &format!("{name}: {}", decision.about)));
        for told in [decision.values[0].0, value] {
            text.push_str(&wrapped("        ", &format!("{told}: {}", about(decision, told))));
        }
    }
    let caught_by = Invariant::all().find(|invariant| invariant.name == bug.caught_by);
    let why = caught_by.map_or("", |invariant| invariant.about);
    text.push('\n');
    text.push_str(&wrapped("    ", &format!("{}: {why}", bug.caught_by)));
    text.extend(["\n    pagestorm bugs --run ", bug.id, "\n"]);
    text.extend(["    pagestorm run ", &bug.file(), "\n\n"]);
    for line in bug.scenario.lines() {
        text.extend(["    | ", line, "\n"]);
    }
    text
}

fn about(decision: &Decision, value: &str) -> &'static str {
    let found = decision.values.iter().find(|(name, _)| *name == value);
    found.map_or("", |(_, about)| about)
}
