//! What a failing storm of threads leaves: it is written, read, and found again without threads.

use crate::files::is_for_fsx;
use crate::stand::{Stand, project};
use driver::onlooker::Look;
use driver::scenario::plan::Plan;
use driver::storm::{Orders, run};
use driver::{reproducer, scenario, vocabulary};
use sim::chance::Seed;
use std::fs;
use std::sync::Arc;

/// Bugs that threads meet at once, and that the last calls show.
const BUGS: [&str; 3] = ["zero-bumps-isize", "short-copy-leaves-bytes", "wb-map-not-revalidated"];

fn read(text: &str) -> Plan {
    scenario::parse("a.yaml", text, &vocabulary::known(), &[]).unwrap()
}

/// What is left of the first of a few storms of threads that fails.
fn left(bug: &str) -> Plan {
    let path = format!("scenarios/bugs/{bug}.yaml");
    let set = |(path, value): (&str, &str)| (path.to_owned(), value.to_owned());
    let sets = [("world", "threads"), ("time", "3s"), ("device.kind", "ram")].map(set);
    let plan = scenario::load(&project(&path), &vocabulary::known(), &sets).unwrap();
    let interrupted = Arc::default();
    for nth in 0..5 {
        let (seed, look, interrupted) = (Seed(1).nth(nth), Look::default(), &interrupted);
        let orders = Orders { plan: &plan, seed, record: false, judged: true, look, interrupted };
        if let Some(left) = reproducer::of_threads((&plan, &path), seed, &run(orders).unwrap()) {
            return left;
        }
    }
    panic!("five storms of {bug} found nothing");
}

#[test]
fn what_threads_did_last_is_found_again_without_them() {
    let stand = Stand::new();
    for bug in BUGS {
        let left = left(bug);
        let order = &left.recorded.as_ref().unwrap().order;
        let calls = left.actors.iter().map(|actor| actor.does.len()).sum::<usize>();
        assert!(0 < calls && calls <= 512 && calls <= order.len(), "{bug}: {calls} calls");
        let text = scenario::write(&left);
        assert_eq!(format!("{:?}", read(&text)), format!("{left:?}"), "{text}");
        stand.write(&format!("{bug}.yaml"), text);
    }
    let files = BUGS.map(|bug| format!("{bug}.yaml")).join(" ");
    let ran = stand.run(&format!("replay {files}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for bug in BUGS {
        let line = format!("{bug}.yaml: found in the simulated world, with the last ");
        assert!(ran.out.contains(&line), "{bug}: {ran:?}");
        let again = stand.run(&format!("replay {bug}-found.yaml"));
        assert_eq!(again.code, Some(0), "{bug}: {again:?}");
        assert!(again.out.contains("the same violation, the same trace"), "{bug}: {again:?}");
    }
}

#[test]
fn what_threads_did_last_is_a_list_for_fsx() {
    let stand = Stand::new();
    let file = project("scenarios/bugs/short-copy-leaves-bytes.yaml");
    let set = "--world threads --time 5s --device ram --shrink 0s --quiet";
    let ran = stand.run(&format!("run {} {set} --json record.json", file.display()));
    assert_eq!(ran.code, Some(0), "it is caught: {ran:?}");
    let dir = format!("reports/{}/failures", stand.names("reports")[0]);
    let names = stand.names(&dir);
    let list = names.iter().find(|name| name.ends_with(".fsxops")).expect("it is of one file");
    let text = fs::read_to_string(stand.path(&format!("{dir}/{list}"))).unwrap();
    assert!(text.contains("# threads left their last calls: file "), "{text}");
    let operations = text.lines().filter(|line| !line.starts_with('#'));
    assert!(operations.clone().count() > 1 && operations.clone().all(is_for_fsx), "{text}");
    assert!(!names.iter().any(|name| name.ends_with(".trace.json")), "{names:?}");
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let stand = Stand::with(
        "actors:\n  \
         - {name: A, does: [write: {at: 0, size: 4KiB}, fsync]}\n  \
         - {name: B, does: [read: {at: 0, size: 4KiB}]}\n\
         expect: {caught: {by: data_matches_model}}\n\
         recorded:\n  version: '1'\n  from: x\n  seed: 1\n  \
         order: [A 1 begins on 100, B 1 begins on 100, A 1 ends, B 1 ends, A 2 begins on 4096]\n",
    );
    let ran = stand.run("replay a.yaml --search 60");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("a.yaml: not found in the simulated world: 60 storms"), "{ran:?}");
    assert_eq!(stand.names(""), ["a.yaml"]);
}
