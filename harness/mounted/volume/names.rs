//! Names of files on a volume: they lead nowhere else, and a directory that was lent sees none for longer than
//! it takes to open a file.

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// A name from a scenario leads nowhere else: not up, not through links, not to another mount.
pub(super) fn inside(root: BorrowedFd<'_>, name: &str, flags: OFlag) -> Result<OwnedFd, Errno> {
    let mode = if flags.contains(OFlag::O_CREAT) { OWNER } else { Mode::empty() };
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | ResolveFlag::RESOLVE_NO_SYMLINKS
        | ResolveFlag::RESOLVE_NO_XDEV;
    openat2(root, name, OpenHow::new().flags(flags).mode(mode).resolve(resolve))
}

/// A new file without a name; where that cannot be had, it has one for as long as it takes to open it.
pub(super) fn unnamed(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let new = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_TMPFILE;
    match openat(root, ".", new, OWNER) {
        // What filesystems answer that do not know O_TMPFILE.
        Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => briefly(root, name),
        opened => opened,
    }
}

/// Takes names away that processes have left who died before they could: of empty files, as nothing is
/// written to any that still has a name.
pub(super) fn sweep(root: BorrowedFd<'_>) {
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

/// What the names of files begin with for as long as they have one in a directory that was lent; the number
/// of the process follows.
const PREFIX: &str = ".pagestorm-";

const OWNER: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Venue, Volume};
    use nix::sys::uio::pwrite;

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
        let volume = Volume::open(&Venue::Directory(dir.path().to_owned())).unwrap();
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
}
