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

use crate::choices::Choices;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers the algorithms' questions.
#[derive(Debug, Default)]
pub struct Rules {
    choices: Choices,
    deviations: AtomicU64,
}

impl Rules {
    /// The rules that `choices` make.
    pub fn new(choices: Choices) -> Rules {
        Rules { choices, deviations: AtomicU64::new(0) }
    }

    /// The choices in force.
    pub fn choices(&self) -> Choices {
        self.choices
    }

    /// How many answers differed from the correct filesystem's.
    pub fn deviations(&self) -> u64 {
        self.deviations.load(Ordering::Relaxed)
    }

    /// Answers `wrong`, and counts it if `right` was something else.
    fn deviate<T: PartialEq + Copy>(&self, right: T, wrong: T) -> T {
        if right != wrong {
            self.deviations.fetch_add(1, Ordering::Relaxed);
        }
        wrong
    }
}
