//! Two runs side by side: what is slower or faster and how sure that is, and which failures are new.

mod failures;
mod figures;
mod gate;
mod likeness;
mod rates;
mod resample;
mod text;
mod totals;

pub use failures::Failures;
pub use figures::{Figure, Interval};
pub use gate::{Gate, Judged};
pub use likeness::{Difference, differences};
pub use text::text;
pub use totals::Total;

use serde::Serialize;

use crate::record::{Clock, Record};

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What differs between the two besides what is compared; empty unless that was forced.
    pub differences: Vec<Difference>,
    /// Latencies, where both were measured by the clock of the wall and both have enough operations.
    pub latency: Vec<Figure>,
    /// Operations per second; none of a simulated run.
    pub throughput: Option<Figure>,
    /// Of simulated runs, what was counted and differs.
    pub totals: Vec<Total>,
    /// Failures by signature.
    pub failures: Failures,
    /// What became of each gate.
    pub gates: Vec<Judged>,
}

/// Compares `a`, which was before, with `b`.
pub fn compare(a: &Record, b: &Record, gates: &[Gate]) -> Comparison {
    let wall = |record: &Record| record.latency.clock == Clock::Wall;
    let (latency, throughput) = if wall(a) && wall(b) {
        (figures::latency(a, b), Some(figures::throughput(a, b)))
    } else {
        (Vec::new(), None)
    };
    let totals = if wall(a) || wall(b) { Vec::new() } else { totals::totals(a, b) };
    let all: Vec<_> = latency.iter().chain(&throughput).collect();
    let gates = gates.iter().map(|gate| gate.judged(&all)).collect();
    let failures = failures::failures(a, b);
    Comparison { differences: differences(a, b), latency, throughput, totals, failures, gates }
}
