//! The calls that stormfs does not model.

use super::Real;
use super::perform::{bytes, known, saw, whole, wrote};
use crate::call::Call;
use crate::target::Performed;
use mounted::direct::Aligned;
use nix::errno::Errno as System;
use nix::fcntl::FallocateFlags;
use oracle::outside::Came;
use std::os::fd::BorrowedFd;
use stormfs::op::{Op, OpId, Transfer};
use stormfs::quantity::ByteRange;

impl Real {
    /// `pread(2)` past the page cache.
    pub(super) fn read_directly<'a>(
        &self,
        id: OpId,
        call: &Call,
        range: ByteRange,
        memory: &'a mut [u8],
    ) -> (Performed, Came<'a>) {
        let read = self.directly(id, call, |aligned, it| aligned.read(it, range.start, memory));
        saw(range, read, memory)
    }

    /// `pwrite(2)` past the page cache.
    pub(super) fn write_directly(
        &self,
        id: OpId,
        call: &Call,
        range: ByteRange,
        memory: &[u8],
    ) -> (Performed, Came<'static>) {
        let write =
            |aligned: &mut Aligned, it: BorrowedFd<'_>| aligned.write(it, range.start, memory);
        let written = self.directly(id, call, write);
        moved(range, written)
    }

    /// `copy_file_range(2)`.
    pub(super) fn copy(
        &self,
        id: OpId,
        call: &Call,
        transfer: Transfer,
    ) -> (Performed, Came<'static>) {
        let hands = &self.hands[usize::from(id.actor)];
        let (from, to) = (hands.file(transfer.from, id), hands.file(call.file, id));
        moved(transfer.target(), to.copy_from(&from, bytes(transfer.source), transfer.pos))
    }

    /// `FICLONERANGE`.
    pub(super) fn share(
        &self,
        id: OpId,
        call: &Call,
        transfer: Transfer,
    ) -> (Performed, Came<'static>) {
        let hands = &self.hands[usize::from(id.actor)];
        let (from, to) = (hands.file(transfer.from, id), hands.file(call.file, id));
        let shared = to.share_from(&from, bytes(transfer.source), transfer.pos);
        moved(transfer.target(), shared.map(|()| transfer.source.len()))
    }

    /// A call past the page cache, with memory that lies as it must.
    fn directly<T>(
        &self,
        id: OpId,
        call: &Call,
        perform: impl FnOnce(&mut Aligned, BorrowedFd<'_>) -> Result<T, System>,
    ) -> Result<T, System> {
        let hands = &self.hands[usize::from(id.actor)];
        let file = hands.file(call.file, id);
        let direct = file.direct().ok_or(System::EINVAL)?;
        let mut slot = hands.aligned.lock();
        let aligned = slot.take().map_or_else(|| Aligned::new(ROOM), Ok);
        let mut aligned = self.prepared("memory for direct I/O", aligned)?;
        let done = perform(&mut aligned, direct);
        *slot = Some(aligned);
        done
    }

    /// Whether ranges of `op` are of whole blocks where they have to be, and lie in files of those
    /// sizes: the least that its file, and that of its source, may have had.
    pub(super) fn fits(&self, file: usize, op: &Op, (own, other): (u64, u64)) -> bool {
        let whole = |range: ByteRange, unit: u64| {
            range.start.is_multiple_of(unit) && range.end.is_multiple_of(unit)
        };
        let apart = |transfer: &Transfer| {
            let (source, target) = (transfer.source, transfer.target());
            transfer.from != file || source.end <= target.start || target.end <= source.start
        };
        let block = self.host.abilities.block_size;
        if let Op::Collapse(range) = op {
            whole(*range, block) && range.end < own
        } else if let Op::Insert(range) = op {
            whole(*range, block) && range.start < own
        } else if let Op::Reflink(transfer) = op {
            let Transfer { source, pos, .. } = *transfer;
            let blocks = whole(source, block) && pos.is_multiple_of(block);
            blocks && source.end <= other && apart(transfer)
        } else if let Op::CopyRange(transfer) = op {
            apart(transfer)
        } else if let Op::DirectRead(range) | Op::DirectWrite(range) = op {
            whole(*range, self.host.abilities.direct_unit)
        } else {
            true
        }
    }
}

