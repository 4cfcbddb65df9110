//! Memory that is short while actors act, so that the kernel takes pages of files when it likes: whom that
//! excuses, and what becomes of what this process itself cannot have.

use super::{Host, Real};
use crate::target::Performed;
use mounted::{Pressure, Refusal};
use nix::errno::Errno;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::op::OpKind;

/// See the module.
pub(super) struct Pressed {
    pressure: Pressure,
    bytes: u64,
    /// How often the conductor has looked up.
    looks: AtomicU64,
}

/// The limit is raised when the conductor has looked up so many times: some thirty times a second.
const OFTEN: u64 = 16;

impl Pressed {
    /// Prepares it, without any limit yet: files are laid out as fast as ever.
    pub(super) fn enter(bytes: u64, host: &Host) -> Result<Pressed, Refusal> {
        let image = host.volume.image();
        let lies_in_memory = image.and_then(|dir| statfs(dir).ok());
        let lies_in_memory = lies_in_memory
            .is_some_and(|told| [TMPFS_MAGIC, super::RAMFS].contains(&told.filesystem_type()));
        if let Some(dir) = image.filter(|_| lies_in_memory) {
            let tried = format!("`memory` with an image in {}", dir.display());
            let advice = "name a directory on a disk with `image`, or set TMPDIR to one";
            return Err(Refusal::told(tried, "that is memory itself", advice).of("memory"));
        }
        if host.is_memory() {
            let tried = format!("`memory` for {}", host.detail());
            let advice = "name a directory on a disk, or remove `memory`";
            return Err(Refusal::told(tried, "that is memory itself", advice).of("memory"));
        }
        let pressure = Pressure::enter(bytes)?;
        Ok(Pressed { pressure, bytes, looks: AtomicU64::new(0) })
    }

    /// What the page cache may have.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much came of it.
    pub(super) fn came(&self) -> u64 {
        self.pressure.came()
    }

    /// What the kernel counted of that.
    pub(super) fn told(&self) -> Vec<(&'static str, u64)> {
        self.pressure.told()
    }
}

impl Real {
    /// Makes memory short from now on, if that was asked for. Nobody acts.
    pub(super) fn press(&self) {
        if let Some(pressed) = &self.pressure {
            // What could not be set shows in the count.
            let _ = pressed.pressure.set();
        }
    }

    /// There is memory enough: whoever looks at files while nobody acts holds all of their bytes.
    pub(super) fn relieve(&self) {
        if let Some(pressed) = &self.pressure {
            let _ = pressed.pressure.relieve();
        }
    }

    /// Those who act have memory of their own beside it, which may have grown.
    pub(super) fn press_on(&self) {
        let Some(pressed) = &self.pressure else { return };
        if pressed.looks.fetch_add(1, Ordering::Relaxed) % OFTEN == 0 {
            let _ = pressed.pressure.raise();
        }
    }

    /// How often there had been no memory for somebody, before a call of that kind. An error of writeback is
    /// told by whoever asks for it, however late.
    pub(super) fn lacked_before(&self, kind: OpKind) -> Option<u64> {
        let pressed = self.pressure.as_ref()?;
        let syncs =
            [OpKind::Fsync, OpKind::Fdatasync, OpKind::Sync, OpKind::Msync, OpKind::SyncRange];
        Some(if syncs.contains(&kind) { 0 } else { pressed.pressure.lacked() })
    }

    /// Whether a call may have fallen short since there was no memory for it.
    pub(super) fn has_lacked(&self, before: Option<u64>, performed: &Performed) -> bool {
        let fell_short = performed.outcome != Ok(performed.asked);
        let lacked = || self.pressure.as_ref().map(|pressed| pressed.pressure.lacked());
        fell_short && before.is_some() && before != lacked()
    }

    /// What came of preparing a call. Without memory for that nothing is known of the filesystem, and the
    /// storm is refused; unless it was to be short.
    pub(super) fn prepared<T>(&self, what: &str, came: Result<T, Errno>) -> Result<T, Errno> {
        let lacked = || self.pressure.as_ref().is_some_and(|it| 0 < it.pressure.lacked());
        if let Err(errno) = came
            && errno == Errno::ENOMEM
            && !lacked()
        {
            let advice =
                "free memory, or raise how much of it, and how many mappings, a process may have";
            self.unprepared.get_or_init(|| Refusal::errno(what, errno, advice));
        }
        came
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;
    use super::*;

    #[test]
    fn memory_that_is_not_to_be_had_for_a_call_is_no_answer_of_the_filesystem() {
        let trial = Trial::new();
        assert_eq!(trial.real.prepared("it", Ok(5)), Ok(5));
        assert_eq!(trial.real.prepared::<()>("it", Err(Errno::EIO)), Err(Errno::EIO));
        assert!(trial.real.unprepared.get().is_none(), "these are others' answers");
        assert_eq!(trial.real.prepared::<()>("it", Err(Errno::ENOMEM)), Err(Errno::ENOMEM));
        let refusal = trial.real.unprepared.get().unwrap();
        assert!(refusal.tried == "it" && refusal.came.starts_with("ENOMEM"), "{refusal}");
    }

    #[test]
    fn without_a_limit_nobody_has_lacked_memory() {
        let trial = Trial::new();
        let failed = Performed::plain(Err(stormfs::errno::Errno::Other(12)));
        for kind in [OpKind::Write, OpKind::Fsync] {
            assert!(!trial.real.has_lacked(trial.real.lacked_before(kind), &failed));
        }
    }
}
