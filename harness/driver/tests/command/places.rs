//! Places that cannot be had: no space, no permission, no loop device.

use crate::allowed::is_allowed;
use crate::stand::{CLEAN, PAGESTORM, Ran, Stand, THREADS, is_root};
use report::record::VerdictKind;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// A tmpfs that is unmounted when it is dropped.
pub(crate) struct Small(PathBuf);

impl Small {
    /// None if this machine does not let us mount.
    pub(crate) fn mount(at: PathBuf, options: &str) -> Option<Small> {
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "small"]).arg(&at);
        let mounted =
            is_allowed("a full disk", &[]) && mount.status().is_ok_and(|status| status.success());
        mounted.then(|| Small(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_keeps_the_verdict_and_nothing_half_written() {
    let stand = Stand::with(CLEAN);
    let tiny = Small::mount(stand.path("tiny"), "size=4k");
    // Where nothing can be mounted, a directory that is none has to do.
    let place = if tiny.is_some() { "tiny" } else { "a.yaml" };
    let ran = stand.run(&format!("run a.yaml --reports {place}/reports"));
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.out.starts_with("clean: clean, as expected"), "{ran:?}");
    assert!(ran.err.contains("the report was not written: "), "{ran:?}");
    assert_eq!(stand.names(&format!("{place}/reports/clean-0x1")), [""; 0]);
    let ran = stand.run(&format!("run a.yaml --json {place}/x.json"));
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("x.json was not written: "), "{ran:?}");
    if tiny.is_some() {
        assert_eq!(stand.names("tiny"), ["reports"]);
    }
}

#[test]
fn a_full_stdout_is_told() {
    let stand = Stand::with(CLEAN);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = stand.command("run a.yaml --json -").stdout(full).output().unwrap();
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("stdout cannot be written"), "{ran:?}");
}

/// The command as a user without rights; as it is, if the tests have none themselves.
pub(crate) fn as_nobody(stand: &Stand, words: &str) -> Ran {
    // The build may lie where only its owner may look.
    let copy = stand.path("pagestorm");
    if !copy.exists() {
        // By another process: a file that is open for writing here, when another test starts a
        // program, is held by that program for a moment, and cannot be run.
        assert!(Command::new("cp").arg(PAGESTORM).arg(&copy).status().unwrap().success());
    }
    let mut command = Command::new(copy);
    command.args(words.split_whitespace()).current_dir(stand.path("."));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ran::of(command.output().unwrap())
}

#[test]
fn without_loop_devices_an_image_is_taken_and_the_reason_told() {
    let stand = Stand::with(THREADS);
    let ran = as_nobody(&stand, "run a.yaml --time 200ms");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let first = ran.err.lines().next().unwrap();
    assert!(first.contains("; image: ") && first.contains("/dev/loop-control"), "{first}");
    assert!(stand.record().device.detail.starts_with("image: "));
    assert!(!stand.record().device.detail.contains("not opened"));
}

#[test]
fn a_loop_device_that_must_be_and_cannot_is_told_with_what_to_do() {
    let stand = Stand::with(THREADS);
    let ran = as_nobody(&stand, "run a.yaml --device loop");
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.out.contains("--device image"), "{ran:?}");
    assert_eq!(stand.record().verdict.kind, VerdictKind::Environment);
    assert!(stand.record().device.detail.starts_with("not opened: "));
}

#[test]
fn the_doctor_finds_that_simulations_run_for_everybody() {
    let stand = Stand::new();
    let ran = as_nobody(&stand, "doctor");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("ok    simulated world "), "{ran:?}");
    assert!(ran.out.contains("warn  loop devices "), "{ran:?}");
    for line in ran.out.lines() {
        let begins = ["ok    ", "warn  ", "      "].iter().any(|mark| line.starts_with(mark));
        assert!(begins, "{line}");
    }
}
