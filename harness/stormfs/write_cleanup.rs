//! What a write gives back of the delayed allocation it reserved and did not fill.
//!
//! Kernel: `xfs_buffered_write_iomap_end`, `iomap_write_delalloc_release` (f43dc4dc3eff, v6.2).
//! Others may have put data into the page cache over these very blocks: a page fault finds the
//! reservation and uses it. So the cache is walked, and only what no dirty block covers is given
//! back; `invalidate_lock` held exclusively keeps faults from adding folios behind the walk. Other
//! writes add folios without it: they are kept out by the write's own lock.
//!
//! The walk ends at the end of the block that holds `i_size`, so that a dirty block that straddles
//! the end of the file keeps its reservation. Beyond it nothing does: the dirty bits of a folio say
//! nothing there, and writeback, which would convert the reservation, does not go there.
//!
//! A mapping that was found stale is released like any other before the write maps again: what it
//! reserved may lie beyond the next mapping, and that one cannot tell it from what others reserved.

use crate::block_bits::runs;
use crate::inode::{Inode, LockedFolio};
use crate::iomap::{Iomap, Kind};
use crate::points::Point;
use crate::quantity::ByteRange;
use crate::truncate;

/// Releases what `map` reserved of `range` beyond its first `written` bytes. Speculative blocks
/// behind the range are kept. Held: a write's lock.
pub(crate) fn release_unused(inode: &Inode, map: &Iomap, range: ByteRange, written: u64) {
    let Some(unused) = unused(inode, map, range, written) else { return };
    let reserved = || inode.holds_delalloc(inode.geometry().blocks_within(unused));
    if map.stale && !inode.rules().stale_mapping_is_released(reserved) {
        return;
    }
    inode.at(Point::WriteEndBeforeWalk);
    let exclusive = inode.rules().cleanup_excludes_faults();
    let _keeps_faults_out = exclusive.then(|| inode.invalidate_lock.write());
    give_back(inode, unused);
}

/// The same for zeroing that came no further than `zeroed` bytes into `range`. Held: `i_rwsem` and
/// `invalidate_lock` exclusively.
pub(crate) fn release_unzeroed(inode: &Inode, map: &Iomap, range: ByteRange, zeroed: u64) {
    let exclusive = inode.rules().zeroing_locks_for_cleanup();
    let _keeps_faults_out = exclusive.then(|| inode.invalidate_lock.write());
    if let Some(unused) = unused(inode, map, range, zeroed) {
        give_back(inode, unused);
    }
}

/// What of `range`, behind its first `done` bytes, is reserved by `map` itself and by nobody else.
fn unused(inode: &Inode, map: &Iomap, range: ByteRange, done: u64) -> Option<ByteRange> {
    if map.kind != Kind::Delalloc || !map.new {
        return None;
    }
    let geometry = inode.geometry();
    let start =
        if done == 0 { geometry.down(range.start) } else { geometry.up(range.start + done) };
    let unused = ByteRange::new(start, geometry.up(range.end));
    (!unused.is_empty()).then_some(unused)
}

fn give_back(inode: &Inode, unused: ByteRange) {
    let others = || inode.cache.any_dirty_or_writeback(unused);
    if inode.rules().cleanup_spares_cache(others) {
        punch_around_cache(inode, unused);
    } else {
        truncate::drop_cache(inode, unused);
        punch(inode, unused);
    }
}

/// Punches the delayed allocations of `unused` that no dirty block needs.
fn punch_around_cache(inode: &Inode, unused: ByteRange) {
    let rules = inode.rules();
    let end_of_file = inode.geometry().up(inode.size());
    let others = |range| inode.cache.any_dirty_or_writeback(range);
    let end = rules.walk_end(unused, end_of_file, others);
    let mut punched_to = unused.start;
    let mut scan = ByteRange::new(unused.start, end);
    while let Some(folio) = inode.cache.first_in(scan) {
        inode.at(Point::WriteEndScan);
        scan.start = rules.walk_continues_at(folio.range().end);
        let Some(folio) = inode.lock_folio(folio) else { continue };
        if folio.is_dirty() {
            punch(inode, ByteRange::new(punched_to, folio.range().start));
            punch_clean_blocks(inode, &folio, ByteRange::new(punched_to, end_of_file.min(end)));
            punched_to = folio.range().end.clamp(punched_to, end);
        }
    }
    punch(inode, ByteRange::new(punched_to, unused.end));
}

fn punch_clean_blocks(inode: &Inode, folio: &LockedFolio<'_>, range: ByteRange) {
    if range.is_empty() {
        return;
    }
    let (first, last) = folio.touching(range);
    for (from, to) in runs(!folio.dirty_blocks(), first, last) {
        punch(inode, folio.bytes_of(from, to));
    }
}

fn punch(inode: &Inode, range: ByteRange) {
    if !range.is_empty() {
        inode.at(Point::WriteEndBeforePunch);
        inode.punch_delalloc(inode.geometry().blocks_within(range));
    }
}
