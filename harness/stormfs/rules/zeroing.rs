//! The questions of those who make zeros of a range.

use super::Rules;
use crate::choices::{PosteofDelalloc, ZeroExtends, ZeroRange};
use crate::quantity::ByteRange;

impl Rules {
    /// Is the range written back before a hole or an unwritten extent in it counts as zero?
    /// `before` says whether any of it was dirty or in I/O before its extents were looked up, and
    /// `now` whether any is.
    pub fn zeroing_writes_back(&self, before: bool, now: impl FnOnce() -> bool) -> bool {
        match self.choices.zero_range {
            ZeroRange::SamplesBeforeLookup => before,
            ZeroRange::SamplesAfterLookup => self.deviate(before, now()),
            ZeroRange::SkipsUnwritten => self.deviate(before, false),
        }
    }

    /// To where is a delayed allocation over `part` zeroed in the cache? The file's last block ends
    /// at `last_block_end`.
    pub fn delalloc_zeroed_to(&self, part: ByteRange, last_block_end: u64) -> u64 {
        let right = last_block_end.clamp(part.start, part.end);
        match self.choices.posteof_delalloc {
            PosteofDelalloc::BecomesUnwritten => right,
            PosteofDelalloc::ZeroedInCache => self.deviate(right, part.end),
        }
    }

    /// Do zeros raise the size? `beyond` says whether they reach beyond it.
    pub fn zeroing_grows(&self, beyond: bool) -> bool {
        match self.choices.zero_extends {
            ZeroExtends::KeepsSize => false,
            ZeroExtends::GrowsSize => self.deviate(false, beyond),
        }
    }
}
