//! What an operation leaves behind when it ends.

use super::{
    Content, Zeroed,
    fill::Fill,
    flight::{Applied, Effect, Flight, intersection},
    had::Fallback,
    segments::Kind,
    sizes::{SizeChange, Span},
};
use crate::leeway::Leeway;
use std::ops::Range;
use stormfs::quantity::page_up;

impl Content {
    /// Takes over what an operation has done.
    pub(super) fn apply(&mut self, flight: &Flight, applied: Applied<'_>, span: Span) {
        match applied {
            Applied::Nothing | Applied::Read { .. } => {}
            Applied::CopiedNothing => self.leave_eof(flight, span),
            Applied::Wrote { range, fill } => {
                if matches!(flight.effect, Effect::Store { .. }) {
                    self.store(flight, range, fill, span);
                } else if flight.crowded && matches!(flight.effect, Effect::Direct { .. }) {
                    self.note(&range, &fill);
                    self.grow(flight, range.start, range.end, span);
                    self.put(range, fill, Kind::Direct, span);
                } else if !range.is_empty() {
                    self.write(flight, range, fill, span);
                }
            }
            Applied::Zeroed { range, grew_to } => {
                self.note_zeroed(range.clone(), Zeroed::Cleared);
                self.put(range, Fill::Zero, Kind::Overwrite, span);
                if let Some(to) = grew_to {
                    self.grow(flight, to, to, span);
                }
            }
            Applied::Resized { to } => {
                self.expose(flight, to, span);
                self.put(to..u64::MAX, Fill::Zero, Kind::Overwrite, span);
                if to < self.sizes.lowest() {
                    self.stranded.clear(span);
                }
                self.sizes.change(SizeChange::Set(to), span);
            }
            Applied::Grew { to } => self.grow(flight, to, to, span),
            Applied::Shifted => {
                if let Effect::Collapse { range } = &flight.effect {
                    self.shift(range.end, range.start);
                } else if let Effect::Insert { range } = &flight.effect {
                    self.shift(range.start, range.end);
                }
            }
            Applied::Perhaps => self.apply_perhaps(flight, span),
        }
    }

    /// Readers in flight may have seen what an operation tried, even if it did less in the end.
    pub(super) fn remember_attempt(&mut self, flight: &Flight) {
        let lowest = self.sizes.lowest();
        if !self.flights.iter().any(|reader| reader.reads().is_some()) {
            return;
        }
        for (range, fill) in flight.puts(lowest).into_iter().flatten() {
            for reader in &mut self.flights {
                let Some(read) = reader.reads() else { continue };
                let seen = intersection(read, &range);
                reader.history.remember(seen, fill.clone());
            }
        }
    }

    fn write(&mut self, flight: &Flight, range: Range<u64>, fill: Fill, span: Span) {
        self.note(&range, &fill);
        let end = range.end;
        self.grow(flight, range.start, end, span);
        self.put(range, fill, Kind::Write, span);
    }

    /// A store reaches only bytes of the file. Beyond every possible end it needs somebody in flight
    /// who may have moved the end.
    fn store(&mut self, flight: &Flight, range: Range<u64>, fill: Fill, span: Span) {
        self.note(&range, &fill);
        let reach = if self.is_quiet() { self.sizes.highest() } else { u64::MAX };
        let inside = intersection(&range, &(0..flight.floor));
        let perhaps = intersection(&range, &(flight.floor..reach));
        self.put(inside, fill.clone(), Kind::Overwrite, span);
        self.put(perhaps, fill.clone(), Kind::Beyond, span);
        let behind = intersection(&range, &(flight.floor..page_up(flight.ceiling)));
        if self.keeps_stores() {
            self.stranded.add(behind, fill, span.end);
        }
    }

    /// Remembers who wrote where, for a while.
    fn note(&mut self, range: &Range<u64>, fill: &Fill) {
        if fill.candidate().is_some() {
            self.lately.truncate(LATELY - 1);
            self.lately.push_front((range.clone(), fill.clone()));
        }
    }

    /// Remembers where zeroes came from, for a while.
    fn note_zeroed(&mut self, range: Range<u64>, why: Zeroed) {
        if !range.is_empty() {
            self.zeroed.truncate(LATELY - 1);
            self.zeroed.push_front((range, why));
        }
    }

    /// The file holds at least `to` bytes now, and those up to `exposed` were zero.
    fn grow(&mut self, flight: &Flight, exposed: u64, to: u64, span: Span) {
        self.expose(flight, exposed, span);
        self.sizes.change(SizeChange::Raise(to), span);
    }

