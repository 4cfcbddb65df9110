//! A shared mapping of a file, and loads and stores through it that cannot kill us.
//!
//! A load or store is made by the kernel on our behalf: it copies between the mapping and a file in
//! memory. It takes the same page faults as an instruction of ours would, and where that would be
//! `SIGBUS`, it stops and says how far it came.
//!
//! A load of a tmpfs's bytes from memory of a companion needs no word to that: the kernel copies from the pages
//! as the page table there has them (`process_vm_readv(2)`). Elsewhere such a look would see what no load can: it
//! pins its pages, and whoever punches a large folio on XFS zeroes whole pages of it before he drops them, once they
//! are mapped nowhere (`truncate_inode_partial_folio`). A tmpfs zeroes there what it was asked to.

use crate::companion::Call;
use crate::memory::{Between, PAGE, offset};
use crate::mm::Mm;
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, MsFlags, ProtFlags};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use sim::{Mutex, Rank, sync};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Mapping {
    mm: Arc<Mm>,
    /// Where it begins there.
    start: usize,
    len: usize,
    /// Carries the bytes of one load or store at a time.
    between: Mutex<Between>,
    /// How many bytes that are at most.
    most: usize,
    /// Whether pages that are pinned hold nothing but what a load could see.
    exact: bool,
}

static BETWEEN: Rank = Rank::new(12, "bytes on their way to or from a mapping");

impl Mapping {
    /// Maps the first `len` bytes of `file` in `mm`, whether it has them or not; at most `most` bytes can be
    /// loaded or stored at once.
    pub fn new(mm: &Arc<Mm>, file: impl AsFd, len: usize, most: usize) -> Result<Mapping, Errno> {
        let between = Between::new(most)?;
        let most = between.len();
        let between = sync::mutex(&BETWEEN, 0, between);
        let len = len.max(1).next_multiple_of(PAGE);
        let exact = fstatfs(&file).is_ok_and(|told| told.filesystem_type() == TMPFS_MAGIC);
        let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let arguments = [
            0,
            word(len),
            flag(rights.bits()),
            flag(MapFlags::MAP_SHARED.bits()),
            descriptor(file),
            0,
        ];
        // SAFETY: the kernel chooses a place where nothing is mapped.
        #[expect(unsafe_code, reason = "a system call")]
        let start = unsafe { mm.call(Call { number: libc::SYS_mmap, arguments }) }?;
        let mapping = Mapping { mm: Arc::clone(mm), start, len, between, most, exact };
        // In a child of ours it would keep the file open, and its filesystem mounted.
        if mm.is_ours() {
            mapping.advise(0..len, libc::MADV_DONTFORK)?;
        }
        Ok(mapping)
    }

    /// Loads the bytes at `at`: how many came before there was none. `EFAULT`: not one.
    pub fn load(&self, at: usize, bytes: &mut [u8]) -> Result<usize, Errno> {
        let len = self.within(at, bytes.len())?;
        let bytes = &mut bytes[..len];
        let seen = if self.exact { self.mm.peek(self.start + at, bytes) } else { None };
        seen.map_or_else(|| self.carried(at, bytes), Ok)
    }

    /// The same, by a file in memory.
    fn carried(&self, at: usize, bytes: &mut [u8]) -> Result<usize, Errno> {
        let between = self.between.lock();
        let arguments = [descriptor(between.file()), self.address(at), word(bytes.len()), 0];
        let came = self.call(libc::SYS_pwrite64, arguments)?;
        between.take(&mut bytes[..came]);
        Ok(came)
    }

    /// Stores `bytes` at `at`: how many went before there was no place. `EFAULT`: not one.
    pub fn store(&self, at: usize, bytes: &[u8]) -> Result<usize, Errno> {
        let len = self.within(at, bytes.len())?;
        let mut between = self.between.lock();
        between.put(&bytes[..len]);
        let from = descriptor(between.file());
        self.call(libc::SYS_pread64, [from, self.address(at), word(len), 0])
    }

