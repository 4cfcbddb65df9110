//! Growing a file: what was beyond its end must read as zero, and stores must find backing.
//!
//! Bytes beyond the end of the last page can be stored to through a mapping, and blocks beyond the
//! last one have no reservation even where their folio is writable. So before the size grows, the
//! gap is zeroed through cache and extents under `invalidate_lock`; after it has grown, the folio
//! that straddled the old end loses its writable PTEs, and stores that slipped in between over
//! blocks that nobody reserved are undone: they were concurrent with the extension and may be lost,
//! but must not stay in the cache alone.
//!
//! Kernel: `xfs_file_write_checks`, `pagecache_isize_extended` (90a8020278, v3.18; zeroing since
//! 52aecaee1c26, v6.13).

use crate::block_bits::runs;
use crate::errno::Errno;
use crate::inode::{Fork, Inode, LockedFolio};
use crate::iomap::{self, Kind};
use crate::quantity::ByteRange;
use crate::rules::Growth;
use crate::truncate::wait_for_writeback;
use crate::zero_range;

/// Zeroes `[size, pos)` before a write at `pos`. Held: the lock of a write that extends.
pub(crate) fn zero_gap(inode: &Inode, pos: u64) -> Result<(), Errno> {
    let gap = ByteRange::new(inode.size(), pos);
    if gap.is_empty() {
        return Ok(());
    }
    let _keeps_faults_out = inode.invalidate_lock.write();
    zero_exposed(inode, gap, Growth::Write)
}

/// Zeroes what a file is about to grow over. Held: `i_rwsem`, and `invalidate_lock` exclusively.
pub(crate) fn zero_exposed(inode: &Inode, gap: ByteRange, by: Growth) -> Result<(), Errno> {
    if inode.rules().zeroes_exposed(by, || holds_anything(inode, gap)) {
        return zero_range::zero(inode, gap);
    }
    Ok(())
}

/// Whether a folio or an extent lies in `range`.
fn holds_anything(inode: &Inode, range: ByteRange) -> bool {
    let blocks = inode.geometry().blocks_touching(range);
    let allocated = |fork: &Fork| fork.extents.pieces(blocks).any(|piece| piece.state.is_some());
    inode.cache.first_in(range).is_some() || inode.fork(allocated)
}

/// The size has grown from `old` to at least `new`, and no write has filled what lies between.
pub(crate) fn size_grew(inode: &Inode, old: u64, new: u64, by: Growth) {
    let Some(folio) = inode.cache.lookup(old).and_then(|folio| inode.lock_folio(folio)) else {
        return;
    };
    if inode.rules().growth_protects(|| inode.mappings.can_write(&folio)) {
        inode.mappings.protect(&folio);
    }
    let exposed = ByteRange::new(old, new).intersection(folio.range());
    if inode.rules().zeroes_exposed(by, || !exposed.is_empty()) {
        zero_unbacked(inode, &folio, exposed);
    }
}

/// In the folio that straddled the old end, a block that is dirty keeps what was stored to it: it
/// has backing and will be written. So does one that writeback has written since the size grew.
/// What was stored to a block without data of its own goes.
fn zero_unbacked(inode: &Inode, folio: &LockedFolio<'_>, exposed: ByteRange) {
    // Unwritten extents of blocks in I/O have data, and do not say so yet.
    wait_for_writeback(folio);
    let (first, last) = folio.touching(exposed);
    for (from, to) in runs(!folio.dirty_blocks(), first, last) {
        for block in from..to {
            let bytes = folio.bytes_of(block, block + 1);
            if !matches!(iomap::begin_read(inode, bytes.start).kind, Kind::Mapped(_)) {
                folio.fill_zeros(bytes.intersection(exposed));
                folio.clear_modified((block, block + 1));
            }
        }
    }
}
