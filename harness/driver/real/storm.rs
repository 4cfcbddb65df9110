//! One storm on a real filesystem: threads, to the end, and then what lies on the device.

use super::Real;
use super::hands::Hands;
use super::lead::Lead;
use super::whereabouts::Whereabouts;
use crate::in_order::InOrder;
use crate::incidents::Incidents;
use crate::memory::Memory;
use crate::misfortune::Misfortune;
use crate::stage::Stage;
use crate::storm::{self, Orders, PATIENCE, Storm};
use crate::tally::{Fault, Tally};
use crate::target::Target;
use mounted::Refusal;
use oracle::progress;
use report::record::Clock;
use sim::{End, Failure, Outcome, World};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Runs it. Operations are added to `live` as they end, some at a time.
///
/// # Errors
///
/// What was to be given to a write could not be, or the image had no room for what was written: then
/// nothing is known of the filesystem.
pub fn run(orders: Orders<'_>, mut real: Real, live: &Arc<AtomicU64>) -> Result<Storm, Refusal> {
    let Orders { plan, seed, .. } = orders;
    let oracle = Arc::clone(&real.oracle);
    let incidents = Arc::new(Incidents::new(plan));
    real.incidents = Some(Arc::clone(&incidents));
    let real = Arc::new(real);
    let misfortune = Misfortune::new(plan, seed.faults());
    let interrupted = Arc::clone(orders.interrupted);
    let target: Arc<dyn Target> = Arc::<Real>::clone(&real);
    let mut stage = Stage::new(plan, (target, misfortune), incidents, Clock::Wall, interrupted);
    stage.live = Arc::clone(live);
    stage.memory = Some(Memory::new(storm::actors(plan)));
    stage.led = (!plan.script.is_empty()).then(|| (Arc::clone(&real), plan.script.clone()));
    stage.order = InOrder::of(plan);
    let whereabouts = Arc::new(Whereabouts::default());
    stage.whereabouts = Some(Arc::clone(&whereabouts));
    let stage = Arc::new(stage);
    let mut world = World::threads(PATIENCE);
    storm::spawn(&mut world, &stage, (plan, seed));
    let end = world.run();
    // None of this filesystem's code is among the tasks.
    let harness_failed = match &end.outcome {
        Outcome::Failed(failure @ Failure::Panicked { .. }) => Some(failure.to_string()),
        Outcome::Failed(_) | Outcome::Finished => None,
    };
    let verdict = progress::progress_is_made(oracle.checks(), &end.outcome);
    oracle.judge_overall(verdict.map_err(|breach| whereabouts.explained(breach, &end.outcome)));
    let tally = counted(&stage, &end, &real);
    let acted = *stage.acted.lock();
    let last_calls = stage.memory.as_ref().map(Memory::last).unwrap_or_default();
    drop(stage);
    let followed = std::mem::take(&mut *real.followed.lock());
    let failed = real.lead.as_ref().and_then(Lead::failed).or_else(|| real.lost());
    let failed = failed.or_else(|| real.unprepared.get().cloned());
    let backing = real.host.volume.backing().cloned();
    // A task that has hung keeps the filesystem: then nobody can look at what lies below it.
    if let Some(real) = Arc::into_inner(real) {
        if harness_failed.is_some() {
            real.abandon();
        } else {
            real.conclude();
        }
    }
    if let Some(backing) = backing.as_ref().filter(|_| oracle.violation().is_some()) {
        // Bytes that could not be written back are missed long after the call that wrote them.
        backing.look();
    }
    // A bug of ours is told first, and what was found until then.
    let refusal = failed.or_else(|| backing?.refusal());
    if let Some(refusal) = refusal.filter(|_| harness_failed.is_none()) {
        return Err(refusal);
    }
    Ok(Storm {
        violation: oracle.violation(),
        harness_failed,
        tally: Tally { invariants: oracle.checks().counts().into_iter().collect(), ..tally },
        end,
        strategy: None,
        model: None,
        acted,
        misfire: None,
        followed,
        step: None,
        last_calls,
        recording: None,
        drifts: Vec::new(),
    })
}

impl Real {
    /// Why nothing is known of what calls through mappings did, if that is so.
    fn lost(&self) -> Option<Refusal> {
        let lost = self.hands.iter().any(Hands::are_lost);
        let came = "somebody has killed it, perhaps for want of memory";
        let advice = "see dmesg; give it more memory, or leave out `mm: own`";
        lost.then(|| Refusal::told("a process for what an actor maps", came, advice))
    }
}

