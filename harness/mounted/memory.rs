//! Memory as the kernel sees it: mapped pages by their addresses, given to system calls and never to Rust
//! as a reference, since others change and remove them meanwhile.

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{
    MapFlags, MmapAdvise, MsFlags, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, msync,
    munmap,
};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;

/// Where pages lie whose gaps nobody fills: 16 TiB, of the 128 TiB that a process has at least.
const APART: usize = 1 << 44;

/// Whole pages of this process, which are unmapped when it is dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    start: NonNull<c_void>,
    len: usize,
}

// SAFETY: it is an address and a length. Whoever uses them goes through the kernel, which any thread may.
#[expect(unsafe_code, reason = "an address may be used by any thread")]
unsafe impl Send for Pages {}
// SAFETY: the same.
#[expect(unsafe_code, reason = "an address may be used by any thread")]
unsafe impl Sync for Pages {}

impl Pages {
    /// Fresh memory of at least `len` bytes.
    pub(crate) fn anonymous(len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(None, len, READ_WRITE, MapFlags::MAP_PRIVATE) }?;
        Ok(Pages { start, len: len.get() })
    }

    /// The same, which a fork does not copy: both see what either writes.
    pub(crate) fn common(len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(None, len, READ_WRITE, MapFlags::MAP_SHARED) }?;
        Ok(Pages { start, len: len.get() })
    }

    /// Fresh memory at a place where nobody else gets any: of these pages some may be removed for a
    /// while, and the kernel would give the gap to the next one who asks, an allocator for instance.
    /// It looks for room from the top downwards, and these lie far below.
    pub(crate) fn apart(len: usize) -> Result<Pages, Errno> {
        static NEXT: AtomicUsize = AtomicUsize::new(APART);
        let len = whole(len);
        let place = NonZeroUsize::new(NEXT.fetch_add(len.get() + PAGE, Ordering::Relaxed));
        // SAFETY: nothing is replaced, as the place is a wish: if something is mapped there, the
        // kernel chooses another.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(place, len, READ_WRITE, MapFlags::MAP_PRIVATE) }?;
        Ok(Pages { start, len: len.get() })
    }

    /// A shared mapping of the first `len` bytes of `file`, whether it has them or not.
    pub(crate) fn shared(file: impl AsFd, len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        // SAFETY: the same.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap(None, len, READ_WRITE, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Pages { start, len: len.get() })
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The address of the byte at `at`.
    pub(crate) fn address(&self, at: usize) -> *mut c_void {
        assert!(at <= self.len, "{at} lies in {} bytes of memory", self.len);
        self.start.as_ptr().wrapping_byte_add(at)
    }

    /// Takes away, or gives back, the right to use the pages of `range`.
    pub(crate) fn protect(&self, range: Range<usize>, usable: bool) -> Result<(), Errno> {
        let rights = if usable { READ_WRITE } else { ProtFlags::PROT_NONE };
        let (start, len) = self.pages(range);
        // SAFETY: the pages are ours, and nobody holds a reference into them.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            mprotect(start, len, rights)
        }
    }

    /// Removes the pages of `range`: whoever comes there finds nothing.
    pub(crate) fn remove(&self, range: Range<usize>) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: as above; the caller puts pages back before it lets go of the others.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            munmap(start, len)
        }
    }

    /// Puts fresh pages at `range`; those of the file behind `file`, if one is given.
    pub(crate) fn replace(
        &self,
        range: Range<usize>,
        file: Option<&dyn AsRawFd>,
    ) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        let anonymous = if file.is_some() { 0 } else { libc::MAP_ANONYMOUS };
        let kind = if file.is_some() { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
        let fd = file.map_or(-1, AsRawFd::as_raw_fd);
        // SAFETY: what lies there is ours, and nobody holds a reference into it.
        #[expect(unsafe_code, reason = "a system call")]
        let put = unsafe {
            let flags = kind | anonymous | libc::MAP_FIXED;
            libc::mmap(start.as_ptr(), len, READ_WRITE.bits(), flags, fd, 0)
        };
        if put == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
    }

    /// Gives advice about the pages of `range`.
    pub(crate) fn advise(&self, range: Range<usize>, advice: MmapAdvise) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: no advice that is given here changes what a shared mapping holds.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            madvise(start, len, advice)
        }
    }

    /// Writes the pages of `range` back, and waits.
    pub(crate) fn sync(&self, range: Range<usize>) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: it changes nothing that is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            msync(start, len, MsFlags::MS_SYNC)
        }
    }

    /// Puts `bytes` at `at`, of memory that nothing happens to.
    pub(crate) fn put(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.len, "the bytes fit");
        // SAFETY: the pages are there and ours, and `bytes` lies elsewhere.
        #[expect(unsafe_code, reason = "the pages are known by address only")]
        unsafe {
            let to = self.address(at).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// Takes the bytes at `at`, of memory that nothing happens to.
    pub(crate) fn take(&self, at: usize, bytes: &mut [u8]) {
        assert!(at + bytes.len() <= self.len, "the bytes are there");
        // SAFETY: the same.
        #[expect(unsafe_code, reason = "the pages are known by address only")]
        unsafe {
            let from = self.address(at).cast::<u8>();
            std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len());
        }
    }

    fn pages(&self, range: Range<usize>) -> (NonNull<c_void>, usize) {
        let start = range.start - range.start % PAGE;
        let end = range.end.next_multiple_of(PAGE).min(self.len);
        let address = NonNull::new(self.address(start)).expect("no mapping begins at zero");
        (address, end - start)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: all of it is ours, and nobody can have an address in it any more.
        #[expect(unsafe_code, reason = "a system call")]
        let unmapped = unsafe { munmap(self.start, self.len) };
        unmapped.expect("pages that were mapped can be unmapped");
    }
}

