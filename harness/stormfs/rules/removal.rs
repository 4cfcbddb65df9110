//! The questions of those who remove a range: truncate, punch, zero range.

use super::Rules;
use crate::choices::{PartialPunch, PunchEof, TruncateOrder};
use crate::quantity::ByteRange;

/// A step of setting the size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruncateStep {
    /// Zero what the file grows over, or the tail of its new last block.
    Zero,
    /// Publish `i_size`.
    SetSize,
    /// Drop the cache beyond the new end, or protect the folio that straddled the old one.
    DropCache,
    /// Write back what lies between the size on disk and the new one.
    Flush,
    /// Set the size on disk and free the extents beyond it.
    FreeExtents,
}

/// The folios that a punch meets, and what is at stake in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PunchedFolios {
    /// The range, rounded outward to whole folios.
    pub touched: ByteRange,
    /// The range without the folios that it covers only in part.
    pub covered: ByteRange,
    /// Whether a PTE can write to one that is covered only in part.
    pub cut_is_writable: bool,
}

impl Rules {
    /// In which order is the size set? `at_stake` says whether any of the cache that goes is dirty
    /// or in I/O.
    pub fn truncate_steps(&self, at_stake: bool) -> [TruncateStep; 5] {
        use TruncateStep::{DropCache, Flush, FreeExtents, SetSize, Zero};
        let right = [Zero, SetSize, DropCache, Flush, FreeExtents];
        match self.choices.truncate_order {
            TruncateOrder::FlushSizeCacheFree if at_stake => self.deviate(
                self.choices.truncate_order,
                right,
                [Zero, Flush, SetSize, DropCache, FreeExtents],
            ),
            TruncateOrder::SizeFreeCacheFlush if at_stake => self.deviate(
                self.choices.truncate_order,
                right,
                [Zero, SetSize, FreeExtents, DropCache, Flush],
            ),
            TruncateOrder::SizeCacheFlushFree
            | TruncateOrder::FlushSizeCacheFree
            | TruncateOrder::SizeFreeCacheFlush => right,
        }
    }

    /// The folios of which range does a punch write back and take from the cache and from mappings?
    /// Those that it does not are zeroed in place.
    pub fn punch_takes_out(&self, folios: PunchedFolios) -> ByteRange {
        match self.choices.partial_punch {
            PartialPunch::KeepsPte if folios.cut_is_writable => {
                self.deviate(self.choices.partial_punch, folios.touched, folios.covered)
            }
            PartialPunch::Unmapped | PartialPunch::KeepsPte => folios.touched,
        }
    }

    /// Does a punch that reaches the end of the file take out the folio that straddles it, and write
    /// back what it dirties of it again? `stored_behind` says whether anything but zeros lies there
    /// behind the end.
    pub fn punch_clears_eof(&self, stored_behind: impl FnOnce() -> bool) -> bool {
        match self.choices.punch_eof {
            PunchEof::WrittenBack => true,
            PunchEof::LeftInPlace => !self.deviate(self.choices.punch_eof, false, stored_behind()),
        }
    }
}
