//! What GitHub Actions is told: within its limits, and nothing that it would act on.

#[path = "samples/markdown.rs"]
mod markdown;
mod samples;

use report::github::{OWN, annotations, job_summary};
use report::record::{Record, VerdictKind, Violation};

/// Texts that try to become something else.
const HOSTILE: &[&str] = &[
    "x::error file=a::b",
    "\n::stop-commands::y\r\n::add-mask::z",
    "##[add-mask]x",
    "a,line=1:b%0A::c",
    "<img src=x onerror=alert(1)> @octocat #1 https://example.org www.example.org",
    "a | b || c \\| d \\",
    "``` [x](https://example.org) ` ![y](z) **b** </code> `` $x$",
    "a@example.org </details> <!-- GH-1 0123456789abcdef0123456789abcdef01234567",
    "",
    "`",
];

fn failing(signatures: usize) -> Record {
    let mut record = samples::record(VerdictKind::Violated);
    let first = record.violations[0].clone();
    let one = |n| Violation { signature: format!("F-{n}"), ..first.clone() };
    record.violations = (0..signatures).map(one).collect();
    record
}

fn annotated(records: &[&Record]) -> Vec<String> {
    annotations(records, |file| format!("top/{file}")).lines().map(str::to_owned).collect()
}

#[test]
fn a_failure_is_one_error_at_the_line_of_the_expectation() {
    let record = samples::record(VerdictKind::Violated);
    let expected = record.scenario.text.lines().position(|line| line.starts_with("expect:"));
    let line = expected.map_or(1, |line| line + 1);
    assert_eq!(
        annotated(&[&record])[0],
        format!(
            "::error file=top/scenarios/short-copies-under-mmap.yaml,line={line},title=F-3b1c::\
             dirty_block_has_backing%0Afile a, bytes 69,632..71,168: expected delalloc, unwritten or \
             mapped under block 68; found a hole; the block was dirtied by mapper-0#112%0A\
             reproduce with: pagestorm replay reports/short-copies/failures/F-3b1c.yaml"
        )
    );
    assert_eq!(annotated(&[&samples::record(VerdictKind::Caught)]), Vec::<String>::new());
    let missed =
        annotated(&[&samples::record(VerdictKind::Missed), &samples::threads(), &samples::rated()]);
    assert!(missed.is_empty() || missed.len() == 1, "{missed:?}");
}

#[test]
fn a_run_without_a_violation_is_told_too() {
    let mut record = samples::record(VerdictKind::Missed);
    record.verdict.as_expected = false;
    let [line] = &annotated(&[&record])[..] else { panic!("one line") };
    assert!(line.contains("title=short-copies-under-mmap::missed, but expected: "), "{line}");
}

#[test]
fn nine_and_how_many_more() {
    for (signatures, lines) in [(1, 1), (9, 9), (10, 10), (5_000, 10)] {
        let annotated = annotated(&[&failing(signatures), &failing(signatures)]);
        assert_eq!(annotated.len(), lines, "{signatures}");
        if signatures > 9 {
            let more = format!("::error title=+{} more::", signatures - 9);
            assert!(annotated[9].starts_with(&more), "{}", annotated[9]);
        }
    }
}

#[test]
fn hostile_text_is_inert() {
    for text in HOSTILE {
        let record = samples::hostile(text);
        for line in annotations(&[&record], str::to_owned).lines() {
            let (properties, message) =
                line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
            assert_eq!(properties.split(',').count(), 3, "{line}");
            assert!(properties.split(',').all(|one| one.contains('=')), "{line}");
            assert!(!message.is_empty());
        }
        let page = job_summary(&[&record], OWN).unwrap();
        let outside = markdown::outside_of_code(&page);
        for character in ['<', '@', '[', ']', '!', '$', '\\', '&'] {
            assert!(!outside.contains(character), "{text:?}: {character}: {outside}");
        }
        for word in ["http", "www", "GH-", "0123", "##["] {
            assert!(!outside.contains(word), "{text:?}: {word}: {outside}");
        }
        for row in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.matches('|').count(), 6, "{text:?}: {row}");
        }
    }
}

#[test]
fn a_summary_stays_within_its_room() {
    let many = failing(5_000);
    let clean = samples::record(VerdictKind::Clean);
    let mut records = vec![&clean; 300];
    records.push(&many);
    for room in [OWN, 5_000, 600] {
        let page = job_summary(&records, room).unwrap();
        assert!(page.len() <= room, "{} of {room}", page.len());
        assert!(page.contains(" more entries do not fit; see the reports.\n"), "{room}");
        assert!(page.contains("| **Violated** |"), "what failed comes first");
    }
    assert_eq!(job_summary(&records, 250), None);
    assert_eq!(job_summary(&records, 0), None);
    let page = job_summary(&[&clean], OWN).unwrap();
    assert!(page.starts_with("## Pagestorm: 1 scenario as expected\n"), "{page}");
}
