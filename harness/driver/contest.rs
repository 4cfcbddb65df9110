//! A contest of strategies: the operations of a failure are given, and each strategy tries schedule
//! after schedule until it meets the failure again.

use crate::case;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::hunt::{self, Catch};
use crate::onlooker::Look;
use crate::scenario::plan::{Plan, StrategyPlan, Strike};
use crate::shrink::{self, Limits, Refused};
use crate::storm::{self, Orders, Storm};
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Who takes part, in the order of tables. `at depth` is pct that is told the depth of the failure.
pub const CONTENDERS: [&str; 6] = ["random", "pct", "at depth", "pos", "surw", "mix"];

/// After so many schedules a strategy gives up.
pub const LIMIT: u64 = 2000;

/// Operations, and the failure to which some of their schedules lead.
#[derive(Debug, Clone)]
pub struct Sought {
    /// The master seed under which it was found, which is also that of the schedules.
    pub master: u64,
    /// How it fails.
    pub failure: Failure,
    /// One more than its shrunk schedule has preemptions.
    pub depth: u32,
    /// What is run. It has no schedule.
    pub case: Plan,
}

/// After how many schedules the failure was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// It was met by the last of so many.
    After(u64),
    /// None of [`LIMIT`] met it.
    Never,
}

/// Finds a failure of the bug of which `plan` is the scenario, the file `from`, under `master`, and
/// shrinks it for at most `time`. None if there is none to be had, or it was interrupted before.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn sought(
    (plan, from): (&Plan, &str),
    master: u64,
    time: Duration,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Sought>, NoGround> {
    let catch = hunt::catch((plan, from), master, interrupted)?;
    let Some(Catch::Case(case, failure)) = catch else { return Ok(None) };
    let limits = Limits { time, runs: None, interrupted, parallel: false };
    let Some(found) = shrunk(&case, failure, master, limits)? else { return Ok(None) };
    let stands_still = |strike: &Strike| matches!(strike, Strike::Delay(..));
    if !found.case.strikes.iter().any(stands_still) {
        return Ok(Some(found));
    }
    let mut moving = found.clone();
    moving.case.strikes.retain(|strike| !stands_still(strike));
    Ok(Some(again(&moving, limits)?.unwrap_or(found)))
}

fn shrunk(
    case: &Plan,
    failure: Failure,
    master: u64,
    limits: Limits<'_>,
) -> Result<Option<Sought>, NoGround> {
    let shrunk = match shrink::shrink(case, &failure, limits, &mut |_, _| {}) {
        Ok(shrunk) => shrunk,
        Err(Refused::NoGround(error)) => return Err(error),
        Err(
            Refused::FailsOtherwise(_)
            | Refused::OutOfTime(_)
            | Refused::Interrupted(_)
            | Refused::NotDeterministic,
        ) => return Ok(None),
    };
    let depth = u32::try_from(shrunk.after.preemptions).unwrap_or(u32::MAX).saturating_add(1);
    let case = Plan { schedule: None, ..shrunk.case };
    Ok(Some(Sought { master, failure, depth, case }))
}

/// The failure of `sought` under some schedule of its case, shrunk. None if none of them is found.
fn again(sought: &Sought, limits: Limits<'_>) -> Result<Option<Sought>, NoGround> {
    let plan = Plan { strategy: StrategyPlan::Mix, ..sought.case.clone() };
    let Some(Met::After(nth)) = schedules(sought, StrategyPlan::Mix, limits.interrupted)? else {
        return Ok(None);
    };
    let seed = Seed(sought.master).nth(nth);
    let storm = run(&plan, seed, true, limits.interrupted)?;
    let Some(recording) = storm.recording else { return Ok(None) };
    shrunk(&case::of(&plan, seed, &recording), sought.failure.clone(), sought.master, limits)
}

/// The schedules that the contender of that name tries until it meets the failure of `sought`. None
/// if it was interrupted before.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn tried(
    sought: &Sought,
    contender: &str,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Met>, NoGround> {
    let strategy = match contender {
        "random" => StrategyPlan::Random,
        "pct" => StrategyPlan::Pct { depth: None },
        "at depth" => StrategyPlan::Pct { depth: Some(sought.depth) },
        "pos" => StrategyPlan::Pos,
        "surw" => StrategyPlan::Surw,
        _ => StrategyPlan::Mix,
    };
    schedules(sought, strategy, interrupted)
}

fn schedules(
    sought: &Sought,
    strategy: StrategyPlan,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Met>, NoGround> {
    let plan = Plan { strategy, schedule: None, ..sought.case.clone() };
    for nth in 1..=LIMIT {
        let storm = run(&plan, Seed(sought.master).nth(nth), false, interrupted)?;
        if interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if Failure::of(&storm).as_ref() == Some(&sought.failure) {
            return Ok(Some(Met::After(nth)));
        }
    }
    Ok(Some(Met::Never))
}

fn run(
    plan: &Plan,
    seed: Seed,
    record: bool,
    interrupted: &Arc<AtomicBool>,
) -> Result<Storm, NoGround> {
    storm::run(Orders { plan, seed, record, judged: true, look: Look::default(), interrupted })
}
