//! How long operations took, per kind and outcome.

use serde::{Deserialize, Serialize};

/// The latencies of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyRecord {
    /// What the figures count.
    pub clock: Clock,
    /// One row for each kind of operation and outcome that occurred, sorted by both.
    pub kinds: Vec<LatencyRow>,
}

/// What a latency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Nanoseconds of wall-clock time, from the start of the operation to its end (service time).
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

/// The latency of one kind of operation with one outcome, in the unit of the [`Clock`].
///
/// A percentile is there only if at least ten operations lie beyond it. Percentiles and the mean
/// have three significant digits; the extremes are exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyRow {
    /// The kind of operation.
    pub operation: String,
    /// How the operations of this row ended.
    pub outcome: Outcome,
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
    /// All of them: an `HdrHistogram` (V2, not deflated, 3 significant digits, up to 60e9) in
    /// base64. Merge runs by adding these, never by averaging percentiles.
    pub histogram: Option<String>,
}
