//! Invariants of folios and of the mappings that reach them.

use crate::invariant::{Evidence, at, invariants};
use stormfs::block_bits::runs;
use stormfs::folio::Folio;
use stormfs::quantity::ByteRange;
use stormfs::view::View;

invariants! { subject 2;
    /// Every block that is dirty, and lies below the end of the file, has a reservation or blocks of
    /// its own. Writeback drops a dirty block over a hole without a word, fsync reports success, and
    /// the data is gone with the folio. Judged at every unlock of a folio, and where a write has
    /// given back what it reserved and did not use; blocks that an operation in flight is growing the
    /// file over are its own affair until it ends.
    Always fn folio_dirty_block_has_backing(file: View<'_>, folio: &Folio, end: u64) {
        for (from, to) in runs(folio.dirty_blocks() | folio.modified(), 0, below(folio, end)) {
            backed(file, folio.bytes_of(from, to))?;
        }
        Ok(())
    }

    /// A block whose bytes were changed since writeback read them is dirty: otherwise nobody will
    /// write them, and reclaim may drop them at any time.
    Always fn folio_modified_block_is_dirty(folio: &Folio, end: u64) {
        let lost = folio.modified() & folio.uptodate() & !folio.dirty_blocks();
        match runs(lost, 0, below(folio, end)).next() {
            None => Ok(()),
            Some((from, to)) => {
                Err(at(folio.bytes_of(from, to), "modified blocks dirty", "modified and clean"))
            }
        }
    }

    /// A dirty block is uptodate; a folio is dirty exactly if one of its blocks is, and then
    /// writeback can find it by its tag.
    Always fn folio_bits_are_consistent(file: View<'_>, folio: &Folio) {
        let (dirty, uptodate) = (folio.dirty_blocks(), folio.uptodate());
        let flag = folio.is_dirty();
        let found = match () {
            () if dirty & !uptodate != 0 => "a dirty block that is not uptodate",
            () if flag && dirty == 0 => "a dirty flag and no dirty block",
            () if !flag && dirty != 0 => "dirty blocks and no dirty flag",
            () if flag && !file.is_tagged_dirty(folio) => "a dirty folio without the dirty tag",
            () => return Ok(()),
        };
        Err(at(folio.range(), "consistent folio bits", found))
    }

    /// No PTE can write to a folio that is clean. A store through it would change bytes without
    /// anybody knowing, and without a reservation.
    Always fn folio_clean_means_write_protected(file: View<'_>, folio: &Folio) {
        if folio.is_dirty() || !file.is_writable(folio) {
            return Ok(());
        }
        Err(at(folio.range(), "no writable PTE on a clean folio", "a writable PTE"))
    }
}

/// The bits of the blocks that start below `end`.
fn below(folio: &Folio, end: u64) -> u32 {
    folio.touching(ByteRange::new(folio.range().start, end.max(folio.range().start))).1
}

fn backed(file: View<'_>, range: ByteRange) -> Result<(), Evidence> {
    let blocks = file.geometry().blocks_touching(range);
    let hole = file.extents(blocks).into_iter().find(|extent| extent.state.is_none());
    hole.map_or(Ok(()), |hole| {
        let place = file.geometry().bytes_of(hole.blocks);
        Err(at(place, "a reservation or blocks under dirty data", "a hole"))
    })
}
