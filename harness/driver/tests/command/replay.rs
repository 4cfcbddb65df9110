//! Replaying reproducers: the same again, drifts where they stand, and hostile files.

use crate::stand::{Stand, project};
use driver::onlooker::Look;
use driver::scenario::plan::Plan;
use driver::storm::{Orders, run};
use driver::{reproducer, scenario, vocabulary};
use sim::chance::Seed;
use std::sync::Arc;

/// Seeds that are tried until one fails.
const SEEDS: u64 = 400;

/// The reproducer of the first failing seed of a scenario, as it is before anybody makes it smaller.
fn reproducer(path: &str) -> String {
    let plan = scenario::load(&project(path), &vocabulary::known(), &[]).unwrap();
    let interrupted = Arc::default();
    let storm = |seed| {
        let look = Look::default();
        let interrupted = &interrupted;
        run(Orders { plan: &plan, seed, length: 5000, record: true, judged: true, look, interrupted })
    };
    for nth in 0..SEEDS {
        let seed = Seed(plan.seed).nth(nth);
        let storm = storm(seed).unwrap();
        let found = reproducer::of((&plan, path), seed, &storm, &interrupted).unwrap();
        if let Some(found) = found {
            return scenario::write(&found.case);
        }
    }
    panic!("no seed of {path} fails");
}

fn plan(text: &str) -> Plan {
    scenario::parse("a.yaml", text, &vocabulary::known(), &[]).unwrap()
}

#[test]
fn dump() {
    for name in ["stale-iomap-write", "zero-bumps-isize"] {
        let text = reproducer(&format!("scenarios/bugs/{name}.yaml"));
        std::fs::write(format!("/tmp/repro-{name}.yaml"), text).unwrap();
    }
}
