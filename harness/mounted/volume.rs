//! A filesystem for one run: made, mounted, checked, or lent by the user as a directory.

use crate::detached;
use crate::gate::Gate;
use crate::kind::Kind;
use crate::lent::{DIRECTORY, directory, unwritable};
use crate::mount_table::{self, Mounting};
use crate::refusal::Refusal;
use crate::rights;
use crate::tool;
use block::LoopDevice;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::Mode;
use nix::sys::statvfs::{fstatvfs, statvfs};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Which filesystem a run wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One that is made for it.
    Made(Spec),
    /// Whatever is mounted at this directory.
    Directory(PathBuf),
}

/// How a filesystem is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// Arguments of its `mkfs`, behind those that always go with it.
    pub mkfs: Vec<String>,
    /// Options of its mount, separated by commas.
    pub mount: String,
    /// Bytes of its image.
    pub size: u64,
    /// The directory that holds the image. `None`: memory where it fits.
    pub image: Option<PathBuf>,
    /// Whether a gate stands before its disk.
    pub gated: bool,
}

impl Spec {
    /// A filesystem of that kind with nothing peculiar about it.
    pub fn plain(kind: Kind) -> Spec {
        let (mkfs, mount, size) = (Vec::new(), String::new(), kind.image_size());
        Spec { kind, mkfs, mount, size, image: None, gated: false }
    }
}

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
}

/// Where the bytes of an image lie.
enum Disk {
    /// In a file.
    Loop(LoopDevice),
    /// In a file, behind a gate.
    Gate(Gate),
}

/// A filesystem that was made, between two mounts.
pub struct Unmounted(Made);

impl Volume {
    /// Makes, or opens, what `place` asks for.
    pub fn open(place: &Place) -> Result<Volume, Refusal> {
        match place {
            Place::Made(spec) => Volume::make(spec),
            Place::Directory(path) => Volume::lent(path),
        }
    }

    fn make(spec: &Spec) -> Result<Volume, Refusal> {
        if let Some(refusal) = rights::refuse_mount(spec.kind) {
            return Err(refusal);
        }
        let Some(mkfs) = spec.kind.mkfs() else {
            return Unmounted(Made { spec: spec.clone(), device: None }).mount();
        };
        let of_disk = if spec.image.is_some() { "image" } else { "kernel" };
        let device = Disk::open(spec).map_err(|refusal| refusal.of(of_disk))?;
        let user = spec.mkfs.iter().map(String::as_str);
        let arguments: Vec<&str> = user.chain([device.path()]).collect();
        // What is not about arguments of the user is about the size.
        let of_tool = if spec.mkfs.is_empty() { "size" } else { "mkfs" };
        tool::run(mkfs, &arguments).map_err(|refusal| {
            if let Some(advice) = full(device.dir()) {
                return Refusal { advice, ..refusal }.of(of_disk);
            }
            match spec.kind.too_small(&refusal.came) {
                Some(advice) => Refusal { advice, ..refusal }.of("size"),
                None => refusal.of(of_tool),
            }
        })?;
        Unmounted(Made { spec: spec.clone(), device: Some(device) }).mount()
    }

    fn lent(path: &Path) -> Result<Volume, Refusal> {
        let root = directory(path)?;
        sweep(root.as_fd());
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
        let new = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        if self.made.is_some() {
            return inside(self.root(), name, new | OFlag::O_CREAT | OFlag::O_EXCL);
        }
        match openat(self.root(), ".", new | OFlag::O_TMPFILE, OWNER) {
            // What filesystems answer that do not know O_TMPFILE.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => briefly(self.root(), name),
            opened => opened,
        }
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
        inside(self.root(), name, OFlag::O_RDWR | OFlag::O_CLOEXEC)
    }

    /// Takes it down, once all its files are closed. `None`: it was lent, or has no device.
    pub fn unmount(self) -> Option<Unmounted> {
        let Volume { root, made, .. } = self;
        drop(root);
        made.filter(|made| made.device.is_some()).map(Unmounted)
    }
}

impl Disk {
    fn open(spec: &Spec) -> Result<Disk, Refusal> {
        let dir = spec.image.as_deref();
        if spec.gated {
            return Gate::open(spec.size, dir).map(Disk::Gate);
        }
        LoopDevice::open(spec.size, dir).map(Disk::Loop).map_err(|error| {
            let tried = format!("a loop device of {} bytes for {}", spec.size, spec.kind.name());
            Refusal::of_device(tried, &error)
        })
    }

