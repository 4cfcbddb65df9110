//! Is this byte, or this size, possible? And if not, where does it come from?

use super::{
    Content, Zeroed,
    dense::{end_of, length},
    fill::{Fill, is_zero},
    flight::{Effect, Flight},
    had::{Fallback, UNIT},
    mismatch::{Class, Mismatch, SizeMismatch},
    segments::Kind,
    settle::below,
};
use crate::leeway::Leeway;
use crate::pattern::{self, Origin, Plausible};
use std::ops::{Range, RangeInclusive};
use stormfs::op::OpId;

impl Content {
    /// The bytes were seen now, in the page cache or on the disk. The error is the first that may not
    /// be there. Bytes that may lie beyond the end of the file are not judged: a mapping may have
    /// left anything there.
    pub fn check(&self, pos: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        self.look(pos, bytes).map(drop)
    }

    /// The same. If they may be there by a leeway only, by which.
    pub(super) fn look(&self, pos: u64, bytes: &[u8]) -> Result<Option<Leeway>, Mismatch> {
        if self.dense.first_difference(pos, bytes).is_none() {
            return Ok(None);
        }
        let inside = below(self.size_bounds().0, pos, bytes);
        let past = Past::default();
        let Looked { wrong, needed } = self.compare(pos, inside, &past);
        wrong.map_or(Ok(needed), |at| Err(self.mismatch(at, pos, bytes, &past)))
    }

    /// The bytes were seen now, on the disk. Those beyond every possible end of the file must be
    /// zero; the error is the first that is not.
    pub fn check_zero_beyond_eof(&self, pos: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        let skipped = below(self.size_bounds().1, pos, bytes).len();
        let beyond = &bytes[skipped..];
        if is_zero(beyond) {
            return Ok(());
        }
        let at = skipped + beyond.iter().take_while(|byte| **byte == 0).count();
        Err(self.beyond_eof(end_of(pos, at), pos, bytes, vec![Fill::Zero]))
    }

    /// The size was seen now.
    pub fn check_size(&self, found: u64) -> Result<(), SizeMismatch> {
        let mut allowed = self.ranges_of_sizes();
        let left = self.left_by_truncates();
        let is_left = left.as_ref().is_some_and(|left| left.contains(found));
        if is_left || allowed.iter().any(|sizes| sizes.contains(&found)) {
            return Ok(());
        }
        allowed.extend(left.iter().flat_map(|left| left.had.ranges()));
        let ends = left.filter(|left| !left.ends.is_empty());
        let units = ends.map(|left| (UNIT, *left.ends.start()..=*left.ends.end()));
        Err(SizeMismatch { found, allowed, units })
    }

    /// The sizes the file may have now, in no particular order. A write in flight may have come to
    /// any of its bytes.
    pub fn allowed_sizes(&self) -> Vec<RangeInclusive<u64>> {
        let left = self.left_by_truncates();
        let left = left.iter().flat_map(|left| left.had.ranges());
        self.ranges_of_sizes().into_iter().chain(left).collect()
    }

    /// The same, but for those that a truncate which has failed may have left.
    pub(super) fn ranges_of_sizes(&self) -> Vec<RangeInclusive<u64>> {
        let strict = self.strict_sizes();
        let all = strict.into_iter().chain(self.lent_sizes().into_iter().map(|(sizes, _)| sizes));
        all.collect()
    }

    /// What truncates that have failed, or still may, can leave.
    fn left_by_truncates(&self) -> Option<Fallback> {
        let (_, ceiling) = self.size_bounds();
        let largest = self.flights.iter().filter_map(Flight::sets_size).max();
        let in_flight = largest.and_then(|to| self.fallback(ceiling.max(to)));
        match (in_flight, self.sizes.fallen()) {
            (Some(one), Some(other)) => Some(one.or(other)),
            (one, other) => one.or_else(|| other.cloned()),
        }
    }

    /// The leeway without which the file could not have that size, if there is one.
    pub(super) fn needed_for_size(&self, found: u64) -> Option<Leeway> {
        if self.strict_sizes().iter().any(|sizes| sizes.contains(&found)) {
            return None;
        }
        let lent = self.lent_sizes();
        let lent = lent.into_iter().find(|(sizes, _)| sizes.contains(&found));
        lent.map(|(_, leeway)| leeway).or_else(|| {
            let fallback = self.left_by_truncates().filter(|fallback| fallback.contains(found));
            fallback.map(|_| Leeway::FailedTruncateFallsBack)
        })
    }

