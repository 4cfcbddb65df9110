//! The errors that operations return, by the names they have in `errno(3)`.

use std::fmt;

/// An error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errno {
    /// Nothing of the user buffer could be read, so nothing was written.
    Fault,
    /// The device failed a read, a write or a flush.
    Io,
    /// No free block, even after speculative preallocation was given back.
    NoSpace,
    /// The file would grow beyond the largest size the filesystem supports.
    TooBig,
    /// A length of zero where the call does not allow it.
    Invalid,
    /// A mapped page lies wholly beyond the end of the file, or could not be filled or reserved.
    /// The task gets `SIGBUS`; it is no errno in the kernel, but the caller must be told.
    Bus,
    /// Any other, by its number: of a filesystem of the kernel, which has more to answer than the model.
    Other(i32),
}

impl Errno {
    /// The symbol that `errno(3)`, or for [`Errno::Bus`] `signal(7)`, has for it.
    pub fn name(self) -> &'static str {
        match self {
            Errno::Other(_) => "errno",
            Errno::Fault => "EFAULT",
            Errno::Io => "EIO",
            Errno::NoSpace => "ENOSPC",
            Errno::TooBig => "EFBIG",
            Errno::Invalid => "EINVAL",
            Errno::Bus => "SIGBUS",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Errno::Other(number) = self { write!(f, " {number}") } else { Ok(()) }
    }
}