const READ_WRITE: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

fn whole(len: usize) -> NonZeroUsize {
    NonZeroUsize::new(len.max(1).next_multiple_of(PAGE)).expect("at least a page")
}

/// `pwritev(2)` at `pos`, or `writev(2)` where the descriptor's own position decides, from pieces of
/// memory by address.
pub(crate) fn write_from(
    file: impl AsFd,
    pieces: &[(*const c_void, usize)],
    pos: Option<u64>,
) -> Result<u64, Errno> {
    let iovecs: Vec<libc::iovec> = pieces
        .iter()
        .map(|(address, len)| libc::iovec { iov_base: address.cast_mut(), iov_len: *len })
        .collect();
    let count = libc::c_int::try_from(iovecs.len()).map_err(|_| Errno::EINVAL)?;
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the kernel reads the list, and answers EFAULT for what it cannot read behind it.
    #[expect(unsafe_code, reason = "a system call on memory that may be missing")]
    let written = unsafe {
        match pos {
            Some(pos) => libc::pwritev(file, iovecs.as_ptr(), count, offset(pos)?),
            None => libc::writev(file, iovecs.as_ptr(), count),
        }
    };
    counted(written)
}

/// `pread(2)` into memory by address.
pub(crate) fn read_into(
    file: impl AsFd,
    (address, len): (*mut c_void, usize),
    pos: u64,
) -> Result<u64, Errno> {
    // SAFETY: the address is of a mapping of ours that Rust has no reference to; the kernel answers
    // EFAULT where it cannot write.
    #[expect(unsafe_code, reason = "a system call on memory that may be missing")]
    counted(unsafe { libc::pread(file.as_fd().as_raw_fd(), address, len, offset(pos)?) })
}

/// A position as system calls take it.
pub(crate) fn offset(pos: u64) -> Result<i64, Errno> {
    i64::try_from(pos).map_err(|_| Errno::EINVAL)
}

fn counted(result: isize) -> Result<u64, Errno> {
    u64::try_from(result).map_err(|_| Errno::last())
}
