//! The user's side of a copy: memory that may not be there, and a task that may be killed.
//!
//! Kernel: `fault_in_iov_iter_readable`, `copy_folio_from_iter_atomic`. A copy runs with page
//! faults disabled and stops at the first byte that is not present; only faulting in beforehand
//! can make it present, and for some bytes nothing can.

/// The task that stores through a mapping.
pub trait Signals {
    /// Whether a fatal signal is pending. A write fault asks once its blocks are reserved, where it
    /// may have to wait, and gives up if one is.
    fn fatal_signal_pending(&self) -> bool;
}

/// A task that nobody kills.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignals;

impl Signals for NoSignals {
    fn fatal_signal_pending(&self) -> bool {
        false
    }
}

/// A source buffer. Offsets count from its start.
pub trait UserMemory {
    /// Bytes in it.
    fn len(&self) -> u64;

    /// Whether there is nothing to copy.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes up to `len` bytes from `at` present, as far as that can be done; how many are.
    /// May fault, and so may take `invalidate_lock` and folio locks: the caller holds neither.
    fn fault_in(&self, at: u64, len: u64) -> u64;

    /// Hands up to `len` bytes from `at` to `take`, in order and in one or more pieces, until one
    /// is not present; how many it handed over. Takes no lock but a PTE lock.
    fn copy(&self, at: u64, len: u64, take: &mut dyn FnMut(&[u8])) -> u64;
}
