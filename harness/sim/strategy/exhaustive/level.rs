//! The runs that cost the same: those to be made, and how many there may be.

use super::walk::Opening;
use super::{Cost, Covered};
use crate::chance::{Seed, Stream};
use std::sync::Arc;

/// A departure from the default: the answer to the question of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) at: u32,
    pub(crate) answer: u32,
}

/// The weight of a root, which is divided evenly among the answers wherever its tree branches.
const ROOT: u128 = 1 << 48;

/// A run that is to be made: its departures, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    before: Arc<[Turn]>,
    last: Option<Turn>,
    /// Its part of [`ROOT`].
    weight: u128,
}

impl Start {
    /// A run that departs once more.
    pub(crate) fn then(&self, at: u32, answer: u32) -> Start {
        let before = self.turns().into();
        Start { before, last: Some(Turn { at, answer }), weight: ROOT }
    }

    /// All departures.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        self.before.iter().copied().chain(self.last).collect()
    }
}

/// See the module. A *root* departs last by a switch or fault that has a cost; what follows from it
/// at no cost makes a tree.
#[derive(Debug, Default)]
pub(crate) struct Level {
    roots: Vec<Start>,
    /// Roots that came up, kept or not.
    known: u64,
    /// Those of them that were not kept, since the limit keeps them from being run.
    dropped: u64,
    /// Who is next, at the end: runs of trees that are begun.
    open: Vec<Start>,
    /// Runs that were handed out, and those of them that were learned from.
    taken: u64,
    runs: u64,
    /// The weight of the runs that were made.
    covered: u128,
    begun: bool,
    chance: Option<Stream>,
}

impl Level {
    /// Adds a root. More than `limit` will never be run: an even sample of so many is kept.
    pub(crate) fn add_root(&mut self, start: Start, limit: u64) {
        let start = Start { weight: ROOT, ..start };
        self.known += 1;
        if self.known <= limit {
            self.roots.push(start);
            return;
        }
        self.dropped += 1;
        let known = self.known;
        let place = self.chance().below(known);
        if let Some(kept) = usize::try_from(place).ok().and_then(|at| self.roots.get_mut(at)) {
            *kept = start;
        }
    }

    /// Draws samples only, which are the same in every exploration.
    fn chance(&mut self) -> &mut Stream {
        self.chance.get_or_insert_with(|| Seed(0).schedule())
    }

    /// Whether there is a run to be made.
    pub(crate) fn has_work(&self) -> bool {
        !self.open.is_empty() || !self.roots.is_empty()
    }

    /// At most `room` runs to be made now, of `left` that may be made at all.
    pub(crate) fn take(&mut self, room: usize, left: u64) -> Vec<Start> {
        if !self.begun {
            self.begun = true;
            self.arrange(left);
        }
        let open = self.open.len().min(room);
        let mut starts = self.open.split_off(self.open.len() - open);
        starts.reverse();
        let roots = self.roots.len().min(room - open);
        starts.extend(self.roots.drain(self.roots.len() - roots..).rev());
        self.taken += length(&starts);
        starts
    }

    /// Puts the first last, from where they are taken. If not all can be run, in random order: so
    /// that those which are run are an even sample.
    fn arrange(&mut self, left: u64) {
        let mut roots = std::mem::take(&mut self.roots);
        roots.reverse();
        if left < self.known {
            self.chance().shuffle(&mut roots);
        }
        self.roots = roots;
    }

    /// Takes in that `start` was run, and what it was asked that costs nothing to answer otherwise.
    pub(crate) fn learn<'a>(&mut self, start: &Start, free: impl Iterator<Item = &'a Opening>) {
        self.runs += 1;
        let mut weight = start.weight;
        let first = self.open.len();
        for opening in free {
            let answers = u32::try_from(opening.answers.len()).expect("below 64");
            let part = weight / u128::from(answers + 1);
            weight -= part * u128::from(answers);
            for answer in &opening.answers {
                self.open.push(Start { weight: part, ..start.then(opening.at, *answer) });
            }
        }
        self.open[first..].reverse();
        self.covered += weight;
    }

    /// How much of the level has been run.
    pub(crate) fn covered(&self, cost: Cost) -> Covered {
        let in_flight = self.taken - self.runs;
        let waiting = length(&self.open) + length(&self.roots) + self.dropped + in_flight;
        let complete = waiting == 0;
        let about = if complete { self.runs } else { self.estimate().max(self.runs + waiting) };
        let Cost { preemptions, faults } = cost;
        Covered { preemptions, faults, runs: self.runs, complete, about }
    }

    /// The runs made, in proportion to the part that they have of the weight of all roots.
    fn estimate(&self) -> u64 {
        let all = u128::from(self.known) * ROOT;
        let runs = u128::from(self.runs).saturating_mul(all).checked_div(self.covered);
        runs.and_then(|runs| u64::try_from(runs).ok()).unwrap_or(0)
    }
}

fn length(starts: &[Start]) -> u64 {
    u64::try_from(starts.len()).expect("a list in memory")
}
