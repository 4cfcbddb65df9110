//! What an actor does next: the calls of its list, or operations drawn from its own stream of chance.
//!
//! Positions are drawn where bugs live: around the end of the file, at edges of blocks, pages and
//! folios, and around what the actor touched last, more often than anywhere.

use crate::call::{Call, WHOLE_FILE};
use crate::scenario::plan::{ActorPlan, Plan, SizeShape};
use sim::chance::Stream;
use std::vec;
use stormfs::op::{Op, OpKind};
use stormfs::quantity::{ByteRange, PAGE, page_up, wide};

/// Gives the calls of one actor.
pub struct Workload {
    /// What is left of the actor's list; empty if it draws.
    listed: vec::IntoIter<Call>,
    chance: Stream,
    actor: ActorPlan,
    weights: Vec<u32>,
    files: u64,
    within: u64,
    edges: [u64; 3],
    recent: u64,
}

/// How many operations the `number`-th actor of a simulation draws: the plan's, divided among those
/// who draw.
pub fn share(plan: &Plan, number: usize) -> Option<u64> {
    let draws = |actor: &ActorPlan| actor.does.is_empty();
    let each = plan.actors.iter().flat_map(|actor| (0..actor.count).map(move |_| draws(actor)));
    let each: Vec<bool> = each.collect();
    let drawing = |among: &[bool]| wide(among.iter().filter(|draws| **draws).count());
    let (all, before) = (drawing(&each), drawing(&each[..number]));
    plan.ops.map(|ops| ops / all + u64::from(before < ops % all))
}

impl Workload {
    /// The workload of `actor` in `plan`.
    pub fn new(plan: &Plan, actor: &ActorPlan, chance: Stream) -> Workload {
        let weight = |(_, weight): &(OpKind, u64)| u32::try_from(*weight).unwrap_or(u32::MAX);
        Workload {
            listed: actor.does.clone().into_iter(),
            chance,
            actor: actor.clone(),
            weights: actor.ops.iter().map(weight).collect(),
            files: u64::try_from(plan.files.len()).expect("at most 64"),
            within: plan.reach(actor),
            edges: [plan.filesystem.block_size, PAGE, plan.filesystem.max_folio],
            recent: 0,
        }
    }

    /// The next call, which is the `number`-th if it is drawn. `size` tells the size of a file as it
    /// is now. An actor with a list has as many calls as that has.
    pub fn next(&mut self, number: u64, size: impl Fn(usize) -> u64) -> Call {
        self.listed.next().unwrap_or_else(|| self.draw(number, size))
    }

    fn draw(&mut self, number: u64, size: impl Fn(usize) -> u64) -> Call {
        let kind = self.actor.ops[self.chance.weighted(&self.weights)].0;
        let file = usize::try_from(self.chance.below(self.files)).expect("at most 64");
        let size = size(file);
        let len = self.length();
        let range = ByteRange::at(self.position(size), len);
        self.recent = range.end;
        let op = self.operation(kind, range, size);
        let mut pieces = self.pieces(len);
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

    fn length(&mut self) -> u64 {
        let size = self.actor.size;
        match size.shape {
            SizeShape::Uniform => self.chance.between(size.min, size.max),
            SizeShape::LogUniform => self.chance.log_uniform(size.min, size.max),
            SizeShape::Fixed => size.max,
        }
    }

    fn position(&mut self, size: u64) -> u64 {
        let anywhere = self.chance.below(self.within);
        let near = |chance: &mut Stream, center: u64| {
            let reach = chance.log_uniform(1, 2 * PAGE);
            (center.saturating_sub(reach) + chance.below(2 * reach)) % self.within
        };
        let pos = match self.chance.below(8) {
            0 | 1 => near(&mut self.chance, size),
            2 => near(&mut self.chance, self.recent),
            3 => {
                let edge = self.edges[usize::try_from(self.chance.below(3)).expect("below 3")];
                anywhere - anywhere % edge
            }
            _ => anywhere,
        };
        pos - pos % self.actor.align
    }

    /// `range` moved to where a mapping has something behind it, mostly.
    fn mapped(&mut self, range: ByteRange, size: u64) -> ByteRange {
        let end = page_up(size);
        if end == 0 || self.chance.below(64) == 0 {
            return range;
        }
        let start = if range.start < end { range.start } else { self.chance.below(end) };
        ByteRange::new(start, range.end.max(start + range.len()).min(end.max(start + 1)))
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
