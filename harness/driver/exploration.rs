//! Trying everything out: of a plan whose actors have lists, every schedule within bounds, and every
//! fault that the plan names at every place where it can strike, for every combination of what
//! varies.
//!
//! Who goes on is explored from the opening of the gate until the actors are done. The result is the
//! same on any number of threads.

use crate::campaign::{self, Campaign, Found, Mission};
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::reproducer;
use crate::scenario::plan::{ExhaustivePlan, Plan, WorldKind};
use crate::stage::CALL;
use crate::storm::{self, Orders, Storm};
use crate::tally::Tally;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sim::chance::Seed;
use sim::schedule::Key;
use sim::strategy::exhaustive::{Alternatives, Bounds, Coverage, Covered, Explorer, Walk};
use sim::strategy::{Candidates, Decision};
use std::sync::atomic::Ordering;

/// How much was tried out, over all combinations.
#[derive(Debug, Clone)]
pub struct Tried {
    /// How many combinations there are.
    pub combinations: u64,
    /// Whether every schedule of every combination was run.
    pub complete: bool,
    /// Schedules by what they cost.
    pub levels: Vec<Covered>,
    /// The plan of the combination that failed.
    pub failed: Option<Box<Plan>>,
}

impl Tried {
    /// Schedules that were run.
    pub fn schedules(&self) -> u64 {
        self.levels.iter().map(|level| level.runs).sum()
    }

    /// Adds what was tried of one combination. What lies beyond a level that is not complete is not
    /// complete either.
    fn add(&mut self, coverage: &Coverage) {
        for covered in &coverage.levels {
            let same = |level: &&mut Covered| level.cost() == covered.cost();
            match self.levels.iter_mut().find(same) {
                None => self.levels.push(*covered),
                Some(level) => {
                    level.runs += covered.runs;
                    level.about = level.about.saturating_add(covered.about);
                    level.complete &= covered.complete;
                }
            }
        }
        let rank = |level: &Covered| (level.preemptions + level.faults, level.preemptions);
        self.levels.sort_by_key(rank);
        let mut whole = true;
        for level in &mut self.levels {
            whole &= level.complete;
            level.complete = whole;
        }
    }
}

/// Tries out everything that the plan of `mission` has to try, on the threads of the current rayon
/// pool, up to the first run that fails: with as few preemptions and faults as any of its
/// combination.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn run(mission: Mission<'_>, bounds: ExhaustivePlan) -> Result<Campaign, NoGround> {
    let plans = mission.plan.variants();
    let combinations = u64::try_from(plans.len()).expect("a few thousand");
    let mut campaign = Campaign::new(WorldKind::Simulated);
    let mut tried = Tried { combinations, complete: true, levels: Vec::new(), failed: None };
    for plan in plans {
        let mission = Mission { plan, ..mission };
        let Explored { failed, coverage } = explore(mission, bounds, &mut campaign.tally)?;
        tried.add(&coverage);
        tried.complete &= coverage.is_complete() && failed.is_none();
        if let Some(failed) = failed {
            tried.complete = false;
            tried.failed = Some(Box::new(plan.clone()));
            confirm(mission, &failed, &mut campaign)?;
            break;
        }
        if is_interrupted(mission) {
            tried.complete = false;
            break;
        }
    }
    if !tried.complete && (tried.failed.is_some() || is_interrupted(mission)) {
        // Combinations that were not run have all of their schedules left.
        tried.levels.iter_mut().for_each(|level| level.complete = false);
    }
    campaign.tried = Some(tried);
    Ok(campaign)
}

/// What came of one combination.
struct Explored {
    /// The first run that failed.
    failed: Option<Failed>,
    coverage: Coverage,
}

struct Failed {
    walk: Walk,
    storm: Box<Storm>,
}

fn explore(
    mission: Mission<'_>,
    bounds: ExhaustivePlan,
    tally: &mut Tally,
) -> Result<Explored, NoGround> {
    let mut explorer = Explorer::new(self::bounds(bounds));
    loop {
        let walks = explorer.batch();
        if walks.is_empty() || is_interrupted(mission) {
            return Ok(Explored { failed: None, coverage: explorer.coverage() });
        }
        let run = |walk: Walk| {
            let storm = Box::new(one(mission, &walk, false)?);
            let progress = mission.progress;
            progress.seeds.fetch_add(1, Ordering::Relaxed);
            let operations = storm.tally.total_operations();
            progress.operations.fetch_add(operations, Ordering::Relaxed);
            let failed = storm.violation.is_some();
            let rest = if failed { Err(storm) } else { Ok(storm.tally) };
            Ok((walk, rest))
        };
        let ran: Vec<_> = walks.into_par_iter().map(run).collect::<Result<_, NoGround>>()?;
        if is_interrupted(mission) {
            // Runs that were cut short were not asked everything.
            return Ok(Explored { failed: None, coverage: explorer.coverage() });
        }
        for (walk, ran) in ran {
            match ran {
                Ok(counted) => tally.add(&counted),
                Err(storm) => {
                    tally.add(&storm.tally);
                    mission.progress.violations.fetch_add(1, Ordering::Relaxed);
                    let failed = Some(Failed { walk: walk.again(), storm });
                    explorer.learn(walk);
                    return Ok(Explored { failed, coverage: explorer.coverage() });
                }
            }
            explorer.learn(walk);
        }
    }
}

/// Runs the failing schedule again, keeps it, and compares.
fn confirm(mission: Mission<'_>, failed: &Failed, campaign: &mut Campaign) -> Result<(), NoGround> {
    let first = &failed.storm;
    let Some(violation) = first.violation.clone() else { return Ok(()) };
    let again = one(mission, &failed.walk, true)?;
    let same = again.violation == first.violation && again.end.trace_hash == first.end.trace_hash;
    campaign.deterministic = same || is_interrupted(mission);
    let from = (mission.plan, mission.plan.name.as_str());
    let seed = Seed(mission.plan.seed);
    let case = reproducer::of(from, seed, &again, mission.interrupted)?;
    campaign.found = Some(Found {
        seed,
        violation,
        strategy: None,
        step: first.end.points,
        details: campaign::deviations(&again.end.schedule),
        case: case.map(|reproducer| Box::new(reproducer.case)),
        kept: None,
        again: None,
        story: None,
    });
    Ok(())
}

fn one(mission: Mission<'_>, walk: &Walk, record: bool) -> Result<Storm, NoGround> {
    let Mission { plan, interrupted, .. } = mission;
    let (seed, look) = (Seed(plan.seed), Look::default());
    let orders = Orders { plan, seed, record, judged: true, look, interrupted };
    storm::run_under(orders, walk.strategy())
}

fn is_interrupted(mission: Mission<'_>) -> bool {
    mission.interrupted.load(Ordering::Relaxed)
}

fn bounds(plan: ExhaustivePlan) -> Bounds {
    let ExhaustivePlan { preemptions, faults, limit } = plan;
    let alternatives = Alternatives::of(others);
    Bounds { preemptions, faults, limit, alternatives, at_once: false }
}

/// Who may go on instead of the default.
///
/// Nobody where the conductor would: it waits again at once, and then the others are asked for. And
/// nobody where an actor has done nothing yet: whoever would go on there could have gone on before.
fn others(decision: &Decision<'_>, key: Key) -> Candidates {
    let begins = decision.site.name == CALL && key.operation == 1;
    if decision.default == CONDUCTOR || decision.stays && begins {
        return Candidates::NONE;
    }
    decision.candidates.only(|task| *task != CONDUCTOR)
}

const CONDUCTOR: usize = 0;
