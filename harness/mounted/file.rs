//! A file, by the descriptors of one actor.

use crate::clone::clone_range;
use crate::look;
use crate::memory::{offset, write_from};
use crate::source::{Armed, cut};
use crate::window::Stops;
use nix::errno::Errno;
use nix::fcntl::{
    FallocateFlags, OFlag, PosixFadviseAdvice, copy_file_range, fallocate, open, posix_fadvise,
};
use nix::libc;
use nix::sys::stat::Mode;
use nix::sys::uio::{pread, preadv};
use nix::unistd::{Whence, fdatasync, fsync, ftruncate, lseek, syncfs};
use std::ffi::c_void;
use std::io::IoSliceMut;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// See the module. Every method is the system call of its name.
#[derive(Debug)]
pub struct File {
    plain: OwnedFd,
    append: OwnedFd,
    /// With `O_DIRECT`, where that can be had.
    direct: Option<OwnedFd>,
}

/// Where a write takes its bytes from, cut into the pieces of its iovecs.
#[derive(Debug, Clone, Copy)]
pub enum Bytes<'a> {
    /// Memory that is there.
    Whole(&'a [u8], &'a [usize]),
    /// Memory with a hole.
    Holed(&'a Armed<'a>, &'a [usize]),
    /// Memory at which it stands still, in pieces of its own.
    Stopping(&'a Stops),
}

impl File {
    /// Opens descriptors of its own for the file that `of` stands for.
    pub fn open(of: impl AsFd) -> Result<File, Errno> {
        let path = format!("/proc/self/fd/{}", of.as_fd().as_raw_fd());
        let with =
            |flag| open(path.as_str(), OFlag::O_RDWR | OFlag::O_CLOEXEC | flag, Mode::empty());
        let direct = with(OFlag::O_DIRECT).ok();
        Ok(File { plain: with(OFlag::empty())?, append: with(OFlag::O_APPEND)?, direct })
    }

    /// Reads into `bytes`, of which each piece is an iovec.
    pub fn read(&self, pos: u64, bytes: &mut [u8], cuts: &[usize]) -> Result<usize, Errno> {
        if cuts.is_empty() {
            return pread(&self.plain, bytes, offset(pos)?);
        }
        let mut rest = bytes;
        let mut pieces = Vec::new();
        let lens: Vec<_> = cut(rest.len(), cuts).map(|(_, len)| len).collect();
        for len in lens {
            let (piece, behind) = rest.split_at_mut(len);
            pieces.push(IoSliceMut::new(piece));
            rest = behind;
        }
        preadv(&self.plain, &mut pieces, offset(pos)?)
    }

    /// Writes at `pos`.
    pub fn write(&self, pos: u64, bytes: Bytes<'_>) -> Result<u64, Errno> {
        write_from(&self.plain, &bytes.pieces(), Some(pos))
    }

    /// Writes at the end of the file: how many bytes, and where they begin.
    pub fn append(&self, bytes: Bytes<'_>) -> Result<(u64, u64), Errno> {
        let written = write_from(&self.append, &bytes.pieces(), None)?;
        let end = u64::try_from(lseek(&self.append, 0, Whence::SeekCur)?).expect("not negative");
        Ok((written, end - written))
    }

    /// `ftruncate(2)`.
    pub fn truncate(&self, size: u64) -> Result<(), Errno> {
        ftruncate(&self.plain, offset(size)?)
    }

    /// `fallocate(2)`.
    pub fn allocate(&self, how: FallocateFlags, range: Range<u64>) -> Result<(), Errno> {
        fallocate(&self.plain, how, offset(range.start)?, offset(range.end - range.start)?)
    }

    /// `fsync(2)`.
    pub fn sync(&self) -> Result<(), Errno> {
        fsync(&self.plain)
    }

    /// `fdatasync(2)`.
    pub fn sync_data(&self) -> Result<(), Errno> {
        fdatasync(&self.plain)
    }

    /// `syncfs(2)`: the whole filesystem that it is on.
    pub fn sync_all(&self) -> Result<(), Errno> {
        syncfs(&self.plain)
    }

    /// `sync_file_range(2)`: starts writeback of a range; if told to, it waits for what was on its way
    /// before, and for its own.
    pub fn write_back(&self, range: Range<u64>, wait: bool) -> Result<(), Errno> {
        let both = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
        let wait = if wait { both } else { 0 };
        let (pos, len) = (offset(range.start)?, offset(range.end - range.start)?);
        let flags = libc::SYNC_FILE_RANGE_WRITE | wait;
        // SAFETY: it touches no memory of ours.
        #[expect(unsafe_code, reason = "a system call that has no wrapper")]
        let done = unsafe { libc::sync_file_range(self.plain.as_raw_fd(), pos, len, flags) };
        if done == 0 { Ok(()) } else { Err(Errno::last()) }
    }

    /// `posix_fadvise(2)` with `DONTNEED`: drops what is clean, and mapped by nobody.
    pub fn drop_cache(&self, range: Range<u64>) -> Result<(), Errno> {
        let (pos, len) = (offset(range.start)?, offset(range.end - range.start)?);
        posix_fadvise(&self.plain, pos, len, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
    }

    /// `copy_file_range(2)` of `source` of a file to `pos`: how many bytes.
    pub fn copy_from(&self, from: &File, source: Range<u64>, pos: u64) -> Result<u64, Errno> {
        let len = usize::try_from(source.end - source.start).map_err(|_| Errno::EINVAL)?;
        let (mut at, mut to) = (offset(source.start)?, offset(pos)?);
        let copied = copy_file_range(&from.plain, Some(&mut at), &self.plain, Some(&mut to), len)?;
        u64::try_from(copied).map_err(|_| Errno::EINVAL)
    }

    /// `FICLONERANGE` of `source` of a file to `pos`.
    pub fn share_from(&self, from: &File, source: Range<u64>, pos: u64) -> Result<(), Errno> {
        clone_range(&from.plain, source, &self.plain, pos)
    }

    /// The size of the file.
    pub fn size(&self) -> Result<u64, Errno> {
        look::size_and_space(&self.plain).map(|(size, _)| size)
    }

    /// The descriptor with `O_DIRECT`.
    pub fn direct(&self) -> Option<BorrowedFd<'_>> {
        self.direct.as_ref().map(AsFd::as_fd)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.plain.as_fd()
    }
}

impl Bytes<'_> {
    fn pieces(&self) -> Vec<(*const c_void, usize)> {
        match self {
            Bytes::Whole(bytes, cuts) => cut(bytes.len(), cuts)
                .map(|(at, len)| (bytes[at..at + len].as_ptr().cast(), len))
                .collect(),
            Bytes::Holed(armed, cuts) => armed.pieces(cuts),
            Bytes::Stopping(stops) => stops.pieces(),
        }
    }
}
