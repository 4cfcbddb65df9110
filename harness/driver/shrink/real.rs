//! Shrinking what threads did on a real filesystem: nothing of it is certain to happen again, so each
//! candidate is run several times, and counts as failing if one of them does.

use super::removals::{calls, without_actors, without_calls};
use super::{Limits, Refused, Weight, arguments, removals};
use crate::case;
use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::reproducer;
use crate::scenario::plan::Plan;
use std::sync::atomic::Ordering;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The case.
    pub case: Plan,
    /// What it weighed at first.
    pub before: Weight,
    /// What it weighs now.
    pub after: Weight,
    /// How often a case was run.
    pub executions: u64,
    /// Whether nothing was found that can be taken out singly; if not, time ran out before.
    pub minimal: bool,
    /// How often the result fails.
    pub rate: Rate,
}

/// How often a case fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Runs that failed alike.
    pub failed: u64,
    /// Runs.
    pub runs: u64,
}

/// Runs in which a case must fail once at least.
const FIRST: u64 = 30;

/// Failing runs after which the rate of a case is known well enough.
const KNOWN: u64 = 5;

/// Runs of a candidate, in units of those after which the case at hand fails once: one that fails as
/// often is overlooked once in twenty times.
const PATIENCE: u64 = 3;

/// The most runs of a candidate.
const MOST: u64 = 60;

/// Runs that tell the rate of the result.
const LAST: u64 = 20;

/// Makes `case` smaller, which fails with `failure`. Every step forward is shown to `progress`.
///
/// # Errors
///
/// It does not fail so, or there is nothing to run it on.
pub fn shrink(
    case: &Plan,
    failure: &Failure,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let mut shrinker = Shrinker {
        best: case.clone(),
        failure,
        limits,
        watch: Stopwatch::start(),
        executions: 0,
        tries: 0,
        progress,
    };
    let rate = shrinker.rate(FIRST, KNOWN)?;
    if rate.failed == 0 {
        return Err(Refused::FailsOtherwise(None));
    }
    shrinker.tries = (PATIENCE * rate.runs).div_ceil(rate.failed).min(MOST);
    let before = Weight::of(case, 0);
    let minimal = shrinker.passes()?;
    let rate = shrinker.rate(LAST, u64::MAX)?;
    let Shrinker { best, executions, .. } = shrinker;
    let after = Weight::of(&best, 0);
    Ok(Shrunk { case: best, before, after, executions, minimal, rate })
}

/// Runs `case` so often, or until it has failed `enough` times.
///
/// # Errors
///
/// There is nothing to run it on.
pub fn rate(
    case: &Plan,
    (runs, enough): (u64, u64),
    failure: &Failure,
    limits: Limits<'_>,
) -> Result<Rate, NoGround> {
    let mut rate = Rate::default();
    while rate.runs < runs && rate.failed < enough {
        let storm = reproducer::run(case, limits.interrupted)?;
        if limits.interrupted.load(Ordering::Relaxed) {
            break;
        }
        rate.runs += 1;
        rate.failed += u64::from(Failure::of(&storm).as_ref() == Some(failure));
    }
    Ok(rate)
}

struct Shrinker<'a> {
    best: Plan,
    failure: &'a Failure,
    limits: Limits<'a>,
    watch: Stopwatch,
    executions: u64,
    /// Runs of a candidate.
    tries: u64,
    progress: &'a mut (dyn FnMut(&Plan, &Weight) + Send),
}

impl Shrinker<'_> {
    /// How often the best so far fails.
    fn rate(&mut self, runs: u64, enough: u64) -> Result<Rate, NoGround> {
        let rate = rate(&self.best, (runs, enough), self.failure, self.limits)?;
        self.executions += rate.runs;
        Ok(rate)
    }

    fn is_over(&self) -> bool {
        let spent = self.limits.runs.is_some_and(|most| most <= self.executions);
        let raised = self.limits.interrupted.load(Ordering::Relaxed);
        spent || raised || self.limits.time <= self.watch.elapsed()
    }

    /// Repeats the passes until none makes progress. False if it was over before.
    fn passes(&mut self) -> Result<bool, NoGround> {
        loop {
            let weight = Weight::of(&self.best, 0);
            self.sweep(|case| case.actors.len(), without_actors)?;
            self.sweep(calls, without_calls)?;
            self.sweep(removals::peculiar, |case, range| {
                Some(removals::without_faults(case, range))
            })?;
            self.sweep(removals::pieces, |case, range| {
                Some(removals::without_pieces(case, range))
            })?;
            self.sweep(|case| case.files.len(), removals::without_files)?;
            self.simplify(calls, arguments::simpler_call)?;
            self.simplify(|case| case.files.len(), arguments::simpler_file)?;
            if self.is_over() {
                return Ok(false);
            }
            if Weight::of(&self.best, 0) == weight {
                return Ok(true);
            }
        }
    }

    /// Takes out all things of a kind, half of them, a quarter and so on.
    fn sweep(
        &mut self,
        len: impl Fn(&Plan) -> usize,
        without: impl Fn(&Plan, std::ops::Range<usize>) -> Option<Plan>,
    ) -> Result<(), NoGround> {
        let mut size = len(&self.best);
        while 0 < size {
            let mut start = 0;
            while start < len(&self.best) {
                let end = (start + size).min(len(&self.best));
                let taken = match without(&self.best, start..end) {
                    Some(less) => self.try_out(less)?,
                    None => false,
                };
                if self.is_over() {
                    return Ok(());
                }
                start += if taken { 0 } else { size };
            }
            size /= 2;
        }
        Ok(())
    }

    /// Puts simpler things in their place, one after the other.
    fn simplify(
        &mut self,
        len: impl Fn(&Plan) -> usize,
        simpler: impl Fn(&Plan, usize) -> Vec<Plan>,
    ) -> Result<(), NoGround> {
        for thing in 0..len(&self.best) {
            let mut helps = true;
            while helps && !self.is_over() {
                helps = false;
                for offer in simpler(&self.best, thing) {
                    if !self.is_over() && self.try_out(offer)? {
                        helps = true;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes `candidate` if it is lighter and fails alike.
    fn try_out(&mut self, mut candidate: Plan) -> Result<bool, NoGround> {
        case::prune_order(&mut candidate);
        let weight = Weight::of(&candidate, 0);
        if Weight::of(&self.best, 0) <= weight {
            return Ok(false);
        }
        let rate = rate(&candidate, (self.tries, 1), self.failure, self.limits)?;
        self.executions += rate.runs;
        if rate.failed == 0 {
            return Ok(false);
        }
        self.best = candidate;
        (self.progress)(&self.best, &weight);
        Ok(true)
    }
}
