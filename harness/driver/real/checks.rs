//! What is looked at when nobody acts: the files as they stand, and at the end from the device, after a
//! check by the filesystem's own tool.

use super::holes::{STEP, goes_on};
use super::{Host, Real, WHOLE};
use mounted::direct::Aligned;
use mounted::{Ability, File, Volume, look};
use nix::errno::Errno;
use nix::sys::statvfs::fstatvfs;
use nix::sys::uio::pread;
use oracle::extents::extents_below_eof_are_allocated_after_sync;
use oracle::outside::{Outside, Seen};
use oracle::results::results_are_good_when_quiet;
use oracle::space::{space_on_disk_passes_its_own_check, space_survives_a_mount};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use stormfs::op::OpKind;
use stormfs::quantity::{ByteRange, narrow, wide};

/// How often the kernel is asked to let go of what is cached.
const TRIES: u32 = 20;

impl Real {
    /// Every file as it stands.
    pub(super) fn look_at_everything(&self) {
        for number in 0..self.names.len() {
            self.look_at(number, self.file(number), Seen::Standing);
        }
    }

    /// After an fsync, and from the device with an empty cache.
    pub(super) fn look_at_the_end(&self) {
        for number in 0..self.names.len() {
            let mut synced = self.file(number).sync();
            if synced.is_err() && self.excuses_a_sync() {
                // It is told once.
                synced = self.file(number).sync();
            }
            judge_quiet(&self.oracle, number, "fsync", synced.err());
            self.look_at(number, self.file(number), Seen::Standing);
            if synced.is_ok() {
                self.judge_promises(number);
                self.look_from_disk(number, Seen::Reread);
            }
        }
    }

    /// Whether a sync may tell of something that is no fault of the filesystem.
    fn excuses_a_sync(&self) -> bool {
        let was_short = || self.room.may_have_been_short(self.host.volume.root());
        let kind = OpKind::Fsync;
        self.collisions.excuses(kind) || self.failing.excuses(kind) || was_short()
    }

    /// Nothing that would be seen now tells anything of the filesystem.
    pub(super) fn abandon(self) {
        forget(&self.host, &self.names);
    }

    /// Everybody has gone: a check of what lies on the device, and the files from a mount of its own.
    pub(super) fn conclude(self) {
        let Real { host, oracle, names, files, hands, shares, pressure, .. } = self;
        // Tools that check a filesystem have as much memory as there is.
        drop(pressure);
        // Blocks may be kept ready for the next copy on write of shared ones, until it is unmounted.
        let free = if shares { None } else { settled(&host.volume, &files) };
        drop((files, hands));
        let host = match Arc::try_unwrap(host) {
            Ok(host) => host,
            Err(host) => return forget(&host, &names),
        };
        let Host { volume, .. } = host;
        let Some(unmounted) = volume.unmount() else { return };
        let judge = |complaint: Option<String>| {
            let complaint = complaint.as_deref();
            oracle.judge_overall(space_on_disk_passes_its_own_check(oracle.checks(), complaint));
        };
        judge(unmounted.check().err().map(|refusal| refusal.to_string()));
        let volume = match unmounted.mount() {
            Ok(volume) => volume,
            Err(refusal) => return judge(Some(refusal.to_string())),
        };
        if let (Some(before), Some(after)) = (free, free_blocks(&volume)) {
            oracle.judge_overall(space_survives_a_mount(oracle.checks(), before, after));
        }
        for (number, name) in names.iter().enumerate() {
            match volume.reopen(name) {
                Ok(file) => {
                    look_at(&oracle, number, file, Seen::Reread);
                }
                Err(errno) => judge(Some(format!("the file {name} cannot be opened: {errno}"))),
            }
        }
    }

    /// With nothing cached, or past the cache where the kernel does not let go of it. Whether all of it was
    /// seen, and nothing is cached that may be something else.
    pub(super) fn look_from_disk(&self, number: usize, how: Seen) -> bool {
        if self.host.is_memory() {
            return false;
        }
        let file = self.file(number);
        let Some(kept) = self.kept(number) else { return self.look_at(number, file, how) };
        let direct = file.direct().filter(|_| self.host.abilities.has(Ability::Direct));
        match direct {
            Some(direct) => self.look_past_the_cache(number, direct),
            None => self.unconfirmed(format!("{kept}, and there is no direct I/O")),
        }
        false
    }

