//! What an actor does next: the calls of its list, or operations drawn from its own stream of chance.

use crate::aim::{Aim, Field};
use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{ActorPlan, Plan, TargetPlan};
use sim::chance::Stream;
use std::vec;
use stormfs::op::{Op, OpKind, Transfer};
use stormfs::quantity::{ByteRange, page_up};

/// Gives the calls of one actor.
pub struct Workload {
    /// What is left of the actor's list; empty if it draws.
    listed: vec::IntoIter<Call>,
    chance: Stream,
    actor: ActorPlan,
    weights: Vec<u32>,
    files: u64,
    aim: Aim,
    /// Whether the target is a filesystem of the kernel.
    real: bool,
}

impl Workload {
    /// The workload of `actor`, the `number`-th of `plan`.
    pub fn new(plan: &Plan, actor: &ActorPlan, number: usize, chance: Stream) -> Workload {
        let weight = |(_, weight): &(OpKind, u64)| u32::try_from(*weight).unwrap_or(u32::MAX);
        Workload {
            listed: actor.does.clone().into_iter(),
            chance,
            actor: actor.clone(),
            weights: actor.ops.iter().map(weight).collect(),
            files: u64::try_from(plan.files.len()).expect("at most 64"),
            aim: Aim::new(plan, actor, number),
            real: plan.target != TargetPlan::Model,
        }
    }

    /// The next call, which is the `number`-th if it is drawn. An actor with a list has as many calls
    /// as that has.
    pub fn next(&mut self, number: u64, field: &Field<'_>) -> Call {
        self.listed.next().unwrap_or_else(|| self.draw(number, field))
    }

    /// The kinds that it draws from.
    pub fn kinds(&self) -> impl Iterator<Item = OpKind> {
        self.actor.kinds()
    }

    fn draw(&mut self, number: u64, field: &Field<'_>) -> Call {
        let kind = self.actor.ops[self.chance.weighted(&self.weights)].0;
        let any = usize::try_from(self.chance.below(self.files)).expect("at most 64");
        let file = self.actor.apart.unwrap_or(any);
        let range = self.aim.range(&mut self.chance, file, field);
        let op = self.operation(kind, range, file, field);
        let mut pieces = self.pieces(range.len());
        let writes = matches!(kind, OpKind::Write | OpKind::Append);
        if !(writes || self.real && kind == OpKind::Read) {
            pieces.clear();
        }
        let file = if kind == OpKind::Sync { 0 } else { file };
        Call { pieces, ..Call::plain(number, file, op) }
    }

    fn operation(&mut self, kind: OpKind, range: ByteRange, file: usize, field: &Field<'_>) -> Op {
        // To ask a real filesystem is a system call.
        let size = || field.target.size(file);
        let unit = field.target.unit(kind);
        match kind {
            OpKind::Read => Op::Read(range),
            OpKind::Write => Op::Write(range),
            OpKind::Append => Op::Append(range.len()),
            OpKind::WriteFromMmap => {
                let size = size();
                let from = self.chance.below(size.max(1));
                let source = ByteRange::new(from, (from + range.len()).min(size.max(from + 1)));
                Op::WriteFromMmap { pos: range.start, source }
            }
            OpKind::MmapLoad => Op::MmapLoad(self.mapped(range, size())),
            OpKind::MmapStore => Op::MmapStore(self.mapped(range, size())),
            OpKind::Truncate => Op::Truncate(range.start),
            OpKind::Punch => Op::Punch(range),
            OpKind::ZeroRange => Op::ZeroRange { range, keep_size: self.coin() },
            OpKind::Fallocate => Op::Fallocate { range, keep_size: self.coin() },
            OpKind::Fsync => Op::Fsync,
            OpKind::Sync => Op::Sync,
            OpKind::Writeback => Op::Writeback(self.everything_at_times(range)),
            OpKind::Evict => Op::Evict(self.everything_at_times(range)),
            OpKind::Release => Op::Release,
            OpKind::DirectRead => Op::DirectRead(widened(range, unit)),
            OpKind::DirectWrite => Op::DirectWrite(widened(range, unit)),
            OpKind::CopyRange => {
                // Whole blocks can be shared, and are not copied.
                let shared = self.coin();
                let unit = if shared { field.target.unit(OpKind::Reflink) } else { unit };
                Op::CopyRange(self.transfer(range, file, unit, field))
            }
            OpKind::Reflink => Op::Reflink(self.transfer(range, file, unit, field)),
            OpKind::Collapse => Op::Collapse(self.inside(widened(range, unit), size(), unit)),
            OpKind::Insert => {
                let (range, size) = (widened(range, unit), size());
                let start = if range.start < size { range.start } else { self.below(size, unit) };
                Op::Insert(ByteRange::at(start, range.len()))
            }
            OpKind::Fdatasync => Op::Fdatasync,
            OpKind::SyncRange => {
                Op::SyncRange { range: self.everything_at_times(range), wait: self.coin() }
            }
            OpKind::Msync => Op::Msync(self.everything_at_times(range)),
            OpKind::DontNeed => Op::DontNeed(self.everything_at_times(range)),
            OpKind::PageOut => Op::PageOut(self.everything_at_times(range)),
        }
    }

