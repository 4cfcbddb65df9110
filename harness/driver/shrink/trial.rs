//! One run of a case: whether it fails, and what it did.

use crate::failure::Failure;
use crate::following::Following;
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::recording::Recording;
use crate::scenario::plan::{Plan, Recorded};
use crate::shrink::weight::Weight;
use crate::storm::{self, Orders, Storm};
use sim::chance::Seed;
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A case that fails, as it ran.
#[derive(Debug, Clone)]
pub(super) struct Fails {
    /// The case without what was not reached: its schedule is the one that was followed.
    pub(super) case: Plan,
    /// How.
    pub(super) failure: Failure,
    pub(super) weight: Weight,
    /// The actors of its calls, in the order in which the calls began.
    pub(super) began: Vec<usize>,
    pub(super) trace_hash: u64,
    /// Scheduling points that it passed.
    pub(super) points: u64,
    /// How often somebody had to say who goes on.
    pub(super) decisions: u64,
}

/// Runs `case` by its own schedule, or under `strategy`. `None` if it does not fail.
pub(super) fn run(
    case: &Plan,
    strategy: Option<Box<dyn Strategy>>,
) -> Result<Option<Fails>, NoGround> {
    // A run is over in no time, and one that is cut short says nothing.
    let interrupted = &Arc::default();
    let orders = Orders {
        plan: case,
        seed: Seed(0),
        record: true,
        judged: true,
        look: Look::default(),
        interrupted,
    };
    let inner = strategy.unwrap_or_else(|| Box::new(Following::new(case)));
    let preemptions = Arc::new(AtomicUsize::new(0));
    let counted = Counted { inner, preemptions: Arc::clone(&preemptions) };
    let storm = storm::run_under(orders, Box::new(counted))?;
    let failure = Failure::of(&storm);
    let Storm { end, recording, .. } = storm;
    let fails = failure.zip(recording).map(|(failure, mut recording)| {
        let began = std::mem::take(&mut recording.began);
        let case = followed(case, recording);
        let weight = Weight::of(&case, preemptions.load(Ordering::Relaxed));
        let (trace_hash, points) = (end.trace_hash, end.points);
        let recorded = case.recorded.clone();
        let recorded = recorded.map(|recorded| Recorded { trace_hash, points, ..recorded });
        let case = Plan { recorded, ..case };
        Fails { case, failure, weight, began, trace_hash, points, decisions: end.profile.decisions }
    });
    Ok(fails)
}

/// `case` without the calls, strikes and switches that its run did not reach. An actor that began
/// nothing keeps its first call: to be there changes who is woken when.
fn followed(case: &Plan, recording: Recording) -> Plan {
    let mut followed = case.clone();
    for (actor, calls) in followed.actors.iter_mut().zip(recording.calls) {
        if calls.is_empty() {
            actor.does.truncate(1);
        } else {
            actor.does = calls;
        }
    }
    followed.strikes = recording.strikes;
    followed.schedule = Some(recording.switches);
    followed
}

/// Counts the switches of a strategy away from tasks that could have gone on.
struct Counted {
    inner: Box<dyn Strategy>,
    preemptions: Arc<AtomicUsize>,
}

impl Strategy for Counted {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        let picked = self.inner.pick(decision, key);
        if decision.stays && picked != decision.current {
            self.preemptions.fetch_add(1, Ordering::Relaxed);
        }
        picked
    }

    fn choose(&mut self, options: u32) -> u32 {
        self.inner.choose(options)
    }

    fn explore(&mut self, on: bool) {
        self.inner.explore(on);
    }

    fn demote(&mut self, task: usize) {
        self.inner.demote(task);
    }
}