    /// Why a read of a file would not be one of the device, even now that it is out of the cache as far as
    /// that can be had.
    fn kept(&self, number: usize) -> Option<String> {
        match self.emptied(number, WHOLE, || ()) {
            Ok(0) => None,
            Ok(_) => Some("its pages stay in the cache".to_owned()),
            Err(errno) => Some(format!("cachestat does not tell what is cached ({errno:?})")),
        }
    }

    /// Pages of a file that are left in the cache when the kernel was asked to let go of them, as often
    /// as it takes, with `between` after each time in vain.
    pub(super) fn emptied(
        &self,
        number: usize,
        range: ByteRange,
        between: impl Fn(),
    ) -> Result<u64, Errno> {
        let mut left = 0;
        for _ in 0..TRIES {
            // What it says is not what came of it.
            let _ = self.evict(number, range);
            left = look::cached(self.file(number), range.start..range.end)?.pages;
            if left == 0 {
                break;
            }
            between();
        }
        Ok(left)
    }

    fn look_past_the_cache(&self, number: usize, direct: BorrowedFd<'_>) {
        let mut aligned = match Aligned::new(STEP) {
            Ok(aligned) => aligned,
            Err(errno) => {
                return self.unconfirmed(format!("there is no memory for it ({errno:?})"));
            }
        };
        let unit = narrow(self.host.abilities.direct_unit.max(1));
        look_with(&self.oracle, number, self.file(number), Seen::Reread, |bytes, pos| {
            let wanted = bytes.len();
            bytes.resize(wanted.next_multiple_of(unit), 0);
            aligned.read(direct, pos, bytes).map(|found| found.min(wanted))
        });
    }

    /// A file was not read again from the device.
    fn unconfirmed(&self, why: String) {
        *self.unconfirmed.lock().entry(why).or_default() += 1;
    }

    /// Reserved blocks that no fsync turned into any.
    fn judge_promises(&self, number: usize) {
        if !self.host.abilities.has(Ability::Fiemap) {
            return;
        }
        let file = self.file(number);
        let Ok((size, _)) = look::size_and_space(file) else { return };
        let Ok(extents) = look::extents(file, 0..size) else { return };
        let left = extents.iter().find(|extent| extent.is_delalloc);
        let left = left.map(|extent| ByteRange::at(extent.start, extent.len));
        let verdict = extents_below_eof_are_allocated_after_sync(self.oracle.checks(), left);
        self.oracle.judge(number, None, verdict);
    }

    /// What `call` answered while nobody acts.
    pub(super) fn judge_quiet(&self, number: usize, call: &str, failed: Option<Errno>) {
        judge_quiet(&self.oracle, number, call, failed);
    }

    /// Whether all of it was seen.
    pub(super) fn look_at(&self, number: usize, file: impl AsFd, how: Seen) -> bool {
        look_at(&self.oracle, number, file, how)
    }
}

/// Free blocks once every file has only what it was asked for and all of it is on the device.
fn settled(volume: &Volume, files: &[File]) -> Option<u64> {
    for file in files {
        // What was allocated beyond the end in advance is given back when the file is closed, or not.
        file.size().and_then(|size| file.truncate(size)).ok()?;
    }
    files.first()?.sync_all().ok()?;
    free_blocks(volume)
}

fn free_blocks(volume: &Volume) -> Option<u64> {
    fstatvfs(volume.root()).ok().map(|space| space.blocks_free())
}

/// Somebody else goes on with the filesystem, and has no use for these files.
pub(super) fn forget(host: &Host, names: &[String]) {
    for name in names {
        // If one stays, the next file of its name cannot be made, and that is told.
        let _ = host.volume.forget(name);
    }
}

