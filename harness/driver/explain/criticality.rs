//! Which step decides: the run is followed up to a step and left to chance from there, many times,
//! and the share of those that fail is put down step by step. Where it jumps, it was decided.

use super::turns::opening;
use super::watcher::Frame;
use crate::following::Following;
use crate::onlooker::Look;
use crate::scenario::plan::Plan;
use crate::storm::{self, Orders};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;
use sim::Passage;
use sim::chance::Seed;
use sim::schedule::Key;
use sim::strategy::{Decision, Random, Strategy};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs from each step.
const RUNS: u64 = 24;

/// At most so many steps are tried.
const STEPS: usize = 120;

/// Fewer steps of long runs are tried: so many points in all.
const POINTS: usize = 2_000_000;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Criticality {
    /// Runs from each step.
    pub runs: u64,
    /// Steps in their order, each with how many of the runs from there fail the same way.
    pub steps: Vec<(u64, u64)>,
}

impl Criticality {
    /// The two steps between which the share of failures grows most, and how many fail from each.
    pub fn jump(&self) -> Option<[(u64, u64); 2]> {
        let pairs = self.steps.windows(2).map(|pair| [pair[0], pair[1]]);
        let grows = |[(_, from), (_, to)]: &[(u64, u64); 2]| to.saturating_sub(*from);
        // Less than that may be chance. Of equals the first counts.
        pairs.filter(|pair| self.runs / 2 <= grows(pair)).rev().max_by_key(grows)
    }
}

/// Measures `plan`, a case that ends with the violation of `invariant`. `None`: it is too long.
pub fn criticality(
    plan: &Plan,
    frames: &[Frame],
    invariant: &str,
    interrupted: &Arc<AtomicBool>,
) -> Option<Criticality> {
    let passages: Vec<&Passage> = frames.iter().filter_map(Frame::passage).collect();
    let first = frames[..opening(frames)].iter().filter_map(Frame::passage).count();
    let runs = usize::try_from(RUNS).unwrap_or(usize::MAX);
    let most = STEPS.min(POINTS / runs / passages.len().max(1));
    if most < 2 || passages.len() <= first {
        return None;
    }
    let every = (passages.len() - first).div_ceil(most).max(1);
    let places: Vec<usize> = (first..=passages.len()).step_by(every).collect();
    let steps = places.into_par_iter().map(|at| {
        let followed: BTreeSet<Key> = passages[..at].iter().filter_map(|it| key(it)).collect();
        let followed = Arc::new(followed);
        let step = passages.get(at).or(passages.last()).map_or(0, |it| it.step);
        let fails = |nth: &u64| {
            let strategy = LeftToChance {
                following: Following::new(plan),
                followed: Arc::clone(&followed),
                chance: Random::new(Seed(1).nth(*nth).schedule()),
            };
            let (seed, look) = (Seed(plan.seed), Look::default());
            let orders = Orders { plan, seed, record: false, judged: true, look, interrupted };
            let storm = storm::run_under(orders, Box::new(strategy)).ok();
            let found = storm.and_then(|storm| storm.violation);
            found.is_some_and(|violation| violation.invariant == invariant)
        };
        let count = (0..RUNS).filter(fails).count();
        (step, u64::try_from(count).unwrap_or_default())
    });
    let mut steps: Vec<(u64, u64)> = steps.collect();
    // The end of a task is a place, and no step of its own.
    steps.dedup_by_key(|(step, _)| *step);
    Some(Criticality { runs: RUNS, steps })
}

/// Follows a schedule at some places, and chance everywhere else.
struct LeftToChance {
    following: Following,
    followed: Arc<BTreeSet<Key>>,
    chance: Random,
}

impl Strategy for LeftToChance {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        if self.followed.contains(&key) {
            self.following.pick(decision, key)
        } else {
            self.chance.pick(decision, key)
        }
    }
}

fn key(passage: &Passage) -> Option<Key> {
    let task = u8::try_from(passage.task).ok()?;
    Some(Key { task, operation: passage.operation, point: passage.point })
}
