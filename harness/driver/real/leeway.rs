//! Which leeways a filesystem of the kernel is known to use.

use mounted::file::Bytes;
use mounted::source::Source;
use mounted::{File, Hole, Volume, Way};
use nix::errno::Errno;
use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FUSE_SUPER_MAGIC, FsType, NFS_SUPER_MAGIC,
    OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC, fstatfs, statfs,
};
use oracle::results::Rounding;
use oracle::{Leeway, Leeways};
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use stormfs::quantity::PAGE;

/// By the filesystem's magic number; an overlay does what the filesystem of its upper directory does.
pub fn of(root: impl AsFd) -> Leeways {
    let Ok(told) = fstatfs(&root) else { return Leeways::of(UNKNOWN) };
    let mut magic = told.filesystem_type();
    if magic == OVERLAYFS_SUPER_MAGIC
        && let Some(upper) = upper(&root)
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

const KNOWN: &[(&str, FsType, &[Leeway])] = &[
    ("xfs", XFS_SUPER_MAGIC, &[]),
    ("ext4", EXT4_SUPER_MAGIC, &[Leeway::GrowthInSteps, Leeway::FailedWriteMovesEof]),
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

/// The upper directory of an overlay, as its mount tells it. It may lie where this process cannot see it.
fn upper(root: impl AsFd) -> Option<PathBuf> {
    let told =
        fs::read_to_string(format!("/proc/self/fdinfo/{}", root.as_fd().as_raw_fd())).ok()?;
    let mount = told.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    upper_of(mount.trim(), &fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// The same, of the mount with that number in a list of all of them.
fn upper_of(mount: &str, mounts: &str) -> Option<PathBuf> {
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(mount))?;
    let (_, behind) = line.split_once(" - ")?;
    let options = behind.split(' ').nth(2)?;
    let path = options.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
    Some(PathBuf::from(OsString::from_vec(unescaped(path))))
}

/// Blanks and their like are three octal digits there.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[3..] } else { behind };
    }
    bytes
}

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
    fn the_upper_directory_of_an_overlay_is_found_by_its_mount() {
        let mounts = "\
21 1 0:5 / / rw,relatime - ext4 /dev/vda rw
31 21 0:40 / /a rw - overlay overlay rw,lowerdir=/l,upperdir=/not/it,workdir=/w
32 21 0:41 / /b\\040c rw shared:7 master:1 - overlay none rw,lowerdir=/l:/k,upperdir=/up\\040per\\134x,workdir=/w
33 21 0:42 / /c ro - overlay overlay ro,lowerdir=/l:/k
";
        assert_eq!(upper_of("32", mounts), Some(PathBuf::from("/up per\\x")));
        assert_eq!(upper_of("31", mounts), Some(PathBuf::from("/not/it")));
        for none in ["33", "21", "3", "99"] {
            assert_eq!(upper_of(none, mounts), None, "{none}");
        }
    }

    #[test]
    fn whoever_is_not_known_may_do_what_the_standards_say() {
        let unknown = Leeways::of(UNKNOWN);
        assert!(!unknown.has(Leeway::GrowthInSteps) && !unknown.has(Leeway::ShortCountsAreRounded));
        let proc = fs::File::open("/proc").unwrap();
        assert_eq!(of(&proc), unknown);
        assert_eq!(users(Leeway::ShortCountsAreRounded), ["btrfs", "fuse"]);
        assert!(users(Leeway::StoresBeyondEofStay).contains(&"any that is not listed"));
    }
}