    /// The sizes that only a filesystem with some leeway may show.
    fn lent_sizes(&self) -> Vec<(RangeInclusive<u64>, Leeway)> {
        let (moves, in_steps) = (Leeway::FailedWriteMovesEof, Leeway::GrowthInSteps);
        let lent = self.sizes.with_leeways();
        let lent = lent.filter_map(|(size, by)| by.map(|leeway| (size..=size, leeway)));
        let mut sizes: Vec<_> = lent.chain(self.sizes.stopped()).collect();
        let (floor, _) = self.size_bounds();
        for flight in &self.flights {
            if let Effect::Write { range, .. } = &flight.effect
                && floor < range.start
                && self.leeways.has(moves)
                && !range.is_empty()
            {
                sizes.push((range.start..=range.start, moves));
            }
            if self.leeways.has(in_steps) && flight.allocates() {
                let raised = flight.raises_size().filter(|to| floor < *to);
                sizes.extend(raised.map(|to| (floor..=to, in_steps)));
            }
        }
        sizes
    }

    /// The sizes that any filesystem may show.
    fn strict_sizes(&self) -> Vec<RangeInclusive<u64>> {
        let (floor, ceiling) = self.size_bounds();
        let strict = self.sizes.with_leeways().filter(|(_, by)| by.is_none());
        let mut allowed: Vec<_> = strict.map(|(size, _)| size..=size).collect();
        for flight in &self.flights {
            if let Some(to) = flight.sets_size() {
                allowed.push(to..=to);
                let raised = self.sizes.raised_since(flight.begin).filter(|raised| to < *raised);
                allowed.extend(raised.map(|size| size..=size));
            }
            match &flight.effect {
                Effect::Write { range, .. } | Effect::Direct { range, .. }
                    if floor < range.end && !range.is_empty() =>
                {
                    allowed.push(floor.max(range.start + 1)..=range.end);
                }
                Effect::Append { len } if 0 < *len => allowed.push(floor..=ceiling),
                // Nobody else changes the size meanwhile.
                Effect::Collapse { .. } | Effect::Insert { .. } => allowed.push(floor..=ceiling),
                Effect::Nothing
                | Effect::Read { .. }
                | Effect::Load { .. }
                | Effect::Write { .. }
                | Effect::Append { .. }
                | Effect::Direct { .. }
                | Effect::Store { .. }
                | Effect::Zero { .. }
                | Effect::Resize { .. }
                | Effect::Grow { .. } => {
                    let raised = flight.raises_size().filter(|to| floor < *to);
                    allowed.extend(raised.map(|to| to..=to));
                }
            }
        }
        allowed
    }

    /// Judges what a read has returned. If that is right by a leeway only, by which.
    pub(super) fn judge_read(
        &self,
        reader: &Flight,
        pos: u64,
        bytes: &[u8],
    ) -> Result<Option<Leeway>, Mismatch> {
        let Some(strict) = reader.history.pieces() else { return Ok(None) };
        let past = Past { strict, lent: &self.passing(reader) };
        let is_load = matches!(reader.effect, Effect::Load { .. });
        let eof = if is_load { reader.floor } else { reader.ceiling };
        let inside = below(eof, pos, bytes);
        let Looked { wrong, needed } = self.compare(pos, inside, &past);
        if let Some(at) = wrong {
            return Err(self.mismatch(at, pos, bytes, &past));
        }
        if is_load || inside.len() == bytes.len() {
            return Ok(needed);
        }
        Err(self.beyond_eof(end_of(pos, inside.len()), pos, bytes, Vec::new()))
    }

