//! fsync and sync: everything written is on the device, or the caller is told.
//!
//! 1. Write back what is dirty and wait for it.
//! 2. Flush the device's volatile cache.
//! 3. Report the writeback error since the last report, once.
//!
//! Kernel: `xfs_file_fsync`, `file_write_and_wait_range`.

use crate::errno::Errno;
use crate::inode::{Inode, Shared};
use crate::points::Point;
use crate::quantity::ByteRange;
use crate::writeback::{self, Mode};
use block::Bio;

/// Makes the file durable.
pub(crate) fn fsync(inode: &Inode) -> Result<(), Errno> {
    // The error, if there is one, is taken below: it must be reported once.
    let _ = writeback::write_range(inode, ByteRange::new(0, u64::MAX >> 8), Mode::Wait);
    inode.at(Point::FsyncBeforeFlush);
    let flushed = flush(&inode.shared, inode.number());
    inode.take_writeback_error().map_or(flushed, Err)
}

/// Empties the device's volatile cache.
pub(crate) fn flush(shared: &Shared, cause: u64) -> Result<(), Errno> {
    let (_, result) = shared.device.submit_wait(Bio::flush(cause << 48));
    result.map_err(|_| Errno::Io)
}
