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
    let limits = Limits { time: Duration::from_mins(5), interrupted, parallel };
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
    let limits = Limits { time: Duration::from_mins(1), interrupted, parallel: false };
    let refused = shrink(&case, &other, limits, &mut |_, _| {}).unwrap_err();
    assert!(matches!(refused, Refused::FailsOtherwise(Some(met)) if met == failure));
    let mut clean = case.clone();
    clean.filesystem.choices = Choices::default();
    let refused = shrink(&clean, &other, limits, &mut |_, _| {}).unwrap_err();
    assert!(matches!(refused, Refused::FailsOtherwise(None)));
}
