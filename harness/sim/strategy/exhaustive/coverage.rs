//! How much of a space of runs has been explored.

use std::fmt;

/// What an [`super::Explorer`] has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Runs that were made.
    pub runs: u64,
    /// By what runs cost, in the order in which they are made, up to the first level that is not
    /// complete: what lies beyond is found out by the runs of the levels before.
    pub levels: Vec<Covered>,
}

/// What has been done of the runs that cost the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Covered {
    /// Preemptions of each of them.
    pub preemptions: u32,
    /// Faults of each of them.
    pub faults: u32,
    /// Runs that were made.
    pub runs: u64,
    /// Whether these were all.
    pub complete: bool,
    /// How many there are: an estimate unless complete.
    pub about: u64,
}

impl Coverage {
    /// Whether every run within the bounds was made.
    pub fn is_complete(&self) -> bool {
        self.levels.iter().all(|level| level.complete)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return write!(f, "complete: {} schedules", self.runs);
        }
        write!(f, "not complete: {} schedules", self.runs)?;
        let Some(last) = self.levels.last() else { return Ok(()) };
        write!(f, ", of those with {} {} of about {}", last.cost(), last.runs, last.about)
    }
}

impl Covered {
    /// What the runs of the level cost, in words.
    pub fn cost(&self) -> String {
        let words =
            |count: u32, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let preemptions = words(self.preemptions, "preemption");
        match self.faults {
            0 => preemptions,
            faults => format!("{preemptions} and {}", words(faults, "fault")),
        }
    }
}
