//! `shrink`: the file becomes smaller, still says what it did, and is never half.

use crate::stand::{CLEAN, Stand};
use driver::scenario::plan::Plan;
use driver::{catalogue, hunt, reproducer, scenario, storm};
use std::fs;
use std::sync::Arc;

/// The text of a reproducer of that bug.
fn reproducer(id: &str) -> String {
    let plan = catalogue::named(id).unwrap().plan();
    let interrupted = Arc::default();
    let seed = hunt::hunt(&plan, 1, &interrupted).unwrap().unwrap().at.unwrap();
    let look = driver::onlooker::Look::default();
    let (record, judged, interrupted) = (true, true, &interrupted);
    let orders = storm::Orders { plan: &plan, seed, record, judged, look, interrupted };
    let storm = storm::run(orders).unwrap();
    let made = reproducer::of((&plan, "a.yaml"), seed, &storm, interrupted).unwrap().unwrap();
    scenario::write(&made.case)
}

fn read(stand: &Stand, name: &str) -> Plan {
    let text = fs::read_to_string(stand.path(name)).unwrap();
    scenario::parse(name, &text, &driver::vocabulary::known(), &[]).unwrap()
}

fn calls(case: &Plan) -> usize {
    case.actors.iter().map(|actor| actor.does.len()).sum()
}

#[test]
fn a_reproducer_shrinks_in_its_place_and_once_more_changes_nothing() {
    let before = reproducer("stale-iomap-write");
    let stand = Stand::with(&before);
    let ran = stand.run("shrink a.yaml");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let last: Vec<&str> = ran.err.lines().rev().take(2).collect();
    assert!(last[1].contains(" calls, ") && last[1].contains(" runs, "), "{ran:?}");
    assert!(last[1].ends_with("nothing more can be taken out"), "{ran:?}");
    assert!(last[0].starts_with("extents_agree_with_validated_mapping-"), "{ran:?}");
    assert_eq!(fs::read_to_string(stand.path("a.yaml.orig")).unwrap(), before);
    let case = read(&stand, "a.yaml");
    assert!(calls(&case) <= 3, "{case:?}");
    let storm = reproducer::run(&case, &Arc::default()).unwrap();
    assert_eq!(case.recorded.as_ref().unwrap().trace_hash, storm.end.trace_hash);
    let small = fs::read_to_string(stand.path("a.yaml")).unwrap();
    assert_eq!(stand.run("shrink a.yaml --quiet --jobs 1").code, Some(0));
    assert_eq!(fs::read_to_string(stand.path("a.yaml")).unwrap(), small);
    assert_eq!(fs::read_to_string(stand.path("a.yaml.orig")).unwrap(), before);
}

#[test]
fn what_cannot_be_shrunk_says_why_and_stays() {
    let reproducer = reproducer("unwritten-not-new");
    let healed = reproducer.replace("bugs: [unwritten-not-new]\n", "");
    let healed = healed.replace(", bug: unwritten-not-new", "");
    let other = reproducer.replace("data_is_never_poison", "size_matches_model");
    for (text, words, code, told) in [
        (CLEAN, "shrink a.yaml", 2, "this is no case"),
        (&healed, "shrink a.yaml", 1, "a.yaml: the case does not fail"),
        (&other, "shrink a.yaml", 1, "a.yaml: the case fails otherwise than it should: data_is_"),
        (&reproducer, "shrink b.yaml", 2, "b.yaml"),
        (&reproducer, "shrink a.yaml --time 5", 2, "a time needs a unit; write `5s` or `5ms`"),
        (&reproducer, "shrink a.yaml -o nowhere/b.yaml", 5, "the result was not written"),
    ] {
        let stand = Stand::with(text);
        let ran = stand.run(words);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        assert!(ran.err.contains(told), "{words}: {ran:?}");
        assert_eq!(fs::read_to_string(stand.path("a.yaml")).unwrap(), text);
        assert_eq!(stand.names("."), ["a.yaml"]);
    }
}

#[test]
fn a_result_goes_elsewhere_if_told() {
    let before = reproducer("unwritten-not-new");
    let stand = Stand::with(&before);
    assert_eq!(stand.run("shrink a.yaml -o small.yaml").code, Some(0));
    assert_eq!(fs::read_to_string(stand.path("a.yaml")).unwrap(), before);
    assert_eq!(calls(&read(&stand, "small.yaml")), 1);
    assert!(!stand.path("a.yaml.orig").exists());
}
