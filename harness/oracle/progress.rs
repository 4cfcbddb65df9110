//! Invariants of progress: operations end, and locks are taken in order.

use crate::invariant::{invariants, overall};
use sim::{Failure, Outcome};

invariants! { subject 6;
    /// Every operation ends within its budget of steps; nobody waits for ever, and nobody waits for
    /// something that is already true.
    Always fn progress_is_made(outcome: &Outcome) {
        match outcome {
            Outcome::Failed(
                failure @ (Failure::Deadlock(_)
                | Failure::LostWakeUp(_)
                | Failure::OutOfSteps { .. }
                | Failure::Hung(_)),
            ) => Err(overall("every operation to end", failure.to_string())),
            Outcome::Finished | Outcome::Failed(Failure::Stopped(_) | Failure::Panicked { .. }) => {
                Ok(())
            }
        }
    }

    /// Locks are taken in the order of `stormfs::locks`, and all are released when an operation
    /// ends.
    Always fn progress_keeps_the_lock_order(outcome: &Outcome) {
        match outcome {
            Outcome::Failed(failure @ Failure::Panicked { panic, .. })
                if panic.message.contains("lock order") || panic.message.contains("lock held") =>
            {
                Err(overall("locks in order", failure.to_string()))
            }
            Outcome::Finished | Outcome::Failed(_) => Ok(()),
        }
    }

    /// The filesystem's own assertions hold. One that fails stops the task in the middle of what it
    /// was changing.
    Always fn progress_without_panic(outcome: &Outcome) {
        match outcome {
            Outcome::Failed(failure @ Failure::Panicked { .. }) => {
                Err(overall("no panic in the filesystem", failure.to_string()))
            }
            Outcome::Finished | Outcome::Failed(_) => Ok(()),
        }
    }
}