    /// Looks for the first byte that nothing explains: not the dense byte, not a last writer, nobody in
    /// flight, nothing in the `past`.
    pub(super) fn compare(&self, pos: u64, bytes: &[u8], past: &Past<'_>) -> Looked {
        let (mut done, mut needed) = (0, None);
        while let Some(skipped) = self.dense.first_difference(end_of(pos, done), &bytes[done..]) {
            done += skipped;
            let at = end_of(pos, done);
            let (until, fills) = self.explanations(at, end_of(pos, bytes.len()), past);
            let behind = done + length(&(at..until));
            let bytes = &bytes[done..behind];
            if let Some(wrong) = self.first_unexplained(at, bytes, &fills.all) {
                return Looked { wrong: Some(end_of(at, wrong)), needed };
            }
            let strict = &fills.all[..fills.strict];
            let is_lent = strict.len() < fills.all.len()
                && self.first_unexplained(at, bytes, strict).is_some();
            needed = needed.or(is_lent.then(|| self.shows_stores()));
            done = behind;
        }
        Looked { wrong: None, needed }
    }

    /// What may be at `at` besides the dense byte, and how far all of it reaches, up to `limit`.
    fn explanations(&self, at: u64, limit: u64, past: &Past<'_>) -> (u64, Fills) {
        let mut until = limit;
        let (mut strict, mut lent) = (Vec::new(), Vec::new());
        let mut consider = |range: &Range<u64>, fill: &Fill, is_lent: bool| {
            if range.contains(&at) {
                until = until.min(range.end);
                if is_lent { &mut lent } else { &mut strict }.push(fill.clone());
            } else if at < range.start {
                until = until.min(range.start);
            }
        };
        let lowest = self.sizes.lowest();
        for flight in &self.flights {
            for (range, fill) in flight.puts(lowest).into_iter().flatten() {
                consider(&range, &fill, false);
            }
        }
        for (range, fill) in past.strict {
            consider(range, fill, false);
        }
        for (range, fill) in past.lent {
            consider(range, fill, true);
        }
        if self.stores_stay() {
            for (range, fill) in self.stranded.within(&(lowest..u64::MAX)) {
                consider(&range, &fill, true);
            }
        }
        if let Some((range, writers)) = self.segments.overlapping(at..limit).next() {
            for writer in writers {
                consider(&range, &writer.fill, writer.kind == Kind::Stranded);
            }
        }
        let sets = self.flights.iter().any(|flight| flight.sets_size().is_some());
        if sets && self.fallback(0).is_some() {
            consider(&(0..u64::MAX), &Fill::Zero, false);
        }
        if let Some(doubt) = &self.doubt {
            doubt.explain(at, &mut |range, fill| consider(range, fill, false));
        }
        let known = strict.len();
        strict.append(&mut lent);
        (until, Fills { all: strict, strict: known })
    }

    /// How many leading bytes are the dense ones or those of some fill; none if all are. Tearing is
    /// rare, so whole blocks are tried before bytes.
    fn first_unexplained(&self, at: u64, bytes: &[u8], fills: &[Fill]) -> Option<usize> {
        if fills.iter().any(|fill| fill.allows_all(at, bytes)) {
            return None;
        }
        let explained = |pos: u64, bytes: &[u8]| {
            fills.iter().any(|fill| fill.allows_all(pos, bytes))
                || self.dense.first_difference(pos, bytes).is_none()
        };
        for (number, block) in bytes.chunks(BLOCK).enumerate() {
            let start = end_of(at, number * BLOCK);
            if explained(start, block) {
                continue;
            }
            let wrong = block.iter().zip(start..).position(|(byte, pos)| !explained(pos, &[*byte]));
            if let Some(wrong) = wrong {
                return Some(number * BLOCK + wrong);
            }
        }
        None
    }

    fn mismatch(&self, at: u64, pos: u64, bytes: &[u8], past: &Past<'_>) -> Mismatch {
        let origin = self.origin(at, pos, bytes);
        let class = match origin {
            Origin::Zero => Class::Lost,
            Origin::Op(op) if self.wrote_here(op, at) && self.grew_over(at) => Class::BeyondEof,
            Origin::Op(op) if self.wrote_here(op, at) => Class::Lost,
            Origin::Op(_) => Class::Stale,
            Origin::FolioPoison | Origin::DevicePoison | Origin::Unknown => Class::Garbage,
        };
        let mut allowed = vec![self.dense_fill(at)];
        for fill in self.explanations(at, end_of(at, 1), past).1.all {
            let fill = fill.at_one(at);
            if !allowed.contains(&fill) {
                allowed.push(fill);
            }
        }
        let found = some_from(at, pos, bytes);
        Mismatch { pos: at, found, allowed, in_flight: self.in_flight_at(at), origin, class }
    }

