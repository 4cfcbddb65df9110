//! What an actor does next: the calls of its list, or operations drawn from its own stream of chance.

use crate::aim::{Aim, Field};
use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{ActorPlan, Plan};
use sim::chance::Stream;
use std::vec;
use stormfs::op::{Op, OpKind};
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
        }
    }

    /// The next call, which is the `number`-th if it is drawn. An actor with a list has as many calls
    /// as that has.
    pub fn next(&mut self, number: u64, field: &Field<'_>) -> Call {
        self.listed.next().unwrap_or_else(|| self.draw(number, field))
    }

    fn draw(&mut self, number: u64, field: &Field<'_>) -> Call {
        let kind = self.actor.ops[self.chance.weighted(&self.weights)].0;
        let file = usize::try_from(self.chance.below(self.files)).expect("at most 64");
        let range = self.aim.range(&mut self.chance, file, field);
        let op = self.operation(kind, range, field.target.size(file));
        let mut pieces = self.pieces(range.len());
        if !matches!(kind, OpKind::Write | OpKind::Append) {
            pieces.clear();
        }
        let file = if kind == OpKind::Sync { 0 } else { file };
        Call { pieces, ..Call::plain(number, file, op) }
    }

    fn operation(&mut self, kind: OpKind, range: ByteRange, size: u64) -> Op {
        match kind {
            OpKind::Read => Op::Read(range),
            OpKind::Write => Op::Write(range),
            OpKind::Append => Op::Append(range.len()),
            OpKind::WriteFromMmap => {
                let from = self.chance.below(size.max(1));
                let source = ByteRange::new(from, (from + range.len()).min(size.max(from + 1)));
                Op::WriteFromMmap { pos: range.start, source }
            }
            OpKind::MmapLoad => Op::MmapLoad(self.mapped(range, size)),
            OpKind::MmapStore => Op::MmapStore(self.mapped(range, size)),
            OpKind::Truncate => Op::Truncate(range.start),
            OpKind::Punch => Op::Punch(range),
            OpKind::ZeroRange => Op::ZeroRange { range, keep_size: self.coin() },
            OpKind::Fallocate => Op::Fallocate { range, keep_size: self.coin() },
            OpKind::Fsync => Op::Fsync,
            OpKind::Sync => Op::Sync,
            OpKind::Writeback => Op::Writeback(self.everything_at_times(range)),
            OpKind::Evict => Op::Evict(self.everything_at_times(range)),
            OpKind::Release => Op::Release,
        }
    }

    fn coin(&mut self) -> bool {
        self.chance.below(2) == 0
    }

    /// `range` moved to where a mapping has something behind it, mostly.
    fn mapped(&mut self, range: ByteRange, size: u64) -> ByteRange {
        let end = page_up(size);
        if end == 0 || self.chance.below(64) == 0 {
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
