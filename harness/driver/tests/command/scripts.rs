//! Scripts: what they come to, and what is said of one that cannot be followed.

use crate::stand::{Ran, Stand, project};
use report::record::VerdictKind;

/// A truncate that waits for a write, and a sync that waits for a completion.
const WAITS: &str = "\
files: [{name: a, size: 64KiB, layout: written}]
actors:
  - {name: A, does: [write: {at: 0, size: 8KiB}, fsync]}
  - {name: B, does: [truncate: {to: 5000}]}
script:
  - run A until write.mapped
  - run B until blocked
  - resume A until returned
  - resume B
  - hold disk at ioend.before_convert
  - resume A until blocked
  - resume disk
  - resume A
";

/// Runs a script with one step exchanged, or without it.
fn with_step(number: usize, step: &str) -> Ran {
    let mut lines: Vec<_> = WAITS.lines().collect();
    let text = format!("  - {step}");
    let place = 4 + number;
    lines[place] = &text;
    lines.truncate(place + 1);
    Stand::with(&(lines.join("\n") + "\n")).run("run a.yaml --quiet")
}

fn mapping(sets: &[&str]) -> Ran {
    let stand = Stand::new();
    let mut command = stand.command("run --quiet --json -");
    command.arg(project("scenarios/scripts/mapping-outlives-conversion.yaml"));
    for set in sets {
        command.args(["--set", set]);
    }
    Ran::of(command.output().unwrap())
}

#[test]
fn a_script_is_followed_and_is_the_same_every_time() {
    let run = || Stand::with(WAITS).run("run a.yaml --json -");
    let (first, again) = (run(), run());
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.err.contains("simulated world, a script of 8 steps;"), "{first:?}");
    let record = first.record();
    assert_eq!((record.scenario.script.len(), record.counts.seeds_done), (8, 1));
    assert_eq!(record.trace_hash, again.record().trace_hash);
}

#[test]
fn a_step_that_cannot_be_performed_is_told_with_where_everybody_stood() {
    let table: [(usize, &str, &[&str]); 10] = [
        (
            1,
            "run A until 3rd write.mapped",
            &["`A` ended, and passed `write.mapped` 1 of 3 times", "`A` has done everything"],
        ),
        (1, "run A until blocked", &["`A` ended, and did not have to wait", "`B` has not begun"]),
        (1, "run A until truncate.locked or blocked", &["of 1 times, and did not have to wait"]),
        (
            2,
            "run B",
            &[
                "error: `B` waits for somebody who is held\n",
                "--> a.yaml:7:5\n",
                "`A` is held at `write.mapped` in operation 1, write [0, 8192)",
                "`B` waits for i_rwsem(0x0), held by `A`, in operation 1, truncate to 5000",
                "help: let the one go on first",
            ],
        ),
        (
            2,
            "evict 20",
            &["no folio holds page 20", "let somebody read or write", "`B` has not begun"],
        ),
        (
            4,
            "evict 0..1",
            &[
                "the folio that holds page 0 is dirty",
                "`A` has returned from operation 1, write [0, 8192)",
                "`B` could go on in operation 1",
            ],
        ),
        (5, "evict 20", &["no folio holds page 20", "`B` has done everything"]),
        (5, "evict 20..4294967295", &["error: no folio holds any of the pages 20..4294967295\n"]),
        (
            6,
            "resume A until fsync.before_flush",
            &[
                "`A` waits for somebody who is held, and passed `fsync.before_flush` 0 of 1 times",
                "in operation 2, fsync",
                "the disk holds a completion at `ioend.before_convert`",
            ],
        ),
        (8, "resume A until 2nd returned", &["error: there is no point `returned`"]),
    ];
    for (number, step, parts) in table {
        let ran = with_step(number, step);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{step}: {ran:?}");
        let place = format!("--> a.yaml:{}:", 5 + number);
        for part in parts.iter().copied().chain([place.as_str(), "help: "]) {
            assert!(ran.err.contains(part), "{step}: no `{part}` in\n{}", ran.err);
        }
    }
}

/// A write of two folios behind another call, and a write that ends early by itself.
const FAILS: &str = "\
filesystem: {block_size: 4KiB, max_folio: 4KiB}
files: [{name: a, size: 64KiB}]
actors:
  - {name: W, does: [fsync, write: {at: 0, size: 8KiB}, fsync]}
  - {name: S, does: [write: {at: 32KiB, size: 8KiB, unreadable_at: 5000}]}
script: [fsync W, STEPS, run S]
";

