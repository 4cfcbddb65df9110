//! What a failing run tells of its failures in `result.json`: once for each signature, the same on however
//! many threads, and nothing that changes the run.

use crate::stand::{Stand, project};
use report::record::Record;

fn record(options: &str) -> Record {
    let file = project("scenarios/bugs/eof-pollution-on-write.yaml").display().to_string();
    Stand::new().run(&format!("run {file} --seeds 40 --json - {options}")).record()
}

#[test]
fn a_failure_is_told_the_same_on_any_number_of_threads() {
    let (one, two) = (record("--jobs 1"), record("--jobs 2"));
    let story = one.violations[0].story.as_deref().expect("a failing run tells its story");
    assert_eq!(one.violations, two.violations);
    assert!(!story.turns.is_empty() && !story.lanes.rows.is_empty(), "{story:?}");
    assert!(story.strips.is_some() && story.inevitability.is_some(), "{story:?}");
    assert!(story.needed.iter().any(|part| part.needed), "{story:?}");
}

#[test]
fn a_story_changes_nothing_else_and_without_time_there_is_none() {
    let (told, untold) = (record(""), record("--shrink 0s"));
    assert_eq!(untold.violations[0].story, None);
    assert!(told.violations[0].story.is_some());
    assert_eq!(told.trace_hash, untold.trace_hash);
    assert_eq!((told.counts, told.verdict), (untold.counts, untold.verdict));
}

#[test]
fn what_is_too_long_to_be_told_says_so() {
    let stand = Stand::new();
    let file = project("scenarios/bugs/both-mappings-zero.yaml").display().to_string();
    let run = "--seed 0x83ec686c1600460a --seeds 1 --ops 3000 --shrink 0s";
    let found = stand.run(&format!("run {file} {run} --json -")).record();
    let case = found.violations[0].replay.clone().expect("there is a case");
    let record = stand.run(&format!("run {case} --json -")).record();
    let violation = &record.violations[0];
    assert_eq!(violation.story, None);
    let told = &violation.details[0];
    assert!(told.starts_with("its story is not told: the case passes "), "{told}");
    assert!(told.contains("is followed through 20000 at most: `pagestorm shrink`"), "{told}");
    let refused = stand.run(&format!("explain {case}"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("20000 at most"), "{refused:?}");
}
