//! The calls that are tried inside a window: as an operation of the model, and as a system call.

use mounted::direct::Aligned;
use mounted::file::Bytes;
use mounted::{File, Mapping, Mm, look};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, PosixFadviseAdvice, posix_fadvise};
use nix::sys::stat::fstat;
use std::ops::Range;

/// Bytes of the file.
pub const SIZE: u64 = 64 << 10;

/// The page that the window is about.
pub const SAME: Range<u64> = 32 << 10..36 << 10;

/// A page that it is not about.
pub const OTHER: Range<u64> = 48 << 10..52 << 10;

/// One call.
pub struct Tried {
    /// What a table calls it.
    pub name: &'static str,
    /// As an operation of a scenario; or why the model has none of that kind.
    pub model: Result<&'static str, &'static str>,
    /// As a system call.
    pub kernel: fn(&Opened) -> Result<(), Errno>,
}

/// What one task has of the file.
pub struct Opened {
    pub(super) file: File,
    pub(super) mapping: Mapping,
}

impl Opened {
    pub(super) fn new(of: impl std::os::fd::AsFd) -> Result<Opened, Errno> {
        let file = File::open(of)?;
        let mapping =
            Mapping::new(&Mm::ours(), &file, usize::try_from(2 * SIZE).expect("small"), 4096)?;
        Ok(Opened { file, mapping })
    }

    fn load(&self, page: Range<u64>) -> Result<(), Errno> {
        self.mapping.load(at(page.start), &mut [0; 8]).map(drop)
    }

    fn store(&self, page: Range<u64>) -> Result<(), Errno> {
        self.mapping.store(at(page.start), &[5; 8]).map(drop)
    }

    fn read(&self, page: Range<u64>) -> Result<(), Errno> {
        self.file.read(page.start, &mut [0; 512], &[]).map(drop)
    }

    fn write(&self, page: Range<u64>) -> Result<(), Errno> {
        self.file.write(page.start, Bytes::Whole(&[6; 512], &[])).map(drop)
    }

    fn punch(&self, page: Range<u64>) -> Result<(), Errno> {
        let keep = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        self.file.allocate(keep | FallocateFlags::FALLOC_FL_PUNCH_HOLE, page)
    }

    fn read_direct(&self, page: Range<u64>) -> Result<(), Errno> {
        let file = self.file.direct().ok_or(Errno::EOPNOTSUPP)?;
        Aligned::new(4096)?.read(file, page.start, &mut [0; 4096]).map(drop)
    }

    pub(super) fn advise(&self, page: Range<u64>, advice: PosixFadviseAdvice) -> Result<(), Errno> {
        let signed = |number: u64| i64::try_from(number).expect("small");
        posix_fadvise(&self.file, signed(page.start), signed(page.end - page.start), advice)
    }
}

fn at(pos: u64) -> usize {
    usize::try_from(pos).expect("small")
}

const fn tried(
    name: &'static str,
    model: Result<&'static str, &'static str>,
    kernel: fn(&Opened) -> Result<(), Errno>,
) -> Tried {
    Tried { name, model, kernel }
}

// Why the model has no such call.
const SAME_AS_FSYNC: &str = "it waits for what `fsync` waits for, and the model has that";
const SAME_AS_EVICT: &str = "it reclaims as `evict` does, and the model has that";
const NO_READAHEAD: &str = "the model reads a folio when somebody wants it";
const NO_DIRECT: &str = "the model has no I/O around the page cache";
const NO_QUESTIONS: &str = "the model is looked at from outside, without a call";

