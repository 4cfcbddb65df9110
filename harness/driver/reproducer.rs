//! From a failing storm to a case that fails the same way every time, and says what it did.

use crate::case;
use crate::ground::NoGround;
use crate::memory::Made;
use crate::onlooker::Look;
use crate::scenario::plan::{
    ActorPlan, DeviceKind, DevicePlan, Expectation, FaultPlan, FilePlan, Layout, Plan, Recorded,
    StrategyPlan, TargetPlan, Turn, Unreadable, WorldKind,
};
use crate::search;
use crate::storm::{self, Orders, Storm};
use oracle::Violation;
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A case that was run.
#[derive(Debug, Clone)]
pub struct Reproducer {
    /// What is run; it expects the violation.
    pub case: Plan,
    /// What it ends with.
    pub violation: Violation,
}

/// A reproducer in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Equal for failures that probably have the same cause.
    pub signature: String,
    /// The file.
    pub path: String,
}

/// The case of `failed`, a recorded storm of `plan`, a scenario `from` somewhere, under `seed`.
/// `None` if that case does not end with the violation of the storm, or is interrupted.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn of(
    (plan, from): (&Plan, &str),
    seed: Seed,
    failed: &Storm,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Reproducer>, NoGround> {
    let (Some(recording), Some(violation)) = (&failed.recording, &failed.violation) else {
        return Ok(None);
    };
    let mut case = case::of(plan, seed, recording);
    let again = run(&case, interrupted)?;
    let same = again.violation.as_ref().filter(|found| found.invariant == violation.invariant);
    let Some(violation) = same.cloned() else { return Ok(None) };
    // A script's schedule also says what the default rule says anyway.
    if let Some(followed) = &again.recording {
        case.schedule = Some(followed.switches.clone());
    }
    stamp(&mut case, &again, (from, seed));
    Ok(Some(Reproducer { case, violation }))
}

/// What is left of a storm of threads that `failed`: its last calls, in which order they began and
/// ended, and the faults that strike by chance. `None` if it did not fail, or nobody acted.
pub fn of_threads((plan, from): (&Plan, &str), seed: Seed, failed: &Storm) -> Option<Plan> {
    let violation = failed.violation.as_ref()?;
    let made = &failed.last_calls;
    let drawn = plan.under(seed);
    let names = drawn.actors.iter().flat_map(|one| one.names().map(move |name| (name, one.pause)));
    let actor = |(number, (name, pause)): (usize, (String, Duration))| {
        let calls = made.iter().filter(|made| made.actor == number);
        ActorPlan::listed(name, calls.map(|made| made.call.clone()).collect(), pause)
    };
    let mut actors: Vec<_> = names.enumerate().map(actor).collect();
    case::name_apart(&mut actors);
    let acted = |actor: &ActorPlan| !actor.does.is_empty();
    let numbers: Vec<usize> = actors
        .iter()
        .scan(0, |next, actor| {
            let number = *next;
            *next += usize::from(acted(actor));
            Some(number)
        })
        .collect();
    let turn = |made: &Made| {
        let (actor, operation) = (numbers[made.actor], made.call.number);
        let begins = Turn { actor, operation, begins_on: Some(made.size) };
        let ends = Turn { actor, operation, begins_on: None };
        std::iter::once((made.began, begins)).chain(made.ended.map(|ended| (ended, ends)))
    };
    let mut order: Vec<_> = made.iter().flat_map(turn).collect();
    order.sort_by_key(|(at, _)| *at);
    let bug = match (&plan.expect, plan.bugs.as_slice()) {
        (Expectation::Caught { bug, .. }, _) => *bug,
        (Expectation::Clean, [only]) => Some(*only),
        (Expectation::Clean, _) => None,
    };
    let is_real = plan.target != TargetPlan::Model;
    let world = if is_real { WorldKind::Threads } else { WorldKind::Simulated };
    // What was left may begin in the middle, with files of which only the sizes are known.
    let layout = if is_real { Layout::Written } else { Layout::Any };
    let left = Plan {
        world,
        seed: 1,
        seeds: if is_real { 1 } else { 100 },
        ops: None,
        time: None,
        strategy: StrategyPlan::Mix,
        device: DevicePlan { kind: DeviceKind::Auto, ..drawn.device },
        files: drawn.files.iter().map(|file| FilePlan { layout, ..file.clone() }).collect(),
        actors: actors.into_iter().filter(acted).collect(),
        faults: drawn.faults.iter().copied().filter_map(beside_calls).collect(),
        expect: Expectation::Caught { by: violation.invariant.to_owned(), bug },
        recorded: Some(Recorded {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            from: from.to_owned(),
            seed: seed.0,
            trace_hash: 0,
            points: 0,
            order: order.into_iter().map(|(_, turn)| turn).collect(),
        }),
        drawn: Vec::new(),
        variations: None,
        dropped: Vec::new(),
        missing: Vec::new(),
        ..Plan::clone(&drawn)
    };
    (!left.actors.is_empty()).then(|| search::tail(&left, usize::MAX))
}

/// What is left of a fault: calls say for themselves whether it struck them, and where.
fn beside_calls(fault: FaultPlan) -> Option<FaultPlan> {
    match fault {
        FaultPlan::ShortCopy { by: Unreadable::Any, .. } | FaultPlan::AbandonedFault { .. } => None,
        // They do not say in which way.
        FaultPlan::ShortCopy { persistent_ppm, by, .. } => {
            Some(FaultPlan::ShortCopy { chance_ppm: 0, persistent_ppm, by })
        }
        FaultPlan::IoError { .. }
        | FaultPlan::Evict { .. }
        | FaultPlan::Delay { .. }
        | FaultPlan::Latency { .. } => Some(fault),
    }
}

/// Runs a case, and records what it does.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn run(case: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Storm, NoGround> {
    let seed = Seed(case.seed);
    storm::run(Orders {
        plan: case,
        seed,
        record: true,
        judged: true,
        look: Look::default(),
        interrupted,
    })
}

/// Lets a case say what its last run did, and where it comes from.
pub fn stamp(case: &mut Plan, ran: &Storm, (from, seed): (&str, Seed)) {
    if let Some(violation) = &ran.violation {
        let bug = match case.expect {
            Expectation::Caught { bug, .. } => bug,
            Expectation::Clean => None,
        };
        case.expect = Expectation::Caught { by: violation.invariant.to_owned(), bug };
    }
    case.recorded = Some(Recorded {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        from: from.to_owned(),
        seed: seed.0,
        trace_hash: ran.end.trace_hash,
        points: ran.end.points,
        order: Vec::new(),
    });
}
