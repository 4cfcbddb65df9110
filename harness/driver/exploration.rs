//! Trying everything out: of a plan whose actors have lists, every schedule within bounds, and every
//! fault that the plan names at every place where it can strike, for every combination of what
//! varies.
//!
//! Who goes on is explored from the opening of the gate until the actors are done. The conductor is
//! no alternative: it looks whether all are done, and waits again. The result is the same on any
//! number of threads.

use crate::onlooker::Look;
use crate::scenario::plan::{ExhaustivePlan, Plan};
use crate::storm::{self, Orders, Storm};
use crate::tally::Tally;
use block::OpenError;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use report::record::Clock;
use sim::chance::Seed;
use sim::strategy::exhaustive::{Alternatives, Bounds, Coverage, Explorer, Walk};
use sim::strategy::{Candidates, Decision};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What came of exploring one combination.
#[derive(Debug)]
pub struct Explored {
    /// Everything that happened, added up, up to the first failing run.
    pub tally: Tally,
    /// The first failing run.
    pub failed: Option<Walk>,
    /// How much was explored.
    pub coverage: Coverage,
}

/// Explores `plan`, which varies nothing, on the threads of the current rayon pool.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn explore(
    plan: &Plan,
    bounds: ExhaustivePlan,
    (interrupted, done): (&Arc<AtomicBool>, &AtomicU64),
) -> Result<Explored, OpenError> {
    let mut explorer = Explorer::new(self::bounds(bounds));
    let mut tally = Tally::new(Clock::Steps);
    loop {
        let walks = explorer.batch();
        if walks.is_empty() || interrupted.load(Ordering::Relaxed) {
            return Ok(Explored { tally, failed: None, coverage: explorer.coverage() });
        }
        let run = |walk: Walk| {
            let storm = run(plan, &walk, false, interrupted)?;
            done.fetch_add(1, Ordering::Relaxed);
            Ok((walk, storm.tally, storm.violation.is_some()))
        };
        for ran in walks.into_par_iter().map(run).collect::<Result<Vec<_>, OpenError>>()? {
            let (walk, tallied, failed) = ran;
            tally.add(&tallied);
            if failed {
                return Ok(Explored { tally, failed: Some(walk), coverage: explorer.coverage() });
            }
            explorer.learn(walk);
        }
    }
}

/// One run of an exploration of `plan`.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn run(
    plan: &Plan,
    walk: &Walk,
    record: bool,
    interrupted: &Arc<AtomicBool>,
) -> Result<Storm, OpenError> {
    let (seed, look) = (Seed(plan.seed), Look::default());
    let orders = Orders { plan, seed, length: 0, record, judged: true, look, interrupted };
    storm::walk(orders, walk)
}

fn bounds(plan: ExhaustivePlan) -> Bounds {
    let ExhaustivePlan { preemptions, faults, limit } = plan;
    let alternatives = Alternatives::of(others);
    Bounds { preemptions, faults, limit, alternatives, at_once: false }
}

/// Who may go on instead of the default.
fn others(decision: &Decision<'_>) -> Candidates {
    if decision.default == CONDUCTOR {
        return Candidates::NONE;
    }
    decision.candidates.only(|task| *task != CONDUCTOR)
}

const CONDUCTOR: usize = 0;
