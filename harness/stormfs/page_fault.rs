//! Page faults: how a mapping gets its pages, and how stores get their blocks.
//!
//! 1. Lock: `invalidate_lock` shared, no `i_rwsem`.
//! 2. The folio, uptodate and locked; `SIGBUS` if the page lies wholly beyond the end of the file.
//! 3. For a store (`page_mkwrite`): reserve every block of the folio below the end of the file,
//!    mark those dirty, make the PTE writable; then unlock.
//!
//! No mapping is revalidated: the folio is uptodate and stays locked, so there is nothing to zero
//! or to read. There is no clean-up: what the fault reserved, it also dirtied. Blocks beyond the
//! end of the file are not marked, as writeback would not write them.
//!
//! Kernel: `filemap_fault`, `xfs_filemap_page_mkwrite`, `iomap_page_mkwrite`.

use crate::buffered_read::fill;
use crate::buffered_write::mark_dirty;
use crate::errno::Errno;
use crate::inode::{Inode, LockedFolio};
use crate::iomap::{self, Purpose};
use crate::page_table::PageTable;
use crate::points::Point;
use crate::quantity::{ByteRange, PAGE, narrow, page_up};

/// What the task wanted when it faulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To load.
    Read,
    /// To store.
    Write,
}

/// The parts of `range` that lie in one page each.
pub(crate) fn page_parts(range: ByteRange) -> impl Iterator<Item = ByteRange> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        (next < range.end).then(|| {
            let part = ByteRange::new(next, page_up(next + 1).min(range.end));
            next = part.end;
            part
        })
    })
}

/// The place of `part` in a buffer that starts at `base`.
pub(crate) fn within(part: ByteRange, base: u64) -> std::ops::Range<usize> {
    let start = narrow(part.start - base);
    start..start + narrow(part.len())
}

/// Makes the page at `pos` accessible through `table`.
pub(crate) fn fault(
    inode: &Inode,
    table: &PageTable,
    pos: u64,
    wanted: Wanted,
) -> Result<(), Errno> {
    inode.at(Point::FaultEntered);
    let _keeps_folios_from_removal = inode.invalidate_lock.read();
    let page = pos - pos % PAGE;
    if page_up(inode.size()) <= page {
        return Err(Errno::Bus);
    }
    let folio = inode.grab_folio(page, PAGE);
    fill(inode, &folio).map_err(|_| Errno::Bus)?;
    // The size may have shrunk while the folio was read.
    if page_up(inode.size()) <= page {
        return Err(Errno::Bus);
    }
    inode.at(Point::FaultFolioLocked);
    if wanted == Wanted::Write {
        reserve_and_dirty(inode, &folio).map_err(|_| Errno::Bus)?;
    }
    table.map(page, folio.handle(), wanted == Wanted::Write);
    if wanted == Wanted::Write {
        inode.at(Point::FaultPteWritable);
    }
    Ok(())
}

/// Reserves and dirties the blocks of `folio` below the end of the file.
fn reserve_and_dirty(inode: &Inode, folio: &LockedFolio<'_>) -> Result<(), Errno> {
    let range = folio.range().intersection(ByteRange::new(0, inode.size()));
    let mut rest = range;
    while !rest.is_empty() {
        let map = iomap::begin_write(inode, rest, Purpose::Fault)?;
        inode.at(Point::FaultBeforeDirty);
        let part = rest.intersection(map.range);
        mark_dirty(inode, folio, part);
        rest.start = part.end;
    }
    Ok(())
}
