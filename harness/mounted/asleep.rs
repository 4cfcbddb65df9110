//! A thread of this process as the kernel sees it: whether it sleeps, and in which function.

use nix::unistd::{Pid, gettid};
use std::fs;
use std::time::Duration;

/// How many functions of a stack say what a thread waits for.
const INNERMOST: usize = 4;

/// Who sleeps so long for a lock waits for somebody who does not let go of it.
const FOR_A_LOCK: Duration = Duration::from_millis(3);

/// Who sleeps so long for anything else waits for somebody, too.
const FOR_A_DEVICE: Duration = Duration::from_secs(1);

/// A thread of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread(Pid);

/// A thread that sleeps in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asleep {
    /// The function that it waits in, or, where that may not be known, nothing.
    pub function: String,
    /// Whether it waits for a lock, which no device gives back.
    pub for_a_lock: bool,
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
        let for_a_lock =
            self.stack().iter().take(INNERMOST).chain([&function]).any(|name| is_of_a_lock(name));
        Some(Asleep { function, for_a_lock, times: times.trim().parse().ok()? })
    }

    /// Waits until it has gone to sleep and stays asleep, and says where; none once `is_over`, or when the
    /// world stops.
    pub fn stays_asleep(self, mut is_over: impl FnMut() -> bool) -> Option<Asleep> {
        let mut doze = Doze::default();
        while !is_over() && !sim::stopping() {
            if let Some(asleep) = doze.look(self) {
                return Some(asleep);
            }
            sim::pause();
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

/// Since when a thread has been asleep, as far as it was looked at.
#[derive(Debug, Default)]
pub struct Doze {
    since: Option<(Asleep, Duration)>,
}

impl Doze {
    /// Looks at the thread: where it sleeps, if it has slept there for so long that nobody but another
    /// thread will wake it.
    pub fn look(&mut self, thread: Thread) -> Option<Asleep> {
        let now = sim::now();
        self.since = thread.asleep().map(|asleep| match self.since.take() {
            Some((same, begun)) if same == asleep => (same, begun),
            _ => (asleep, now),
        });
        let (asleep, begun) = self.since.as_ref()?;
        let enough = if asleep.for_a_lock { FOR_A_LOCK } else { FOR_A_DEVICE };
        (enough < now.saturating_sub(*begun)).then(|| asleep.clone())
    }
}

/// Whether a function waits for a lock of the kernel's that threads hold.
fn is_of_a_lock(function: &str) -> bool {
    const LOCKS: [&str; 5] = ["rwsem_down", "mutex_lock", "down_read", "down_write", "ilock"];
    LOCKS.iter().any(|lock| function.contains(lock))
}
