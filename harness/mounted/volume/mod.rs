//! A filesystem for one run: made, mounted, checked, or lent by the user as a directory.

mod venue;
mod disk;
mod names;

pub use venue::{Spec, Venue};

use crate::backing::Backing;
use crate::detached;
use crate::gate::Gate;
use crate::kind::Kind;
use crate::lent::{DIRECTORY, directory, unwritable};
use crate::mount_table::{self, Mounting};
use crate::refusal::Refusal;
use crate::rights;
use crate::tool;
use disk::Disk;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// A filesystem that files can be made on. It is gone when this and its files are.
pub struct Volume {
    root: OwnedFd,
    made: Option<Made>,
    /// What it is and where, for people.
    pub detail: String,
}

/// What remains when it is not mounted.
struct Made {
    spec: Spec,
    device: Option<Disk>,
    backing: Option<Arc<Backing>>,
}

/// A filesystem that was made, between two mounts.
pub struct Unmounted(Made);

impl Volume {
    /// Makes, or opens, what `venue` asks for.
    pub fn open(venue: &Venue) -> Result<Volume, Refusal> {
        match venue {
            Venue::Made(spec) => Volume::make(spec),
            Venue::Directory(path) => Volume::lent(path),
        }
    }

    fn make(spec: &Spec) -> Result<Volume, Refusal> {
        if let Some(refusal) = rights::refuse_mount(spec.kind) {
            return Err(refusal);
        }
        let Some(mkfs) = spec.kind.mkfs() else {
            return Unmounted(Made { spec: spec.clone(), device: None, backing: None }).mount();
        };
        let of_disk = if spec.image.is_some() { "image" } else { "kernel" };
        let device = Disk::open(spec).map_err(|refusal| refusal.of(of_disk))?;
        let backing = Backing::of(device.dir()).map(Arc::new);
        let user = spec.mkfs.iter().map(String::as_str);
        let arguments: Vec<&str> = user.chain([device.path()]).collect();
        // What is not about arguments of the user is about the size.
        let of_tool = if spec.mkfs.is_empty() { "size" } else { "mkfs" };
        tool::run(mkfs, &arguments).map_err(|refusal| {
            if let Some(advice) = backing.as_ref().and_then(|backing| backing.advice()) {
                return Refusal { advice, ..refusal }.of(of_disk);
            }
            match spec.kind.too_small(&refusal.came) {
                Some(advice) => Refusal { advice, ..refusal }.of("size"),
                None => refusal.of(of_tool),
            }
        })?;
        Unmounted(Made { spec: spec.clone(), device: Some(device), backing }).mount()
    }

    fn lent(path: &Path) -> Result<Volume, Refusal> {
        let root = directory(path)?;
        names::sweep(root.as_fd());
        let on = mount_table::of(&root);
        let on = on.map(|on| format!(" on {} ({})", on.filesystem, on.source)).unwrap_or_default();
        let detail = format!("directory {}{on}", path.display());
        let volume = Volume { root, made: None, detail };
        let tried = volume.create("first");
        tried.map(drop).map_err(|error| unwritable(path, error))?;
        Ok(volume)
    }

    /// Its type as the kernel names it; empty if nobody knows.
    pub fn filesystem(&self) -> String {
        let made = self.kind().map(|kind| kind.name().to_owned());
        made.or_else(|| Some(self.lent_by()?.filesystem)).unwrap_or_default()
    }

    /// Options of its mount, if it was lent.
    pub fn lent_options(&self) -> Option<String> {
        Some(self.lent_by()?.options)
    }

    fn lent_by(&self) -> Option<Mounting> {
        if self.made.is_some() { None } else { mount_table::of(&self.root) }
    }

    /// Its kind, if it was made.
    pub fn kind(&self) -> Option<Kind> {
        self.made.as_ref().map(|made| made.spec.kind)
    }

    /// How it was made, if it was.
    pub fn spec(&self) -> Option<&Spec> {
        self.made.as_ref().map(|made| &made.spec)
    }

    /// The directory whose filesystem holds its image, if it has one.
    pub fn image(&self) -> Option<&Path> {
        self.made.as_ref()?.device.as_ref().map(Disk::dir)
    }

    /// What holds its image, if it has one.
    pub fn backing(&self) -> Option<&Arc<Backing>> {
        self.made.as_ref()?.backing.as_ref()
    }

    /// Bytes that it was made with; 0 if it was lent.
    pub fn size(&self) -> u64 {
        match &self.made {
            None => 0,
            Some(made) if made.device.is_some() => made.spec.size,
            // Options of the mount may say another size.
            Some(made) => statvfs_of(self.root()).unwrap_or(made.spec.size),
        }
    }

