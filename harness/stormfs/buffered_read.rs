//! Buffered reads, and how folios get their contents.
//!
//! 1. Lock: `i_rwsem` shared, so that a read is atomic against writes (XFS; ext4 is laxer).
//! 2. For each folio: find it, or under `invalidate_lock` shared create and fill it.
//! 3. Filling, under the folio lock: for each run of blocks that is not uptodate, look up the
//!    mapping now; zeros over holes, delalloc, unwritten extents and beyond the end of the file;
//!    else read from the device and wait.
//!
//! Kernel: `xfs_file_buffered_read`, `filemap_read`, `iomap_read_folio`.

use crate::block_bits::runs;
use crate::errno::Errno;
use crate::inode::{Inode, LockedFolio};
use crate::iomap::{self, Kind};
use crate::points::Point;
use crate::quantity::{ByteRange, narrow};
use block::Bio;

/// Reads the bytes of `range` that lie within the file into `to`. Held: `i_rwsem` shared.
pub(crate) fn read(inode: &Inode, range: ByteRange, to: &mut [u8]) -> Result<u64, Errno> {
    let range = range.intersection(ByteRange::new(0, inode.size()));
    let mut pos = range.start;
    while pos < range.end {
        let part = match cached(inode, ByteRange::new(pos, range.end), to, range.start) {
            Some(end) => Ok(end),
            None => fill_and_copy(inode, ByteRange::new(pos, range.end), to, range.start),
        };
        match part {
            Ok(end) => pos = end,
            Err(error) if pos == range.start => return Err(error),
            Err(_) => break,
        }
    }
    Ok(pos.saturating_sub(range.start))
}

/// Copies from an uptodate folio without locking it; where it ends.
fn cached(inode: &Inode, range: ByteRange, to: &mut [u8], base: u64) -> Option<u64> {
    let folio = inode.cache.lookup(range.start).filter(|folio| folio.is_uptodate())?;
    let part = range.intersection(folio.range());
    folio.read(part.start, &mut to[narrow(part.start - base)..narrow(part.end - base)]);
    Some(part.end)
}

fn fill_and_copy(inode: &Inode, range: ByteRange, to: &mut [u8], base: u64) -> Result<u64, Errno> {
    let folio = uptodate_folio(inode, range.start, range.len())?;
    inode.at(Point::ReadFolioLocked);
    let part = range.intersection(folio.range());
    folio.read(part.start, &mut to[narrow(part.start - base)..narrow(part.end - base)]);
    Ok(part.end)
}

/// The folio at `pos`, locked and uptodate.
fn uptodate_folio(inode: &Inode, pos: u64, len: u64) -> Result<LockedFolio<'_>, Errno> {
    let _keeps_folios_from_removal = inode.invalidate_lock.read();
    let folio = inode.grab_folio(pos, len);
    fill(inode, &folio)?;
    Ok(folio)
}

/// Makes every block of `folio` uptodate.
pub(crate) fn fill(inode: &Inode, folio: &LockedFolio<'_>) -> Result<(), Errno> {
    if folio.is_uptodate() {
        return Ok(());
    }
    let geometry = inode.geometry();
    let missing = inode.rules().read_into(folio.uptodate(), folio.blocks());
    for (from, to) in runs(missing, 0, folio.blocks()) {
        let end = folio.bytes_of(from, to).end;
        let mut pos = folio.bytes_of(from, to).start;
        while pos < end {
            let map = iomap::begin_read(inode, pos);
            let beyond_eof = geometry.up(inode.size()).max(pos);
            let limit = map.range.end.min(end);
            let within = if pos < beyond_eof { limit.min(beyond_eof) } else { limit };
            let part = ByteRange::new(pos, within);
            match map.kind {
                Kind::Mapped(_) if pos < beyond_eof => {
                    let disk = map.disk_of(geometry.block_of(pos)).expect("mapped");
                    read_blocks(inode, folio, part, geometry.offset_of(disk))?;
                }
                Kind::Hole | Kind::Delalloc | Kind::Unwritten(_) | Kind::Mapped(_) => {
                    folio.fill_zeros(part);
                }
            }
            folio.set_uptodate(folio.touching(part));
            pos = part.end;
        }
    }
    Ok(())
}

/// Reads whole blocks of `folio` from the device at `offset` and waits for them.
pub(crate) fn read_blocks(
    inode: &Inode,
    folio: &LockedFolio<'_>,
    range: ByteRange,
    offset: u64,
) -> Result<(), Errno> {
    let cause = inode.number() << 48 | range.start;
    let bio = Bio::read(offset, narrow(range.len()), cause);
    let (bio, result) = inode.shared.device.submit_wait(bio);
    result.map_err(|_| Errno::Io)?;
    folio.fill(range.start, &bio.data);
    Ok(())
}
