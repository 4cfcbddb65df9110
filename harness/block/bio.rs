//! One request to a device, and how it can end.

use crate::buffer::Buffer;
use nix::errno::Errno;
use std::fmt;

/// What a bio asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BioOp {
    /// Fill the data from the device.
    Read,
    /// Put the data on the device.
    Write,
    /// Make completed writes durable.
    Flush,
}

impl fmt::Display for BioOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BioOp::Read => "read",
            BioOp::Write => "write",
            BioOp::Flush => "flush",
        })
    }
}

/// One request to a device.
#[derive(Debug)]
pub struct Bio {
    /// What is asked for.
    pub op: BioOp,
    /// Where on the device, in bytes: a multiple of the device's sector. 0 for a flush.
    pub offset: u64,
    /// The bytes to write, or room for those to read: a multiple of the device's sector, at least
    /// one. A flush has none. After a failed read they are of no use.
    pub data: Buffer,
    /// Names the operation that caused this bio. Faults are keyed by it.
    pub cause: u64,
}

impl Bio {
    /// Asks for `len` bytes at `offset`.
    pub fn read(offset: u64, len: usize, cause: u64) -> Bio {
        Bio { op: BioOp::Read, offset, data: Buffer::new(len), cause }
    }

    /// Puts `data` at `offset`.
    pub fn write(offset: u64, data: Buffer, cause: u64) -> Bio {
        Bio { op: BioOp::Write, offset, data, cause }
    }

    /// Makes completed writes durable.
    pub fn flush(cause: u64) -> Bio {
        Bio { op: BioOp::Flush, offset: 0, data: Buffer::default(), cause }
    }

    /// How many bytes it moves.
    pub fn len(&self) -> u64 {
        u64::try_from(self.data.len()).expect("lengths fit 64 bits")
    }

    /// Whether it moves no bytes: true of a flush only.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// Why a bio failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoError {
    /// A fault that was asked for. A failed write has left the media as it was.
    Injected,
    /// The machine failed. Of a failed write any part may be on the media.
    Real {
        /// As in `errno(3)`.
        errno: i32,
        /// The system call that said so.
        what: &'static str,
    },
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IoError::Injected => f.write_str("injected I/O error"),
            IoError::Real { errno, what } => {
                let errno = Errno::from_raw(*errno);
                write!(f, "real I/O error: {what}: {errno:?} ({})", errno.desc())
            }
        }
    }
}

impl std::error::Error for IoError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_error_never_looks_like_an_injected_one() {
        let real = IoError::Real { errno: 28, what: "pwrite" };
        assert_eq!(real.to_string(), "real I/O error: pwrite: ENOSPC (No space left on device)");
        assert_eq!(IoError::Injected.to_string(), "injected I/O error");
    }
}
