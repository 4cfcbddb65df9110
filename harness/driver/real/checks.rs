//! What is looked at when nobody acts: the files as they stand, and at the end from the device, after a
//! check by the filesystem's own tool.

use super::{Host, Real};
use mounted::{Ability, look};
use nix::sys::statvfs::fstatvfs;
use nix::sys::uio::pread;
use oracle::extents::extents_below_eof_are_allocated_after_sync;
use oracle::outside::{Outside, Seen};
use oracle::space::space_on_disk_passes_its_own_check;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stormfs::quantity::{ByteRange, narrow, wide};

/// Bytes compared at once.
const STEP: u64 = 256 << 10;

/// All of a file, as far as positions go.
const WHOLE: ByteRange = ByteRange { start: 0, end: i64::MAX.unsigned_abs() };

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
            // What is told of a direct write beside others is told once.
            let synced = self.file(number).sync().or_else(|_| self.file(number).sync());
            self.look_at(number, self.file(number), Seen::Standing);
            if synced.is_ok() {
                self.judge_promises(number);
                self.look_from_disk(number);
            }
        }
    }

    /// Everybody has gone: a check of what lies on the device, and the files from a mount of its own.
    pub(super) fn conclude(self) {
        let Real { host, oracle, names, files, hands, .. } = self;
        drop((files, hands));
        let host = match Arc::try_unwrap(host) {
            Ok(host) => host,
            Err(host) => return forget(&host, &names),
        };
        let Host { volume, .. } = host;
        let Some(unmounted) = volume.unmount() else { return };
        let complaint = unmounted.check().err().map(|refusal| refusal.to_string());
        let checks = oracle.checks();
        oracle.judge_overall(space_on_disk_passes_its_own_check(checks, complaint.as_deref()));
        let Ok(volume) = unmounted.mount() else { return };
        for (number, name) in names.iter().enumerate() {
            if let Ok(file) = volume.reopen(name) {
                look_at(&oracle, number, file, Seen::Reread);
            }
        }
    }

    /// With nothing cached, if the kernel lets go of it.
    fn look_from_disk(&self, number: usize) {
        let _ = self.evict(number, WHOLE);
        let left = look::cached(self.file(number), 0..WHOLE.end);
        if left.is_ok_and(|left| left.pages == 0) {
            self.look_at(number, self.file(number), Seen::Reread);
        } else {
            self.unevicted.fetch_add(1, Ordering::Relaxed);
        }
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

    fn look_at(&self, number: usize, file: impl AsFd, how: Seen) {
        look_at(&self.oracle, number, file, how);
    }

    /// Whether so little space is left that calls may fail for it.
    pub(super) fn is_nearly_full(&self) -> bool {
        let Ok(space) = fstatvfs(self.host.volume.root()) else { return true };
        space.blocks_available().saturating_mul(space.fragment_size()) < NEARLY_FULL
    }
}

/// Somebody else goes on with the filesystem, and has no use for these files.
fn forget(host: &Host, names: &[String]) {
    for name in names {
        // If one stays, the next file of its name cannot be made, and that is told.
        let _ = host.volume.forget(name);
    }
}

/// Less free space than this may be too little for some call.
const NEARLY_FULL: u64 = 32 << 20;

/// Compares a file with what it may hold.
fn look_at(oracle: &Outside, number: usize, file: impl AsFd, how: Seen) {
    let instant = oracle.instant(number);
    let Ok((size, _)) = look::size_and_space(&file) else { return };
    oracle.saw_size(number, None, (instant, size));
    let mut bytes = Vec::new();
    let mut pos = 0;
    while pos < size {
        bytes.resize(narrow((size - pos).min(STEP)), 0);
        match pread(&file, &mut bytes, i64::try_from(pos).unwrap_or(i64::MAX)) {
            Ok(found) if 0 < found => {
                oracle.saw(number, pos, &bytes[..found], how);
                pos += wide(found);
            }
            _ => return,
        }
    }
}
