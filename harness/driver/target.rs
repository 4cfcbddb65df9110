//! What actors act on: something that performs operations, can be asked for sizes, and judges itself.
//!
//! Operations, actors, faults of the source and the tally know a [`Target`] only; the filesystem model
//! is one.

use crate::call::Call;
use crate::tally::Fault;
use oracle::pattern;
use stormfs::op::{Op, OpId, OpKind, Outcome};
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
    /// The byte of its source that a script ended before while it stood.
    pub ended: Option<u64>,
    /// Whether its write fault was to be given up.
    pub abandoned: Abandoned,
    /// Its ranges did not fit its files, or the blocks, or may not have.
    pub unfit: bool,
    /// The memory that may be had came to its limit meanwhile, and it fell short.
    pub lacked_memory: bool,
    /// It reached, or may have reached, beyond the end of its file, or of that of its source.
    pub beyond: bool,
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
    /// How it was made so, where there are several ways.
    pub by: Option<Fault>,
}

/// How things stood when a call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The size of its file.
    pub size: u64,
    /// An instant of the free-space counters; of a filesystem of the kernel its free bytes.
    pub instant: u64,
}

/// Gives the last operations of a storm their ids, one after the other.
pub type Ids<'a> = &'a mut dyn FnMut() -> OpId;

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

    /// Ranges of calls of that kind begin and end at multiples of so many bytes.
    fn unit(&self, _kind: OpKind) -> u64 {
        1
    }

    /// Why calls of that kind are left out, if they are: the target cannot do them.
    fn lacks(&self, _kind: OpKind) -> Option<String> {
        None
    }

    /// How things stand with a file before a call.
    fn reach(&self, file: usize) -> Reach;

    /// Whether what a call returned has a reason.
    fn judge(&self, call: &Call, performed: Performed, before: Reach);

    /// The actors begin now: faults that wait for that may strike.
    fn begin(&self);

    /// The conductor looks up, which it does all the time while they act.
    fn look_up(&self) {}

    /// Everybody is about to stand still, between two operations each.
    fn halt(&self) {}

    /// Judges everything while nobody acts.
    fn judge_still(&self, ids: Ids<'_>);

    /// The actors are done, and nothing goes wrong any more: the last checks, and the end.
    fn finish(&self, ids: Ids<'_>);
}

impl Performed {
    /// A call that moves no bytes and to which nothing was done.
    pub fn plain(outcome: Outcome) -> Performed {
        let (short_source, abandoned) = (Shortness::default(), Abandoned::default());
        Performed {
            outcome,
            asked: 0,
            short_source,
            ended: None,
            abandoned,
            unfit: false,
            lacked_memory: false,
            beyond: false,
        }
    }
}

/// Makes `memory` what `op` needs as operation `id`: the bytes that it writes, or room for those that it
/// reads.
pub fn patterned(id: OpId, op: &Op, memory: &mut Vec<u8>) {
    let mut fill = |pos, len: u64| {
        memory.resize(narrow(len), 0);
        pattern::fill(id, pos, memory);
    };
    match *op {
        Op::Read(range) | Op::MmapLoad(range) | Op::DirectRead(range) => {
            memory.resize(narrow(range.len()), 0);
        }
        Op::Write(range) | Op::MmapStore(range) | Op::DirectWrite(range) => {
            fill(range.start, range.len());
        }
        Op::Append(len) => fill(0, len),
        Op::WriteFromMmap { .. }
        | Op::Truncate(_)
        | Op::Punch(_)
        | Op::ZeroRange { .. }
        | Op::Fallocate { .. }
        | Op::Fsync
        | Op::Sync
        | Op::Writeback(_)
        | Op::Evict(_)
        | Op::Release
        | Op::CopyRange(_)
        | Op::Reflink(_)
        | Op::Collapse(_)
        | Op::Insert(_)
        | Op::Fdatasync
        | Op::SyncRange { .. }
        | Op::Msync(_)
        | Op::DontNeed(_)
        | Op::PageOut(_) => {}
    }
}

/// Whether `op` may look for bytes behind the end of a file that is `size` long.
pub fn reaches_beyond(op: &Op, size: u64) -> bool {
    let range = if let Op::WriteFromMmap { source, .. } = op {
        source
    } else if let Op::Read(range)
    | Op::MmapLoad(range)
    | Op::MmapStore(range)
    | Op::DirectRead(range) = op
    {
        range
    } else {
        return false;
    };
    size < range.end
}
