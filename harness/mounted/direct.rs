//! Reads and writes past the page cache, whose memory has to lie at whole pages.

use crate::memory::{Memory, write_from};
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};

/// Memory for them, used again and again.
#[derive(Debug)]
pub struct Aligned(Memory);

impl Aligned {
    /// Room for `len` bytes.
    pub fn new(len: usize) -> Result<Aligned, Errno> {
        Memory::anonymous(len).map(Aligned)
    }

    /// `pread(2)` from a descriptor with `O_DIRECT`.
    pub fn read(&mut self, file: impl AsFd, pos: u64, bytes: &mut [u8]) -> Result<usize, Errno> {
        self.make_room(bytes.len())?;
        let found = self.0.fill(bytes.len(), file, pos)?;
        self.0.take(0, &mut bytes[..found]);
        Ok(found)
    }

    /// `pwrite(2)` to a descriptor with `O_DIRECT`.
    pub fn write(&mut self, file: impl AsFd, pos: u64, bytes: &[u8]) -> Result<u64, Errno> {
        self.make_room(bytes.len())?;
        self.0.put(0, bytes);
        write_from(file, &[(self.0.address(0), bytes.len())], Some(pos))
    }

    fn make_room(&mut self, len: usize) -> Result<(), Errno> {
        if self.0.len() < len {
            self.0 = Memory::anonymous(len)?;
        }
        Ok(())
    }
}

/// Direct reads and writes of a file begin and end at multiples of so many bytes. `None`: the filesystem
/// does not say.
pub fn alignment(file: impl AsFd) -> Option<u64> {
    let mut told = std::mem::MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the path is empty, the kernel writes at most the structure that it is given, and of that
    // every bit pattern is valid.
    #[expect(unsafe_code, reason = "a system call that has no wrapper")]
    let told = unsafe {
        let fd = file.as_fd().as_raw_fd();
        let (path, wanted) = (c"".as_ptr(), libc::STATX_DIOALIGN);
        let done = libc::statx(fd, path, libc::AT_EMPTY_PATH, wanted, told.as_mut_ptr());
        (done == 0).then(|| told.assume_init())
    }?;
    let said = told.stx_mask & libc::STATX_DIOALIGN != 0;
    Some(u64::from(told.stx_dio_offset_align)).filter(|unit| said && *unit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;
    use nix::sys::uio::pread;

    #[test]
    fn what_went_past_the_cache_is_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let made = tempfile::tempfile_in(dir.path()).unwrap();
        let file = File::open(&made).unwrap();
        let Some(direct) = file.direct() else {
            eprintln!("skipped: no O_DIRECT in {}", dir.path().display());
            return;
        };
        let unit = alignment(direct).unwrap_or(4096);
        let bytes: Vec<u8> = (0..3 * 4096_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut memory = Aligned::new(10).unwrap();
        let len = u64::try_from(bytes.len()).unwrap();
        assert_eq!(memory.write(direct, 4096, &bytes), Ok(len));
        let mut seen = vec![0; bytes.len()];
        assert_eq!(pread(&made, &mut seen, 4096), Ok(seen.len()));
        assert!(seen == bytes, "by a read through the cache");
        let mut part = vec![0; usize::try_from(unit).unwrap()];
        assert_eq!(memory.read(direct, 8192, &mut part), Ok(part.len()));
        assert!(part == bytes[4096..4096 + part.len()], "by a read past it, of {unit} bytes");
    }
}
