//! Giving delayed allocations their blocks.
//!
//! Kernel: `xfs_bmapi_convert_delalloc`. Blocks become *unwritten* first, so that a crash before
//! the data is on the device exposes zeros and not what the blocks held before (a5949d3faedf).

use crate::extent_map::State;
use crate::inode::{Fork, Inode};
use crate::quantity::{BlockRange, DiskBlock, FileBlock};

/// Converts every delayed allocation in `range`.
pub(crate) fn convert(inode: &Inode, range: BlockRange) {
    inode.change_fork(|fork| {
        let mut next = range.start;
        while next < range.end {
            let extent = fork.extents.lookup(next);
            let end = extent.blocks.end.min(range.end);
            if extent.state == Some(State::Delalloc) {
                next = allocate(inode, fork, BlockRange { start: next, end }).end;
            } else {
                next = end;
            }
        }
    });
}

/// Converts the record around `block`, as writeback does, from its front, so that one file's blocks
/// stay together. Where free space is in pieces it stops with the piece that reaches the block:
/// the rest of the record stays delayed.
pub(crate) fn convert_around(inode: &Inode, block: FileBlock) {
    let mut delayed = true;
    while delayed {
        delayed = inode.change_fork(|fork| {
            let extent = fork.extents.lookup(block);
            let delayed = extent.state == Some(State::Delalloc);
            if delayed {
                let allocated = allocate(inode, fork, extent.blocks);
                if !inode.rules().allocates_unwritten() {
                    fork.extents.mark_written(allocated, true);
                }
            }
            delayed
        });
    }
}

/// Gives the front of `blocks`, which are delayed, one run of the device; which of them got some.
fn allocate(inode: &Inode, fork: &mut Fork, blocks: BlockRange) -> BlockRange {
    let (disk, taken) = inode.shared.space.allocate(blocks.len(), goal(fork, blocks.start));
    let allocated = BlockRange { start: blocks.start, end: blocks.start + taken };
    let advances = inode.rules().allocation_advances_sequence();
    fork.extents.convert_delalloc(allocated, disk, advances);
    allocated
}

/// Where the block before `block` lies, so that the next one can follow it.
fn goal(fork: &Fork, block: FileBlock) -> DiskBlock {
    let before = block.0.checked_sub(1).map(|before| fork.extents.lookup(FileBlock(before)));
    let disk = before.and_then(|e| e.state.and_then(State::disk).map(|d| d + e.blocks.len()));
    disk.unwrap_or(DiskBlock(0))
}
