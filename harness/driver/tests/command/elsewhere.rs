//! Scripts of the model, led through a real filesystem by `replay --target`.

use crate::allowed::is_allowed;
use crate::stand::Stand;
use report::record::{Led, VerdictKind, hit};
use serde_json::Value;
use std::fs;

/// The steps of each script that a kernel cannot be led through. All other scripts can be, on XFS.
const NOT_STEERED: &[(&str, &[u64])] = &[
    // Nobody can be stopped in a truncate, a read or in writeback.
    ("dirtiness-asked-after-the-lookup", &[2]),
    ("store-behind-the-zeros-of-a-truncate", &[1, 2]),
    ("truncate-skips-an-unwritten-tail", &[2]),
    ("truncate-under-io", &[2]),
];

#[test]
fn scripts_are_led_through_xfs_as_far_as_this_table_says() {
    if !is_allowed("scripts on XFS", &["/proc/sys/vm/unprivileged_userfaultfd"]) {
        return;
    }
    let stand = Stand::new();
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/scripts");
    let files = fs::read_dir(scripts).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path().display().to_string()).collect();
    files.sort();
    let ran = stand.run(&format!("replay --target kernel:xfs --json - {}", files.join(" ")));
    let told: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told.len(), files.len());
    for one in &told {
        let file = one["file"].as_str().unwrap();
        let stem = file.rsplit('/').next().unwrap().trim_end_matches(".yaml");
        let row = NOT_STEERED.iter().find(|(name, _)| *name == stem);
        let steps = one["steps"].as_array().unwrap();
        let missed = steps.iter().filter(|step| step["how"] == "not steered");
        let missed: Vec<_> = missed.map(|step| step["step"].as_u64().unwrap()).collect();
        assert_eq!(missed, row.map_or(&[][..], |(_, steps)| steps), "{one:#}");
        assert_eq!(one["hit"], row.is_none(), "{one:#}");
    }
    assert_eq!(ran.code, Some(1), "what was not provoked is no success");
}

