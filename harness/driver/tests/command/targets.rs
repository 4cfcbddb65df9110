//! Scenarios of the model on a real filesystem, by `--target`.

use crate::allowed::is_allowed;
use crate::soak::night;
use crate::stand::{Ran, Stand, project};
use report::record::{DeviceKind, VerdictKind};
use std::fs;
use std::os::unix::fs::FileExt;

const STORM: &str = "\
name: storm
seeds: 9
ops: 50
filesystem: {block_size: 1KiB}
files: [{name: a, size: 100000}]
actors:
  - {name: writer, count: 2, ops: {write: 4, append: 1, truncate: 1, fsync: 1}}
  - {name: mapper, ops: {mmap_store: 2, mmap_load: 1}}
faults: [{short_copy: {chance: 5%}}, {io_error: {on: write, chance: 1%}}]
";

/// What needs a filesystem that can be taken down.
const OF_ITS_TOOL: &str = "space_on_disk_passes_its_own_check";

#[test]
fn a_scenario_of_the_model_runs_in_a_directory() {
    let stand = Stand::with(STORM);
    fs::create_dir(stand.path("there")).unwrap();
    let ran = stand.run("run a.yaml --target there --ops 300 --json -");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told =
        "dropped for the target there: `seeds`, `filesystem.block_size`, `faults[1].io_error` of";
    assert!(ran.err.contains(told), "{ran:?}");
    let record = ran.record();
    let dropped = ["seeds", "filesystem.block_size", "faults[1].io_error"];
    assert_eq!(record.scenario.dropped, dropped);
    let page = fs::read_to_string(stand.path("reports/storm-0x1/report.html")).unwrap();
    assert!(dropped.iter().all(|key| page.contains(&format!("<code>{key}</code>"))));
    let only = "--set faults=[]";
    assert_eq!(stand.run(&format!("run a.yaml --target there --ops 9 {only}")).code, Some(0));
    stand.write("b.yaml", STORM.replace("{short_copy: {chance: 5%}}, ", ""));
    let ran = stand.run("run b.yaml --target there --ops 9 --json -");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let verdict = ran.record().verdict;
    assert_eq!(verdict.kind, VerdictKind::NotProvoked);
    assert!(verdict.sentence.ends_with("has not: `faults[0].io_error`."), "{verdict:?}");
    let ran = stand.run("soak b.yaml --target there --seed 5 --seeds 3");
    assert!(
        ran.err.contains("faults[0].io_error") || ran.out.contains("faults[0].io_error"),
        "{ran:?}"
    );
    assert_eq!(record.counts.operations, 300);
    assert_eq!(record.device.kind, DeviceKind::Mounted);
    // Nobody takes it down, so nothing is left unchecked.
    assert!(!record.counts.invariants.contains_key(OF_ITS_TOOL), "{:?}", record.counts);
    assert!(record.counts.invariants.contains_key("data_survives_eviction"));
    assert!(record.counts.points.is_empty(), "points are the model's");
    assert_eq!(stand.names("there"), [""; 0]);
    let again = record.scenario.overrides.iter().any(|set| set == r#"target={directory: "there"}"#);
    assert!(again, "{:?}", record.scenario);
    for (target, told) in [
        ("kernel:ext5", "did you mean `ext4`?"),
        ("xfs", "did you mean `kernel:xfs`? Write ./xfs"),
        ("''", "ENOENT"),
    ] {
        let refused = stand.run(&format!("run a.yaml --target {target}"));
        assert!(refused.err.contains(told) || refused.out.contains(told), "{refused:?}");
        assert_ne!(refused.code, Some(0), "{refused:?}");
    }
}

/// Writes of which every one falls short, as `KEYS` say.
const SHORT: &str = "\
world: threads
ops: 60
target: {directory: there}
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: w, ops: {write: 1}, within: 64KiB}]
faults: [{short_copy: {chance: 100%, persistent: 100%KEYS}}]
";

