//! Source buffers with a byte that is not there.

use crate::memory::{Holed, Memory, Missing, PAGE};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::uio::pwrite;
use nix::unistd::ftruncate;
use std::ffi::c_void;
use std::os::fd::OwnedFd;

/// How a page of a buffer is missing. A copy from it stops at its first byte, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// It is mapped, and may not be read.
    Protected,
    /// Nothing is mapped there.
    Unmapped,
    /// It is mapped from a file that ends before it, which is `SIGBUS` for whoever loads from it.
    BeyondEof,
    /// It is there, but in no page table: a copy that may not fault stops, and goes on once somebody
    /// has faulted it in.
    NotPresent,
}

impl Way {
    /// The ways in which it stays missing.
    pub const PERSISTENT: [Way; 3] = [Way::Protected, Way::Unmapped, Way::BeyondEof];
}

/// A byte of a buffer that is missing, and those behind it in the same page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Its offset in the buffer.
    pub at: usize,
    /// How.
    pub way: Way,
}

/// Memory for buffers with holes, used again and again.
#[derive(Debug)]
pub struct Source {
    /// `None` while a buffer is armed, and where a hole could not be mended: the next gets another.
    memory: Option<Memory>,
    /// A file of no bytes.
    empty: OwnedFd,
    /// A file of one page.
    page: OwnedFd,
}

/// A buffer, ready for one call. The memory is whole again when it is dropped.
#[derive(Debug)]
pub struct Armed<'a> {
    source: &'a mut Source,
    /// `None` once it is dropped.
    holed: Option<Holed>,
    start: usize,
    len: usize,
}

impl Source {
    /// Room for buffers of up to `len` bytes.
    pub fn new(len: usize) -> Result<Source, Errno> {
        let file = || memfd_create(c"pagestorm", MFdFlags::MFD_CLOEXEC);
        let (empty, page) = (file()?, file()?);
        ftruncate(&page, i64::try_from(PAGE).expect("a page is small"))?;
        Ok(Source { memory: Some(Memory::apart(len + 3 * PAGE)?), empty, page })
    }

    /// A buffer that holds `bytes`, up to its hole.
    pub fn with_hole(&mut self, bytes: &[u8], hole: Hole) -> Result<Armed<'_>, Errno> {
        assert!(hole.at < bytes.len(), "the hole is one of the bytes");
        let room = bytes.len() + 3 * PAGE;
        let memory = self.memory.take().filter(|memory| room <= memory.len());
        let mut memory = memory.map_or_else(|| Memory::apart(room), Ok)?;
        // A page begins at the hole.
        let start = (PAGE - hole.at % PAGE) % PAGE;
        memory.put(start, &bytes[..hole.at]);
        let missing = start + hole.at..start + hole.at + PAGE;
        let behind = missing.end.min(start + bytes.len());
        memory.put(behind, &bytes[behind - start..]);
        let how = match hole.way {
            Way::Protected => Missing::Protected,
            Way::Unmapped => Missing::Unmapped,
            Way::BeyondEof => Missing::Of(&self.empty),
            Way::NotPresent => {
                pwrite(&self.page, &bytes[hole.at..behind - start], 0)?;
                Missing::Of(&self.page)
            }
        };
        let holed = Some(memory.pierced(missing, how)?);
        Ok(Armed { source: self, holed, start, len: bytes.len() })
    }
}

impl Armed<'_> {
    /// Its pieces, if it is cut at these offsets, in order: addresses and lengths.
    pub(crate) fn pieces(&self, cuts: &[usize]) -> Vec<(*const c_void, usize)> {
        let holed = self.holed.as_ref().expect("it is there until the buffer is dropped");
        let address = |at: usize| holed.address(self.start + at);
        cut(self.len, cuts).map(|(at, len)| (address(at), len)).collect()
    }
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.source.memory = self.holed.take().and_then(|holed| holed.mended().ok());
    }
}

/// The pieces of `len` bytes cut at these offsets: where each begins, and how long it is.
pub(crate) fn cut(len: usize, cuts: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([len]);
    starts.zip(ends).map(|(start, end)| (start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::write_from;
    use nix::sys::uio::pread;

    #[test]
    fn a_write_stops_at_the_missing_byte() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..20_000_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut source = Source::new(10).unwrap();
        for way in Way::PERSISTENT {
            for (at, cuts) in
                [(0, &[][..]), (1, &[]), (777, &[700, 700, 778]), (4096, &[5]), (19_999, &[])]
            {
                let armed = source.with_hole(&bytes, Hole { at, way }).unwrap();
                let written = write_from(&file, &armed.pieces(cuts), Some(3));
                let expected = u64::try_from(at).unwrap();
                let expected = if at == 0 { Err(Errno::EFAULT) } else { Ok(expected) };
                assert_eq!(written, expected, "{way:?} at {at}");
                drop(armed);
                let mut back = vec![0; at];
                pread(&file, &mut back, 3).unwrap();
                assert!(back == bytes[..at], "{way:?} at {at}");
            }
        }
    }

    #[test]
    fn a_page_that_is_only_not_present_is_written_in_the_end() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..10_000_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut source = Source::new(10).unwrap();
        for at in [0, 1, 4095, 5000, 9999] {
            let armed = source.with_hole(&bytes, Hole { at, way: Way::NotPresent }).unwrap();
            assert_eq!(write_from(&file, &armed.pieces(&[]), Some(0)), Ok(10_000));
            drop(armed);
            let mut back = vec![0; 10_000];
            pread(&file, &mut back, 0).unwrap();
            assert!(back == bytes, "hole at {at}");
        }
    }

    #[test]
    fn nobody_else_gets_the_place_of_pages_that_are_gone() {
        let file = tempfile::tempfile().unwrap();
        let mut source = Source::new(PAGE).unwrap();
        let armed = source.with_hole(&[7; 2], Hole { at: 0, way: Way::Unmapped }).unwrap();
        let others: Vec<_> = (0..64).map(|_| Memory::anonymous(PAGE).unwrap()).collect();
        assert_eq!(write_from(&file, &armed.pieces(&[]), Some(0)), Err(Errno::EFAULT));
        drop(armed);
        drop(others);
    }

    #[test]
    fn a_buffer_that_was_forgotten_takes_its_memory_with_it() {
        let file = tempfile::tempfile().unwrap();
        let mut source = Source::new(PAGE).unwrap();
        let hole = Hole { at: 1, way: Way::Unmapped };
        std::mem::forget(source.with_hole(&[7; 2 * PAGE], hole).unwrap());
        let armed = source.with_hole(&[8; 2 * PAGE], Hole { at: PAGE + 5, ..hole }).unwrap();
        let written = write_from(&file, &armed.pieces(&[]), Some(0));
        assert_eq!(written, Ok(u64::try_from(PAGE).unwrap() + 5));
    }

    #[test]
    fn pieces_cover_the_whole() {
        let pieces = |cuts: &[usize]| cut(10, cuts).collect::<Vec<_>>();
        assert_eq!(pieces(&[]), [(0, 10)]);
        assert_eq!(pieces(&[0, 4, 4]), [(0, 0), (0, 4), (4, 0), (4, 6)]);
    }
}