    /// Writes the bytes of the mapping at `source` to `file` at `pos`.
    pub fn write_to(&self, file: impl AsFd, pos: u64, source: Range<usize>) -> Result<u64, Errno> {
        let len = self.within(source.start, source.len())?;
        offset(pos)?;
        let arguments = [descriptor(file), self.address(source.start), word(len), pos];
        self.call(libc::SYS_pwrite64, arguments).map(word)
    }

    /// Takes the pages of `range` out of the page table; the next access faults again.
    pub fn unmap(&self, range: Range<usize>) -> Result<(), Errno> {
        self.advise(range, libc::MADV_DONTNEED)
    }

    /// Asks the kernel to write the pages of `range` back and to reclaim them.
    pub fn page_out(&self, range: Range<usize>) -> Result<(), Errno> {
        self.advise(range, libc::MADV_PAGEOUT)
    }

    /// `msync(2)` of the pages of `range` that are mapped.
    pub fn sync(&self, range: Range<usize>) -> Result<(), Errno> {
        self.pages(libc::SYS_msync, range, MsFlags::MS_SYNC.bits())
    }

    fn advise(&self, range: Range<usize>, advice: i32) -> Result<(), Errno> {
        self.pages(libc::SYS_madvise, range, advice)
    }

    /// A call for the whole pages of `range` that are mapped, if there are any.
    fn pages(&self, number: i64, range: Range<usize>, how: i32) -> Result<(), Errno> {
        let start = range.start - range.start % PAGE;
        let end = range.end.min(self.len).next_multiple_of(PAGE);
        if end <= start {
            return Ok(());
        }
        self.call(number, [self.address(start), word(end - start), flag(how), 0]).map(drop)
    }

    /// A call on memory of this mapping.
    fn call(&self, number: i64, [first, second, third, fourth]: [u64; 4]) -> Result<usize, Errno> {
        let call = Call { number, arguments: [first, second, third, fourth, 0, 0] };
        // SAFETY: the memory is that of this mapping, which Rust has no reference into.
        #[expect(unsafe_code, reason = "a system call on memory that may be missing")]
        unsafe {
            self.mm.call(call)
        }
    }

    fn address(&self, at: usize) -> u64 {
        word(self.start + at)
    }

    /// How many of `len` bytes at `at` are mapped, and can be moved at once.
    fn within(&self, at: usize, len: usize) -> Result<usize, Errno> {
        let mapped = self.len.checked_sub(at).filter(|mapped| 0 < *mapped);
        Ok(len.min(self.most).min(mapped.ok_or(Errno::EFAULT)?))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        match self.call(libc::SYS_munmap, [self.address(0), word(self.len), 0, 0]) {
            // With a companion that was killed is gone what was mapped there.
            Ok(_) | Err(Errno::ESRCH) => {}
            Err(errno) => panic!("what was mapped can be unmapped: {errno}"),
        }
    }
}

fn descriptor(file: impl AsFd) -> u64 {
    flag(file.as_fd().as_raw_fd())
}

