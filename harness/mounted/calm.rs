//! Whether anything is on its way that could wake a thread which sleeps in the kernel: I/O of the disk below,
//! or somebody of the kernel or of this process who runs.
//!
//! Who sleeps while nothing is waits for somebody who stands. This says it for every filesystem, without a
//! list of its locks, which neither `wchan` nor `stack` shows: both leave out the functions that sleep.

use crate::gate::{Counted, Gate};
use crate::volume::Volume;
use nix::sys::stat::{fstat, major, minor};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::unistd::gettid;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// What is on its way around a filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calm {
    /// Nothing, as far as all can be seen. The number counts what has come to its gate: as long as it is the
    /// same, nothing new has.
    Still(u64),
    /// Its own disk has something to do, which ends by itself.
    Works,
    /// Somebody runs who may have to do with it, or not all can be seen.
    Unknown,
}

/// Where it can be seen that a disk works.
enum Disk {
    /// In this file of the kernel's: reads and writes in flight. It may be the disk of others, too.
    Counted {
        /// The file.
        path: PathBuf,
        /// Whether it is ours alone.
        own: bool,
    },
    /// There is none.
    None,
}

/// Set in the flags of a thread of the kernel.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What is on its way around `volume`. Where its disk is `held`, what has come to its gate stays there.
pub(crate) fn calm(volume: &Volume, held: bool) -> Calm {
    let Ok(told) = volume.gate().map(Gate::told).transpose() else { return Calm::Unknown };
    let told = told.unwrap_or_default();
    if told.waiting != 0 {
        return Calm::Works;
    }
    match disk(volume) {
        Disk::None => {}
        Disk::Counted { own: true, .. } if held => {}
        Disk::Counted { path, own } => match in_flight(&path) {
            Some(0) => {}
            Some(_) if own => return Calm::Works,
            Some(_) | None => return Calm::Unknown,
        },
    }
    // Who serves a disk that is held may sleep for as long as that.
    let waiting = if held { "R" } else { "RD" };
    let kernel = threads_of_the_kernel();
    let busy = kernel.iter().any(|state| waiting.contains(state.as_str()));
    if kernel.is_empty() || busy || somebody_of_ours_runs() {
        return Calm::Unknown;
    }
    Calm::Still(arrived(&told))
}

fn arrived(told: &Counted) -> u64 {
    told.reads + told.writes + told.flushes
}

fn disk(volume: &Volume) -> Disk {
    let counted = |path: PathBuf, own| Disk::Counted { path: path.join("inflight"), own };
    if volume.spec().is_some() {
        let name = volume.device().and_then(|device| Path::new(device).file_name());
        return name.map_or(Disk::None, |name| counted(Path::new("/sys/block").join(name), true));
    }
    let root = volume.root();
    if fstatfs(root.as_fd()).is_ok_and(|told| told.filesystem_type() == TMPFS_MAGIC) {
        return Disk::None;
    }
    // Where there is no such directory, it is not to be seen.
    let number = fstat(root).map_or(0, |told| told.st_dev);
    let number = format!("{}:{}", major(number), minor(number));
    counted(Path::new("/sys/dev/block").join(number), false)
}

/// Reads and writes that a disk was given and has not done.
fn in_flight(path: &Path) -> Option<u64> {
    let told = fs::read_to_string(path).ok()?;
    told.split_whitespace().map(|number| number.parse::<u64>().ok()).sum()
}

/// The states of all of them; none where they are not to be seen.
fn threads_of_the_kernel() -> Vec<String> {
    let of_the_kernel =
        |(state, flags): (String, u64)| (flags & KERNEL_THREAD == KERNEL_THREAD).then_some(state);
    below("/proc").into_iter().filter_map(|thread| of_the_kernel(told(&thread)?)).collect()
}

/// Whether a thread of this process runs, or could, beside the one that asks.
fn somebody_of_ours_runs() -> bool {
    let own = gettid().to_string();
    let others = below("/proc/self/task").into_iter().filter(|thread| !thread.ends_with(&own));
    others.filter_map(|thread| told(&thread)).any(|(state, _)| state == "R")
}

/// The threads or processes that are listed there.
fn below(path: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_number = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
    };
    entries.filter(is_number).collect()
}

/// Its state and its flags.
fn told(thread: &Path) -> Option<(String, u64)> {
    let stat = fs::read_to_string(thread.join("stat")).ok()?;
    // The name, which stands in parentheses, may hold anything.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.nth(5)?.parse().ok()?))
}
