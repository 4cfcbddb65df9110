//! Records as `JUnit` XML, which every CI engine shows as tests.
//!
//! A scenario is a suite. Each invariant that is known is a test of that name, skipped if it was
//! never checked, and `expectation` is one more. Seeds are no tests: the names are the same in every
//! run, so that engines can follow a test from run to run. A night has a suite for its signatures and
//! one for its regressions besides.

mod night;
mod run;

pub use night::night;
pub use run::junit;

use crate::number;
use crate::xml::Xml;

/// The test that says whether a run ended as its scenario expects.
const EXPECTATION: &str = "expectation";

const FAILURE: &str = "failure";
const ERROR: &str = "error";
const SKIPPED: &str = "skipped";

/// Tests of one scenario, or of one other thing.
struct Suite {
    name: String,
    /// The file that it is about.
    file: Option<String>,
    /// Milliseconds that it took.
    time: u64,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

/// A test, and what became of it.
struct Case {
    name: String,
    /// Milliseconds that it took; the whole run is that of the expectation.
    time: u64,
    /// What went wrong: one of the names above, a type and a message. None if nothing did.
    wrong: Option<(&'static str, String, String)>,
    /// What more there is to say.
    text: String,
}

/// All of them, as one document.
fn document(suites: &[Suite]) -> String {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let milliseconds = number::sum(suites.iter().map(|suite| suite.time));
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
            for suite in suites {
                one_suite(xml, suite);
            }
        });
    })
}

fn one_suite(xml: &mut Xml, suite: &Suite) {
    let of = |kind| count(suite.cases.iter(), kind).to_string();
    let (tests, [failures, errors, skipped]) =
        (suite.cases.len().to_string(), [FAILURE, ERROR, SKIPPED].map(of));
    let time = seconds(suite.time);
    let mut attributes = vec![
        ("name", suite.name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
        ("time", &time),
    ];
    attributes.extend(suite.file.as_deref().map(|file| ("file", file)));
    xml.element("testsuite", &attributes, |xml| {
        xml.element("properties", &[], |xml| {
            for (name, value) in &suite.properties {
                xml.leaf("property", &[("name", name), ("value", value)], "");
            }
        });
        for case in &suite.cases {
            one(xml, &suite.name, case);
        }
    });
}

fn one(xml: &mut Xml, class: &str, case: &Case) {
    let time = seconds(case.time);
    let attributes = [("name", case.name.as_str()), ("classname", class), ("time", &time)];
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

fn count<'a>(cases: impl Iterator<Item = &'a Case>, kind: &str) -> usize {
    cases.filter(|case| case.wrong.as_ref().is_some_and(|(element, ..)| *element == kind)).count()
}

/// With milliseconds, and nothing between thousands.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}
