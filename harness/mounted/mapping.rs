//! A shared mapping of a file, and loads and stores through it that cannot kill us.
//!
//! A load or store is made by the kernel on our behalf: it copies between the mapping and a file in
//! memory. It takes the same page faults as an instruction of ours would, and where that would be
//! `SIGBUS`, it stops and says how far it came.

use crate::memory::{Between, Pages, write_from};
use nix::errno::Errno;
use nix::sys::mman::MmapAdvise;
use sim::{Mutex, Rank, sync};
use std::ops::Range;
use std::os::fd::AsFd;

/// See the module.
#[derive(Debug)]
pub struct Mapping {
    pages: Pages,
    /// Carries the bytes of one load or store at a time.
    between: Mutex<Between>,
    /// How many bytes that are at most.
    most: usize,
}

static BETWEEN: Rank = Rank::new(12, "bytes on their way to or from a mapping");

impl Mapping {
    /// Maps the first `len` bytes of `file`, whether it has them or not; at most `most` bytes can be
    /// loaded or stored at once.
    pub fn new(file: impl AsFd, len: usize, most: usize) -> Result<Mapping, Errno> {
        let between = Between::new(most)?;
        let most = between.len();
        let between = sync::mutex(&BETWEEN, 0, between);
        Ok(Mapping { pages: Pages::shared(file, len)?, between, most })
    }

    /// Loads the bytes at `at`: how many came before there was none. `EFAULT`: not one.
    pub fn load(&self, at: usize, bytes: &mut [u8]) -> Result<usize, Errno> {
        let len = self.within(at, bytes.len())?;
        self.between.lock().bring(&self.pages, at, &mut bytes[..len])
    }

    /// Stores `bytes` at `at`: how many went before there was no place. `EFAULT`: not one.
    pub fn store(&self, at: usize, bytes: &[u8]) -> Result<usize, Errno> {
        let len = self.within(at, bytes.len())?;
        self.between.lock().carry(&bytes[..len], &self.pages, at)
    }

    /// Writes the bytes of the mapping at `source` to `file` at `pos`.
    pub fn write_to(&self, file: impl AsFd, pos: u64, source: Range<usize>) -> Result<u64, Errno> {
        let len = self.within(source.start, source.len())?;
        write_from(file, &[(self.pages.address(source.start).cast_const(), len)], Some(pos))
    }

    /// Takes the pages of `range` out of the page table; the next access faults again.
    pub fn unmap(&self, range: Range<usize>) -> Result<(), Errno> {
        self.advise(range, MmapAdvise::MADV_DONTNEED)
    }

    /// Asks the kernel to write the pages of `range` back and to reclaim them.
    pub fn page_out(&self, range: Range<usize>) -> Result<(), Errno> {
        self.advise(range, MmapAdvise::MADV_PAGEOUT)
    }

    /// `msync(2)` of the pages of `range` that are mapped.
    pub fn sync(&self, range: Range<usize>) -> Result<(), Errno> {
        let end = range.end.min(self.pages.len());
        if end <= range.start { Ok(()) } else { self.pages.sync(range.start..end) }
    }

    fn advise(&self, range: Range<usize>, advice: MmapAdvise) -> Result<(), Errno> {
        let end = range.end.min(self.pages.len());
        if end <= range.start { Ok(()) } else { self.pages.advise(range.start..end, advice) }
    }

    /// How many of `len` bytes at `at` are mapped, and can be moved at once.
    fn within(&self, at: usize, len: usize) -> Result<usize, Errno> {
        let mapped = self.pages.len().checked_sub(at).filter(|mapped| 0 < *mapped);
        Ok(len.min(self.most).min(mapped.ok_or(Errno::EFAULT)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_to_pages_beyond_the_mapping() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(5000).unwrap();
        let mapping = Mapping::new(&file, 1 << 20, 4096).unwrap();
        let beyond = 2 << 40..(2 << 40) + 5;
        assert_eq!(mapping.sync(beyond.clone()), Ok(()));
        assert_eq!(mapping.unmap(beyond.clone()), Ok(()));
        assert_eq!(mapping.page_out(beyond.clone()), Ok(()));
        assert_eq!(mapping.load(beyond.start, &mut [0; 5]), Err(Errno::EFAULT));
    }

    #[test]
    fn what_lies_beyond_the_end_stops_loads_and_stores_and_kills_nobody() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(5000).unwrap();
        let mapping = Mapping::new(&file, 1 << 20, 64 << 10).unwrap();
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
        let mapping = Mapping::new(&file, 1 << 20, 64 << 10).unwrap();
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
        let mapping = Mapping::new(&file, 1 << 20, 4096).unwrap();
        mapping.store(0, &[9; 100]).unwrap();
        mapping.sync(0..4096).unwrap();
        assert_eq!(mapping.write_to(&file, 5000, 0..100), Ok(100));
        let mut seen = [0; 100];
        assert_eq!((mapping.load(5000, &mut seen), seen), (Ok(100), [9; 100]));
        assert_eq!(mapping.write_to(&file, 0, 8192..8292), Err(Errno::EFAULT));
    }
}
