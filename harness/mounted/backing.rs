//! The directory whose filesystem holds an image, and how much room is left there.

use crate::lent::DIRECTORY;
use crate::refusal::Refusal;
use nix::fcntl::open;
use nix::sys::stat::Mode;
use nix::sys::statvfs::{Statvfs, fstatvfs};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
pub struct Backing {
    dir: PathBuf,
    root: OwnedFd,
    /// Whether it was full when something failed above it.
    failed: AtomicBool,
}

/// With less than that some filesystems have no block for an image any more.
const LEAST: u64 = 1 << 20;

/// Where nobody but root has any left, with less than that root has none either: ext4 keeps up to 4096
/// clusters for itself.
const KEPT: u64 = 32 << 20;

impl Backing {
    /// None if it cannot be opened: then nobody knows.
    pub(crate) fn of(dir: &Path) -> Option<Backing> {
        let root = open(dir, DIRECTORY, Mode::empty()).ok()?;
        Some(Backing { dir: dir.to_owned(), root, failed: AtomicBool::new(false) })
    }

    /// Something has failed that may have wanted a block: looks whether there are any.
    pub fn look(&self) {
        if self.is_full() {
            self.failed.store(true, Ordering::SeqCst);
        }
    }

    /// Why nothing is known of the filesystem: its image was full when this was looked at.
    pub fn refusal(&self) -> Option<Refusal> {
        let told = || Refusal::told(TRIED, format!("{} is full", self.dir.display()), ADVICE);
        self.failed.load(Ordering::SeqCst).then(told)
    }

    /// What to do if no more fits there. An image has holes: only what is written takes room.
    pub(crate) fn advice(&self) -> Option<String> {
        let advice =
            || format!("{} is full: make room there, or name another `image`", self.dir.display());
        self.is_full().then(advice)
    }

    /// That there is less room than an image of that size may come to take, for people.
    pub(crate) fn remark(&self, size: u64) -> String {
        let told = |free| format!(", with {} MiB free there for {} MiB", free >> 20, size >> 20);
        self.space()
            .map(|space| free(&space))
            .filter(|free| *free < size)
            .map(told)
            .unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        let Some(space) = self.space() else { return false };
        let least = if space.blocks_available() == 0 { KEPT } else { LEAST };
        free(&space) < least
    }

    /// None where nobody says how much there is: a tmpfs without a bound has no blocks at all.
    fn space(&self) -> Option<Statvfs> {
        fstatvfs(&self.root).ok().filter(|space| space.blocks() != 0)
    }
}

/// Bytes that are free for whoever may take the last of them.
fn free(space: &Statvfs) -> u64 {
    space.blocks_free().saturating_mul(space.fragment_size())
}

const TRIED: &str = "a block of the image";

const ADVICE: &str = "nothing is known of the filesystem: make room there, or name another `image`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use crate::kind::Kind;
    use crate::volume::{Spec, Venue, Volume};
    use nix::errno::Errno;
    use nix::sys::uio::pwrite;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_directory_that_is_full_explains_what_fails_above_it() {
        if !is_allowed("an image in a directory that is full", &[]) {
            return;
        }
        for kind in [Kind::Tmpfs, Kind::Ext4] {
            explains_what_fails(kind);
        }
    }

    fn explains_what_fails(kind: Kind) {
        let small = Spec { size: 1 << 26, ..Spec::plain(kind) };
        let small = Volume::open(&Venue::Made(small)).unwrap();
        let dir = format!("/proc/self/fd/{}", small.root().as_raw_fd());
        let image = Some(PathBuf::from(&dir));
        let volume = Volume::open(&Venue::Made(Spec { image, ..Spec::plain(Kind::Ext4) })).unwrap();
        assert!(volume.detail.contains(" MiB free there for 128 MiB"), "{}", volume.detail);
        let backing = volume.backing().expect("it has an image");
        backing.look();
        assert_eq!(backing.refusal(), None);
        let filler = small.create("filler").unwrap();
        let mut end = 0;
        while pwrite(&filler, &[7; 4096], end) == Ok(4096) {
            end += 4096;
        }
        assert_eq!(pwrite(&filler, &[7; 4096], end), Err(Errno::ENOSPC), "{kind:?}");
        assert_eq!(backing.refusal(), None, "nothing has failed");
        backing.look();
        let refusal = backing.refusal().expect("it is full");
        assert_eq!(refusal.came, format!("{dir} is full"));
        nix::unistd::ftruncate(&filler, 0).unwrap();
        assert_eq!(backing.refusal(), Some(refusal), "whatever comes later");
    }
}
