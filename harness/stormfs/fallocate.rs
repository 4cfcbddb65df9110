//! The fallocate family: punch hole, zero range, plain preallocation.
//!
//! 1. Lock: `i_rwsem` and `invalidate_lock` exclusively.
//! 2. Punch and zero range: write back and drop the cache over the range, rounded outward to whole
//!    folios; free the whole blocks; zero the cut ones through the cache.
//! 3. Zero range and plain: allocate unwritten extents over the holes, and over delayed
//!    allocations, which are not what the caller asked for.
//! 4. Without `KEEP_SIZE`, grow the file as truncate does.
//!
//! Kernel: `xfs_free_file_space`, `xfs_alloc_file_space`, `xfs_flush_unmap_range`.

use crate::delalloc;
use crate::errno::Errno;
use crate::extent_map::State;
use crate::inode::Inode;
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange};
use crate::truncate::{remove, set_size, wait_for_writeback};
use crate::writeback::{self, Mode};
use crate::zero_range;

/// Makes a hole of `range`. Held: `i_rwsem` and `invalidate_lock` exclusively.
pub(crate) fn punch(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    let geometry = inode.geometry();
    flush_and_unmap(inode, range)?;
    inode.at(Point::PunchUnmapped);
    let whole = geometry.blocks_within(range);
    if !whole.is_empty() {
        inode.free_blocks(whole);
    }
    inode.at(Point::PunchExtentsFreed);
    let size = inode.size();
    let kept = range.intersection(ByteRange::new(0, size));
    if kept.is_empty() {
        return Ok(());
    }
    zero_range::zero(inode, kept)?;
    if geometry.up(kept.end) == geometry.up(size) {
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
        let extent = inode.fork(|fork| fork.extents.pieces(rest).next());
        let extent = extent.expect("the range is not empty");
        match extent.state {
            None => allocate_hole(inode, extent.blocks)?,
            Some(State::Delalloc) => delalloc::convert(inode, extent.blocks),
            Some(State::Unwritten(_) | State::Mapped(_)) => {}
        }
        inode.at(Point::FallocateAllocated);
        next = extent.blocks.end;
    }
    let beyond = inode.geometry().block_from(inode.size()) < blocks.end;
    inode.change_fork(|fork| fork.preallocated |= beyond);
    Ok(())
}

/// Allocates `blocks`, which are a hole, and stay one as nobody else can reserve them: faults wait
/// for `invalidate_lock`.
fn allocate_hole(inode: &Inode, blocks: BlockRange) -> Result<(), Errno> {
    inode.change_fork(|fork| {
        inode.shared.space.reserve(blocks.len())?;
        fork.extents.insert(blocks, State::Delalloc);
        Ok(())
    })?;
    delalloc::convert(inode, blocks);
    Ok(())
}

/// `FALLOC_FL_ZERO_RANGE`.
pub(crate) fn zero(inode: &Inode, range: ByteRange, keep_size: bool) -> Result<(), Errno> {
    punch(inode, range)?;
    allocate_and_grow(inode, range, keep_size)
}

/// Plain fallocate.
pub(crate) fn allocate_and_grow(
    inode: &Inode,
    range: ByteRange,
    keep_size: bool,
) -> Result<(), Errno> {
    allocate(inode, range)?;
    if !keep_size && inode.size() < range.end {
        set_size(inode, range.end)?;
    }
    Ok(())
}

/// Writes back every folio that has a byte in `range` and takes it out of the cache.
fn flush_and_unmap(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    let outward = inode.geometry().folios_touching(range);
    writeback::write_range(inode, outward, Mode::Wait)?;
    let mut rest = range;
    while let Some(folio) = inode.cache.first_in(rest) {
        rest.start = folio.range().end;
        let Some(folio) = inode.lock_folio(folio) else { continue };
        wait_for_writeback(&folio);
        inode.mappings.unmap(&folio);
        assert!(!folio.is_dirty(), "a folio became dirty again behind invalidate_lock");
        remove(inode, &folio);
    }
    Ok(())
}
