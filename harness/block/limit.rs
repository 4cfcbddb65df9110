//! From when on a fault may strike, and how often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What bounds a fault beside its chance. With a bound, it strikes only once the actors act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// Not before the actors have acted for so long.
    pub after: Option<Duration>,
    /// At most so often.
    pub times: Option<u64>,
}

/// What is left of a limit.
#[derive(Debug)]
pub struct Allowance {
    limit: Limit,
    /// When the actors began, in nanoseconds of the world's time.
    began: AtomicU64,
    left: AtomicU64,
}

/// The actors have not begun.
const NEVER: u64 = u64::MAX;

impl Allowance {
    /// All of `limit` is left, and the actors have not begun.
    pub fn new(limit: Limit) -> Allowance {
        let left = AtomicU64::new(limit.times.unwrap_or(u64::MAX));
        Allowance { limit, began: AtomicU64::new(NEVER), left }
    }

    /// The actors begin now.
    pub fn begin(&self) {
        self.begin_at(sim::now());
    }

    /// Whether the fault may strike now, as far as it can be known before.
    pub fn is_open(&self) -> bool {
        self.is_open_at(sim::now())
    }

    /// The actors begin at `now`, by a clock of the caller's.
    pub fn begin_at(&self, now: Duration) {
        self.began.store(nanoseconds(now), Ordering::SeqCst);
    }

    /// Whether the fault may strike at `now`, by that clock.
    pub fn is_open_at(&self, now: Duration) -> bool {
        if self.limit == Limit::default() {
            return true;
        }
        let began = self.began.load(Ordering::SeqCst);
        let after = nanoseconds(self.limit.after.unwrap_or_default());
        let is_time = began != NEVER && began.saturating_add(after) <= nanoseconds(now);
        is_time && self.left.load(Ordering::SeqCst) != 0
    }

    /// Takes one time of those that are left. The answer is whether there was one.
    pub fn take(&self) -> bool {
        if self.limit.times.is_none() {
            return true;
        }
        let one = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one).is_ok()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_limit_everything_is_allowed_and_with_one_not_before_the_actors_begin() {
        let free = Allowance::new(Limit::default());
        assert!(free.is_open() && free.take());
        let twice = Allowance::new(Limit { after: None, times: Some(2) });
        assert!(!twice.is_open(), "nobody acts yet");
        twice.begin();
        assert!(twice.is_open());
        assert_eq!([twice.take(), twice.take(), twice.take()], [true, true, false]);
        assert!(!twice.is_open());
        let later = Allowance::new(Limit { after: Some(Duration::from_secs(9)), times: None });
        later.begin();
        assert!(!later.is_open());
    }
}
