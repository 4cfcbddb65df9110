//! Clocks of the machine, for progress and timing. Nothing that a run does depends on them.

#![expect(clippy::disallowed_methods, reason = "how long a run took is told, never acted on")]

use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Measures wall-clock time from its making on.
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

/// Measures the processor time of the thread that made it.
#[derive(Debug, Clone, Copy)]
pub struct ThreadTime(Duration);

impl ThreadTime {
    /// Starts now.
    pub fn start() -> ThreadTime {
        ThreadTime(thread_time())
    }

    /// What this thread has used since; zero where the kernel does not tell.
    pub fn used(self) -> Duration {
        thread_time().saturating_sub(self.0)
    }
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
