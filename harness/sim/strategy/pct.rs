//! Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
//!
//! Every task has a random priority and the highest that can run does; at `depth - 1` random
//! points of the run the task that stands there falls below all others. A bug that needs `depth`
//! ordering constraints among `n` tasks is found with probability at least
//! `1 / (n * length^(depth-1))` per run.

use super::{Decision, Strategy};
use crate::chance::Stream;
use crate::schedule::Key;

/// See the module.
#[derive(Debug)]
pub struct Pct {
    /// By task; the larger goes first. Initial priorities lie above every demotion.
    priorities: [u64; 64],
    /// Decision numbers at which the current task falls, in falling order.
    changes: Vec<u64>,
    decisions: u64,
    /// What the next task to fall gets; it only ever shrinks.
    floor: u64,
}

impl Pct {
    /// `depth` of at least 1; `length` is the expected number of decisions of a run, as a
    /// [`crate::profile::Profile`] has it.
    pub fn new(mut chance: Stream, depth: u32, length: u64) -> Pct {
        let mut order: Vec<u64> = (0..64).collect();
        chance.shuffle(&mut order);
        let mut priorities = [0; 64];
        for (task, place) in order.into_iter().enumerate() {
            priorities[task] = u64::MAX - place;
        }
        let mut changes: Vec<u64> = (1..depth).map(|_| 1 + chance.below(length.max(1))).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Pct { priorities, changes, decisions: 0, floor: u64::MAX / 2 }
    }
}

impl Strategy for Pct {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        self.decisions += 1;
        while self.changes.last().is_some_and(|change| *change <= self.decisions) {
            self.changes.pop();
            self.demote(decision.current);
        }
        decision.candidates.highest(&self.priorities)
    }

    fn demote(&mut self, task: usize) {
        self.floor -= 1;
        self.priorities[task] = self.floor;
    }
}
