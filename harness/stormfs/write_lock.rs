//! What reads and writes hold of a file from their announcement to their end.
//!
//! | `write_lock`          | write within the file         | write that extends it         | read |
//! |-----------------------|-------------------------------|-------------------------------|------|
//! | `exclusive`           | `i_rwsem` exclusively         | `i_rwsem` exclusively         | `i_rwsem` shared |
//! | `shared_nonextending` | `i_rwsem` shared and its range | `i_rwsem` exclusively         | `i_rwsem` shared and its range |
//! | `shared`              | `i_rwsem` shared and its range | `i_rwsem` shared, and from the end of the file on | `i_rwsem` shared and its range |
//!
//! Which ranges these are and why they suffice is told in [`crate::range_lock`].
//!
//! Writes beside one another make each other's mappings stale, as the sequence counter is one for
//! the whole file: each reservation, and each clean-up of a mapping that went stale, advances it. Two
//! of them can go on like that for ever, neither accepting a byte. So a write has the remap lock
//! shared from its mapping to its clean-up, and after a few barren mappings in a row it takes the
//! lock exclusively until a byte is accepted: then nobody but faults and writeback changes extents,
//! and each such change is their progress. A seqlock's readers do the same
//! (`read_seqbegin_or_lock`).
//!
//! *Rejected:* to let go of everything and go on under `i_rwsem` exclusively. It shows readers half a
//! write, and takes an append apart where another one comes between its halves.

use crate::errno::Errno;
use crate::inode::Inode;
use crate::quantity::{ByteRange, Geometry};
use crate::range_lock::{Mode, RangeGuard};
use sim::{RwLockReadGuard, RwLockWriteGuard};

/// What a write holds.
pub(crate) struct WriteLock<'a> {
    inode: &'a Inode,
    how: How<'a>,
}

enum How<'a> {
    Exclusive { _rwsem: RwLockWriteGuard<'a, ()> },
    // Dropped in this order.
    Shared { _range: RangeGuard<'a>, _rwsem: RwLockReadGuard<'a, ()> },
}

impl<'a> WriteLock<'a> {
    /// Takes what a write needs whose range `place` tells by the size of the file. It is asked again
    /// once the lock is had: the size may have grown meanwhile.
    pub(crate) fn take(
        inode: &'a Inode,
        place: impl Fn(u64) -> Result<ByteRange, Errno>,
    ) -> Result<(WriteLock<'a>, ByteRange), Errno> {
        if inode.rules().writes_share(false) {
            let rwsem = inode.i_rwsem.read();
            let size = inode.size();
            let range = place(size)?;
            if inode.rules().writes_share(size < range.end) {
                let covered = covered(inode.geometry(), range, size);
                let range = inode.ranges.lock(covered, Mode::Exclusive, inode.rules());
                let how = How::Shared { _range: range, _rwsem: rwsem };
                return Ok((WriteLock { inode, how }, place(inode.size())?));
            }
        }
        let how = How::Exclusive { _rwsem: inode.i_rwsem.write() };
        Ok((WriteLock { inode, how }, place(inode.size())?))
    }

    /// The file.
    pub(crate) fn inode(&self) -> &'a Inode {
        self.inode
    }

    /// What to hold from a mapping to its clean-up, after `barren` mappings in a row went stale
    /// before a byte was accepted.
    pub(crate) fn turn(&self, barren: u32) -> Turn<'a> {
        let lock = &self.inode.remap_lock;
        match self.how {
            How::Exclusive { .. } => Turn::Only,
            How::Shared { .. } if self.inode.rules().maps_alone(barren) => {
                Turn::Alone { _remap: lock.write() }
            }
            How::Shared { .. } => Turn::BesideOthers { _remap: lock.read() },
        }
    }
}

/// The right to map and reserve for a while.
pub(crate) enum Turn<'a> {
    /// There is no other write.
    Only,
    /// Other writes wait.
    Alone { _remap: RwLockWriteGuard<'a, ()> },
    /// Other writes may do the same.
    BesideOthers { _remap: RwLockReadGuard<'a, ()> },
}

impl Turn<'_> {
    /// Whether other writes may map and reserve meanwhile.
    pub(crate) fn is_beside_others(&self) -> bool {
        matches!(self, Turn::BesideOthers { .. })
    }
}

/// What a read holds.
pub(crate) struct ReadLock<'a> {
    // Dropped in this order.
    _range: Option<RangeGuard<'a>>,
    _rwsem: RwLockReadGuard<'a, ()>,
}

impl<'a> ReadLock<'a> {
    /// Takes what a read of `range` needs.
    pub(crate) fn take(inode: &'a Inode, range: ByteRange) -> ReadLock<'a> {
        let rwsem = inode.i_rwsem.read();
        let beside_writes = inode.rules().writes_share(false);
        let lock = || inode.ranges.lock(range, Mode::Shared, inode.rules());
        ReadLock { _range: beside_writes.then(lock), _rwsem: rwsem }
    }
}

/// What a write of `range` locks in a file of `size` bytes.
fn covered(geometry: Geometry, range: ByteRange, size: u64) -> ByteRange {
    if range.end <= size {
        return geometry.folios_touching(range);
    }
    let first = ByteRange::at(range.start.min(size), 1);
    ByteRange::new(geometry.folios_touching(first).start, u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_locks_whole_folios_or_everything_from_the_end_of_the_file_on() {
        let geometry = Geometry::new(1024, 16384);
        let end = u64::MAX;
        // size, write, what it locks
        let table = [
            (65536, (0, 1), (0, 16384)),
            (65536, (16000, 17000), (0, 32768)),
            (65536, (65535, 65536), (49152, 65536)),
            (65536, (65535, 65537), (49152, end)),
            (65536, (65536, 65537), (65536, end)),
            (65536, (100_000, 100_001), (65536, end)),
            (65535, (100_000, 100_001), (49152, end)),
            (65535, (100, 65536), (0, end)),
            (0, (100_000, 100_001), (0, end)),
        ];
        for (size, (from, to), expected) in table {
            let ByteRange { start, end } = covered(geometry, ByteRange::new(from, to), size);
            assert_eq!((start, end), expected, "[{from}, {to}) of a file of {size} bytes");
        }
    }
}
