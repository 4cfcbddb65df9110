//! Little memory for the page cache: where a group can be made, who is refused one, and that it goes.

use crate::allowed::is_allowed;
use crate::stand::{PAGESTORM, Ran, Stand};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Names an empty group for memory in which tests may make others.
const VARIABLE: &str = "PAGESTORM_TEST_CGROUP";

/// Four times as much as the page cache may have. What it draws is there, or has been taken.
const STORM: &str = "\
name: short
world: threads
time: 3s
target: {directory: ., memory: 16MiB}
files: [{name: a, size: 64MiB, layout: written}]
actors:
  - {name: w, count: 2, within: 64MiB, size: {max: 1MiB}, ops: {write: 2, read: 4, fsync: 1}}
  - {name: m, within: 64MiB, size: {max: 64KiB}, ops: {mmap_store: 2, mmap_load: 2}}
";

/// A group for one run, in which nobody else is.
struct Group(PathBuf);

impl Group {
    /// None, where tests may make none.
    fn make(name: &str) -> Option<Group> {
        let Some(all) = std::env::var_os(VARIABLE) else {
            let needs = format!("needs {VARIABLE}, an empty cgroup for memory");
            let _ = writeln!(std::io::stderr(), "skipped: runs short of memory: {needs}");
            return None;
        };
        if !is_allowed("runs short of memory", &[]) {
            return None;
        }
        let all = PathBuf::from(all);
        // The older hierarchy has no such file, and needs none.
        let subtree = all.join("cgroup.subtree_control");
        if subtree.exists() {
            fs::write(subtree, "+memory").unwrap();
        }
        let path = all.join(name);
        fs::create_dir(&path).unwrap();
        Some(Group(path))
    }

    /// `pagestorm` with these words, in the group.
    fn command(&self, stand: &Stand, words: &str) -> Command {
        let script =
            format!("echo $$ > {0}/cgroup.procs && exec {PAGESTORM} {words}", self.0.display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(stand.path(".")).stdin(Stdio::null());
        command.env("TMPDIR", stand.path("."));
        command
    }

    fn groups(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Looks until it is so, for a long time.
fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        sim::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not in half a minute");
}

/// Whether no thread of a process is in any group any more.
fn has_ended(process: &str) -> bool {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let mut states = tasks.map(|task| fs::read_to_string(task.path().join("status")));
    states.all(|status| status.map_or(true, |status| status.contains("State:\tZ")))
}

#[test]
fn a_file_larger_than_its_memory_is_taken_from_the_cache_and_stays_what_it_is() {
    let Some(group) = Group::make("larger") else { return };
    let stand = Stand::with(STORM);
    // What serves the disk is no part of what is short of memory.
    let fails = "faults: [{latency: {chance: 2%, for: 1ms}}, {io_error: {on: read, chance: 1%}}]\n";
    for (target, faults) in [("directory: .", ""), ("kernel: ext4", ""), ("kernel: ext4", fails)] {
        stand.write("a.yaml", STORM.replace("directory: .", target) + faults);
        let ran = Ran::of(group.command(&stand, "run a.yaml --json -").output().unwrap());
        assert_eq!(ran.code, Some(0), "{target}: {ran:?}");
        let record = ran.record();
        let short = record.counts.faults["memory_pressure"];
        assert!(0 < short.fired && short.armed == short.fired, "{target}: {short:?}");
        assert!(0 < record.counts.invariants["data_matches_model"], "{target}");
        let taken = ["pgsteal", "pgpgout"].map(|name| record.counts.memory.get(name));
        assert!(taken.iter().flatten().any(|pages| 0 < **pages), "{target}: {taken:?}");
        assert_eq!(record.device.mounted.unwrap().memory, Some(16 << 20));
        assert!(group.groups().is_empty(), "{target}: {:?}", group.groups());
    }
    // Somebody else is in it, to whom nothing may happen.
    let mut other = Command::new("sh");
    other.args(["-c", &format!("echo $$ > {}/cgroup.procs && exec sleep 60", group.0.display())]);
    let mut other = other.spawn().unwrap();
    while fs::read_to_string(group.0.join("cgroup.procs")).unwrap().is_empty() {
        sim::sleep(Duration::from_millis(10));
    }
    let refused = Ran::of(group.command(&stand, "run a.yaml").output().unwrap());
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.err.contains("another process is in its group"), "{refused:?}");
}

#[test]
fn memory_of_the_run_itself_is_not_what_is_short_and_nobody_is_killed_for_it() {
    let Some(group) = Group::make("buffers") else { return };
    let stand = Stand::with(STORM);
    // Much more than the page cache may have, of what nobody can take.
    let large = STORM.replace("count: 2", "count: 8").replace("1MiB", "16MiB");
    stand.write("a.yaml", large);
    let ran = Ran::of(group.command(&stand, "run a.yaml --json -").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(0 < ran.record().counts.faults["memory_pressure"].fired);
    assert!(group.groups().is_empty(), "{:?}", group.groups());
}

#[test]
fn whoever_is_killed_leaves_an_empty_group_and_the_next_takes_it_away() {
    let Some(group) = Group::make("killed") else { return };
    let stand = Stand::with(STORM);
    let words = "run a.yaml --set target.mm=own --time 60s";
    let mut child = group.command(&stand, words).spawn().unwrap();
    // Whoever maps files for it is there, too.
    let (made, its) = loop {
        if let [made] = group.groups().as_slice() {
            let its = fs::read_to_string(made.join("cgroup.procs")).unwrap();
            if 1 < its.lines().count() {
                break (made.clone(), its);
            }
        }
        assert!(child.try_wait().unwrap().is_none(), "it was to run until it is killed");
        sim::sleep(Duration::from_millis(10));
    };
    sim::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    // Whoever it has started dies with it, if not in the same moment.
    soon("all of them have ended", || its.lines().all(has_ended));
    if group.0.join("cgroup.subtree_control").exists() {
        // Nobody can be where groups below have controllers: whoever has made that group takes it away.
        return soon("an empty group can be removed", || fs::remove_dir(&made).is_ok());
    }
    let ran = Ran::of(group.command(&stand, "run a.yaml --time 1s").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!made.exists() && group.groups().is_empty());
}

#[test]
fn who_cannot_have_less_memory_is_told_what_to_do() {
    let stand = Stand::with(STORM);
    // The tests are in the same group, if there is one.
    let ran = stand.run("run a.yaml");
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("a.yaml:4:32"), "{ran:?}");
    let in_memory = ran.err.contains("that is memory itself");
    assert!(in_memory || ran.err.contains("systemd-run --scope"), "{ran:?}");
    assert!(stand.run("doctor").out.contains("memory cgroup"));
    if is_allowed("an image in memory", &[]) && Path::new("/dev/shm").exists() {
        stand.write("a.yaml", STORM.replace("directory: .", "kernel: ext4, image: /dev/shm"));
        let ran = stand.run("run a.yaml");
        assert!(ran.code == Some(5) && ran.err.contains("with `image`"), "{ran:?}");
    }
}
