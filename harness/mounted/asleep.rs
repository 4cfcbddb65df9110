//! A thread of this process as the kernel sees it: whether it sleeps, and in which function.

use nix::unistd::{Pid, gettid};
use std::fs;
use std::time::Duration;

/// Who sleeps so long for a lock waits for somebody who does not let go of it.
const FOR_A_LOCK: Duration = Duration::from_millis(3);

/// Who sleeps so long for anything else waits for somebody, too.
const FOR_A_DEVICE: Duration = Duration::from_millis(250);

/// How often a sleeper is looked at.
const LOOK_UP: Duration = Duration::from_micros(200);

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
        let read = |name| fs::read_to_string(format!("/proc/self/task/{}/{name}", self.0)).ok();
        let stat = read("stat")?;
        // The name, which stands in parentheses, may hold anything.
        let state = stat.rsplit_once(')')?.1.split_whitespace().next()?.to_owned();
        if !["S", "D"].contains(&state.as_str()) {
            return None;
        }
        let status = read("status")?;
        let times =
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        let function = read("wchan").filter(|function| function != "0").unwrap_or_default();
        Some(Asleep { function, times: times.trim().parse().ok()? })
    }

    /// Waits until it has gone to sleep and stays asleep, and says where; none once `is_over`, or when the
    /// world stops.
    ///
    /// For a lock it waits until somebody gives that back. Others wait for devices, which take their time.
    pub fn stays_asleep(self, mut is_over: impl FnMut() -> bool) -> Option<Asleep> {
        let mut since: Option<(Asleep, Duration)> = None;
        while !is_over() && !sim::stopping() {
            let now = sim::now();
            since = self.asleep().map(|asleep| match since.take() {
                Some((same, begun)) if same == asleep => (same, begun),
                _ => (asleep, now),
            });
            if let Some((asleep, begun)) = &since {
                let enough = if asleep.is_for_a_lock() { FOR_A_LOCK } else { FOR_A_DEVICE };
                if enough < now.saturating_sub(*begun) {
                    return since.map(|(asleep, _)| asleep);
                }
                sim::sleep(LOOK_UP);
            } else {
                sim::pause();
            }
        }
        None
    }

    /// The functions of the kernel that it is in, innermost first; empty where that may not be known.
    pub fn stack(self) -> Vec<String> {
        let stack = fs::read_to_string(format!("/proc/self/task/{}/stack", self.0));
        let function = |line: &str| {
            let name = line.rsplit_once("] ").map_or(line, |(_, name)| name);
            name.split('+').next().unwrap_or(name).to_owned()
        };
        stack.unwrap_or_default().lines().map(function).collect()
    }
}

impl Asleep {
    /// Whether it waits for a lock, which no device gives back.
    pub fn is_for_a_lock(&self) -> bool {
        const LOCKS: [&str; 4] = ["rwsem_", "mutex_", "down", "range_lock"];
        LOCKS.iter().any(|lock| self.function.contains(lock))
    }
}
