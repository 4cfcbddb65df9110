//! A campaign: one plan, all of its seeds.
//!
//! The result is that of running the seeds one after the other up to the one that ends the run,
//! however many threads share the work: seeds run in batches, and what a seed beyond that one did is
//! left out. Where nothing is expected to fail, a run goes on after a failure, so that a night finds
//! whatever else there is to find; where something is expected to be caught, it is over once it is.

use crate::clock::Stopwatch;
use crate::exploration::{self, Tried};
use crate::ground::{Ground, NoGround};
use crate::onlooker::Look;
use crate::progress::Progress;
use crate::real::script::Followed;
use crate::reproducer::{self, Kept};
use crate::scenario::plan::{Expectation, Plan, WorldKind};
use crate::script::Misfire;
use crate::storm::{self, Orders, Storm};
use crate::tally::Tally;
use oracle::Violation;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use report::record::{Again, Clock, Story};
use sim::chance::Seed;
use sim::schedule::Schedule;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Seeds in a batch. It bounds the memory that waiting tallies take, and nothing else.
const BATCH: u64 = 64;

/// Seeds in a batch where a clock ends the run: it looks at the clock between two batches.
const TIMED_BATCH: u64 = 16;

/// Lines of a schedule that are kept as evidence.
const SCHEDULE_LINES: usize = 200;

/// Failures of different invariants that are collected before a run ends.
const FAILURES: usize = 8;

/// What is to be run.
#[derive(Clone, Copy)]
pub struct Mission<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Raised from outside to end early.
    pub interrupted: &'a Arc<AtomicBool>,
    /// Counts what is done.
    pub progress: &'a Progress,
    /// Whether the first seed that fails ends the run, whatever is expected.
    pub fail_fast: bool,
}

