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
            // Else the kernel goes on making it in the background, in the middle of a run, and a small
            // image gets blocks of 1 KiB.
            Kind::Ext4 => tool(
                "mkfs.ext4",
                &["-q", "-F", "-b4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"],
                "e2fsprogs",
            ),
            Kind::Btrfs => tool("mkfs.btrfs", &["-q", "-f", "-K"], "btrfs-progs"),
            Kind::Tmpfs => None,
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
}
