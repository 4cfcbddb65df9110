//! What the running task of a simulation can see: the time, itself, where the others stand, and who
//! holds what they wait for.

use super::{COLD, ENGINE, Engine};
use crate::rank;
use crate::site::Site;
use crate::world::{Stand, State};
use std::cell::Cell;
use std::time::Duration;

/// See [`crate::now`].
pub(crate) fn now() -> Duration {
    ENGINE.with(|engine| Duration::from_nanos(engine.clock.get()))
}

/// See [`crate::points_passed`].
pub(crate) fn points_passed() -> u64 {
    ENGINE.with(|engine| u64::from(engine.slots[engine.current.get()].passed.get()))
}

/// See [`crate::current_operation`].
pub(crate) fn current_operation() -> (u64, u64) {
    ENGINE.with(|engine| {
        let current = engine.current.get();
        let task = u64::try_from(current).expect("below 64");
        (task, engine.slots[current].operation.get())
    })
}

/// See [`crate::tasks`].
pub(crate) fn tasks() -> Vec<Stand> {
    let names = COLD.with_borrow(|cold| cold.names.clone());
    ENGINE.with(|engine| {
        let stand = |(task, name): (usize, String)| {
            let slot = &engine.slots[task];
            let is_in = |set: &Cell<u64>| set.get() >> task & 1 == 1;
            let state = match slot.waiting.get() {
                _ if is_in(&engine.ready) || is_in(&engine.asleep) => State::CanRun,
                Some(site) => State::Waits(site),
                None => State::Ended,
            };
            let holders = engine.holders(slot.waiting.get());
            Stand { task: name, operation: slot.operation.get(), state, holders }
        };
        names.into_iter().enumerate().map(stand).collect()
    })
}

impl Engine {
    /// Who holds the lock that `site` waits for.
    fn holders(&self, site: Option<Site>) -> Vec<usize> {
        let Some((order, object)) = site.and_then(Site::as_lock) else { return Vec::new() };
        let holds = |task: &usize| {
            let slot = &self.slots[*task];
            let held = if *task == self.current.get() { rank::held() } else { slot.held.get() };
            held.has(order) && slot.locks[usize::from(order)].get() == Some(object)
        };
        (0..self.slots.len()).filter(holds).collect()
    }
}

/// See [`crate::wait::note_lock`].
#[inline]
pub(crate) fn note_lock(order: u8, object: Option<u64>) {
    ENGINE.with(|engine| {
        engine.slots[engine.current.get()].locks[usize::from(order)].set(object);
    });
}
