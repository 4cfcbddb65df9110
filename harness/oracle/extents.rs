//! Invariants of extents, and of those who act on what they say.

use crate::invariant::{Evidence, at, invariants, overall};
use std::collections::BTreeMap;
use stormfs::extent_map::{Extent, State};
use stormfs::iomap::{Iomap, Kind};
use stormfs::quantity::{BlockRange, ByteRange, FileBlock};
use stormfs::view::View;
use stormfs::witness::Submission;

invariants! { subject 3;
    /// A mapping that passes its validity check says what a fresh lookup would say. The check is by
    /// sequence counter, so this holds only if every change of a record advances it. A mapping that
    /// is rejected without need costs time only.
    Always fn extents_agree_with_validated_mapping(
        file: View<'_>,
        map: &Iomap,
        now: &[Extent],
    ) {
        for extent in now {
            let disk = extent.state.and_then(State::disk);
            let same = kind_of(extent.state) == kind_of_map(map);
            if !same || disk != map.disk_of(extent.blocks.start) {
                let place = file.geometry().bytes_of(extent.blocks);
                let expected = format!("{} as mapped", kind_of_map(map));
                return Err(at(place, expected, kind_of(extent.state)));
            }
        }
        Ok(())
    }

    /// I/O goes to the blocks that the extent map names at that moment, and completion converts
    /// exactly what is unwritten. Anything else writes to blocks of another owner, or leaves data
    /// that reads as zeros.
    Always fn extents_agree_with_submitted_io(file: View<'_>, io: Submission) {
        for extent in file.extents(io.blocks) {
            let goes_to = io.disk + (extent.blocks.start - io.blocks.start);
            let unwritten = matches!(extent.state, Some(State::Unwritten(_)));
            let there = extent.state.and_then(State::disk) == Some(goes_to);
            if !there || unwritten != io.converts {
                let place = file.geometry().bytes_of(extent.blocks);
                let kind = if io.converts { "an unwritten extent" } else { "a mapped extent" };
                let expected = format!("{kind} at device block {}, where I/O goes", goes_to.0);
                let found = match extent.state.and_then(State::disk) {
                    Some(disk) => format!("{} at device block {}", kind_of(extent.state), disk.0),
                    None => kind_of(extent.state).to_owned(),
                };
                return Err(at(place, expected, found));
            }
        }
        Ok(())
    }

    /// A delayed allocation below the end of the file lies under a dirty block, or one that is in
    /// writeback: writeback comes by the page cache, and nothing else ever turns the reservation
    /// into blocks or gives it back. What was reserved beyond the end is dirty or unwritten once an
    /// operation has grown the file over it. Exempt are folios that somebody has locked, as a fault
    /// reserves before it dirties, and what other writes in flight are writing.
    Always fn extents_delalloc_is_flushable(
        file: View<'_>,
        range: ByteRange,
        others: &[ByteRange],
    ) {
        let end = file.geometry().up(file.size()).min(range.end);
        let blocks = file.geometry().blocks_touching(ByteRange::new(range.start, end));
        if blocks.is_empty() {
            return Ok(());
        }
        loop {
            let sequence = file.sequence();
            let verdict = delalloc_is_covered(file, blocks, others);
            // Extents and folios are looked at one after the other: what changed in between counts
            // only if it stays wrong.
            if verdict.is_ok() || file.sequence() == sequence {
                return verdict;
            }
        }
    }

    /// No write to the device shares bytes with other I/O in flight: which of the two would win is
    /// anybody's guess. Told by the device, one line for each case.
    Always fn extents_writes_never_overlap(overlaps: &[String]) {
        overlaps.first().map_or(Ok(()), |overlap| {
            Err(overall("no two requests in flight on one block", overlap))
        })
    }

    /// After a sync with nothing in flight no delayed allocation is left below the end of the file.
    Quiet fn extents_below_eof_are_allocated_after_sync(left: Option<ByteRange>) {
        left.map_or(Ok(()), |left| {
            Err(at(left, "no delayed allocation after a sync", "a reservation that no writeback reaches"))
        })
    }

    /// A delayed allocation beyond the end of the file was taken in advance, and the file is tagged for
    /// it. No writeback comes by there, and only a tagged file is looked through for such blocks when
    /// space runs short.
    Quiet fn extents_delalloc_beyond_eof_is_tagged(file: View<'_>) {
        let end = file.geometry().block_from(file.size());
        let (last, speculative) = file.fork(|fork| (fork.extents.end(), fork.speculative));
        if speculative || last <= end {
            return Ok(());
        }
        let mut beyond = file.extents(BlockRange { start: end, end: last }).into_iter();
        match beyond.find(|extent| extent.state == Some(State::Delalloc)) {
            None => Ok(()),
            Some(left) => {
                let place = file.geometry().bytes_of(left.blocks);
                Err(at(place, "a tag, or nothing reserved beyond the end", "a reservation without a tag"))
            }
        }
    }

    /// Every allocated block has one owner, lies on the device, and is not in the free map.
    Quiet fn extents_own_their_blocks(files: &[View<'_>]) {
        let mut owners: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
        for file in files {
            for extent in file.fork(|fork| fork.extents.iter().collect::<Vec<_>>()) {
                let Some(disk) = extent.state.and_then(State::disk) else { continue };
                let len = extent.blocks.len();
                let before = owners.range(..disk.0 + len).next_back();
                if let Some((first, (run, other))) = before
                    && disk.0 < first + run
                {
                    let found = format!("block {} owned by files {other} and {}", disk.0, file.file());
                    return Err(overall("one owner for each block", found));
                }
                if file.any_unallocated(disk, len) || file.space().total < disk.0 + len {
                    let found = format!("{len} blocks from {} of file {}", disk.0, file.file());
                    return Err(overall("allocated blocks of the device", found));
                }
                owners.insert(disk.0, (len, file.file()));
            }
        }
        Ok(())
    }

    /// Once a file is released, nothing that was reserved speculatively lies beyond its end.
    Quiet fn extents_beyond_eof_were_asked_for(file: View<'_>) {
        let end = file.geometry().block_from(file.size());
        let (last, speculative) = file.fork(|fork| (fork.extents.end(), fork.speculative));
        let beyond = BlockRange { start: end, end: last };
        let asked_for = file.fork(|fork| fork.preallocated);
        let extents = if beyond.is_empty() { Vec::new() } else { file.extents(beyond) };
        let wrong = |state| match state {
            None => false,
            Some(State::Delalloc) => true,
            Some(State::Unwritten(_) | State::Mapped(_)) => !asked_for,
        };
        match extents.into_iter().find(|extent| wrong(extent.state)) {
            Some(left) => {
                let place = file.geometry().bytes_of(left.blocks);
                Err(at(place, "nothing beyond the end after release", kind_of(left.state)))
            }
            None if speculative => {
                Err(overall("no speculative tag after release", "a tag and no blocks"))
            }
            None => Ok(()),
        }
    }
}

fn delalloc_is_covered(
    file: View<'_>,
    blocks: BlockRange,
    others: &[ByteRange],
) -> Result<(), Evidence> {
    let delayed = |extent: &Extent| extent.state == Some(State::Delalloc);
    let mut extents = file.extents(blocks).into_iter().filter(delayed);
    extents.try_for_each(|extent| covered(file, extent.blocks, others))
}

fn covered(file: View<'_>, blocks: BlockRange, others: &[ByteRange]) -> Result<(), Evidence> {
    let geometry = file.geometry();
    for block in blocks.start.0..blocks.end.0 {
        let pos = geometry.pos_of(FileBlock(block));
        let range = ByteRange::at(pos, geometry.block_size());
        let folio = file.folio(pos);
        let awaited = others.iter().any(|write| write.overlaps(range));
        let needed = awaited
            || folio.is_some_and(|folio| {
                let (bit, _) = folio.touching(range);
                folio.is_locked() || folio.is_writeback() || folio.dirty_blocks() >> bit & 1 == 1
            });
        if !needed {
            return Err(at(
                range,
                "dirty cache over a delayed allocation",
                "nothing that writeback finds",
            ));
        }
    }
    Ok(())
}

fn kind_of(state: Option<State>) -> &'static str {
    match state {
        None => "a hole",
        Some(State::Delalloc) => "a delayed allocation",
        Some(State::Unwritten(_)) => "an unwritten extent",
        Some(State::Mapped(_)) => "a mapped extent",
    }
}

fn kind_of_map(map: &Iomap) -> &'static str {
    match map.kind {
        Kind::Hole => "a hole",
        Kind::Delalloc => "a delayed allocation",
        Kind::Unwritten(_) => "an unwritten extent",
        Kind::Mapped(_) => "a mapped extent",
    }
}

/// The first delayed allocation below the end of a file.
pub fn first_delalloc(file: View<'_>) -> Option<ByteRange> {
    let blocks = BlockRange { start: FileBlock(0), end: file.geometry().block_from(file.size()) };
    let mut extents = file.extents(blocks).into_iter();
    let found = extents.find(|extent| extent.state == Some(State::Delalloc))?;
    Some(file.geometry().bytes_of(found.blocks))
}
