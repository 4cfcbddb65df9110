//! A mapping: what lies under a range of a file, sampled once and used for a while.
//!
//! Kernel: `struct iomap`, `xfs_buffered_write_iomap_begin`, `xfs_read_iomap_begin`. The cookie is
//! the extent map's sequence counter at sampling time; it is per file, not per range, so unrelated
//! changes invalidate it too. That costs a remapping; the other direction would cost data.

use crate::errno::Errno;
use crate::extent_map::{Extent, State};
use crate::inode::{Fork, Inode};
use crate::prealloc;
use crate::quantity::{BlockRange, ByteRange, DiskBlock, FileBlock, Geometry};

/// What a mapping found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Hole,
    /// A reservation without blocks.
    Delalloc,
    /// Allocated blocks that read as zeros; the first one.
    Unwritten(DiskBlock),
    /// Allocated blocks that hold data; the first one.
    Mapped(DiskBlock),
}

impl From<Option<State>> for Kind {
    fn from(state: Option<State>) -> Kind {
        match state {
            None => Kind::Hole,
            Some(State::Delalloc) => Kind::Delalloc,
            Some(State::Unwritten(disk)) => Kind::Unwritten(disk),
            Some(State::Mapped(disk)) => Kind::Mapped(disk),
        }
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iomap {
    /// The blocks it covers.
    pub blocks: BlockRange,
    /// The same in bytes.
    pub range: ByteRange,
    /// What lies there.
    pub kind: Kind,
    /// This very lookup has reserved the blocks: whoever holds the mapping owns them.
    pub new: bool,
    /// It was found to be out of date, and must be sampled again.
    pub stale: bool,
    /// The sequence counter when it was sampled.
    pub sequence: u64,
}

/// What a mapping for writing is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A write system call: reserves, also speculatively.
    Write,
    /// A write fault: reserves what the folio needs.
    Fault,
    /// Zeroing: reserves nothing, as a hole is zero already.
    Zero,
}

/// One lookup asks for at most this many bytes of new reservation (XFS: 1024 pages).
const LARGEST_RESERVATION: u64 = 1024 * crate::quantity::PAGE;

impl Iomap {
    fn new(geometry: Geometry, extent: Extent, new: bool, sequence: u64) -> Iomap {
        Iomap {
            blocks: extent.blocks,
            range: geometry.bytes_of(extent.blocks),
            kind: extent.state.into(),
            new,
            stale: false,
            sequence,
        }
    }

    /// The device block under `block`, if one is allocated.
    pub fn disk_of(&self, block: FileBlock) -> Option<DiskBlock> {
        match self.kind {
            Kind::Hole | Kind::Delalloc => None,
            Kind::Unwritten(disk) | Kind::Mapped(disk) => Some(disk + (block - self.blocks.start)),
        }
    }
}

/// The mapping under `pos`, for reading.
pub(crate) fn begin_read(inode: &Inode, pos: u64) -> Iomap {
    let geometry = inode.geometry();
    inode.fork(|fork| {
        let extent = fork.extents.lookup(geometry.block_of(pos));
        Iomap::new(geometry, extent, false, fork.extents.sequence())
    })
}

/// The mapping under the start of `range`, for writing there.
///
/// Over a hole it reserves blocks, unless the purpose is zeroing; the mapping then covers exactly
/// the blocks reserved here, even if the extent map merged them with their neighbours.
pub(crate) fn begin_write(
    inode: &Inode,
    range: ByteRange,
    purpose: Purpose,
) -> Result<Iomap, Errno> {
    let geometry = inode.geometry();
    let wanted = geometry.blocks_touching(range);
    let map = inode.change_fork(|fork| {
        let found = fork.extents.lookup(wanted.start);
        let hole = found.state.is_none();
        let extent = match purpose {
            Purpose::Write | Purpose::Fault if hole => {
                reserve(inode, fork, range, found.blocks, purpose)?
            }
            Purpose::Write | Purpose::Fault | Purpose::Zero => found,
        };
        let new = hole && extent.state.is_some();
        Ok(Iomap::new(geometry, extent, new, fork.extents.sequence()))
    })?;
    inode.shared.witness.mapping_sampled(inode.view(), &map);
    Ok(map)
}

/// Reserves the part of `range` that lies in `hole`, and perhaps more behind it.
fn reserve(
    inode: &Inode,
    fork: &mut Fork,
    range: ByteRange,
    hole: BlockRange,
    purpose: Purpose,
) -> Result<Extent, Errno> {
    let geometry = inode.geometry();
    let space = &inode.shared.space;
    let capped = ByteRange::new(range.start, range.end.min(range.start + LARGEST_RESERVATION));
    let wanted = geometry.blocks_touching(capped);
    let start = wanted.start;
    let end = wanted.end.min(hole.end);
    let extra = match purpose {
        Purpose::Write if end == wanted.end => prealloc::blocks(inode, fork, range, hole, end),
        Purpose::Write | Purpose::Fault | Purpose::Zero => 0,
    };
    let taken = match space.reserve(end - start + extra) {
        Ok(()) => extra,
        Err(_) => space.reserve(end - start).map(|()| 0)?,
    };
    fork.speculative |= 0 < taken;
    let blocks = BlockRange { start, end: end + taken };
    fork.extents.insert(blocks, State::Delalloc);
    Ok(Extent { blocks, state: Some(State::Delalloc) })
}
