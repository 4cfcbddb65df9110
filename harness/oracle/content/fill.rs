//! What an operation puts into a range of bytes, without the bytes.

use crate::pattern::{self, Candidate};
use std::{fmt, sync::Arc};
use stormfs::op::OpId;

/// A rule that gives the byte at each position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Zero everywhere.
    Zero,
    /// The pattern of an operation, made for the position `shift` bytes before. An append fills
    /// its buffer before it knows where it lands; every other write has shift 0.
    Tag {
        /// The operation.
        op: OpId,
        /// Bytes between the position the pattern was made for and the position it is at.
        shift: u64,
    },
    /// Given bytes. The first one belongs at position `at`; there is none outside.
    Bytes {
        /// The bytes.
        data: Arc<[u8]>,
        /// The position of the first one.
        at: u64,
    },
    /// Any byte: what is written is not known yet.
    Anything,
}

impl Fill {
    /// The pattern of an operation that knew where it writes.
    pub fn tag(op: OpId) -> Fill {
        Fill::Tag { op, shift: 0 }
    }

    /// Given bytes, the first one at position `at`.
    pub fn bytes(at: u64, data: &[u8]) -> Fill {
        Fill::Bytes { data: data.into(), at }
    }

    /// True if the fill may put `byte` at `pos`.
    pub fn allows(&self, pos: u64, byte: u8) -> bool {
        self.allows_all(pos, &[byte])
    }

    /// True if the fill may put `found` at `pos` and behind it.
    pub fn allows_all(&self, pos: u64, found: &[u8]) -> bool {
        match self {
            Fill::Zero => is_zero(found),
            Fill::Tag { op, shift } => pattern::matches(*op, pos.wrapping_sub(*shift), found),
            Fill::Bytes { data, at } => part(data, *at, pos, found.len()) == Some(found),
            Fill::Anything => true,
        }
    }

    /// Puts the fill's bytes into `buffer`, whose first byte is at `pos`. Leaves alone what the fill
    /// does not say.
    pub(super) fn put(&self, pos: u64, buffer: &mut [u8]) {
        match self {
            Fill::Zero => buffer.fill(0),
            Fill::Tag { op, shift } => pattern::fill(*op, pos.wrapping_sub(*shift), buffer),
            Fill::Bytes { data, at } => {
                let skipped = usize::try_from(at.saturating_sub(pos)).unwrap_or(usize::MAX);
                let first = usize::try_from(pos.saturating_sub(*at)).unwrap_or(usize::MAX);
                let source = data.get(first..).unwrap_or_default();
                let target = buffer.get_mut(skipped..).unwrap_or_default();
                let len = source.len().min(target.len());
                target[..len].copy_from_slice(&source[..len]);
            }
            Fill::Anything => {}
        }
    }

    /// The fill as far as it matters at one position.
    pub(super) fn at_one(self, pos: u64) -> Fill {
        let Fill::Bytes { data, at } = &self else { return self };
        match part(data, *at, pos, 1) {
            Some([0]) => Fill::Zero,
            Some(byte) => Fill::bytes(pos, byte),
            None => self,
        }
    }

    /// What to look for where a byte cannot name its writer.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        match self {
            Fill::Tag { op, shift } => Some(Candidate { op: *op, shift: *shift }),
            Fill::Zero | Fill::Bytes { .. } | Fill::Anything => None,
        }
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fill::Zero => write!(f, "zero"),
            Fill::Tag { op, .. } => write!(f, "the bytes of {op}"),
            Fill::Bytes { data, at } => match data.first() {
                Some(first) if data.len() == 1 => write!(f, "{first:#04x}"),
                _ => write!(f, "{} given bytes at {at}", data.len()),
            },
            Fill::Anything => write!(f, "anything"),
        }
    }
}

/// True if every byte is zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().all(|block| *block == [0; 64]) && rest.iter().all(|&byte| byte == 0)
}

/// The `len` bytes at `pos` of `data`, whose first byte is at `at`.
fn part(data: &[u8], at: u64, pos: u64, len: usize) -> Option<&[u8]> {
    let first = usize::try_from(pos.checked_sub(at)?).ok()?;
    data.get(first..first.checked_add(len)?)
}
