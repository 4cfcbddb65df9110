//! How long the operations of one actor took, and when.

use crate::tally::moved;
use report::latency::{Class, Latency};
use report::record::{Clock, Measure, Outcome as Ending};
use report::timeline::{EndedOperation, Timeline};
use stormfs::op::{Op, Outcome};

/// See the module.
#[derive(Debug, Clone)]
pub struct Journal {
    /// How long operations took.
    pub latency: Latency,
    /// What ended when; none where time is virtual.
    pub timeline: Option<Timeline>,
    /// What all calls took, with the oracle, in nanoseconds.
    pub in_calls: u64,
    /// Operations that were due when time was up, and never began.
    pub overdue: u64,
}

/// A call that returned. Times are in nanoseconds, or `service` in steps where time is virtual.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What was called.
    pub op: &'a Op,
    /// What it returned.
    pub outcome: Outcome,
    /// Whether a fault struck it.
    pub faulted: bool,
    /// From its start to its end, without the oracle.
    pub service: u64,
    /// What the oracle took meanwhile.
    pub oracle: u64,
    /// How late it started, if it had a schedule.
    pub lag: Option<u64>,
    /// When it ended, in milliseconds since the actors began.
    pub at_ms: u64,
}

impl Journal {
    /// Nothing has happened yet; latencies count `clock`.
    pub fn new(clock: Clock) -> Journal {
        let timeline = (clock == Clock::Wall).then(Timeline::default);
        Journal { latency: Latency::new(clock), timeline, in_calls: 0, overdue: 0 }
    }

    /// Counts one call.
    pub fn enter(&mut self, entry: Entry<'_>) {
        let Entry { op, outcome, faulted, service, oracle, lag, at_ms } = entry;
        let kind = op.kind();
        let ending = if outcome.is_ok() { Ending::Ok } else { Ending::Error };
        let class = Class { measure: Measure::Service, outcome: ending, faulted };
        self.latency.record(kind.name(), class, service);
        let response = lag.map(|lag| lag.saturating_add(service));
        if let Some((lag, response)) = lag.zip(response) {
            self.latency.record_lag(lag);
            let class = Class { measure: Measure::Response, ..class };
            self.latency.record(kind.name(), class, response);
        }
        if let Some(timeline) = &mut self.timeline {
            let bytes = moved(kind, outcome);
            timeline.operation(EndedOperation {
                at_ms,
                bytes,
                oracle_ns: oracle,
                service,
                response,
            });
            self.in_calls = self.in_calls.saturating_add(service).saturating_add(oracle);
        }
    }

    /// Adds what `other` holds.
    pub fn add(&mut self, other: &Journal) {
        self.latency.merge(&other.latency).expect("journals of one run have one clock");
        if let Some((mine, theirs)) = self.timeline.as_mut().zip(other.timeline.as_ref()) {
            mine.merge(theirs);
        }
        self.in_calls = self.in_calls.saturating_add(other.in_calls);
        self.overdue = self.overdue.saturating_add(other.overdue);
    }

    /// The oracle's share of the time that calls took.
    pub fn oracle_share(&self) -> Option<f64> {
        const PARTS: u128 = 10_000;
        let oracle = u128::from(self.timeline.as_ref()?.oracle_ns()) * PARTS;
        let share = oracle.checked_div(u128::from(self.in_calls))?;
        Some(f64::from(u32::try_from(share).ok()?) / 10_000.0)
    }
}
