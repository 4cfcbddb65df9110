//! Latencies and throughput of two runs, with how sure a difference is.

use serde::Serialize;

use super::rates::Rate;
use super::resample::{Chance, Ranks};
use crate::latency::decode;
use crate::number;
use crate::record::{LatencyRow, Record};

/// A figure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// `p50` to `p99.99`, or `throughput`.
    pub metric: &'static str,
    /// Of which operations; none if of all.
    pub operations: Option<String>,
    /// How many operations each was measured on.
    pub n: [u64; 2],
    /// In the first run: nanoseconds, or operations per second.
    pub a: u64,
    /// In the second run.
    pub b: u64,
    /// How much more the second has, in percent of the first.
    pub change: f64,
    /// How sure that is; none if it cannot be said.
    pub interval: Option<Interval>,
}

/// What a change is with a confidence of 95 %, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Interval {
    /// Whether there may be no change at all.
    pub fn holds_zero(self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }
}

/// How often the runs are drawn again.
const DRAWS: usize = 2_000;

/// Of so many draws in order, those between which 95 % lie.
const LOW: usize = 49;
const HIGH: usize = 1_950;

/// Percentiles: the name, one in how many is slower, and the value of a row.
type Percentile = (&'static str, u64, fn(&LatencyRow) -> Option<u64>);

const PERCENTILES: [Percentile; 5] = [
    ("p50", 2, |row| row.p50),
    ("p90", 10, |row| row.p90),
    ("p99", 100, |row| row.p99),
    ("p99.9", 1_000, |row| row.p999),
    ("p99.99", 10_000, |row| row.p9999),
];

/// The names of figures.
pub(super) fn metrics() -> impl Iterator<Item = &'static str> {
    PERCENTILES.iter().map(|(name, ..)| *name).chain(["throughput"])
}

/// Every percentile of every kind of operation that both runs have enough of.
pub(super) fn latency(a: &Record, b: &Record) -> Vec<Figure> {
    let mut all = Vec::new();
    for row in &a.latency.kinds {
        let same = |other: &&LatencyRow| other.title() == row.title();
        let Some(other) = b.latency.kinds.iter().find(same) else { continue };
        // A record that was read has been decoded once already.
        let ranks =
            |row: &LatencyRow| decode(row).ok().flatten().map(|histogram| Ranks::of(&histogram));
        let ranks = ranks(row).zip(ranks(other));
        for (name, one_in, value) in PERCENTILES {
            let (Some(a), Some(b)) = (value(row), value(other)) else { continue };
            let interval = ranks.as_ref().map(|(a, b)| interval(a, b, one_in));
            all.push(figure(name, Some(row.title()), ([row.n, other.n], [a, b]), interval));
        }
    }
    all
}

/// Operations per second while actors acted; where a run is too short to say how sure that is, over
/// all of its time.
pub(super) fn throughput(a: &Record, b: &Record) -> Figure {
    let n = [a.counts.operations, b.counts.operations];
    let rate = |record: &Record| record.timeline.as_ref().and_then(Rate::of);
    let Some((first, second)) = rate(a).zip(rate(b)) else {
        let per_second = [a.timing.operations_per_second, b.timing.operations_per_second];
        return figure("throughput", None, (n, per_second), None);
    };
    let [change, low, high] = first.growth(second).map(|factor| 100.0 * (factor - 1.0));
    let per_second = [first, second].map(Rate::per_second);
    let figure = figure("throughput", None, (n, per_second), Some(Interval { low, high }));
    Figure { change, ..figure }
}

fn figure(
    metric: &'static str,
    operations: Option<String>,
    (n, [a, b]): ([u64; 2], [u64; 2]),
    interval: Option<Interval>,
) -> Figure {
    Figure { metric, operations, n, a, b, change: change(a, b), interval }
}

/// In percent. What took no time at all is taken for the least that can be measured.
fn change(a: u64, b: u64) -> f64 {
    100.0 * (number::float(b.max(1)) / number::float(a.max(1)) - 1.0)
}

fn interval(a: &Ranks, b: &Ranks, one_in: u64) -> Interval {
    // Two streams: equal draws would make a run and its copy look surer than they are.
    let (mut first, mut second) = (Chance::new(2 * one_in), Chance::new(2 * one_in + 1));
    let draw = |_| change(a.resampled(one_in, &mut first), b.resampled(one_in, &mut second));
    let mut draws: Vec<f64> = (0..DRAWS).map(draw).collect();
    draws.sort_by(f64::total_cmp);
    Interval { low: draws[LOW], high: draws[HIGH] }
}
