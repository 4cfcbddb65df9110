//! A hunt: the scenario of one bug under one master seed, seed by seed, until something is found.

use crate::campaign::{self, Campaign, Found, Mission};
use crate::clock::ThreadTime;
use crate::failure::Failure;
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::progress::Progress;
use crate::reproducer;
use crate::scenario::plan::{Plan, WorldKind};
use crate::storm::{self, Orders};
use crate::verdict;
use report::record::VerdictKind;
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How one hunt ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The master seed.
    pub master: u64,
    /// How it ended.
    pub kind: VerdictKind,
    /// The invariant that spoke.
    pub invariant: Option<&'static str>,
    /// The seed under which it did.
    pub at: Option<Seed>,
    /// Seeds that ran, with that of the first find.
    pub seeds: u64,
    /// Answers of the filesystem that differed from the correct one's, in all of them.
    pub deviations: u64,
    /// Processor time that they took.
    pub time: Duration,
}

/// Hunts the bug of which `plan` is the scenario, under `master`. None if it was interrupted before
/// something was found.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn hunt(
    plan: &Plan,
    master: u64,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Ended>, NoGround> {
    if interrupted.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let plan = Plan { seed: master, ..plan.clone() };
    let progress = Progress::default();
    let mission = Mission { plan: &plan, interrupted, progress: &progress, fail_fast: true };
    let watch = ThreadTime::start();
    let mut campaign = Campaign::new(WorldKind::Simulated);
    for nth in 0..plan.seeds {
        let storm = campaign::nth(mission, nth)?;
        if interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        campaign.tally.add(&storm.tally);
        if let Some(violation) = storm.violation {
            let seed = Seed(master).nth(nth);
            let (step, strategy, details) = (storm.end.points, storm.strategy, Vec::new());
            campaign.found = Some(Found {
                seed,
                violation,
                strategy,
                step,
                details,
                case: None,
                kept: None,
                again: None,
                story: None,
            });
            break;
        }
    }
    Ok(Some(Ended {
        master,
        kind: verdict::verdict(&plan, &campaign, false).kind,
        at: campaign.found.as_ref().map(|found| found.seed),
        invariant: campaign.found.map(|found| found.violation.invariant),
        seeds: campaign.tally.seeds,
        deviations: campaign.tally.deviations,
        time: watch.used(),
    }))
}

/// What a hunt brings home.
pub enum Catch {
    /// Nothing was found under this master seed.
    Nothing,
    /// The case of the failing storm does not fail.
    NoCase,
    /// A case, and how it fails.
    Case(Box<Plan>, Failure),
}

/// Hunts the bug of which `plan` is the scenario, the file `from`, and makes the case of what is
/// found. None if it was interrupted before.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn catch(
    (plan, from): (&Plan, &str),
    master: u64,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Catch>, NoGround> {
    let Some(ended) = hunt(plan, master, interrupted)? else { return Ok(None) };
    let Some(seed) = ended.at else { return Ok(Some(Catch::Nothing)) };
    let look = Look::default();
    let storm = storm::run(Orders { plan, seed, record: true, judged: true, look, interrupted })?;
    let Some(failure) = Failure::of(&storm) else { return Ok(Some(Catch::Nothing)) };
    let case = reproducer::of((plan, from), seed, &storm, interrupted)?;
    Ok(Some(case.map_or(Catch::NoCase, |found| Catch::Case(Box::new(found.case), failure))))
}
