//! The weight of a case: of two cases that fail alike, the lighter one is easier to understand.
//!
//! What is lighter comes first by fewer actors, then by fewer calls, and so on down the fields.
//! Every step of shrinking lowers the weight, so shrinking ends.

use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{FilePlan, Layout, Plan, Strike};
use crate::shrink::departures;
use std::fmt;
use std::time::Duration;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::{ByteRange, PAGE, wide};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// Who acts.
    pub actors: usize,
    /// What they do.
    pub calls: usize,
    /// What goes wrong on purpose: strikes, and what is peculiar about calls.
    pub faults: usize,
    /// Switches away from a task that could have gone on.
    pub preemptions: usize,
    /// Places where the run leaves the default rule, these included.
    pub switches: usize,
    /// Iovecs of the calls' sources beyond the first.
    pub pieces: usize,
    /// What exists when the run begins.
    pub files: usize,
    /// Decisions of the filesystem that differ from the default and belong to no bug of the plan.
    pub departures: usize,
    /// How much there is to say about the calls, files and faults.
    pub details: u64,
    /// How far the filesystem and the device are from the simplest.
    pub setting: u64,
    /// The numbers of all calls, added up.
    pub numbers: u64,
}

impl Weight {
    /// The weight of a case whose run was preempted so often.
    pub fn of(case: &Plan, preemptions: usize) -> Weight {
        let calls = || case.actors.iter().flat_map(|actor| &actor.does);
        let peculiar = |call: &Call| usize::from(call.gap.is_some()) + usize::from(call.abandoned);
        let details = calls().map(call).sum::<u64>()
            + case.files.iter().map(file).sum::<u64>()
            + case.strikes.iter().map(strike).sum::<u64>()
            + case.actors.iter().map(|actor| time(actor.pause)).sum::<u64>();
        Weight {
            actors: case.actors.len(),
            calls: calls().count(),
            faults: case.strikes.len() + calls().map(peculiar).sum::<usize>(),
            preemptions,
            switches: case.schedule.as_ref().map_or(0, Vec::len),
            pieces: calls().map(|call| call.pieces.len()).sum(),
            files: case.files.len(),
            departures: departures(case).len(),
            details,
            setting: setting(case),
            numbers: calls().map(|call| call.number).sum(),
        }
    }
}

impl fmt::Display for Weight {
    /// What people count: `5 calls, 1 fault, 2 preemptions, 3 switches`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.calls, "call"),
            (self.faults, "fault"),
            (self.preemptions, "preemption"),
            (self.switches, "switch"),
        ];
        for (nth, (count, word)) in counts.into_iter().enumerate() {
            let between = if nth == 0 { "" } else { ", " };
            let ending = match word {
                _ if count == 1 => "",
                "switch" => "es",
                _ => "s",
            };
            write!(f, "{between}{count} {word}{ending}")?;
        }
        Ok(())
    }
}

fn call(call: &Call) -> u64 {
    let gap = call.gap.map_or(0, |gap| number(gap.at) + u64::from(gap.persistent));
    let pieces: u64 = call.pieces.iter().map(|piece| number(*piece)).sum();
    op(&call.op) + gap + pieces + number(wide(call.file))
}

fn op(op: &Op) -> u64 {
    match *op {
        Op::Read(bytes)
        | Op::Write(bytes)
        | Op::MmapLoad(bytes)
        | Op::MmapStore(bytes)
        | Op::Punch(bytes)
        | Op::Writeback(bytes)
        | Op::Evict(bytes)
        | Op::DirectRead(bytes)
        | Op::DirectWrite(bytes)
        | Op::Collapse(bytes)
        | Op::Insert(bytes)
        | Op::Msync(bytes)
        | Op::DontNeed(bytes)
        | Op::PageOut(bytes) => range(bytes),
        Op::SyncRange { range: bytes, wait } => range(bytes) + u64::from(wait),
        Op::CopyRange(Transfer { from, source, pos })
        | Op::Reflink(Transfer { from, source, pos }) => {
            number(wide(from)) + number(pos) + range(source)
        }
        Op::ZeroRange { range: bytes, keep_size } | Op::Fallocate { range: bytes, keep_size } => {
            range(bytes) + u64::from(keep_size)
        }
        Op::Append(len) => number(len),
        Op::WriteFromMmap { pos, source } => number(pos) + range(source),
        Op::Truncate(size) => number(size),
        Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => 0,
    }
}

fn range(range: ByteRange) -> u64 {
    if range == WHOLE_FILE { 0 } else { number(range.start) + number(range.len()) }
}

/// How much there is to say about a number of bytes: nothing about zero, little about few whole
/// pages, more about a power of two, and most about any other.
fn number(bytes: u64) -> u64 {
    const FEW: u64 = 64;
    match bytes {
        0 => 0,
        1 => 1,
        _ if bytes.is_multiple_of(PAGE) => 1 + (bytes / PAGE).min(FEW) + wide_bits(bytes / PAGE),
        _ if bytes.is_power_of_two() => 8 + 12 - wide_bits(bytes),
        _ if bytes.is_multiple_of(512) => 64 + (bytes / PAGE).min(FEW) + wide_bits(bytes),
        _ => 128 + (bytes / PAGE).min(FEW) + wide_bits(bytes) + wide_bits(bytes % PAGE),
    }
}

fn wide_bits(number: u64) -> u64 {
    u64::from(number.checked_ilog2().unwrap_or(0))
}

fn file(file: &FilePlan) -> u64 {
    let layout = match file.layout {
        Layout::Hole => 0,
        Layout::Written => 1,
        Layout::Unwritten => 2,
        Layout::Delalloc | Layout::Any => 3,
    };
    number(file.size) + layout
}

fn strike(strike: &Strike) -> u64 {
    match strike {
        Strike::IoError(request) => number(request.pos) + request.nth,
        Strike::Latency(request, length) => number(request.pos) + request.nth + time(*length),
        Strike::Evict { pos, .. } => number(*pos),
        Strike::Delay(_, length) => time(*length),
    }
}

fn time(time: Duration) -> u64 {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    u64::from(!time.is_zero()) + wide_bits(nanoseconds)
}

/// Nothing has to be said about a device of this size.
const USUAL_DEVICE: u64 = 64 << 20;

fn setting(case: &Plan) -> u64 {
    let (device, filesystem) = (case.device, case.filesystem);
    let far = |value: u64| wide_bits(value).abs_diff(wide_bits(PAGE));
    time(device.latency_min)
        + wide(device.workers)
        + wide_bits(device.size).abs_diff(wide_bits(USUAL_DEVICE))
        + far(filesystem.block_size)
        + far(filesystem.max_folio)
        + u64::from(filesystem.preset.is_some())
}