    /// Bytes of some file that go to `range`, of which those of the file itself lie elsewhere.
    fn transfer(
        &mut self,
        range: ByteRange,
        file: usize,
        unit: u64,
        field: &Field<'_>,
    ) -> Transfer {
        let range = widened(range, unit);
        let any = usize::try_from(self.chance.below(self.files)).expect("at most 64");
        let from = self.actor.apart.unwrap_or(any);
        let size = field.target.size(from);
        let mut start = self.below(size, unit);
        if from == file && start < range.end && range.start < start + range.len() {
            start = if range.len() <= range.start { range.start - range.len() } else { range.end };
        }
        // What there is, down to whole units, unless that is nothing.
        let most = size.saturating_sub(start);
        let most = if most < unit { unit } else { most - most % unit };
        let source = ByteRange::at(start, range.len().min(most));
        Transfer { from, source, pos: range.start }
    }

    /// A multiple of `unit` below `size`, or 0.
    fn below(&mut self, size: u64, unit: u64) -> u64 {
        let at = self.chance.below(size.max(1));
        at - at % unit
    }

    /// `range` moved and cut to end before `size`, mostly.
    fn inside(&mut self, range: ByteRange, size: u64, unit: u64) -> ByteRange {
        if range.end < size || size <= unit || self.chance.below(64) == 0 {
            return range;
        }
        let len = range.len().min((size - 1) / unit * unit);
        ByteRange::at(self.below(size - len, unit), len)
    }

    fn coin(&mut self) -> bool {
        self.chance.below(2) == 0
    }

    /// `range` moved to where a mapping has something behind it, mostly.
    fn mapped(&mut self, range: ByteRange, size: u64) -> ByteRange {
        let apart = self.actor.apart.is_some();
        let end = if apart { size } else { page_up(size) };
        if end == 0 || !apart && self.chance.below(64) == 0 {
            return range;
        }
        let start = if range.start < end { range.start } else { self.chance.below(end) };
        ByteRange::new(start, (start + range.len()).min(end))
    }

    fn everything_at_times(&mut self, range: ByteRange) -> ByteRange {
        if self.chance.below(4) == 0 { WHOLE_FILE } else { range }
    }

    fn pieces(&mut self, len: u64) -> Vec<u64> {
        let most = u64::from(self.actor.iovecs);
        if most <= 1 {
            return Vec::new();
        }
        let count = self.chance.below(most);
        let mut cuts: Vec<u64> = (0..count).map(|_| self.chance.below(len)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts.retain(|cut| *cut != 0);
        cuts
    }
}

/// The whole units that `range` touches.
fn widened(range: ByteRange, unit: u64) -> ByteRange {
    ByteRange::new(range.start - range.start % unit, range.end.next_multiple_of(unit))
}
