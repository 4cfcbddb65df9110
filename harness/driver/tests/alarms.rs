//! The alarm rings for every wrong decision: each value of a decision that is not the correct one
//! has a scenario of its own, named `<decision>-<value>.yaml`, that catches it.

use driver::catalogue;
use driver::scenario::load;
use driver::scenario::plan::{Expectation, Plan};
use driver::storm::{Orders, Storm, run};
use driver::vocabulary;
use sim::chance::Seed;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::choices::{Choices, Decision};

/// Scheduling decisions that a seed is expected to make: only the strategy with priorities asks.
const LENGTH: u64 = 5000;

#[test]
fn each_wrong_decision_is_caught_by_its_invariant_and_the_right_one_by_none() {
    for (decision, value) in wrong_values() {
        let wrong = plan((decision, value), value);
        let Expectation::Caught { by, .. } = &wrong.expect else {
            panic!("{decision}: {value}: the scenario expects nothing");
        };
        let (seed, storm) = first_caught(&wrong);
        let violation = storm.violation.expect("it was caught");
        let about = format!("{decision}: {value}, seed {seed}: {violation}\n{}", violation.strip);
        assert_eq!(violation.invariant, by, "{about}");
        assert!(0 < storm.tally.deviations, "{about}");

        let right = plan((decision, value), correct(decision));
        for seed in 0..right.seeds {
            let storm = nth(&right, seed);
            assert_eq!(storm.violation, None, "{decision} is correct, seed {seed}");
            let alone = right.filesystem.choices.departures().is_empty();
            assert!(!alone || storm.tally.deviations == 0, "{decision} is correct, seed {seed}");
        }
    }
}

#[test]
fn a_value_that_is_as_right_as_the_default_is_clean_wherever_an_alarm_rings() {
    for (decision, value) in wrong_values() {
        for other in Choices::DECISIONS {
            for right in other.also_right {
                let mut plan = plan((decision, value), correct(decision));
                plan.filesystem.choices = Choices::default();
                assert!(plan.filesystem.choices.set(other.name, right));
                for seed in 0..plan.seeds.min(5) {
                    let found = nth(&plan, seed).violation;
                    assert_eq!(found, None, "{}: {right}, {}, seed {seed}", other.name, plan.name);
                }
            }
        }
    }
}

#[test]
fn every_scenario_belongs_to_a_wrong_decision() {
    let expected: Vec<PathBuf> = wrong_values().map(|(name, value)| path(name, value)).collect();
    let entries = std::fs::read_dir(folder()).unwrap();
    for entry in entries {
        let found = entry.unwrap().path();
        assert!(expected.contains(&found), "{}: no decision has that value", found.display());
    }
}

/// The first seed that is caught, which must be among the first few dozens.
fn first_caught(plan: &Plan) -> (u64, Storm) {
    let caught =
        |seed| Some((seed, nth(plan, seed))).filter(|(_, storm)| storm.violation.is_some());
    let first = (0..plan.seeds).find_map(caught);
    first.unwrap_or_else(|| panic!("{}: missed in {} seeds", plan.name, plan.seeds))
}

fn nth(plan: &Plan, seed: u64) -> Storm {
    let orders = Orders {
        plan,
        seed: Seed(plan.seed).nth(seed),
        length: LENGTH,
        record: false,
        judged: true,
        interrupted: &Arc::new(AtomicBool::new(false)),
    };
    run(orders).expect("memory can be had")
}

/// The scenario of a wrong decision, with `value` in its place.
fn plan((decision, wrong): (&str, &str), value: &str) -> Plan {
    let set = [(format!("filesystem.{decision}"), value.to_owned())];
    load(&path(decision, wrong), &vocabulary::known(), &set)
        .unwrap_or_else(|report| panic!("{}", report.render(false)))
}

/// Every decision with each of its wrong values, but for those that a bug of the catalogue has.
fn wrong_values() -> impl Iterator<Item = (&'static str, &'static str)> {
    let pairs =
        |decision: &'static Decision| decision.wrong_values().map(|value| (decision.name, value));
    let all = Choices::DECISIONS.iter().flat_map(pairs);
    all.filter(|pair| catalogue::all().all(|bug| !bug.sets.contains(pair)))
}

fn correct(decision: &str) -> &'static str {
    let found = Choices::DECISIONS.iter().find(|known| known.name == decision);
    found.expect("a decision of the filesystem").values[0].0
}

fn path(decision: &str, value: &str) -> PathBuf {
    folder().join(format!("{decision}-{value}.yaml"))
}

fn folder() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("this crate lies in harness/driver").join("scenarios/alarms")
}
