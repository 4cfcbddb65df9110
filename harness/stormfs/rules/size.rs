//! The questions of those who change the size.

use super::Rules;
use crate::choices::{Extension, ExtensionProtect, SizeDisk, TruncateEof};

/// What grows a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// A write beyond its end.
    Write,
    /// `ftruncate`.
    Truncate,
    /// Plain `fallocate`.
    Fallocate,
    /// `FALLOC_FL_ZERO_RANGE`.
    ZeroRange,
}

/// A completed I/O, and the sizes it met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// The end of the bytes that it carried, cut to the size when they were read.
    pub bytes_to: u64,
    /// The end of its last block.
    pub blocks_to: u64,
    /// `i_size` at completion.
    pub size: u64,
    /// The size on disk at completion.
    pub size_disk: u64,
}

impl Rules {
    /// Are bytes zeroed that the file exposes as it grows? `exposed` says whether a folio or an extent
    /// lies where it grows.
    pub fn zeroes_exposed(&self, by: Growth, exposed: impl FnOnce() -> bool) -> bool {
        let leaves = match self.choices.extension {
            Extension::ZeroExposed => false,
            Extension::NotByWrite => by == Growth::Write,
            Extension::NotByTruncate => by == Growth::Truncate,
            Extension::NotByFallocate => by == Growth::Fallocate,
            Extension::NotByZeroRange => by == Growth::ZeroRange,
            Extension::LeaveExposed => true,
        };
        !(leaves && self.deviate(self.choices.extension, false, exposed()))
    }

    /// Do the PTEs of the folio that straddled the old end lose write access? `writable` says
    /// whether one has it.
    pub fn growth_protects(&self, writable: impl FnOnce() -> bool) -> bool {
        match self.choices.extension_protect {
            ExtensionProtect::Protects => true,
            ExtensionProtect::LeavesWritable => {
                !self.deviate(self.choices.extension_protect, false, writable())
            }
        }
    }

    /// Is the new last block written back before a truncate zeroes its tail?
    pub fn truncate_flushes_new_eof(&self) -> bool {
        self.choices.truncate_eof == TruncateEof::FlushesFirst
    }

    /// What is the size on disk after a completed I/O?
    pub fn size_made_durable(&self, io: Completed) -> u64 {
        let reached = |end: u64| io.size_disk.max(end.min(io.size));
        let right = reached(io.bytes_to);
        match self.choices.size_disk {
            SizeDisk::BytesCarried => right,
            SizeDisk::WholeBlocks => {
                self.deviate(self.choices.size_disk, right, reached(io.blocks_to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    #[test]
    fn the_size_on_disk_follows_an_io_by_this_table() {
        // bytes to, blocks to, size, size on disk: to the byte, by whole blocks
        let table = [
            ((100, 4096, 100, 0), [100, 100]),
            ((100, 4096, 200, 0), [100, 200]),
            ((100, 4096, 9000, 0), [100, 4096]),
            ((100, 4096, 50, 0), [50, 50]),
            ((100, 4096, 9000, 8192), [8192, 8192]),
        ];
        let mut choices = Choices::default();
        assert!(choices.set("size_disk", "whole_blocks"));
        for ((bytes_to, blocks_to, size, size_disk), [right, wrong]) in table {
            let io = Completed { bytes_to, blocks_to, size, size_disk };
            let rules = Rules::new(choices);
            assert_eq!(Rules::default().size_made_durable(io), right, "{io:?}");
            assert_eq!(rules.size_made_durable(io), wrong, "{io:?}");
            assert_eq!(rules.deviations(), u64::from(right != wrong), "{io:?}");
        }
    }

    #[test]
    fn growth_exposes_only_where_something_lies() {
        let mut choices = Choices::default();
        assert!(choices.set("extension", "not_by_write"));
        let rules = Rules::new(choices);
        assert!(rules.zeroes_exposed(Growth::Write, || false));
        assert!(rules.zeroes_exposed(Growth::Truncate, || true));
        assert_eq!(rules.deviations(), 0);
        assert!(!rules.zeroes_exposed(Growth::Write, || true));
        assert_eq!(rules.deviations(), 1);
    }
}
