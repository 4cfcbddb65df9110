//! Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
//!
//! Every task has a random priority and the highest that can run does; at `depth - 1` random
//! points of the run the task that would go on falls below all others. A bug that needs `depth`
//! ordering constraints among `n` tasks is found with probability at least
//! `1 / (n * length^(depth-1))` per run.
//!
//! A change that changes nothing is wasted. So it takes the one that would go on, who may be another
//! than the one that stands there; it waits for a decision while only one task can go on, and until
//! the next one if another change has come first; and only points count that are worth exploring.
//! Points are counted and not decisions, because how many of these a run has depends on its schedule.

use super::{Decision, Strategy};
use crate::chance::Stream;
use crate::schedule::Key;

/// See the module.
#[derive(Debug)]
pub struct Pct {
    /// By task; the larger goes first. Initial priorities lie above every demotion.
    priorities: [u64; 64],
    /// After how many points the first task falls, in falling order.
    changes: Vec<u64>,
    exploring: bool,
    /// What the next task to fall gets; it only ever shrinks.
    floor: u64,
}

impl Pct {
    /// `depth` of at least 1; `length` is the expected number of points of a run that are worth
    /// exploring, as a [`crate::profile::Profile`] has it.
    pub fn new(mut chance: Stream, depth: u32, length: u64) -> Pct {
        let mut order: Vec<u64> = (0..64).collect();
        chance.shuffle(&mut order);
        let mut priorities = [0; 64];
        for (task, place) in order.into_iter().enumerate() {
            priorities[task] = u64::MAX - place;
        }
        let mut changes: Vec<u64> = (1..depth).map(|_| 1 + chance.below(length.max(1))).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Pct { priorities, changes, exploring: true, floor: u64::MAX / 2 }
    }
}

impl Strategy for Pct {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let first = decision.candidates.highest(&self.priorities);
        if !self.exploring || self.changes.last().is_none_or(|change| decision.explored < *change) {
            return first;
        }
        self.changes.pop();
        self.demote(first);
        decision.candidates.highest(&self.priorities)
    }

    fn explore(&mut self, on: bool) {
        self.exploring = on;
    }

    fn demote(&mut self, task: usize) {
        self.floor -= 1;
        self.priorities[task] = self.floor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;
    use crate::site::Site;
    use crate::strategy::Candidates;
    use std::cell::Cell;

    const KEY: Key = Key { task: 0, operation: 0, point: 0 };

    fn pick(pct: &mut Pct, tasks: u64, current: usize, explored: u64) -> usize {
        let site = Site::point("a", 1, 0);
        let places = [const { Cell::new(Site::point("a", 1, 0)) }; 64];
        let (stays, default, candidates) = (true, current, Candidates(tasks));
        let decision =
            Decision { current, stays, default, candidates, site, explored, places: &places };
        pct.pick(&decision, KEY)
    }

    #[test]
    fn every_change_takes_the_one_that_would_go_on() {
        for seed in 0..50 {
            let mut pct = Pct::new(Seed(seed).schedule(), 3, 20);
            let mut fell = 0;
            for explored in 1..=21 {
                let tasks = [0b111, 0b110, 0b101][narrow(explored) % 3];
                let (first, left) = (Candidates(tasks).highest(&pct.priorities), pct.changes.len());
                let picked = pick(&mut pct, tasks, 2, explored);
                let falls = left - pct.changes.len();
                assert_eq!(
                    (picked == first, falls),
                    if falls == 0 { (true, 0) } else { (false, 1) }
                );
                fell += falls;
            }
            assert_eq!(fell, 2);
        }
    }

    #[test]
    fn changes_wait_for_decisions_each_for_its_own() {
        let mut pct = Pct::new(Seed(1).schedule(), 4, 10);
        for left in [2, 1, 0] {
            let first = Candidates(0b111).highest(&pct.priorities);
            assert_ne!(pick(&mut pct, 0b111, 0, 100), first);
            assert_eq!(pct.changes.len(), left);
        }
    }

    #[test]
    fn what_is_not_worth_exploring_takes_no_change() {
        for seed in 0..50 {
            let mut pct = Pct::new(Seed(seed).schedule(), 4, 10);
            pct.explore(false);
            let before: Vec<_> = (0..100).map(|_| pick(&mut pct, 0b1111, 2, 0)).collect();
            assert!(before.iter().all(|pick| *pick == before[0]));
            assert_eq!(pct.changes.len(), 3);
            pct.explore(true);
            (0..13).for_each(|explored| assert!(pick(&mut pct, 0b1111, 2, explored) < 4));
            assert!(pct.changes.is_empty());
        }
    }

    fn narrow(number: u64) -> usize {
        usize::try_from(number).unwrap()
    }
}
