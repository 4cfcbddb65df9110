//! The questions the algorithms ask, answered by the [`Choices`] in force.
//!
//! Each question is told plain quantities and answers with a value. Where a choice makes the
//! answer wrong it goes through `deviate`, which counts only answers that really
//! differed: a run whose bug never changed an answer has not provoked it.

mod cache;
mod cleanup;
mod removal;
mod sharing;
mod size;
mod write;
mod writeback;
mod zeroing;

pub use removal::{PunchedFolios, TruncateStep};
pub use size::{Completed, Growth};
pub use write::{Copied, Kept, PartBlock, SizeMoment, Validity};
pub use writeback::CleanStep;

use crate::choices::{Choices, Chosen};
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers the algorithms' questions.
#[derive(Debug)]
pub struct Rules {
    choices: Choices,
    /// By decision, in the order of [`Choices::DECISIONS`]: answers that differed.
    deviations: [AtomicU64; Choices::DECISIONS.len()],
}

impl Default for Rules {
    fn default() -> Self {
        Rules::new(Choices::default())
    }
}

impl Rules {
    /// The rules that `choices` make.
    pub fn new(choices: Choices) -> Rules {
        Rules { choices, deviations: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// The choices in force.
    pub fn choices(&self) -> Choices {
        self.choices
    }

    /// How many answers differed from the correct filesystem's.
    pub fn deviations(&self) -> u64 {
        self.deviated().map(|(_, count)| count).sum()
    }

    /// The same by decision, for those that have made an answer differ.
    pub fn deviated(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Choices::DECISIONS.iter().zip(&self.deviations);
        let counts = counts.map(|(known, count)| (known.name, count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count != 0)
    }

    /// Answers `wrong`, and counts it for the decision that says so if `right` was something else.
    fn deviate<C: Chosen, T: PartialEq + Copy>(&self, _because: C, right: T, wrong: T) -> T {
        if right != wrong {
            let place = Choices::DECISIONS.iter().position(|known| known.name == C::DECISION);
            let place = place.expect("every choice is of a decision in the list");
            self.deviations[place].fetch_add(1, Ordering::Relaxed);
        }
        wrong
    }
}
