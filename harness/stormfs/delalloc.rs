//! Giving delayed allocations their blocks.
//!
//! Kernel: `xfs_bmapi_convert_delalloc`. Blocks become *unwritten* first, so that a crash before
//! the data is on the device exposes zeros and not what the blocks held before (a5949d3faedf).

use crate::extent_map::State;
use crate::inode::Inode;
use crate::quantity::{BlockRange, DiskBlock, FileBlock};

/// Converts every delayed allocation in `range`.
pub(crate) fn convert(inode: &Inode, range: BlockRange) {
    inode.change_fork(|fork| {
        let mut next = range.start;
        while next < range.end {
            let extent = fork.extents.lookup(next);
            let end = extent.blocks.end.min(range.end);
            if extent.state == Some(State::Delalloc) {
                let goal = goal(fork, next);
                let (disk, taken) = inode.shared.space.allocate(end - next, goal);
                fork.extents.convert_delalloc(BlockRange { start: next, end: next + taken }, disk);
                next = next + taken;
            } else {
                next = end;
            }
        }
    });
}

/// Converts the whole record around `block`, as writeback does, so that one file's blocks stay
/// together.
pub(crate) fn convert_around(inode: &Inode, block: FileBlock) {
    let extent = inode.fork(|fork| fork.extents.lookup(block));
    if extent.state == Some(State::Delalloc) {
        convert(inode, extent.blocks);
    }
}

/// Where the block before `block` lies, so that the next one can follow it.
pub(crate) fn goal(fork: &crate::inode::Fork, block: FileBlock) -> DiskBlock {
    let before = block.0.checked_sub(1).map(|before| fork.extents.lookup(FileBlock(before)));
    let disk = before.and_then(|e| e.state.and_then(State::disk).map(|d| d + e.blocks.len()));
    disk.unwrap_or(DiskBlock(0))
}
