//! Collects latencies while a run is on, and turns them into rows of the record.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;

use crate::histogram::{self, HIGHEST, MOST};
use crate::record::{Clock, LatencyRecord, LatencyRow, Measure, Outcome};

/// The latencies of one thread, one simulation or one run, per kind of operation and class.
///
/// Have one per thread and [`merge`](Latency::merge) them at the end: recording takes no lock.
#[derive(Debug, Clone)]
pub struct Latency {
    clock: Clock,
    kinds: BTreeMap<String, BTreeMap<Class, Series>>,
    lag: Option<Series>,
}

/// What the operations of one row have in common beside their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// What was measured of them.
    pub measure: Measure,
    /// How they ended.
    pub outcome: Outcome,
    /// Whether a fault struck them.
    pub faulted: bool,
}

/// The class of what a schedule was late by, over all operations.
const LAG: Class = Class { measure: Measure::Lag, outcome: Outcome::Ok, faulted: false };

/// The name of all operations together.
const ALL: &str = "all";

impl Latency {
    /// Nothing recorded yet, in the unit of `clock`.
    pub fn new(clock: Clock) -> Latency {
        Latency { clock, kinds: BTreeMap::new(), lag: None }
    }

    /// One operation of `kind` took `value`: nanoseconds or steps, as the clock says. Beyond
    /// sixty seconds only the exact maximum is kept.
    pub fn record(&mut self, kind: &str, class: Class, value: u64) {
        // Nearly every operation is of a kind that is known: it is looked for once.
        match self.kinds.get_mut(kind).and_then(|classes| classes.get_mut(&class)) {
            Some(series) => series.record(value),
            None => self.series(kind, class).record(value),
        }
    }

    /// One operation began `value` nanoseconds after its intended start.
    pub fn record_lag(&mut self, value: u64) {
        self.lag.get_or_insert_with(Series::new).record(value);
    }

    /// Adds everything that `other` has recorded. The order of merging does not matter.
    pub fn merge(&mut self, other: &Latency) -> Result<(), LatencyError> {
        if self.clock != other.clock {
            return Err(LatencyError::ClocksDiffer);
        }
        for (kind, classes) in &other.kinds {
            for (class, series) in classes {
                self.series(kind, *class).add(series)?;
            }
        }
        if let Some(lag) = &other.lag {
            self.lag.get_or_insert_with(Series::new).add(lag)?;
        }
        Ok(())
    }

    /// The rows for the record, sorted by kind and class.
    pub fn to_record(&self) -> LatencyRecord {
        let rows = self.kinds.iter().flat_map(|(kind, classes)| {
            classes.iter().map(move |(class, series)| series.row(kind, *class))
        });
        let lag = self.lag.as_ref().map(|series| series.row(ALL, LAG));
        LatencyRecord { clock: self.clock, kinds: rows.collect(), lag }
    }

    /// What [`Latency::to_record`] was made of, so that finished runs can be merged.
    pub fn from_record(record: &LatencyRecord) -> Result<Latency, LatencyError> {
        let mut latency = Latency::new(record.clock);
        for row in &record.kinds {
            let LatencyRow { measure, outcome, faulted, .. } = *row;
            let class = Class { measure, outcome, faulted };
            latency.series(&row.operation, class).add(&Series::of(row)?)?;
        }
        latency.lag = record.lag.as_ref().map(Series::of).transpose()?;
        Ok(latency)
    }

    fn series(&mut self, kind: &str, class: Class) -> &mut Series {
        // Only the first operation of a kind pays for a copy of its name.
        if !self.kinds.contains_key(kind) {
            self.kinds.insert(kind.to_owned(), BTreeMap::new());
        }
        let classes = self.kinds.get_mut(kind).expect("it was inserted if it was missing");
        classes.entry(class).or_insert_with(Series::new)
    }
}

/// The histogram of a row, if it has one. An error if the row contradicts itself.
pub(crate) fn decode(row: &LatencyRow) -> Result<Option<Histogram<u64>>, LatencyError> {
    let wrong = |reason: String| LatencyError::Row { row: row_name(row), reason };
    if row.n == 0 || row.min > row.max {
        return Err(wrong("it is empty, or its minimum is above its maximum".to_owned()));
    }
    let Some(text) = &row.histogram else { return Ok(None) };
    histogram::decode(text, row.n).map(Some).map_err(wrong)
}

/// Why latencies cannot be read or merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LatencyError {
    /// One side counts nanoseconds, the other steps.
    ClocksDiffer,
    /// Together they count more operations than a histogram can.
    TooMany,
    /// A row of a record is not usable.
    Row {
        /// Its operation and outcome.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for LatencyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LatencyError::ClocksDiffer => write!(
                out,
                "one run counts nanoseconds and the other steps; merge runs of the same world"
            ),
            LatencyError::TooMany => {
                write!(out, "together they count more operations than there can be: one is damaged")
            }
            LatencyError::Row { row, reason } => write!(out, "row `{row}`: {reason}"),
        }
    }
}

impl std::error::Error for LatencyError {}

#[derive(Debug, Clone)]
struct Series {
    histogram: Histogram<u64>,
    min: u64,
    max: u64,
}

impl Series {
    fn new() -> Series {
        Series { histogram: histogram::growing(), min: u64::MAX, max: 0 }
    }

    fn of(row: &LatencyRow) -> Result<Series, LatencyError> {
        let histogram = decode(row)?.ok_or_else(|| LatencyError::Row {
            row: row_name(row),
            reason: "it has no histogram, so it cannot be merged".to_owned(),
        })?;
        Ok(Series { histogram, min: row.min, max: row.max })
    }