fn flag(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

fn word(number: usize) -> u64 {
    u64::try_from(number).expect("addresses are no longer than registers")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where mappings can be.
    fn mms() -> [Arc<Mm>; 2] {
        [Mm::ours(), Mm::another().unwrap()]
    }

    #[test]
    fn what_is_seen_of_a_tmpfs_without_a_word_is_what_a_load_sees() {
        let file = tempfile::tempfile_in("/dev/shm").unwrap();
        file.set_len(5000).unwrap();
        let mapping = Mapping::new(&Mm::another().unwrap(), &file, 1 << 20, 64 << 10).unwrap();
        if !mapping.exact || mapping.mm.peek(mapping.start, &mut [0]).is_none() {
            eprintln!("skipped: a look into another process: this kernel allows none, or no tmpfs");
            return;
        }
        let bytes: Vec<_> = (0..=255).cycle().take(9000).collect();
        assert_eq!(mapping.store(4000, &bytes), Ok(8192 - 4000));
        for (at, came) in [(0, Ok(8192)), (4095, Ok(4097)), (8192, Err(Errno::EFAULT))] {
            let (mut looked, mut carried) = (vec![1; 20_000], vec![1; 20_000]);
            assert_eq!(mapping.load(at, &mut looked), came, "{at}");
            assert_eq!(mapping.carried(at, &mut carried), came, "{at}");
            assert!(looked == carried, "{at}");
        }
    }

    #[test]
    fn a_child_gets_no_mapping_of_ours() {
        let file = tempfile::tempfile().unwrap();
        let mapping = Mapping::new(&Mm::ours(), &file, 5000, 1).unwrap();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let begin = format!("{:x}-", mapping.start);
        let own = maps.lines().skip_while(|line| !line.starts_with(&begin)).skip(1);
        let flags = own.map_while(|line| line.strip_prefix("VmFlags:").map_or(Some(""), Some));
        let flags = flags.take(30).find(|flags| !flags.is_empty()).unwrap();
        assert!(flags.split_whitespace().any(|flag| flag == "dc"), "{flags}");
    }

    #[test]
    fn nothing_is_done_to_pages_beyond_the_mapping() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(5000).unwrap();
        for mm in mms() {
            let mapping = Mapping::new(&mm, &file, 1 << 20, 4096).unwrap();
            let beyond = 2 << 40..(2 << 40) + 5;
            assert_eq!(mapping.sync(beyond.clone()), Ok(()));
            assert_eq!(mapping.unmap(beyond.clone()), Ok(()));
            assert_eq!(mapping.page_out(beyond.clone()), Ok(()));
            assert_eq!(mapping.load(beyond.start, &mut [0; 5]), Err(Errno::EFAULT));
        }
    }

    #[test]
    fn what_lies_beyond_the_end_stops_loads_and_stores_and_kills_nobody() {
        for mm in mms() {
            beyond_the_end(&mm);
        }
    }

    fn beyond_the_end(mm: &Arc<Mm>) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(5000).unwrap();
        let mapping = Mapping::new(mm, &file, 1 << 20, 64 << 10).unwrap();
        let bytes = vec![7; 20_000];
        // The page that holds the end is there to its end.
        assert_eq!(mapping.store(4000, &bytes), Ok(8192 - 4000));
        assert_eq!(mapping.store(8192, &bytes), Err(Errno::EFAULT));
        let mut seen = vec![0; 20_000];
        assert_eq!(mapping.load(100, &mut seen), Ok(8192 - 100));
        assert!(seen[..3900].iter().all(|byte| *byte == 0) && seen[3900..8092] == bytes[..4192]);
        assert_eq!(mapping.load(8192, &mut seen), Err(Errno::EFAULT));
        mapping.unmap(0..1 << 20).unwrap();
        file.set_len(0).unwrap();
        assert_eq!(mapping.store(0, &bytes), Err(Errno::EFAULT));
    }

    #[test]
    fn threads_that_share_a_mapping_get_each_its_own_bytes() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        for mm in mms() {
            in_turns(&Mapping::new(&mm, &file, 1 << 20, 64 << 10).unwrap());
        }
    }

    fn in_turns(mapping: &Mapping) {
        let act = |number: u8| {
            let (at, bytes) = (usize::from(number) << 16, vec![number; 60 << 10]);
            let mut seen = vec![0; bytes.len()];
            (0..200).all(|_| {
                let stored = mapping.store(at, &bytes) == Ok(bytes.len());
                stored && mapping.load(at, &mut seen) == Ok(bytes.len()) && seen == bytes
            })
        };
        std::thread::scope(|scope| {
            let all = [1, 2, 3, 4].map(|number| scope.spawn(move || act(number)));
            for (number, one) in (1..).zip(all) {
                assert!(one.join().unwrap(), "the bytes of thread {number}");
            }
        });
    }

    #[test]
    fn a_mapping_can_be_the_source_of_a_write() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8192).unwrap();
        for mm in mms() {
            let mapping = Mapping::new(&mm, &file, 1 << 20, 4096).unwrap();
            mapping.store(0, &[9; 100]).unwrap();
            mapping.sync(0..4096).unwrap();
            assert_eq!(mapping.write_to(&file, 5000, 0..100), Ok(100));
            let mut seen = [0; 100];
            assert_eq!((mapping.load(5000, &mut seen), seen), (Ok(100), [9; 100]));
            assert_eq!(mapping.write_to(&file, 0, 8192..8292), Err(Errno::EFAULT));
        }
    }
}
