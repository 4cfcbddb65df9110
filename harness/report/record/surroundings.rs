//! The parts of a record that differ between machines and between runs.

use serde::{Deserialize, Serialize};

/// The machine and the build. What could not be found out is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// The kernel's name and release.
    pub kernel: Option<String>,
    /// The processor's model.
    pub cpu: Option<String>,
    /// How many processors the run could use.
    pub cores: Option<u32>,
    /// Where the kernel takes the time from.
    pub clock_source: Option<String>,
    /// The step of the clock that measures latency, in nanoseconds.
    pub clock_resolution_ns: Option<u64>,
    /// How the kernel sets the frequency of the processors.
    pub governor: Option<String>,
    /// The compiler.
    pub rustc: Option<String>,
    /// The commit the program was built from, if the build was told.
    pub commit: Option<String>,
}

/// Wall-clock figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// How long the run took, in milliseconds.
    pub elapsed_ms: u64,
    /// Operations that ended, per second.
    pub operations_per_second: u64,
    /// The oracle's share of the time that actors spent in calls, from 0 to 1; none if it was not
    /// measured. Latencies do not contain it.
    pub oracle_share: Option<f64>,
}
