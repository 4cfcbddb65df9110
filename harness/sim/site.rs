//! Where a task stands when it can be stopped: at a lock or at a named point.

use crate::rank::Rank;
use std::fmt;

/// A place at which the scheduler may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// What the place is called: a lock's name or a point's.
    pub name: &'static str,
    /// A number for the same, equal in every run and on every machine; it enters the trace hash.
    pub code: u16,
    /// Which lock of that class, or which object the point concerns.
    pub object: u64,
}

impl Site {
    /// A named point. `code` must be the same in every run.
    #[inline]
    pub const fn point(name: &'static str, code: u16, object: u64) -> Site {
        Site { name, code: 0x100 + code, object }
    }

    /// The acquisition of a lock.
    #[inline]
    pub(crate) fn lock(rank: &'static Rank, object: u64) -> Site {
        Site { name: rank.name, code: u16::from(rank.order), object }
    }

    /// The order of its rank and its object, if this is the acquisition of a lock.
    pub(crate) fn as_lock(self) -> Option<(u8, u64)> {
        Some((u8::try_from(self.code).ok()?, self.object))
    }

    /// One word for the trace hash.
    #[inline]
    pub(crate) fn word(self) -> u64 {
        u64::from(self.code) << 48 ^ self.object
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", self.name, self.object)
    }
}
