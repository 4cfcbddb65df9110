//! The clock on the wall, for progress and timing. Nothing that a run does depends on it.

#![expect(clippy::disallowed_methods, reason = "how long a run took is told, never acted on")]

use std::time::{Duration, Instant};

/// Measures from its making on.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
