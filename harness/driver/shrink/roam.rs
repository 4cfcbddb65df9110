//! A search for another schedule: the default rule, but for a few preemptions at random decisions,
//! and some freedom where the running task has to wait.

use sim::chance::{Seed, Stream};
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};

/// See the module.
#[derive(Debug)]
pub(super) struct Roam {
    chance: Stream,
    /// At which decisions a task is preempted, the next one last.
    preempted: Vec<u64>,
    /// How often a free choice leaves the default rule, in a million.
    freedom: u32,
    asked: u64,
}

impl Roam {
    /// With at most so many preemptions, in a run of about so many decisions.
    pub(super) fn new(seed: Seed, preemptions: usize, decisions: u64) -> Roam {
        let mut chance = seed.schedule();
        let mut preempted: Vec<u64> =
            (0..preemptions).map(|_| chance.between(1, decisions.max(1))).collect();
        preempted.sort_unstable_by(|one, other| other.cmp(one));
        let freedom = [0, 100_000, 400_000][usize::try_from(chance.below(3)).expect("below 3")];
        Roam { chance, preempted, freedom, asked: 0 }
    }
}

impl Strategy for Roam {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        self.asked += 1;
        let leaves = if decision.stays {
            let due = self.preempted.last().is_some_and(|at| *at <= self.asked);
            if due {
                self.preempted.pop();
            }
            due
        } else {
            self.chance.chance(self.freedom)
        };
        if !leaves {
            return decision.default;
        }
        let others = decision.candidates.count() - 1;
        let nth = u32::try_from(self.chance.below(u64::from(others))).expect("fewer than 64");
        let others = decision.candidates.iter().filter(|task| *task != decision.default);
        let mut others = others;
        others.nth(usize::try_from(nth).expect("fewer than 64")).unwrap_or(decision.default)
    }
}
