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
    /// Whether it is the acquisition of a lock that others may have at the same time.
    pub shared: bool,
}

impl Site {
    /// A named point. `code` must be the same in every run.
    #[inline]
    pub const fn point(name: &'static str, code: u16, object: u64) -> Site {
        Site { name, code: POINTS + code, object, shared: false }
    }

    /// The acquisition of a lock.
    #[inline]
    pub(crate) fn lock(rank: &'static Rank, object: u64) -> Site {
        Site { name: rank.name, code: u16::from(rank.order), object, shared: false }
    }

    /// The same acquisition, of a lock that others may have at the same time.
    #[inline]
    pub(crate) fn and_shared(self) -> Site {
        Site { shared: true, ..self }
    }

    /// Whether the order matters in which two tasks go on that stand here and there: both are about
    /// to take the same lock, and not both shared. A named point concerns nobody else.
    #[inline]
    pub fn conflicts(self, other: Site) -> bool {
        self.code < POINTS
            && (self.code, self.object) == (other.code, other.object)
            && !(self.shared && other.shared)
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

/// Codes below are orders of ranks.
const POINTS: u16 = 0x100;

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", self.name, self.object)
    }
}