    fn path(&self) -> &str {
        match self {
            Disk::Loop(device) => device.path(),
            Disk::Gate(gate) => gate.path(),
        }
    }

    fn dir(&self) -> &Path {
        match self {
            Disk::Loop(device) => &device.dir,
            Disk::Gate(gate) => &gate.dir,
        }
    }

    fn gate(&self) -> Option<&Gate> {
        match self {
            Disk::Loop(_) => None,
            Disk::Gate(gate) => Some(gate),
        }
    }

    /// Where it is, for people.
    fn detail(&self) -> String {
        match self {
            Disk::Loop(device) => {
                let buffered =
                    if device.is_direct() { "" } else { ", backing buffered by the kernel" };
                format!("{}, image on {}{buffered}", device.path(), device.dir.display())
            }
            Disk::Gate(gate) => {
                format!("{}, image on {} behind a gate", gate.path(), gate.dir.display())
            }
        }
    }
}

impl Unmounted {
    /// Has its `fsck` look at it; what that prints if all is well.
    pub fn check(&self) -> Result<String, Refusal> {
        let Made { spec, device } = &self.0;
        match (spec.kind.fsck(), device) {
            (Some(fsck), Some(device)) => tool::run(fsck, &[device.path()]),
            _ => Ok(String::new()),
        }
    }

    /// Mounts it.
    pub fn mount(self) -> Result<Volume, Refusal> {
        let Made { spec, device } = self.0;
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
            Some(device) => format!("{name} on {}", device.detail()),
        };
        // A descriptor of a mount is no directory that files can be listed in or made under by all calls.
        let root = openat(&root, ".", DIRECTORY, Mode::empty())
            .map_err(|error| Refusal::errno(format!("the root of {detail}"), error, "see dmesg"))?;
        Ok(Volume { root, made: Some(Made { spec, device }), detail })
    }
}

fn statvfs_of(root: BorrowedFd<'_>) -> Option<u64> {
    let space = fstatvfs(root).ok()?;
    Some(space.blocks().saturating_mul(space.fragment_size()))
}

/// What to do if no byte more fits where an image lies. It has holes: only what is written takes room.
fn full(dir: &Path) -> Option<String> {
    let space = statvfs(dir).ok()?;
    let advice = || format!("{} is full: make room there, or name another `image`", dir.display());
    (space.blocks_available() == 0).then(advice)
}

/// What the names of files begin with for as long as they have one in a directory that was lent; the number
/// of the process follows.
const PREFIX: &str = ".pagestorm-";

/// A new file that has lost its name again.
fn briefly(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let name = format!("{PREFIX}{}-{name}", std::process::id());
    let new = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_CREAT | OFlag::O_EXCL;
    let file = inside(root, &name, new)?;
    match unlinkat(root, name.as_str(), UnlinkatFlags::NoRemoveDir) {
        // On another machine nobody sees that we live, and takes it for what a dead process has left.
        Ok(()) | Err(Errno::ENOENT) => Ok(file),
        Err(error) => Err(error),
    }
}

