//! Truncate, both ways, and the removal of cached ranges.
//!
//! 1. Lock: `i_rwsem` and `invalidate_lock` exclusively.
//! 2. Zero: growing, everything up to the new size; shrinking, the tail of the new last block.
//! 3. Publish `i_size`. From here on faults and writeback see the new end.
//! 4. Shrinking: drop the cache beyond; growing: protect the folio that straddled the old end.
//! 5. Write back what lies between the on-disk size and the new one, so that the size on disk never
//!    covers data that is not there.
//! 6. Set the on-disk size and free the extents beyond it.
//!
//! A folio is waited out of I/O before it is dropped, and extents are freed after their folios:
//! no I/O is ever in flight to a free block.
//!
//! Kernel: `xfs_setattr_size`, `truncate_setsize`, v6.12. That also writes back whatever it has zeroed
//! before it logs the size, which matters only to a crash. It leaves mappings writable until the cache
//! is dropped, and counts on the next growth to zero what a store then leaves on disk; here the block
//! on disk ends in zeros whenever it is clean.

use crate::block_bits::runs;
use crate::errno::Errno;
use crate::extend;
use crate::inode::{Inode, LockedFolio};
use crate::page_cache::Tag;
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange};
use crate::rules::{Growth, TruncateStep};
use crate::writeback::{self, Mode};
use crate::zero_range;
use sim::Site;

/// A position beyond the end of every file.
const ENDLESS: u64 = u64::MAX >> 8;

/// Sets the size of the file; `by` whom, if it grows. Held: `i_rwsem` and `invalidate_lock`
/// exclusively.
pub(crate) fn set_size(inode: &Inode, new: u64, by: Growth) -> Result<(), Errno> {
    let old = inode.size();
    inode.at(Point::TruncateLocked);
    let goes = ByteRange::new(new, ENDLESS);
    let at_stake = new < old && inode.cache.any_dirty_or_writeback(goes);
    let mut durable = new;
    for step in inode.rules().truncate_steps(at_stake) {
        match step {
            TruncateStep::Zero => {
                zero(inode, old, new, by)?;
                inode.at(Point::TruncateZeroed);
            }
            TruncateStep::SetSize => {
                inode.set_size(new);
                inode.at(Point::TruncateSizeSet);
            }
            TruncateStep::DropCache => {
                if old < new {
                    extend::size_grew(inode, old, new, by);
                } else {
                    drop_cache(inode, goes);
                }
                inode.at(Point::TruncateCacheDropped);
            }
            TruncateStep::Flush => durable = flush(inode, old, new),
            TruncateStep::FreeExtents => free_extents(inode, (old, new), durable),
        }
    }
    Ok(())
}

/// Growing, zeroes everything up to the new size; shrinking, the tail of the new last block.
fn zero(inode: &Inode, old: u64, new: u64, by: Growth) -> Result<(), Errno> {
    if old < new {
        return extend::zero_exposed(inode, ByteRange::new(old, new), by);
    }
    if inode.rules().truncate_flushes_new_eof() {
        writeback::write_range(inode, ByteRange::at(new, 1), Mode::Wait)?;
    }
    protect(inode, new);
    let tail = ByteRange::new(new, inode.geometry().up(new).min(old));
    zero_range::zero(inode, tail)
}

/// Takes write access to the folio of the new end from mappings: a fault would wait for
/// `invalidate_lock`. A store that came behind the zeros could be written back before the new size is
/// published, and stay on disk beyond the end.
fn protect(inode: &Inode, new: u64) {
    if let Some(folio) = inode.cache.lookup(new).and_then(|folio| inode.lock_folio(folio)) {
        inode.mappings.protect(&folio);
    }
}

/// Writes back what the new size on disk would cover without being there; the size that may be made
/// durable.
fn flush(inode: &Inode, old: u64, new: u64) -> u64 {
    let size_disk = inode.fork(|fork| fork.size_disk);
    let unwritten = ByteRange::new(size_disk, new);
    if unwritten.is_empty()
        || old == size_disk
        || writeback::write_range(inode, unwritten, Mode::Wait).is_ok()
    {
        return new;
    }
    // The size in memory changes all the same; fsync will tell of the error.
    size_disk
}

/// Sets the size on disk, and shrinking, frees what lies beyond the new end.
fn free_extents(inode: &Inode, (old, new): (u64, u64), durable: u64) {
    inode.change_fork(|fork| fork.size_disk = durable);
    if new < old {
        let end = inode.fork(|fork| fork.extents.end());
        inode.free_blocks(BlockRange { start: inode.geometry().block_from(new), end });
        inode.change_fork(|fork| (fork.speculative, fork.preallocated) = (false, false));
    }
}

/// Removes what is cached of `range`, dirty or not. A folio that reaches beyond it stays, with
/// zeros in the part that is removed. Held: what keeps others from adding folios there.
pub(crate) fn drop_cache(inode: &Inode, range: ByteRange) {
    let mut rest = range;
    while let Some(folio) = inode.cache.first_in(rest) {
        rest.start = folio.range().end;
        let Some(folio) = inode.lock_folio(folio) else { continue };
        wait_for_writeback(&folio);
        inode.mappings.unmap(&folio);
        if folio.range().intersection(range) == folio.range() {
            remove(inode, &folio);
        } else {
            drop_part(inode, &folio, range);
        }
    }
}

/// Takes a folio that is not in I/O out of the cache.
pub(crate) fn remove(inode: &Inode, folio: &LockedFolio<'_>) {
    assert!(!folio.is_writeback() && !folio.is_mapped());
    folio.clear_dirty_flag();
    folio.clear_dirty_blocks((0, folio.blocks()));
    folio.clear_modified((0, folio.blocks()));
    inode.cache.remove(folio);
}

/// Zeroes the part of `folio` that lies in `range`. Blocks wholly in it are clean then: their
/// extents are about to go. A block that is only cut stays as dirty as it was.
pub(crate) fn drop_part(inode: &Inode, folio: &LockedFolio<'_>, range: ByteRange) {
    let cut = folio.modified();
    folio.fill_zeros(range.intersection(folio.range()));
    let whole = folio.within(range);
    let touched = folio.touching(range);
    let dirty = |from, to| runs(folio.dirty_blocks(), from, to).next().is_some();
    let cut_is_dirty = dirty(touched.0, whole.0) || dirty(whole.1, touched.1);
    let stays = inode.rules().cut_block_stays_dirty(cut_is_dirty);
    folio.clear_dirty_blocks(if stays { whole } else { touched });
    folio.clear_modified(whole);
    debug_assert_eq!(folio.modified() & !cut, 0);
    if folio.is_dirty() && folio.dirty_blocks() == 0 {
        folio.clear_dirty_flag();
        inode.cache.untag(folio, Tag::Dirty);
    }
}

/// Waits until no I/O on `folio` is in flight. Its lock is held, so none can begin.
pub(crate) fn wait_for_writeback(folio: &LockedFolio<'_>) {
    let site = Site::point("writeback", 0x81, folio.range().start);
    folio.writeback_ended.wait_until(site, || !folio.is_writeback());
}
