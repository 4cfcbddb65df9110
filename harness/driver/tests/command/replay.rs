//! Replaying reproducers: the same again, drifts where they stand, and hostile files.

use crate::stand::{Stand, project};
use driver::onlooker::Look;
use driver::replay::{self, Replay};
use driver::scenario::plan::Plan;
use driver::storm::{Orders, run};
use driver::{reproducer, scenario, vocabulary};
use sim::chance::Seed;
use std::sync::Arc;
use stormfs::op::Op;
use stormfs::quantity::wide;

/// Seeds that are tried until one fails.
const SEEDS: u64 = 400;

/// The reproducer of the first failing seed of a scenario, as it is before anybody makes it smaller.
fn reproducer(path: &str) -> String {
    let plan = scenario::load(&project(path), &vocabulary::known(), &[]).unwrap();
    let interrupted = Arc::default();
    let storm = |seed| {
        let look = Look::default();
        let interrupted = &interrupted;
        run(Orders { plan: &plan, seed, record: true, judged: true, look, interrupted })
    };
    for nth in 0..SEEDS {
        let seed = Seed(plan.seed).nth(nth);
        let storm = storm(seed).unwrap();
        let found = reproducer::of((&plan, path), seed, &storm, &interrupted).unwrap();
        if let Some(found) = found {
            return scenario::write(&found.case);
        }
    }
    panic!("no seed of {path} fails");
}

/// Scenarios that find something with few operations, one of each family of bugs.
const FAMILIES: [&str; 9] = [
    "stale-iomap-write",
    "zero-bumps-isize",
    "short-copy-leaves-bytes",
    "append-ioend-padding",
    "punch-without-invalidate-lock",
    "eof-pollution-on-write",
    "wb-map-not-revalidated",
    "truncate-frees-before-cache-drop",
    "zero-length-dirty-range",
];

fn of_bug(bug: &str) -> String {
    reproducer(&format!("scenarios/bugs/{bug}.yaml"))
}