/// Takes names away that processes have left who died before they could: of empty files, as nothing is
/// written to any that still has a name.
fn sweep(root: BorrowedFd<'_>) {
    let entries = fs::read_dir(format!("/proc/self/fd/{}", root.as_raw_fd()));
    for entry in entries.into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
        let Some(number) = number else { continue };
        // Whoever had our number before us is gone; a file of ours is open by now, and needs no name.
        let is_gone =
            number == std::process::id() || !Path::new("/proc").join(number.to_string()).exists();
        if is_gone && entry.metadata().is_ok_and(|data| data.is_file() && data.len() == 0) {
            // Whose it is, and who may remove it, the directory decides.
            let _ = unlinkat(root, name.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}

const OWNER: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// A name from a scenario leads nowhere else: not up, not through links, not to another mount.
fn inside(root: BorrowedFd<'_>, name: &str, flags: OFlag) -> Result<OwnedFd, Errno> {
    let mode = if flags.contains(OFlag::O_CREAT) { OWNER } else { Mode::empty() };
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | ResolveFlag::RESOLVE_NO_SYMLINKS
        | ResolveFlag::RESOLVE_NO_XDEV;
    openat2(root, name, OpenHow::new().flags(flags).mode(mode).resolve(resolve))
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
            let volume = Volume::open(&Place::Made(Spec::plain(kind))).unwrap();
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
            let volume = Volume::open(&Place::Made(spec)).unwrap();
            let flags = fstatvfs(volume.root()).unwrap().flags();
            assert!(flags.contains(are) && !flags.intersects(are_not), "{kind:?}: {flags:?}");
        }
    }

    #[test]
    fn nothing_is_left_in_a_lent_directory() {
        let dir = tempfile::tempdir().unwrap();
        let volume = Volume::open(&Place::Directory(dir.path().to_owned())).unwrap();
        let (one, other) = (volume.create("a").unwrap(), volume.create("a").unwrap());
        assert_eq!(pwrite(&one, b"x", 0), Ok(1));
        assert_eq!(nix::sys::stat::fstat(other).unwrap().st_size, 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(
            !volume.filesystem().is_empty() && volume.detail.contains(" on "),
            "{}",
            volume.detail
        );
        let unwritable = Volume::open(&Place::Directory("/proc/self".into())).err().unwrap();
        assert_eq!(unwritable.of, Some("directory"), "{unwritable}");
        assert!(unwritable.tried.starts_with("a file in the directory /proc"), "{unwritable}");
        let missing = Volume::open(&Place::Directory("/not/there".into())).err().unwrap();
        assert_eq!(missing.came, "ENOENT, No such file or directory");
    }

    #[test]
    fn names_that_the_dead_have_left_are_swept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let gone = u32::MAX;
        make(&format!("{PREFIX}{gone}-a"), "");
        make(&format!("{PREFIX}{gone}-full"), "x");
        make(&format!("{PREFIX}{}-b", std::process::id()), "");
        make(&format!("{PREFIX}1-a"), "");
        make(&format!("{PREFIX}{gone}"), "");
        make("a", "");
        std::fs::create_dir(dir.path().join(format!("{PREFIX}{gone}-dir"))).unwrap();
        let volume = Volume::open(&Place::Directory(dir.path().to_owned())).unwrap();
        let listed = || {
            let entries = std::fs::read_dir(dir.path()).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let mut stay = vec![
            format!("{PREFIX}{gone}"),
            format!("{PREFIX}{gone}-dir"),
            format!("{PREFIX}{gone}-full"),
            format!("{PREFIX}1-a"),
            "a".to_owned(),
        ];
        stay.sort();
        assert_eq!(listed(), stay);
        let file = briefly(volume.root(), "b").unwrap();
        assert_eq!(pwrite(&file, b"x", 0), Ok(1));
        assert_eq!(listed(), stay, "a new file has no name");
    }

    #[test]
    fn refusals_carry_what_the_filesystem_says() {
        if !is_allowed("what filesystems refuse", &[]) {
            return;
        }
        let odd = Spec { mount: "nonsense=7".to_owned(), ..Spec::plain(Kind::Ext4) };
        let refused = Volume::open(&Place::Made(odd)).err().unwrap();
        assert!(refused.to_string().contains("nonsense"), "{refused}");
        let nowhere = Some("/nowhere".into());
        let refused = Volume::open(&Place::Made(Spec { image: nowhere, ..Spec::plain(Kind::Xfs) }));
        let refused = refused.err().unwrap();
        assert_eq!(refused.of, Some("image"));
        assert!(refused.advice.starts_with("there is no such directory"), "{refused}");
        let tiny = Spec { size: 1 << 20, ..Spec::plain(Kind::Xfs) };
        let refused = Volume::open(&Place::Made(tiny)).err().unwrap();
        assert!(refused.tried.starts_with("mkfs.xfs -q -f -K /dev/loop"), "{refused}");
        assert_eq!(refused.of, Some("size"), "{refused}");
        for (kind, least) in [(Kind::Xfs, "300MiB"), (Kind::Btrfs, "109MiB")] {
            let mkfs = vec!["-Lx".to_owned()];
            let small = Spec { size: 17 << 20, mkfs, ..Spec::plain(kind) };
            let refused = Volume::open(&Place::Made(small)).err().unwrap();
            let told = format!("`size` is too small for {}: its least is ", kind.name());
            assert!(refused.advice.starts_with(&told), "{refused}");
            assert!(refused.advice.contains(least) && refused.of == Some("size"), "{refused}");
        }
        let away = Place::Made(Spec::plain(Kind::Tmpfs));
        assert_eq!(Volume::open(&away).unwrap().create("../x").unwrap_err(), Errno::EXDEV);
    }
}