#[test]
fn sources_fall_short_in_the_way_that_is_named_or_in_all() {
    const WAYS: [&str; 4] = ["protect", "unmap", "bus", "poison"];
    let poisons = mounted::source::poisoning().is_ok();
    for by in ["any", "protect", "unmap", "bus", "poison"] {
        let stand = Stand::with(&SHORT.replace("KEYS", &format!(", by: {by}")));
        fs::create_dir(stand.path("there")).unwrap();
        let ran = stand.run("run a.yaml --json -");
        if by == "poison" && !poisons {
            assert_eq!(ran.code, Some(5), "{ran:?}");
            continue;
        }
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let counts = ran.record().counts;
        for way in WAYS {
            let told = counts.faults.get(&format!("short_copy_by_{way}"));
            let is_used = by == way || by == "any" && (way != "poison" || poisons);
            assert_eq!(told.is_some_and(|told| 0 < told.fired), is_used, "{by}: {counts:?}");
        }
        let sum = WAYS.iter().filter_map(|way| counts.faults.get(&format!("short_copy_by_{way}")));
        let sum: u64 = sum.map(|told| told.armed).sum();
        assert_eq!(sum, counts.faults["short_copy_persistent"].armed, "{by}: {counts:?}");
    }
}

#[test]
fn nights_of_a_target_are_shared_out_and_gone_on_with() {
    let faults = "faults: [{short_copy: {chance: 5%}}, {io_error: {on: write, chance: 1%}}]";
    let stand = Stand::with(&STORM.replace(faults, ""));
    fs::create_dir(stand.path("there")).unwrap();
    let soak = |more: &str| {
        let words = format!("soak a.yaml --target there --seed 5 --seeds 400 --quiet {more}");
        stand.run(&words)
    };
    for shard in 1..=2 {
        let ran = soak(&format!("--time 8s --shard {shard}/2 --out part-{shard}"));
        assert!(matches!(ran.code, Some(0)), "{ran:?}");
    }
    assert_eq!(soak("--shard 1/2 --out part-1 --resume").code, Some(0));
    let merged = stand.run("merge part-1 part-2 -o merged --allow-missing");
    assert_eq!(merged.code, Some(0), "{merged:?}");
    let whole = night(&stand, "merged");
    let [only] = whole.scenarios.as_slice() else { panic!("{:?}", whole.scenarios) };
    assert_eq!(only.target.as_deref(), Some("there"));
    assert!(2 <= only.iterations && 0 < only.counts.operations, "{only:?}");
    let page = fs::read_to_string(stand.path("merged/report.html")).unwrap();
    assert!(page.contains("<span>--target</span> <span>there</span>"), "{page}");
    // Another target is another scenario.
    let other = stand.run("soak a.yaml --world threads --seed 5 --resume --out part-1 --quiet");
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(stand.run("report merged -o again").code == Some(0));
}

