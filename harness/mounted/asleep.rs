//! A thread of this process as the kernel sees it: whether it sleeps, and in which function.

mod place;

use crate::calm::{Calm, calm};
use crate::volume::Volume;
use nix::time::{ClockId, clock_getres};
use nix::unistd::{Pid, gettid};
use std::fs;
use std::time::Duration;

/// Who has just gone to sleep may be woken at once.
const AT_LEAST: Duration = Duration::from_millis(2);

/// It need not be more than that: two of the longest ticks that kernels have.
const LONGEST: Duration = Duration::from_millis(20);

/// Who sleeps so long waits for somebody who stands, whatever else is going on.
const LONG: Duration = Duration::from_secs(1);

/// Functions that sleep for a time of their own, whoever else does what.
const TIMED: [&str; 9] = [
    "balance_dirty_pages",
    "jbd2_journal_stop",
    "xlog_grant_head",
    "msleep",
    "usleep",
    "schedule_timeout",
    "reclaim_throttle",
    "mem_cgroup_handle_over_high",
    "rcu",
];

/// A thread of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread(Pid);

/// A thread that sleeps in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asleep {
    /// The function that it waits in, or, where that may not be known, nothing.
    pub function: String,
    /// Counts how often it has gone to sleep: as long as this is the same, it has not woken.
    pub times: u64,
}

impl Thread {
    /// The one that calls.
    pub fn current() -> Thread {
        Thread(gettid())
    }

    /// Where it sleeps. `None`: it runs, could run, or is gone.
    pub fn asleep(self) -> Option<Asleep> {
        let stat = self.read("stat")?;
        // The name, which stands in parentheses, may hold anything.
        let state = stat.rsplit_once(')')?.1.split_whitespace().next()?.to_owned();
        if !["S", "D"].contains(&state.as_str()) {
            return None;
        }
        let status = self.read("status")?;
        let times =
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        let function = self.read("wchan").filter(|function| function != "0").unwrap_or_default();
        Some(Asleep { function, times: times.trim().parse().ok()? })
    }

    /// Waits until it has gone to sleep and stays asleep, and says where; none once `is_over`, or when the
    /// world stops. What it waits for has to do with `volume`, whose disk is `held` or not.
    pub fn stays_asleep(
        self,
        (volume, held): (&Volume, bool),
        mut is_over: impl FnMut() -> bool,
    ) -> Option<Asleep> {
        let mut doze = Doze::default();
        while !is_over() && !sim::stopping() {
            if let Some(asleep) = doze.look(self, (volume, held)) {
                return Some(asleep);
            }
            sim::pause();
        }
        None
    }

    /// The functions of the kernel that it is in, innermost first; empty where that may not be known.
    pub fn stack(self) -> Vec<String> {
        let stack = self.read("stack");
        let function = |line: &str| {
            let name = line.rsplit_once("] ").map_or(line, |(_, name)| name);
            name.split('+').next().unwrap_or(name).to_owned()
        };
        stack.unwrap_or_default().lines().map(function).collect()
    }

    /// What the kernel says of it, if that may be known.
    fn read(self, name: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/self/task/{}/{name}", self.0)).ok()
    }
}

/// Since when a thread has been asleep, as far as it was looked at.
#[derive(Debug, Default)]
pub struct Doze {
    since: Option<(Asleep, Duration)>,
    /// Since when nothing has been on its way, and what had come to the gate by then.
    calm: Option<(u64, Duration)>,
}

impl Doze {
    /// Looks at the thread: where it sleeps, if nobody but another thread that stands will wake it. It waits
    /// for something of `volume`, whose disk is `held` or not.
    pub fn look(&mut self, thread: Thread, (volume, held): (&Volume, bool)) -> Option<Asleep> {
        let now = sim::now();
        let Some(asleep) = thread.asleep() else {
            *self = Doze::default();
            return None;
        };
        if self.since.as_ref().is_none_or(|(before, _)| *before != asleep) {
            *self = Doze { since: Some((asleep, now)), calm: None };
            return None;
        }
        let (_, begun) = self.since.as_ref()?;
        let slept = now.saturating_sub(*begun);
        if slept < AT_LEAST || self.calm.is_some_and(|(_, begun)| now < begun + calm_time()) {
            return None;
        }
        let enough = match calm(volume, held) {
            // It is as if it had just gone to sleep.
            Calm::Works => {
                self.since = Some((asleep, sim::now()));
                self.calm = None;
                return None;
            }
            Calm::Still(arrived) if !is_timed(&asleep, volume) => {
                let before = self.calm.replace((arrived, now));
                before.is_some_and(|(before, _)| before == arrived)
            }
            Calm::Still(_) | Calm::Unknown => {
                self.calm = None;
                LONG < slept
            }
        };
        // It may have gone on while all the others were looked at.
        (enough && thread.asleep().as_ref() == Some(&asleep)).then_some(asleep)
    }
}

/// Nothing is on its way for so long: then nothing is. Who waits for a time of the kernel's, which nobody sees,
/// waits a tick of it, rarely two: this is three of them, as long as the coarse clock says that they are.
fn calm_time() -> Duration {
    let tick = clock_getres(ClockId::CLOCK_MONOTONIC_COARSE);
    tick.map_or(LONGEST, |tick| (3 * Duration::from(tick)).min(LONGEST))
}

/// Whether it may sleep for a time that is over by itself, and nobody can be seen who wakes it then.
fn is_timed(asleep: &Asleep, volume: &Volume) -> bool {
    // Pages of a filesystem without a disk may have to come from swap.
    let swapped = volume.device().is_none() && asleep.function.contains("folio");
    swapped || TIMED.iter().any(|function| asleep.function.contains(function))
}

#[cfg(test)]
mod tests;
