//! Places that cannot be had: no space, no permission, no loop device.

use crate::allowed::is_allowed;
use crate::stand::{CLEAN, PAGESTORM, Ran, Stand, THREADS, is_root};
use report::record::VerdictKind;
use std::fs;
use std::os::unix::fs::PermissionsExt;
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

/// A scenario that anybody may run on a filesystem of the kernel, or in a directory.
const SMALL: &str =
    "world: threads\nops: 40\nactors: [{name: a, ops: {write: 2, truncate: 1, fsync: 1}}]\n";

/// The same of a script.
const LED: &str = "files: [{name: a, size: 64KiB, layout: written}]\n\
                   actors: [{name: T, does: [truncate: {to: 9}]}]\nscript: [truncate T]\n";

#[test]
fn who_has_no_rights_is_told_once_what_is_missing_and_how_to_have_it_allowed() {
    let stand = Stand::with(SMALL);
    fs::create_dir(stand.path("there")).unwrap();
    fs::set_permissions(stand.path("there"), fs::Permissions::from_mode(0o777)).unwrap();
    stand.write("b.yaml", SMALL);
    let ran = as_nobody(&stand, "run a.yaml b.yaml --target there");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.err.matches("dropping the cache: ").count(), 1, "{ran:?}");
    let told = "without mounting: not for this user; `kernel:` targets, with their fsck and second mount, \
                need it: be root; ";
    assert_eq!(ran.err.matches(told).count(), 1, "{ran:?}");
    let doctor = as_nobody(&stand, "doctor").out;
    let advice = told.split_once("; ").unwrap().1.trim_end();
    assert!(doctor.contains("warn  mounting             not for this user\n"), "{doctor}");
    assert!(doctor.contains(advice) && doctor.contains("dropping the cache"), "{doctor}");
    for line in ran.err.lines().filter(|line| line.starts_with("without ")) {
        let (_, advice) = line.split_once("; ").unwrap();
        assert!(doctor.contains(advice), "{line}: {doctor}");
    }
    stand.write("led.yaml", LED);
    for words in ["replay --target there led.yaml", "soak --target there --seeds 1 a.yaml"] {
        let other = as_nobody(&stand, words);
        assert_eq!(other.err.matches(told).count(), 1, "{words}: {other:?}");
    }
    let conform = as_nobody(&stand, "conform --target kernel:xfs");
    assert_eq!(conform.code, Some(5), "{conform:?}");
    assert!(conform.err.starts_with("error: xfs of its own: not for this user\n"), "{conform:?}");
    assert!(!conform.err.contains("--target PATH"), "{conform:?}");
    let made = as_nobody(&stand, "run a.yaml --target kernel:xfs");
    assert_eq!(made.code, Some(5), "{made:?}");
    assert!(made.err.contains("xfs of its own: not for this user"), "{made:?}");
    fs::set_permissions(stand.path("there"), fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        let denied = as_nobody(&stand, "run a.yaml --target there");
        assert_eq!(denied.code, Some(5), "{denied:?}");
        assert!(denied.err.contains("the user 65534 may not write there"), "{denied:?}");
    }
}

#[test]
fn what_a_target_lacks_is_told_with_what_brings_it() {
    let stand = Stand::with(SMALL);
    let nowhere = stand.run("run a.yaml --target not/there");
    assert!(nowhere.code == Some(5) && nowhere.err.contains("ENOENT"), "{nowhere:?}");
    if !is_allowed("places of targets", &[]) {
        return;
    }
    let path = stand.command("run a.yaml --target kernel:ext4").env("PATH", "/not/there").output();
    let path = Ran::of(path.unwrap());
    let told = "mkfs.ext4: not installed, or not in PATH";
    assert!(path.code == Some(5) && path.err.contains(told), "{path:?}");
    assert!(path.err.contains("apt install e2fsprogs"), "{path:?}");
    let mut bounded = Command::new("setpriv");
    bounded.args([
        "--bounding-set=-sys_admin",
        PAGESTORM,
        "run",
        "a.yaml",
        "--target",
        "kernel:xfs",
    ]);
    if let Ok(bounded) = bounded.current_dir(stand.path(".")).output() {
        let bounded = Ran::of(bounded);
        assert!(bounded.code == Some(5), "{bounded:?}");
        assert!(bounded.err.contains("no CAP_SYS_ADMIN, as in a container"), "{bounded:?}");
        assert!(bounded.err.contains("--cap-add SYS_ADMIN"), "{bounded:?}");
    }
    if let Some(_mounted) = Small::mount(stand.path("fixed"), "ro,size=4k") {
        let fixed = stand.run("run a.yaml --target fixed");
        assert_eq!(fixed.code, Some(5), "{fixed:?}");
        assert!(fixed.err.contains("it is mounted read-only"), "{fixed:?}");
    }
    stand.write("b.yaml", format!("target: {{kernel: xfs, image: /nowhere}}\n{SMALL}"));
    let image = stand.run("run b.yaml");
    assert_eq!(image.code, Some(5), "{image:?}");
    assert!(
        image.err.contains("b.yaml:1:30") && image.err.contains("make it, or name"),
        "{image:?}"
    );
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