/// Compares a file with what it may hold; whether all of it was seen.
fn look_at(oracle: &Outside, number: usize, file: impl AsFd, how: Seen) -> bool {
    let read =
        |bytes: &mut Vec<u8>, pos| pread(&file, bytes, i64::try_from(pos).unwrap_or(i64::MAX));
    look_with(oracle, number, &file, how, read)
}

/// The same, by such reads: they put what they find first into what they are given.
fn look_with(
    oracle: &Outside,
    number: usize,
    file: impl AsFd,
    how: Seen,
    mut read: impl FnMut(&mut Vec<u8>, u64) -> Result<usize, Errno>,
) -> bool {
    let instant = oracle.instant(number);
    let size = match look::size_and_space(&file) {
        Ok((size, _)) => size,
        Err(errno) => {
            judge_quiet(oracle, number, "fstat", Some(errno));
            return false;
        }
    };
    oracle.saw_size(number, None, (instant, size));
    let mut bytes = Vec::new();
    let mut pos = 0;
    while pos < size {
        bytes.resize(narrow(size - pos).min(STEP), 0);
        match read(&mut bytes, pos) {
            Ok(0) => {
                let complaint = format!("the file has {size} bytes, and ends at {pos}");
                let verdict = results_are_good_when_quiet(oracle.checks(), Some(&complaint));
                oracle.judge(number, None, verdict);
                return false;
            }
            Ok(found) => {
                oracle.saw(number, pos, &bytes[..found], how);
                pos += wide(found);
                pos = goes_on(&file, pos, size, || oracle.next_data(number, pos));
            }
            Err(errno) => {
                judge_quiet(oracle, number, "pread", Some(errno));
                return false;
            }
        }
    }
    judge_quiet(oracle, number, "pread", None);
    true
}

/// What `call` answered while nobody acts.
fn judge_quiet(oracle: &Outside, number: usize, call: &str, failed: Option<Errno>) {
    let complaint = failed.map(|errno| format!("{call}: {errno}"));
    let verdict = results_are_good_when_quiet(oracle.checks(), complaint.as_deref());
    oracle.judge(number, None, verdict);
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;
    use super::*;
    use crate::target::Target;
    use mounted::file::Bytes;
    use nix::sys::uio::pwrite;
    use stormfs::op::Op;

    /// What somebody does behind the back of the oracle.
    type Tamper = fn(&File);

    #[test]
    fn whatever_changes_behind_the_back_of_all_is_seen_when_nobody_acts() {
        let nothing: Tamper = |_| ();
        let byte: Tamper = |file| assert_eq!(pwrite(file, b"x", 5000), Ok(1));
        let grows: Tamper = |file| file.truncate(20_000).unwrap();
        let shrinks: Tamper = |file| file.truncate(9000).unwrap();
        let grows_and_back: Tamper = |file| {
            assert_eq!(file.write(10_000, Bytes::Whole(&[7; 9], &[])), Ok(9));
            file.truncate(10_000).unwrap();
        };
        for (name, tamper, standing, at_the_end) in [
            ("nothing", nothing, None, None),
            ("byte", byte, Some("data_matches_model"), Some("data_matches_model")),
            ("grows", grows, Some("size_matches_model"), Some("size_matches_model")),
            ("shrinks", shrinks, Some("size_matches_model"), Some("size_matches_model")),
            ("and back", grows_and_back, None, None),
        ] {
            for (at_end, expected) in [(false, standing), (true, at_the_end)] {
                let trial = Trial::new();
                trial.act(Op::Write(ByteRange::new(0, 10_000)));
                tamper(trial.real.file(0));
                if at_end {
                    trial.real.look_at_the_end();
                } else {
                    trial.real.look_at_everything();
                }
                assert_eq!(trial.violated(), expected, "{name}, at the end: {at_end}");
                assert_eq!(trial.real.size(1), 0, "nobody has touched the other file");
            }
        }
    }

    #[test]
    fn what_fails_while_nobody_acts_is_told_with_its_name() {
        let trial = Trial::new();
        judge_quiet(&trial.real.oracle, 0, "pread", None);
        assert_eq!(trial.violated(), None);
        judge_quiet(&trial.real.oracle, 0, "pread", Some(Errno::EIO));
        let violation = trial.real.oracle.violation().unwrap();
        assert_eq!(violation.invariant, "results_are_good_when_quiet");
        assert!(violation.to_string().contains("pread: EIO"), "{violation}");
    }

    #[test]
    fn from_the_device_is_seen_what_nobody_has_in_the_cache() {
        let trial = Trial::new();
        trial.act(Op::Write(ByteRange::new(0, 10_000)));
        trial.real.file(0).sync().unwrap();
        let before = trial.real.oracle.checks().counts();
        trial.real.look_from_disk(0, Seen::Reread);
        let after = trial.real.oracle.checks().counts();
        let looked = |counts: &std::collections::BTreeMap<_, _>| {
            counts.get("data_survives_eviction").copied().unwrap_or(0_u64)
        };
        let (before, after) =
            (looked(&before.into_iter().collect()), looked(&after.into_iter().collect()));
        let cached = look::cached(trial.real.file(0), 0..WHOLE.end).unwrap_or_default();
        assert_eq!(before < after, cached.pages != 0, "a read brings it back: {cached:?}");
    }
}