#[test]
fn a_scenario_without_an_order_is_refused() {
    let stand = Stand::with("actors: [{name: a, ops: {write: 1}}]\n");
    let ran = stand.run("replay --target kernel:tmpfs a.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("this is no case and no script"), "{ran:?}");
    assert!(ran.err.contains("a.yaml:1:25"), "{ran:?}");
    let both = stand.run("replay --target kernel:tmpfs --trace a.yaml");
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn a_script_that_only_a_target_can_do_is_taken_there_without_naming_one() {
    let stand = Stand::with(
        "world: threads\nfiles: [{name: a, size: 64KiB, layout: written}]\n\
         actors: [{name: w, does: [dontneed]}]\nscript: [run w]\n",
    );
    let ran = stand.run(&format!("replay --target {} a.yaml", stand.path("").display()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let here = stand.run("replay a.yaml");
    assert_eq!(here.code, Some(2), "{here:?}");
    assert!(here.err.contains("a.yaml:1:8"), "{here:?}");
    assert!(here.err.contains("a.yaml:3:27"), "{here:?}");
    assert_eq!(here.err.matches("as `target: {kernel: xfs}`").count(), 2, "{here:?}");
    stand.write("a.yaml", "actors: [{name: w, does: [nothing]}]\nscript: [run w]\n");
    let broken = stand.run(&format!("replay --target {} a.yaml", stand.path("").display()));
    assert_eq!(broken.code, Some(2), "{broken:?}");
    assert!(broken.err.contains("a.yaml:1:27"), "{broken:?}");
}

#[test]
fn a_script_that_a_run_cannot_follow_is_not_provoked() {
    let script = "\
files: [{name: a, size: 64KiB, layout: unwritten}]
actors: [{name: T, does: [truncate: {to: 1000}]}]
script: [run T until truncate.zeroed, resume T]
";
    let stand = Stand::with(script);
    fs::create_dir(stand.path("there")).unwrap();
    let often = stand.run("replay --target there --times 3 a.yaml");
    assert!(often.code == Some(2) && often.err.contains("it is led, once"), "{often:?}");
    let ran = stand.run("run a.yaml --target there --json -");
    let record = ran.record();
    assert_eq!((ran.code, record.verdict.kind), (Some(1), VerdictKind::NotProvoked), "{ran:?}");
    let told = "step 1, run T until truncate.zeroed: `T` ended, and could not be stopped at";
    assert!(record.verdict.sentence.contains(told), "{}", record.verdict.sentence);
    let how: Vec<_> = record.led.iter().map(|step| (step.step, step.how)).collect();
    assert_eq!(how, [(1, Led::NotSteered), (2, Led::Steered)]);
    assert_eq!(hit(&record.led, 2, 0), (false, MISSED.to_owned()));
}

const MISSED: &str = "not provoked: 1 of 2 steps could not be steered";

#[test]
fn a_run_tells_of_each_step_and_of_what_was_looked_at() {
    let script = "\
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: M, does: [mmap_store: {at: 0, size: 8}]}, {name: T, does: [truncate: {to: 9}]}]
script: [store M, truncate T]
";
    let stand = Stand::with(script);
    fs::create_dir(stand.path("there")).unwrap();
    let ran = stand.run("run a.yaml --target there");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("hit: all 2 steps"), "{ran:?}");
    let page = fs::read_to_string(stand.path("reports/a-0x1/report.html")).unwrap();
    for part in ["id=\"steps\"", "hit: all 2 steps", "<code>truncate T</code>"] {
        assert!(page.contains(part), "no {part}");
    }
    let record = stand.run("run a.yaml --target there --json -").record();
    assert_ne!(record.counts.verified_operations, 0, "the file was looked at in the end");
    assert!(record.led.iter().all(|step| step.how == Led::Steered), "{:?}", record.led);
}

/// A write of two pages that somebody ends the source of, where it stands.
const FAILS: &str = "\
files: [{name: a, size: 64KiB, layout: written}]
actors:
  - {name: W, does: [fsync, write: {at: 0, size: 8KiB}]}
  - {name: B, does: [write: {at: 0, size: 8}]}
script: [fsync W, run W until write.mapped, run B until blocked, fail W, run B]
";

#[test]
fn a_source_ends_where_its_write_stands_and_who_waits_for_it_is_told() {
    if !is_allowed("sources that end", &["/proc/sys/vm/unprivileged_userfaultfd"]) {
        return;
    }
    let nowhere = FAILS.replace("run W until write.mapped, run B until blocked", "write W");
    for kind in ["xfs", "ext4", "btrfs", "tmpfs"] {
        let stand = Stand::with(FAILS);
        let ran = stand.run(&format!("replay --target kernel:{kind} --json - a.yaml"));
        let told: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &told[0]["hit"]), (Some(0), &Value::Bool(true)), "{kind}: {ran:?}");
        let blocked = &told[0]["steps"][2];
        assert!(blocked["why"].as_str().unwrap().starts_with("`B` waits in `"), "{kind}: {ran:?}");
        let stand = Stand::with(&nowhere);
        let ran = stand.run(&format!("replay --target kernel:{kind} --json - a.yaml"));
        let told: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        let fails = &told[0]["steps"][2];
        assert_eq!(fails["how"], "not steered", "{kind}: {ran:?}");
        assert_eq!(fails["why"], "`W` is in no write that can stand", "{kind}: {ran:?}");
    }
}

/// A write that is written back while the disk is held, behind a write that is not.
const HELD: &str = "\
files: [{name: a, size: 0}]
actors:
  - {name: W, does: [write: {at: 0, size: 8KiB}, fsync]}
script:
  - run W until returned
  - hold disk at ioend.before_convert
  - run W until blocked
  - resume disk
  - run W
";

/// A step that is no plain success: its number, what came of it, and why.
type Odd = (u64, &'static str, &'static str);

#[test]
fn writeback_is_held_by_a_script_on_filesystems_with_a_disk() {
    if !is_allowed("scripts that hold writeback", &["/dev/fuse"]) {
        return;
    }
    let idle = HELD.replace("  - run W until blocked\n", "");
    let later = HELD.replace("before_convert", "converted");
    let table: [(&str, &str, bool, &[Odd]); 6] = [
        ("xfs", HELD, true, &[(2, "nearby", "not on the disk yet")]),
        ("ext4", HELD, true, &[(2, "nearby", "not on the disk yet")]),
        ("btrfs", HELD, true, &[(2, "nearby", "not on the disk yet")]),
        (
            "tmpfs",
            &idle,
            false,
            &[
                (2, "not steered", "there is no disk of its own"),
                (3, "not steered", "the disk is not held"),
            ],
        ),
        ("xfs", &idle, false, &[(2, "not steered", "nothing was in writeback")]),
        (
            "xfs",
            &later,
            false,
            &[
                (2, "not steered", "none of them stands at `ioend.converted`"),
                (3, "not steered", "`W` ended"),
                (4, "not steered", "the disk is not held"),
            ],
        ),
    ];
    for (kind, script, hit, odd) in table {
        let stand = Stand::with(script);
        let ran = stand.run(&format!("replay --target kernel:{kind} --json - a.yaml"));
        let told: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told[0]["hit"], hit, "{kind}, {script}: {ran:?}");
        for (step, how, why) in odd {
            let found =
                told[0]["steps"].as_array().unwrap().iter().find(|one| one["step"] == *step);
            let found = found.unwrap();
            assert_eq!(found["how"], *how, "{kind}, {script}: {ran:?}");
            assert!(found["why"].as_str().unwrap().contains(why), "{kind}, {script}: {ran:?}");
        }
    }
}

