//! Memory as the kernel sees it: mapped pages by their addresses, given to system calls and never to Rust
//! as a reference while others change or remove them.

use crate::addresses::{addresses, apart};
use nix::errno::Errno;
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{
    MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, munmap,
};
use nix::unistd::ftruncate;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;

/// Whole pages of this process that only the kernel comes to: Rust has no reference into them, and neither
/// reads nor writes them, but for the types below that own some. They are unmapped when it is dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    start: NonNull<c_void>,
    len: usize,
}

/// Pages that are all there, and that nobody else comes to: their bytes are like those of a vector.
#[derive(Debug)]
pub(crate) struct Memory(Pages);

/// The same, but for one place.
#[derive(Debug)]
pub(crate) struct Holed {
    pages: Pages,
    hole: Range<usize>,
    is_mapped: bool,
}

/// Carries bytes between Rust and pages that Rust must not touch: by a file in memory, to and from which
/// the kernel copies.
#[derive(Debug)]
pub(crate) struct Between {
    /// Nobody else has a descriptor of it.
    file: OwnedFd,
    memory: Memory,
}

/// Numbers that are zero at first, and that this process and those that it forks all see.
#[derive(Debug)]
pub(crate) struct Numbers(Pages);

/// How pages are missing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Missing<'a> {
    /// They are mapped, and nobody may use them.
    Protected,
    /// Nothing is mapped there.
    Unmapped,
    /// They are those of this file instead, as far as it has any.
    Of(&'a OwnedFd),
}

// SAFETY: it is an address and a length. Whoever uses them goes through the kernel, which any thread may.
#[expect(unsafe_code, reason = "an address may be used by any thread")]
unsafe impl Send for Pages {}
// SAFETY: with a shared reference nobody does anything but ask the kernel, which orders what threads ask.
#[expect(unsafe_code, reason = "an address may be used by any thread")]
unsafe impl Sync for Pages {}

impl Pages {
    /// A shared mapping of the first `len` bytes of `file`, whether it has them or not. A child of this
    /// process does not get it.
    pub(crate) fn shared(file: impl AsFd, len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap(None, len, READ_WRITE, MapFlags::MAP_SHARED, file, 0) }?;
        let pages = Pages { start, len: len.get() };
        pages.advise(0..pages.len, MmapAdvise::MADV_DONTFORK)?;
        Ok(pages)
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

    /// Takes the pages of `range` away.
    pub(crate) fn lose(&self, range: Range<usize>, how: Missing<'_>) -> Result<(), Errno> {
        match how {
            Missing::Protected => self.protect(range, ProtFlags::PROT_NONE),
            Missing::Unmapped => self.remove(range),
            Missing::Of(file) => self.map_over(range, Some(file)),
        }
    }

    /// Gives advice about the pages of `range`.
    pub(crate) fn advise(&self, range: Range<usize>, advice: MmapAdvise) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: whatever the advice does to pages that are ours, Rust has no reference into them.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            madvise(start, len, advice)
        }
    }

    /// `pread(2)` of `len` bytes to `at`; `EFAULT` where the kernel finds no place for them.
    pub(crate) fn fill(
        &self,
        (at, len): (usize, usize),
        file: impl AsFd,
        pos: u64,
    ) -> Result<usize, Errno> {
        assert!(at + len <= self.len, "{len} bytes at {at} lie in {} of memory", self.len);
        let (file, pos) = (file.as_fd().as_raw_fd(), offset(pos)?);
        // SAFETY: all of the range is ours, and Rust has no reference into it.
        #[expect(unsafe_code, reason = "a system call on memory that may be missing")]
        let found = unsafe { libc::pread(file, self.address(at), len, pos) };
        usize::try_from(found).map_err(|_| Errno::last())
    }

    /// Memory that is as good as new, somewhere.
    fn anonymous(len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(None, len, READ_WRITE, MapFlags::MAP_PRIVATE) }?;
        Ok(Pages { start, len: len.get() })
    }

    /// The same, where nobody else gets memory.
    fn apart(len: usize) -> Result<Pages, Errno> {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let (begin, len) = (apart(addresses()), whole(len).get());
        for _ in 0..ATTEMPTS {
            let place = begin + TAKEN.fetch_add(len + PAGE, Ordering::Relaxed);
            match Pages::at(place, len) {
                Err(Errno::EEXIST | Errno::EADDRNOTAVAIL) => {}
                made => return made,
            }
        }
        Err(Errno::ENOMEM)
    }

    /// The same at `place`: EEXIST where something is mapped already.
    pub(crate) fn at(place: usize, len: usize) -> Result<Pages, Errno> {
        let len = whole(len);
        let place = NonZeroUsize::new(place);
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED_NOREPLACE;
        // SAFETY: nothing is replaced: where something is mapped already, this fails.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(place, len, READ_WRITE, flags) }?;
        let pages = Pages { start, len: len.get() };
        // Kernels before 4.17 take it for a wish.
        if place == Some(start.addr()) { Ok(pages) } else { Err(Errno::EADDRNOTAVAIL) }
    }

    fn protect(&self, range: Range<usize>, rights: ProtFlags) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: the pages are ours, and Rust has no reference into them.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            mprotect(start, len, rights)
        }
    }

    fn remove(&self, range: Range<usize>) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        // SAFETY: the pages are ours, and Rust has no reference into them. They lie apart, so that nobody
        // else gets their place as long as we count it as ours.
        #[expect(unsafe_code, reason = "a system call")]
        unsafe {
            munmap(start, len)
        }
    }

    /// Puts fresh pages at `range`; those of `file`, if one is given.
    fn map_over(&self, range: Range<usize>, file: Option<&OwnedFd>) -> Result<(), Errno> {
        let (start, len) = self.pages(range);
        let anonymous = if file.is_some() { 0 } else { libc::MAP_ANONYMOUS };
        let kind = if file.is_some() { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
        let fd = file.map_or(-1, AsRawFd::as_raw_fd);
        // SAFETY: the place is ours, and Rust has no reference into it.
        #[expect(unsafe_code, reason = "a system call")]
        let put = unsafe {
            let flags = kind | anonymous | libc::MAP_FIXED;
            libc::mmap(start.as_ptr(), len, READ_WRITE.bits(), flags, fd, 0)
        };
        if put == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
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
        // SAFETY: all of it is ours, and Rust has no reference into it. Where a part of it is gone, it
        // lies apart, and nobody else got that.
        #[expect(unsafe_code, reason = "a system call")]
        let unmapped = unsafe { munmap(self.start, self.len) };
        unmapped.expect("pages that were mapped can be unmapped");
    }
}

