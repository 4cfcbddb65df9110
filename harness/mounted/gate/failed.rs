//! How many requests have failed, in memory that both processes see: whoever meets an error finds the
//! request counted that it comes of, without asking anybody.

use super::rules::Access;
use crate::memory::Numbers;
use nix::errno::Errno;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// See the module. It can be read after the gate is gone.
#[derive(Debug, Clone)]
pub struct Failed {
    numbers: Arc<Numbers>,
    /// Reads and writes that do not count: they had failed before.
    before: [u64; 2],
}

impl Failed {
    /// None yet. A fork shares it from then on.
    pub(super) fn none() -> Result<Failed, Errno> {
        Numbers::zero().map(|numbers| Failed { numbers: Arc::new(numbers), before: [0; 2] })
    }

    /// The same of requests that fail from now on.
    #[must_use]
    pub fn from_now_on(&self) -> Failed {
        let before = [Access::Read, Access::Write].map(|access| self.all(access));
        Failed { numbers: Arc::clone(&self.numbers), before }
    }

    /// How many reads.
    pub fn reads(&self) -> u64 {
        self.all(Access::Read) - self.before[0]
    }

    /// How many writes.
    pub fn writes(&self) -> u64 {
        self.all(Access::Write) - self.before[1]
    }

    /// One more is about to be told of.
    pub(super) fn add(&self, access: Access) {
        self.count(access).fetch_add(1, Ordering::SeqCst);
    }

    fn all(&self, access: Access) -> u64 {
        self.count(access).load(Ordering::SeqCst)
    }

    fn count(&self, access: Access) -> &AtomicU64 {
        self.numbers.number(match access {
            Access::Read => 0,
            Access::Write => 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_before_does_not_count() {
        let all = Failed::none().unwrap();
        all.add(Access::Read);
        all.add(Access::Write);
        let later = all.from_now_on();
        assert_eq!((later.reads(), later.writes()), (0, 0));
        all.add(Access::Write);
        assert_eq!((later.reads(), later.writes()), (0, 1));
        assert_eq!((all.reads(), all.writes()), (1, 2));
    }
}
