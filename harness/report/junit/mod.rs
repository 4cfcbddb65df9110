//! Records as `JUnit` XML, which every CI engine shows as tests.
//!
//! A scenario is a suite. Each invariant that is known is a test of that name, skipped if it was
//! never checked, and `expectation` is one more. Seeds are no tests: the names are the same in every
//! run, so that engines can follow a test from run to run.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::number;
use crate::record::{Record, VerdictKind, Violation};
use crate::reproduce;
use crate::xml::Xml;

/// The test that says whether a run ended as its scenario expects.
const EXPECTATION: &str = "expectation";

/// Violations of one invariant that are told in full.
const TOLD: usize = 10;

/// All of them, as one document. Of one record it is the `junit.xml` beside its `result.json`.
pub fn junit(records: &[&Record]) -> String {
    let suites: Vec<_> = records.iter().map(|record| (*record, cases(record))).collect();
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let milliseconds = number::sum(records.iter().map(|record| record.timing.elapsed_ms));
    let (tests, failures, errors) = (all().count(), count(all(), FAILURE), count(all(), ERROR));
    let [tests, failures, errors] = [tests, failures, errors].map(|n| n.to_string());
    let attributes = [
        ("name", "pagestorm"),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("time", &seconds(milliseconds)),
    ];
    Xml::document(|xml| {
        xml.element("testsuites", &attributes, |xml| {
            for (record, cases) in &suites {
                suite(xml, record, cases);
            }
        });
    })
}

const FAILURE: &str = "failure";
const ERROR: &str = "error";
const SKIPPED: &str = "skipped";

/// A test, and what became of it.
struct Case<'a> {
    name: &'a str,
    /// Milliseconds that it took; the whole run is that of the expectation.
    time: u64,
    /// What went wrong: one of the names above, a type and a message. None if nothing did.
    wrong: Option<(&'static str, &'a str, String)>,
    /// What more there is to say.
    text: String,
}

fn suite(xml: &mut Xml, record: &Record, cases: &[Case<'_>]) {
    let of = |kind| count(cases.iter(), kind).to_string();
    let attributes = [
        ("name", record.scenario.name.as_str()),
        ("tests", &cases.len().to_string()),
        ("failures", &of(FAILURE)),
        ("errors", &of(ERROR)),
        ("skipped", &of(SKIPPED)),
        ("time", &seconds(record.timing.elapsed_ms)),
        ("file", &record.scenario.file),
    ];
    xml.element("testsuite", &attributes, |xml| {
        properties(xml, record);
        for case in cases {
            one(xml, &record.scenario.name, case);
        }
    });
}

fn properties(xml: &mut Xml, record: &Record) {
    let (seed, again) = (record.seed.first.to_string(), reproduce::run(record));
    let known = [
        ("version", Some(record.tool.version.as_str())),
        ("commit", record.environment.commit.as_deref()),
        ("world", Some(record.world.name())),
        ("seed", Some(&seed)),
        ("verdict", Some(record.verdict.kind.name())),
        ("reproduce", Some(&again)),
    ];
    xml.element("properties", &[], |xml| {
        for (name, value) in known {
            if let Some(value) = value {
                xml.leaf("property", &[("name", name), ("value", value)], "");
            }
        }
    });
}

fn one(xml: &mut Xml, class: &str, case: &Case<'_>) {
    let time = seconds(case.time);
    let attributes = [("name", case.name), ("classname", class), ("time", &time)];
    match &case.wrong {
        Some((element, kind, message)) => xml.element("testcase", &attributes, |xml| {
            xml.leaf(element, &[("type", kind), ("message", message)], &case.text);
        }),
        None if case.text.is_empty() => xml.leaf("testcase", &attributes, ""),
        None => xml.element("testcase", &attributes, |xml| {
            xml.leaf("system-out", &[], &case.text);
        }),
    }
}

/// The tests of a record: `expectation`, and the invariants by name.
fn cases(record: &Record) -> Vec<Case<'_>> {
    // What ended a run may be something that is not counted, as a panic.
    let found = record.violations.iter().map(|violation| violation.invariant.as_str());
    let names: BTreeSet<_> =
        record.counts.invariants.keys().map(String::as_str).chain(found).collect();
    let invariants = names.into_iter().map(|name| invariant(record, name));
    std::iter::once(expectation(record)).chain(invariants).collect()
}

fn expectation(record: &Record) -> Case<'_> {
    let verdict = &record.verdict;
    let element = match verdict.kind {
        VerdictKind::NothingRan
        | VerdictKind::Interrupted
        | VerdictKind::Environment
        | VerdictKind::NotDeterministic => ERROR,
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
    let wrong = (!verdict.as_expected).then(|| (element, verdict.kind.name(), headline));
    let text = match wrong {
        Some(_) => format!("{}\nreproduce with: {}\n", verdict.sentence, line(record)),
        None => format!("{}\n", verdict.sentence),
    };
    Case { name: EXPECTATION, time: record.timing.elapsed_ms, wrong, text }
}

fn invariant<'a>(record: &'a Record, name: &'a str) -> Case<'a> {
    let found: Vec<_> =
        record.violations.iter().filter(|violation| violation.invariant == name).collect();
    let checked = record.counts.invariants.get(name).copied().unwrap_or(0);
    let wrong = match found.first() {
        // That an invariant speaks that has to speak is no failure.
        Some(_) if record.verdict.as_expected => None,
        Some(first) => Some((FAILURE, first.signature.as_str(), message(first))),
        None if checked == 0 => Some((SKIPPED, "never", "never checked in this run".to_owned())),
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
    Case { name, time: 0, wrong, text }
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

fn count<'a>(cases: impl Iterator<Item = &'a Case<'a>>, kind: &str) -> usize {
    cases.filter(|case| case.wrong.as_ref().is_some_and(|(element, ..)| *element == kind)).count()
}

/// With milliseconds, and nothing between thousands.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}