impl Memory {
    /// At least `len` bytes. A child of this process does not get them: what the kernel reads past the page
    /// cache while another thread forks would go to the child's copy.
    pub(crate) fn anonymous(len: usize) -> Result<Memory, Errno> {
        let pages = Pages::anonymous(len)?;
        pages.advise(0..pages.len, MmapAdvise::MADV_DONTFORK)?;
        Ok(Memory(pages))
    }

    /// The same, at a place where nobody else gets memory: of these pages some may be removed for a
    /// while, and the kernel would give the gap to the next one who asks, an allocator for instance.
    /// It looks for room from the top downwards, and these lie far below.
    pub(crate) fn apart(len: usize) -> Result<Memory, Errno> {
        Pages::apart(len).map(Memory)
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.0.len
    }

    /// The address of the byte at `at`.
    pub(crate) fn address(&self, at: usize) -> *const c_void {
        self.0.address(at).cast_const()
    }

    /// Puts `bytes` at `at`.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.len(), "the bytes fit");
        // SAFETY: the pages are there, as this is no `Holed`, and nobody else comes to them while they are
        // borrowed as mutable; `bytes` lies elsewhere.
        #[expect(unsafe_code, reason = "the pages are known by address only")]
        unsafe {
            let to = self.0.address(at).cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// Takes the bytes at `at`.
    pub(crate) fn take(&self, at: usize, bytes: &mut [u8]) {
        assert!(at + bytes.len() <= self.len(), "the bytes are there");
        // SAFETY: the pages are there, as this is no `Holed`, and nobody writes to them while they are
        // borrowed; `bytes` lies elsewhere.
        #[expect(unsafe_code, reason = "the pages are known by address only")]
        unsafe {
            let from = self.0.address(at).cast::<u8>();
            std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len());
        }
    }

    /// `pread(2)` of `len` bytes to its beginning.
    pub(crate) fn fill(&mut self, len: usize, file: impl AsFd, pos: u64) -> Result<usize, Errno> {
        self.0.fill((0, len), file, pos)
    }

    /// From now on only the kernel comes to it.
    pub(crate) fn into_pages(self) -> Pages {
        self.0
    }

    /// Takes the pages of `hole` away. It has to lie apart.
    pub(crate) fn pierced(self, hole: Range<usize>, how: Missing<'_>) -> Result<Holed, Errno> {
        let is_mapped = matches!(how, Missing::Protected);
        let holed = self.pierced_by(hole.clone(), |pages| pages.lose(hole, how))?;
        Ok(Holed { is_mapped, ..holed })
    }

    /// The same, where somebody else knows how to.
    pub(crate) fn pierced_by(
        self,
        hole: Range<usize>,
        lose: impl FnOnce(&Pages) -> Result<(), Errno>,
    ) -> Result<Holed, Errno> {
        lose(&self.0)?;
        Ok(Holed { pages: self.0, hole, is_mapped: false })
    }
}

impl Holed {
    /// The address of the byte at `at`.
    pub(crate) fn address(&self, at: usize) -> *const c_void {
        self.pages.address(at).cast_const()
    }

    /// Puts back what is missing.
    pub(crate) fn mended(self) -> Result<Memory, Errno> {
        let Holed { pages, hole, is_mapped } = self;
        if is_mapped { pages.protect(hole, READ_WRITE) } else { pages.map_over(hole, None) }?;
        Ok(Memory(pages))
    }
}

