//! What a run keeps of itself beyond its hash, and where it is asked to stop. Whoever asks for
//! nothing pays one comparison at a point.

use super::{COLD, Engine, fail};
use crate::site::Site;
use crate::world::{Failure, Passage, Record, Settings};
use std::time::Duration;

impl Engine {
    /// Does from now on as `settings` ask.
    pub(super) fn watch(&self, settings: &Settings) {
        let counts = matches!(settings.record, Record::Profile | Record::Everything);
        let watches_all = counts || settings.until.is_some();
        self.limit.set(if watches_all { 0 } else { settings.step_budget });
        self.budget.set(settings.step_budget);
        self.until.set(settings.until.unwrap_or(u64::MAX));
        self.record.set(settings.record);
    }

    /// The current task passes a point that must be looked at.
    #[cold]
    #[inline(never)]
    pub(super) fn pass_watched(&self, site: Site) {
        if self.until.get() == self.points.get() {
            fail(Failure::Until(self.points.get()));
        }
        self.count(site);
        let task = self.current.get();
        let slot = &self.slots[task];
        if self.budget.get() < slot.passed.get() {
            let operation = slot.operation.get();
            fail(Failure::OutOfSteps { task, operation, at: site });
        }
        if matches!(self.record.get(), Record::Profile | Record::Everything) {
            COLD.with_borrow_mut(|cold| cold.profile.count(task, site));
        }
    }

    /// From `site`, of `default` and the one who was `chosen`, the latter goes on.
    #[inline]
    pub(super) fn note_choice(&self, stays: bool, site: Site, chosen: (usize, usize)) {
        if self.record.get() == Record::Everything {
            self.keep(!stays, site, chosen);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&self, waits: bool, site: Site, (default, to): (usize, usize)) {
        let task = self.current.get();
        let slot = &self.slots[task];
        let passage = Passage {
            step: self.points.get(),
            task,
            operation: slot.operation.get(),
            point: slot.passed.get(),
            site,
            now: Duration::from_nanos(self.clock.get()),
            waits,
            to,
            default,
        };
        let onlooker = COLD.with_borrow_mut(|cold| {
            cold.trace.push(passage);
            cold.onlooker.take()
        });
        // It may ask where the tasks stand.
        if let Some(mut onlooker) = onlooker {
            onlooker(&passage);
            COLD.with_borrow_mut(|cold| cold.onlooker = Some(onlooker));
        }
    }
}
