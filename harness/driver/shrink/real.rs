//! Shrinking what threads did on a real filesystem: nothing of it is certain to happen again, so each
//! candidate is run several times, and is taken if it fails nearly as often as the case did at first.

use super::removals::{calls, without_actors, without_calls};
use super::{Limits, Refused, Weight, arguments, removals};
use crate::case;
use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::reproducer;
use crate::scenario::plan::Plan;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
    /// Whether it was told to end before.
    pub interrupted: bool,
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

/// What is kept fails at least as often as the case at first, divided by this.
const EROSION: u64 = 2;

/// The fewest runs that the result must fail in once.
const LAST: u64 = 20;

/// Makes `case` smaller, which fails with `failure`. Every step forward is shown to `progress`.
///
/// # Errors
///
/// It does not fail so, or there is nothing to run it on, or no time.
pub fn shrink(
    case: &Plan,
    failure: &Failure,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let mut fails = |case: &Plan| {
        let storm = reproducer::run(case, limits.interrupted)?;
        Ok(Failure::of(&storm).as_ref() == Some(failure))
    };
    shrink_what_fails(case, &mut fails, limits, progress)
}

/// Runs a case once, and says whether it failed alike.
type Fails<'a> = &'a mut dyn FnMut(&Plan) -> Result<bool, NoGround>;

fn shrink_what_fails(
    case: &Plan,
    fails: Fails<'_>,
    limits: Limits<'_>,
    progress: &mut (dyn FnMut(&Plan, &Weight) + Send),
) -> Result<Shrunk, Refused> {
    let mut shrinker = Shrinker {
        best: case.clone(),
        kept: Vec::new(),
        fails,
        limits,
        watch: Stopwatch::start(),
        executions: 0,
        looks_for_less: false,
        progress,
    };
    let enough = |rate: Rate| FIRST <= rate.runs || KNOWN <= rate.failed;
    let rate = shrinker.rate(case, enough)?;
    if rate.failed == 0 {
        return Err(if FIRST <= rate.runs {
            Refused::FailsOtherwise(None)
        } else if limits.interrupted.load(Ordering::Relaxed) {
            Refused::Interrupted(rate.runs)
        } else {
            Refused::OutOfTime(rate.runs)
        });
    }
    shrinker.kept.push((case.clone(), rate));
    shrinker.looks_for_less = true;
    let minimal = shrinker.passes()?;
    shrinker.looks_for_less = false;
    let steps = shrinker.kept.len();
    let (case, rate) = shrinker.last()?;
    let minimal = minimal && steps == shrinker.kept.len();
    let before = Weight::of(&shrinker.kept[0].0, 0);
    let (after, executions) = (Weight::of(&case, 0), shrinker.executions);
    let interrupted = limits.interrupted.load(Ordering::Relaxed);
    Ok(Shrunk { case, before, after, executions, minimal, interrupted, rate })
}

impl Shrunk {
    /// Why it went no further.
    pub fn end(&self) -> &'static str {
        match (self.minimal, self.before == self.after) {
            (true, _) => "nothing more was found that can be taken out",
            (false, _) if self.interrupted => "it was interrupted: the same command goes on",
            (false, true) => {
                "too large to become smaller in this time, as its runs take so long or fail so seldom: \
                 use a longer --time"
            }
            (false, false) => "there was no time for more: `pagestorm shrink FILE` goes on",
        }
    }
}

impl Rate {
    /// Whether it is that of a case that fails nearly as often as one of the rate `first`.
    fn is_near(self, first: Rate) -> bool {
        0 < self.failed && first.failed * self.runs <= EROSION * self.failed * first.runs
    }

    /// Runs after which a case of this rate that has not failed is given up.
    fn patience(self) -> u64 {
        (PATIENCE * self.runs).div_ceil(self.failed.max(1)).min(MOST)
    }
}

struct Shrinker<'a> {
    best: Plan,
    /// Every case that was the best once, with its rate then, up to `best`.
    kept: Vec<(Plan, Rate)>,
    fails: Fails<'a>,
    limits: Limits<'a>,
    watch: Stopwatch,
    executions: u64,
    /// Whether it is on its way, so that some time and all further runs are left for the end.
    looks_for_less: bool,
    progress: &'a mut (dyn FnMut(&Plan, &Weight) + Send),
}

