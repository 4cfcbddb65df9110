//! The fallocate family: punch hole, zero range, plain preallocation.
//!
//! 1. Lock: `i_rwsem` and `invalidate_lock` exclusively.
//! 2. Punch and zero range: write back and drop the cache over the range, rounded outward to whole
//!    folios; free the whole blocks; zero the cut ones through the cache. If they reach the end of the
//!    file, write its last block back: that zeroes what mappings stored behind the end.
//! 3. Zero range and plain: allocate unwritten extents over the holes, and over delayed
//!    allocations, which are not what the caller asked for.
//! 4. Without `KEEP_SIZE`, grow the file as truncate does.
//!
//! Kernel: `xfs_free_file_space`, `xfs_alloc_file_space`, `xfs_flush_unmap_range`.

use crate::delalloc;
use crate::errno::Errno;
use crate::extent_map::{Extent, State};
use crate::inode::Inode;
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange, narrow};
use crate::rules::{Growth, PunchedFolios};
use crate::truncate::{drop_part, remove, set_size, wait_for_writeback};
use crate::writeback::{self, Mode};
use crate::zero_range;

/// Makes a hole of `range`. Held: `i_rwsem` and `invalidate_lock` exclusively.
pub(crate) fn punch(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    let geometry = inode.geometry();
    let size = inode.size();
    let reaches_eof = range.start < size && geometry.up(size) <= geometry.up(range.end);
    let clears_eof =
        reaches_eof && inode.rules().punch_clears_eof(|| stored_behind_eof(inode, size));
    let spared = (reaches_eof && !clears_eof).then_some(size);
    flush_and_unmap(inode, range, spared)?;
    inode.at(Point::PunchUnmapped);
    let whole = geometry.blocks_within(range);
    if !whole.is_empty() {
        inode.free_blocks(whole);
    }
    inode.at(Point::PunchExtentsFreed);
    let kept = range.intersection(ByteRange::new(0, size));
    if kept.is_empty() {
        return Ok(());
    }
    zero_range::zero(inode, kept)?;
    if clears_eof {
        let last_block = ByteRange::new(geometry.down(kept.end), geometry.up(size));
        writeback::write_range(inode, last_block, Mode::Wait)?;
    }
    Ok(())
}

/// Allocates every block of `range` that has none, unwritten. On a shortage what was allocated
/// stays. Held: `i_rwsem` and `invalidate_lock` exclusively.
pub(crate) fn allocate(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    let blocks = inode.geometry().blocks_touching(range);
    let mut next = blocks.start;
    while next < blocks.end {
        let rest = BlockRange { start: next, end: blocks.end };
        let extent = reserve_first(inode, rest)?;
        delalloc::convert(inode, extent.blocks);
        inode.at(Point::FallocateAllocated);
        next = extent.blocks.end;
    }
    let beyond = inode.geometry().block_from(inode.size()) < blocks.end;
    inode.change_fork(|fork| fork.preallocated |= beyond);
    Ok(())
}

/// The first extent of `range`; if it is a hole, reserved.
fn reserve_first(inode: &Inode, range: BlockRange) -> Result<Extent, Errno> {
    inode.change_fork(|fork| {
        let extent = fork.extents.pieces(range).next().expect("the range is not empty");
        if extent.state.is_none() {
            inode.shared.space.reserve(extent.blocks.len())?;
            fork.extents.insert(extent.blocks, State::Delalloc);
        }
        Ok(extent)
    })
}

/// `FALLOC_FL_ZERO_RANGE`.
pub(crate) fn zero(inode: &Inode, range: ByteRange, keep_size: bool) -> Result<(), Errno> {
    punch(inode, range)?;
    allocate_and_grow(inode, range, keep_size, Growth::ZeroRange)
}

/// Plain fallocate, and what zero range does after its punch.
pub(crate) fn allocate_and_grow(
    inode: &Inode,
    range: ByteRange,
    keep_size: bool,
    by: Growth,
) -> Result<(), Errno> {
    allocate(inode, range)?;
    if !keep_size && inode.size() < range.end {
        set_size(inode, range.end, by)?;
    }
    Ok(())
}

/// Writes back every folio that has a byte in `range` and takes it out of the cache, but for the
/// one that holds the byte at `spared`. What stays in the cache is zeroed there.
fn flush_and_unmap(inode: &Inode, range: ByteRange, spared: Option<u64>) -> Result<(), Errno> {
    let folio = inode.geometry().max_folio();
    let touched = ByteRange::new(range.start & !(folio - 1), range.end.next_multiple_of(folio));
    let (covered, cut_is_writable) = without_cut_folios(inode, range);
    let folios = PunchedFolios { touched, covered, cut_is_writable };
    let mut out = inode.rules().punch_takes_out(folios);
    if let Some(folio) = spared.and_then(|pos| inode.cache.lookup(pos)) {
        out.end = out.end.min(folio.range().start);
    }
    writeback::write_range(inode, out, Mode::Wait)?;
    let mut rest = range;
    while let Some(folio) = inode.cache.first_in(rest) {
        rest.start = folio.range().end;
        let Some(folio) = inode.lock_folio(folio) else { continue };
        wait_for_writeback(&folio);
        if folio.range().intersection(out) == folio.range() {
            inode.mappings.unmap(&folio);
            let kept_out = inode.rules().faults_wait_for_removal(|| false);
            assert!(!(kept_out && folio.is_dirty()), "dirty again behind invalidate_lock");
            remove(inode, &folio);
        } else {
            drop_part(inode, &folio, range);
        }
    }
    Ok(())
}

/// `range` without the cached folios that it covers only in part, and whether a PTE can write to one
/// of those.
fn without_cut_folios(inode: &Inode, range: ByteRange) -> (ByteRange, bool) {
    let cut = |pos| {
        let folio = inode.cache.lookup(pos);
        folio.filter(|folio| folio.range().intersection(range) != folio.range())
    };
    let (first, last) = (cut(range.start), cut(range.end - 1));
    let covered = ByteRange {
        start: first.as_ref().map_or(range.start, |folio| folio.range().end),
        end: last.as_ref().map_or(range.end, |folio| folio.range().start),
    };
    let writable = [first, last].iter().flatten().any(|folio| inode.mappings.can_write(folio));
    (covered, writable)
}

/// Whether the folio that straddles the end of the file holds anything but zeros behind it.
fn stored_behind_eof(inode: &Inode, size: u64) -> bool {
    let folio = inode.cache.lookup(size).filter(|folio| folio.range().start < size);
    folio.is_some_and(|folio| {
        let mut behind = vec![0; narrow(folio.range().end - size)];
        folio.read(size, &mut behind);
        behind.iter().any(|byte| *byte != 0)
    })
}