    fn beyond_eof(&self, at: u64, pos: u64, bytes: &[u8], allowed: Vec<Fill>) -> Mismatch {
        let origin = self.origin(at, pos, bytes);
        let class = Class::BeyondEof;
        let found = some_from(at, pos, bytes);
        Mismatch { pos: at, found, allowed, in_flight: self.in_flight_at(at), origin, class }
    }

    fn origin(&self, at: u64, pos: u64, bytes: &[u8]) -> Origin {
        let lately = self.lately.iter().map(|(_, fill)| fill.clone());
        let in_flight = self.flights.iter().flat_map(|flight| flight.puts(0)).flatten();
        let fills = lately.chain(in_flight.map(|(_, fill)| fill));
        let candidates = fills.filter_map(|fill| fill.candidate());
        pattern::classify(at, pos, bytes, Plausible::default(), candidates)
    }

    fn in_flight_at(&self, at: u64) -> Vec<OpId> {
        let lowest = self.sizes.lowest();
        let touches = |flight: &&Flight| {
            flight.puts(lowest).iter().flatten().any(|(range, _)| range.contains(&at))
        };
        self.flights.iter().filter(touches).map(|flight| flight.op).collect()
    }

    /// True if the operation is known to have written at `at`.
    fn wrote_here(&self, op: OpId, at: u64) -> bool {
        let by = |range: &Range<u64>, fill: &Fill| {
            range.contains(&at) && fill.candidate().is_some_and(|candidate| candidate.op == op)
        };
        self.lately.iter().any(|(range, fill)| by(range, fill))
    }

    /// True if the byte at `at` should be zero because the file grew over it.
    fn grew_over(&self, at: u64) -> bool {
        let last = self.zeroed.iter().find(|(range, _)| range.contains(&at));
        let grown = last.is_some_and(|(_, why)| *why == Zeroed::Grown);
        grown && self.dense.first_difference(at, &[0]).is_none()
    }

    /// The dense byte, by the name of who wrote it where that can be told.
    fn dense_fill(&self, at: u64) -> Fill {
        let start = at / 8 * 8;
        let bytes = self.dense.copy(start..end_of(start, 8));
        let whole = pattern::classify(at, start, &bytes, Plausible::default(), []);
        if let Origin::Op(op) = whole {
            return Fill::tag(op);
        }
        let byte = self.dense.copy(at..end_of(at, 1));
        let wrote = |range: &Range<u64>, fill: &Fill| {
            range.contains(&at) && byte.first().is_some_and(|byte| fill.allows(at, *byte))
        };
        let known = self.lately.iter().find(|(range, fill)| wrote(range, fill));
        let unknown = || if byte == [0] { Fill::Zero } else { Fill::bytes(at, &byte) };
        known.map_or_else(unknown, |(_, fill)| fill.clone())
    }
}

/// What may have been somewhere while a read was in flight.
#[derive(Default)]
pub(super) struct Past<'a> {
    /// On any filesystem.
    strict: &'a [(Range<u64>, Fill)],
    /// By a leeway only.
    lent: &'a [(Range<u64>, Fill)],
}

/// What came of a look.
pub(super) struct Looked {
    /// The position of the first byte that nothing explains.
    pub(super) wrong: Option<u64>,
    /// The leeway without which some byte had no explanation.
    needed: Option<Leeway>,
}

/// What may be somewhere.
struct Fills {
    all: Vec<Fill>,
    /// So many of them, which come first, need no leeway.
    strict: usize,
}

/// Small enough that a torn block is cheap to look at byte by byte.
const BLOCK: usize = 64;

/// How many wrong bytes a mismatch shows.
const SHOWN: usize = 16;

fn some_from(at: u64, pos: u64, bytes: &[u8]) -> Vec<u8> {
    let first = length(&(pos..at)).min(bytes.len());
    bytes[first..].iter().take(SHOWN).copied().collect()
}
