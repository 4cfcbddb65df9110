//! The catalogue: every bug changes the filesystem, has a scenario that catches it, and whoever
//! takes the bug out of that scenario finds nothing.

use driver::catalogue::{self, Bug, Commit};
use driver::hunt::hunt;
use driver::onlooker::Look;
use driver::scenario::parse;
use driver::scenario::plan::{Expectation, Plan, WorldKind};
use driver::storm::{Orders, run};
use driver::vocabulary;
use oracle::Invariant;
use report::record::VerdictKind;
use sim::chance::Seed;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::choices::Choices;

#[test]
fn each_bug_is_caught_by_its_invariant() {
    let interrupted = Arc::new(AtomicBool::new(false));
    for bug in catalogue::all() {
        let plan = bug.plan();
        let end = hunt(&plan, plan.seed, &interrupted).expect("memory can be had");
        let end = end.expect("nobody interrupts");
        assert_eq!(end.kind, VerdictKind::Caught, "{}: {end:?}", bug.id);
        assert_eq!(end.invariant, Some(bug.caught_by), "{}", bug.id);
        assert!(0 < end.deviations, "{}", bug.id);
    }
}

#[test]
fn without_its_bug_a_scenario_is_clean() {
    for bug in catalogue::all() {
        let plan = without_bug(bug);
        for nth in 0..plan.seeds {
            let about = format!("{} is off, seed {nth}", bug.id);
            assert_eq!(clean(&plan, nth, &about), 0, "{about}");
        }
    }
}

#[test]
fn what_only_lets_a_bug_show_does_no_harm() {
    for bug in catalogue::all() {
        let mut plan = without_bug(bug);
        for (decision, value) in &bug.sets[1..] {
            assert!(plan.filesystem.choices.set(decision, value));
            for nth in 0..plan.seeds {
                clean(&plan, nth, &format!("{}: {decision}: {value}, seed {nth}", bug.id));
            }
        }
    }
}

#[test]
fn a_value_that_is_as_right_as_the_default_is_clean_wherever_a_bug_is_caught() {
    for bug in catalogue::all() {
        for decision in Choices::DECISIONS {
            for right in decision.also_right {
                let mut plan = without_bug(bug);
                assert!(plan.filesystem.choices.set(decision.name, right));
                for nth in 0..plan.seeds.min(5) {
                    clean(&plan, nth, &format!("{}: {right}, {}, {nth}", decision.name, bug.id));
                }
            }
        }
    }
}

#[test]
fn each_scenario_shows_its_bug_and_nothing_else() {
    for bug in catalogue::all() {
        let plan = bug.plan();
        let by = bug.caught_by.to_owned();
        assert_eq!(plan.bugs, [bug.id]);
        assert_eq!(plan.expect, Expectation::Caught { by, bug: Some(bug.id) }, "{}", bug.id);
        assert_eq!(plan.world, WorldKind::Simulated, "{}", bug.id);
        assert!(40 < plan.about.len(), "{} says too little about itself", bug.id);
        let departures = without_bug(bug).filesystem.choices.departures();
        assert!(!departures.iter().any(is_wrong), "{}: {departures:?}", bug.id);
    }
}

#[test]
fn each_scenario_of_the_folder_is_in_the_catalogue() {
    let known: BTreeSet<PathBuf> = catalogue::all().map(|bug| root().join(bug.file())).collect();
    let entries = std::fs::read_dir(root().join("scenarios/bugs")).unwrap();
    let found: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found, known);
}

/// Bugs of released kernels whose commit nobody here could find.
const COMMIT_UNKNOWN: &[&str] = &["zero-range-eof-folio-stale"];

#[test]
fn rows_are_sound() {
    let invariants: BTreeSet<_> = Invariant::all().map(|invariant| invariant.name).collect();
    let mut ids = BTreeSet::new();
    for bug in catalogue::all() {
        assert!(ids.insert(bug.id), "two bugs are named {}", bug.id);
        let slug = bug.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(slug && bug.what.ends_with('.'), "{}", bug.id);
        assert!(invariants.contains(bug.caught_by), "{}: {}", bug.id, bug.caught_by);
        assert!(choices(bug).departures().iter().any(is_wrong), "{} is right", bug.id);
        let variant = bug.what.contains("variant") || COMMIT_UNKNOWN.contains(&bug.id);
        assert!(variant || !bug.fixed_by.is_empty(), "{}: a commit, or a variant", bug.id);
    }
}

#[test]
fn every_wrong_value_belongs_to_a_bug() {
    for decision in Choices::DECISIONS {
        for value in decision.wrong_values() {
            let named = catalogue::all().any(|bug| bug.sets.contains(&(decision.name, value)));
            assert!(named, "{}: {value} belongs to no bug", decision.name);
        }
    }
}

#[test]
fn a_commit_is_told_the_same_everywhere() {
    let mut told: BTreeMap<&str, (Option<&str>, &str)> = BTreeMap::new();
    for Commit { hash, version, subject } in catalogue::all().flat_map(|bug| bug.fixed_by) {
        let hex = hash.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase());
        assert!(hex && (10..=12).contains(&hash.len()), "{hash}");
        assert!(version.is_none_or(|version| version.starts_with('v')), "{hash}");
        let before = told.insert(hash, (*version, subject));
        assert!(before.is_none_or(|before| before == (*version, *subject)), "{hash}");
    }
}

/// Runs one seed, in which nothing may be found. How often the filesystem deviated.
fn clean(plan: &Plan, nth: u64, about: &str) -> u64 {
    let storm = run(Orders {
        plan,
        seed: Seed(plan.seed).nth(nth),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted: &Arc::new(AtomicBool::new(false)),
    });
    let storm = storm.expect("memory can be had");
    let told = storm.violation.map(|found| format!("{found}\n{}", found.strip));
    assert_eq!(told, None, "{about}");
    storm.tally.deviations
}

/// Whether a decision of that value is wrong, rather than another right one.
fn is_wrong((decision, value): &(&str, &str)) -> bool {
    let found = Choices::DECISIONS.iter().find(|known| known.name == *decision);
    found.expect("a decision of the filesystem").wrong_values().any(|wrong| wrong == *value)
}

/// The filesystem with that bug.
fn choices(bug: &Bug) -> Choices {
    let mut choices = Choices::default();
    for (decision, value) in bug.sets {
        assert!(choices.set(decision, value), "{}: {decision}: {value}", bug.id);
    }
    choices
}

/// The plan of the bug's scenario with the bug switched off.
fn without_bug(bug: &Bug) -> Plan {
    let sets = [("bugs", "[]"), ("expect", "clean")];
    let sets = sets.map(|(path, value)| (path.to_owned(), value.to_owned()));
    parse(&bug.file(), bug.scenario, &vocabulary::known(), &sets)
        .unwrap_or_else(|report| panic!("{}", report.render(false)))
}

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("this crate lies in harness/driver").to_owned()
}
