//! Where the actors of a storm act: the range that each of them began to use last, so that others
//! can go there, too.
//!
//! What is read here decides only what is drawn, never who goes on: no scheduling point is passed.

use crate::call::WHOLE_FILE;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::op::Op;
use stormfs::quantity::ByteRange;

/// See the module.
pub struct Haunts {
    /// One for each actor.
    last: Vec<Haunt>,
}

/// A file and a range of it. On threads a reader may see half of an old place and half of a new
/// one, and goes somewhere else: no harm.
#[derive(Default)]
struct Haunt {
    /// The file's number and one; 0 before the first.
    file: AtomicU64,
    start: AtomicU64,
    end: AtomicU64,
}

impl Haunts {
    /// Those of so many actors, none of whom has been anywhere.
    pub fn new(actors: usize) -> Haunts {
        Haunts { last: (0..actors).map(|_| Haunt::default()).collect() }
    }

    /// How many actors there are.
    pub fn actors(&self) -> usize {
        self.last.len()
    }

    /// The actor of that number uses `range` of `file`.
    pub fn used(&self, actor: usize, file: usize, range: ByteRange) {
        let place = &self.last[actor];
        place.start.store(range.start, Ordering::Relaxed);
        place.end.store(range.end, Ordering::Relaxed);
        let file = u64::try_from(file).expect("at most 64 files");
        place.file.store(file + 1, Ordering::Relaxed);
    }

    /// Where the actor of that number was last.
    pub fn of(&self, actor: usize) -> Option<(usize, ByteRange)> {
        let place = &self.last[actor];
        let file = place.file.load(Ordering::Relaxed).checked_sub(1)?;
        let (start, end) = (&place.start, &place.end);
        let range = ByteRange::new(start.load(Ordering::Relaxed), end.load(Ordering::Relaxed));
        Some((usize::try_from(file).expect("at most 64 files"), range))
    }
}

/// Where `op` acts in a file of that size; `None` if it is about no place in particular.
pub fn place(op: &Op, size: u64) -> Option<ByteRange> {
    let range = match *op {
        Op::Read(range)
        | Op::Write(range)
        | Op::MmapLoad(range)
        | Op::MmapStore(range)
        | Op::Punch(range)
        | Op::ZeroRange { range, .. }
        | Op::Fallocate { range, .. }
        | Op::Writeback(range)
        | Op::Evict(range)
        | Op::DirectRead(range)
        | Op::DirectWrite(range)
        | Op::Collapse(range)
        | Op::Insert(range)
        | Op::SyncRange { range, .. }
        | Op::Msync(range)
        | Op::DontNeed(range)
        | Op::PageOut(range) => range,
        Op::CopyRange(transfer) | Op::Reflink(transfer) => transfer.target(),
        Op::Append(len) => ByteRange::at(size, len),
        Op::WriteFromMmap { pos, source } => ByteRange::at(pos, source.len()),
        Op::Truncate(size) => ByteRange::at(size, 1),
        Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => return None,
    };
    (range != WHOLE_FILE).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_actor_has_the_place_it_used_last() {
        let haunts = Haunts::new(2);
        assert_eq!((haunts.actors(), haunts.of(0), haunts.of(1)), (2, None, None));
        haunts.used(1, 0, ByteRange::at(5, 6));
        haunts.used(1, 3, ByteRange::at(7, 8));
        assert_eq!((haunts.of(0), haunts.of(1)), (None, Some((3, ByteRange::at(7, 8)))));
    }

    #[test]
    fn what_is_about_the_whole_file_is_no_place() {
        assert_eq!(place(&Op::Append(5), 100), Some(ByteRange::at(100, 5)));
        assert_eq!(place(&Op::Truncate(50), 100), Some(ByteRange::at(50, 1)));
        assert_eq!(place(&Op::Evict(WHOLE_FILE), 100), None);
        assert_eq!(place(&Op::Fsync, 100), None);
    }
}
