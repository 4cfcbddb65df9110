//! Blocks that files share.

use nix::errno::Errno;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};

/// `FICLONERANGE` of `source` of one file to `pos` of another, or of the same.
pub(crate) fn clone_range(
    from: impl AsFd,
    source: Range<u64>,
    to: impl AsFd,
    pos: u64,
) -> Result<(), Errno> {
    let from = i64::from(from.as_fd().as_raw_fd());
    let len = source.end - source.start;
    ioctl::clone_range(to, &ioctl::CloneRange { from, pos: source.start, len, to: pos })
}

/// The kernel's interface, as in `linux/fs.h`.
mod ioctl {
    use super::{AsFd, AsRawFd, Errno};

    /// `struct file_clone_range`.
    #[repr(C)]
    pub(super) struct CloneRange {
        pub(super) from: i64,
        pub(super) pos: u64,
        pub(super) len: u64,
        pub(super) to: u64,
    }

    mod raw {
        nix::ioctl_write_ptr!(clone_range, 0x94, 13, super::CloneRange);
    }

    #[expect(unsafe_code, reason = "an ioctl")]
    pub(super) fn clone_range(to: impl AsFd, range: &CloneRange) -> Result<(), Errno> {
        // SAFETY: both descriptors are open, and the kernel only reads the size of `CloneRange`.
        unsafe { raw::clone_range(to.as_fd().as_raw_fd(), range) }.map(drop)
    }
}