/// Every call, in the order of the table.
pub static CALLS: &[Tried] = &[
    tried("mmap load, same page", Ok("mmap_load: {at: 32KiB, size: 8}"), |hands| hands.load(SAME)),
    tried("mmap load, other page", Ok("mmap_load: {at: 48KiB, size: 8}"), |hands| {
        hands.load(OTHER)
    }),
    tried("mmap store, same page", Ok("mmap_store: {at: 32KiB, size: 8}"), |hands| {
        hands.store(SAME)
    }),
    tried("mmap store, other page", Ok("mmap_store: {at: 48KiB, size: 8}"), |hands| {
        hands.store(OTHER)
    }),
    tried("pread, same page", Ok("read: {at: 32KiB, size: 512}"), |hands| hands.read(SAME)),
    tried("pread, other page", Ok("read: {at: 48KiB, size: 512}"), |hands| hands.read(OTHER)),
    tried("pwrite, same page", Ok("write: {at: 32KiB, size: 512}"), |hands| hands.write(SAME)),
    tried("pwrite, other page", Ok("write: {at: 48KiB, size: 512}"), |hands| hands.write(OTHER)),
    tried("append", Ok("append: {size: 512}"), |hands| {
        hands.file.append(Bytes::Whole(&[7; 512], &[])).map(drop)
    }),
    tried("ftruncate below", Ok("truncate: {to: 16KiB}"), |hands| hands.file.truncate(16 << 10)),
    tried("ftruncate above", Ok("truncate: {to: 128KiB}"), |hands| hands.file.truncate(2 * SIZE)),
    tried("punch, same page", Ok("punch: {at: 32KiB, size: 4KiB}"), |hands| hands.punch(SAME)),
    tried("punch, other page", Ok("punch: {at: 48KiB, size: 4KiB}"), |hands| hands.punch(OTHER)),
    tried("zero range, other page", Ok("zero_range: {at: 48KiB, size: 4KiB}"), |hands| {
        hands.file.allocate(FallocateFlags::FALLOC_FL_ZERO_RANGE, OTHER)
    }),
    tried(
        "fallocate behind EOF",
        Ok("fallocate: {at: 64KiB, size: 4KiB, keep_size: true}"),
        |hands| hands.file.allocate(FallocateFlags::FALLOC_FL_KEEP_SIZE, SIZE..SIZE + 4096),
    ),
    tried("fsync", Ok("fsync"), |hands| hands.file.sync()),
    tried("fdatasync", Err(SAME_AS_FSYNC), |hands| hands.file.sync_data()),
    tried("msync, same page", Err(SAME_AS_FSYNC), |hands| {
        hands.mapping.sync(at(SAME.start)..at(SAME.end))
    }),
    tried("msync, other page", Err(SAME_AS_FSYNC), |hands| {
        hands.mapping.sync(at(OTHER.start)..at(OTHER.end))
    }),
    tried("sync_file_range start, same page", Ok("writeback: {at: 32KiB, size: 4KiB}"), |hands| {
        hands.file.write_back(SAME, false)
    }),
    tried("sync_file_range start, other page", Ok("writeback: {at: 48KiB, size: 4KiB}"), |hands| {
        hands.file.write_back(OTHER, false)
    }),
    tried("fadvise DONTNEED, same page", Ok("evict: {at: 32KiB, size: 4KiB}"), |hands| {
        hands.file.drop_cache(SAME)
    }),
    tried("fadvise DONTNEED, other page", Ok("evict: {at: 48KiB, size: 4KiB}"), |hands| {
        hands.file.drop_cache(OTHER)
    }),
    tried("fadvise WILLNEED, other page", Err(NO_READAHEAD), |hands| {
        hands.advise(OTHER, PosixFadviseAdvice::POSIX_FADV_WILLNEED)
    }),
    tried("MADV_PAGEOUT, other page", Err(SAME_AS_EVICT), |hands| {
        hands.mapping.page_out(at(OTHER.start)..at(OTHER.end))
    }),
    tried("SEEK_DATA", Err(NO_QUESTIONS), |hands| look::next_data(&hands.file, 0).map(drop)),
    tried("FIEMAP", Err(NO_QUESTIONS), |hands| look::extents(&hands.file, 0..SIZE).map(drop)),
    tried("O_DIRECT pread, other page", Err(NO_DIRECT), |hands| hands.read_direct(OTHER)),
    tried("fstat", Err(NO_QUESTIONS), |hands| fstat(&hands.file).map(drop)),
    tried("cachestat", Err(NO_QUESTIONS), |hands| look::cached(&hands.file, 0..SIZE).map(drop)),
    tried("close", Ok("release"), |hands| File::open(&hands.file).map(drop)),
];
