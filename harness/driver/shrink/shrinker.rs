//! What shrinking knows on its way: the lightest case so far, how it is improved, and when time is up.

use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::scenario::plan::Plan;
use crate::shrink::roam::{self, Roam};
use crate::shrink::trial::{self, Fails};
use crate::shrink::weight::Weight;
use crate::shrink::{Limits, Pass};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sim::chance::Seed;
use sim::strategy::Strategy;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use stormfs::quantity::wide;

/// Candidates that are run at once, at most. The first batches are smaller: a success ends the search.
const BATCH: usize = 64;

/// A case with more calls is large.
const LARGE: usize = 24;

/// Of a large case not less than one in so many goes at a time.
const COARSE: usize = 16;

/// Points that all tries of one thing may pass, about.
const POINTS: u64 = 60_000;

/// See the module.
pub(super) struct Shrinker<'a> {
    best: Fails,
    limits: Limits<'a>,
    watch: Stopwatch,
    progress: &'a mut (dyn FnMut(&Plan, &Weight) + Send),
    executions: u64,
    passes: Vec<Pass>,
    others: BTreeMap<Failure, Plan>,
    /// Whether nothing more comes off a large case in parts.
    finely: bool,
}

/// How a candidate is run.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// By its own schedule.
    Followed,
    /// By a schedule that is drawn, the `nth`, with at most so many preemptions.
    Roaming {
        /// Which.
        nth: u64,
        /// How many.
        preemptions: usize,
    },
    /// By a schedule that is drawn freely, the `nth`.
    Storming(u64),
}

/// A case that may take the place of the best one.
pub(super) struct Candidate {
    pub(super) case: Plan,
    pub(super) how: How,
}

impl Candidate {
    /// To be run by its own schedule.
    pub(super) fn followed(case: Plan) -> Candidate {
        Candidate { case, how: How::Followed }
    }
}

