//! The questions of reads and writes that share `i_rwsem`.

use super::Rules;
use crate::choices::{StaleRetries, WriteLocking, WriteRange};

/// A write whose mappings went stale so often in a row, without a byte accepted, maps alone.
const BARREN: u32 = 2;

impl Rules {
    /// Can writes hold `i_rwsem` shared that do, or do not, extend the file?
    pub fn writes_share(&self, extending: bool) -> bool {
        match self.choices.write_lock {
            WriteLocking::Exclusive => false,
            WriteLocking::SharedNonextending => !extending,
            WriteLocking::Shared => true,
        }
    }

    /// Does a call wait for the range it needs? `taken` says whether somebody before it has, or
    /// waits for, some of it.
    pub fn waits_for_range(&self, taken: bool) -> bool {
        match self.choices.write_range {
            WriteRange::Locked => taken,
            WriteRange::Unlocked => self.deviate(self.choices.write_range, taken, false),
        }
    }

    /// Does a write keep others from mapping now, after `barren` mappings in a row went stale before
    /// a byte was accepted?
    pub fn maps_alone(&self, barren: u32) -> bool {
        let right = BARREN <= barren;
        match self.choices.stale_retries {
            StaleRetries::Bounded => right,
            StaleRetries::Unbounded => self.deviate(self.choices.stale_retries, right, false),
        }
    }
}