fn counted(stage: &Stage, end: &End, real: &Real) -> Tally {
    let mut tally = stage.tally();
    tally.seeds = 1;
    tally.scheduling_points = end.points;
    tally.switches = end.switches;
    tally.verified = real.oracle.verified();
    tally.passed_over = real.oracle.passed_over();
    let struck = real.struck();
    let counts = [
        (Fault::ReadError, struck.read_error),
        (Fault::WriteError, struck.write_error),
        (Fault::Latency, struck.spike),
    ];
    for ((fault, count), ppm) in counts.into_iter().zip(real.failing.chances_ppm()) {
        tally.fault(fault, count.armed, count.fired);
        tally.due(fault, count.armed.saturating_mul(u64::from(ppm)));
    }
    if let Some(pressed) = &real.pressure {
        let came = pressed.came();
        tally.fault(Fault::MemoryPressure, came, came);
        tally.memory.extend(pressed.told());
    }
    tally.unconfirmed = std::mem::take(&mut *real.unconfirmed.lock());
    let leeways = real.oracle.leeways_used().into_iter();
    tally.leeways = leeways.map(|(leeway, times)| (leeway.name(), times)).collect();
    tally
}

#[cfg(test)]
mod tests {
    use super::super::Host;
    use super::*;
    use crate::exit::Exit;
    use crate::onlooker::Look;
    use crate::scenario::plan::Plan;
    use crate::scenario::{Known, parse};
    use mounted::{Ability, Venue};
    use nix::errno::Errno;
    use sim::chance::Seed;
    use std::sync::atomic::AtomicBool;
    use stormfs::op::OpKind;

    fn orders<'a>(plan: &'a Plan, interrupted: &'a Arc<AtomicBool>) -> Orders<'a> {
        let (seed, look) = (Seed(1), Look::default());
        Orders { plan, seed, record: false, judged: true, look, interrupted }
    }

    #[test]
    fn a_write_that_was_not_given_its_bytes_is_no_violation_but_the_end() {
        let text = "\
world: threads
target: {directory: /not/used}
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: W, does: [write: {at: 0, size: 8KiB}]}]
script: [run W until done]
";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let real = Real::open(&plan, &Venue::Directory(dir.path().to_owned())).unwrap();
        real.lead.as_ref().unwrap().noted::<()>(Err(Errno::ENOMEM));
        let came = run(orders(&plan, &Arc::default()), real, &Arc::default());
        let Err(refusal) = came else { panic!("nothing is known") };
        assert_eq!(refusal.came, "ENOMEM, Out of memory");
    }

    #[test]
    fn an_actor_whose_memory_was_taken_away_is_no_violation_but_the_end() {
        let text = "\
world: threads
target: {directory: /not/used, mm: own}
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: m, count: 2, does: [mmap_store: {at: 0, size: 8KiB}]}]
";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let real = Real::open(&plan, &Venue::Directory(dir.path().to_owned())).unwrap();
        real.hands[2].kill();
        let came = run(orders(&plan, &Arc::default()), real, &Arc::default());
        let Err(refusal) = came else { panic!("nothing is known") };
        assert_eq!(refusal.tried, "a process for what an actor maps");
    }

    #[test]
    fn what_panics_in_the_harness_is_no_violation() {
        let text = "\
world: threads
target: {directory: /not/used}
actors: [{name: W, does: [fsync]}]
script: [run W until done]
";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut real = Real::open(&plan, &Venue::Directory(dir.path().to_owned())).unwrap();
        real.lead.as_mut().unwrap().actors.clear();
        let storm = run(orders(&plan, &Arc::default()), real, &Arc::default()).unwrap();
        assert_eq!(storm.violation, None);
        let panicked = storm.harness_failed.clone().expect("nobody leads whom it asks for");
        assert!(panicked.contains(" panicked at "), "{panicked}");
        let Err(failed) = storm.or_failed() else { panic!("nothing is known") };
        assert_eq!(failed.exit(), Exit::Harness);
        let words = format!("the harness itself failed: {panicked}: this is a bug of pagestorm");
        assert_eq!(failed.to_string(), words);
    }

    #[test]
    fn a_filesystem_without_mappings_does_the_rest() {
        let text = "\
world: threads
ops: 200
target: {directory: /not/used}
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: one, ops: {write: 2, evict: 1, mmap_store: 1, mmap_load: 1, msync: 1}}]
";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut host = Host::open(&Venue::Directory(dir.path().to_owned())).unwrap();
        let abilities = &mut Arc::get_mut(&mut host).unwrap().abilities;
        abilities.missing.insert(Ability::Mmap, Errno::ENODEV);
        let real = Real::on(&plan, host).unwrap();
        assert_eq!(real.mappings(0).count(), 0);
        let storm = run(orders(&plan, &Arc::default()), real, &Arc::default()).unwrap();
        assert!(storm.violation.is_none(), "{:?}", storm.violation);
        let left = &storm.tally.left_out;
        let kinds: Vec<_> = left.keys().copied().collect();
        assert_eq!(kinds, [OpKind::MmapLoad, OpKind::MmapStore, OpKind::Msync]);
        assert!(left.values().all(|(count, why)| 0 < *count && why == "ENODEV"), "{left:?}");
        assert_eq!(storm.tally.total_operations(), 200);
    }
}
