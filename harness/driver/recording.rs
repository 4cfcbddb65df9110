//! What a storm did, enough to do it again without chance: its calls with what was peculiar about
//! them, the faults that struck, and its schedule.

use crate::call::Call;
use crate::case;
use crate::scenario::plan::{Plan, Strike, Switch};
use sim::schedule::Schedule;
use sim::{Mutex, Rank};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// By actor: the calls that it began, as it made them. After all actors of a script, what its
    /// conductor evicted.
    pub calls: Vec<Vec<Call>>,
    /// The actors of these calls, in the order in which the calls began.
    pub began: Vec<usize>,
    /// The faults that struck, but for those that belong to a call: requests to the device in their
    /// order, then those at points in the order in which they happened.
    pub strikes: Vec<Strike>,
    /// Where the run left the default rule.
    pub switches: Vec<Switch>,
}

impl Recording {
    /// The switches of `schedule`, in a run of `plan`.
    pub fn switches(plan: &Plan, schedule: &Schedule) -> Vec<Switch> {
        let actors = crate::storm::actors(plan);
        schedule.deviations.iter().map(|deviation| case::switch(deviation, actors)).collect()
    }
}

/// A list to which the tasks of one storm add what they did.
#[derive(Debug)]
pub struct Notes<T>(Option<Mutex<Vec<T>>>);

static NOTES: Rank = Rank::leaf(12, "notes");

impl<T> Notes<T> {
    /// An empty list; where nobody wants to know, whatever is added is forgotten.
    pub fn new(wanted: bool) -> Notes<T> {
        Notes(wanted.then(|| sim::sync::mutex(&NOTES, 0, Vec::new())))
    }

    /// Whether anybody wants to know.
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Adds what `note` says.
    pub fn add(&self, note: impl FnOnce() -> T) {
        if let Some(list) = &self.0 {
            let note = note();
            list.lock().push(note);
        }
    }

    /// Changes the last that fits.
    pub fn amend(&self, fits: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) {
        if let Some(list) = &self.0
            && let Some(note) = list.lock().iter_mut().rfind(|note| fits(note))
        {
            change(note);
        }
    }

    /// What was added; leaves an empty list.
    pub fn take(&self) -> Vec<T> {
        self.0.as_ref().map(|list| std::mem::take(&mut *list.lock())).unwrap_or_default()
    }
}
