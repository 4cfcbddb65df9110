//! Speculative preallocation: blocks beyond the end of a growing file, taken in advance.
//!
//! Kernel: `xfs_iomap_prealloc_size`, `xfs_free_eofblocks`. Invariant: such blocks lie beyond the
//! end of the file, the file is tagged, and they are gone after release, truncate or a shortage.

use crate::extent_map::State;
use crate::inode::{Fork, Inode};
use crate::quantity::{BlockRange, ByteRange, FileBlock};

/// Files below this size get nothing in advance.
const SMALLEST_FILE: u64 = 64 << 10;

/// Never more than this many bytes in advance.
const LARGEST: u64 = 1 << 20;

/// How many blocks to take after `end` for a write of `range` into `hole`.
///
/// Only a write beyond both the end of the file and the last extent gets any: about as much as the
/// extent before it holds, less as space runs short.
pub(crate) fn blocks(
    inode: &Inode,
    fork: &Fork,
    range: ByteRange,
    hole: BlockRange,
    end: FileBlock,
) -> u64 {
    let geometry = inode.geometry();
    let size = inode.size();
    if range.end <= size || size < SMALLEST_FILE || hole.start < fork.extents.end() {
        return 0;
    }
    let before = hole.start.0.checked_sub(1).map(|block| fork.extents.lookup(FileBlock(block)));
    let run = before.filter(|extent| extent.state.is_some()).map_or(0, |e| e.blocks.len());
    let counts = inode.shared.space.counts();
    let shift = match counts.free() * 100 / counts.total.max(1) {
        5.. => 0,
        2..5 => 2,
        0..2 => 4,
    };
    let wanted = run.next_power_of_two().min(LARGEST / geometry.block_size()) >> shift;
    wanted.min(hole.end - end)
}

/// Gives back blocks beyond the end of the file that nobody asked for. Held: `i_rwsem`
/// exclusively, so that no write is about to use them: a write that shares it may.
///
/// They need not have been taken in advance: where a write fell short after writeback had allocated
/// all that it reserved, the rest lies there as well, and no longer as a delayed allocation that the
/// write would give back. So extents are looked at and no tag, as `xfs_can_free_eofblocks` does.
pub(crate) fn free_eof_blocks(inode: &Inode) {
    assert!(inode.i_rwsem.is_locked());
    let keep = inode.geometry().block_from(inode.size());
    let only_delalloc = inode.fork(|fork| fork.preallocated);
    let beyond = BlockRange { start: keep, end: inode.fork(|fork| fork.extents.end()) };
    if !beyond.is_empty() {
        if only_delalloc {
            inode.punch_delalloc(beyond);
        } else {
            inode.free_blocks(beyond);
        }
    }
    inode.change_fork(|fork| {
        let state = fork.extents.lookup(keep).state;
        fork.speculative = matches!(state, Some(State::Delalloc));
    });
}
