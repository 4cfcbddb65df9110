//! The failure of a storm of threads, looked for in the simulated world: first with its last calls in
//! the order that they had, then in any; with few of them first, and then with more.

use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::ordered::Ordered;
use crate::reproducer::{self, Reproducer};
use crate::scenario::plan::{Expectation, Judge, Plan, StrategyPlan};
use crate::storm::{self, Orders, Storm};
use oracle::{Invariant, Scope};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sim::chance::Seed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many of the last calls are tried.
pub const TAILS: [usize; 4] = [16, 64, 256, 512];

/// Where storms of a tail take their schedules from, in this order, each for a share of them.
pub const MANNERS: [Manner; 3] = [Manner::Ordered, Manner::Random, Manner::Mixed];

/// How a storm of the search is scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Calls begin in the recorded order, and overlap only where they did.
    Ordered,
    /// At random.
    Random,
    /// Each storm by another strategy.
    Mixed,
}

impl Manner {
    /// For a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Manner::Ordered => "in the recorded order",
            Manner::Random => "in any order, at random",
            Manner::Mixed => "in any order, by every strategy",
        }
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The case.
    pub reproducer: Reproducer,
    /// How many of the last calls it began with.
    pub calls: usize,
    /// How it was scheduled.
    pub manner: Manner,
}

/// What came of a search.
#[derive(Debug)]
pub struct Searched {
    /// The case, if there is one.
    pub found: Option<Found>,
    /// Storms that were run, at most.
    pub storms: u64,
}

/// Looks for what `left` expects, which is what a storm of threads left, in at most `budget` storms,
/// on the threads of the current rayon pool. What is found does not depend on their number.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn search(
    left: &Plan,
    from: &str,
    budget: u64,
    interrupted: &Arc<AtomicBool>,
) -> Result<Searched, NoGround> {
    let most = left.actors.iter().map(|actor| actor.does.len()).sum();
    let mut tails: Vec<usize> = TAILS.into_iter().take_while(|tail| *tail < most).collect();
    tails.push(most);
    let rounds = u64::try_from(tails.len() * MANNERS.len()).expect("a few");
    let each = budget.div_ceil(rounds);
    let mut storms = 0;
    for calls in tails {
        let plan = tail(left, calls);
        for manner in MANNERS {
            let one = |nth| {
                attempt(&plan, from, manner, Seed(left.seed).nth(nth), interrupted).transpose()
            };
            let found = (0..each).into_par_iter().find_map_first(one).transpose()?;
            storms += each;
            if let Some(reproducer) = found {
                let found = Some(Found { reproducer, calls, manner });
                return Ok(Searched { found, storms });
            }
        }
    }
    Ok(Searched { found: None, storms })
}

fn attempt(
    plan: &Plan,
    from: &str,
    manner: Manner,
    seed: Seed,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Reproducer>, NoGround> {
    if interrupted.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let strategy = match manner {
        Manner::Mixed => StrategyPlan::Mix,
        Manner::Ordered | Manner::Random => StrategyPlan::Random,
    };
    let plan = Plan { strategy, judge: judge(plan), ..plan.clone() };
    let look = Look::default();
    let orders = Orders { plan: &plan, seed, record: true, judged: true, look, interrupted };
    let order = plan.recorded.as_ref().map(|recorded| recorded.order.as_slice());
    let storm = match (manner, order) {
        (Manner::Ordered, Some(order)) => {
            let strategy = Ordered::new(&plan, order, seed.schedule());
            storm::run_under(orders, Box::new(strategy))?
        }
        _ => storm::run(orders)?,
    };
    if !is_expected(&plan, &storm) {
        return Ok(None);
    }
    reproducer::of((&plan, from), seed, &storm, interrupted)
}

/// Where a user noticed it, wrong state that speaks earlier must not end the storm.
fn judge(plan: &Plan) -> Judge {
    let Expectation::Caught { by, .. } = &plan.expect else { return plan.judge };
    match Invariant::named(by).map(|invariant| invariant.scope) {
        Some(Scope::User) => Judge::Bytes,
        Some(Scope::State) | None => plan.judge,
    }
}

fn is_expected(plan: &Plan, storm: &Storm) -> bool {
    let found = storm.violation.as_ref().map(|violation| violation.invariant);
    matches!(&plan.expect, Expectation::Caught { by, .. } if found == Some(by.as_str()))
}

/// The last `calls` of what threads left, files as large as they were then.
pub fn tail(left: &Plan, calls: usize) -> Plan {
    let mut plan = left.clone();
    let Some(recorded) = &mut plan.recorded else { return plan };
    let begins = recorded.order.iter().filter(|turn| turn.begins_on.is_some());
    let begun: Vec<_> = begins.copied().collect();
    let last = &begun[begun.len().saturating_sub(calls)..];
    let kept: BTreeSet<_> = last.iter().map(|turn| (turn.actor, turn.operation)).collect();
    let mut sizes = BTreeMap::new();
    for turn in last {
        let call = left.actors[turn.actor].does.iter().find(|call| call.number == turn.operation);
        if let (Some(call), Some(size)) = (call, turn.begins_on) {
            sizes.entry(call.file).or_insert(size);
        }
    }
    for (file, size) in sizes {
        plan.files[file].size = size;
    }
    let mut numbers = BTreeMap::new();
    for (number, actor) in plan.actors.iter_mut().enumerate() {
        actor.does.retain(|call| kept.contains(&(number, call.number)));
        if !actor.does.is_empty() {
            numbers.insert(number, numbers.len());
        }
    }
    plan.actors.retain(|actor| !actor.does.is_empty());
    recorded.order.retain_mut(|turn| {
        let stays = kept.contains(&(turn.actor, turn.operation));
        turn.actor = numbers.get(&turn.actor).copied().unwrap_or(0);
        stays
    });
    plan
}
