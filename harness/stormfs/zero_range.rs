//! Zeroing a range through cache and extents.
//!
//! 1. Lock: `invalidate_lock` exclusively, and `i_rwsem` exclusively or the lock of a write that
//!    extends, by the caller.
//! 2. Ask, before the first lookup, whether any of the range is dirty or in I/O: asking later would
//!    miss a folio that writeback cleaned, and reclaim dropped, in between.
//! 3. For each mapping: holes and unwritten extents are zero already, unless dirty cache lies over
//!    them: then write back what is left of the range, once, and look again. Delayed allocations
//!    beyond the last block become unwritten extents: zeros written there would never reach the
//!    device, as writeback stops at the end of the file. Everything else is zeroed in the cache.
//! 4. The size stays: whoever grows the file publishes it, once all is zero (602f09f4029c, v6.11).
//!
//! Kernel: `iomap_zero_range` (c5c810b94cfd, 7d9b474ee4cc, v6.12), 5ce5674187c3 (v6.10).

use crate::buffered_write::{grab_validated, mark_dirty, prepare};
use crate::errno::Errno;
use crate::inode::Inode;
use crate::iomap::{self, Iomap, Kind, Purpose};
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange};
use crate::writeback::{self, Mode};
use crate::{delalloc, truncate, write_cleanup};

/// Makes zeros of `range`. Held: see the module.
pub(crate) fn zero(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    assert!(inode.invalidate_lock.is_locked() && inode.i_rwsem.is_locked());
    let mut dirty = inode.cache.any_dirty_or_writeback(range);
    let mut rest = range;
    while !rest.is_empty() {
        inode.at(Point::ZeroBeforeMap);
        let map = iomap::begin_write(inode, rest, Purpose::Zero)?;
        let part = rest.intersection(map.range);
        inode.at(Point::ZeroMapped);
        match map.kind {
            Kind::Hole | Kind::Unwritten(_) => {
                let now = || inode.cache.any_dirty_or_writeback(rest);
                let moved = || inode.sequence() != map.sequence;
                if inode.rules().zeroing_writes_back(dirty, now, moved) {
                    writeback::write_range(inode, rest, Mode::Wait)?;
                    dirty = false;
                } else {
                    rest.start = part.end;
                }
            }
            Kind::Delalloc => rest.start = zero_delalloc(inode, &map, part)?,
            Kind::Mapped(_) => rest.start = zero_mapped(inode, &map, part)?,
        }
    }
    Ok(())
}

/// Zeroes `part` of a delayed allocation as far as one way of doing so goes; where that ended.
fn zero_delalloc(inode: &Inode, map: &Iomap, part: ByteRange) -> Result<u64, Errno> {
    let last_block_end = inode.geometry().up(inode.size());
    let end = inode.rules().delalloc_zeroed_to(part, last_block_end);
    if part.start < end {
        return zero_mapped(inode, map, ByteRange::new(part.start, end));
    }
    forget_beyond_eof(inode, part);
    Ok(part.end)
}

/// Makes unwritten extents of a delayed allocation beyond the end of the file.
fn forget_beyond_eof(inode: &Inode, range: ByteRange) {
    truncate::drop_cache(inode, range);
    let blocks = inode.geometry().blocks_touching(range);
    delalloc::convert(inode, BlockRange { start: blocks.start, end: blocks.end });
}

/// Zeroes `range` through its mapping; how far it came before that went stale. What zeroing has
/// reserved and did not zero is given back, which is nothing as long as it reserves nothing.
fn zero_mapped(inode: &Inode, map: &Iomap, range: ByteRange) -> Result<u64, Errno> {
    let mut pos = range.start;
    let done = zero_folios(inode, map, range, &mut pos);
    if pos < range.end {
        write_cleanup::release_unzeroed(inode, map, range, pos - range.start);
    }
    done.map(|()| pos)
}

/// Zeroes `range` in the cache, folio by folio, from `pos` on, until the mapping goes stale.
fn zero_folios(inode: &Inode, map: &Iomap, range: ByteRange, pos: &mut u64) -> Result<(), Errno> {
    while *pos < range.end {
        let rest = ByteRange::new(*pos, range.end);
        let first = *pos == range.start;
        let found = grab_validated(inode, map, rest, (first, Point::ZeroFolioLocked));
        let Some(folio) = found else { break };
        let part = rest.intersection(folio.range());
        prepare(inode, &folio, map, part)?;
        folio.zero(part);
        folio.set_uptodate(folio.touching(part));
        mark_dirty(inode, &folio, part);
        if inode.rules().zeroing_grows(inode.size() < part.end) {
            inode.grow_size(part.end);
        }
        *pos = part.end;
    }
    Ok(())
}
