//! An ioend: contiguous blocks of one file on their way to contiguous blocks of the device.
//!
//! Completion, in the device worker's task:
//! 1. Failure: the error is remembered; the folios become clean all the same, and keep their bytes.
//! 2. Success: unwritten extents are marked written, and the on-disk size follows the data, never
//!    beyond the bytes that this very I/O carried.
//! 3. Only then do the folios leave writeback. Reclaim may take them after that, and whoever reads
//!    the blocks back must find them written.
//!
//! Kernel: `iomap_finish_ioend`, `xfs_end_ioend`.

use crate::errno::Errno;
use crate::folio::Folio;
use crate::inode::Inode;
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange, DiskBlock, narrow};
use crate::rules::Completed;
use crate::witness::{Completion, Submission};
use block::{Bio, Buffer};
use std::sync::Arc;

/// An ioend grows to at most this many bytes.
const LARGEST: usize = 256 << 10;

/// I/O that is being gathered.
pub(crate) struct Ioend {
    blocks: BlockRange,
    disk: DiskBlock,
    /// Whether the extents under it are unwritten.
    converts: bool,
    /// The last byte of the file that it carries, cut to the size that writeback saw.
    end: u64,
    data: Vec<u8>,
    folios: Vec<Arc<Folio>>,
}

impl Ioend {
    /// The first run of blocks of `folio`.
    pub(crate) fn new(blocks: BlockRange, disk: DiskBlock, converts: bool) -> Ioend {
        let end = BlockRange { start: blocks.start, end: blocks.start };
        Ioend { blocks: end, disk, converts, end: 0, data: Vec::new(), folios: Vec::new() }
    }

    /// Whether a run of blocks continues this one.
    pub(crate) fn continues(&self, blocks: BlockRange, disk: DiskBlock, converts: bool) -> bool {
        self.blocks.end == blocks.start
            && self.disk + self.blocks.len() == disk
            && self.converts == converts
            && self.data.len() < LARGEST
    }

    /// Takes the bytes of `blocks` from `folio`, which stays in writeback until the I/O is done.
    pub(crate) fn add(
        &mut self,
        folio: &Arc<Folio>,
        blocks: BlockRange,
        range: ByteRange,
        size: u64,
    ) {
        folio.begin_writeback();
        let filled = self.data.len();
        self.data.resize(filled + narrow(range.len()), 0);
        folio.read(range.start, &mut self.data[filled..]);
        self.blocks.end = blocks.end;
        self.end = range.end.min(size);
        self.folios.push(Arc::clone(folio));
    }

    /// Hands the I/O to the device.
    pub(crate) fn submit(self, inode: &Arc<Inode>) {
        inode.at(Point::WritebackBeforeSubmit);
        let Ioend { blocks, disk, converts, .. } = self;
        inode.shared.witness.submits(inode.view(), Submission { blocks, disk, converts });
        let geometry = inode.geometry();
        let cause = inode.number() << 48 | geometry.pos_of(blocks.start);
        let data = Buffer::from(&self.data[..]);
        let bio = Bio::write(geometry.offset_of(disk), data, cause);
        let file = Arc::clone(inode);
        inode.shared.device.submit(bio, move |_, result| self.complete(&file, result.is_ok()));
    }

    fn complete(self, inode: &Inode, succeeded: bool) {
        if succeeded {
            inode.at(Point::IoendBeforeConvert);
            self.make_durable(inode);
            inode.at(Point::IoendConverted);
        } else {
            inode.set_writeback_error(Errno::Io);
            let range = inode.geometry().bytes_of(self.blocks);
            inode.shared.witness.writeback_failed(inode.view(), range);
        }
        for folio in &self.folios {
            end_writeback(inode, folio);
        }
    }

    /// The data is on the device: now the extents and the size may say so.
    fn make_durable(&self, inode: &Inode) {
        let size = inode.size();
        let bytes = inode.geometry().bytes_of(self.blocks);
        let (before, after) = inode.change_fork(|fork| {
            if self.converts {
                let advances = inode.rules().conversion_advances_sequence();
                fork.extents.mark_written(self.blocks, advances);
            }
            let before = fork.size_disk;
            fork.size_disk = inode.rules().size_made_durable(Completed {
                bytes_to: self.end,
                blocks_to: bytes.end,
                size,
                size_disk: before,
            });
            (before, fork.size_disk)
        });
        let completion = Completion {
            bytes: ByteRange::new(bytes.start, self.end),
            size_disk_before: before,
            size_disk_after: after,
        };
        inode.shared.witness.completed(inode.view(), completion);
    }
}

/// One part of the folio's writeback is done.
pub(crate) fn end_writeback(inode: &Inode, folio: &Folio) {
    if folio.end_writeback() {
        inode.cache.untag_if_idle(folio);
    }
}
