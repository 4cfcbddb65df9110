//! Buffered writes.
//!
//! 1. Lock: `i_rwsem` exclusively, or shared and a range (by the caller, which has also zeroed what
//!    lies between the end of the file and the write).
//! 2. Map: look up the extent under the position, reserving blocks over a hole.
//! 3. For each folio: fault the source in while no lock from `invalidate_lock` on is held; lock it;
//!    *revalidate* the mapping; prepare the blocks that the copy fills only in part; copy with page
//!    faults disabled; accept the copy or not; publish the new size; unlock.
//! 4. Give back what the mapping reserved and the copy did not use; map again if there is more.
//!
//! Kernel: `iomap_file_buffered_write`, `iomap_write_iter`, `__iomap_write_begin`, v6.12.

use crate::block_bits::runs;
use crate::buffered_read::read_blocks;
use crate::errno::Errno;
use crate::extend;
use crate::inode::{Inode, LockedFolio};
use crate::iomap::{self, Iomap, Kind, Purpose};
use crate::op::OpId;
use crate::page_cache::Tag;
use crate::points::Point;
use crate::quantity::{ByteRange, PAGE, wide};
use crate::rules::{Copied, Growth, Kept, PartBlock, SizeMoment, Validity};
use crate::truncate;
use crate::uaccess::UserMemory;
use crate::witness::Used;
use crate::write_cleanup;
use crate::write_lock::WriteLock;

/// How far a write has come, and what stopped it.
pub(crate) struct Progress {
    /// Bytes accepted.
    pub(crate) written: u64,
    /// The error that ended it early. The call reports it only if nothing was written.
    pub(crate) error: Option<Errno>,
}

/// One write call's constants.
struct Call<'a> {
    inode: &'a Inode,
    source: &'a dyn UserMemory,
    /// Where in the file the first byte of the source goes.
    base: u64,
}

/// Writes all of `source` at `pos`.
pub(crate) fn write(held: &WriteLock<'_>, op: OpId, pos: u64, source: &dyn UserMemory) -> Progress {
    let inode = held.inode();
    let call = Call { inode, source, base: pos };
    let end = pos + source.len();
    let mut done = Done { reached: pos, error: None, stale: false, new: false };
    let mut barren = 0;
    while done.reached < end && done.error.is_none() {
        let turn = held.turn(barren);
        let range = ByteRange::new(done.reached, end);
        done = map_and_write(&call, range, done.stale && done.new);
        let accepted = done.reached - range.start;
        let used = Used { accepted, stale: done.stale, beside_others: turn.is_beside_others() };
        inode.shared.witness.mapping_done(inode.view(), op, range, used);
        barren = if accepted == 0 { barren + 1 } else { 0 };
        if accepted == 0 && !done.stale {
            break;
        }
    }
    inode.shared.witness.cleanup_done(inode.view(), op, ByteRange::new(pos, end));
    drop_beyond_eof(inode, end);
    Progress { written: done.reached - pos, error: done.error }
}

/// How far a write came through one mapping.
struct Done {
    reached: u64,
    error: Option<Errno>,
    /// Whether the mapping was found out of date.
    stale: bool,
    /// Whether it counted as new.
    new: bool,
}

/// Maps the start of `range`, writes through the mapping, and gives back what it did not use.
fn map_and_write(call: &Call<'_>, range: ByteRange, follows_new: bool) -> Done {
    let inode = call.inode;
    let mut map = match iomap::begin_write(inode, range, Purpose::Write) {
        Ok(map) => map,
        Err(error) => {
            return Done { reached: range.start, error: Some(error), stale: false, new: false };
        }
    };
    if follows_new {
        map.new = inode.rules().successor_is_new(map.new);
    }
    inode.at(Point::WriteMapped);
    let mapped = range.intersection(map.range);
    publish_size(inode, SizeMoment::Mapped, mapped.end);
    let (reached, error) = write_mapped(call, &mut map, mapped);
    write_cleanup::release_unused(inode, &map, mapped, reached - range.start);
    Done { reached, error, stale: map.stale, new: map.new }
}

