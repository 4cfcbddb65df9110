//! How long operations took, per kind and outcome.

use serde::{Deserialize, Serialize};

/// The latencies of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyRecord {
    /// What the figures count.
    pub clock: Clock,
    /// One row for each kind of operation, measure, outcome and whether a fault struck, as far as
    /// they occurred; sorted by these.
    pub kinds: Vec<LatencyRow>,
    /// How late operations with a schedule began, over all of them. None where there is no schedule.
    pub lag: Option<LatencyRow>,
}

/// What was measured of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// From its actual start to its end.
    Service,
    /// From its intended start to its end; of operations that have a schedule.
    Response,
    /// From its intended start to its actual one; of operations that have a schedule.
    Lag,
}

impl Measure {
    /// The name in `result.json`.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Service => "service",
            Measure::Response => "response",
            Measure::Lag => "lag",
        }
    }
}

/// What a latency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Nanoseconds of wall-clock time, without what the oracle took of them.
    Wall,
    /// Scheduling steps: simulated time says nothing about speed.
    Steps,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did something, if only in part.
    Ok,
    /// It returned an error.
    Error,
}

impl Outcome {
    /// The name in `result.json`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
        }
    }
}

/// One measure of one kind of operation with one outcome, in the unit of the [`Clock`].
///
/// A percentile is there only if at least ten operations lie beyond it. Percentiles and the mean
/// have three significant digits; the extremes are exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyRow {
    /// The kind of operation.
    pub operation: String,
    /// What was measured.
    pub measure: Measure,
    /// How the operations of this row ended.
    pub outcome: Outcome,
    /// Whether a fault struck each of them: a copy that fell short, a write fault given up, a delay,
    /// or a request for bytes of theirs that failed or was delayed and ended meanwhile.
    pub faulted: bool,
    /// How many there were, at least 1.
    pub n: u64,
    /// The fastest.
    pub min: u64,
    /// Half of them took at most this; there from 20 operations on.
    pub p50: Option<u64>,
    /// 90 % took at most this; there from 100 operations on.
    pub p90: Option<u64>,
    /// 99 % took at most this; there from 1 000 operations on.
    pub p99: Option<u64>,
    /// 99.9 % took at most this; there from 10 000 operations on.
    pub p999: Option<u64>,
    /// 99.99 % took at most this; there from 100 000 operations on.
    pub p9999: Option<u64>,
    /// The slowest.
    pub max: u64,
    /// The mean, rounded to a tenth.
    pub mean: f64,
    /// All of them: an `HdrHistogram` (V2, deflated, 3 significant digits, up to 60e9) in base64.
    /// Merge runs by adding these, never by averaging percentiles.
    pub histogram: Option<String>,
}

impl LatencyRow {
    /// The name of the row, for people: `write (struck, failed, response)`.
    pub fn title(&self) -> String {
        let struck = if self.faulted { "struck" } else { "" };
        let failed = if self.outcome == Outcome::Error { "failed" } else { "" };
        let measure = match self.measure {
            Measure::Service => "",
            Measure::Response => "response",
            Measure::Lag => "schedule lag",
        };
        let about = [struck, failed, measure];
        let about: Vec<_> = about.into_iter().filter(|about| !about.is_empty()).collect();
        if about.is_empty() {
            return self.operation.clone();
        }
        format!("{} ({})", self.operation, about.join(", "))
    }
}
