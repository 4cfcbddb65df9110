//! A directory in memory for one process, of which nothing stays behind: if that is killed, the next one
//! that makes such a directory takes it away.

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// See the module.
pub struct Scratch {
    /// Where it is.
    pub path: PathBuf,
    /// Held as long as it is in use, so that those see it who do not see our process.
    _used: Flock<File>,
}

/// What its name begins with; the number of its process follows.
const PREFIX: &str = "pagestorm-bench-";

impl Scratch {
    /// One in `dir`.
    ///
    /// # Errors
    ///
    /// It cannot be made there.
    pub fn new(dir: &Path) -> io::Result<Scratch> {
        sweep(dir);
        let path = dir.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&path)?;
        match used(&path) {
            Ok(used) => Ok(Scratch { _used: used, path }),
            Err(errno) => {
                // Nothing is in it yet.
                let _ = fs::remove_dir(&path);
                Err(errno.into())
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays, the next one takes away.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The right to use the directory at `path`, if nobody has it.
fn used(path: &Path) -> Result<Flock<File>, Errno> {
    let file = File::open(path).map_err(|error| {
        let number = error.raw_os_error().unwrap_or(0);
        Errno::from_raw(number)
    })?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno)
}

/// Takes away what processes of this user have left that are gone.
fn sweep(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    for path in entries.map(|entry| entry.path()).filter(|path| is_left(path)) {
        if used(&path).is_ok() {
            // Whoever keeps it from us keeps it from all who come later.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether this is a directory of such a process.
fn is_left(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
    // Whoever had our number before us is gone, and who uses a directory of it now holds its lock.
    let gone = number.is_some_and(|number| {
        number == std::process::id() || !Path::new("/proc").join(number.to_string()).exists()
    });
    let own = |data: fs::Metadata| data.is_dir() && data.uid() == geteuid().as_raw();
    gone && fs::symlink_metadata(path).is_ok_and(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that no process has.
    const NOBODY: u32 = u32::MAX;

    #[test]
    fn what_the_killed_have_left_is_swept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: String| {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "x").unwrap();
            path
        };
        let left = make(format!("{PREFIX}{NOBODY}"));
        let locked = make(format!("{PREFIX}{}", NOBODY - 1));
        let stays = [
            make(format!("{PREFIX}1")),
            make(format!("{PREFIX}x")),
            make(NOBODY.to_string()),
            locked.clone(),
        ];
        let beside = dir.path().join(format!("{PREFIX}{}", NOBODY - 2));
        std::os::unix::fs::symlink(&stays[0], &beside).unwrap();
        let lock = used(&locked).unwrap();
        let scratch = Scratch::new(dir.path()).unwrap();
        assert!(!left.exists(), "nobody uses it");
        for path in &stays {
            assert!(path.join("file").exists(), "{}", path.display());
        }
        assert!(fs::symlink_metadata(&beside).is_ok(), "a link leads elsewhere");
        drop(lock);
        let own = scratch.path.clone();
        assert!(own.is_dir());
        sweep(dir.path());
        assert!(own.is_dir() && !locked.exists());
        drop(scratch);
        assert!(!own.exists());
        make(format!("{PREFIX}{}", std::process::id()));
        let scratch = Scratch::new(dir.path()).expect("who had this number before is gone");
        assert_eq!(fs::read_dir(&scratch.path).unwrap().count(), 0);
    }
}
