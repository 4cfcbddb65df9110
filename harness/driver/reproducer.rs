//! From a failing storm to a case that fails the same way every time, and says what it did.

use crate::case;
use crate::onlooker::Look;
use crate::scenario::plan::{Expectation, Plan, Recorded};
use crate::storm::{self, Orders, Storm};
use block::OpenError;
use oracle::Violation;
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A case that was run.
#[derive(Debug, Clone)]
pub struct Reproducer {
    /// What is run; it expects the violation.
    pub case: Plan,
    /// What it ends with.
    pub violation: Violation,
}

/// A reproducer in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Equal for failures that probably have the same cause.
    pub signature: String,
    /// The file.
    pub path: String,
}

/// The case of `failed`, a recorded storm of `plan`, a scenario `from` somewhere, under `seed`.
/// `None` if that case does not end with the violation of the storm, or is interrupted.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn of(
    (plan, from): (&Plan, &str),
    seed: Seed,
    failed: &Storm,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Reproducer>, OpenError> {
    let (Some(recording), Some(violation)) = (&failed.recording, &failed.violation) else {
        return Ok(None);
    };
    let mut case = case::of(plan, seed, recording);
    let again = run(&case, interrupted)?;
    let same = again.violation.as_ref().filter(|found| found.invariant == violation.invariant);
    let Some(violation) = same.cloned() else { return Ok(None) };
    // A script's schedule also says what the default rule says anyway.
    if let Some(followed) = &again.recording {
        case.schedule = Some(followed.switches.clone());
    }
    stamp(&mut case, &again, (from, seed));
    Ok(Some(Reproducer { case, violation }))
}

/// Runs a case, and records what it does.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn run(case: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Storm, OpenError> {
    let seed = Seed(case.seed);
    storm::run(Orders {
        plan: case,
        seed,
        record: true,
        judged: true,
        look: Look::default(),
        interrupted,
    })
}

/// Lets a case say what its last run did, and where it comes from.
pub fn stamp(case: &mut Plan, ran: &Storm, (from, seed): (&str, Seed)) {
    if let Some(violation) = &ran.violation {
        let bug = match case.expect {
            Expectation::Caught { bug, .. } => bug,
            Expectation::Clean => None,
        };
        case.expect = Expectation::Caught { by: violation.invariant.to_owned(), bug };
    }
    case.recorded = Some(Recorded {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        from: from.to_owned(),
        seed: seed.0,
        trace_hash: ran.end.trace_hash,
        points: ran.end.points,
    });
}