impl Mission<'_> {
    /// Failures after which the run is over.
    fn most_failures(self) -> usize {
        let goes_on = self.plan.expect == Expectation::Clean && !self.fail_fast;
        if goes_on { FAILURES } else { 1 }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Campaign {
    /// Everything that happened, added up.
    pub tally: Tally,
    /// What the oracle found, under the first seed under which it found something.
    pub found: Option<Found>,
    /// What it found later, of each other invariant under the first seed of that.
    pub others: Vec<Found>,
    /// Whether the time of the plan was up before its seeds were.
    pub timed_out: bool,
    /// The step of the script that could not be performed, if the oracle found nothing before.
    pub misfire: Option<Misfire>,
    /// The steps of the script, if that led actors on a real filesystem.
    pub followed: Vec<Followed>,
    /// What panicked in the harness, and where, beside a filesystem that it has not written.
    pub harness_failed: Option<String>,
    /// False if one of those seeds, run again, did not do the same.
    pub deterministic: bool,
    /// How much was tried out, if everything was to be.
    pub tried: Option<Tried>,
}

/// A violation, and how it came about.
#[derive(Debug)]
pub struct Found {
    /// The seed of the storm.
    pub seed: Seed,
    /// What was violated.
    pub violation: Violation,
    /// The strategy that decided who went on, if one did.
    pub strategy: Option<String>,
    /// Scheduling points that the storm passed until it was stopped; 0 if threads ran.
    pub step: u64,
    /// The schedule that led there, as far as it was recorded: one line each.
    pub details: Vec<String>,
    /// Its case, if there is one that ends with the same violation; of threads, what they did last.
    pub case: Option<Box<Plan>>,
    /// The file that holds it, once there is one.
    pub kept: Option<Kept>,
    /// How its case failed when it was run again, where that is a matter of how often.
    pub again: Option<Again>,
    /// Why it fails, once it was explained.
    pub story: Option<Box<Story>>,
}

impl Campaign {
    /// Nothing has run.
    pub fn new(world: WorldKind) -> Campaign {
        let clock = match world {
            WorldKind::Simulated => Clock::Steps,
            WorldKind::Threads => Clock::Wall,
        };
        Campaign {
            tally: Tally::new(clock),
            found: None,
            others: Vec::new(),
            timed_out: false,
            misfire: None,
            followed: Vec::new(),
            harness_failed: None,
            deterministic: true,
            tried: None,
        }
    }
}

/// Runs the plan, in the simulated world on the threads of the current rayon pool. `ground` is
/// where a storm of threads runs; a simulation makes its own for each seed.
///
/// # Errors
///
/// A device of a later seed could not be opened.
pub fn run(mission: Mission<'_>, ground: Ground) -> Result<Campaign, NoGround> {
    match mission.plan.world {
        WorldKind::Threads => on_threads(mission, ground),
        WorldKind::Simulated => {
            drop(ground);
            match mission.plan.exhaustive() {
                Some(bounds) => exploration::run(mission, bounds),
                None => simulated(mission),
            }
        }
    }
}

fn on_threads(mission: Mission<'_>, ground: Ground) -> Result<Campaign, NoGround> {
    let seed = Seed(mission.plan.seed);
    let (orders, live) = (orders(mission, seed), &mission.progress.operations);
    let mut storm = storm::run_on(orders, ground, live)?;
    let mut campaign = Campaign::new(WorldKind::Threads);
    campaign.followed = std::mem::take(&mut storm.followed);
    campaign.harness_failed = storm.harness_failed.take();
    let plan = mission.plan;
    let case = reproducer::of_threads((plan, &plan.name), seed, &storm).map(Box::new);
    let ran = Ran::of(storm, mission.progress);
    campaign.tally.add(&ran.tally);
    let step = |violation: &Violation| violation.operation.map_or(0, |operation| operation.number);
    campaign.found = ran.violation.map(|violation| Found {
        seed,
        step: step(&violation),
        violation,
        strategy: None,
        details: Vec::new(),
        case,
        kept: None,
        again: None,
        story: None,
    });
    Ok(campaign)
}

fn simulated(mission: Mission<'_>) -> Result<Campaign, NoGround> {
    let plan = mission.plan;
    let watch = Stopwatch::start();
    let mut campaign = Campaign::new(WorldKind::Simulated);
    let mut next = 0;
    while next < plan.seeds && !is_over(mission, &campaign) && !campaign.timed_out {
        let size = if plan.time.is_some() { TIMED_BATCH } else { BATCH };
        let end = plan.seeds.min(next + size);
        for (n, ran) in batch(mission, next..end)? {
            count(mission, n, ran, &mut campaign)?;
            if is_over(mission, &campaign) {
                break;
            }
        }
        next = end;
        let is_up = plan.time.is_some_and(|time| time <= watch.elapsed());
        campaign.timed_out = is_up && next < plan.seeds && !is_over(mission, &campaign);
    }
    Ok(campaign)
}

fn is_over(mission: Mission<'_>, campaign: &Campaign) -> bool {
    let failures = usize::from(campaign.found.is_some()) + campaign.others.len();
    mission.most_failures() <= failures || is_raised(mission)
}

/// Adds what the `n`-th seed did.
fn count(mission: Mission<'_>, n: u64, ran: Ran, campaign: &mut Campaign) -> Result<(), NoGround> {
    campaign.tally.add(&ran.tally);
    let Some(violation) = ran.violation else {
        campaign.misfire = ran.misfire;
        return Ok(());
    };
    let mut known = campaign.found.iter().chain(&campaign.others);
    if known.any(|known| known.violation.invariant == violation.invariant) {
        return Ok(());
    }
    let seed = Seed(mission.plan.seed).nth(n);
    let details = followed(mission.plan, ran.script_step);
    let (strategy, step) = (ran.strategy, ran.step);
    let (case, kept, again, story) = (None, None, None, None);
    let mut found = Found { seed, violation, strategy, step, details, case, kept, again, story };
    campaign.deterministic &= confirm(mission, ran.trace_hash, &mut found)?;
    match campaign.found {
        None => campaign.found = Some(found),
        Some(_) => campaign.others.push(found),
    }
    Ok(())
}

/// What is kept of a storm until its turn to be counted.
struct Ran {
    tally: Tally,
    strategy: Option<String>,
    violation: Option<Violation>,
    step: u64,
    misfire: Option<Misfire>,
    script_step: Option<usize>,
    trace_hash: u64,
}

impl Ran {
    fn of(storm: Storm, progress: &Progress) -> Ran {
        let Storm { end, strategy, violation, tally, misfire, step: script_step, .. } = storm;
        progress.seeds.fetch_add(1, Ordering::Relaxed);
        progress.violations.fetch_add(u64::from(violation.is_some()), Ordering::Relaxed);
        let (step, trace_hash) = (end.points, end.trace_hash);
        Ran { tally, strategy, violation, step, misfire, script_step, trace_hash }
    }
}

/// Runs some seeds, and gives them in their order. Where one failure ends the run, none beyond a
/// failing one needs to run.
fn batch(mission: Mission<'_>, seeds: std::ops::Range<u64>) -> Result<Vec<(u64, Ran)>, NoGround> {
    let failing = AtomicU64::new(u64::MAX);
    let one = |n| {
        if failing.load(Ordering::Relaxed) < n || is_raised(mission) {
            return Ok(None);
        }
        let storm = nth(mission, n)?;
        let ran = Ran::of(storm, mission.progress);
        if ran.violation.is_some() && mission.most_failures() == 1 {
            failing.fetch_min(n, Ordering::Relaxed);
        }
        Ok(Some((n, ran)))
    };
    let ran: Vec<_> = seeds.into_par_iter().map(one).collect::<Result<_, _>>()?;
    Ok(ran.into_iter().flatten().collect())
}

/// Runs one seed of the plan, in the simulated world.
///
/// # Errors
///
/// The device could not be opened.
pub fn nth(mission: Mission<'_>, n: u64) -> Result<Storm, NoGround> {
    let seed = Seed(mission.plan.seed).nth(n);
    let orders = orders(mission, seed);
    storm::run_on(orders, Ground::of(orders)?, &mission.progress.operations)
}

/// Runs the failing seed again, keeps its schedule and its case, and says whether it did the same.
fn confirm(mission: Mission<'_>, trace_hash: u64, found: &mut Found) -> Result<bool, NoGround> {
    // A seed that was cut short has no second run that is cut at the same place.
    if is_raised(mission) {
        return Ok(true);
    }
    let orders = Orders { record: true, ..orders(mission, found.seed) };
    let again = storm::run(orders)?;
    if is_raised(mission) {
        return Ok(true);
    }
    if mission.plan.script.is_empty() {
        found.details.extend(deviations(&again.end.schedule));
    }
    let plan = mission.plan;
    let case = reproducer::of((plan, &plan.name), found.seed, &again, mission.interrupted)?;
    found.case = case.map(|reproducer| Box::new(reproducer.case));
    let same_violation = again.violation.as_ref() == Some(&found.violation);
    Ok(same_violation && again.end.trace_hash == trace_hash)
}

/// A script as evidence: its steps, and which of them was running.
fn followed(plan: &Plan, running: Option<usize>) -> Vec<String> {
    if plan.script.is_empty() {
        return Vec::new();
    }
    let when = match running {
        Some(step) => format!("step {step} of the script was running:"),
        None => "the script had ended, and all actors were let go:".to_owned(),
    };
    let steps = (1..).zip(&plan.script).map(|(number, step)| {
        let mark = if running == Some(number) { ">" } else { " " };
        format!("{mark} {number}. {}", step.text)
    });
    std::iter::once(when).chain(steps).collect()
}

/// A schedule as evidence.
pub(crate) fn deviations(schedule: &Schedule) -> Vec<String> {
    let lines = storm::schedule_lines(schedule);
    let shown = lines.len().min(SCHEDULE_LINES);
    let count = lines.len();
    let heading = format!("the schedule left the default rule {count} times; the first {shown}:");
    std::iter::once(heading).chain(lines.into_iter().take(SCHEDULE_LINES)).collect()
}

fn orders(mission: Mission<'_>, seed: Seed) -> Orders<'_> {
    let Mission { plan, interrupted, .. } = mission;
    Orders { plan, seed, record: false, judged: true, look: Look::default(), interrupted }
}

fn is_raised(mission: Mission<'_>) -> bool {
    mission.interrupted.load(Ordering::Relaxed)
}
