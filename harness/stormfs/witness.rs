//! What the filesystem tells an observer, and when: the commit points of its operations.
//!
//! The calls are made in the task that acts, with the locks held that each one names, so that an
//! observer can judge a step at the moment it is taken. An observer only looks.

use crate::folio::Folio;
use crate::iomap::Iomap;
use crate::op::OpId;
use crate::quantity::{BlockRange, ByteRange, DiskBlock};
use crate::view::View;

/// What an operation may do to a file's contents and size, announced before it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Look at the bytes of a range by a call.
    Read(ByteRange),
    /// Look at the bytes of a range through a mapping.
    Load(ByteRange),
    /// Put the operation's own bytes over a range by a call.
    Write(ByteRange),
    /// Put the operation's own bytes over a range that begins where the file ended.
    Append(ByteRange),
    /// Put over `range` what a mapping of the same file holds at `source`.
    WriteFrom {
        /// The bytes.
        range: ByteRange,
        /// Where they come from.
        source: ByteRange,
    },
    /// Put the operation's own bytes over a range through a mapping.
    Store(ByteRange),
    /// Make zeros of `range`, and grow the file to `grows_to` if that is more than its size.
    Zero {
        /// The bytes.
        range: ByteRange,
        /// The size it leaves at least.
        grows_to: Option<u64>,
    },
    /// Grow the file to this size if that is more than it has.
    Grow(u64),
    /// Make the file this long.
    Resize(u64),
}

/// What an operation has done, to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'a> {
    /// Saw these bytes at `pos`.
    Saw {
        /// Where.
        pos: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// Put its own bytes over the range; empty if it failed.
    Wrote(ByteRange),
    /// Put these bytes, seen in a mapping at `source`, at `pos`.
    WroteFrom {
        /// Where they are now.
        pos: u64,
        /// Where they came from.
        source: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// All that it announced.
    AsIntended,
    /// It failed on the way: each byte, and the size, is as announced or as it was.
    Perhaps,
    /// Nothing.
    Nothing,
}

/// What became of a mapping of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Bytes accepted through it.
    pub accepted: u64,
    /// Whether it went out of date before it was used up.
    pub stale: bool,
    /// Whether other writes of the file could map and reserve at the same time.
    pub beside_others: bool,
}

/// I/O that writeback hands to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    /// The file's blocks.
    pub blocks: BlockRange,
    /// Where they go.
    pub disk: DiskBlock,
    /// Whether completion will mark them written.
    pub converts: bool,
}

/// I/O that the device has completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that it carried, to the byte: cut to the size of the file when they were read.
    pub bytes: ByteRange,
    /// The size on disk before it.
    pub size_disk_before: u64,
    /// The size on disk since.
    pub size_disk_after: u64,
}

/// An observer of one filesystem. Every method has an empty default.
pub trait Witness: Send + Sync {
    /// From now on the effect of `op` may be seen. Held: what excludes others from the range.
    fn begins(&self, _file: View<'_>, _op: OpId, _intent: Intent) {}

    /// The effect of `op` is complete. Held: as in [`Witness::begins`].
    fn ends(&self, _file: View<'_>, _op: OpId, _effect: Effect<'_>) {}

    /// `folio` is about to be unlocked. Held: its lock.
    fn folio_unlocks(&self, _file: View<'_>, _folio: &Folio) {}

    /// `map` has been sampled for writing or zeroing. Held: no folio lock, unless by a page fault.
    fn mapping_sampled(&self, _file: View<'_>, _map: &Iomap) {}

    /// A cached mapping was found current for `range`. Held: the folio lock.
    fn mapping_validated(&self, _file: View<'_>, _map: &Iomap, _range: ByteRange) {}

    /// A write is through with a mapping of the start of `range`. Held: as in [`Witness::begins`].
    fn mapping_done(&self, _file: View<'_>, _op: OpId, _range: ByteRange, _used: Used) {}

    /// A write of `range` has given back what it did not use of its mappings. Held: as in
    /// [`Witness::begins`].
    fn cleanup_done(&self, _file: View<'_>, _op: OpId, _range: ByteRange) {}

    /// Writeback has read `folio` for I/O. Held: its lock.
    fn folio_cleaned(&self, _file: View<'_>, _folio: &Folio) {}

    /// Writeback hands I/O to the device.
    fn submits(&self, _file: View<'_>, _submission: Submission) {}

    /// I/O has completed, and the extents and the size on disk say so. The folios it came from are
    /// in writeback still.
    fn completed(&self, _file: View<'_>, _completion: Completion) {}

    /// Writeback of `range` failed: the cache is clean and the device holds something older.
    fn writeback_failed(&self, _file: View<'_>, _range: ByteRange) {}
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blind;

impl Witness for Blind {}
