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

/// The date in UTC, as `2026-01-31`.
pub fn today() -> String {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
    date(now.as_secs() / (24 * 60 * 60))
}

/// The date so many days after the first of January 1970, in the Gregorian calendar.
///
/// Years are counted from the first of March, so that the day that is not always there is the last,
/// and in cycles of 400, after which everything repeats itself (146097 days).
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", cycle * 400 + year + later)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        let table = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_484, "2026-01-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (days, expected) in table {
            assert_eq!(date(days), expected, "{days}");
        }
    }
}
