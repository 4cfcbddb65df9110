//! Memory reclaim: clean folios leave the page cache, at any time, for no reason of ours.
//!
//! It takes the folio lock if it is free, and no other lock. What is dirty or in I/O stays.
//!
//! Kernel: `shrink_folio_list`, `filemap_release_folio`.

use crate::inode::Inode;
use crate::points::Point;
use crate::quantity::ByteRange;
use crate::truncate::remove;

/// Drops what can be dropped of the folios that have a byte in `range`; how many went.
pub(crate) fn evict(inode: &Inode, range: ByteRange) -> u64 {
    let mut dropped = 0;
    let mut rest = range;
    while let Some(folio) = inode.cache.first_in(rest) {
        rest.start = folio.range().end;
        if folio.is_dirty() || folio.is_writeback() {
            continue;
        }
        let Some(folio) = inode.try_lock_folio(folio) else { continue };
        if folio.is_dirty() || folio.is_writeback() {
            continue;
        }
        inode.at(Point::EvictFolioLocked);
        inode.mappings.unmap(&folio);
        remove(inode, &folio);
        dropped += 1;
    }
    dropped
}
