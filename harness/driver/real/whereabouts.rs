//! Where the threads of a run are that came to no end.

use mounted::Thread;
use oracle::invariant::Breach;
use sim::world::Blocked;
use sim::{Failure, Mutex, Outcome, Rank};
use std::collections::BTreeMap;

static THREADS: Rank = Rank::leaf(12, "threads of tasks");

/// See the module.
pub struct Whereabouts(Mutex<BTreeMap<String, Thread>>);

impl Default for Whereabouts {
    fn default() -> Whereabouts {
        Whereabouts(sim::sync::mutex(&THREADS, 0, BTreeMap::new()))
    }
}

impl Whereabouts {
    /// The thread that calls is this task.
    pub fn enters(&self, task: &str) {
        self.0.lock().insert(task.to_owned(), Thread::current());
    }

    /// The breach of an end that was none, with where the kernel has each of those that wait for nobody of
    /// ours.
    pub fn explained(&self, breach: Breach, outcome: &Outcome) -> Breach {
        let Outcome::Failed(Failure::Hung(blocked)) = outcome else { return breach };
        let all: Vec<_> = blocked.iter().map(|one| self.told(one)).collect();
        Breach { found: format!("no progress; {}", all.join("; ")), ..breach }
    }

    fn told(&self, blocked: &Blocked) -> String {
        let thread = self.0.lock().get(&blocked.task).copied();
        match thread.filter(|_| blocked.at.is_none()).and_then(Thread::whereabouts) {
            Some(place) => format!("{} (operation {}) {place}", blocked.task, blocked.operation),
            None => blocked.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oracle::invariant::Checks;
    use oracle::progress::progress_is_made;
    use sim::World;
    use std::io::{Read, Write, pipe};
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn who_hangs_in_the_kernel_is_told_with_its_call() {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut world = World::threads(Duration::from_millis(100));
        let threads = Arc::new(Whereabouts::default());
        let own = Arc::clone(&threads);
        world.spawn("reader", move || {
            own.enters("reader");
            let _ = reader.read(&mut [0]);
        });
        let outcome = world.run().outcome;
        let breach = progress_is_made(&Checks::default(), &outcome).unwrap_err();
        let Breach { found, .. } = threads.explained(breach, &outcome);
        writer.write_all(&[1]).unwrap();
        assert!(found.starts_with("no progress; reader (operation 0) "), "{found}");
        // Some kernels say nothing of that.
        let is_told = std::fs::exists("/proc/thread-self/syscall").unwrap();
        assert!(!is_told || found.contains(" sleeps in ") && found.contains("`read`"), "{found}");
    }
}
