//! Whether so little space was left that a call may fail for want of it.

use super::longest_file;
use crate::call::Call;
use crate::scenario::plan::Plan;
use nix::sys::statvfs::fstatvfs;
use std::os::fd::AsFd;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::wide;

/// See the module.
pub(super) struct Room {
    /// With less than that a call may fail.
    wanted: u64,
    /// Whether the files can grow until less is left, so that it has to be asked before each call.
    is_tight: bool,
}

impl Room {
    /// For the actors of `plan` on the filesystem of that directory.
    pub(super) fn of(plan: &Plan, root: impl AsFd) -> Room {
        // What others who act have taken, and may give back before anybody asks.
        let others = plan.actors.iter().map(|actor| {
            let listed = actor.does.iter().map(takes).max().unwrap_or(0);
            let most = if actor.draws() { actor.size.max.max(listed) } else { listed };
            most.saturating_mul(u64::from(actor.count))
        });
        let asked = others.fold(0, u64::saturating_add);
        let Ok(space) = fstatvfs(root) else { return Room { wanted: u64::MAX, is_tight: false } };
        let all = space.blocks().saturating_mul(space.fragment_size());
        let wanted = asked.saturating_add(kept(all));
        let files = longest_file(plan).saturating_mul(wide(plan.files.len()));
        let free = space.blocks_available().saturating_mul(space.fragment_size());
        Room { wanted, is_tight: free < files.saturating_add(wanted) }
    }

    /// Bytes that are free, if they can come to an end.
    pub(super) fn before(&self, root: impl AsFd) -> u64 {
        if self.is_tight { free(root) } else { u64::MAX }
    }

    /// Whether a call may have failed for want of space: before it so much was free.
    pub(super) fn was_short(&self, root: impl AsFd, before: u64) -> bool {
        before.min(free(root)) < self.wanted
    }

    /// Whether some call of the run may have.
    pub(super) fn may_have_been_short(&self, root: impl AsFd) -> bool {
        self.is_tight || self.was_short(root, u64::MAX)
    }
}

fn free(root: impl AsFd) -> u64 {
    // If nobody can tell, nobody can say that there was room.
    fstatvfs(root).map_or(0, |space| space.blocks_available().saturating_mul(space.fragment_size()))
}

/// What a filesystem of that size keeps for its own records, and for calls that must not fail: ext4 2 %,
/// XFS a few blocks for each allocation group and what a delayed allocation may need, btrfs room for trees.
fn kept(size: u64) -> u64 {
    (size / 16).clamp(2 << 20, 32 << 20)
}

/// Bytes for which a call may need new blocks.
fn takes(call: &Call) -> u64 {
    if let Op::Write(range)
    | Op::DirectWrite(range)
    | Op::MmapStore(range)
    | Op::ZeroRange { range, .. }
    | Op::Fallocate { range, .. }
    | Op::Insert(range) = &call.op
    {
        range.len()
    } else if let Op::CopyRange(Transfer { source, .. }) | Op::WriteFromMmap { source, .. } =
        &call.op
    {
        source.len()
    } else if let Op::Append(len) = call.op {
        len
    } else {
        0
    }
}
