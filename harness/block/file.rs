//! Bytes behind a file descriptor: an image file, or a loop device over one.

use crate::bio::IoError;
use crate::buffer::Buffer;
use crate::errno;
use crate::media::Media;
use crate::written::Written;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use sim::{Mutex, Rank, sync};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

static WRITTEN: Rank = Rank::leaf(14, "written sectors");

/// Bytes behind a file descriptor. What was never written through it reads as poison.
pub(crate) struct FileMedia {
    file: File,
    /// Alignment that direct I/O may ask for, in bytes.
    sector: u64,
    written: Mutex<Written>,
}

impl FileMedia {
    /// Takes over `file`, whose contents count as never written. Goes around the page cache if
    /// the file allows it for whole sectors; the second value is the error if it does not.
    pub(crate) fn new(file: File, sector: u64) -> (FileMedia, Result<(), Errno>) {
        let media =
            FileMedia { file, sector, written: sync::mutex(&WRITTEN, 0, Written::default()) };
        let direct = media.go_direct();
        (media, direct)
    }

    fn go_direct(&self) -> Result<(), Errno> {
        let flags = OFlag::from_bits_retain(fcntl(&self.file, FcntlArg::F_GETFL)?);
        fcntl(&self.file, FcntlArg::F_SETFL(flags | OFlag::O_DIRECT))?;
        // Some filesystems take the flag and refuse the I/O, or ask for larger sectors.
        let mut sector = Buffer::new(usize::try_from(self.sector).expect("a small power of two"));
        if let Err(error) = self.file.read_exact_at(&mut sector, 0) {
            fcntl(&self.file, FcntlArg::F_SETFL(flags))?;
            return Err(Errno::from_raw(errno::of(&error)));
        }
        Ok(())
    }
}

impl Media for FileMedia {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        self.file.read_exact_at(into, offset).map_err(|error| real("pread", &error))?;
        self.written.lock().poison_rest(offset, into);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.file.write_all_at(bytes, offset).map_err(|error| real("pwrite", &error))?;
        let len = u64::try_from(bytes.len()).expect("lengths fit 64 bits");
        self.written.lock().mark(offset, len);
        Ok(())
    }

    fn flush(&self) -> Result<(), IoError> {
        self.file.sync_data().map_err(|error| real("fdatasync", &error))
    }

    fn peek(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        let start = offset - offset % self.sector;
        let skipped = usize::try_from(offset - start).expect("below a sector");
        let sector = usize::try_from(self.sector).expect("a small power of two");
        let mut whole = Buffer::new((skipped + into.len()).next_multiple_of(sector));
        self.read(start, &mut whole)?;
        into.copy_from_slice(&whole[skipped..skipped + into.len()]);
        Ok(())
    }
}

fn real(what: &'static str, error: &io::Error) -> IoError {
    IoError::Real { errno: errno::of(error), what }
}
