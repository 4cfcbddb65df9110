//! Ends what takes too long: a flag that is raised when its time has come, by whoever looks now and then.

use crate::clock::Stopwatch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub struct Alarm {
    watch: Stopwatch,
    /// Milliseconds since the watch was started.
    at: AtomicU64,
    over: Arc<AtomicBool>,
}

impl Default for Alarm {
    fn default() -> Alarm {
        let (watch, at) = (Stopwatch::start(), AtomicU64::new(u64::MAX));
        Alarm { watch, at, over: Arc::default() }
    }
}

impl Alarm {
    /// Does `work` with a flag that asks it to end after so much time. None if it was raised: what was
    /// cut short depends on the machine.
    pub fn within<R>(&self, time: Duration, work: impl FnOnce(&Arc<AtomicBool>) -> R) -> Option<R> {
        self.over.store(false, Ordering::SeqCst);
        let end = milliseconds(self.watch.elapsed().saturating_add(time));
        self.at.store(end, Ordering::SeqCst);
        let done = work(&self.over);
        self.at.store(u64::MAX, Ordering::SeqCst);
        (!self.over.load(Ordering::SeqCst)).then_some(done)
    }

    /// Raises the flag if it is time, or everything is to end.
    pub fn look(&self, is_raised: bool) {
        if is_raised || self.at.load(Ordering::SeqCst) <= milliseconds(self.watch.elapsed()) {
            self.over.store(true, Ordering::SeqCst);
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Alarm;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    #[test]
    fn what_was_cut_short_is_none() {
        let (alarm, long) = (Alarm::default(), Duration::from_hours(1));
        assert_eq!(alarm.within(long, |_| alarm.look(false)), Some(()));
        let raised = |flag: &std::sync::Arc<std::sync::atomic::AtomicBool>| {
            alarm.look(false);
            assert!(flag.load(Ordering::SeqCst));
        };
        assert_eq!(alarm.within(Duration::ZERO, raised), None);
        assert_eq!(alarm.within(long, |_| alarm.look(true)), None);
        assert_eq!(alarm.within(long, |_| ()), Some(()), "it is set anew each time");
    }
}
