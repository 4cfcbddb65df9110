//! Which leeways a filesystem of the kernel is known to use.

use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FsType, TMPFS_MAGIC, XFS_SUPER_MAGIC, fstatfs,
};
use oracle::{Leeway, Leeways};
use std::os::fd::AsFd;

/// By the filesystem's magic number. One that is not known gets them all.
pub fn of(root: impl AsFd) -> Leeways {
    let magic = fstatfs(root).map(|told| told.filesystem_type());
    let known = KNOWN.iter().find(|(_, of, _)| magic == Ok(*of));
    Leeways::of(known.map_or(&Leeway::ALL[..], |(.., leeways)| leeways))
}

/// The filesystems that are known to use it.
pub fn users(leeway: Leeway) -> Vec<&'static str> {
    let use_it = KNOWN.iter().filter(|(.., leeways)| leeways.contains(&leeway));
    use_it.map(|(name, ..)| *name).collect()
}

const KNOWN: &[(&str, FsType, &[Leeway])] = &[
    ("xfs", XFS_SUPER_MAGIC, &[]),
    ("ext4", EXT4_SUPER_MAGIC, &[Leeway::GrowthInSteps, Leeway::FailedWriteMovesEof]),
    (
        "btrfs",
        BTRFS_SUPER_MAGIC,
        &[Leeway::GrowthInSteps, Leeway::ShortCountsAreRounded, Leeway::FailedTruncateFallsBack],
    ),
    ("tmpfs", TMPFS_MAGIC, &[Leeway::FailedWriteMovesEof, Leeway::StoresBeyondEofStay]),
];