#[test]
fn nights_of_a_target_leave_out_what_is_about_the_model_and_say_why() {
    let stand = Stand::with(STORM);
    fs::create_dir(stand.path("there")).unwrap();
    let ideal = project("scenarios/ideal.yaml");
    stand.write("broken.yaml", "world: threads\nops: 9\nfaults: [{io_error: {on: read, chance: 1%}}]\nactors: [{name: a, ops: {write: 1}}]\n");
    let bugs = project("scenarios/bugs");
    let given = format!("a.yaml broken.yaml {} {}", ideal.display(), bugs.display());
    let ran = stand.run(&format!("soak {given} --target there --seed 5 --seeds 200 --out n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let left: Vec<_> = ran.err.lines().filter(|line| line.starts_with("left out: ")).collect();
    let count = fs::read_dir(&bugs).unwrap().count();
    let files = format!("left out: {count} files in {}: it is about a bug", bugs.display());
    let [one, other] = left.as_slice() else { panic!("{left:?}") };
    assert!(one.starts_with(&files), "{one}");
    let missing = "what it is about the target has not: `faults[0].io_error`";
    assert_eq!(*other, format!("left out: broken.yaml: {missing}"));
    let whole = night(&stand, "n");
    let names: Vec<_> = whole.scenarios.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ideal", "storm"]);
}

#[test]
fn a_target_is_checked_beforehand() {
    let stand = Stand::with(STORM);
    let ran = stand.run("check a.yaml --target kernel:tmpfs");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = "a.yaml: well; threads world, 10s, 3 actors; drops `seeds`, `ops`, `filesystem.block_size`, `faults[1].io_error` of the file";
    assert_eq!(ran.out.trim_end(), told);
    for (target, judged, not) in [
        (
            "kernel:ext4",
            &["space_survives_a_mount (", "growth_in_steps (ext4", "growth_shows_stores ("][..],
            &["folio_"][..],
        ),
        (
            "kernel:tmpfs",
            &["data_matches_model ("],
            &["data_survives_eviction", "growth_in_steps", "growth_shows_stores"],
        ),
        ("/tmp", &["data_survives_eviction ("], &["space_survives_a_mount", "folio_"]),
    ] {
        let told = stand.run(&format!("invariants --target {target}")).out;
        assert!(judged.iter().all(|name| told.contains(name)), "{target}: {told}");
        assert!(!not.iter().any(|name| told.contains(name)), "{target}: {told}");
    }
}

#[test]
fn a_directory_that_is_a_target_is_looked_at() {
    let stand = Stand::with(STORM);
    for words in ["invariants --target not/there", "check a.yaml --target not/there"] {
        let ran = stand.run(words);
        assert!(ran.code == Some(5) && ran.err.contains("ENOENT"), "{ran:?}");
    }
    // Nobody knows what it does.
    let told = stand.run("invariants --target /proc").out;
    assert!(told.contains("failed_write_moves_eof ("), "{told}");
    assert!(!told.contains("growth_in_steps ("), "{told}");
}

#[test]
fn an_argument_that_is_a_number_is_to_be_quoted() {
    let stand = Stand::with(STORM);
    let ran = stand.run("run a.yaml --target kernel:ext4 --set target.mkfs=[-b,1024]");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("an argument is a text, and this is a number"), "{ran:?}");
    assert!(ran.err.contains("quote it: `\"1024\"`"), "{ran:?}");
}

#[test]
fn what_was_never_checked_is_told_with_its_reason() {
    if !is_allowed("runs that share blocks", &[]) {
        return;
    }
    let stand =
        Stand::with("world: threads\nops: 40\nactors: [{name: a, ops: {write: 2, reflink: 1}}]\n");
    let ran = stand.run("run a.yaml --target kernel:xfs");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let why = "files may share blocks";
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("space_survives_a_mount ({why}")), "{ran:?}");
    assert!(stand.record().counts.unchecked["space_survives_a_mount"].starts_with(why));
    let page = fs::read_to_string(stand.path("reports/a-0x1/report.html")).unwrap();
    assert!(page.contains(&format!(": {why}")));
    // No files of this one have blocks in common, so it is looked at.
    let ext4 =
        stand.run("run a.yaml --target kernel:ext4 --json - --set actors[0].ops.copy_file_range=1");
    assert_eq!(ext4.code, Some(0), "{ext4:?}");
    let counts = ext4.record().counts;
    assert!(!counts.unchecked.contains_key("space_survives_a_mount"), "{counts:?}");
    assert!(0 < counts.invariants["space_survives_a_mount"], "{counts:?}");
    let read_only = stand.run("run a.yaml --target kernel:xfs --set target.mount=ro");
    assert!(read_only.code == Some(5) && read_only.err.contains("drop `ro`"), "{read_only:?}");
}

#[test]
fn filesystems_of_the_kernel_are_made_for_a_run() {
    if !is_allowed("runs on filesystems that are made", &[]) {
        return;
    }
    let stand = Stand::with(STORM);
    for name in ["xfs", "ext4", "btrfs", "tmpfs"] {
        let words = format!("run a.yaml --target kernel:{name} --ops 200 --json -");
        let ran = stand.run(&words);
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
        let record = ran.record();
        assert!(record.device.detail.starts_with(name), "{:?}", record.device);
        assert!(16 << 20 <= record.device.size, "{:?}", record.device);
        assert!(record.violations.is_empty() && record.trace_hash.is_none());
        let invariants = record.counts.invariants;
        assert_eq!(invariants.contains_key("data_survives_eviction"), name != "tmpfs", "{name}");
        assert_eq!(invariants.contains_key(OF_ITS_TOOL), name != "tmpfs", "{name}");
    }
}

#[test]
fn a_real_disk_is_slow_as_often_as_it_is_told() {
    const SLOW: &str = "{latency: {chance: 100%, for: 1ms, times: 20}}";
    let storm = |target: &str, fault: &str| {
        let actors = "actors: [{name: a, ops: {write: 4, fsync: 1}}]";
        Stand::with(&format!(
            "world: threads\nops: 200\ntarget: {{kernel: {target}}}\nfaults: [{fault}]\n{actors}\n"
        ))
    };
    for (target, fault, place, told) in [
        ("tmpfs", SLOW, "4:11", "this target has no disk"),
        ("tmpfs", "{io_error: {on: write, chance: 1%}}", "4:11", "this target has no disk"),
        ("tmpfs", "{io_error: {on: flush, chance: 1%}}", "4:11", "this target has no disk"),
        ("xfs", "{io_error: {on: flush, chance: 1%}}", "4:11", "a flush that fails"),
        ("xfs", "{short_copy: {chance: 1%}}, {evict: {chance: 1%}}", "4:39", "a real filesystem"),
        (
            "ext4, mount: 'noatime,data=journal'",
            "{io_error: {on: write, chance: 1%}}",
            "3:31",
            "the first write that fails",
        ),
    ] {
        let refused = storm(target, fault).run("check a.yaml");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(&format!("a.yaml:{place}\n")), "{place}: {refused:?}");
        assert!(refused.err.contains(told), "{told}: {refused:?}");
    }
    if !is_allowed("a slow disk", &["/dev/fuse"]) {
        return;
    }
    let ran = storm("ext4", SLOW).run("run a.yaml --json -");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let record = ran.record();
    assert!(record.device.detail.contains("behind a gate"), "{:?}", record.device);
    assert_eq!(record.counts.faults["latency"].fired, 20, "{:?}", record.counts.faults);
}

