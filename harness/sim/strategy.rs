//! Strategies: which task goes on at a point.

pub mod exhaustive;
pub mod pct;
pub mod pos;
pub mod random;
pub mod replay;
pub mod surw;

use crate::schedule::Key;
use crate::site::Site;
use std::cell::Cell;

pub use pct::Pct;
pub use pos::Pos;
pub use random::Random;
pub use replay::Replay;
pub use surw::Surw;

/// The tasks that may go on: one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidates(pub(crate) u64);

impl Candidates {
    /// Whether `task` is among them.
    #[inline]
    pub fn contains(self, task: usize) -> bool {
        self.0 >> task & 1 == 1
    }

    /// How many there are; at least two wherever a strategy is asked.
    #[inline]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The `n`-th of them, from the lowest.
    #[inline]
    pub fn nth(self, n: u32) -> usize {
        let mut left = self.0;
        for _ in 0..n {
            left &= left - 1;
        }
        usize::try_from(left.trailing_zeros()).expect("below 64")
    }

    /// All of them, from the lowest.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let task = usize::try_from(left.trailing_zeros()).expect("below 64");
            left = left.checked_sub(1)? & left;
            Some(task)
        })
    }

    /// Nobody.
    pub const NONE: Candidates = Candidates(0);

    /// Those of them that `may`.
    #[must_use]
    pub fn only(self, may: impl Fn(&usize) -> bool) -> Candidates {
        Candidates(self.iter().filter(may).fold(0, |those, task| those | 1 << task))
    }

    /// The one with the highest of `priorities`, which are by task; the lowest of equal ones.
    #[inline]
    pub(crate) fn highest(self, priorities: &[u64; 64]) -> usize {
        let mut best = self.nth(0);
        for task in self.iter() {
            if priorities[best] < priorities[task] {
                best = task;
            }
        }
        best
    }
}

/// A choice to be made.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// The task that stands at the point.
    pub current: usize,
    /// Whether it can go on.
    pub stays: bool,
    /// What the default rule says.
    pub default: usize,
    /// Who can go on.
    pub candidates: Candidates,
    /// Where it stands.
    pub site: Site,
    /// How many points all tasks have passed so far that were worth exploring: see [`crate::explore`].
    pub explored: u64,
    /// By task.
    pub(crate) places: &'a [Cell<Site>],
}

impl Decision<'_> {
    /// Where `task` stands: what it does first if it goes on. A lock is yet to be taken.
    #[inline]
    pub fn pending(&self, task: usize) -> Site {
        self.places[task].get()
    }
}

/// Decides who goes on. Everything random about an order of events comes through here.
pub trait Strategy: Send {
    /// The task that goes on; must be one of the candidates.
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize;

    /// The answer to [`crate::choice`]: a number below `options`; 0 unless the strategy explores what
    /// can go wrong.
    fn choose(&mut self, _options: u32) -> u32 {
        0
    }

    /// The run says that from here on it is worth exploring, or no longer.
    fn explore(&mut self, _on: bool) {}

    /// `task` polls and asks for others to go first.
    fn demote(&mut self, _task: usize) {}
}
