//! Passes that make calls, files and faults simpler, one at a time: from the start, one byte, one
//! page, half, rounded.

use crate::call::{Call, WHOLE_FILE};
use crate::ground::NoGround;
use crate::scenario::plan::{FilePlan, Layout, Plan, Strike};
use crate::shrink::removals::calls;
use crate::shrink::shrinker::{Candidate, Shrinker};
use crate::shrink::trial::Fails;
use crate::user_buffer::Gap;
use std::time::Duration;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::{ByteRange, PAGE, page_up};

/// All of them, once.
pub(super) fn all(shrinker: &mut Shrinker<'_>) -> Result<(), NoGround> {
    each(shrinker, "arguments", calls, simpler_call)?;
    each(shrinker, "files", |case| case.files.len(), simpler_file)?;
    each(shrinker, "faults", |case| case.strikes.len(), simpler_strike)
}

/// Tries what `simpler` has to offer for each of `len` things, for as long as that helps.
fn each(
    shrinker: &mut Shrinker<'_>,
    pass: &'static str,
    len: impl Fn(&Plan) -> usize,
    simpler: impl Fn(&Plan, usize) -> Vec<Plan> + Sync,
) -> Result<(), NoGround> {
    for thing in 0..len(shrinker.case()) {
        loop {
            let offers = simpler(shrinker.case(), thing);
            let offers = shrinker.lighter(offers);
            let offer = |_: &Fails, nth: usize| Some(Candidate::followed(offers[nth].clone()));
            if shrinker.first(pass, offers.len(), offer)?.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The cases in which the `number`-th call is simpler.
pub(super) fn simpler_call(case: &Plan, number: usize) -> Vec<Plan> {
    let all = case.actors.iter().flat_map(|actor| &actor.does);
    let Some(call) = all.clone().nth(number) else { return Vec::new() };
    let block = case.filesystem.block_size;
    let with = |simpler: Call| {
        let mut case = case.clone();
        let mut all = case.actors.iter_mut().flat_map(|actor| &mut actor.does);
        if let Some(call) = all.nth(number) {
            *call = simpler;
        }
        case
    };
    let ops = simpler_ops(&call.op, block).into_iter().map(|op| fitting(call, op));
    let gaps = call.gap.into_iter().flat_map(|gap| simpler_gaps(gap, block));
    let gaps = gaps.map(|gap| Call { gap: Some(gap), ..call.clone() });
    let files = (0..call.file).map(|file| Call { file, ..call.clone() });
    let pieces = simpler_pieces(&call.pieces).map(|pieces| Call { pieces, ..call.clone() });
    ops.chain(gaps).chain(files).chain(pieces).map(with).collect()
}

/// The call with another operation: what no longer lies in its source goes.
pub(super) fn fitting(call: &Call, op: Op) -> Call {
    let len = match op {
        Op::Read(range) | Op::Write(range) | Op::DirectWrite(range) => range.len(),
        Op::Append(len) => len,
        Op::WriteFromMmap { source, .. } => source.len(),
        Op::MmapLoad(_)
        | Op::MmapStore(_)
        | Op::Truncate(_)
        | Op::Punch(_)
        | Op::ZeroRange { .. }
        | Op::Fallocate { .. }
        | Op::Fsync
        | Op::Sync
        | Op::Writeback(_)
        | Op::Evict(_)
        | Op::Release
        | Op::DirectRead(_)
        | Op::CopyRange(_)
        | Op::Reflink(_)
        | Op::Collapse(_)
        | Op::Insert(_)
        | Op::Fdatasync
        | Op::SyncRange { .. }
        | Op::Msync(_)
        | Op::DontNeed(_)
        | Op::PageOut(_) => u64::MAX,
    };
    let mut call = Call { op, ..call.clone() };
    call.pieces.retain(|piece| *piece < len);
    call.gap = call.gap.map(|gap| Gap { at: gap.at.min(len.saturating_sub(1)), ..gap });
    call
}

fn simpler_ops(op: &Op, block: u64) -> Vec<Op> {
    let ranges = |range| ranges(range, block).into_iter();
    let numbers = |number| numbers(number, block).into_iter();
    let not_empty = |len: &u64| *len != 0;
    match *op {
        Op::Read(range) => ranges(range).map(Op::Read).collect(),
        Op::Write(range) => ranges(range).map(Op::Write).collect(),
        Op::MmapLoad(range) => ranges(range).map(Op::MmapLoad).collect(),
        Op::MmapStore(range) => ranges(range).map(Op::MmapStore).collect(),
        Op::Punch(range) => ranges(range).map(Op::Punch).collect(),
        Op::Writeback(range) => {
            [WHOLE_FILE].into_iter().chain(ranges(range)).map(Op::Writeback).collect()
        }
        Op::Evict(range) => [WHOLE_FILE].into_iter().chain(ranges(range)).map(Op::Evict).collect(),
        Op::ZeroRange { range, keep_size } => {
            let shorter = ranges(range).map(|range| Op::ZeroRange { range, keep_size });
            shorter.chain([Op::ZeroRange { range, keep_size: false }]).collect()
        }
        Op::Fallocate { range, keep_size } => {
            let shorter = ranges(range).map(|range| Op::Fallocate { range, keep_size });
            shorter.chain([Op::Fallocate { range, keep_size: false }]).collect()
        }
        Op::Append(len) => numbers(len).filter(not_empty).map(Op::Append).collect(),
        Op::Truncate(size) => numbers(size).map(Op::Truncate).collect(),
        Op::WriteFromMmap { pos, source } => {
            let from = ranges(source).map(|source| Op::WriteFromMmap { pos, source });
            let to = numbers(pos).map(|pos| Op::WriteFromMmap { pos, source });
            from.chain(to).collect()
        }
        Op::DirectRead(range) => ranges(range).map(Op::DirectRead).collect(),
        Op::DirectWrite(range) => ranges(range).map(Op::DirectWrite).collect(),
        Op::Collapse(range) => ranges(range).map(Op::Collapse).collect(),
        Op::Insert(range) => ranges(range).map(Op::Insert).collect(),
        Op::CopyRange(transfer) => {
            simpler_transfers(transfer, block).into_iter().map(Op::CopyRange).collect()
        }
        Op::Reflink(transfer) => {
            simpler_transfers(transfer, block).into_iter().map(Op::Reflink).collect()
        }
        Op::SyncRange { range, wait } => {
            let shorter = [WHOLE_FILE].into_iter().chain(ranges(range));
            let shorter = shorter.map(|range| Op::SyncRange { range, wait });
            shorter.chain([Op::SyncRange { range, wait: false }]).collect()
        }
        Op::Msync(range) => [WHOLE_FILE].into_iter().chain(ranges(range)).map(Op::Msync).collect(),
        Op::DontNeed(range) => {
            [WHOLE_FILE].into_iter().chain(ranges(range)).map(Op::DontNeed).collect()
        }
        Op::PageOut(range) => {
            [WHOLE_FILE].into_iter().chain(ranges(range)).map(Op::PageOut).collect()
        }
        Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => Vec::new(),
    }
}

fn simpler_transfers(transfer: Transfer, block: u64) -> Vec<Transfer> {
    let files = (0..transfer.from).map(|from| Transfer { from, ..transfer });
    let sources = ranges(transfer.source, block).into_iter();
    let sources = sources.map(|source| Transfer { source, ..transfer });
    let targets = numbers(transfer.pos, block).into_iter().map(|pos| Transfer { pos, ..transfer });
    files.chain(sources).chain(targets).collect()
}

/// Ranges that may take the place of one, the simplest first; none is empty.
fn ranges(range: ByteRange, block: u64) -> Vec<ByteRange> {
    let ByteRange { start, end } = range;
    let len = range.len();
    if range == WHOLE_FILE || len == 0 {
        return Vec::new();
    }
    let down = |pos: u64, unit: u64| pos - pos % unit;
    let mut all = vec![
        ByteRange::at(0, 1),
        ByteRange::at(0, PAGE),
        ByteRange::at(0, len),
        ByteRange::new(0, end),
        ByteRange::at(start, 1),
        ByteRange::at(end - 1, 1),
    ];
    for unit in [PAGE, block] {
        all.extend([
            ByteRange::at(down(start, unit), unit),
            ByteRange::at(down(end - 1, unit), unit),
            ByteRange::at(start, unit.min(len)),
            ByteRange::new(down(start, unit), end.next_multiple_of(unit)),
            ByteRange::new(start.next_multiple_of(unit), down(end, unit)),
            ByteRange::new(down(start, unit), end),
            ByteRange::new(start.next_multiple_of(unit), end),
            ByteRange::new(start, end.next_multiple_of(unit)),
            ByteRange::new(start, down(end, unit)),
            ByteRange::at(start % unit, len),
            ByteRange::at(down(start, unit), len),
        ]);
    }
    all.extend([ByteRange::at(start, len / 2), ByteRange::new(start + len / 2, end)]);
    all.extend([ByteRange::at(start / 2, len), ByteRange::at(down(start / 2, PAGE), len)]);
    all.retain(|other| !other.is_empty());
    all
}

/// Numbers that may take the place of one, the simplest first.
pub(super) fn numbers(number: u64, block: u64) -> Vec<u64> {
    let mut all = vec![0, 1, PAGE, block];
    for unit in [PAGE, block] {
        all.extend([number - number % unit, number.next_multiple_of(unit), number % unit]);
    }
    all.extend([number / 2, page_up(number / 2), number.saturating_sub(PAGE)]);
    all
}

fn simpler_gaps(gap: Gap, block: u64) -> Vec<Gap> {
    let elsewhere = numbers(gap.at, block).into_iter().map(|at| Gap { at, ..gap });
    let elsewhere = elsewhere.filter(|other| other.at < gap.at);
    [Gap { persistent: false, ..gap }].into_iter().chain(elsewhere).collect()
}

fn simpler_pieces(pieces: &[u64]) -> impl Iterator<Item = Vec<u64>> {
    pieces.iter().enumerate().flat_map(move |(nth, piece)| {
        let before = nth.checked_sub(1).map_or(0, |before| pieces[before]);
        let others = [before + 1, piece - piece % 512, piece - piece % PAGE];
        let fits = others.into_iter().filter(move |other| before < *other && other < piece);
        fits.map(move |other| {
            let mut pieces = pieces.to_vec();
            pieces[nth] = other;
            pieces
        })
    })
}

/// The cases in which the `number`-th file is simpler.
pub(super) fn simpler_file(case: &Plan, number: usize) -> Vec<Plan> {
    let Some(file) = case.files.get(number) else { return Vec::new() };
    let with = |file: FilePlan| {
        let mut case = case.clone();
        case.files[number] = file;
        case
    };
    let layouts = [Layout::Hole, Layout::Written, Layout::Unwritten];
    let layouts = layouts.into_iter().map(|layout| FilePlan { layout, ..file.clone() });
    let sizes = numbers(file.size, case.filesystem.block_size).into_iter();
    let sizes = sizes.map(|size| FilePlan { size, ..file.clone() });
    layouts.chain(sizes).map(with).collect()
}

/// The cases in which the `number`-th strike is milder.
fn simpler_strike(case: &Plan, number: usize) -> Vec<Plan> {
    let Some(strike) = case.strikes.get(number) else { return Vec::new() };
    let shorter = |time: Duration| {
        let rounded = [1, 10, 100, 1000].map(Duration::from_micros);
        [Duration::ZERO, time / 2].into_iter().chain(rounded)
    };
    let milder: Vec<Strike> = match strike {
        Strike::IoError(_) => Vec::new(),
        Strike::Latency(request, time) => {
            shorter(*time).map(|time| Strike::Latency(*request, time)).collect()
        }
        Strike::Evict { at, file, pos } => {
            let pages = [0, pos - pos % PAGE].into_iter();
            pages.map(|pos| Strike::Evict { at: at.clone(), file: *file, pos }).collect()
        }
        Strike::Delay(at, time) => {
            shorter(*time).map(|time| Strike::Delay(at.clone(), time)).collect()
        }
    };
    let with = |strike: Strike| {
        let mut case = case.clone();
        case.strikes[number] = strike;
        case
    };
    milder.into_iter().map(with).collect()
}
