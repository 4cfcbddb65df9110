//! A task that makes one call: whether it has returned, or waits in the kernel.

use mounted::{Thread, Volume};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// See the module.
#[derive(Default)]
pub(super) struct Watched {
    thread: OnceLock<Thread>,
    returned: AtomicBool,
}

/// How often it is looked at.
pub(super) const STEP: Duration = Duration::from_micros(200);

impl Watched {
    /// The current thread makes the call now.
    pub(super) fn make(&self, call: impl FnOnce()) {
        self.thread.get_or_init(Thread::current);
        call();
        self.returned.store(true, Ordering::SeqCst);
    }

    /// Looks until it has returned, or sleeps and stays asleep; then in which function of the kernel, as far
    /// as that may be known. `around` is its filesystem, and whether the disk of that is held.
    pub(super) fn observe(&self, around: (&Volume, bool)) -> Option<String> {
        while !sim::stopping() {
            if let Some(thread) = self.thread.get() {
                let asleep = thread.stays_asleep(around, || self.has_returned())?;
                return Some(telling(&thread.stack()).unwrap_or(asleep.function));
            }
            sim::sleep(STEP);
        }
        None
    }

    pub(super) fn has_returned(&self) -> bool {
        self.returned.load(Ordering::SeqCst)
    }

    /// Whether it returns now that it may.
    pub(super) fn returns(&self) -> bool {
        while !self.has_returned() && !sim::stopping() {
            sim::sleep(STEP);
        }
        self.has_returned()
    }
}

/// What every wait goes through: it does not tell one from another.
const GENERIC: &[&str] = &[
    "schedule",
    "rwsem_",
    "down_",
    "folio_wait_bit",
    "__folio_lock",
    "io_schedule",
    "wait_for_completion",
];

/// The first function of a stack that tells something.
fn telling(stack: &[String]) -> Option<String> {
    let tells = |name: &&String| !GENERIC.iter().any(|generic| name.starts_with(generic));
    stack.iter().find(tells).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_function_that_tells_something_is_told() {
        let stack = ["folio_wait_bit_common", "folio_wait_writeback", "truncate_inode_pages"];
        let stack = stack.map(str::to_owned);
        assert_eq!(telling(&stack).as_deref(), Some("folio_wait_writeback"));
        assert_eq!(telling(&stack[..1]), None);
    }
}
