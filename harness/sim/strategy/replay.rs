//! Replay: the default rule, except where a recorded schedule says otherwise.

use super::{Decision, Strategy};
use crate::schedule::{Key, Schedule};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub struct Replay {
    switches: BTreeMap<Key, usize>,
}

impl Replay {
    /// Follows `schedule`. A deviation whose place is never reached, or whose task cannot run
    /// there, is passed over.
    pub fn new(schedule: &Schedule) -> Replay {
        let switches = schedule.deviations.iter().map(|d| (d.key, usize::from(d.to))).collect();
        Replay { switches }
    }
}

impl Strategy for Replay {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        let wanted = self.switches.get(&key).copied();
        wanted.filter(|to| decision.candidates.contains(*to)).unwrap_or(decision.default)
    }
}
