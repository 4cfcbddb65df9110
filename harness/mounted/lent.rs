//! Directories that the user lends: opened, and why no file can be made in one that is there.

use crate::refusal::Refusal;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How directories are opened.
pub(crate) const DIRECTORY: OFlag =
    OFlag::O_DIRECTORY.union(OFlag::O_RDONLY).union(OFlag::O_CLOEXEC);

/// Opens one.
///
/// # Errors
///
/// It is not there, or is no directory, or is not for this user.
pub fn directory(path: &Path) -> Result<OwnedFd, Refusal> {
    openat(AT_FDCWD, path, DIRECTORY, Mode::empty()).map_err(|error| {
        let tried = format!("the directory {}", path.display());
        Refusal::errno(tried, error, "name a directory that you may write to").of("directory")
    })
}

/// Why nobody can make a file in a directory that is there.
pub(crate) fn unwritable(path: &Path, error: Errno) -> Refusal {
    let tried = format!("a file in the directory {}", path.display());
    Refusal::errno(tried, error, advice(error, geteuid().as_raw())).of("directory")
}

fn advice(error: Errno, user: u32) -> String {
    match (error, user) {
        (Errno::EROFS, _) => "it is mounted read-only: mount it for writing, or name another",
        (Errno::EACCES, 0) => {
            "this filesystem takes no files here, or takes root for somebody else (NFS): name another \
             directory"
        }
        (Errno::EPERM, 0) => {
            "this filesystem takes no files, or the directory is immutable (lsattr -d): name another"
        }
        (Errno::EACCES | Errno::EPERM, _) => {
            return format!(
                "the user {user} may not write there: name a directory of its own, or change its mode"
            );
        }
        (Errno::ENOSPC | Errno::EDQUOT, _) => "make room there, or name another",
        _ => "name a directory in which files can be made",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_write_everywhere_is_not_told_to_change_a_mode() {
        for (error, user, told) in [
            (Errno::EACCES, 0, "this filesystem takes no files"),
            (Errno::EPERM, 0, "this filesystem takes no files"),
            (Errno::EACCES, 7, "the user 7 may not write there"),
            (Errno::EROFS, 0, "it is mounted read-only"),
        ] {
            assert!(advice(error, user).starts_with(told), "{error:?} {user}");
        }
        assert_eq!(directory(Path::new("/proc/self/maps")).unwrap_err().of, Some("directory"));
    }
}