    /// A growing operation shows zeroes up to `to`: surely from the largest size that the file can
    /// have had meanwhile, perhaps from the smallest.
    fn expose(&mut self, flight: &Flight, to: u64, span: Span) {
        let lowest = self.sizes.lowest();
        self.note_zeroed(lowest..to, Zeroed::Grown);
        let sure = flight.ceiling.max(lowest).min(to);
        self.put(lowest..sure, Fill::Zero, Kind::PerhapsGrown, span);
        self.put(sure.max(lowest)..to, Fill::Zero, Kind::Grown, span);
        self.show_stranded(flight.floor..to, span);
    }

    /// What was stored behind an end of the file may show.
    fn show_stranded(&mut self, range: Range<u64>, span: Span) {
        if !self.stores_stay() {
            return;
        }
        for (range, fill) in self.stranded.within(&range) {
            self.put(range, fill, Kind::Stranded, span);
        }
    }

    /// A write copied nothing. Where the filesystem makes use of that, the file may end at its position.
    fn leave_eof(&mut self, flight: &Flight, span: Span) {
        let Effect::Write { range, .. } = &flight.effect else { return };
        let (to, lowest) = (range.start, self.sizes.lowest());
        // A truncate in flight may have been there before it.
        let moves = self.leeways.has(Leeway::FailedWriteMovesEof);
        if moves && flight.floor < to && !range.is_empty() {
            self.put(lowest.min(to)..to, Fill::Zero, Kind::PerhapsGrown, span);
            self.show_stranded(flight.floor..to, span);
            self.sizes.lend(SizeChange::Raise(to), span, Leeway::FailedWriteMovesEof);
        }
    }

    fn apply_perhaps(&mut self, flight: &Flight, span: Span) {
        for (range, fill) in flight.puts(self.sizes.lowest()).into_iter().flatten() {
            let split = matches!(flight.effect, Effect::Direct { .. }) && fill != Fill::Zero;
            self.put(range, fill, if split { Kind::Direct } else { Kind::Perhaps }, span);
        }
        if let Some(to) = flight.sets_size() {
            self.sizes.perhaps(SizeChange::Set(to), span);
            let highest = self.sizes.highest().max(flight.ceiling);
            if let Some(fallback) = self.fallback(highest) {
                self.fall_back(fallback, span);
            }
        }
        if let Some(to) = flight.raises_size() {
            let in_steps = flight.allocates() && self.leeways.has(Leeway::GrowthInSteps);
            if flight.floor < to && in_steps {
                self.sizes.on_the_way(flight.floor..=to, span, Leeway::GrowthInSteps);
            }
            self.sizes.perhaps(SizeChange::Raise(to), span);
        }
        if let Effect::Collapse { range } = &flight.effect {
            for size in self.sizes.iter().filter(|size| range.end < *size).collect::<Vec<_>>() {
                self.sizes.perhaps(SizeChange::Set(size - flight.takes_out()), span);
            }
        }
        if 0 < flight.appends() {
            for size in self.sizes.iter().collect::<Vec<_>>() {
                let to = size.saturating_add(flight.appends());
                self.sizes.perhaps(SizeChange::Raise(to), span);
            }
        }
    }

    /// A truncate failed, and nobody knows the size on the device, which the file may have now.
    fn fall_back(&mut self, to: Fallback, span: Span) {
        self.put(0..u64::MAX, Fill::Zero, Kind::Perhaps, span);
        self.sizes.lend(SizeChange::Set(0), span, Leeway::FailedTruncateFallsBack);
        self.sizes.falls_back(to, span);
        for other in &mut self.flights {
            other.floor = 0;
        }
    }

    /// One range gets one more writer.
    fn put(&mut self, range: Range<u64>, fill: Fill, kind: Kind, span: Span) {
        if range.is_empty() {
            return;
        }
        if kind.overwrites() {
            self.remember_before(&range);
        }
        if kind.is_dense() {
            self.dense.put(range.clone(), &fill);
        }
        self.segments.add(range, fill, kind, span, self.oldest_change());
    }

    /// Readers in flight may have seen what was in `range` until now.
    pub(super) fn remember_before(&mut self, range: &Range<u64>) {
        for reader in &mut self.flights {
            let Some(read) = reader.reads() else { continue };
            let seen = intersection(read, range);
            if seen.is_empty() {
                continue;
            }
            for (here, writers) in self.segments.overlapping(seen.clone()) {
                for writer in writers {
                    reader.history.remember(here.clone(), writer.fill.clone());
                }
            }
            let bytes = self.dense.copy(seen.clone());
            reader.history.remember(seen.clone(), Fill::bytes(seen.start, &bytes));
        }
    }
}

/// How many writes, and how many zeroings, are kept to name bytes by.
const LATELY: usize = 64;
