//! Page faults: how a mapping gets its pages, and how stores get their blocks.
//!
//! 1. Lock: `invalidate_lock` shared, no `i_rwsem`.
//! 2. The folio, uptodate and locked; `SIGBUS` if the page lies wholly beyond the end of the file.
//! 3. For a store (`page_mkwrite`): reserve every block of the folio below the end of the file,
//!    mark those dirty, make the PTE writable; then unlock.
//!
//! No mapping is revalidated: the folio is uptodate and stays locked, so there is nothing to zero
//! or to read. There is no clean-up, not even if the fault then gives up: what it reserved, it also
//! dirtied. Blocks beyond the end of the file are not marked, as writeback would not write them.
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
use crate::uaccess::Signals;
use crate::write_cleanup;

/// What the task wanted when it faulted.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// To load.
    Read,
    /// To store, unless it is killed.
    Write(&'a dyn Signals),
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
    wanted: Wanted<'_>,
) -> Result<(), Errno> {
    inode.at(Point::FaultEntered);
    let removing = || inode.invalidate_lock.try_read().is_none();
    let waits = inode.rules().faults_wait_for_removal(removing);
    let _keeps_folios_from_removal = waits.then(|| inode.invalidate_lock.read());
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
    match wanted {
        Wanted::Read => table.map(page, folio.handle(), false),
        Wanted::Write(signals) => {
            reserve_and_dirty(inode, &folio, signals).map_err(|_| Errno::Bus)?;
            table.map(page, folio.handle(), true);
            inode.at(Point::FaultPteWritable);
        }
    }
    Ok(())
}

/// Reserves and dirties the blocks of `folio` below the end of the file.
fn reserve_and_dirty(
    inode: &Inode,
    folio: &LockedFolio<'_>,
    signals: &dyn Signals,
) -> Result<(), Errno> {
    let range = folio.range().intersection(ByteRange::new(0, inode.size()));
    let mut rest = range;
    while !rest.is_empty() {
        let map = iomap::begin_write(inode, rest, Purpose::Fault)?;
        inode.at(Point::FaultBeforeDirty);
        let part = rest.intersection(map.range);
        mark_dirty(inode, folio, part);
        if signals.fatal_signal_pending() {
            if inode.rules().fault_revokes(map.new) {
                write_cleanup::release_unused(inode, &map, part, 0);
            }
            return Err(Errno::Bus);
        }
        rest.start = part.end;
    }
    Ok(())
}
