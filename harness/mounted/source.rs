//! Source buffers with a byte that is not there.

use crate::faults::Faults;
use crate::memory::{Holed, Memory, Missing, PAGE};
use crate::refusal::Refusal;
use crate::window::POISON;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::uio::pwrite;
use nix::unistd::ftruncate;
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

/// How a page of a buffer is missing. A copy from it stops at its first byte, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// It is mapped, and may not be read.
    Protected,
    /// Nothing is mapped there.
    Unmapped,
    /// It is mapped from a file that ends before it, which is `SIGBUS` for whoever loads from it.
    BeyondEof,
    /// It is marked as one that the hardware has lost. Kernels since 6.6 do this for those who may have their
    /// faults told.
    Poisoned,
    /// It is there, but in no page table: a copy that may not fault stops, and goes on once somebody
    /// has faulted it in.
    NotPresent,
}

impl Way {
    /// The ways in which it stays missing.
    pub const PERSISTENT: [Way; 4] = [Way::Protected, Way::Unmapped, Way::BeyondEof, Way::Poisoned];

    /// Those that need nothing but memory.
    const EASY: [Way; 3] = [Way::Protected, Way::Unmapped, Way::BeyondEof];

    /// Which of them it is for the operation of that number, if nothing names one. Where pages cannot be
    /// poisoned the others take that turn; every other operation has the same way everywhere.
    pub fn in_turn(number: u64, poisons: bool) -> Way {
        let of = |ways: &[Way], number: u64| {
            let all = u64::try_from(ways.len()).expect("a few ways");
            ways[usize::try_from(number % all).expect("it is below a few")]
        };
        let way = of(&Way::PERSISTENT, number);
        if way == Way::Poisoned && !poisons { of(&Way::EASY, number / 4) } else { way }
    }
}

/// Whether pages can be poisoned on this machine, by this user; else why not. It is tried once.
///
/// # Errors
///
/// There is no userfaultfd for this user, or it knows no poison.
pub fn poisoning() -> Result<(), Refusal> {
    static FOUND: OnceLock<Result<(), Refusal>> = OnceLock::new();
    let tried = || {
        let poisoned = |faults: &Faults| {
            Memory::apart(PAGE)?.pierced_by(0..PAGE, |pages| faults.lose(pages, 0)).map(drop)
        };
        let refused = |errno| Refusal::errno("a page that is poisoned", errno, POISON);
        poisoned(&Faults::open()?).map_err(refused)
    };
    FOUND.get_or_init(tried).clone()
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
    /// What poisons pages, once somebody wanted that.
    faults: Option<Faults>,
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
        let memory = Some(Memory::apart(len + 3 * PAGE)?);
        Ok(Source { memory, empty, page, faults: None })
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
            Way::Poisoned => {
                let faults = match self.faults.take() {
                    Some(faults) => faults,
                    None => Faults::open().map_err(|_| Errno::EOPNOTSUPP)?,
                };
                let faults = self.faults.insert(faults);
                let at = missing.start;
                let holed = memory.pierced_by(missing, |pages| faults.lose(pages, at))?;
                return Ok(Armed { source: self, holed: Some(holed), start, len: bytes.len() });
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
    use std::io::Write;

    #[test]
    fn a_write_stops_at_the_missing_byte() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..20_000_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut source = Source::new(10).unwrap();
        let poisons = poisoning();
        if let Err(refused) = &poisons {
            let _ = writeln!(std::io::stderr(), "skipped: poisoned pages: {refused}");
        }
        for way in
            Way::PERSISTENT.into_iter().filter(|way| *way != Way::Poisoned || poisons.is_ok())
        {
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
    fn who_cannot_poison_has_the_other_ways_in_turn() {
        use Way::{BeyondEof, Poisoned, Protected, Unmapped};
        let ways = |poisons| (0..16).map(move |number| Way::in_turn(number, poisons));
        assert!(ways(true).eq(Way::PERSISTENT.repeat(4)));
        let others = ways(true).zip(ways(false)).filter(|(with, _)| *with == Poisoned);
        let others: Vec<_> = others.map(|(_, without)| without).collect();
        assert_eq!(others, [Protected, Unmapped, BeyondEof, Protected]);
        assert!(ways(true).zip(ways(false)).all(|(with, other)| with == other || with == Poisoned));
    }

    #[test]
    fn pieces_cover_the_whole() {
        let pieces = |cuts: &[usize]| cut(10, cuts).collect::<Vec<_>>();
        assert_eq!(pieces(&[]), [(0, 10)]);
        assert_eq!(pieces(&[0, 4, 4]), [(0, 0), (0, 4), (4, 0), (4, 6)]);
    }
}
