//! What happened in a run, and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counters over all seeds of a run. They are exact, and zero is written as zero: a name that can
/// occur is listed even if it never did, so that what was never exercised can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Seeds that ran to their end.
    pub seeds_done: u64,
    /// Of those, the ones under each strategy, by its name; empty where no strategy decided.
    pub strategies: BTreeMap<String, u64>,
    /// Operations that ended, whatever their outcome.
    pub operations: u64,
    /// Operations after which the oracle compared contents and state, and its own looks at a real filesystem.
    pub verified_operations: u64,
    /// Operations that returned an error: errno name to how many.
    pub failed_operations: BTreeMap<String, u64>,
    /// Operations that ended: kind to how many.
    pub operations_by_kind: BTreeMap<String, u64>,
    /// Bytes that writes and mapped stores put into files.
    pub bytes_written: u64,
    /// Bytes that reads and mapped loads took out of files.
    pub bytes_read: u64,
    /// Faults that the scenario asks for: kind to how often it could strike and how often it did.
    pub faults: BTreeMap<String, FaultCount>,
    /// Every named point: how often an actor passed it.
    pub points: BTreeMap<String, u64>,
    /// Every invariant: how often it was checked.
    pub invariants: BTreeMap<String, u64>,
    /// Breaches of state that did not end the run, by invariant.
    pub passed_over: BTreeMap<String, u64>,
    /// Operations that were drawn or listed, and left out as the filesystem cannot do them, by kind.
    #[serde(default)]
    pub left_out: BTreeMap<String, Lacking>,
    /// Files of a real filesystem that were not read again from its device after a sync, by reason.
    #[serde(default)]
    pub unconfirmed: BTreeMap<String, u64>,
    /// What the kernel counted of memory that was short for a real filesystem, by its own words.
    #[serde(default)]
    pub memory: BTreeMap<String, u64>,
    /// Why invariants were never checked, where that is known.
    #[serde(default)]
    pub unchecked: BTreeMap<String, String>,
    /// How often a real filesystem did something that is right only because POSIX leaves it open, by what.
    #[serde(default)]
    pub leeways: BTreeMap<String, u64>,
    /// Answers of the filesystem's rules that differed from the correct answer.
    pub deviations: u64,
    /// Moments at which the scheduler could have let another actor go on; 0 for real threads.
    pub scheduling_points: u64,
    /// Moments at which it did; 0 for real threads.
    pub switches: u64,
}

/// One kind of operation that the filesystem cannot do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lacking {
    /// How many were drawn or listed.
    pub count: u64,
    /// What the filesystem answers.
    pub reason: String,
}

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaultCount {
    /// How often the fault was set up to strike.
    pub armed: u64,
    /// How often it struck.
    pub fired: u64,
    /// How often it should have struck by its chance on a real filesystem, in millionths; none on the
    /// filesystem model.
    #[serde(default)]
    pub due_ppm: Option<u64>,
}