impl<'a> Shrinker<'a> {
    /// Goes on from `first`.
    pub(super) fn new(
        first: Fails,
        limits: Limits<'a>,
        watch: Stopwatch,
        progress: &'a mut (dyn FnMut(&Plan, &Weight) + Send),
    ) -> Shrinker<'a> {
        let (passes, others) = (Vec::new(), BTreeMap::new());
        let (executions, finely) = (0, false);
        Shrinker { best: first, limits, watch, progress, executions, passes, others, finely }
    }

    /// The lightest case so far.
    pub(super) fn case(&self) -> &Plan {
        &self.best.case
    }

    /// Its weight.
    pub(super) fn weight(&self) -> Weight {
        self.best.weight
    }

    /// How many of at most `most` tries are worth it, where long runs cost more.
    pub(super) fn tries(&self, most: usize) -> usize {
        let affordable = usize::try_from(POINTS / self.best.points.max(1)).unwrap_or(most);
        affordable.clamp(most.min(4), most)
    }

    /// Whether time is up, or the runs are, or nobody wants to wait any longer.
    pub(super) fn is_over(&self) -> bool {
        let interrupted = self.limits.interrupted.load(Ordering::Relaxed);
        let ran = self.limits.runs.is_some_and(|runs| runs <= self.executions);
        interrupted || ran || self.limits.time <= self.watch.elapsed()
    }

    /// Those of `offers` that are lighter than the best, if they run as it did.
    pub(super) fn lighter(&self, mut offers: Vec<Plan>) -> Vec<Plan> {
        let weight = self.weight();
        offers.retain(|offer| Weight::of(offer, weight.preemptions) < weight);
        offers
    }

    /// Whether the case is still so large that parts of it are taken out, and nothing singly.
    pub(super) fn is_large(&self) -> bool {
        !self.finely && LARGE < self.best.weight.calls
    }

    /// From now on also single things are taken out of a large case.
    pub(super) fn go_on_finely(&mut self) {
        self.finely = true;
    }

    /// What came of it: the best, how often something was run, by what passes, and what else failed.
    pub(super) fn end(self) -> (Fails, u64, Vec<Pass>, Vec<(Failure, Plan)>) {
        (self.best, self.executions, self.passes, self.others.into_iter().collect())
    }

    /// Tries candidates 0, 1, 2 and so on, and takes the first that fails alike and is lighter.
    /// Tells which that was. Those that `make` does not make are passed over.
    pub(super) fn first(
        &mut self,
        pass: &'static str,
        count: usize,
        make: impl Fn(&Fails, usize) -> Option<Candidate> + Sync,
    ) -> Result<Option<usize>, NoGround> {
        let (mut next, mut size) = (0, 1);
        while next < count && !self.is_over() {
            let end = count.min(next + size);
            let tried = self.batch(next..end, &make)?;
            for (number, tried) in (next..).zip(tried) {
                let fails = match tried {
                    Tried::Nothing => continue,
                    Tried::Passes => None,
                    Tried::Fails(fails) => Some(*fails),
                };
                self.count(pass, false);
                let Some(fails) = fails else { continue };
                if fails.failure != self.best.failure {
                    self.others.entry(fails.failure).or_insert(fails.case);
                } else if fails.weight < self.best.weight {
                    self.best = fails;
                    self.count(pass, true);
                    (self.progress)(&self.best.case, &self.best.weight);
                    return Ok(Some(number));
                }
            }
            next = end;
            size = BATCH.min(2 * size);
        }
        Ok(None)
    }

    /// Takes parts of a list out of the case for as long as that works: all, halves, quarters, and at
    /// last one by one.
    pub(super) fn sweep(
        &mut self,
        pass: &'static str,
        len: impl Fn(&Plan) -> usize,
        without: impl Fn(&Fails, Range<usize>) -> Option<Plan> + Sync,
    ) -> Result<(), NoGround> {
        let mut size = len(self.case());
        let least = if self.is_large() { (size / COARSE).max(1) } else { 1 };
        while least <= size {
            let mut from = 0;
            while from < len(self.case()) {
                let left = (len(self.case()) - from).div_ceil(size);
                let part = |best: &Fails, number: usize| {
                    let start = from + number * size;
                    without(best, start..start + size).map(Candidate::followed)
                };
                match self.first(pass, left, part)? {
                    Some(number) => from += number * size,
                    None => break,
                }
            }
            size /= 2;
        }
        Ok(())
    }

    /// Runs some candidates.
    fn batch(
        &self,
        numbers: Range<usize>,
        make: &(impl Fn(&Fails, usize) -> Option<Candidate> + Sync),
    ) -> Result<Vec<Tried>, NoGround> {
        let best = &self.best;
        let one = |number| {
            let Some(Candidate { case, how }) = make(best, number) else {
                return Ok(Tried::Nothing);
            };
            let strategy = strategy(how, best.decisions);
            Ok(match trial::run(&case, strategy)? {
                Some(fails) => Tried::Fails(Box::new(fails)),
                None => Tried::Passes,
            })
        };
        if self.limits.parallel && 1 < numbers.len() {
            return numbers.into_par_iter().map(one).collect();
        }
        let mut tried = Vec::new();
        for number in numbers {
            let ran = one(number)?;
            let is_last = matches!(&ran, Tried::Fails(fails)
                if fails.failure == best.failure && fails.weight < best.weight);
            tried.push(ran);
            if is_last {
                break;
            }
        }
        Ok(tried)
    }

    fn count(&mut self, name: &'static str, step: bool) {
        let place = self.passes.iter().position(|pass| pass.name == name);
        let place = place.unwrap_or_else(|| {
            self.passes.push(Pass { name, executions: 0, steps: 0 });
            self.passes.len() - 1
        });
        self.executions += u64::from(!step);
        self.passes[place].executions += u64::from(!step);
        self.passes[place].steps += u64::from(step);
    }
}

/// What came of a candidate.
enum Tried {
    /// There is none of that number.
    Nothing,
    /// It does not fail.
    Passes,
    Fails(Box<Fails>),
}

fn strategy(how: How, decisions: u64) -> Option<Box<dyn Strategy>> {
    match how {
        How::Followed => None,
        How::Roaming { nth, preemptions } => {
            let seed = Seed(wide(preemptions)).nth(nth + 1);
            Some(Box::new(Roam::new(seed, preemptions, decisions)))
        }
        How::Storming(nth) => Some(roam::storming(nth, decisions)),
    }
}
