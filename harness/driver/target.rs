//! What actors act on: something that performs operations and can be asked for sizes.
//!
//! Operations, actors, faults and the tally know a [`Target`] only; the filesystem model is one.

use crate::abandoned::Victim;
use crate::call::Call;
use crate::user_buffer::UserBuffer;
use oracle::pattern;
use std::sync::Arc;
use stormfs::Filesystem;
use stormfs::op::{Op, OpId, Outcome};
use stormfs::quantity::{ByteRange, narrow};

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Performed {
    /// What it returned.
    pub outcome: Outcome,
    /// How many bytes it was asked to move; 0 if it moves none.
    pub asked: u64,
    /// Whether its source was made to fall short.
    pub short_source: Shortness,
    /// Whether its write fault was to be given up.
    pub abandoned: Abandoned,
}

/// What became of a store that was to give up at its first write fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abandoned {
    /// It was.
    pub armed: bool,
    /// It had a fault, and gave up.
    pub fired: bool,
}

/// What was wrong with a write's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortness {
    /// It had a byte that was not present.
    pub armed: bool,
    /// A copy met that byte.
    pub fired: bool,
    /// The byte could never be read.
    pub persistent: bool,
}

/// Performs operations.
pub trait Target: Send + Sync {
    /// Makes `memory`, the actor's own and reused from call to call, what `call` needs: the bytes
    /// that it writes, or room for those that it reads.
    fn prepare(&self, id: OpId, call: &Call, memory: &mut Vec<u8>);

    /// Performs `call` as operation `id`, in the mapping of `mapper` where it uses one, with the
    /// `memory` that was prepared for it.
    fn perform(&self, id: OpId, mapper: usize, call: &Call, memory: &mut [u8]) -> Performed;

    /// The size of a file now.
    fn size(&self, file: usize) -> u64;

    /// The extent or hole of a file that holds the byte at `pos` now.
    fn extent(&self, file: usize, pos: u64) -> ByteRange;
}

/// The filesystem model as a target.
pub struct StormTarget {
    /// The filesystem.
    pub filesystem: Arc<Filesystem>,
}

impl Target for StormTarget {
    fn prepare(&self, id: OpId, call: &Call, memory: &mut Vec<u8>) {
        match call.op {
            Op::Read(range) | Op::MmapLoad(range) => memory.resize(narrow(range.len()), 0),
            Op::Write(range) | Op::MmapStore(range) => {
                patterned(id, range.start, range.len(), memory);
            }
            Op::Append(len) => patterned(id, 0, len, memory),
            Op::WriteFromMmap { .. }
            | Op::Truncate(_)
            | Op::Punch(_)
            | Op::ZeroRange { .. }
            | Op::Fallocate { .. }
            | Op::Fsync
            | Op::Sync
            | Op::Writeback(_)
            | Op::Evict(_)
            | Op::Release => {}
        }
    }

    fn perform(&self, id: OpId, mapper: usize, call: &Call, memory: &mut [u8]) -> Performed {
        let (fs, file) = (&self.filesystem, call.file);
        let plain = Performed::plain;
        let moved = |outcome, range: ByteRange| Performed { asked: range.len(), ..plain(outcome) };
        match call.op {
            Op::Read(range) => moved(fs.read(file, id, range.start, memory), range),
            Op::Write(range) => self.write(id, call, Some(range.start), range.len(), memory),
            Op::Append(len) => self.write(id, call, None, len, memory),
            Op::WriteFromMmap { pos, source } => {
                moved(fs.write_from_mmap(file, id, mapper, (pos, source)), source)
            }
            Op::MmapLoad(range) => {
                moved(fs.mmap_load(file, id, mapper, (range.start, memory)), range)
            }
            Op::MmapStore(range) => {
                let task = Victim::new(call.abandoned);
                let outcome = fs.mmap_store(file, id, mapper, (range.start, memory), &task);
                let abandoned = Abandoned { armed: call.abandoned, fired: task.gave_up() };
                Performed { abandoned, ..moved(outcome, range) }
            }
            Op::Truncate(size) => plain(fs.truncate(file, id, size)),
            Op::Punch(range) => plain(fs.punch(file, id, range)),
            Op::ZeroRange { range, keep_size } => plain(fs.zero_range(file, id, range, keep_size)),
            Op::Fallocate { range, keep_size } => plain(fs.fallocate(file, id, range, keep_size)),
            Op::Fsync => plain(fs.fsync(file)),
            Op::Sync => plain(fs.sync()),
            Op::Writeback(range) => plain(fs.writeback(file, range)),
            Op::Evict(range) => plain(fs.evict(file, range)),
            Op::Release => plain(fs.release(file)),
        }
    }

    fn size(&self, file: usize) -> u64 {
        self.filesystem.view(file).size()
    }

    fn extent(&self, file: usize, pos: u64) -> ByteRange {
        let view = self.filesystem.view(file);
        let geometry = view.geometry();
        geometry.bytes_of(view.extent(geometry.block_of(pos)).blocks)
    }
}

impl Performed {
    /// A call that moves no bytes and to which nothing was done.
    fn plain(outcome: Outcome) -> Performed {
        let (short_source, abandoned) = (Shortness::default(), Abandoned::default());
        Performed { outcome, asked: 0, short_source, abandoned }
    }
}

impl StormTarget {
    fn write(&self, id: OpId, call: &Call, pos: Option<u64>, len: u64, memory: &[u8]) -> Performed {
        let gap = call.gap;
        let source = UserBuffer::new(memory, &call.pieces, gap);
        let outcome = self.filesystem.write(call.file, id, pos, &source);
        let short_source = Shortness {
            armed: gap.is_some(),
            fired: source.fell_short(),
            persistent: gap.is_some_and(|gap| gap.persistent),
        };
        Performed { asked: len, short_source, ..Performed::plain(outcome) }
    }
}

fn patterned(id: OpId, pos: u64, len: u64, memory: &mut Vec<u8>) {
    memory.resize(narrow(len), 0);
    pattern::fill(id, pos, memory);
}