    fn record(&mut self, value: u64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.histogram.record(value.min(HIGHEST)).expect("the histogram grows up to the highest");
    }

    fn add(&mut self, other: &Series) -> Result<(), LatencyError> {
        let n = self.histogram.len().saturating_add(other.histogram.len());
        if MOST < n {
            return Err(LatencyError::TooMany);
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.histogram.add(&other.histogram).expect("the histogram grows up to the highest");
        Ok(())
    }

    fn row(&self, kind: &str, class: Class) -> LatencyRow {
        let n = self.histogram.len();
        // A percentile that fewer than ten operations exceed says more about luck than about
        // the filesystem. One in `one_in` operations lies beyond it.
        let percentile = |quantile: f64, one_in: u64| {
            (n / one_in >= 10)
                .then(|| self.histogram.value_at_quantile(quantile).clamp(self.min, self.max))
        };
        LatencyRow {
            operation: kind.to_owned(),
            measure: class.measure,
            outcome: class.outcome,
            faulted: class.faulted,
            n,
            min: self.min,
            p50: percentile(0.5, 2),
            p90: percentile(0.9, 10),
            p99: percentile(0.99, 100),
            p999: percentile(0.999, 1_000),
            p9999: percentile(0.9999, 10_000),
            max: self.max,
            mean: (self.histogram.mean() * 10.0).round() / 10.0,
            histogram: Some(histogram::encode(&self.histogram)),
        }
    }
}

fn row_name(row: &LatencyRow) -> String {
    let faulted = if row.faulted { ", faulted" } else { "" };
    format!("{} {} {}{faulted}", row.operation, row.measure.name(), row.outcome.name())
}

#[cfg(test)]
mod tests {
    use super::{Class, Clock, Latency, LatencyError, Measure, Outcome};

    const OK: Class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: false };
    const ERROR: Class = Class { outcome: Outcome::Error, ..OK };

    fn recorded(values: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::new(Clock::Steps);
        for value in values {
            let kind = if value % 2 == 0 { "write" } else { "read" };
            let class = if value % 7 == 0 { ERROR } else { OK };
            let class = Class { faulted: value % 11 == 0, ..class };
            latency.record(kind, class, value);
            if value % 3 == 0 {
                latency.record(kind, Class { measure: Measure::Response, ..class }, value * 2);
                latency.record_lag(value);
            }
        }
        latency
    }

    #[test]
    fn merging_commutes_and_equals_recording_in_one_place() {
        let parts = [recorded(0..500), recorded(300..90_000), recorded([70_000_000_000, 3])];
        let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]];
        let merged = orders.map(|order| {
            let mut sum = Latency::new(Clock::Steps);
            for part in order {
                sum.merge(&parts[part]).unwrap();
            }
            sum.to_record()
        });
        let whole = recorded((0..500).chain(300..90_000).chain([70_000_000_000, 3])).to_record();
        for record in merged {
            assert_eq!(record, whole);
        }
    }

    #[test]
    fn a_record_reads_back_and_merges_on() {
        let first = recorded(0..3_000);
        let second = recorded(2_000..9_000);
        let mut read_back = Latency::from_record(&first.to_record()).unwrap();
        read_back.merge(&Latency::from_record(&second.to_record()).unwrap()).unwrap();
        let mut direct = first;
        direct.merge(&second).unwrap();
        assert_eq!(read_back.to_record(), direct.to_record());
    }

    #[test]
    fn percentiles_need_ten_operations_beyond_them() {
        let shown = |n: u64| {
            let mut latency = Latency::new(Clock::Wall);
            (0..n).for_each(|value| latency.record("write", OK, value));
            let row = latency.to_record().kinds.remove(0);
            assert_eq!(row.n, n);
            [row.p50, row.p90, row.p99, row.p999, row.p9999].iter().flatten().count()
        };
        let table = [
            (1, 0),
            (19, 0),
            (20, 1),
            (99, 1),
            (100, 2),
            (999, 2),
            (1_000, 3),
            (9_999, 3),
            (10_000, 4),
            (99_999, 4),
            (100_000, 5),
        ];
        for (n, expected) in table {
            assert_eq!(shown(n), expected, "{n} operations");
        }
    }

    #[test]
    fn extremes_are_exact_and_bound_the_percentiles() {
        let mut latency = Latency::new(Clock::Wall);
        (0..40).for_each(|_| latency.record("fsync", OK, 1_000_001));
        latency.record("fsync", ERROR, 61_000_000_000);
        let rows = latency.to_record().kinds;
        assert_eq!(
            (rows[0].min, rows[0].p50, rows[0].max),
            (1_000_001, Some(1_000_001), 1_000_001)
        );
        assert_eq!((rows[1].outcome, rows[1].max), (Outcome::Error, 61_000_000_000));
    }

    #[test]
    fn clocks_and_rows_that_do_not_fit_are_errors() {
        let mut wall = Latency::new(Clock::Wall);
        assert_eq!(wall.merge(&recorded([1])), Err(LatencyError::ClocksDiffer));
        let mut record = recorded([1]).to_record();
        record.kinds[0].histogram = None;
        assert!(Latency::from_record(&record).is_err());
        record.kinds[0].n = 0;
        assert!(super::decode(&record.kinds[0]).is_err());
        let mut sum = recorded([1]);
        let doubled = (0..64).try_for_each(|_| sum.merge(&sum.clone()));
        assert_eq!(doubled, Err(LatencyError::TooMany));
        assert_eq!(sum.to_record().kinds[0].n, 1 << 62);
    }
}
