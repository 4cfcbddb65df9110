//! When a filesystem asks for the pages of the source of a write.

use crate::file::{Bytes, File};
use crate::look;
use crate::memory::PAGE;
use crate::refusal::Refusal;
use crate::volume::Volume;
use crate::window::{Reins, Wanted};
use nix::errno::Errno;
use sim::{Rank, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a write that does not return for so long never does.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the write stands that tells: in the middle of the second page.
const TRIED: usize = PAGE + PAGE / 4;

static FOUND: Rank = Rank::leaf(12, "habit");

/// When a filesystem asks for the pages of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Habit {
    /// For those of everything that it is about to copy, before it copies anything.
    Ahead,
    /// For those of one page of the file, before it copies to that.
    PageByPage,
    /// For one that a copy has met and not found.
    AfterTheCopy,
}

impl Habit {
    /// The habit of a filesystem: tried on a file of its own.
    pub fn of(volume: &Volume) -> Result<Habit, Refusal> {
        let refused = |errno| Refusal::errno("a file of two pages", errno, "see dmesg");
        // No file of a scenario has such a name.
        let name = "~habit";
        let file = volume.create(name).and_then(|file| File::open(&file)).map_err(refused)?;
        volume.forget(name).map_err(refused)?;
        let wanted = Wanted { bytes: &[1; 3 * PAGE], cuts: &[], stops: &[TRIED], unreadable: None };
        // What is asked for ahead is seen at the first page that is missing.
        let (window, stops) = Reins::new(wanted, Habit::AfterTheCopy)?;
        let found = Arc::new(sim::sync::mutex(&FOUND, 0, None));
        let done = Arc::new(AtomicBool::new(false));
        let mut world = World::threads(PATIENCE);
        let file = Arc::new(file);
        let (written, over) = (Arc::clone(&file), Arc::clone(&done));
        world.spawn("writer", move || {
            let _ = written.write(0, Bytes::Stopping(&stops));
            over.store(true, Ordering::SeqCst);
        });
        let seen = Arc::clone(&found);
        world.spawn("watcher", move || *seen.lock() = Some(watch(window, &file, &done)));
        let _ = world.run();
        let found = found.lock().take();
        found.unwrap_or(Err(Refusal::errno(TRIAL, Errno::ETIME, "see dmesg")))
    }

    /// Whether a write of `len` bytes at `pos` can be made to stand when so many are copied.
    pub fn can_stand(self, (pos, len): (u64, usize), copied: usize) -> bool {
        let page = u64::try_from(PAGE).expect("a page is small");
        let whole = u64::try_from(copied).is_ok_and(|copied| (pos + copied).is_multiple_of(page));
        copied == 0
            || match self {
                Habit::Ahead => copied + 1 < len,
                Habit::PageByPage => copied < len && whole,
                Habit::AfterTheCopy => copied < len,
            }
    }
}

/// What is tried.
const TRIAL: &str = "a write that stands still in the middle of its source";

/// Waits until the write stands at its missing page, and looks what of it is in the page cache by then.
fn watch(mut window: Reins, file: &File, done: &AtomicBool) -> Result<Habit, Refusal> {
    let failed = |errno| Refusal::errno(TRIAL, errno, "see dmesg");
    while window.look().map_err(failed)?.is_none() {
        if done.load(Ordering::SeqCst) {
            let came = "it returned without having asked for all of that";
            return Err(Refusal::told(TRIAL, came, "leave out the steps that lead into writes"));
        }
        sim::pause();
    }
    let page = u64::try_from(PAGE).expect("a page is small");
    let cached = look::cached(file, 0..2 * page);
    window.let_go().map_err(failed)?;
    Ok(match cached.map_err(blind)?.pages {
        0 => Habit::Ahead,
        1 => Habit::PageByPage,
        _ => Habit::AfterTheCopy,
    })
}

/// Why nobody can say where a write stands.
fn blind(errno: Errno) -> Refusal {
    let advice = if errno == Errno::ENOSYS {
        "kernels since 6.5 have it; without it no write can be led to a place"
    } else if errno == Errno::EPERM {
        "something forbids it, a seccomp filter for instance: run outside of it"
    } else {
        "leave out the steps that lead into writes"
    };
    Refusal::errno("cachestat, which tells how far a write has come", errno, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_cachestat_is_told_by_its_name() {
        let told = blind(Errno::ENOSYS).to_string();
        assert!(told.contains("cachestat") && told.contains("since 6.5"), "{told}");
        assert!(!blind(Errno::EPERM).to_string().contains("6.5"));
    }

    #[test]
    fn where_a_write_can_stand_is_a_matter_of_habit() {
        let whole = 3 * PAGE;
        for (habit, pos, copied, can) in [
            (Habit::Ahead, 0, 0, true),
            (Habit::Ahead, 0, whole - 2, true),
            (Habit::Ahead, 0, whole - 1, false),
            (Habit::PageByPage, 0, PAGE, true),
            (Habit::PageByPage, 0, PAGE + 1, false),
            (Habit::PageByPage, 100, PAGE - 100, true),
            (Habit::PageByPage, 0, whole, false),
            (Habit::AfterTheCopy, 0, whole - 1, true),
            (Habit::AfterTheCopy, 0, whole, false),
        ] {
            assert_eq!(habit.can_stand((pos, whole), copied), can, "{habit:?} {pos} {copied}");
        }
    }
}
