//! A recorded schedule: where a run left the default rule.
//!
//! The default rule is to stay with the current task while it can run, else to take the lowest
//! numbered one that can. Only deviations are kept, keyed so that an edit elsewhere in the run
//! leaves them valid.

use std::fmt;

/// A place in a run: the `point`-th point of `operation` of `task`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The task that stood there, in the order of spawning.
    pub task: u8,
    /// Its operation, as given to [`crate::begin_operation`].
    pub operation: u64,
    /// Counts from 1 within the operation.
    pub point: u32,
}

/// At `key`, the run went on with task `to` although the default rule says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// Where the choice was made.
    pub key: Key,
    /// Who went on.
    pub to: u8,
    /// The name of the place: a check, not part of the key.
    pub site: &'static str,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { task, operation, point } = self.key;
        write!(f, "switch {task}/{operation}.{point} {} -> {}", self.site, self.to)
    }
}

/// Every deviation of a run, in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// The list; empty if the run was not recorded.
    pub deviations: Vec<Deviation>,
}
