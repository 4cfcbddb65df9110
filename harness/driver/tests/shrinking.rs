//! Shrinking: what is left is as small as it can be, fails alike, and is the same on however many
//! threads.

use driver::call::Call;
use driver::catalogue;
use driver::failure::Failure;
use driver::hunt::hunt;
use driver::onlooker::Look;
use driver::reproducer;
use driver::scenario::parse;
use driver::scenario::plan::{Layout, Plan};
use driver::shrink::{Limits, Refused, Shrunk, shrink};
use driver::storm::{self, Orders, Storm};
use driver::vocabulary;
use sim::chance::Seed;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use stormfs::choices::Choices;
use stormfs::op::Op;
use stormfs::quantity::ByteRange;

/// Bugs of all shapes: lists and storms, one actor and more, with faults and without.
const BUGS: &[&str] = &[
    "unwritten-not-new",
    "stale-iomap-write",
    "short-copy-leaves-bytes",
    "punch-keeps-post-eof-dirty",
];

fn run(plan: &Plan, seed: Seed) -> Storm {
    let (look, interrupted) = (Look::default(), &Arc::default());
    storm::run(Orders { plan, seed, record: true, judged: true, look, interrupted })
        .expect("a simulation has a device in memory")
}

/// The case of the first failure of a bug under a master seed, and the failure.
fn failing(id: &str, master: u64) -> (Plan, Failure) {
    let bug = catalogue::named(id).expect("it is in the catalogue");
    case_of(&bug.plan(), master)
}

fn case_of(plan: &Plan, master: u64) -> (Plan, Failure) {
    let ended = hunt(plan, master, &Arc::default()).expect("memory").expect("not interrupted");
    let seed = ended.at.expect("it is found");
    let storm = run(plan, seed);
    let failure = Failure::of(&storm).expect("it fails again");
    let made = reproducer::of((plan, "a test"), seed, &storm, &Arc::default()).expect("memory");
    (made.expect("the case fails as the storm did").case, failure)
}

fn shrunk(case: &Plan, failure: &Failure, parallel: bool) -> Shrunk {
    let interrupted = &Arc::default();
    let limits = Limits { time: Duration::from_mins(5), runs: None, interrupted, parallel };
    shrink(case, failure, limits, &mut |_, _| {}).expect("it fails, and is deterministic")
}

#[test]
fn what_is_left_is_small_and_fails_alike() {
    for id in BUGS {
        let (case, failure) = failing(id, 1);
        let shrunk = shrunk(&case, &failure, false);
        assert!(shrunk.minimal, "{id}");
        assert!(shrunk.after.calls <= 3 && shrunk.after.preemptions <= 1, "{id}: {shrunk:?}");
        assert!(shrunk.after < shrunk.before, "{id}");
        let storm = run(&shrunk.case, Seed(0));
        assert_eq!(Failure::of(&storm), Some(failure), "{id}");
        let recorded = shrunk.case.recorded.expect("the case was recorded");
        assert_eq!(storm.end.trace_hash, recorded.trace_hash, "{id}");
        assert_eq!(storm.drifts, [], "{id}");
    }
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let (case, failure) = failing("stale-iomap-write", 2);
    let alone = shrunk(&case, &failure, false);
    for jobs in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().unwrap();
        let shared = pool.install(|| shrunk(&case, &failure, true));
        assert_eq!(format!("{:?}", shared.case), format!("{:?}", alone.case), "{jobs} threads");
        assert_eq!((shared.executions, shared.passes), (alone.executions, alone.passes.clone()));
    }
}

/// Of all this, one write into the unwritten file is to blame.
const TOY: &str = "
seeds: 200
device: {workers: 3, size: 16MiB}
filesystem: {block_size: 1KiB, max_folio: 16KiB, mapping_check: before_lock}
files:
  - {name: other, size: 64KiB, layout: written}
  - {name: blamed, size: 64KiB, layout: unwritten}
  - {name: idle, size: 4KiB, layout: delalloc}
actors:
  - name: busy
    count: 3
    pause: 5us
    does: [read: {at: 0, size: 4KiB}, write: {at: 16KiB, size: 100}, fsync, truncate: {to: 40KiB}]
  - name: culprit
    does:
      - read: {at: 8000, size: 100}
      - write: {file: blamed, at: 9000, size: 3000, pieces: [100, 2000]}
      - fsync: {file: blamed}
faults: [evict: {chance: 10%}, latency: {chance: 20%, for: 1ms}]
bugs: [unwritten-not-new]
";