/// A page that somebody reads, while somebody else writes another one, and a part of that one.
const READ: &str = "\
world: threads
target: {kernel: KIND}
files: [{name: a, size: 0}]
actors:
  - {name: P, does: [write: {at: 0, size: 64KiB}, fsync]}
  - {name: R, does: [read: {at: 0, size: 4KiB}]}
  - {name: N, does: [write: {at: 32KiB, size: 4KiB}]}
  - {name: S, does: [write: {at: 100, size: 100}]}
script:
  - run P
  - evict 0..15 of a
  - hold reads
  - run R until blocked
  - run N until WROTE
  - run S until blocked
  - resume disk
  - run R
  - run N until done
  - run S
";

#[test]
fn a_read_is_held_by_a_script_and_whoever_writes_beside_it() {
    if !is_allowed("scripts that hold reads", &["/dev/fuse"]) {
        return;
    }
    let idle =
        READ.replace("  - run R until blocked\n", "").replace("  - run S until blocked\n", "");
    let table: [(&str, &str, &str, bool, &[Odd]); 4] = [
        ("ext4", READ, "returned", true, &[]),
        ("xfs", READ, "blocked", true, &[]),
        ("ext4", &idle, "returned", false, &[(3, "not steered", "nothing was read from the disk")]),
        ("tmpfs", &idle, "returned", false, &[(3, "not steered", "there is no disk of its own")]),
    ];
    for (kind, script, wrote, hit, odd) in table {
        let stand = Stand::with(&script.replace("WROTE", wrote).replace("KIND", kind));
        let ran = stand.run(&format!("replay --target kernel:{kind} --json - a.yaml"));
        let told: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told[0]["hit"], hit, "{kind}, {script}: {ran:?}");
        for (step, how, why) in odd {
            let steps = told[0]["steps"].as_array().unwrap();
            let found = steps.iter().find(|one| one["step"] == *step).unwrap();
            assert_eq!(found["how"], *how, "{kind}, {script}: {ran:?}");
            assert!(found["why"].as_str().unwrap().contains(why), "{kind}, {script}: {ran:?}");
        }
    }
}

#[test]
fn a_filesystem_is_checked_after_the_last_that_takes_place_on_it() {
    if !is_allowed("checks behind scripts", &["/proc/sys/vm/unprivileged_userfaultfd"]) {
        return;
    }
    let script = "\
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: W, does: [write: {at: 0, size: 8KiB}]}]
script: [run W]
";
    let stand = Stand::with(script);
    for (target, times) in [("kernel:xfs", 1), ("kernel:ext4", 1), ("kernel:tmpfs", 0)] {
        let ran = stand.run(&format!("replay --target {target} a.yaml a.yaml a.yaml"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let told = ran.out.matches(": unmounted, and looked at by its own check\n").count();
        assert_eq!(told, times, "{target}: {ran:?}");
        assert!(ran.out.ends_with("3 of 3 hit\n"), "{ran:?}");
    }
}
