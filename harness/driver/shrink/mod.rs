//! Shrinking: a case that fails becomes the smallest that is found to fail alike.
//!
//! Passes take things out of the case, or put simpler ones in their place, and run what is left.
//! Whatever fails alike and is lighter becomes the case to go on with, as it ran. The passes are
//! repeated until none of them makes progress; then nothing can be taken out singly, and the case is
//! *minimal*.
//!
//! The result does not depend on the number of threads: candidates are tried in batches, and the
//! first that succeeds is taken.

mod weight;
mod trial;
mod roam;
mod shrinker;
mod bridges;
mod removals;
mod arguments;
mod positions;
mod settings;
mod searches;
pub mod real;

pub use weight::Weight;

use crate::catalogue;
use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::scenario::plan::Plan;
use shrinker::Shrinker;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How far shrinking goes.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// It ends with what it has after this long.
    pub time: Duration,
    /// It ends with what it has after so many runs, on every machine with the same.
    pub runs: Option<u64>,
    /// Raised from outside to end it with what it has.
    pub interrupted: &'a Arc<AtomicBool>,
    /// Whether candidates are shared among the threads of the current rayon pool.
    pub parallel: bool,
}

/// What came of shrinking.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The case, as it ran last.
    pub case: Plan,
    /// What it weighed at first.
    pub before: Weight,
    /// What it weighs now.
    pub after: Weight,
    /// How often a case was run.
    pub executions: u64,
    /// Whether nothing can be taken out singly: no actor, call, fault, switch, piece or file. If not, time
    /// ran out before that was known.
    pub minimal: bool,
    /// What each pass did, in the order of their first time.
    pub passes: Vec<Pass>,
    /// Other failures that were met on the way, each with the first case that failed so.
    pub others: Vec<(Failure, Plan)>,
}

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// What it tries.
    pub name: &'static str,
    /// How often it ran a case.
    pub executions: u64,
    /// How often that was a step forward.
    pub steps: u64,
}

/// Why a case cannot be shrunk.
#[derive(Debug)]
pub enum Refused {
    /// It runs, and does not fail as it should; instead so, if at all.
    FailsOtherwise(Option<Failure>),
    /// It has not failed in so many runs, and there was no time for more.
    OutOfTime(u64),
    /// It has not failed in so many runs, and was told to end.
    Interrupted(u64),
    /// Run twice, it did not do the same.
    NotDeterministic,
    /// There is nothing to run it on: no device, or no filesystem.
    NoGround(NoGround),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::FailsOtherwise(None) => f.write_str("the case does not fail"),
            Refused::FailsOtherwise(Some(failure)) => {
                write!(f, "the case fails otherwise than it should: {failure}")
            }
            Refused::OutOfTime(0) => {
                f.write_str("there was no time to run the case: use a longer --time")
            }
            Refused::OutOfTime(runs) => write!(
                f,
                "the case has not failed in {runs} runs, and there was no time for more: use a longer \
                 --time"
            ),
            Refused::Interrupted(runs) => {
                write!(f, "interrupted before the case had failed: it ran {runs} times")
            }
            Refused::NotDeterministic => {
                f.write_str("run twice, the case did not do the same: it is not deterministic")
            }
            Refused::NoGround(error) => error.fmt(f),
        }
    }
}

impl From<NoGround> for Refused {
    fn from(error: NoGround) -> Refused {
        Refused::NoGround(error)
    }
}

/// Makes `case` smaller, which fails with `failure`. Every step forward is shown to `progress`.
pub fn shrink(
    case: &Plan,
    failure: &Failure,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let watch = Stopwatch::start();
    let first = failing(case, failure)?;
    repeated(case, failure, first.trace_hash)?;
    let before = first.weight;
    let mut shrinker = Shrinker::new(first, limits, watch, progress);
    let minimal = passes(&mut shrinker)?;
    let (best, executions, passes, others) = shrinker.end();
    repeated(&best.case, failure, best.trace_hash)?;
    let (case, after) = (best.case, best.weight);
    Ok(Shrunk { case, before, after, executions: executions + 3, minimal, passes, others })
}

fn failing(case: &Plan, failure: &Failure) -> Result<trial::Fails, Refused> {
    let fails = trial::run(case, None)?;
    match fails {
        Some(fails) if fails.failure == *failure => Ok(fails),
        other => Err(Refused::FailsOtherwise(other.map(|fails| fails.failure))),
    }
}

/// Runs a case once more, which failed with that trace.
fn repeated(case: &Plan, failure: &Failure, trace_hash: u64) -> Result<(), Refused> {
    match failing(case, failure) {
        Ok(again) if again.trace_hash == trace_hash => Ok(()),
        Err(Refused::NoGround(error)) => Err(Refused::NoGround(error)),
        Ok(_) | Err(_) => Err(Refused::NotDeterministic),
    }
}

/// Repeats the passes until none makes progress. False if time ran out before.
fn passes(shrinker: &mut Shrinker<'_>) -> Result<bool, NoGround> {
    loop {
        let weight = shrinker.weight();
        if shrinker.is_large() {
            searches::storms(shrinker)?;
        }
        removals::all(shrinker)?;
        if shrinker.weight() == weight && shrinker.is_large() {
            shrinker.go_on_finely();
            continue;
        }
        if shrinker.weight() == weight {
            arguments::all(shrinker)?;
            positions::all(shrinker)?;
            settings::all(shrinker)?;
        }
        if shrinker.weight() == weight {
            searches::all(shrinker)?;
        }
        if shrinker.is_over() {
            return Ok(false);
        }
        if shrinker.weight() == weight {
            return Ok(true);
        }
    }
}

/// The decisions of a case's filesystem that differ from the default and belong to none of its bugs.
fn departures(case: &Plan) -> Vec<&'static str> {
    let bugs = || case.bugs.iter().filter_map(|id| catalogue::named(id));
    let of_a_bug = |name: &str| bugs().any(|bug| bug.sets.iter().any(|(set, _)| *set == name));
    let all = case.filesystem.choices.departures().into_iter().map(|(name, _)| name);
    all.filter(|name| !of_a_bug(name)).collect()
}
