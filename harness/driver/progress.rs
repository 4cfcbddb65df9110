//! Progress of a run: counted by storms, told on stderr while they go on.

use crate::clock::Stopwatch;
use crate::console::Console;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a terminal is told.
const REDRAW: Duration = Duration::from_millis(200);

/// How often anything else is told.
const LINE: Duration = Duration::from_secs(30);

/// What has been done so far.
#[derive(Debug, Default)]
pub struct Progress {
    /// Operations, in steps of a few dozens.
    pub operations: Arc<AtomicU64>,
    /// Seeds, or schedules, that came to their end.
    pub seeds: AtomicU64,
    /// Seeds that ended in a violation.
    pub violations: AtomicU64,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// So many seeds.
    Seeds(u64),
    /// Schedules, until all are tried out.
    Schedules,
    /// What real threads do in their time.
    Time,
}

/// Tells the progress now and then.
pub struct Ticker<'a> {
    console: Console,
    progress: &'a Progress,
    goal: Goal,
    watch: Stopwatch,
    told: Duration,
    drawn: bool,
}

impl<'a> Ticker<'a> {
    /// Begins to count the time.
    pub fn new(console: Console, progress: &'a Progress, goal: Goal) -> Ticker<'a> {
        let watch = Stopwatch::start();
        Ticker { console, progress, goal, watch, told: Duration::ZERO, drawn: false }
    }

    /// Tells, if it is time to.
    pub fn tick(&mut self) {
        let elapsed = self.watch.elapsed();
        let period = if self.console.live { REDRAW } else { LINE };
        if elapsed < self.told + period {
            return;
        }
        self.told = elapsed;
        let line = self.line(elapsed);
        if self.console.live {
            self.console.raw(&format!("\r\x1b[K{line}"));
            self.drawn = true;
        } else {
            self.console.say(&line);
        }
    }

    /// Leaves the terminal's line to others.
    pub fn clear(&mut self) {
        if self.drawn {
            self.console.raw("\r\x1b[K");
            self.drawn = false;
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let operations = read(&self.progress.operations);
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = operations.saturating_mul(1000) / milliseconds;
        let done = read(&self.progress.seeds);
        let seeds = match self.goal {
            Goal::Seeds(all) => format!(", {done} of {all} seeds"),
            Goal::Schedules => format!(", {done} schedules"),
            Goal::Time => String::new(),
        };
        let violations = read(&self.progress.violations);
        let seconds = elapsed.as_secs();
        format!("{seconds} s: {operations} operations, {rate}/s{seeds}, violations: {violations}")
    }
}
