//! What is left of a failure: the case as it was found, and the smallest like it, as files.

use crate::results::LATE;
use crate::stand::{Stand, project};
use report::record::{Record, VerdictKind};
use std::fs;

/// A scenario that fails, with options.
fn fails(options: &str) -> (Stand, Record) {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let stand = Stand::new();
    let record = stand.run(&format!("run {mixed} {LATE} --json - {options}")).record();
    assert_eq!(record.verdict.kind, VerdictKind::Violated);
    (stand, record)
}

fn kept(stand: &Stand, record: &Record) -> Vec<String> {
    stand.names(&format!("reports/{}-{}/failures", record.scenario.name, record.seed.first))
}

#[test]
fn a_failure_is_kept_as_it_was_found_and_as_small_as_it_gets() {
    let (stand, record) = fails("");
    let violation = &record.violations[0];
    let whole = format!("seed-{}.yaml", violation.seed);
    let ends = ["fsxops", "trace.json", "yaml"];
    let names = ends.map(|end| format!("{}.{end}", violation.signature));
    assert_eq!(kept(&stand, &record), [&names[..], std::slice::from_ref(&whole)].concat());
    assert!(violation.signature.starts_with(&format!("{}-", violation.invariant)));
    let smallest = violation.replay.clone().unwrap();
    let whole = smallest.replace(&format!("{}.yaml", violation.signature), &whole);
    let mut operations = Vec::new();
    for file in [whole, smallest] {
        let again = stand.run(&format!("run {file} --json -"));
        assert_eq!(again.code, Some(0), "{again:?}");
        let again = again.record();
        assert_eq!(again.verdict.kind, VerdictKind::Caught);
        assert_eq!(again.violations[0].invariant, violation.invariant);
        let hash = again.trace_hash.unwrap();
        let text = fs::read_to_string(stand.path(&file)).unwrap();
        assert!(text.contains(&format!("trace: 0x{hash}")), "{hash}: {text}");
        operations.push(again.counts.operations);
    }
    assert!(operations[1] <= 8 && operations[1] < operations[0], "{operations:?}");
}

#[test]
fn without_time_to_shrink_a_failure_is_kept_as_it_was_found() {
    let (stand, record) = fails("--shrink 0s");
    let violation = &record.violations[0];
    let [trace, whole] = ["trace.json", "yaml"].map(|end| format!("seed-{}.{end}", violation.seed));
    assert_eq!(kept(&stand, &record), [trace, whole.clone()], "it is about two files: no list");
    assert!(violation.replay.as_ref().unwrap().ends_with(&whole));
}

#[test]
fn a_run_of_a_reproducer_keeps_no_copy_of_it() {
    let (stand, record) = fails("");
    let file = record.violations[0].replay.clone().unwrap();
    let again = stand.run(&format!("run {file} --reports elsewhere --json -"));
    assert_eq!(again.record().violations[0].replay, None);
    assert!(!stand.path("elsewhere/mixed-0x1/failures").exists());
}