/// Writes through one mapping, folio by folio, until it ends, turns out to be stale, or fails.
/// Returns the position reached.
fn write_mapped(call: &Call<'_>, map: &mut Iomap, range: ByteRange) -> (u64, Option<Errno>) {
    let mut pos = range.start;
    let mut chunk = call.inode.geometry().max_folio();
    // What a rejected short copy leaves to try: never more than can be copied.
    let mut limit = u64::MAX;
    while pos < range.end {
        let bytes = (chunk - pos % chunk).min(range.end - pos).min(limit);
        let present = call.source.fault_in(pos - call.base, bytes);
        if present == 0 {
            return (pos, Some(Errno::Fault));
        }
        call.inode.at(Point::WriteFaultedIn);
        match write_folio(call, map, ByteRange::at(pos, bytes), pos == range.start) {
            Err(error) => return (pos, Some(error)),
            Ok(Step::Stale) => {
                map.stale = true;
                return (pos, None);
            }
            Ok(Step::Accepted(accepted)) => {
                pos += accepted;
                limit = u64::MAX;
            }
            Ok(Step::Rejected { copied }) => {
                limit = call.inode.rules().tried_again(copied).min(limit);
                chunk = (chunk / 2).max(PAGE);
            }
        }
    }
    (pos, None)
}

/// What became of one folio's turn.
enum Step {
    /// The mapping is out of date; nothing was touched.
    Stale,
    /// So many bytes are in the file.
    Accepted(u64),
    /// The copy ended early where that cannot be kept; the file is as it was.
    Rejected {
        /// Bytes that the copy got.
        copied: u64,
    },
}

/// One folio's turn. `first`: no other folio has had one with this mapping.
fn write_folio(
    call: &Call<'_>,
    map: &Iomap,
    wanted: ByteRange,
    first: bool,
) -> Result<Step, Errno> {
    let inode = call.inode;
    let found = grab_validated(inode, map, wanted, (first, Point::WriteFolioLocked));
    let Some(folio) = found else { return Ok(Step::Stale) };
    let range = wanted.intersection(folio.range());
    inode.at(Point::WriteValidated);
    prepare(inode, &folio, map, range)?;
    let folio_uptodate = folio.is_uptodate();
    let copied = copy(call, &folio, range);
    inode.at(Point::WriteCopied);
    let kept = accept(inode, &folio, ByteRange::at(range.start, copied), range, folio_uptodate);
    if kept == 0 {
        return Ok(Step::Rejected { copied });
    }
    inode.at(Point::WriteAccepted);
    let size = inode.size();
    publish_size(inode, SizeMoment::Accepted, range.start + kept);
    drop(folio);
    inode.at(Point::WriteUnlocked);
    publish_size(inode, SizeMoment::Unlocked, range.start + kept);
    if size < range.start {
        extend::size_grew(inode, size, range.start, Growth::Write);
    }
    Ok(Step::Accepted(kept))
}

/// Publishes `end` as the size of a file that has grown to it, if this is the moment.
fn publish_size(inode: &Inode, moment: SizeMoment, end: u64) {
    if inode.size() < end && inode.rules().publishes_size(moment) {
        inode.grow_size(end);
        inode.at(Point::WriteSizePublished);
    }
}

/// The folio at the start of `wanted`, locked at the point given, if `map` is still true of it.
///
/// The cookie is compared under the folio lock: whatever changes what lies under the folio holds
/// that lock, or the folio's writeback state, or has taken the folio out of the cache before.
pub(crate) fn grab_validated<'a>(
    inode: &'a Inode,
    map: &Iomap,
    wanted: ByteRange,
    (first_folio, locked): (bool, Point),
) -> Option<LockedFolio<'a>> {
    let before_lock = inode.sequence();
    let folio = inode.grab_folio(wanted.start, wanted.len());
    inode.at(locked);
    let now = inode.sequence();
    let validity = Validity { sampled: map.sequence, before_lock, now, first_folio };
    if !inode.rules().mapping_is_current(validity) {
        return None;
    }
    let range = wanted.intersection(folio.range());
    inode.shared.witness.mapping_validated(inode.view(), map, range);
    Some(folio)
}

fn copy(call: &Call<'_>, folio: &LockedFolio<'_>, range: ByteRange) -> u64 {
    let mut next = range.start;
    call.source.copy(range.start - call.base, range.len(), &mut |bytes| {
        folio.write(next, bytes);
        next += wide(bytes.len());
    })
}

