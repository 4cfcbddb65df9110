//! Stores through a mapping behind the end of a file, in its last page.

use super::{
    Content,
    fill::Fill,
    flight::{Applied, Flight, intersection},
    sizes::Span,
};
use crate::leeway::Leeway;
use std::ops::Range;

/// What may show when the file grows, in the order in which it was stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Stranded {
    stores: Vec<(Range<u64>, Fill, u64)>,
}

impl Stranded {
    /// More than so many are not told apart: anything may be where they are.
    const MOST: usize = 64;

    /// One more, which ended then.
    pub(super) fn add(&mut self, range: Range<u64>, fill: Fill, ended: u64) {
        if range.is_empty() {
            return;
        }
        if self.stores.len() == Self::MOST {
            let all = self.stores.drain(..).map(|(range, ..)| range);
            let hull = all.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
            self.stores.extend(hull.map(|hull| (hull, Fill::Anything, ended)));
        }
        self.stores.push((range, fill, ended));
    }

    /// Those within `range`.
    pub(super) fn within(&self, range: &Range<u64>) -> Vec<(Range<u64>, Fill)> {
        let part = |(stored, fill, _): &(Range<u64>, Fill, u64)| {
            let part = intersection(stored, range);
            (!part.is_empty()).then(|| (part, fill.clone()))
        };
        self.stores.iter().filter_map(part).collect()
    }

    /// A truncate has cleared everything behind its end that was there when it began.
    pub(super) fn clear(&mut self, span: Span) {
        self.stores.retain(|(.., ended)| span.begin < *ended);
    }

    /// Somebody who began then has made the file so large, and has cleared what was behind its end.
    fn forget_shown(&mut self, to: u64, begin: u64) {
        self.stores.retain(|(range, _, ended)| begin < *ended || to < range.end);
    }

    /// Nobody is in flight, and the file has at least `size` bytes: what lies below has shown itself.
    pub(super) fn forget_below(&mut self, size: u64) {
        self.stores.retain(|(range, ..)| size < range.end);
    }
}

impl Content {
    /// Whether stores behind the end are remembered.
    pub(super) fn keeps_stores(&self) -> bool {
        self.stores_stay() || self.leeways.has(Leeway::GrowthShowsStores)
    }

    /// Whether they may show whenever the file grows, and stay.
    pub(super) fn stores_stay(&self) -> bool {
        self.leeways.has(Leeway::StoresBeyondEofStay)
    }

    /// Whether they show only to who reads while the file grows.
    fn stores_pass(&self) -> bool {
        self.keeps_stores() && !self.stores_stay()
    }

    /// The leeway by which they show.
    pub(super) fn shows_stores(&self) -> Leeway {
        if self.stores_stay() { Leeway::StoresBeyondEofStay } else { Leeway::GrowthShowsStores }
    }

    /// What a read that ends now may have seen of them.
    pub(super) fn passing(&self, reader: &Flight) -> Vec<(Range<u64>, Fill)> {
        if !self.stores_pass() || !reader.is_call() {
            return Vec::new();
        }
        let growing = self.flights.iter().filter_map(Flight::grows_over);
        let now = growing.flat_map(|range| self.stranded.within(&range));
        let all = now.chain(reader.history.passing().iter().cloned());
        // Below that somebody has returned who grew the file.
        let since =
            |(range, fill): (Range<u64>, Fill)| (range.start.max(reader.floor)..range.end, fill);
        all.map(since).filter(|(range, _)| !range.is_empty()).collect()
    }

    /// An operation has ended: whoever reads may have seen what it grew over, and nobody later will.
    pub(super) fn pass(&mut self, flight: &Flight, applied: &Applied<'_>) {
        let Some(grown_over) = flight.grows_over() else { return };
        if !self.stores_pass() || *applied == Applied::Nothing {
            return;
        }
        let shown = self.stranded.within(&grown_over);
        for reader in self.flights.iter_mut().filter(|reader| reader.is_call()) {
            let Some(read) = reader.reads().cloned() else { continue };
            for (range, fill) in &shown {
                reader.history.remember_passing(intersection(&read, range), fill.clone());
            }
        }
        if let Some(to) = applied.reached() {
            self.stranded.forget_shown(to, flight.begin);
        }
    }
}