/// How `fallocate(2)` is told to take a range out.
pub(super) const COLLAPSE: FallocateFlags = FallocateFlags::FALLOC_FL_COLLAPSE_RANGE;

/// How it is told to put one in.
pub(super) const INSERT: FallocateFlags = FallocateFlags::FALLOC_FL_INSERT_RANGE;

/// Room for direct reads and writes to begin with.
const ROOM: usize = 64 << 10;

/// A call that wrote over a part of `range`. If it failed, some of its requests may have been on their way,
/// or some of its blocks been copied or shared, before that.
fn moved(range: ByteRange, done: Result<u64, System>) -> (Performed, Came<'static>) {
    let outcome = done.map_err(known);
    let came = if done.is_err() { Came::Perhaps } else { wrote(range.start, outcome) };
    (Performed { asked: range.len(), ..Performed::plain(outcome) }, came)
}

/// A call that moves what lies behind a range. What it says about its arguments it says before it has
/// done anything.
pub(super) fn shifted(done: Result<(), System>) -> (Performed, Came<'static>) {
    let (performed, came) = whole(done);
    (performed, if done == Err(System::EINVAL) { Came::Nothing } else { came })
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;
    use super::*;
    use stormfs::errno::Errno;

    #[test]
    fn ranges_fit_blocks_and_files_or_may_be_refused() {
        let trial = Trial::new();
        let block = trial.real.host.abilities.block_size;
        let unit = trial.real.host.abilities.direct_unit;
        let blocks = |start: u64, end: u64| ByteRange::new(start * block, end * block);
        let transfer = |from, source, pos| Transfer { from, source, pos };
        let sizes = (8 * block, 4 * block);
        for (op, fits) in [
            (Op::Collapse(blocks(1, 2)), true),
            (Op::Collapse(ByteRange::new(1, block)), false),
            (Op::Collapse(blocks(4, 8)), false),
            (Op::Insert(blocks(7, 9)), true),
            (Op::Insert(blocks(8, 9)), false),
            (Op::Reflink(transfer(1, blocks(0, 4), block)), true),
            (Op::Reflink(transfer(1, blocks(0, 5), block)), false),
            (Op::Reflink(transfer(1, blocks(0, 4), 1)), false),
            (Op::Reflink(transfer(0, blocks(0, 2), block)), false),
            (Op::CopyRange(transfer(1, ByteRange::new(0, 5), 3)), true),
            (Op::CopyRange(transfer(0, ByteRange::new(0, 5), 5)), true),
            (Op::CopyRange(transfer(0, ByteRange::new(0, 5), 4)), false),
            (Op::DirectRead(ByteRange::new(unit, 3 * unit)), true),
            (Op::DirectWrite(ByteRange::new(1, 1 + unit)), false),
            (Op::Write(ByteRange::new(1, 2)), true),
        ] {
            assert_eq!(trial.real.fits(0, &op, sizes), fits, "{op:?}");
        }
    }

    #[test]
    fn a_call_that_fails_may_have_done_a_part_unless_it_says_so_before() {
        let range = ByteRange::at(10, 5);
        let (performed, came) = moved(range, Ok(3));
        assert_eq!((performed.asked, performed.outcome), (5, Ok(3)));
        assert_eq!(came, Came::Wrote(ByteRange::at(10, 3)));
        assert_eq!(moved(range, Err(System::EIO)).1, Came::Perhaps);
        for (done, came) in [
            (Ok(()), Came::AsAsked),
            (Err(System::EINVAL), Came::Nothing),
            (Err(System::EIO), Came::Perhaps),
        ] {
            assert_eq!(shifted(done).1, came, "{done:?}");
        }
        let trial = Trial::new();
        // Of a byte, which is no unit of any disk: it is refused, or done as asked.
        let performed = trial.act(Op::DirectWrite(ByteRange::at(1, 1)));
        assert!(performed.unfit, "{performed:?}");
        assert!([Ok(1), Err(Errno::Invalid)].contains(&performed.outcome), "{performed:?}");
        assert_eq!(trial.violated(), None);
    }
}
