//! `JUnit` XML: what is a test, what has failed, and that hostile text stays text.

mod samples;

use report::junit::junit;
use report::record::{Record, VerdictKind};
use roxmltree::{Document, Node};

/// A test case: its name, what is in it, and the type and text of that.
type Case = (String, String, String, String);

fn cases(suite: Node<'_, '_>) -> Vec<Case> {
    let cases = suite.children().filter(|node| node.has_tag_name("testcase"));
    let case = |case: Node<'_, '_>| {
        let inside = case.first_element_child();
        let name = inside.map_or("", |inside| inside.tag_name().name());
        let kind = inside.and_then(|inside| inside.attribute("type")).unwrap_or_default();
        let text = inside.and_then(|inside| inside.text()).unwrap_or_default();
        let own = case.attribute("name").expect("a case has a name");
        (own.to_owned(), name.to_owned(), kind.to_owned(), text.to_owned())
    };
    cases.map(case).collect()
}

fn of(record: &Record) -> Vec<Case> {
    let text = junit(&[record]);
    let document = Document::parse(&text).expect("it is XML");
    cases(document.root_element().first_element_child().expect("there is a suite"))
}

fn with<'a>(cases: &'a [Case], inside: &str) -> Vec<&'a str> {
    let such = cases.iter().filter(|(_, found, ..)| found == inside);
    such.map(|(name, ..)| name.as_str()).collect()
}

#[test]
fn a_failing_run_names_its_invariants_and_its_expectation() {
    let cases = of(&samples::record(VerdictKind::Violated));
    assert_eq!(
        with(&cases, "failure"),
        ["expectation", "dirty_block_has_backing", "size_is_linear"]
    );
    assert_eq!(with(&cases, "skipped"), ["synced_data_survives"]);
    assert_eq!(with(&cases, "").len(), 3);
    let (_, _, signature, text) = &cases[2];
    assert_eq!(signature, "F-3b1c");
    for line in [
        "where: file a, bytes 69,632..71,168\n",
        "expected: delalloc, unwritten or mapped under block 68\n",
        "reproduce with: pagestorm replay reports/short-copies/failures/F-3b1c.yaml\n",
        "folios    ccccDD--DDDDDDDD\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_was_expected_is_no_failure() {
    for kind in [VerdictKind::Clean, VerdictKind::Caught] {
        let cases = of(&samples::record(kind));
        assert!(with(&cases, "failure").is_empty() && with(&cases, "error").is_empty());
        let spoke = with(&cases, "system-out").len();
        assert_eq!(spoke, if kind == VerdictKind::Caught { 3 } else { 1 });
    }
}

#[test]
fn names_do_not_depend_on_what_was_found() {
    let names = |kind| -> Vec<String> {
        of(&samples::record(kind)).into_iter().map(|(name, ..)| name).collect()
    };
    assert_eq!(names(VerdictKind::Missed), names(VerdictKind::Clean));
    assert_eq!(names(VerdictKind::Hung), names(VerdictKind::Violated));
}

#[test]
fn a_run_that_could_not_be_is_an_error() {
    for kind in [
        VerdictKind::NothingRan,
        VerdictKind::Interrupted,
        VerdictKind::Environment,
        VerdictKind::NotDeterministic,
        VerdictKind::HarnessFailed,
    ] {
        let cases = of(&samples::record(kind));
        assert_eq!(with(&cases, "error"), ["expectation"], "{kind:?}");
        assert!(with(&cases, "failure").is_empty(), "{kind:?}");
    }
}

#[test]
fn suites_are_counted_each_and_together() {
    let [clean, violated] = [VerdictKind::Clean, VerdictKind::Violated].map(samples::record);
    let (threads, rated) = (samples::threads(), samples::rated());
    let text = junit(&[&clean, &violated, &threads, &rated]);
    let document = Document::parse(&text).unwrap();
    let root = document.root_element();
    let number = |node: Node<'_, '_>, name| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let suites: Vec<_> = root.children().filter(Node::is_element).collect();
    assert_eq!(suites.len(), 4);
    for (suite, failures) in suites.iter().zip([0, 3, 0, 0]) {
        let cases = cases(*suite);
        assert_eq!(number(*suite, "tests"), cases.len());
        assert_eq!(number(*suite, "failures"), failures);
        assert_eq!(number(*suite, "skipped"), with(&cases, "skipped").len());
    }
    assert_eq!((number(root, "tests"), number(root, "failures")), (28, 3));
    assert_eq!(suites[2].attribute("name"), Some("smoke"));
    assert_eq!(suites[2].attribute("time"), Some("2.004"));
    let empty = junit(&[]);
    assert_eq!(Document::parse(&empty).unwrap().root_element().attribute("tests"), Some("0"));
}

#[test]
fn hostile_text_stays_text() {
    let texts = [
        "]]></failure></testcase><testcase name='x'/>",
        "\"><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
        "' onload='x' <!-- --> <?x?>",
        "&lt;&#60;&amp;",
        "a\u{0}b\u{8}c\u{b}d\u{1b}[2Je\u{7f}f\u{fffe}g\u{ffff}h\u{2028}i\u{202e}j",
        "\n\r\n\t ",
        "",
    ];
    for text in texts {
        let record = samples::hostile(text);
        let written = junit(&[&record]);
        let document =
            Document::parse(&written).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        let names: Vec<_> = document
            .descendants()
            .filter(Node::is_element)
            .map(|it| it.tag_name().name())
            .collect();
        let expected = ["testsuites", "testsuite", "properties"];
        assert_eq!(names[..3], expected, "{text:?}");
        let rest =
            ["property"; 6].into_iter().chain(["testcase", "failure", "testcase", "failure"]);
        assert_eq!(names[3..], rest.collect::<Vec<_>>(), "{text:?}");
        assert!(written.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{text:?}");
        let suite = document.root_element().first_element_child().unwrap();
        let shown = report::visible::line(text);
        let shown = shown.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
        assert_eq!(suite.attribute("name"), Some(shown.as_str()));
    }
}
