//! Passes that move positions of all calls and files together, so that what touches still touches.

use crate::call::{Call, WHOLE_FILE};
use crate::ground::NoGround;
use crate::scenario::plan::{Plan, Strike};
use crate::shrink::arguments::{fitting, numbers};
use crate::shrink::shrinker::{Candidate, Shrinker};
use crate::shrink::trial::Fails;
use std::collections::BTreeSet;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::{ByteRange, PAGE};

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    loop {
        let offers = shrinker.lighter(offers(shrinker.case()));
        let offer = |_: &Fails, nth: usize| Some(Candidate::followed(offers[nth].clone()));
        if shrinker.first("positions", offers.len(), offer)?.is_none() {
            return Ok(());
        }
    }
}

/// The cases in which a position, and all behind it, have moved down; or all that are equal to it
/// have moved elsewhere.
pub(super) fn offers(case: &Plan) -> Vec<Plan> {
    let all = positions(case);
    let block = case.filesystem.block_size;
    let mut offers = Vec::new();
    let mut before = 0;
    for from in all.iter().copied() {
        let gap = from - before;
        let units = [PAGE, block, 1];
        let down = units.into_iter().flat_map(|unit| [gap - gap % unit, gap / 2 / unit * unit]);
        let down: BTreeSet<u64> = down.filter(|down| *down != 0).collect();
        for down in down.into_iter().rev() {
            offers.push(moved(case, |pos| if pos < from { pos } else { pos - down }));
        }
        for to in numbers(from, block) {
            offers.push(moved(case, |pos| if pos == from { to } else { pos }));
        }
        before = from;
    }
    offers.into_iter().flatten().collect()
}

/// Every position that the case names, but for zero.
fn positions(case: &Plan) -> BTreeSet<u64> {
    let mut all: BTreeSet<u64> = case.files.iter().map(|file| file.size).collect();
    let note = |pos: u64| {
        all.insert(pos);
        pos
    };
    let note = std::cell::RefCell::new(note);
    let _ = moved(case, |pos| note.borrow_mut()(pos));
    all.remove(&0);
    all
}

/// `case` with every position moved as `to` says. `None` if a range became empty.
fn moved(case: &Plan, to: impl Fn(u64) -> u64) -> Option<Plan> {
    let mut case = case.clone();
    for call in case.actors.iter_mut().flat_map(|actor| &mut actor.does) {
        *call = moved_call(call, &to)?;
    }
    for file in &mut case.files {
        file.size = to(file.size);
    }
    for strike in &mut case.strikes {
        match strike {
            Strike::IoError(request) | Strike::Latency(request, _) => request.pos = to(request.pos),
            Strike::Evict { pos, .. } => *pos = to(*pos),
            Strike::Delay(..) => {}
        }
    }
    Some(case)
}

fn moved_call(call: &Call, to: impl Fn(u64) -> u64) -> Option<Call> {
    let range = |range: ByteRange| {
        if range == WHOLE_FILE {
            return Some(range);
        }
        Some(ByteRange::new(to(range.start), to(range.end))).filter(|range| !range.is_empty())
    };
    let moved_transfer = |transfer: Transfer| {
        let Transfer { from, source, pos } = transfer;
        Some(Transfer { from, source: range(source)?, pos: to(pos) })
    };
    let op = match call.op {
        Op::Read(bytes) => Op::Read(range(bytes)?),
        Op::Write(bytes) => Op::Write(range(bytes)?),
        Op::MmapLoad(bytes) => Op::MmapLoad(range(bytes)?),
        Op::MmapStore(bytes) => Op::MmapStore(range(bytes)?),
        Op::Punch(bytes) => Op::Punch(range(bytes)?),
        Op::Writeback(bytes) => Op::Writeback(range(bytes)?),
        Op::Evict(bytes) => Op::Evict(range(bytes)?),
        Op::ZeroRange { range: bytes, keep_size } => {
            Op::ZeroRange { range: range(bytes)?, keep_size }
        }
        Op::Fallocate { range: bytes, keep_size } => {
            Op::Fallocate { range: range(bytes)?, keep_size }
        }
        Op::Truncate(size) => Op::Truncate(to(size)),
        Op::WriteFromMmap { pos, source } => {
            Op::WriteFromMmap { pos: to(pos), source: range(source)? }
        }
        Op::DirectRead(bytes) => Op::DirectRead(range(bytes)?),
        Op::DirectWrite(bytes) => Op::DirectWrite(range(bytes)?),
        Op::Collapse(bytes) => Op::Collapse(range(bytes)?),
        Op::Insert(bytes) => Op::Insert(range(bytes)?),
        Op::SyncRange { range: bytes, wait } => Op::SyncRange { range: range(bytes)?, wait },
        Op::Msync(bytes) => Op::Msync(range(bytes)?),
        Op::DontNeed(bytes) => Op::DontNeed(range(bytes)?),
        Op::PageOut(bytes) => Op::PageOut(range(bytes)?),
        Op::CopyRange(transfer) => Op::CopyRange(moved_transfer(transfer)?),
        Op::Reflink(transfer) => Op::Reflink(moved_transfer(transfer)?),
        Op::Append(_) | Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => call.op.clone(),
    };
    Some(fitting(call, op))
}