impl Numbers {
    /// As many as fit in a page.
    pub(crate) fn zero() -> Result<Numbers, Errno> {
        let len = whole(PAGE);
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mmap_anonymous(None, len, READ_WRITE, MapFlags::MAP_SHARED) }?;
        Ok(Numbers(Pages { start, len: len.get() }))
    }

    /// One of them.
    pub(crate) fn number(&self, nth: usize) -> &AtomicU64 {
        let at = nth * size_of::<AtomicU64>();
        assert!(at < self.0.len, "the number fits");
        // SAFETY: the page is there as long as this, begins at a multiple of the size of a number, and is
        // used by all as numbers that are atomic.
        #[expect(unsafe_code, reason = "memory that another process writes, too")]
        unsafe {
            &*self.0.address(at).cast::<AtomicU64>()
        }
    }

    /// The first half of one of them, for those that somebody waits for: who uses it as a word does not
    /// use it as a number.
    pub(crate) fn word(&self, nth: usize) -> &AtomicU32 {
        let word = std::ptr::from_ref(self.number(nth)).cast::<AtomicU32>();
        // SAFETY: it lies in the number, is aligned better than it has to be, and is atomic, too.
        #[expect(unsafe_code, reason = "memory that another process writes, too")]
        unsafe {
            &*word
        }
    }
}

impl Between {
    /// Carries at most `len` bytes at once.
    pub(crate) fn new(len: usize) -> Result<Between, Errno> {
        let file = memfd_create(c"pagestorm", MFdFlags::MFD_CLOEXEC)?;
        let len = whole(len).get();
        ftruncate(&file, i64::try_from(len).map_err(|_| Errno::EINVAL)?)?;
        Ok(Between { memory: Memory(Pages::shared(&file, len)?), file })
    }

    /// How many bytes it carries at once.
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// To and from which the kernel copies.
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Puts `bytes` where they can be taken from.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.memory.put(0, bytes);
    }

    /// Takes the bytes that came.
    pub(crate) fn take(&self, bytes: &mut [u8]) {
        self.memory.take(0, bytes);
    }
}

const READ_WRITE: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

/// Something of somebody else's may lie where ours are to be, this often.
const ATTEMPTS: u32 = 64;

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
    // SAFETY: the list is as long as it says. What lies behind it the kernel only reads, whoever's it is,
    // and answers EFAULT where it cannot.
    #[expect(unsafe_code, reason = "a system call on memory that may be missing")]
    let written = unsafe {
        match pos {
            Some(pos) => libc::pwritev(file, iovecs.as_ptr(), count, offset(pos)?),
            None => libc::writev(file, iovecs.as_ptr(), count),
        }
    };
    u64::try_from(written).map_err(|_| Errno::last())
}

/// A position as system calls take it.
pub(crate) fn offset(pos: u64) -> Result<i64, Errno> {
    i64::try_from(pos).map_err(|_| Errno::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What the kernel says of the mapping that begins there.
    fn flags(address: *const c_void) -> String {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let begin = format!("{:x}-", address.addr());
        let own = maps.lines().skip_while(|line| !line.starts_with(&begin));
        let found = own.skip(1).find_map(|line| line.strip_prefix("VmFlags:"));
        found.expect("it is mapped").to_owned()
    }

    #[test]
    fn children_get_no_mapping_of_files_and_no_memory_for_direct_reads() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8192).unwrap();
        let (shared, own) = (Pages::shared(&file, 5000).unwrap(), Memory::anonymous(1).unwrap());
        for address in [shared.address(0).cast_const(), own.address(0)] {
            let flags = flags(address);
            assert!(flags.split_whitespace().any(|flag| flag == "dc"), "{flags}");
        }
    }

    #[test]
    fn memory_apart_lies_where_it_was_wished() {
        for len in [1, 3 * PAGE, 1 << 20] {
            let memory = Memory::apart(len).unwrap();
            let at = memory.address(0).addr();
            let apart = apart(addresses());
            assert!((apart..2 * apart).contains(&at), "{at:#x}");
        }
    }

    #[test]
    fn a_hole_is_a_hole_until_it_is_mended() {
        let (from, empty) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        nix::sys::uio::pwrite(&from, &[9; 3 * PAGE], 0).unwrap();
        let empty = OwnedFd::from(empty);
        for how in [Missing::Protected, Missing::Unmapped, Missing::Of(&empty)] {
            let mut memory = Memory::apart(3 * PAGE).unwrap();
            memory.put(0, &[7; 3 * PAGE]);
            let holed = memory.pierced(PAGE..2 * PAGE, how).unwrap();
            assert_eq!(holed.pages.fill((PAGE, 5), &from, 0), Err(Errno::EFAULT), "{how:?}");
            let to_the_hole = holed.pages.fill((PAGE - 5, 10), &from, 0);
            assert_eq!(to_the_hole, Ok(5), "{how:?}");
            let mut memory = holed.mended().unwrap();
            assert_eq!(memory.fill(3 * PAGE, &from, 0), Ok(3 * PAGE), "{how:?}");
            let mut seen = [0; 3 * PAGE];
            memory.take(0, &mut seen);
            assert_eq!(seen, [9; 3 * PAGE], "{how:?}");
        }
    }
}
