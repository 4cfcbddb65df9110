//! Collects what happened when, in slices that double in width when there are too many.
//!
//! Memory is bounded however long a run is, and merging commutes: of two timelines the one with the
//! narrower slices is widened first.

use std::collections::BTreeMap;

use crate::record::{self, FaultWindow, Slice, Spread};

/// No time of a run lies beyond: some thirty years, in milliseconds.
const LATEST: u64 = 1 << 40;

/// What one actor, or all of them, did over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    slices: Slices<Slice>,
    faults: BTreeMap<&'static str, Slices<Strikes>>,
    halts: Slices<Strikes>,
}

/// An operation that ended.
#[derive(Debug, Clone, Copy)]
pub struct EndedOperation {
    /// When, in milliseconds since the actors began.
    pub at_ms: u64,
    /// The bytes that it moved.
    pub bytes: u64,
    /// What the oracle took meanwhile, in nanoseconds.
    pub oracle_ns: u64,
    /// Its service time, in nanoseconds.
    pub service: u64,
    /// Its response time, if it had a schedule.
    pub response: Option<u64>,
}

impl Timeline {
    /// Counts an operation.
    pub fn operation(&mut self, ended: EndedOperation) {
        let slice = self.slices.at(ended.at_ms);
        slice.fold(&Slice {
            operations: 1,
            bytes: ended.bytes,
            oracle_ns: ended.oracle_ns,
            ..Slice::default()
        });
        add(&mut slice.service, ended.service);
        if let Some(response) = ended.response {
            add(&mut slice.response, response);
        }
    }

    /// Counts a fault that struck from `from_ms` to `to_ms`.
    pub fn fault(&mut self, kind: &'static str, from_ms: u64, to_ms: u64) {
        cover(self.faults.entry(kind).or_default(), from_ms, to_ms);
    }

    /// Counts a halt of all actors from `from_ms` to `to_ms`.
    pub fn halt(&mut self, from_ms: u64, to_ms: u64) {
        cover(&mut self.halts, from_ms, to_ms);
    }

    /// Adds everything that `other` has counted. The order of merging does not matter.
    pub fn merge(&mut self, other: &Timeline) {
        self.slices.merge(&other.slices);
        for (kind, slices) in &other.faults {
            self.faults.entry(kind).or_default().merge(slices);
        }
        self.halts.merge(&other.halts);
    }

    /// What the oracle took during all operations, in nanoseconds.
    pub fn oracle_ns(&self) -> u64 {
        self.slices.rows.iter().fold(0, |sum, slice| sum.saturating_add(slice.oracle_ns))
    }

    /// The timeline for the record; who acted, how long all were halted and what was left undone is
    /// for others to say.
    pub fn to_record(&self) -> record::Timeline {
        let width = self.slices.width;
        let faults = self.faults.iter().flat_map(|(kind, slices)| windows(kind, slices));
        record::Timeline {
            slice_ms: width,
            slices: self.slices.rows.clone(),
            faults: faults.collect(),
            halts: windows("halt", &self.halts),
            overdue: 0,
            actors: 0,
            workers: 0,
            halted_ms: 0,
        }
    }
}

/// Covers what lasted that long, and counts it where it began.
fn cover(slices: &mut Slices<Strikes>, from_ms: u64, to_ms: u64) {
    let (from_ms, to_ms) = (from_ms.min(LATEST), to_ms.min(LATEST));
    // The later end first: it may make slices wider.
    slices.at(to_ms.max(from_ms)).covered = true;
    let mut at = from_ms;
    while at < to_ms {
        slices.at(at).covered = true;
        at += slices.width;
    }
    let first = slices.at(from_ms);
    (first.covered, first.count) = (true, first.count.saturating_add(1));
}

fn add(spread: &mut Spread, value: u64) {
    spread.max = spread.max.max(value);
    spread.counts.count(value);
}

/// The windows of one kind: as many as there are gaps, or as many as are told of, with the widest
/// gaps between them.
fn windows(kind: &str, slices: &Slices<Strikes>) -> Vec<FaultWindow> {
    let mut gap = 0;
    loop {
        let found = apart(kind, slices, gap);
        if found.len() <= record::Timeline::WINDOWS {
            return found;
        }
        gap += 1;
    }
}

/// The windows that are more than `gap` slices apart.
fn apart(kind: &str, slices: &Slices<Strikes>, gap: u64) -> Vec<FaultWindow> {
    let mut windows: Vec<FaultWindow> = Vec::new();
    let rows = (0..).zip(&slices.rows).filter(|(_, strikes)| strikes.covered);
    for (place, strikes) in rows {
        let (from_ms, to_ms) = (place * slices.width, (place + 1) * slices.width);
        let near = |last: &&mut FaultWindow| from_ms <= last.to_ms + gap * slices.width;
        if let Some(last) = windows.last_mut().filter(near) {
            (last.to_ms, last.count) = (to_ms, last.count.saturating_add(strikes.count));
        } else {
            let (kind, count) = (kind.to_owned(), strikes.count);
            windows.push(FaultWindow { kind, from_ms, to_ms, count });
        }
    }
    windows
}

/// What one kind of fault did in one slice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Strikes {
    /// How often it began to strike.
    count: u64,
    /// Whether it struck, or still lasted.
    covered: bool,
}

