//! Which leeways a filesystem of the kernel is known to use.

use mounted::file::Bytes;
use mounted::source::Source;
use mounted::{File, Hole, Volume, Way, mount_table};
use nix::errno::Errno;
use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FUSE_SUPER_MAGIC, FsType, NFS_SUPER_MAGIC,
    OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC, fstatfs, statfs,
};
use oracle::results::Rounding;
use oracle::{Leeway, Leeways};
use std::os::fd::AsFd;
use stormfs::quantity::PAGE;

/// By the filesystem's magic number; an overlay does what the filesystem of its upper directory does.
pub fn of(root: impl AsFd) -> Leeways {
    let Ok(told) = fstatfs(&root) else { return Leeways::of(UNKNOWN) };
    let mut magic = told.filesystem_type();
    if magic == OVERLAYFS_SUPER_MAGIC
        && let Some(upper) = mount_table::of(&root).and_then(|mount| mount.upper)
        && let Ok(told) = statfs(&upper)
    {
        magic = told.filesystem_type();
    }
    let known = KNOWN.iter().find(|(_, of, _)| magic == *of);
    Leeways::of(known.map_or(UNKNOWN, |(.., leeways)| leeways))
}

/// Who makes use of it.
pub fn users(leeway: Leeway) -> Vec<&'static str> {
    let use_it = KNOWN.iter().filter(|(.., leeways)| leeways.contains(&leeway));
    let others = UNKNOWN.contains(&leeway).then_some("any that is not listed");
    use_it.map(|(name, ..)| *name).chain(others).collect()
}

/// The filesystems that are known: their names, their magic numbers, and what they make use of.
pub(crate) fn known() -> impl Iterator<Item = (&'static str, u64, Leeways)> {
    let one = |(name, magic, leeways): &(&'static str, FsType, &[Leeway])| {
        let magic = u64::try_from(magic.0).expect("magic numbers have no sign");
        (*name, magic, Leeways::of(leeways))
    };
    KNOWN.iter().map(one)
}

const KNOWN: &[(&str, FsType, &[Leeway])] = &[
    ("xfs", XFS_SUPER_MAGIC, &[]),
    (
        "ext4",
        EXT4_SUPER_MAGIC,
        &[Leeway::GrowthInSteps, Leeway::FailedWriteMovesEof, Leeway::GrowthShowsStores],
    ),
    (
        "btrfs",
        BTRFS_SUPER_MAGIC,
        &[Leeway::GrowthInSteps, Leeway::ShortCountsAreRounded, Leeway::FailedTruncateFallsBack],
    ),
    ("tmpfs", TMPFS_MAGIC, &[Leeway::FailedWriteMovesEof, Leeway::StoresBeyondEofStay]),
    // Its server may be any of them.
    ("fuse", FUSE_SUPER_MAGIC, &Leeway::ALL),
    (
        "nfs",
        NFS_SUPER_MAGIC,
        &[Leeway::GrowthInSteps, Leeway::FailedWriteMovesEof, Leeway::StoresBeyondEofStay],
    ),
];

/// Of whom nothing is known may do what the standards say that anybody may, and nothing else: POSIX about a
/// write that fails, `mmap(2)` about stores behind the end.
const UNKNOWN: &[Leeway] = &[Leeway::FailedWriteMovesEof, Leeway::StoresBeyondEofStay];

/// How a filesystem counts that rounds: some take several pages at once, and give all of them up.
pub fn rounding(volume: &Volume) -> Result<Rounding, Errno> {
    const NAME: &str = "rounding";
    let file = File::open(volume.create(NAME)?);
    volume.forget(NAME)?;
    let page = usize::try_from(PAGE).expect("a page is small");
    let (bytes, at) = (vec![1; 8 * page], 7 * page + page / 4);
    let mut source = Source::new(bytes.len())?;
    let armed = source.with_hole(&bytes, Hole { at, way: Way::Protected })?;
    let counted = match file?.write(0, Bytes::Holed(&armed, &[])) {
        Ok(counted) => counted,
        Err(Errno::EFAULT) => 0,
        Err(errno) => return Err(errno),
    };
    Ok(Rounding { unit: PAGE, anywhere: counted < 7 * PAGE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_known_may_do_what_the_standards_say() {
        let unknown = Leeways::of(UNKNOWN);
        assert!(!unknown.has(Leeway::GrowthInSteps) && !unknown.has(Leeway::ShortCountsAreRounded));
        let proc = std::fs::File::open("/proc").unwrap();
        assert_eq!(of(&proc), unknown);
        assert_eq!(users(Leeway::ShortCountsAreRounded), ["btrfs", "fuse"]);
        assert!(users(Leeway::StoresBeyondEofStay).contains(&"any that is not listed"));
    }
}
