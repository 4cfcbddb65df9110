//! The filesystems that can be made here, with their tools.

/// A filesystem of the kernel that is made for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// XFS.
    Xfs,
    /// ext4.
    Ext4,
    /// btrfs.
    Btrfs,
    /// tmpfs: no device, no writeback.
    Tmpfs,
}

/// A program, and the arguments that always go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name, to be found in `PATH`.
    pub program: &'static str,
    /// What stands before the arguments of the user and the device.
    pub arguments: &'static [&'static str],
    /// The package that brings it, on Debian.
    pub package: &'static str,
}

impl Kind {
    /// Every kind, in the order of listings.
    pub const ALL: [Kind; 4] = [Kind::Xfs, Kind::Ext4, Kind::Btrfs, Kind::Tmpfs];

    /// The name that the kernel has for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Xfs => "xfs",
            Kind::Ext4 => "ext4",
            Kind::Btrfs => "btrfs",
            Kind::Tmpfs => "tmpfs",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What makes one on a device. `None`: it needs no device.
    pub fn mkfs(self) -> Option<Tool> {
        let tool = |program, arguments, package| Some(Tool { program, arguments, package });
        match self {
            // Nothing is on the image yet: to discard it would only cost time.
            Kind::Xfs => tool("mkfs.xfs", &["-q", "-f", "-K"], "xfsprogs"),
            // A small image would get blocks of 1 KiB. Tables of inodes and the journal are not zeroed: of
            // an image of a TiB they are 16 GiB, and the image is zeros. See also `mount_options`.
            Kind::Ext4 => tool(
                "mkfs.ext4",
                &["-q", "-F", "-b4096", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1"],
                "e2fsprogs",
            ),
            Kind::Btrfs => tool("mkfs.btrfs", &["-q", "-f", "-K"], "btrfs-progs"),
            Kind::Tmpfs => None,
        }
    }

    /// What stands before the options of the user when it is mounted.
    pub fn mount_options(self) -> &'static str {
        match self {
            // Else the kernel zeroes in the background, in the middle of a run, what `mkfs` left out.
            Kind::Ext4 => "noinit_itable",
            Kind::Xfs | Kind::Btrfs | Kind::Tmpfs => "",
        }
    }

    /// What checks one that is not mounted, and changes nothing: 0 if all is well.
    pub fn fsck(self) -> Option<Tool> {
        let tool = |program, arguments, package| Some(Tool { program, arguments, package });
        match self {
            Kind::Xfs => tool("xfs_repair", &["-n"], "xfsprogs"),
            Kind::Ext4 => tool("fsck.ext4", &["-f", "-n"], "e2fsprogs"),
            Kind::Btrfs => tool("btrfs", &["check", "--readonly"], "btrfs-progs"),
            Kind::Tmpfs => None,
        }
    }

    /// Bytes of an image, where nobody asks for another size: a little above the smallest that
    /// its `mkfs` takes, as XFS refuses less than 300 MiB and btrfs less than 109.
    pub fn image_size(self) -> u64 {
        match self {
            Kind::Xfs => 320 << 20,
            Kind::Ext4 => 128 << 20,
            Kind::Btrfs | Kind::Tmpfs => 256 << 20,
        }
    }

    /// Whether its files may have blocks in common.
    pub fn shares_blocks(self) -> bool {
        match self {
            Kind::Xfs | Kind::Btrfs => true,
            Kind::Ext4 | Kind::Tmpfs => false,
        }
    }

    /// What to do if its `mkfs` complains that the image is too small; `None`: it does not.
    pub(crate) fn too_small(self, complaint: &str) -> Option<String> {
        let behind = |words: &str| {
            let (_, rest) = complaint.split_once(words)?;
            let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
            digits.parse::<u64>().ok()
        };
        let least = match self {
            Kind::Xfs => behind("must be larger than ").map(|megabytes| megabytes << 20),
            Kind::Btrfs => behind("minimum size for each btrfs device is "),
            Kind::Ext4 | Kind::Tmpfs => None,
        };
        if least.is_none() && !complaint.contains("too small") {
            return None;
        }
        let name = self.name();
        Some(match least {
            Some(bytes) => {
                let least = bytes.div_ceil(1 << 20);
                format!("`size` is too small for {name}: its least is {least}MiB")
            }
            None => format!("`size` is too small for {name}: leave it out, or name a larger one"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use crate::{Spec, Venue, Volume};
    use std::path::Path;

    #[test]
    fn nobody_zeroes_tables_in_the_background() {
        if !is_allowed("options of an ext4", &[]) {
            return;
        }
        let spec = Spec { size: 1 << 40, ..Spec::plain(Kind::Ext4) };
        let volume = Volume::open(&Venue::Made(spec)).unwrap();
        let name = Path::new(volume.device().unwrap()).file_name().unwrap();
        let options = Path::new("/proc/fs/ext4").join(name).join("options");
        let options = std::fs::read_to_string(options).unwrap();
        assert!(!options.lines().any(|option| option.starts_with("init_itable")), "{options}");
        volume.unmount().unwrap().check().unwrap();
    }

    #[test]
    fn what_a_tool_says_about_a_small_image_names_the_least() {
        let told = |kind: Kind, complaint| kind.too_small(complaint);
        let xfs = told(Kind::Xfs, "Filesystem must be larger than 300MB.; Usage: mkfs.xfs");
        assert_eq!(xfs.as_deref(), Some("`size` is too small for xfs: its least is 300MiB"));
        let device = "ERROR: minimum size for each btrfs device is 114294784";
        let btrfs = told(Kind::Btrfs, device);
        assert_eq!(btrfs.as_deref(), Some("`size` is too small for btrfs: its least is 109MiB"));
        let tiny = "size 256 of data subvolume is too small, minimum 4096 blocks";
        assert!(told(Kind::Xfs, tiny).unwrap().contains("leave it out"));
        assert_eq!(told(Kind::Ext4, "invalid option -- 'z'"), None);
    }
}
