//! `bench --against`: what is said when the other tool is not there, is no tool, or fails.

use crate::stand::Stand;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

#[test]
fn a_tool_that_cannot_be_measured_is_told_with_what_to_do() {
    let stand = Stand::new();
    stand.write("broken", "#!/bin/sh\necho 'seed set'\necho 'short read: 0x1 bytes'\nexit 141\n");
    stand.write("silent", "#!/bin/sh\nexit 3\n");
    stand.write("text", "no program\n");
    for name in ["broken", "silent"] {
        fs::set_permissions(stand.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (against, code, told) in [
        ("fio=broken", 2, "the tool is fsx"),
        ("fsx=", 2, "fsx=/usr/lib/xfstests/ltp/fsx"),
        ("fsx=./nowhere", 5, "./nowhere cannot be run: No such file"),
        ("fsx=./text", 5, "./text cannot be run: Permission denied"),
        ("fsx=./broken", 5, "exit status: 141, short read: 0x1 bytes"),
        ("fsx=./silent", 5, "exit status: 3, and it said nothing"),
        ("fsx=/bin/true", 5, "/bin/true is no fsx: it ended well, but it did not make the file"),
    ] {
        let ran = stand.run(&format!("bench --against {against}"));
        assert_eq!(ran.code, Some(code), "{against}: {ran:?}");
        assert!(ran.err.contains(told), "{against}: {ran:?}");
        assert!(ran.out.is_empty(), "{against}: {ran:?}");
    }
}

#[test]
fn a_bench_that_is_ended_leaves_nothing_and_says_by_what() {
    let stand = Stand::new();
    stand.write("waits", "#!/bin/sh\necho $$ > pid\nexec sleep 600\n");
    fs::set_permissions(stand.path("waits"), fs::Permissions::from_mode(0o755)).unwrap();
    if !Path::new("/dev/shm").is_dir() {
        return;
    }
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let _ = fs::remove_file(stand.path("pid"));
        let mut child = stand.start("bench --against fsx=./waits");
        let place = format!("/dev/shm/pagestorm-bench-{}", child.id());
        let pid = || fs::read_to_string(stand.path("pid")).ok()?.trim().parse::<u32>().ok();
        until("the tool runs", || pid().is_some());
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(!Path::new(&place).exists(), "{place}");
        assert!(!Path::new(&format!("/proc/{}", pid().unwrap())).exists());
    }
}

/// Until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if so() {
            return;
        }
        sim::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

#[test]
fn a_bench_that_is_killed_takes_its_tool_with_it_and_the_next_one_sweeps_its_files() {
    let stand = Stand::new();
    stand.write("waits", "#!/bin/sh\necho $$ > pid\nexec sleep 600\n");
    stand.write("fails", "#!/bin/sh\nexit 3\n");
    for name in ["waits", "fails"] {
        fs::set_permissions(stand.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    if !Path::new("/dev/shm").is_dir() {
        return;
    }
    let mut child = stand.start("bench --against fsx=./waits");
    let place = format!("/dev/shm/pagestorm-bench-{}", child.id());
    let pid = || fs::read_to_string(stand.path("pid")).ok()?.trim().parse::<u32>().ok();
    until("the tool runs", || pid().is_some());
    assert!(Path::new(&place).is_dir());
    child.kill().unwrap();
    child.wait().unwrap();
    let tool = format!("/proc/{}/stat", pid().unwrap());
    // Of one that has ended and that nobody waits for, a Z is left.
    let gone = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'));
    until("the tool is gone", || fs::read_to_string(&tool).map_or(true, gone));
    let _ = stand.run("bench --against fsx=./fails");
    assert!(!Path::new(&place).exists(), "{place}");
}