/// Of every kind of call, with the faults that each filesystem is to stand.
fn failing(on: &str) -> String {
    let faults: Vec<_> =
        on.split(' ').map(|on| format!("{{io_error: {{on: {on}, chance: 3%}}}}")).collect();
    format!(
        "name: failing\nworld: threads\nops: 6000\ntarget: {{kernel: xfs}}\nfaults: [{}]\n\
         files: [{{name: a, size: 1MiB, layout: written}}, {{name: b, size: 200000}}]\n\
         actors:\n  - {{name: w, count: 2, within: 1MiB, ops: {{write: 8, append: 1, read: 4, fsync: 1, \
         punch: 1, zero_range: 1, fallocate: 1, direct_write: 1, direct_read: 1, \
         copy_file_range: 1}}}}\n  \
         - {{name: m, within: 1MiB, ops: {{mmap_store: 3, mmap_load: 2, msync: 1}}}}\n  \
         - {{name: f, ops: {{writeback: 3, evict: 4, sync: 1}}}}\n",
        faults.join(", ")
    )
}

#[test]
fn a_real_disk_fails_and_what_it_has_kept_is_there() {
    if !is_allowed("a disk that fails", &["/dev/fuse"]) {
        return;
    }
    for on in ["read", "read write"] {
        let stand = Stand::with(&failing(on));
        for name in ["xfs", "ext4", "btrfs"] {
            let ran = stand.run(&format!("run a.yaml --set target.kernel={name} --json -"));
            assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
            let counts = ran.record().counts;
            for on in on.split(' ') {
                let count = counts.faults[&format!("io_error_{on}")];
                assert!(0 < count.fired && count.fired < count.armed, "{name}: {counts:?}");
            }
            assert!(counts.failed_operations.contains_key("EIO"), "{name}: {counts:?}");
        }
    }
}

#[test]
fn a_byte_that_somebody_else_writes_is_found() {
    const READ: &str = "\
world: threads
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: reader, count: 2, ops: {read: 3, mmap_load: 1}, size: {min: 4KiB, max: 64KiB}}]
";
    let memory = tempfile::tempdir_in("/dev/shm").ok();
    let stand = Stand::with(READ);
    fs::create_dir(stand.path("there")).unwrap();
    let memory = memory.as_ref().map(|dir| dir.path().to_owned());
    for there in [Some(stand.path("there")), memory].into_iter().flatten() {
        let there = fs::canonicalize(there).unwrap();
        let words = format!("run a.yaml --target {} --time 60s --json -", there.display());
        let mut child = stand.start(&words);
        let mut planted = false;
        while !planted && child.try_wait().unwrap().is_none() {
            planted = plant(child.id(), &there);
        }
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let record = ran.record();
        let violation = record.violations.first().expect("a byte is wrong");
        assert_eq!(violation.invariant, "data_matches_model", "{violation:?}");
        assert_eq!(violation.range.map(|range| range.start), Some(5000), "{violation:?}");
    }
}

/// Changes byte 5000 of the file that a process has open in that directory, once the file holds its bytes.
fn plant(process: u32, there: &std::path::Path) -> bool {
    let Ok(all) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    for path in all.flatten().map(|entry| entry.path()) {
        // It has no name there.
        if !fs::read_link(&path).is_ok_and(|name| name.starts_with(there) && name != *there) {
            continue;
        }
        let Ok(file) = fs::File::options().read(true).write(true).open(&path) else { continue };
        let mut byte = [0];
        // All of it is written when its last byte is, and then it is only read.
        let whole = file.read_at(&mut byte, (64 << 10) - 1).is_ok_and(|read| read == 1);
        if whole && file.read_at(&mut byte, 5000).is_ok_and(|read| read == 1) {
            return file.write_at(&[!byte[0]], 5000).is_ok_and(|written| written == 1);
        }
    }
    false
}
