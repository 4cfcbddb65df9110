//! Who goes on from a place: the default rule, and the strategy where there is a choice.

use super::{COLD, Engine};
use crate::schedule::{Deviation, Key};
use crate::site::Site;
use crate::strategy::{Candidates, Decision};
use crate::world::Record;

impl Engine {
    /// Who goes on from `site`; `None` if nobody can. `stays` says whether the current task can.
    #[inline]
    pub(super) fn choose(&self, stays: bool, site: Site) -> Option<usize> {
        let current = self.current.get();
        let ready = self.ready.get();
        let sleeper = self.first_sleeper();
        let mut can_run = ready;
        if let Some(sleeper) = sleeper {
            can_run |= 1 << sleeper;
        }
        if can_run == 0 {
            self.note_choice(stays, site, (current, current));
            return None;
        }
        let default = if stays {
            current
        } else if ready != 0 {
            lowest(ready)
        } else {
            sleeper.expect("somebody can run and nobody is ready")
        };
        let chosen = if can_run.is_power_of_two() {
            default
        } else {
            self.ask(Decision {
                current,
                stays,
                default,
                candidates: Candidates(can_run),
                site,
                explored: self.explored(),
                places: &self.places,
            })
        };
        self.note_choice(stays, site, (default, chosen));
        Some(chosen)
    }

    fn ask(&self, decision: Decision<'_>) -> usize {
        let slot = &self.slots[decision.current];
        let key = Key {
            task: u8::try_from(decision.current).expect("below 64"),
            operation: slot.operation.get(),
            point: slot.passed.get(),
        };
        self.decisions.set(self.decisions.get() + 1);
        COLD.with_borrow_mut(|cold| {
            let strategy = cold.strategy.as_mut().expect("a simulation is running");
            let chosen = strategy.pick(&decision, key);
            assert!(
                decision.candidates.contains(chosen),
                "a strategy chose a task that cannot run"
            );
            if chosen != decision.default && self.record.get() != Record::Nothing {
                let to = u8::try_from(chosen).expect("below 64");
                cold.deviations.push(Deviation { key, to, site: decision.site.name });
            }
            chosen
        })
    }

    /// See [`crate::explore`].
    pub(super) fn explore(&self, on: bool) {
        self.explored.set(self.explored());
        self.exploring.set(on.then_some(self.points.get()));
    }

    /// How many of the points passed so far were worth exploring.
    #[inline]
    pub(super) fn explored(&self) -> u64 {
        let now = self.exploring.get().map_or(0, |since| self.points.get() - since);
        self.explored.get() + now
    }

    fn first_sleeper(&self) -> Option<usize> {
        let mut left = self.asleep.get();
        let mut first = None;
        while left != 0 {
            let task = lowest(left);
            left &= left - 1;
            let deadline = self.slots[task].deadline.get();
            if first.is_none_or(|(earliest, _)| deadline < earliest) {
                first = Some((deadline, task));
            }
        }
        first.map(|(_, task)| task)
    }

    /// The task goes on: if it slept, the time has come.
    #[inline]
    pub(super) fn wake_sleeper(&self, task: usize) {
        let bit = 1 << task;
        if self.asleep.get() & bit != 0 {
            self.asleep.set(self.asleep.get() & !bit);
            self.ready.set(self.ready.get() | bit);
            self.clock.set(self.clock.get().max(self.slots[task].deadline.get()));
        }
    }
}

#[inline]
fn lowest(set: u64) -> usize {
    usize::try_from(set.trailing_zeros()).expect("below 64")
}
