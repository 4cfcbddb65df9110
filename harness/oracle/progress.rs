//! Invariants of progress: operations end, and locks are taken in order.

use crate::invariant::{at, invariants, overall};
use sim::{Failure, Outcome};
use stormfs::quantity::ByteRange;

/// A write that maps beside others may have so many barren mappings in a row.
const MOST_BARREN: u32 = 8;

invariants! { subject 6;
    /// Every operation ends within its budget of steps; nobody waits for ever, and nobody waits for
    /// something that is already true.
    Always(user) fn progress_is_made(outcome: &Outcome) {
        match outcome {
            Outcome::Failed(
                failure @ (Failure::Deadlock(_)
                | Failure::LostWakeUp(_)
                | Failure::OutOfSteps { .. }
                | Failure::Hung(_)),
            ) => Err(overall("every operation to end", failure.to_string())),
            Outcome::Finished
            | Outcome::Failed(Failure::Stopped(_) | Failure::Until(_) | Failure::Panicked { .. }) => {
                Ok(())
            }
        }
    }

    /// A write that maps beside others does not map again and again because its mappings go stale.
    /// Two writes whose reservations and clean-ups advance each other's sequence counter could do so
    /// for ever; at most eight mappings in a row may be stale before a byte is accepted. Exempt is
    /// who maps while no other write can: what disturbs it are faults and writeback, and whenever
    /// they do they have made progress themselves.
    Always fn progress_despite_stale_mappings(range: ByteRange, barren: u32) {
        if barren <= MOST_BARREN {
            return Ok(());
        }
        let found = format!("{barren} stale mappings in a row");
        Err(at(range, "a byte accepted, or no other write beside", found))
    }

    /// Locks are taken in the order of `stormfs::locks`, and all are released when an operation
    /// ends.
    Always(user) fn progress_keeps_the_lock_order(outcome: &Outcome) {
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
    Always(user) fn progress_without_panic(outcome: &Outcome) {
        match outcome {
            Outcome::Failed(failure @ Failure::Panicked { .. }) => {
                Err(overall("no panic in the filesystem", failure.to_string()))
            }
            Outcome::Finished | Outcome::Failed(_) => Ok(()),
        }
    }
}