fn parsed(text: &str) -> Plan {
    parse("toy.yaml", text, &vocabulary::known(), &[]).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn the_smallest_case_of_a_toy_is_found() {
    let (case, failure) = case_of(&parsed(TOY), 1);
    assert_eq!(failure.to_string(), "data_is_never_poison (a device block never written)");
    let shrunk = shrunk(&case, &failure, false);
    let Plan { actors, files, device, filesystem, .. } = &shrunk.case;
    assert!(shrunk.minimal);
    assert_eq!((actors.len(), actors[0].name.as_str()), (1, "culprit"));
    assert_eq!(actors[0].does, [Call::plain(1, 0, Op::Write(ByteRange::at(0, 1)))]);
    assert_eq!((files.len(), files[0].name.as_str()), (1, "blamed"));
    assert_eq!((files[0].size, files[0].layout), (4096, Layout::Unwritten));
    assert_eq!((device.workers, device.size), (1, 64 << 20));
    assert_eq!((filesystem.block_size, filesystem.max_folio), (4096, 4096));
    assert_eq!(filesystem.choices.departures().len(), 1, "the bug is left");
    assert_eq!((shrunk.case.strikes, shrunk.case.schedule), (Vec::new(), Some(Vec::new())));
}

#[test]
fn a_case_that_does_not_fail_so_is_refused() {
    let (case, failure) = failing("unwritten-not-new", 1);
    let other = Failure { invariant: "size_matches_model", ..failure.clone() };
    let interrupted = &Arc::default();
    let limits = Limits { time: Duration::from_mins(1), runs: None, interrupted, parallel: false };
    let refused = shrink(&case, &other, limits, &mut |_, _| {}).unwrap_err();
    assert!(matches!(refused, Refused::FailsOtherwise(Some(met)) if met == failure));
    let mut clean = case.clone();
    clean.filesystem.choices = Choices::default();
    let refused = shrink(&clean, &other, limits, &mut |_, _| {}).unwrap_err();
    assert!(matches!(refused, Refused::FailsOtherwise(None)));
}

/// Two mistakes, each with an invariant of its own.
const TWO: &str = "
seeds: 50
ops: 40
filesystem: {block_size: 4KiB, max_folio: 4KiB}
files:
  - {name: a, size: 9216, layout: written}
  - {name: b, size: 16KiB, layout: unwritten}
actors:
  - {name: writer, count: 2, ops: {write: 1, read: 1}, size: {max: 64, shape: fixed}, within: 16KiB}
faults: [short_copy: {chance: 30%, persistent: 100%}]
bugs: [zero-bumps-isize, unwritten-not-new]
";

#[test]
fn one_failure_never_becomes_another() {
    let mut met = BTreeSet::new();
    for master in 1..=8 {
        let (case, failure) = case_of(&parsed(TWO), master);
        let shrunk = shrunk(&case, &failure, false);
        let storm = run(&shrunk.case, Seed(0));
        assert_eq!(Failure::of(&storm).as_ref(), Some(&failure), "master {master}");
        assert!(shrunk.others.iter().all(|(other, _)| *other != failure), "master {master}");
        for (other, case) in &shrunk.others {
            assert_eq!(Failure::of(&run(case, Seed(0))).as_ref(), Some(other), "master {master}");
        }
        assert_eq!((shrunk.after.actors, shrunk.after.calls), (1, 1), "master {master}");
        met.insert(failure.invariant);
    }
    assert!(1 < met.len(), "both are found, one or the other first: {met:?}");
}

/// Every case that lacks one thing.
fn lacking(case: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    for actor in 0..case.actors.len() {
        for call in 0..case.actors[actor].does.len() {
            let mut less = case.clone();
            less.actors[actor].does.remove(call);
            if less.actors[actor].does.is_empty() {
                driver::case::remove_actor(&mut less, actor);
            }
            all.push(less);
            let mut less = case.clone();
            if less.actors[actor].does[call].gap.take().is_some() {
                all.push(less);
            }
        }
    }
    for switch in 0..case.schedule.as_ref().map_or(0, Vec::len) {
        let mut less = case.clone();
        less.schedule.as_mut().expect("a case has one").remove(switch);
        all.push(less);
    }
    for strike in 0..case.strikes.len() {
        let mut less = case.clone();
        less.strikes.remove(strike);
        all.push(less);
    }
    all.retain(|less| !less.actors.is_empty());
    all
}

#[test]
fn nothing_can_be_taken_out_of_what_is_left() {
    for id in BUGS {
        let (case, failure) = failing(id, 2);
        let shrunk = shrunk(&case, &failure, false);
        for less in lacking(&shrunk.case) {
            let met = Failure::of(&run(&less, Seed(0)));
            assert_ne!(met.as_ref(), Some(&failure), "{id}: {less:?}");
        }
    }
}