#[test]
fn reproducers_of_every_family_do_the_same_again() {
    let stand = Stand::new();
    for family in FAMILIES {
        stand.write(&format!("{family}.yaml"), of_bug(family));
    }
    let files = FAMILIES.map(|family| format!("{family}.yaml")).join(" ");
    let ran = stand.run(&format!("replay {files} --times 3"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for family in FAMILIES {
        let line = format!("{family}.yaml: 3 of 3: the same violation, the same trace\n");
        assert!(ran.out.contains(&line), "{family}: {ran:?}");
        let caught = stand.run(&format!("run {family}.yaml --quiet"));
        assert_eq!(caught.code, Some(0), "{family}: {caught:?}");
        assert!(caught.out.contains(": caught, as expected\n"), "{family}: {caught:?}");
        assert_eq!(stand.run(&format!("check {family}.yaml")).code, Some(0), "{family}");
    }
}

#[test]
fn an_edited_reproducer_says_what_no_longer_fits() {
    let text = of_bug("stale-iomap-write");
    let (before, rest) = text.split_once("schedule:\n").unwrap();
    let switches = rest.lines().take_while(|line| line.starts_with("  - ")).count();
    let after = rest.lines().skip(switches).collect::<Vec<_>>().join("\n");
    let stand = Stand::new();
    stand.write("none.yaml", format!("{before}schedule: []\n{after}\n"));
    let ran = stand.run("replay none.yaml");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.contains("none.yaml: 2 of 2: it no longer fails: nothing is violated"),
        "{ran:?}"
    );

    let line = text.lines().position(|line| line.contains(" write.mapped -> ")).unwrap();
    stand.write("site.yaml", text.replacen(" write.mapped -> ", " write.maped -> ", 1));
    let ran = stand.run("replay site.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = format!("site.yaml:{}:5: this switch does not fit the run", line + 1);
    assert!(ran.err.contains(&told), "{ran:?}");

    // Somebody else goes on first, who has done everything when that is due again.
    let first = rest.lines().find(|line| line.contains(" 1.1 call -> ")).unwrap();
    stand.write("without.yaml", text.replacen(&format!("{first}\n"), "", 1));
    let ran = stand.run("replay without.yaml --json -");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_ne!(json[0]["verdict"], "same", "{json}");
    assert!(json[0]["unfit"][0]["at"].as_str().unwrap().starts_with("without.yaml:"), "{json}");
}

#[test]
fn what_is_expected_or_recorded_otherwise_is_told() {
    let text = of_bug("zero-bumps-isize");
    let stand = Stand::new();
    let trace = text.lines().find(|line| line.contains("trace: ")).unwrap();
    stand.write("trace.yaml", text.replace(trace, "  trace: 0x5"));
    stand.write("unrecorded.yaml", text.split("recorded:").next().unwrap());
    stand.write("other.yaml", text.replace("by: size_matches_model", "by: data_matches_model"));
    let expect = text.lines().find(|line| line.starts_with("expect:")).unwrap();
    stand.write("clean.yaml", text.replace(expect, "expect: clean"));
    let regression = text.replace(expect, "expect: clean").replace(trace, "  trace: 0x5");
    stand.write("regression.yaml", regression);
    for (name, code, words) in [
        ("trace", 1, "the same violation, another trace: 0x"),
        ("unrecorded", 0, "the same violation; no trace is recorded\n"),
        ("other", 1, "another violation: size_matches_model, and data_matches_model is expected\n"),
        (
            "clean",
            1,
            "the same violation, the same trace; it violates size_matches_model, and nothing should \
             be violated\n",
        ),
        ("regression", 1, "another trace than the recorded one; it violates size_matches_model,"),
    ] {
        let ran = stand.run(&format!("replay {name}.yaml"));
        assert_eq!(ran.code, Some(code), "{name}: {ran:?}");
        assert!(ran.out.contains(words), "{name}: {ran:?}");
    }
}

#[test]
fn strikes_that_do_not_strike_are_told() {
    let stand = Stand::with(
        "actors: [{name: W, does: [write: {at: 0, size: 8KiB}, fsync]}]\n\
         schedule: []\n\
         strikes:\n  \
         - write of a at 0 fails\n  \
         - write of a at 64KiB fails\n  \
         - W 1.400 write.mapped -> evict a at 0\n  \
         - W 2.2 nowhere -> stand still for 5us\n\
         expect: {caught: {by: data_matches_model}}\n",
    );
    let ran = stand.run("replay a.yaml");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for told in ["--> a.yaml:5:5\n", "there was no such request", "--> a.yaml:6:5\n", "`W` passed "]
    {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    assert!(!ran.err.contains("a.yaml:4:5"), "the first strikes: {}", ran.err);
}

#[test]
fn points_and_places_are_shown() {
    let stand = Stand::with(&of_bug("stale-iomap-write"));
    let ran = stand.run("replay a.yaml --trace");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let switch = "write.mapped -> ";
    for told in [switch, ", waits, and ", "call", "anybody-1 1: write: {at: ", "\nafter "] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    let ran = stand.run("replay a.yaml --until 80");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for told in
        ["after step 80:\n", "conductor  waits at actors", "; holds i_rwsem (0x0)", "  extents  "]
    {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    let ran = stand.run("replay a.yaml --until 999999");
    assert!(ran.out.starts_with("after "), "{ran:?}");
}

#[test]
fn only_cases_are_replayed() {
    let stand = Stand::with("actors: [{name: a, ops: {write: 1}}]\n");
    let ran = stand.run("replay a.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("this is no case"), "{ran:?}");
}

/// Whether a case is over soon: no file and no operation is large.
fn is_small(plan: &Plan) -> bool {
    const LARGE: u64 = 1 << 20;
    let mut calls = plan.actors.iter().flat_map(|actor| &actor.does);
    let size = |op: &Op| match op {
        Op::Truncate(size) => *size,
        Op::Append(len) => *len,
        Op::Read(range)
        | Op::Write(range)
        | Op::MmapLoad(range)
        | Op::MmapStore(range)
        | Op::Punch(range)
        | Op::ZeroRange { range, .. }
        | Op::Fallocate { range, .. } => range.end,
        Op::WriteFromMmap { pos, source } => pos + source.end,
        Op::Fsync | Op::Sync | Op::Writeback(_) | Op::Evict(_) | Op::Release => 0,
        Op::DirectRead(_)
        | Op::DirectWrite(_)
        | Op::CopyRange(_)
        | Op::Reflink(_)
        | Op::Collapse(_)
        | Op::Insert(_)
        | Op::Fdatasync
        | Op::SyncRange { .. }
        | Op::Msync(_)
        | Op::DontNeed(_)
        | Op::PageOut(_) => unreachable!("the case is of the model"),
    };
    plan.files.iter().all(|file| file.size <= LARGE) && calls.all(|call| size(&call.op) <= LARGE)
}

#[test]
fn damaged_files_are_refused_or_give_a_verdict() {
    let (mut refused, mut ran) = (0, 0);
    let interrupted = Arc::default();
    let mut chance = Seed(7).case(0);
    let letters = b"0123456789abc -:.,>{}[]\"'\n#~*&!|%\t\xff";
    for bug in ["stale-iomap-write", "zero-bumps-isize"] {
        let text = of_bug(bug).into_bytes();
        for _ in 0..400 {
            let mut damaged = text.clone();
            for _ in 0..=chance.below(3) {
                let at = usize::try_from(chance.below(wide(text.len()))).unwrap();
                let letter = usize::try_from(chance.below(wide(letters.len()))).unwrap();
                damaged[at] = letters[letter];
            }
            let Ok(damaged) = String::from_utf8(damaged) else { continue };
            match scenario::parse("a.yaml", &damaged, &vocabulary::known(), &[]) {
                Err(report) => {
                    assert!(report.render(false).contains("a.yaml"), "{damaged}");
                    refused += 1;
                }
                Ok(plan) if plan.is_explicit() && is_small(&plan) => {
                    Replay::of(&plan, 1, &interrupted).unwrap();
                    replay::unfit(&plan, &interrupted).unwrap();
                    ran += 1;
                }
                Ok(_) => {}
            }
        }
    }
    assert!(50 < refused && 50 < ran, "{refused} refused, {ran} ran");
}