    /// The node of its device, if it was made and has one.
    pub(crate) fn device(&self) -> Option<&str> {
        self.made.as_ref()?.device.as_ref().map(Disk::path)
    }

    /// What stands before its disk, if it was asked for.
    pub fn gate(&self) -> Option<&Gate> {
        self.made.as_ref()?.device.as_ref()?.gate()
    }

    /// Its root directory.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Whether it can be mounted again: its bytes are somewhere else than in its page cache.
    pub fn is_durable(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.device.is_some())
    }

    /// A new empty file. Where the filesystem was lent it has no name, so that it is gone with its last
    /// descriptor; where that cannot be had, it has one for as long as it takes to open it.
    pub fn create(&self, name: &str) -> Result<OwnedFd, Errno> {
        if self.made.is_none() {
            return names::unnamed(self.root(), name);
        }
        let new = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_CREAT | OFlag::O_EXCL;
        names::inside(self.root(), name, new)
    }

    /// Takes the name of a file away; where the filesystem was lent it has none.
    pub fn forget(&self, name: &str) -> Result<(), Errno> {
        if self.made.is_none() {
            return Ok(());
        }
        unlinkat(self.root(), name, UnlinkatFlags::NoRemoveDir)
    }

    /// A file that is there already, by its name.
    pub fn reopen(&self, name: &str) -> Result<OwnedFd, Errno> {
        names::inside(self.root(), name, OFlag::O_RDWR | OFlag::O_CLOEXEC)
    }

    /// Takes it down, once all its files are closed. `None`: it was lent, or has no device.
    pub fn unmount(self) -> Option<Unmounted> {
        let Volume { root, made, .. } = self;
        drop(root);
        made.filter(|made| made.device.is_some()).map(Unmounted)
    }
}

impl Unmounted {
    /// Has its `fsck` look at it; what that prints if all is well.
    pub fn check(&self) -> Result<String, Refusal> {
        let Made { spec, device, .. } = &self.0;
        match (spec.kind.fsck(), device) {
            (Some(fsck), Some(device)) => tool::run(fsck, &[device.path()]),
            _ => Ok(String::new()),
        }
    }

    /// Mounts it.
    pub fn mount(self) -> Result<Volume, Refusal> {
        let Made { spec, device, backing } = self.0;
        let name = spec.kind.name();
        let source = device.as_ref().map_or(name, Disk::path);
        let always = match spec.kind {
            Kind::Tmpfs if !spec.mount.contains("size=") => format!("size={}", spec.size),
            kind @ (Kind::Xfs | Kind::Ext4 | Kind::Btrfs | Kind::Tmpfs) => {
                kind.mount_options().to_owned()
            }
        };
        let options = format!("{always},{}", spec.mount);
        let of_mount = if spec.mount.is_empty() { "kernel" } else { "mount" };
        let root = detached::mount(name, source, options.trim_matches(','));
        let root = root.map_err(|refusal| refusal.of(of_mount))?;
        let detail = match &device {
            None => name.to_owned(),
            Some(device) => {
                let remark = backing.as_ref().map(|backing| backing.remark(spec.size));
                format!("{name} on {}{}", device.detail(), remark.unwrap_or_default())
            }
        };
        // A descriptor of a mount is no directory that files can be listed in or made under by all calls.
        let root = openat(&root, ".", DIRECTORY, Mode::empty())
            .map_err(|error| Refusal::errno(format!("the root of {detail}"), error, "see dmesg"))?;
        Ok(Volume { root, made: Some(Made { spec, device, backing }), detail })
    }
}

