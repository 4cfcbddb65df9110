//! How many requests have failed, in memory that both processes see: whoever meets an error finds the
//! request counted that it comes of, without asking anybody.

use super::rules::Access;
use crate::memory::Pages;
use nix::errno::Errno;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// See the module. It can be read after the gate is gone.
#[derive(Debug, Clone)]
pub struct Failed(Arc<Pages>);

impl Failed {
    /// None yet. A fork shares it from then on.
    pub(super) fn none() -> Result<Failed, Errno> {
        Pages::common(2 * size_of::<AtomicU64>()).map(|pages| Failed(Arc::new(pages)))
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
        let at = match access {
            Access::Read => 0,
            Access::Write => size_of::<AtomicU64>(),
        };
        // SAFETY: the pages live as long as this, are zero at first, begin at a page, and are used as
        // these two atomic numbers alone.
        #[expect(unsafe_code, reason = "memory that another process writes, too")]
        unsafe {
            &*self.0.address(at).cast::<AtomicU64>()
        }
    }
}