#[test]
fn a_source_ends_where_its_write_stands_and_not_elsewhere() {
    for (steps, code, told) in [
        ("run W until write.mapped, fail W", 0, ""),
        ("run W until write.unlocked, fail W", 0, ""),
        (
            "run W until write.unlocked, fail W until write_end.before_walk, resume W until returned",
            0,
            "",
        ),
        (
            "run W until write.validated, fail W",
            2,
            "`W` has that part of its source already at `write.validated`",
        ),
        ("run W until 2nd write.unlocked, fail W", 2, "`W` had all of its source already"),
        ("run W until returned, fail W", 2, "`W` stands in no write"),
        (
            "run S until write.mapped, fail S",
            2,
            "`S` has a byte in its source already that is not there",
        ),
        ("store W", 2, "the next call of this actor is no `store`"),
    ] {
        let script = FAILS.replace("STEPS", steps);
        let ran = Stand::with(&script).run("run a.yaml --json - --quiet");
        assert_eq!(ran.code, Some(code), "{steps}: {ran:?}");
        assert!(ran.err.contains(told), "{steps}: {ran:?}");
        if code == 0 {
            let fired = ran.record().counts.faults["short_copy_persistent"].fired;
            assert_eq!(fired, 2, "{steps}: both writes fell short");
        }
    }
}

#[test]
fn what_a_step_has_ended_is_in_the_case_that_is_left() {
    let stand = Stand::new();
    let mut command = stand.command("run --quiet --set filesystem.write_cleanup=whole_range");
    command.arg(project("scenarios/scripts/store-before-a-write-fails.yaml"));
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let left = stand.path("reports/store-before-a-write-fails-0x1/failures");
    let files: Vec<_> = std::fs::read_dir(left).unwrap().map(|file| file.unwrap().path()).collect();
    let cases: Vec<_> =
        files.iter().filter(|file| file.extension().is_some_and(|it| it == "yaml")).collect();
    assert!(!cases.is_empty(), "{files:?}");
    for case in cases {
        let again = stand.run(&format!("replay {}", case.display()));
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(std::fs::read_to_string(case).unwrap().contains("unreadable_at: 0"));
    }
}

#[test]
fn a_race_is_lost_only_by_a_filesystem_that_decides_wrongly() {
    let never = "filesystem.mapping_check=never";
    let bytes = "judge=bytes";
    let kept = "script=[run P, run W until 12th write.faulted_in, run WB, resume W]";
    assert_eq!(mapping(&[]).code, Some(0));
    assert_eq!(mapping(&[bytes]).code, Some(0));
    let early = mapping(&[never]).record();
    assert_eq!(early.violations[0].invariant, "extents_agree_with_validated_mapping");
    let lost = mapping(&[never, bytes]).record();
    assert_eq!(lost.violations[0].invariant, "data_matches_model");
    assert_eq!(lost.verdict.kind, VerdictKind::Violated);
    let unharmed = mapping(&[never, bytes, kept]).record();
    assert_eq!(unharmed.violations, []);
    assert_ne!(unharmed.counts.deviations, 0);
}

#[test]
fn a_list_is_performed_whole_in_both_worlds() {
    let lists = "\
files: [{name: a, size: 64KiB, layout: unwritten}, {name: b}]
actors:
  - name: w
    count: 2
    does:
      - write: {at: 100, size: 20000, unreadable_at: 5000}
      - write: {at: 100, size: 20000, unreadable_at: 0, transient: true, pieces: [1, 4KiB]}
      - append: {size: 3000, file: b}
      - write_from_mmap: {at: 30000, from: 5, size: 5000}
      - mmap_store: {at: 0, size: 1}
      - zero_range: {at: 0, size: 5000, keep_size: true}
      - writeback: {file: b}
      - evict
      - fsync: {file: b}
  - {name: r, ops: {read: 1}}
ops: 7
";
    for (world, runs) in [("--seeds 5", 5), ("--world threads --ops 7 --device ram", 1)] {
        let record = Stand::with(lists).run(&format!("run a.yaml --json - {world}")).record();
        assert_eq!(record.verdict.kind, VerdictKind::Clean, "{record:?}");
        let counts = record.counts;
        assert_eq!(counts.operations, runs * (2 * 9 + 7), "{world}");
        assert_eq!(counts.operations_by_kind["write"], runs * 4, "{world}");
        assert_eq!(counts.faults["short_copy_persistent"].fired, runs * 2, "{world}");
        assert_eq!(counts.faults["short_copy_transient"].fired, runs * 2, "{world}");
    }
}

#[test]
fn a_violation_says_which_step_was_running_and_how_to_run_it_again() {
    let stand = Stand::new();
    let scenario = project("scenarios/scripts/mapping-outlives-conversion.yaml");
    let words = format!("run {} --set filesystem.mapping_check=never", scenario.display());
    let ran = stand.run(&words);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let last = ran.err.lines().last().unwrap();
    let replay = last.strip_prefix("reproduce with: pagestorm ").unwrap();
    assert_eq!(stand.run(replay).code, Some(0), "{last}");
    let details = &stand.record().violations[0].details;
    assert_eq!(details[0], "step 5 of the script was running:");
    assert_eq!(details[5], "> 5. resume W");
}
