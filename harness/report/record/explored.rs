//! What was tried out, where everything was to be.

use crate::number;
use serde::{Deserialize, Serialize};

/// Schedules that were run instead of seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// Combinations of what varies.
    pub combinations: u64,
    /// Whether every schedule within the bounds was run, of every combination.
    pub complete: bool,
    /// Schedules that were run.
    pub schedules: u64,
    /// The same by what schedules cost, in the order in which they are run.
    pub levels: Vec<Level>,
}

/// Schedules that cost the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Preemptions of each of them.
    pub preemptions: u32,
    /// Faults of each of them.
    pub faults: u32,
    /// Those that were run.
    pub schedules: u64,
    /// Whether these were all.
    pub complete: bool,
    /// How many there are, as far as is known: an estimate unless complete.
    pub about: u64,
}

impl Explored {
    /// How much was tried out, in a line.
    pub(crate) fn line(&self) -> String {
        let schedules = number::counted(self.schedules, "schedule");
        let combinations = match self.combinations {
            1 => String::new(),
            several => format!(" of {}", number::counted(several, "combination")),
        };
        let complete = if self.complete { "complete" } else { "not complete" };
        format!("{complete}: {schedules}{combinations}")
    }
}

impl Level {
    /// What its schedules cost, in words.
    pub(crate) fn cost(&self) -> String {
        let preemptions = number::counted(self.preemptions.into(), "preemption");
        match self.faults {
            0 => preemptions,
            faults => format!("{preemptions}, {}", number::counted(faults.into(), "fault")),
        }
    }

    /// How many there are, as a number or an estimate.
    pub(crate) fn all(&self) -> String {
        let about = if self.complete { "" } else { "about " };
        format!("{about}{}", number::count(self.about))
    }
}
