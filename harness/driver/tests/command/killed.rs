//! However a run on a real filesystem dies, nothing stays behind; and what a user without rights can do.

use crate::allowed::is_allowed;
use crate::places::{Small, as_nobody};
use crate::stand::{Ran, Stand};
use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
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
         mmap_store: {{at: 0, size: 8KiB}}, fsync, punch: {{at: 0, size: 100KiB}}, sync]\n  \
         - name: m\n    does: [mmap_store: {{at: 64KiB, size: 8KiB}}, mmap_load: {{at: 0, size: 8KiB}}]\n"
    )
}

/// A case whose disk is slow and fails: a gate stands before it.
fn behind_a_gate(target: &str) -> String {
    let faults = "{latency: {chance: 30%, for: 5ms}}, {io_error: {on: write, chance: 5%}}";
    format!("{}faults: [{faults}]\n", case(target))
}

/// A script that holds the disk until it is killed, or for a second and a half.
fn holding(target: &str) -> String {
    format!(
        "name: holding\nworld: threads\ntarget: {target}\nfiles: [{{name: a, size: 0}}]\nactors:\n  \
         - {{name: w, does: [append: {{size: 8KiB}}, fsync]}}\n  - {{name: b, does: [writeback]}}\nscript:\n  \
         - run w until returned\n  - hold disk at ioend.before_convert\n  - run b\n  \
         - run w until blocked\n  - resume disk\n"
    )
}

/// Processes of a stand: those that have its directory for temporary files.
fn processes(stand: &Stand) -> Vec<PathBuf> {
    let path = fs::canonicalize(stand.path(".")).unwrap().display().to_string();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let is_process = |entry: &DirEntry| entry.file_name().to_string_lossy().parse::<u32>().is_ok();
    let is_its = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&format!("TMPDIR={path}"))
    };
    all.filter(is_process).map(|entry| entry.path()).filter(is_its).collect()
}

/// The loop devices that these processes have open, each with the number of its attachment: what is
/// mounted where nobody sees it, or lies behind a gate, shows in them alone.
fn loops(processes: &[PathBuf]) -> BTreeSet<(String, String)> {
    let open = processes.iter().flat_map(|process| fs::read_dir(process.join("fd")));
    let targets = open.flatten().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
    let names = targets.filter_map(|target| {
        let name = target.strip_prefix("/dev").ok()?.to_str()?;
        name.strip_prefix("loop")?.parse::<u32>().ok().map(|_| name.to_owned())
    });
    names.filter_map(|name| attachment(&name).map(|number| (name, number))).collect()
}

/// Of a loop device, if it is attached to anything. No number comes twice.
fn attachment(name: &str) -> Option<String> {
    let device = Path::new("/sys/block").join(name);
    let attached = device.join("loop/backing_file").exists();
    fs::read_to_string(device.join("diskseq")).ok().filter(|_| attached)
}

/// What of a stand is still in use: loop devices over its files, those among `before` that are still
/// attached, mounts of it, processes of it.
fn left(stand: &Stand, before: &BTreeSet<(String, String)>) -> Vec<String> {
    let path = fs::canonicalize(stand.path(".")).unwrap().display().to_string();
    let stays = before.iter().filter(|(name, number)| attachment(name).as_ref() == Some(number));
    let mut left: Vec<_> = stays.map(|(name, _)| name.clone()).collect();
    for entry in fs::read_dir("/sys/block").unwrap().flatten() {
        let backing = entry.path().join("loop/backing_file");
        if fs::read_to_string(backing).is_ok_and(|file| file.contains(&path)) {
            left.push(entry.path().display().to_string());
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    left.extend(mounts.lines().filter(|line| line.contains(&path)).map(str::to_owned));
    for process in processes(stand) {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        left.push(format!("{} {}", process.display(), name.trim()));
    }
    left
}

/// Looks until nothing is left, for far longer than a gate serves a device that somebody still has.
fn nothing_is_left(stand: &Stand, names: &[&str], (when, killed): (&str, &Killed)) {
    for _ in 0..3_000 {
        if left(stand, &killed.loops).is_empty() {
            break;
        }
        sim::sleep(Duration::from_millis(10));
    }
    assert_eq!(left(stand, &killed.loops), [""; 0], "{when}");
    assert_eq!(stand.names("."), names, "{when}");
    let shared = fs::read_dir("/dev/shm").unwrap().flatten();
    let shared = shared.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let its = format!("pagestorm-{}-", killed.process);
    assert_eq!(shared.filter(|name| name.contains(&its)).collect::<Vec<_>>(), [""; 0], "{when}");
}

/// Somebody who was.
struct Killed {
    process: u32,
    /// The loop devices that were open then.
    loops: BTreeSet<(String, String)>,
}

fn killed(stand: &Stand, mut child: Child, after: Duration) -> Killed {
    sim::sleep(after);
    assert!(child.try_wait().unwrap().is_none(), "it was to run until it is killed");
    let (process, loops) = (child.id(), loops(&processes(stand)));
    child.kill().unwrap();
    child.wait().unwrap();
    Killed { process, loops }
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
        stand.write(&format!("{name}.yaml"), case(&format!("{{kernel: {name}{image}, mm: own}}")));
    }
    let names = stand.names(".");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for kill in 0..KILLS {
        let name = names[usize::try_from(kill).unwrap() % names.len()];
        // Over all of the first second, in which a run goes through everything once at least.
        let after = Duration::from_millis(30 + kill * 53 % 1_000);
        let child = stand.start(&format!("replay {name} --times 1000000 --quiet"));
        let killed = killed(&stand, child, after);
        nothing_is_left(&stand, &names, (&format!("{name} after {after:?}"), &killed));
    }
}

#[test]
fn whatever_is_killed_behind_a_gate_leaves_nothing() {
    if !is_allowed("runs behind a gate that are killed", &["/dev/fuse"]) {
        return;
    }
    let stand = Stand::new();
    let names: Vec<_> = ["xfs", "ext4", "btrfs"]
        .into_iter()
        .flat_map(|name| [format!("{name}-fails.yaml"), format!("{name}-holds.yaml")])
        .collect();
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    for name in &names {
        let kernel = name.split('-').next().unwrap();
        let text = if name.contains("holds") {
            holding(&format!("{{kernel: {kernel}}}"))
        } else {
            behind_a_gate(&format!("{{kernel: {kernel}, mm: own}}"))
        };
        stand.write(name, text);
    }
    let mut seen = 0;
    for kill in 0..KILLS {
        let name = names[usize::try_from(kill).unwrap() % names.len()];
        let after = Duration::from_millis(100 + kill * 97 % 1_300);
        let child = if name.contains("holds") {
            // One after the other, for longer than anybody looks.
            let kernel = name.split('-').next().unwrap();
            stand.start(&format!("replay --target kernel:{kernel} {}", [name; 1000].join(" ")))
        } else {
            stand.start(&format!("replay {name} --times 1000000 --quiet"))
        };
        let killed = killed(&stand, child, after);
        seen += killed.loops.len();
        nothing_is_left(&stand, &names, (&format!("{name} after {after:?}"), &killed));
    }
    assert!(0 < seen, "no loop device was ever seen: what is left would not be either");
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
    told(&refused, "a directory needs none of it");
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
    tell("{kernel: ext4, image: file}", "31", "it is no directory");
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
