//! What the running task of a simulation can see: the time, itself, where the others stand, and who
//! holds what they wait for.

use super::{COLD, END, ENGINE, Engine};
use crate::rank::{self, Held, Rank};
use crate::world::{Hold, Stand, State};
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

/// See [`crate::current_task`].
pub(crate) fn current_task() -> usize {
    ENGINE.with(|engine| engine.current.get())
}

/// See [`crate::tasks`].
pub(crate) fn tasks() -> Vec<Stand> {
    ENGINE.with(|engine| engine.stands(Some(engine.current.get())))
}

impl Engine {
    /// Where every task stands, while one of them or none is running.
    pub(super) fn stands(&self, running: Option<usize>) -> Vec<Stand> {
        let names = COLD.with_borrow(|cold| cold.names.clone());
        let held = |task: usize| {
            if running == Some(task) { rank::held() } else { self.slots[task].held.get() }
        };
        let held: Vec<Held> = (0..names.len()).map(held).collect();
        let stand = |(task, name)| self.stand(task, name, &held);
        names.into_iter().enumerate().map(stand).collect()
    }

    fn stand(&self, task: usize, name: String, held: &[Held]) -> Stand {
        let slot = &self.slots[task];
        let at = self.places[task].get();
        let is_in = |set: &Cell<u64>| set.get() >> task & 1 == 1;
        let state = if is_in(&self.ready) || is_in(&self.asleep) {
            State::CanRun
        } else if at == END {
            State::Ended
        } else {
            State::Waits(at)
        };
        let holders = match at.as_lock() {
            Some(lock) => self.holders(task, lock, held),
            None => Vec::new(),
        };
        let holds = self.holds(task, held[task]);
        Stand { task: name, operation: slot.operation.get(), state, at, holds, holders }
    }

    /// What `task` holds, of locks that are no leaves.
    fn holds(&self, task: usize, held: Held) -> Vec<Hold> {
        let orders = (0..).zip(&self.slots[task].locks).filter(|(order, _)| held.has(*order));
        let noted = orders.map(|(_, note)| note.get()).filter(|(name, _)| !name.is_empty());
        noted.map(|(name, object)| Hold { name, object }).collect()
    }

    /// Who holds a lock besides `task`.
    fn holders(&self, task: usize, (order, object): (u8, u64), held: &[Held]) -> Vec<usize> {
        let holds = |other: &usize| {
            let (_, noted) = self.slots[*other].locks[usize::from(order)].get();
            *other != task && held[*other].has(order) && noted == Some(object)
        };
        (0..held.len()).filter(holds).collect()
    }
}

/// See [`crate::wait::note_lock`].
#[inline]
pub(crate) fn note_lock(rank: &Rank, object: Option<u64>) {
    ENGINE.with(|engine| {
        let slot = &engine.slots[engine.current.get()];
        slot.locks[usize::from(rank.order)].set((rank.name, object));
    });
}
