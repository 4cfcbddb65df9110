//! Every scenario keeps its promise, in both worlds, and a simulated one is the same every time.

use driver::onlooker::Look;
use driver::scenario::load;
use driver::scenario::plan::{Expectation, Plan, WorldKind};
use driver::storm::{Orders, Storm, run};
use driver::vocabulary;
use sim::chance::Seed;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Seeds of each scenario that are run here; `pagestorm run` takes all of them.
const SEEDS: u64 = 12;

/// How long each scenario acts in the threads world here.
const BRIEFLY: Duration = Duration::from_millis(400);

fn plans() -> Vec<(PathBuf, Plan)> {
    plans_in("../../scenarios")
}

fn plans_in(folder: &str) -> Vec<(PathBuf, Plan)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut plans = Vec::new();
    for entry in std::fs::read_dir(folder).expect("scenarios are in the tree") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let plan =
                load(&path, &vocabulary::known(), &[]).unwrap_or_else(|report| panic!("{report}"));
            plans.push((path, plan));
        }
    }
    plans
}

fn storm(plan: &Plan, seed: u64) -> Storm {
    let interrupted = Arc::new(AtomicBool::new(false));
    run(Orders {
        plan,
        seed: Seed(plan.seed).nth(seed),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted: &interrupted,
    })
    .expect("`auto` always finds a device")
}

fn clean(path: &Path, seed: u64, storm: &Storm) {
    let told = storm.violation.as_ref().map(|found| format!("{found}\n{}", found.strip));
    assert_eq!(told, None, "{}, seed {seed}", path.display());
    assert_ne!(storm.tally.total_operations(), 0, "{}", path.display());
}

#[test]
fn there_are_at_least_ten_and_all_expect_a_clean_run() {
    let plans = plans();
    assert!(10 <= plans.len(), "{} scenarios", plans.len());
    for (path, plan) in plans {
        assert_eq!(plan.expect, Expectation::Clean, "{}", path.display());
        assert!(40 < plan.about.len(), "{} says too little about itself", path.display());
    }
}

#[test]
fn simulated_scenarios_are_clean_and_repeat_themselves() {
    for (path, plan) in plans() {
        for seed in 0..SEEDS {
            let mut plan = plan.under(Seed(plan.seed).nth(seed)).into_owned();
            if plan.world == WorldKind::Threads {
                (plan.world, plan.time, plan.ops) = (WorldKind::Simulated, None, Some(300));
            }
            let first = storm(&plan, seed);
            clean(&path, seed, &first);
            let again = storm(&plan, seed);
            let hashes = (first.end.trace_hash, again.end.trace_hash);
            assert_eq!(hashes.0, hashes.1, "{}, seed {seed}", path.display());
        }
    }
}

#[test]
fn scripts_are_followed_to_their_end_and_repeat_themselves() {
    let plans = plans_in("../../scenarios/scripts");
    assert!(!plans.is_empty());
    for (path, plan) in plans {
        assert!(!plan.script.is_empty(), "{} has no script", path.display());
        let (first, again) = (storm(&plan, 0), storm(&plan, 0));
        assert_eq!(first.misfire, None, "{}", path.display());
        clean(&path, 0, &first);
        assert_eq!(first.end.trace_hash, again.end.trace_hash, "{}", path.display());
    }
}

#[test]
fn every_scenario_can_be_taken_to_a_real_filesystem() {
    for target in ["kernel:xfs", "kernel:tmpfs", "/tmp"] {
        let overrides = driver::scenario::overrides_for(target).unwrap();
        for (path, own) in plans() {
            let plan = load(&path, &vocabulary::known(), &overrides);
            let plan = plan.unwrap_or_else(|report| panic!("{target}: {report}"));
            assert_eq!(plan.actors.len(), own.actors.len(), "{target}: {}", path.display());
        }
    }
}

#[test]
fn scenarios_are_clean_on_threads() {
    for (path, plan) in plans() {
        let mut plan = plan.under(Seed(plan.seed)).into_owned();
        (plan.world, plan.time, plan.ops) = (WorldKind::Threads, Some(BRIEFLY), None);
        clean(&path, 0, &storm(&plan, 0));
    }
}
