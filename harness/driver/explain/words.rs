//! What was changed, in words. The subject is whoever changed it.

use super::cast::Cast;
use super::content::Content;
use super::state::{Change, Lies, What};
use oracle::pattern::Origin;
use stormfs::iomap::{Iomap, Kind};
use stormfs::op::OpId;
use stormfs::quantity::BlockRange;

/// Blocks as `blocks 0..4`.
pub fn blocks(range: BlockRange) -> String {
    if range.len() == 1 {
        format!("block {}", range.start.0)
    } else {
        format!("blocks {}..{}", range.start.0, range.end.0)
    }
}

/// What a change is, as the end of a sentence.
pub fn verb(change: &Change, cast: &Cast, acting: Option<OpId>) -> String {
    let at = change.range.map_or_else(String::new, |range| range.to_string());
    match change.what {
        What::Size(from, to) if from < to => format!("grows the file from {from} to {to} bytes"),
        What::Size(from, to) => format!("cuts the file from {from} to {to} bytes"),
        What::SizeDisk(from, to) => format!("moves the size on disk from {from} to {to}"),
        What::Extents(range, from, to) => extents(range, from, to),
        What::Cached => format!("adds {at} to the cache"),
        What::Dropped(true) => format!("takes {at}, which is dirty, out of the cache"),
        What::Dropped(false) => format!("takes {at} out of the cache"),
        What::Filled => format!("makes {at} uptodate in the cache"),
        What::Dirtied => format!("dirties {at} in the cache"),
        What::Cleaned => format!("marks {at} clean in the cache"),
        What::Flag(true) => format!("sets the dirty flag of the folio over {at}"),
        What::Flag(false) => format!("clears the dirty flag of the folio over {at}"),
        What::Writeback(true) => format!("puts {at} under writeback"),
        What::Writeback(false) => format!("ends writeback of {at}"),
        What::Writable(true) => format!("makes {at} writable through a mapping"),
        What::Writable(false) => format!("takes write access to {at} from mappings"),
        What::InCache(was, is) => in_cache(was, is, (cast, acting)),
        What::OnDisk(was, is) => on_disk(was, is, (cast, acting)),
        What::Sequence(from, to) => format!("moves the sequence counter from {from} to {to}"),
    }
}

fn extents(range: BlockRange, from: Lies, to: Lies) -> String {
    let blocks = blocks(range);
    match (from, to) {
        (Lies::Hole, Lies::Delalloc) => format!("reserves {blocks} (delalloc)"),
        (Lies::Delalloc, Lies::Hole) => format!("gives back the reservation of {blocks}"),
        (Lies::Delalloc, Lies::Unwritten) => format!("allocates {blocks}, unwritten"),
        (Lies::Delalloc, Lies::Mapped) => format!("allocates {blocks}, which count as written"),
        (Lies::Unwritten, Lies::Mapped) => format!("marks {blocks} as written"),
        (Lies::Mapped | Lies::Unwritten, Lies::Hole) => format!("frees {blocks}"),
        (from, to) => format!("turns {blocks} from {} to {}", from.name(), to.name()),
    }
}

/// The cast, and the operation that acts.
type Told<'a> = (&'a Cast, Option<OpId>);

/// A byte by its origin.
fn origin(origin: Origin, (cast, acting): Told<'_>) -> String {
    match origin {
        Origin::Zero => "zero".to_owned(),
        Origin::Op(op) if acting == Some(op) => "its own bytes".to_owned(),
        Origin::Op(op) => cast.bytes_of(op),
        Origin::FolioPoison => "memory that nobody initialised".to_owned(),
        Origin::DevicePoison => "what a device block held that nobody wrote".to_owned(),
        Origin::Unknown => "bytes that name nobody".to_owned(),
    }
}

fn in_cache(was: Content, is: Content, told: Told<'_>) -> String {
    let pos = is.pos;
    match (was.cached, is.cached) {
        (_, None) => format!("leaves nothing cached of byte {pos}"),
        (None, Some(now)) => format!("puts {} at byte {pos} of the cache", origin(now, told)),
        (Some(was), Some(now)) => {
            let (was, now) = (origin(was, told), origin(now, told));
            format!("puts {now} at byte {pos} of the cache, over {was}")
        }
    }
}

fn on_disk(was: Content, is: Content, told: Told<'_>) -> String {
    let pos = is.pos;
    match (was.disk, is.disk) {
        (_, None) => format!("leaves no data on disk for byte {pos}"),
        (None, Some(now)) => format!("leaves {} on disk for byte {pos}", origin(now, told)),
        (Some(was), Some(now)) => {
            let (was, now) = (origin(was, told), origin(now, told));
            format!("leaves {now} on disk for byte {pos}, where {was} was")
        }
    }
}

/// A mapping, as a noun.
pub fn mapping(map: &Iomap) -> String {
    let kind = match map.kind {
        Kind::Hole => "a hole",
        Kind::Delalloc if map.new => "delalloc that it reserved itself",
        Kind::Delalloc => "delalloc",
        Kind::Unwritten(_) => "unwritten",
        Kind::Mapped(_) => "mapped",
    };
    format!("{} as {kind}, sampled at sequence {}", blocks(map.blocks), map.sequence)
}
