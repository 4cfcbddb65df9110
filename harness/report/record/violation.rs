//! What the oracle found.

use serde::{Deserialize, Serialize};

use super::{Seed, Story};
use crate::number;

/// One invariant that did not hold, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The name of the invariant.
    pub invariant: String,
    /// The invariant as prose: what should have held.
    pub sentence: String,
    /// The file it was seen in; none if the invariant is about no single file.
    pub file: Option<String>,
    /// The bytes of that file; none if the invariant is about no range.
    pub range: Option<ByteRange>,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// Equal for violations that probably have the same cause.
    pub signature: String,
    /// The seed of the simulation, or of the run where real threads ran.
    pub seed: Seed,
    /// What that seed drew, each `path=value`; empty if nothing varies between seeds.
    pub drawn: Vec<String>,
    /// The strategy that decided who went on, with what it was given: `pct, depth 3`. None where
    /// real threads ran, or a script said who goes on.
    pub strategy: Option<String>,
    /// The operation after which it was seen, as text.
    pub operation: String,
    /// The scheduling step (simulated) or the number of the operation (threads) at which it was
    /// seen, counted from 0.
    pub step: u64,
    /// The reproducer, as a path that `pagestorm replay` takes; none if there is none yet.
    pub replay: Option<String>,
    /// How its case failed when it was run again, where threads of a real filesystem did it; None where
    /// a schedule decides, or nobody tried.
    #[serde(default)]
    pub again: Option<Again>,
    /// Extents and folios around the range, several lines in the notation of the strips; may be
    /// empty.
    pub strip: String,
    /// More evidence, one line each.
    pub details: Vec<String>,
    /// Why it fails, told of its smallest case; None where real threads ran, or nothing was made
    /// smaller.
    pub story: Option<Box<Story>>,
}

impl Violation {
    /// The file and the bytes of it, as far as the invariant is about them.
    pub fn place(&self) -> Option<String> {
        place(self.file.as_deref(), self.range)
    }
}

/// The file and the bytes of it, as far as there are any.
pub(super) fn place(file: Option<&str>, range: Option<ByteRange>) -> Option<String> {
    let range = range.map(|ByteRange { start, end }| {
        format!("bytes {}..{}", number::count(start), number::count(end))
    });
    match (file, range) {
        (Some(file), Some(range)) => Some(format!("file {file}, {range}")),
        (Some(file), None) => Some(format!("file {file}")),
        (None, range) => range,
    }
}

/// A case of threads that was made smaller and run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Runs in which it failed alike.
    pub failed: u64,
    /// All runs.
    pub runs: u64,
    /// Calls that it had when it was found.
    pub calls_found: u64,
    /// Calls that it has now.
    pub calls: u64,
}

impl Again {
    /// How often it fails.
    pub fn rate(&self) -> String {
        let Again { failed, runs, .. } = self;
        format!("{} of {}", number::count(*failed), number::counted(*runs, "run"))
    }

    /// How much smaller it has become.
    pub fn smaller(&self) -> String {
        let Again { calls_found, calls, .. } = self;
        format!("from {} to {}", number::count(*calls_found), number::counted(*calls, "call"))
    }
}

/// Bytes `start..end` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}
