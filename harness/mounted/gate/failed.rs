//! How many requests have failed, in memory that both processes see: whoever meets an error finds the
//! request counted that it comes of, without asking anybody.

use super::rules::Access;
use crate::memory::Numbers;
use nix::errno::Errno;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// See the module. It can be read after the gate is gone.
#[derive(Debug, Clone)]
pub struct Failed(Arc<Numbers>);

impl Failed {
    /// None yet. A fork shares it from then on.
    pub(super) fn none() -> Result<Failed, Errno> {
        Numbers::zero().map(|numbers| Failed(Arc::new(numbers)))
    }

    /// How many reads.
    pub fn reads(&self) -> u64 {
        self.count(Access::Read).load(Ordering::SeqCst)
    }

    /// How many writes.
    pub fn writes(&self) -> u64 {
        self.count(Access::Write).load(Ordering::SeqCst)
    }

    /// One more is about to be told of.
    pub(super) fn add(&self, access: Access) {
        self.count(access).fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self, access: Access) -> &AtomicU64 {
        self.0.number(match access {
            Access::Read => 0,
            Access::Write => 1,
        })
    }
}
