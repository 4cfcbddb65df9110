//! However a run on a real filesystem dies, nothing stays behind; and what a user without rights can do.

use crate::allowed::is_allowed;
use crate::places::{Small, as_nobody};
use crate::stand::{Ran, Stand};
use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

/// Kills, over all filesystems.
const KILLS: u64 = 20;

/// A case that nothing is wrong with: replayed for ever, it is made, mounted, stormed, checked and
/// mounted again.
fn case(target: &str) -> String {
    format!(
        "name: case\nworld: threads\ntarget: {target}\nfiles: [{{name: a, size: 1MiB, layout: written}}]\n\
         actors:\n  - name: w\n    does: [write: {{at: 5, size: 64KiB, unreadable_at: 9000}}, \
         mmap_store: {{at: 0, size: 8KiB}}, fsync, punch: {{at: 0, size: 100KiB}}, sync]\n"
    )
}

/// What of a stand is still in use: loop devices over its files, mounts of it, processes of it.
fn left(stand: &Stand) -> Vec<String> {
    let path = fs::canonicalize(stand.path(".")).unwrap().display().to_string();
    let mut left = Vec::new();
    for entry in fs::read_dir("/sys/block").unwrap().flatten() {
        let backing = entry.path().join("loop/backing_file");
        if fs::read_to_string(backing).is_ok_and(|file| file.contains(&path)) {
            left.push(entry.path().display().to_string());
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    left.extend(mounts.lines().filter(|line| line.contains(&path)).map(str::to_owned));
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let is_process = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        // Those of the stand have its directory for temporary files.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if is_process && String::from_utf8_lossy(&environment).contains(&format!("TMPDIR={path}")) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            left.push(format!("{} {}", entry.path().display(), name.trim()));
        }
    }
    left
}

fn nothing_is_left(stand: &Stand, names: &[&str], when: &str) {
    for _ in 0..1_000 {
        if left(stand).is_empty() {
            break;
        }
        sim::sleep(Duration::from_millis(10));
    }
    assert_eq!(left(stand), [""; 0], "{when}");
    assert_eq!(stand.names("."), names, "{when}");
}

fn killed(mut child: Child, after: Duration) {
    sim::sleep(after);
    assert!(child.try_wait().unwrap().is_none(), "it was to run until it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn whatever_is_killed_leaves_nothing() {
    if !is_allowed("runs on filesystems of the kernel that are killed", &[]) {
        return;
    }
    let stand = Stand::new();
    let path = stand.path(".").display().to_string();
    for (name, image) in [("xfs", true), ("ext4", true), ("btrfs", true), ("tmpfs", false)] {
        let image = if image { format!(", image: {path:?}") } else { String::new() };
        stand.write(&format!("{name}.yaml"), case(&format!("{{kernel: {name}{image}}}")));
    }
    let names = stand.names(".");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for kill in 0..KILLS {
        let name = names[usize::try_from(kill).unwrap() % names.len()];
        // Over all of the first second, in which a run goes through everything once at least.
        let after = Duration::from_millis(30 + kill * 53 % 1_000);
        killed(stand.start(&format!("replay {name} --times 1000000 --quiet")), after);
        nothing_is_left(&stand, &names, &format!("{name} after {after:?}"));
    }
}

#[test]
fn a_user_without_rights_has_directories() {
    let stand = Stand::with(&case("{directory: .}"));
    let ran = as_nobody(&stand, "run a.yaml --reports out");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let refused = as_nobody(&stand, "run a.yaml --target kernel:ext4 --reports out");
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let told = |ran: &Ran, what: &str| {
        assert!(ran.out.contains(what) || ran.err.contains(what), "{ran:?}");
    };
    told(&refused, "a directory of your own needs none: --target PATH");
}

#[test]
fn a_target_that_cannot_be_had_is_told_where_it_is_asked_for() {
    let stand = Stand::new();
    stand.write("file", "");
    let tell = |target: &str, place: &str, told: &str| {
        stand.write("a.yaml", case(target));
        let ran = stand.run("run a.yaml --reports out");
        assert_eq!(ran.code, Some(5), "{target}: {ran:?}");
        assert!(ran.err.contains(&format!("a.yaml:3:{place}")), "{target}: {ran:?}");
        assert!(ran.err.contains(told), "{target}: {ran:?}");
    };
    tell("{directory: /not/there}", "21", "ENOENT");
    tell("{directory: file}", "21", "ENOTDIR");
    if Path::new("/proc/self").exists() {
        tell("{directory: /proc}", "21", "");
    }
    if !is_allowed("targets that are made", &[]) {
        return;
    }
    tell("{kernel: ext4, mkfs: [--nonsense]}", "30", "--nonsense");
    tell("{kernel: ext4, mount: nonsense=7}", "31", "nonsense");
    tell("{kernel: xfs, size: 16MiB}", "29", "300MB");
    tell("{kernel: ext4, image: /not/there}", "31", "/not/there");
    tell("{kernel: ext4, image: file}", "31", "name a directory that you may write to");
    tell("{kernel: ext4, mount: ro}", "31", "EROFS");
    let Some(_read_only) = Small::mount(stand.path("read-only"), "ro") else { return };
    tell("{directory: read-only}", "21", "EROFS");
    tell("{kernel: ext4, image: read-only}", "31", "EROFS");
    let Some(_full) = Small::mount(stand.path("full"), "size=4k") else { return };
    tell("{kernel: ext4, image: full}", "31", "full is full: make room there");
    fs::write(stand.path("full/filler"), [7; 4096]).unwrap();
    tell("{directory: full}", "21", "ENOSPC");
    assert_eq!(stand.names("full"), ["filler"]);
}
