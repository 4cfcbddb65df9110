//! The schedule of an actor with a rate: when each of its operations is intended to start, however
//! late it is (open loop).

use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Operations per second.
    rate: u64,
    /// When the first is intended to start, later by as long as the schedule stood still.
    begin: Duration,
}

/// A second in nanoseconds.
const SECOND: u128 = 1_000_000_000;

impl Pace {
    /// A schedule of `rate` operations per second that begins now, at `now`.
    pub fn new(rate: u64, now: Duration) -> Pace {
        Pace { rate, begin: now }
    }

    /// When the operation is intended to start that `done` others precede.
    pub fn intended(&self, done: u64) -> Duration {
        // Not a sum of intervals: those of most rates are no whole number of nanoseconds.
        let offset = u128::from(done) * SECOND / u128::from(self.rate.max(1));
        self.begin + Duration::from_nanos(u64::try_from(offset).unwrap_or(u64::MAX))
    }

    /// How many operations are due at `now` beyond the `done` ones.
    pub fn overdue(&self, done: u64, now: Duration) -> u64 {
        let Some(since) = now.checked_sub(self.begin) else { return 0 };
        let due = since.as_nanos() * u128::from(self.rate) / SECOND + 1;
        u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(done)
    }

    /// The schedule stood still for `time`: the harness halted everybody.
    pub fn stood_still(&mut self, time: Duration) {
        self.begin += time;
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    #[test]
    fn intended_starts_are_exact_and_only_halts_move_them() {
        let mut pace = Pace::new(3, Duration::from_secs(1));
        let at = |pace: &Pace, done| pace.intended(done).as_nanos();
        assert_eq!([at(&pace, 0), at(&pace, 1)], [1_000_000_000, 1_333_333_333]);
        assert_eq!(at(&pace, 3_000_000), 1_000_001_000_000_000);
        pace.stood_still(Duration::from_millis(5));
        assert_eq!([at(&pace, 0), at(&pace, 3)], [1_005_000_000, 2_005_000_000]);
        let overdue = |done, now| pace.overdue(done, Duration::from_millis(now));
        assert_eq!([overdue(0, 1_004), overdue(0, 1_005), overdue(1, 1_005)], [0, 1, 0]);
        assert_eq!([overdue(3, 2_004), overdue(3, 2_006), overdue(9, 2_006)], [0, 1, 0]);
    }
}