#[cfg(test)]
mod rereading {
    use super::*;
    use crate::call::Call;
    use crate::scenario::{Known, parse};
    use crate::target::Target;
    use mounted::{Mapping, Mm, Venue};
    use sim::World;
    use std::collections::BTreeMap;
    use std::time::Duration;
    use stormfs::op::{Op, OpId};

    /// Looks at a file of two pages that somebody else has mapped, or nobody: how often it was read from
    /// the device, and what is told if it was not. None where there is nothing below the cache.
    fn looked((is_mapped, is_direct): (bool, bool)) -> Option<(u64, BTreeMap<String, u64>)> {
        let text = "world: threads\nops: 9\ntarget: {directory: /not/used}\n\
                    files: [{name: a}]\nactors: [{name: w, ops: {write: 1}}]\n";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut host = Host::open(&Venue::Directory(dir.path().to_owned())).unwrap();
        let abilities = &mut Arc::get_mut(&mut host).unwrap().abilities;
        if ![Ability::Direct, Ability::Cachestat].iter().all(|ability| abilities.has(*ability)) {
            eprintln!("skipped: reading again from a device: needs direct I/O and cachestat");
            return None;
        }
        if !is_direct {
            abilities.missing.insert(Ability::Direct, Errno::EINVAL);
        }
        let real = Arc::new(Real::on(&plan, host).unwrap());
        if real.host.is_memory() {
            return None;
        }
        let (id, mut memory) = (OpId { actor: 0, number: 1 }, Vec::new());
        let call = Call::plain(1, 0, Op::Write(ByteRange::at(0, 8192)));
        real.prepare(id, &call, &mut memory);
        real.perform(id, 0, &call, &mut memory);
        real.file(0).sync().unwrap();
        let others =
            is_mapped.then(|| Mapping::new(&Mm::ours(), real.file(0), 8192, 4096).unwrap());
        if let Some(others) = &others {
            others.load(0, &mut [0; 4096]).unwrap();
        }
        let looking = Arc::clone(&real);
        let mut world = World::threads(Duration::from_secs(30));
        world.spawn("conductor", move || {
            looking.look_from_disk(0, Seen::Reread);
        });
        world.run();
        assert_eq!(real.oracle.violation(), None);
        let checks = real.oracle.checks().counts();
        let reread = checks.iter().find(|(name, _)| *name == "data_survives_eviction").unwrap().1;
        let unconfirmed = real.unconfirmed.lock().clone();
        Some((reread, unconfirmed))
    }

    #[test]
    fn what_cannot_be_read_from_the_device_is_told() {
        for (is_mapped, is_direct, confirmed) in
            [(false, false, true), (true, true, true), (true, false, false)]
        {
            let Some((reread, told)) = looked((is_mapped, is_direct)) else { return };
            assert_eq!(0 < reread, confirmed, "{told:?}");
            let reason = "its pages stay in the cache, and there is no direct I/O";
            let expected = (!confirmed).then(|| (reason.to_owned(), 1));
            assert_eq!(told, expected.into_iter().collect());
        }
    }
}
