//! Things that have one owner: the world, the system's own threads, lock ranks, unsafe code.

use crate::tree::{Source, exactly, none, sources};
use std::collections::BTreeSet;

/// Who defines ranks beside the order of the filesystem's own locks.
const RANKS: &[(&str, &str)] = &[
    ("block/device.rs", "a device's queue and its answers; below every lock of a filesystem"),
    ("block/faults.rs", "what happened to bios is noted by workers that hold nothing else"),
    ("block/file.rs", "which sectors of a file were written: a leaf below the device's"),
    ("block/ram.rs", "the chunks of memory: a leaf below the device's"),
    ("driver/bench.rs", "a lock of its own in a world of its own, to be measured"),
    ("driver/chronicle.rs", "what a case does is noted at points, under the filesystem's locks"),
    (
        "driver/director.rs",
        "what a step waits for is asked at points, under the filesystem's locks",
    ),
    ("driver/explain/watcher.rs", "what an onlooker saw is noted under the filesystem's locks"),
    ("driver/following.rs", "what became of a switch is noted where the task is chosen"),
    (
        "driver/incidents.rs",
        "which faults struck is noted at points and by workers, under the filesystem's locks",
    ),
    ("driver/in_order.rs", "which calls have ended is asked by whoever waits for its turn"),
    (
        "driver/memory.rs",
        "what an actor of threads did last is noted by that actor, between two calls",
    ),
    ("driver/real/hands.rs", "the memory of one task, which nobody else takes"),
    ("driver/real/lead.rs", "where a led actor stands, asked by the conductor: leaves"),
    (
        "driver/real/mod.rs",
        "who moves bytes is alone with a file, outside all other locks; steps that were performed",
    ),
    ("driver/real/whereabouts.rs", "the threads of tasks, which nobody waits for: a leaf"),
    ("driver/recording.rs", "what happened is noted at points, under the filesystem's locks"),
    ("driver/script.rs", "why a script could not be followed is noted by the conductor alone"),
    ("driver/stage.rs", "what happened is counted by actors that hold nothing else"),
    ("mounted/gate/link.rs", "one question at a time is asked of the process behind a gate"),
    ("mounted/habit.rs", "what a trial has found, in a world of its own"),
    ("mounted/companion.rs", "one call at a time, below the bytes that it moves"),
    ("mounted/mapping.rs", "the bytes of one load or store, below all that its caller holds"),
    ("oracle/docket.rs", "a verdict is taken under every other lock, and is a leaf"),
    ("oracle/outside.rs", "the shadow of a file that is looked at from outside only: a leaf"),
    (
        "oracle/watch.rs",
        "the shadow is taken under the filesystem's locks, and looks at its leaves",
    ),
    ("sim/sync.rs", "a lock that nobody gave a rank is below every other"),
    ("stormfs/locks.rs", "the lock order"),
];

/// Who may write unsafe code.
const UNSAFE: &[(&str, &str)] = &[
    ("block/loop_dev.rs", "the ioctls of loop devices"),
    ("mounted/clone.rs", "the ioctl that shares blocks"),
    ("mounted/companion.rs", "any call, in another process"),
    ("mounted/descriptors.rs", "the limit of open files, which nobody wraps here"),
    ("mounted/direct.rs", "statx, which tells what O_DIRECT wants"),
    ("mounted/faults.rs", "the ioctls of userfaultfd"),
    ("mounted/file.rs", "sync_file_range, which nobody wraps"),
    ("mounted/forked.rs", "a fork, and the end of the child"),
    ("mounted/gate/server.rs", "what it does with descriptors and memory, which nobody wraps"),
    ("mounted/look.rs", "cachestat, which nobody wraps, and the ioctl of FIEMAP"),
    ("mounted/mapping.rs", "calls on what is mapped, in whichever process that is"),
    ("mounted/mm.rs", "any call, in one process or another"),
    ("mounted/memory.rs", "pages that come and go, known by address only"),
    ("mounted/tool.rs", "what a child does between fork and exec"),
    ("sim/simulated.rs", "a task reaches its coroutine from any depth of its own stack"),
    ("sim/sync.rs", "lock_api asks its locks to promise exclusion"),
];

/// Who may speak of the operating system's own locks and threads.
const THREADS: &[(&str, &str)] = &[("sim/threads.rs", "it is the threads world")];

#[test]
fn one_file_tells_the_worlds_apart() {
    let mut breaches = Vec::new();
    for source in sources() {
        let code = source.shipped();
        let may = |files: &[&str]| files.contains(&source.path.as_str());
        if code.contains("Here::") && !may(&["sim/wait.rs"]) {
            breaches.push(format!("{}: asks which world it is in", source.path));
        }
        let inside = code.contains("simulated::") || code.contains("threads::");
        if inside && source.member() == "sim" && !may(&["sim/wait.rs", "sim/world.rs"]) {
            breaches.push(format!("{}: goes past wait.rs", source.path));
        }
        let starts = code.contains("World::") || code.contains("world::World");
        if starts && ["block", "stormfs", "oracle"].contains(&source.member()) {
            breaches.push(format!("{}: knows of worlds", source.path));
        }
    }
    none("only sim/wait.rs matches on the world, and only driver makes one", &breaches);
}

#[test]
fn one_file_uses_the_systems_threads_and_locks() {
    let users = files_where(names_system_locks);
    exactly("the system's own locks and threads are for sim/threads.rs", &users, THREADS);
}

#[test]
fn ranks_have_owners() {
    let defines = |code: &str| code.contains("Rank::new(") || code.contains("Rank::leaf(");
    exactly("ranks are defined where the lock order is", &files_where(defines), RANKS);
}

#[test]
fn unsafe_code_has_owners() {
    let expects = |code: &str| code.contains("unsafe_code") || code.contains("unsafe {");
    exactly("unsafe code is for a few files", &files_where(expects), UNSAFE);
}

/// The files whose shipped code is `such`.
fn files_where(such: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let sources = sources();
    let hit = |source: &&Source| such(&source.shipped());
    sources.iter().filter(hit).map(|source| source.path.clone()).collect()
}

/// Whether `code` names something of the standard library that can stop or start a thread.
/// `panicking` only asks.
fn names_system_locks(code: &str) -> bool {
    const STOPPING: &[&str] = &["Mutex", "RwLock", "Condvar", "Barrier", "mpsc"];
    let threads =
        code.matches("std::thread").count() - code.matches("std::thread::panicking").count();
    let stops = |rest: &str| {
        let list = rest.split(';').next().unwrap_or("");
        let names = list.split(|c: char| !c.is_alphanumeric());
        let mut names = if list.starts_with('{') { names.take(32) } else { names.take(1) };
        names.any(|name| STOPPING.contains(&name))
    };
    threads > 0 || code.split("std::sync::").skip(1).any(stops)
}

#[test]
fn system_locks_are_seen() {
    let rows = [
        ("use std::sync::{Arc, Mutex};", true),
        ("let a: std::sync::RwLock<u8>;", true),
        ("std::thread::scope(f)", true),
        ("use std::sync::Arc; use sim::Mutex;", false),
        ("use std::sync::atomic::AtomicU64; struct Mutex;", false),
        ("std::thread::panicking()", false),
    ];
    for (code, expected) in rows {
        assert_eq!(names_system_locks(code), expected, "{code}");
    }
}
