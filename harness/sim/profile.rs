//! What one run passed, counted: for strategies that must know how long runs are, and what of.

use crate::site::Site;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// How often a strategy was asked: at points where more than one task could go on.
    pub decisions: u64,
    /// How many points all tasks passed that were worth exploring: see [`crate::explore`]. Unlike
    /// decisions they hardly depend on the schedule.
    pub explored: u64,
    /// By task, in the order of spawning: how often it came to the places of each name.
    pub passages: Vec<BTreeMap<&'static str, u64>>,
}

impl Profile {
    /// Nothing counted yet, of so many tasks.
    pub(crate) fn of(tasks: usize) -> Profile {
        Profile { decisions: 0, explored: 0, passages: vec![BTreeMap::new(); tasks] }
    }

    /// Counts one passage.
    pub(crate) fn count(&mut self, task: usize, site: Site) {
        *self.passages[task].entry(site.name).or_default() += 1;
    }

    /// The names of the places that at least two tasks came to, in alphabetical order.
    pub fn shared(&self) -> Vec<&'static str> {
        let mut tasks: BTreeMap<&'static str, usize> = BTreeMap::new();
        for name in self.passages.iter().flat_map(BTreeMap::keys) {
            *tasks.entry(name).or_default() += 1;
        }
        tasks.into_iter().filter(|(_, tasks)| 2 <= *tasks).map(|(name, _)| name).collect()
    }

    /// How often each task came to the places called `name`.
    pub fn of_site(&self, name: &str) -> Vec<u64> {
        let count = |passed: &BTreeMap<_, u64>| passed.get(name).copied().unwrap_or(0);
        self.passages.iter().map(count).collect()
    }
}
