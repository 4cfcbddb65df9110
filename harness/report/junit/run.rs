//! Runs as suites, one each.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Case, ERROR, EXPECTATION, FAILURE, SKIPPED, Suite, document};
use crate::record::{Record, VerdictKind, Violation};
use crate::reproduce;

/// Violations of one invariant that are told in full.
const TOLD: usize = 10;

/// All of them, as one document. Of one record it is the `junit.xml` beside its `result.json`.
pub fn junit(records: &[&Record]) -> String {
    let suites: Vec<_> = records.iter().map(|record| suite(record)).collect();
    document(&suites)
}

fn suite(record: &Record) -> Suite {
    Suite {
        name: record.scenario.name.clone(),
        file: Some(record.scenario.file.clone()),
        time: record.timing.elapsed_ms,
        properties: properties(record),
        cases: cases(record),
    }
}

fn properties(record: &Record) -> Vec<(&'static str, String)> {
    let known = [
        ("version", Some(record.tool.version.clone())),
        ("commit", record.environment.commit.clone()),
        ("world", Some(record.world.name().to_owned())),
        ("seed", Some(record.seed.first.to_string())),
        ("verdict", Some(record.verdict.kind.name().to_owned())),
        ("reproduce", Some(reproduce::run(record))),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The tests of a record: `expectation`, and the invariants by name.
fn cases(record: &Record) -> Vec<Case> {
    // What ended a run may be something that is not counted, as a panic.
    let found = record.violations.iter().map(|violation| violation.invariant.as_str());
    let names: BTreeSet<_> =
        record.counts.invariants.keys().map(String::as_str).chain(found).collect();
    let invariants = names.into_iter().map(|name| invariant(record, name));
    std::iter::once(expectation(record)).chain(invariants).collect()
}

fn expectation(record: &Record) -> Case {
    let verdict = &record.verdict;
    let element = match verdict.kind {
        VerdictKind::NothingRan
        | VerdictKind::Interrupted
        | VerdictKind::Environment
        | VerdictKind::NotDeterministic
        | VerdictKind::HarnessFailed => ERROR,
        VerdictKind::Clean
        | VerdictKind::Caught
        | VerdictKind::Violated
        | VerdictKind::Missed
        | VerdictKind::NotProvoked
        | VerdictKind::Hung
        | VerdictKind::Panicked => FAILURE,
    };
    let headline =
        format!("{}, but expected: {}", verdict.kind.title().to_lowercase(), verdict.expected);
    let wrong = (!verdict.as_expected).then(|| (element, verdict.kind.name().to_owned(), headline));
    let text = match wrong {
        Some(_) => format!("{}\nreproduce with: {}\n", verdict.sentence, line(record)),
        None => format!("{}\n", verdict.sentence),
    };
    Case { name: EXPECTATION.to_owned(), time: record.timing.elapsed_ms, wrong, text }
}

fn invariant(record: &Record, name: &str) -> Case {
    let found: Vec<_> =
        record.violations.iter().filter(|violation| violation.invariant == name).collect();
    let checked = record.counts.invariants.get(name).copied().unwrap_or(0);
    let wrong = match found.first() {
        // That an invariant speaks that has to speak is no failure.
        Some(_) if record.verdict.as_expected => None,
        Some(first) => Some((FAILURE, first.signature.clone(), message(first))),
        None if checked == 0 => {
            let why = record.counts.unchecked.get(name);
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            Some((SKIPPED, "never".to_owned(), format!("never checked in this run{why}")))
        }
        None => None,
    };
    let mut text: String =
        found.iter().take(TOLD).map(|violation| told(record, violation)).collect();
    if found.len() > TOLD {
        let _ = writeln!(text, "and {} more in result.json", found.len() - TOLD);
    }
    if let Some(over) = record.counts.passed_over.get(name) {
        let _ = writeln!(text, "breached {over} times without ending the run");
    }
    Case { name: name.to_owned(), time: 0, wrong, text }
}

fn message(violation: &Violation) -> String {
    let place = violation.place().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}expected {}; found {}", violation.expected, violation.found)
}

/// A violation in lines.
fn told(record: &Record, violation: &Violation) -> String {
    let rows = [
        ("signature", Some(violation.signature.clone())),
        ("where", violation.place()),
        ("expected", Some(violation.expected.clone())),
        ("found", Some(violation.found.clone())),
        ("after", Some(violation.operation.clone())),
        ("reproduce with", Some(reproduce::violation(record, violation))),
    ];
    let mut text: String = rows
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}\n", value?)))
        .collect();
    if !violation.strip.is_empty() {
        text.extend([&violation.strip, "\n"]);
    }
    text
}

fn line(record: &Record) -> String {
    match record.violations.first() {
        Some(violation) => reproduce::violation(record, violation),
        None => reproduce::run(record),
    }
}
