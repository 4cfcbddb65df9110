//! The file below an image or a loop device: it has no name, so it cannot outlive its user.

use crate::errno;
use crate::open_error::Attempt;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::libc;
use nix::sys::statvfs::statvfs;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file without a name.
pub(crate) struct Backing {
    pub(crate) file: File,
    /// Where it takes its space from.
    pub(crate) dir: PathBuf,
}

/// A directory that may take the file.
pub(crate) struct Directory {
    pub(crate) dir: PathBuf,
    /// Whether its free space is main memory: then a file must fit at once, even if it is sparse.
    pub(crate) memory: bool,
}

/// Where backing files go by default: to memory, ten times as fast as a disk, else to the
/// directory for temporary files.
pub(crate) fn places() -> [Directory; 2] {
    [
        Directory { dir: PathBuf::from("/dev/shm"), memory: true },
        Directory { dir: std::env::temp_dir(), memory: false },
    ]
}

/// A file of `size` bytes in the first of `places` that takes it.
///
/// Up to 1 GiB its space is allocated now, so that a full disk is told here and not later as an
/// I/O error. A larger file is sparse.
pub(crate) fn create(places: &[Directory], size: u64) -> Result<Backing, Vec<Attempt>> {
    first_in(places, |place| create_in(place, size, ALLOCATED))
}

/// The same, but sparse whatever its size.
pub(crate) fn create_sparse(places: &[Directory], size: u64) -> Result<Backing, Vec<Attempt>> {
    first_in(places, |place| create_in(place, size, 0))
}

fn first_in(
    places: &[Directory],
    create: impl Fn(&Directory) -> Result<File, Failed>,
) -> Result<Backing, Vec<Attempt>> {
    let mut tried = Vec::new();
    for place in places {
        match create(place) {
            Ok(file) => return Ok(Backing { file, dir: place.dir.clone() }),
            Err((step, errno)) => tried.push(Attempt { dir: place.dir.clone(), step, errno }),
        }
    }
    Err(tried)
}

/// Files up to this size are allocated at once.
const ALLOCATED: u64 = 1 << 30;

type Failed = (&'static str, i32);

/// Files of at most `allocated` bytes are allocated at once.
fn create_in(place: &Directory, size: u64, allocated: u64) -> Result<File, Failed> {
    if place.memory && allocated < size {
        let space = statvfs(&place.dir).map_err(|error| ("statvfs", errno::raw(error)))?;
        if space.blocks_available().saturating_mul(space.fragment_size()) < size {
            return Err(("statvfs", libc::ENOSPC));
        }
    }
    let file = unnamed(&place.dir)?;
    file.set_len(size).map_err(|error| ("ftruncate", errno::of(&error)))?;
    if size <= allocated {
        let len = i64::try_from(size).expect("at most 1 GiB");
        match fallocate(&file, FallocateFlags::empty(), 0, len) {
            // Where a filesystem cannot allocate ahead, a sparse file is all there is.
            Ok(()) | Err(Errno::EOPNOTSUPP) => {}
            Err(error) => return Err(("fallocate", errno::raw(error))),
        }
    }
    Ok(file)
}

fn unnamed(dir: &Path) -> Result<File, Failed> {
    let mut options = File::options();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE).open(dir) {
        Ok(file) => Ok(file),
        // What filesystems answer that do not know O_TMPFILE.
        Err(error) if [libc::EOPNOTSUPP, libc::EISDIR].contains(&errno::of(&error)) => {
            named_for_a_moment(dir, options.create_new(true))
        }
        Err(error) => Err(("open", errno::of(&error))),
    }
}

fn named_for_a_moment(dir: &Path, options: &fs::OpenOptions) -> Result<File, Failed> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("pagestorm-{}-{number}", std::process::id()));
        match options.open(&path) {
            Ok(file) => {
                fs::remove_file(&path).map_err(|error| ("unlink", errno::of(&error)))?;
                return Ok(file);
            }
            // Left by a process of the same number that died in this very place.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(("open", errno::of(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn place(dir: &Path, memory: bool) -> Directory {
        Directory { dir: dir.to_owned(), memory }
    }

    #[test]
    fn the_first_directory_that_takes_the_file_gets_it() {
        let temp = std::env::temp_dir();
        let places = [place(&temp.join("is/not/there"), false), place(&temp, false)];
        let backing = create(&places, 1 << 20).expect("the temporary directory takes a mebibyte");
        assert_eq!(backing.dir, temp);
        let metadata = backing.file.metadata().unwrap();
        assert_eq!((metadata.len(), metadata.nlink()), (1 << 20, 0));
        assert!((1 << 20) / 512 <= metadata.blocks(), "allocated: {} blocks", metadata.blocks());
    }

    #[test]
    fn every_refusal_is_told_with_its_errno() {
        let temp = std::env::temp_dir();
        let huge = 1 << 62;
        let cases = [
            (place(&temp.join("is/not/there"), false), 4096, "open", libc::ENOENT),
            (place(Path::new("/dev/null"), false), 4096, "open", libc::ENOTDIR),
            (place(&temp, true), huge, "statvfs", libc::ENOSPC),
        ];
        for (place, size, step, errno) in cases {
            let dir = place.dir.clone();
            let tried = create(&[place], size).err().expect("nobody takes that");
            assert_eq!(tried, [Attempt { dir, step, errno }]);
        }
    }

    #[test]
    fn without_o_tmpfile_the_name_is_gone_too() {
        let temp = std::env::temp_dir();
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        let file = named_for_a_moment(&temp, &options).unwrap();
        assert_eq!(file.metadata().unwrap().nlink(), 0);
    }
}
