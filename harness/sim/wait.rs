//! The one place where a task can stop.
//!
//! [`WaitQueue::wait_until`] is the kernel's `wait_event`: the condition is tried, and only if it
//! does not hold does the task stop until somebody who changed it calls [`WaitQueue::wake_all`].
//! Locks, waits for writeback, I/O completions and sleeps are a few lines each on top of it.
//! This file holds the only `match` on the world in the project.

use crate::rank::Rank;
use crate::simulated::{self, Resume};
use crate::site::Site;
use crate::threads;
use crate::world::Stand;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// Which world the calling thread is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Here {
    Threads,
    Simulated,
}

#[inline]
fn here() -> Here {
    if simulated::is_running() { Here::Simulated } else { Here::Threads }
}

/// Tasks that wait for something to become true.
#[derive(Debug, Default)]
pub struct WaitQueue {
    /// Simulated: one bit a waiting task. Threads: how many wait.
    waiters: AtomicU64,
    parking: threads::Parking,
}

impl WaitQueue {
    /// A queue on which nobody waits.
    pub const fn new() -> WaitQueue {
        WaitQueue { waiters: AtomicU64::new(0), parking: threads::Parking::new() }
    }

    /// Returns once `ready` has answered true; `site` names the wait in reports.
    ///
    /// `ready` is tried in the calling task, as often as needed, and may take what it waits for.
    /// Whoever makes it true must call [`WaitQueue::wake_all`] afterwards; if nobody does, the run
    /// ends with a deadlock or a lost wake-up.
    pub fn wait_until(&self, site: Site, mut ready: impl FnMut() -> bool) {
        if ready() {
            return;
        }
        match here() {
            Here::Threads => self.parking.wait(&self.waiters, site, ready),
            Here::Simulated => loop {
                let me = simulated::current_bit();
                self.waiters.store(self.waiters.load(Ordering::Relaxed) | me, Ordering::Relaxed);
                match simulated::block(site) {
                    Resume::Go if ready() => return,
                    Resume::Go => {}
                    Resume::Recheck => simulated::report_recheck(ready()),
                }
            },
        }
    }

    /// Lets every waiting task try its condition again. Call it after the condition has changed.
    #[inline]
    pub fn wake_all(&self) {
        match here() {
            Here::Threads => {
                // Pairs with the registration in `Parking::wait`: either we see the waiter, or it
                // sees the condition that was changed before this call.
                fence(Ordering::SeqCst);
                if self.waiters.load(Ordering::SeqCst) != 0 {
                    self.parking.wake_all();
                }
            }
            Here::Simulated => {
                let waiting = self.waiters.load(Ordering::Relaxed);
                if waiting != 0 {
                    self.waiters.store(0, Ordering::Relaxed);
                    simulated::make_ready(waiting);
                }
            }
        }
    }
}

/// A place where, in the simulated world, another task may go on. Free in the threads world.
#[inline]
pub fn point(site: Site) {
    match here() {
        Here::Threads => {}
        Here::Simulated => simulated::point(site),
    }
}

/// Lets others go first: a task that polls calls this between two looks, so that strategies with
/// priorities cannot let it starve the task it polls for.
pub fn pause() {
    match here() {
        Here::Threads => threads::pause(),
        Here::Simulated => simulated::pause(),
    }
}

/// A number below `options` of the strategy's choice: 0 is what happens when nothing goes wrong. It
/// is no scheduling point, and is not in the trace. Always 0 in the threads world.
pub fn choice(options: u32) -> u32 {
    match here() {
        Here::Threads => 0,
        Here::Simulated => simulated::choice(options),
    }
}

/// Says that what happens from here on is worth exploring, or no longer; at first it is. Strategies
/// that neither explore nor count pay no attention.
pub fn explore(on: bool) {
    match here() {
        Here::Threads => {}
        Here::Simulated => simulated::explore(on),
    }
}

/// Stops the task for `time`, virtual in the simulated world.
///
/// In the simulated world time passes when the strategy picks a sleeper: any task that can run may
/// be overtaken by it, but sleepers wake in the order of their deadlines.
pub fn sleep(time: Duration) {
    match here() {
        Here::Threads => threads::sleep(time),
        Here::Simulated => simulated::sleep(time),
    }
}

/// Time since the world began: virtual, and the same in every run of a seed, if simulated.
pub fn now() -> Duration {
    match here() {
        Here::Threads => threads::now(),
        Here::Simulated => simulated::now(),
    }
}

/// Scheduling points that the current task has passed in its current operation; 0 in threads.
pub fn points_passed() -> u64 {
    match here() {
        Here::Threads => 0,
        Here::Simulated => simulated::points_passed(),
    }
}

/// Marks the beginning of the current task's operation `number`, which must grow within a task.
///
/// It starts a new step budget and is the middle part of the key of every deviation that follows.
/// A task must hold no lock here.
pub fn begin_operation(number: u64) {
    crate::rank::assert_none_held();
    match here() {
        Here::Threads => threads::begin_operation(number),
        Here::Simulated => simulated::begin_operation(number),
    }
}

/// The current task's number and its operation; zeros outside a world. In the threads world the
/// number is 0.
pub fn current_operation() -> (u64, u64) {
    match here() {
        Here::Threads => (0, threads::current_operation()),
        Here::Simulated => simulated::current_operation(),
    }
}

/// The number of the current task, in the order of spawning, from 0; 0 outside a world.
pub fn current_task() -> usize {
    match here() {
        Here::Threads => threads::current_task(),
        Here::Simulated => simulated::current_task(),
    }
}

/// Where every task stands, in the order of spawning; nothing in the threads world, where nobody
/// stands still to be looked at.
pub fn tasks() -> Vec<Stand> {
    match here() {
        Here::Threads => Vec::new(),
        Here::Simulated => simulated::tasks(),
    }
}

/// Notes which lock of a rank the current task holds, for those who look; `None`: it is not known.
#[inline]
pub(crate) fn note_lock(rank: &Rank, object: Option<u64>) {
    match here() {
        Here::Threads => {}
        Here::Simulated => simulated::note_lock(rank, object),
    }
}

/// Ends the run: no task passes another point or wait. `why` becomes the run's outcome.
///
/// The first call counts. In the simulated world it does not return.
pub fn stop(why: &str) {
    match here() {
        Here::Threads => threads::stop(why),
        Here::Simulated => simulated::stop(why),
    }
}

/// Whether the run has been stopped. Loops of the threads world ask this between operations.
pub fn stopping() -> bool {
    match here() {
        Here::Threads => threads::stopping(),
        Here::Simulated => false,
    }
}