/// What a slice holds: slices become one by adding what they hold.
trait Fold: Default + Clone {
    fn fold(&mut self, other: &Self);
}

impl Fold for Strikes {
    fn fold(&mut self, other: &Strikes) {
        self.count = self.count.saturating_add(other.count);
        self.covered |= other.covered;
    }
}

impl Fold for Slice {
    fn fold(&mut self, other: &Slice) {
        self.operations = self.operations.saturating_add(other.operations);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.oracle_ns = self.oracle_ns.saturating_add(other.oracle_ns);
        for (mine, theirs) in
            [(&mut self.service, &other.service), (&mut self.response, &other.response)]
        {
            mine.max = mine.max.max(theirs.max);
            mine.counts.add(&theirs.counts);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slices<T> {
    /// In milliseconds, a power of two.
    width: u64,
    rows: Vec<T>,
}

impl<T> Default for Slices<T> {
    fn default() -> Slices<T> {
        Slices { width: 1, rows: Vec::new() }
    }
}

impl<T: Fold> Slices<T> {
    /// The slice of that millisecond; all become wider until it is one of them.
    fn at(&mut self, ms: u64) -> &mut T {
        let ms = ms.min(LATEST);
        loop {
            let index = usize::try_from(ms / self.width).unwrap_or(usize::MAX);
            if index < record::Timeline::SLICES {
                if self.rows.len() <= index {
                    self.rows.resize(index + 1, T::default());
                }
                return &mut self.rows[index];
            }
            self.widen();
        }
    }

    /// Two slices become one.
    fn widen(&mut self) {
        self.width *= 2;
        let pairs = self.rows.chunks(2).map(|pair| {
            let mut sum = pair[0].clone();
            pair[1..].iter().for_each(|second| sum.fold(second));
            sum
        });
        self.rows = pairs.collect();
    }

    fn merge(&mut self, other: &Slices<T>) {
        while self.width < other.width {
            self.widen();
        }
        for (place, row) in (0..).zip(&other.rows) {
            self.at(place * other.width).fold(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EndedOperation, Timeline};
    use crate::record;

    fn ended(at_ms: u64, service: u64) -> EndedOperation {
        let response = (service.is_multiple_of(2)).then_some(service * 3);
        EndedOperation { at_ms, bytes: 10, oracle_ns: 5, service, response }
    }

    fn timeline(times: impl IntoIterator<Item = u64>) -> Timeline {
        let mut timeline = Timeline::default();
        for at_ms in times {
            timeline.operation(ended(at_ms, 1_000 + at_ms * 7));
            if at_ms % 50 < 3 {
                timeline.fault("delay", at_ms, at_ms + 20);
            }
        }
        timeline
    }

    #[test]
    fn slices_double_in_width_and_lose_nothing() {
        let mut timeline = Timeline::default();
        for (at_ms, width, slices) in [
            (0, 1, 1),
            (239, 1, 240),
            (240, 2, 121),
            (479, 2, 240),
            (480, 4, 121),
            (9_999, 64, 157),
        ] {
            timeline.operation(ended(at_ms, at_ms + 300));
            let record = timeline.to_record();
            assert_eq!((record.slice_ms, record.slices.len()), (width, slices), "{at_ms} ms");
        }
        let record = timeline.to_record();
        assert_eq!(record.slices.iter().map(|slice| slice.operations).sum::<u64>(), 6);
        assert_eq!(record.slices[0].operations, 1);
        assert_eq!(record.slices[0].service.max, 300);
        assert_eq!(record.slices[156].service.max, 10_299);
        assert_eq!(timeline.oracle_ns(), 30);
        timeline.operation(ended(u64::MAX, 1));
        assert!(timeline.to_record().is_sound());
    }

    #[test]
    fn merging_commutes_and_equals_collecting_in_one_place() {
        let parts = [timeline(0..200), timeline((0..30_000).step_by(13)), timeline([7, 900])];
        let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]];
        let whole = (0..200).chain((0..30_000).step_by(13)).chain([7, 900]);
        let whole = timeline(whole).to_record();
        for order in orders {
            let mut sum = Timeline::default();
            for part in order {
                sum.merge(&parts[part]);
            }
            let merged = sum.to_record();
            assert_eq!((merged.slice_ms, &merged.slices), (whole.slice_ms, &whole.slices));
            let count = |timeline: &record::Timeline| -> u64 {
                timeline.faults.iter().map(|window| window.count).sum()
            };
            assert_eq!(count(&merged), count(&whole), "{order:?}");
        }
    }

    #[test]
    fn strikes_that_are_close_make_one_window_and_windows_are_few() {
        let mut timeline = Timeline::default();
        timeline.fault("latency", 100, 130);
        timeline.fault("latency", 110, 150);
        timeline.fault("latency", 200, 200);
        let windows = timeline.to_record().faults;
        let told: Vec<_> = windows.iter().map(|w| (w.from_ms, w.to_ms, w.count)).collect();
        assert_eq!(told, [(100, 151, 2), (200, 201, 1)]);
        (0..240).step_by(2).for_each(|at| timeline.fault("delay", at, at));
        let delays = timeline.to_record().faults;
        let delays: Vec<_> = delays.iter().filter(|window| window.kind == "delay").collect();
        assert!(delays.len() <= record::Timeline::WINDOWS);
        assert_eq!(delays.iter().map(|window| window.count).sum::<u64>(), 120);
    }
}