/// Makes what is kept of a copy part of the file: uptodate and dirty. Returns how much that is.
fn accept(
    inode: &Inode,
    folio: &LockedFolio<'_>,
    copied: ByteRange,
    wanted: ByteRange,
    folio_uptodate: bool,
) -> u64 {
    let last = inode.geometry().down(copied.end);
    let (first, end) = folio.touching(ByteRange::new(last, copied.end));
    let kept = inode.rules().kept(Copied {
        wanted: wanted.len(),
        bytes: copied.len(),
        in_whole_blocks: last.saturating_sub(copied.start),
        ends_uptodate: copied == wanted || folio.uptodate_in((first, end)),
        folio_uptodate,
    });
    let range = ByteRange::at(copied.start, kept);
    let touched = folio.touching(range);
    if !range.is_empty() {
        folio.set_uptodate(touched);
    }
    let from_start = range.start == folio.range().start;
    let kept_copy =
        Kept { bytes: kept, from_start, touched, blocks: folio.blocks(), folio_uptodate };
    if let Some(blocks) = inode.rules().dirtied(kept_copy) {
        mark_blocks_dirty(inode, folio, blocks);
    }
    for (from, to) in runs(!folio.uptodate(), 0, folio.blocks()) {
        // What was copied into a block that nobody may read has changed nothing.
        folio.clear_modified((from, to));
    }
    kept
}

/// A write up to `end` that ended early may leave folios beyond the end of the file: takes them out
/// again, whole, as the write may begin and end within one.
fn drop_beyond_eof(inode: &Inode, end: u64) {
    let size = inode.size();
    if size < end {
        let folios = inode.geometry().folios_touching(ByteRange::new(size, end));
        truncate::drop_cache(inode, ByteRange::new(size, folios.end));
    }
}

/// Marks the blocks of `range` dirty, and the folio with them.
pub(crate) fn mark_dirty(inode: &Inode, folio: &LockedFolio<'_>, range: ByteRange) {
    mark_blocks_dirty(inode, folio, folio.touching(range));
}

fn mark_blocks_dirty(inode: &Inode, folio: &LockedFolio<'_>, blocks: (u32, u32)) {
    if folio.set_dirty(blocks) {
        inode.cache.tag(folio, Tag::Dirty);
    }
}

/// Makes uptodate every block that a change of `range` touches only in part. `map` must be current.
///
/// A block is filled whole, also where the change is about to go: the copy may end early, and then
/// every byte of a block that is uptodate must be the file's.
///
/// | block of the folio             | what lies there           | what is done            |
/// |--------------------------------|---------------------------|-------------------------|
/// | uptodate                       | any                       | nothing                 |
/// | wholly inside `range`          | any                       | nothing: it is all new  |
/// | partly inside                  | not MAPPED, NEW, or past EOF | zeros               |
/// | partly inside                  | MAPPED                    | read from the device    |
pub(crate) fn prepare(
    inode: &Inode,
    folio: &LockedFolio<'_>,
    map: &Iomap,
    range: ByteRange,
) -> Result<(), Errno> {
    if range == folio.range() || folio.is_uptodate() {
        return Ok(());
    }
    let (first, last) = folio.touching(range);
    for (from, to) in runs(!folio.uptodate(), first, last) {
        for block in from..to {
            let bytes = folio.bytes_of(block, block + 1);
            if bytes.intersection(range) == bytes {
                continue;
            }
            fill_block(inode, folio, map, bytes)?;
            folio.set_uptodate((block, block + 1));
        }
    }
    Ok(())
}

/// Fills the block of `bytes` with what the file holds there.
fn fill_block(
    inode: &Inode,
    folio: &LockedFolio<'_>,
    map: &Iomap,
    bytes: ByteRange,
) -> Result<(), Errno> {
    let geometry = inode.geometry();
    let block = PartBlock {
        mapped: matches!(map.kind, Kind::Mapped(_)),
        new: map.new,
        beyond_eof: inode.size() <= bytes.start,
    };
    if inode.rules().gets_zeros(block) {
        folio.fill_zeros(bytes);
    } else if let Some(disk) = map.disk_of(geometry.block_of(bytes.start)) {
        read_blocks(inode, folio, bytes, geometry.offset_of(disk))?;
    }
    Ok(())
}
