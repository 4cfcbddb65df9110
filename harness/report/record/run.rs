//! The record of one run, as a whole.

use serde::{Deserialize, Serialize};

use super::{
    Counts, Device, Environment, Explored, Filesystem, LatencyRecord, LedStep, Scenario, Seeds,
    Timeline, Timing, Tool, Verdict, Violation, World,
};

/// Everything that is kept of one run. The order of the fields is the order in `result.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format: [`Record::SCHEMA_VERSION`].
    pub schema: u32,
    /// The program that ran.
    pub tool: Tool,
    /// What was asked for.
    pub scenario: Scenario,
    /// Who decided which actor goes on.
    pub world: World,
    /// Where the random numbers came from.
    pub seed: Seeds,
    /// What the filesystem stood on.
    pub device: Device,
    /// How the filesystem was set up.
    pub filesystem: Filesystem,
    /// What happened, and how often.
    pub counts: Counts,
    /// What was tried out, where everything was to be; None where seeds decided.
    pub explored: Option<Explored>,
    /// What came of the steps of a script that led actors on a real filesystem, in their order; else empty.
    pub led: Vec<LedStep>,
    /// How the run ended.
    pub verdict: Verdict,
    /// What was found, in the order of detection; empty if nothing was.
    pub violations: Vec<Violation>,
    /// How long operations took.
    pub latency: LatencyRecord,
    /// What happened when. None where time was simulated.
    pub timeline: Option<Timeline>,
    /// A hash over every scheduling decision and outcome, in lower-case hex, combined over all
    /// seeds. None where real threads ran, because nothing fixes their order.
    pub trace_hash: Option<String>,
    /// The machine. Differs between machines.
    pub environment: Environment,
    /// Wall-clock figures. They differ between any two runs.
    pub timing: Timing,
}

impl Record {
    /// The version of the format that this program writes, and the only one that it reads.
    pub const SCHEMA_VERSION: u32 = 2;

    /// The JSON Schema (draft 2020-12) of `result.json`.
    pub const JSON_SCHEMA: &'static str = include_str!("../result.schema.json");
}