fn statvfs_of(root: BorrowedFd<'_>) -> Option<u64> {
    let space = fstatvfs(root).ok()?;
    Some(space.blocks().saturating_mul(space.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use nix::sys::statvfs::FsFlags;
    use nix::sys::uio::{pread, pwrite};

    #[test]
    fn every_kind_is_made_mounted_checked_and_mounted_again() {
        if !is_allowed("filesystems of all kinds", &[]) {
            return;
        }
        for kind in Kind::ALL {
            let volume = Volume::open(&Venue::Made(Spec::plain(kind))).unwrap();
            let file = volume.create("a").unwrap();
            assert_eq!(pwrite(&file, b"stays", 100), Ok(5), "{kind:?}");
            assert_eq!(volume.create("a").unwrap_err(), Errno::EEXIST);
            drop(file);
            let durable = volume.is_durable();
            let Some(unmounted) = volume.unmount() else {
                assert!(!durable, "{kind:?}");
                continue;
            };
            unmounted.check().unwrap();
            let again = unmounted.mount().unwrap();
            let mut bytes = [0; 5];
            assert_eq!(pread(again.reopen("a").unwrap(), &mut bytes, 100), Ok(5));
            assert_eq!(&bytes, b"stays", "{kind:?}");
        }
    }

    #[test]
    fn options_of_the_mount_and_of_the_filesystem_are_told_to_each() {
        if !is_allowed("options of mounts", &[]) {
            return;
        }
        let unused = FsFlags::ST_NOATIME | FsFlags::ST_NODIRATIME | FsFlags::ST_NOEXEC;
        for (kind, mount, are, are_not) in [
            (Kind::Ext4, "noatime,commit=9,nodiratime", unused, FsFlags::ST_RELATIME),
            (Kind::Xfs, "relatime,inode64", FsFlags::ST_RELATIME, FsFlags::ST_NOATIME),
            (Kind::Btrfs, "strictatime", FsFlags::ST_NODEV, FsFlags::ST_RELATIME),
            (Kind::Tmpfs, "noatime,size=16m,exec", FsFlags::ST_NOATIME, FsFlags::ST_NOEXEC),
        ] {
            let spec = Spec { mount: mount.to_owned(), ..Spec::plain(kind) };
            let volume = Volume::open(&Venue::Made(spec)).unwrap();
            let flags = fstatvfs(volume.root()).unwrap().flags();
            assert!(flags.contains(are) && !flags.intersects(are_not), "{kind:?}: {flags:?}");
        }
    }

    #[test]
    fn nothing_is_left_in_a_lent_directory() {
        let dir = tempfile::tempdir().unwrap();
        let volume = Volume::open(&Venue::Directory(dir.path().to_owned())).unwrap();
        let (one, other) = (volume.create("a").unwrap(), volume.create("a").unwrap());
        assert_eq!(pwrite(&one, b"x", 0), Ok(1));
        assert_eq!(nix::sys::stat::fstat(other).unwrap().st_size, 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(
            !volume.filesystem().is_empty() && volume.detail.contains(" on "),
            "{}",
            volume.detail
        );
        let unwritable = Volume::open(&Venue::Directory("/proc/self".into())).err().unwrap();
        assert_eq!(unwritable.of, Some("directory"), "{unwritable}");
        assert!(unwritable.tried.starts_with("a file in the directory /proc"), "{unwritable}");
        let missing = Volume::open(&Venue::Directory("/not/there".into())).err().unwrap();
        assert_eq!(missing.came, "ENOENT, No such file or directory");
    }

    #[test]
    fn refusals_carry_what_the_filesystem_says() {
        if !is_allowed("what filesystems refuse", &[]) {
            return;
        }
        let odd = Spec { mount: "nonsense=7".to_owned(), ..Spec::plain(Kind::Ext4) };
        let refused = Volume::open(&Venue::Made(odd)).err().unwrap();
        assert!(refused.to_string().contains("nonsense"), "{refused}");
        let nowhere = Some("/nowhere".into());
        let refused = Volume::open(&Venue::Made(Spec { image: nowhere, ..Spec::plain(Kind::Xfs) }));
        let refused = refused.err().unwrap();
        assert_eq!(refused.of, Some("image"));
        assert!(refused.advice.starts_with("there is no such directory"), "{refused}");
        let tiny = Spec { size: 1 << 20, ..Spec::plain(Kind::Xfs) };
        let refused = Volume::open(&Venue::Made(tiny)).err().unwrap();
        assert!(refused.tried.starts_with("mkfs.xfs -q -f -K /dev/loop"), "{refused}");
        assert_eq!(refused.of, Some("size"), "{refused}");
        for (kind, least) in [(Kind::Xfs, "300MiB"), (Kind::Btrfs, "109MiB")] {
            let mkfs = vec!["-Lx".to_owned()];
            let small = Spec { size: 17 << 20, mkfs, ..Spec::plain(kind) };
            let refused = Volume::open(&Venue::Made(small)).err().unwrap();
            let told = format!("`size` is too small for {}: its least is ", kind.name());
            assert!(refused.advice.starts_with(&told), "{refused}");
            assert!(refused.advice.contains(least) && refused.of == Some("size"), "{refused}");
        }
        let away = Venue::Made(Spec::plain(Kind::Tmpfs));
        assert_eq!(Volume::open(&away).unwrap().create("../x").unwrap_err(), Errno::EXDEV);
    }
}
