//! Shrinking what threads left on a real filesystem.

use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::reproducer;
use crate::scenario::plan::{Expectation, Plan};
use crate::shrink::real::{self, Rate, Shrunk};
use crate::shrink::{Limits, Refused, Weight};
use crate::signature::signature;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Runs in which the case must fail as it says.
const RUNS: u64 = 30;

/// Sees how the case fails, and shrinks it.
pub(in crate::commands) fn shrunk(
    case: &Plan,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let expected = match &case.expect {
        Expectation::Caught { by, .. } => Some(by.as_str()),
        Expectation::Clean => None,
    };
    let (mut other, watch) = (None, Stopwatch::start());
    for run in 0..RUNS {
        let time = limits.time.saturating_sub(watch.elapsed());
        if limits.interrupted.load(Ordering::Relaxed) {
            return Err(Refused::Interrupted(run));
        }
        if time.is_zero() {
            return Err(Refused::OutOfTime(run));
        }
        let Some(failure) = Failure::of(&reproducer::run(case, limits.interrupted)?) else {
            continue;
        };
        if expected.is_none_or(|by| by == failure.invariant) {
            return real::shrink(case, &failure, Limits { time, ..limits }, progress);
        }
        other = Some(failure);
    }
    Err(Refused::FailsOtherwise(other))
}

/// What was done, in one line, and the signature of what is left.
pub(super) fn told(shrunk: &Shrunk, time: Duration) -> String {
    let Shrunk { case, before, after, executions, rate, .. } = shrunk;
    let (Rate { failed, runs }, end) = (rate, shrunk.end());
    let by = match &case.expect {
        Expectation::Caught { by, .. } => by.as_str(),
        Expectation::Clean => "",
    };
    format!(
        "{before} -> {after}; {executions} runs, {:.1} s; {end}\nfails in {failed} of {runs} runs\n{}",
        time.as_secs_f64(),
        signature(by, case)
    )
}
