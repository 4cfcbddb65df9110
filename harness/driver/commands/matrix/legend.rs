//! What the words of the cells mean, and which invariants spoke.

use super::cell::Cell;
use super::grid::Grid;
use super::harm::Harm;
use std::collections::BTreeSet;

impl Cell {
    /// What stands in the table.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Cell::Clean => "ok",
            Cell::Harmed(harmed) => harmed.harm.name(),
            Cell::Impossible(_) => "n/a",
            Cell::Unfinished => "-",
            Cell::Undetermined => "undetermined",
        }
    }
}

/// Each word that stands in a cell, with its meaning.
pub(super) fn legend(grid: &Grid) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if grid.all().any(|(_, _, cell)| matches!(cell, Cell::Clean)) {
        lines.push(("ok", "every invariant held".to_owned()));
    }
    lines.extend(Harm::ALL.iter().filter_map(|harm| Some((harm.name(), told(grid, *harm)?))));
    let others = [
        (Cell::Unfinished.word(), "the command was interrupted before"),
        (Cell::Undetermined.word(), "the same seed gave two different runs"),
    ];
    let stands = |word| grid.all().any(|(_, _, cell)| cell.word() == word);
    let others = others.into_iter().filter(|(word, _)| stands(*word));
    lines.extend(others.map(|(word, about)| (word, about.to_owned())));
    let reason = |cell: &Cell| match cell {
        Cell::Impossible(why) => Some(why.clone()),
        Cell::Clean | Cell::Harmed(_) | Cell::Unfinished | Cell::Undetermined => None,
    };
    let reasons: BTreeSet<_> = grid.all().filter_map(|(_, _, cell)| reason(cell)).collect();
    lines.extend(reasons.into_iter().map(|why| ("n/a", why)));
    lines
}

/// What that harm means, and what noticed it.
fn told(grid: &Grid, harm: Harm) -> Option<String> {
    let (mut noticed, mut before) = (BTreeSet::new(), BTreeSet::new());
    for (_, _, cell) in grid.all() {
        let Cell::Harmed(harmed) = cell else { continue };
        if harmed.harm != harm {
            continue;
        }
        let first = harmed.first.violation.invariant;
        if let Some(evidence) = &harmed.noticed {
            noticed.insert(evidence.violation.invariant);
            before.insert(first);
        } else {
            noticed.insert(first);
        }
    }
    if noticed.is_empty() {
        return None;
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let before =
        if before.is_empty() { String::new() } else { format!("; before that: {}", list(before)) };
    Some(format!("{}: {}{before}", harm.about(), list(noticed)))
}