impl Shrinker<'_> {
    /// Runs `case` until its rate is known well enough, or it is over.
    fn rate(&mut self, case: &Plan, enough: impl Fn(Rate) -> bool) -> Result<Rate, NoGround> {
        let mut rate = Rate::default();
        while !enough(rate) && !self.is_over() {
            let failed = (self.fails)(case)?;
            // A run that was cut short says nothing.
            if self.limits.interrupted.load(Ordering::Relaxed) {
                break;
            }
            rate.runs += 1;
            rate.failed += u64::from(failed);
            self.executions += 1;
        }
        Ok(rate)
    }

    fn is_over(&self) -> bool {
        let Limits { time, runs, .. } = self.limits;
        let spent = self.looks_for_less && runs.is_some_and(|most| most <= self.executions);
        let raised = self.limits.interrupted.load(Ordering::Relaxed);
        spent || raised || time <= self.watch.elapsed() + self.reserve()
    }

    /// What the last runs will take.
    fn reserve(&self) -> Duration {
        let small = |runs: u64| u32::try_from(runs).unwrap_or(u32::MAX);
        let runs = self.kept.last().map_or(LAST, |(_, known)| known.patience().max(LAST));
        let last = self.watch.elapsed() / small(self.executions).max(1) * small(runs);
        if self.looks_for_less { last.min(self.limits.time / 2) } else { Duration::ZERO }
    }

    /// The smallest case that fails still, and how often.
    fn last(&mut self) -> Result<(Plan, Rate), NoGround> {
        loop {
            let (case, known) = self.kept.last().expect("the first stays").clone();
            let runs = known.patience().max(LAST);
            let last = self.rate(&case, |rate| runs <= rate.runs)?;
            // Few runs without a failure say little, and of the first case there is no other.
            if 0 < last.failed || last.runs < runs || self.kept.len() == 1 {
                let (failed, runs) = (known.failed + last.failed, known.runs + last.runs);
                return Ok((case, Rate { failed, runs }));
            }
            self.kept.pop();
        }
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

    /// Takes `candidate` if it is lighter and fails alike, nearly as often as the case did at first.
    fn try_out(&mut self, mut candidate: Plan) -> Result<bool, NoGround> {
        case::prune_order(&mut candidate);
        let weight = Weight::of(&candidate, 0);
        if Weight::of(&self.best, 0) <= weight {
            return Ok(false);
        }
        let (first, best) = (self.kept[0].1, self.kept[self.kept.len() - 1].1);
        let tries = best.patience();
        let is_known = |rate: Rate| KNOWN <= rate.failed || MOST <= rate.runs;
        let in_vain = |rate: Rate| rate.failed == 0 && tries <= rate.runs;
        let rate = self.rate(&candidate, |rate| is_known(rate) || in_vain(rate))?;
        if !is_known(rate) || !rate.is_near(first) {
            return Ok(false);
        }
        self.best = candidate.clone();
        self.kept.push((candidate, rate));
        (self.progress)(&self.best, &weight);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// A case of so many calls of one actor.
    fn case(calls: usize) -> Plan {
        let does = vec!["fsync"; calls].join(", ");
        let text = format!(
            "world: threads\ntarget: {{directory: /}}\nactors: [{{name: w, does: [{does}]}}]\n"
        );
        parse("a.yaml", &text, &Known::default(), &[]).unwrap()
    }

    fn numbers(case: &Plan) -> Vec<u64> {
        case.actors.iter().flat_map(|actor| &actor.does).map(|call| call.number).collect()
    }

    /// Shrinks it on a target that fails as `fails` says of the calls of a case, and of how often it was
    /// run before. Returns what came of it, and how often every case was run.
    fn on_a_target(
        calls: usize,
        (time, flag): (u64, &Arc<AtomicBool>),
        fails: impl Fn(&[u64], u64) -> bool,
    ) -> (Result<Shrunk, Refused>, BTreeMap<Vec<u64>, u64>) {
        let mut runs = BTreeMap::new();
        let mut once = |case: &Plan| {
            let count: &mut u64 = runs.entry(numbers(case)).or_default();
            *count += 1;
            Ok(fails(&numbers(case), *count - 1))
        };
        let time = Duration::from_secs(time);
        let limits = Limits { time, runs: None, interrupted: flag, parallel: false };
        let shrunk = shrink_what_fails(&case(calls), &mut once, limits, &mut |_, _| {});
        (shrunk, runs)
    }

    const LONG: u64 = 3600;

    #[test]
    fn what_fails_always_becomes_the_call_that_does_it() {
        let (shrunk, _) = on_a_target(9, (LONG, &Arc::default()), |calls, _| calls.contains(&4));
        let shrunk = shrunk.unwrap();
        assert_eq!((numbers(&shrunk.case), shrunk.minimal), (vec![4], true));
        assert_eq!(shrunk.rate, Rate { failed: 25, runs: 25 });
    }

    #[test]
    fn what_fails_seldom_becomes_smaller_too() {
        let seldom = |calls: &[u64], run: u64| calls.contains(&4) && run % 7 == 3;
        let shrunk = on_a_target(9, (LONG, &Arc::default()), seldom).0.unwrap();
        assert_eq!(numbers(&shrunk.case), [4]);
        // It failed five times in 35 runs, and is run 21 times more.
        assert_eq!(shrunk.rate, Rate { failed: 8, runs: 56 });
    }

    #[test]
    fn the_smallest_case_stays_however_seldom_it_is_known_to_fail() {
        for (one_in, runs) in [(7, 35 + 21), (20, MOST + MOST), (30, MOST + MOST)] {
            let seldom = |calls: &[u64], run: u64| calls.contains(&4) && run % one_in == one_in - 1;
            let shrunk = on_a_target(9, (LONG, &Arc::default()), seldom).0.unwrap();
            assert_eq!((numbers(&shrunk.case), shrunk.minimal), (vec![4], true), "1 in {one_in}");
            assert_eq!(shrunk.rate, Rate { failed: runs / one_in, runs }, "1 in {one_in}");
        }
    }

    #[test]
    fn a_smaller_case_that_fails_much_less_often_is_not_taken() {
        let erodes = |calls: &[u64], run: u64| 3 <= calls.len() || run.is_multiple_of(10);
        let shrunk = on_a_target(8, (LONG, &Arc::default()), erodes).0.unwrap();
        assert_eq!((numbers(&shrunk.case).len(), shrunk.rate.failed), (3, 25));
    }

    #[test]
    fn who_fails_no_more_in_the_end_gives_way_to_who_does() {
        let breaks_down = |calls: &[u64], run: u64| 3 <= calls.len() || run < KNOWN;
        let shrunk = on_a_target(8, (LONG, &Arc::default()), breaks_down).0.unwrap();
        // From four calls it went on with two.
        assert_eq!((numbers(&shrunk.case).len(), shrunk.rate.failed), (4, 25));
        assert!(!shrunk.minimal);
        // Of the first there is none before it.
        let all_do = |_: &[u64], run: u64| run < KNOWN;
        let shrunk = on_a_target(3, (LONG, &Arc::default()), all_do).0.unwrap();
        assert_eq!(numbers(&shrunk.case), [1, 2, 3]);
        assert_eq!(shrunk.rate, Rate { failed: 5, runs: 25 });
    }

    #[test]
    fn time_and_signals_end_it_with_a_rate_that_was_counted() {
        let none = on_a_target(4, (0, &Arc::default()), |_, _| true).0;
        assert!(matches!(none, Err(Refused::OutOfTime(0))), "{none:?}");
        let never = on_a_target(4, (LONG, &Arc::default()), |_, _| false).0;
        assert!(matches!(never, Err(Refused::FailsOtherwise(None))), "{never:?}");
        let flag = Arc::new(AtomicBool::new(false));
        let raises = |calls: &[u64], _: u64| {
            flag.fetch_or(calls.len() == 2, Ordering::Relaxed);
            true
        };
        let (shrunk, runs) = on_a_target(4, (LONG, &flag), raises);
        let shrunk = shrunk.unwrap();
        // The first half was run once, and is not known well enough.
        assert_eq!((numbers(&shrunk.case).len(), shrunk.minimal), (4, false));
        assert_eq!((shrunk.rate, runs[&vec![3, 4]]), (Rate { failed: 5, runs: 5 }, 1));
        assert_eq!(shrunk.end(), "it was interrupted: the same command goes on");
        let interrupted = Arc::new(AtomicBool::new(true));
        let told = on_a_target(4, (LONG, &interrupted), |_, _| true).0;
        assert!(matches!(told, Err(Refused::Interrupted(0))), "{told:?}");
    }
}
