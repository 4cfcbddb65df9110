//! The questions of a write that gives back what it did not use.

use super::Rules;
use crate::choices::{FaultOps, WalkEnd, WalkIndex, WriteCleanup, ZeroCleanup};
use crate::quantity::{ByteRange, PAGE};

impl Rules {
    /// Is what a mapping reserved, and the write did not use, given back when the write is through
    /// with that mapping, though it was stale? `reserved` says whether there is anything to give.
    pub fn stale_mapping_is_released(&self, reserved: impl FnOnce() -> bool) -> bool {
        match self.choices.write_cleanup {
            WriteCleanup::CacheWalk
            | WriteCleanup::CacheWalkUnlocked
            | WriteCleanup::WholeRangeLocked
            | WriteCleanup::WholeRange => true,
            WriteCleanup::SkipIfStale | WriteCleanup::SkipIfStaleCarryNew => {
                !self.deviate(self.choices.write_cleanup, !reserved(), true)
            }
        }
    }

    /// Does a mapping count as new that replaces a stale one, which was new? `reserved` says whether
    /// its own lookup has reserved its blocks.
    pub fn successor_is_new(&self, reserved: bool) -> bool {
        match self.choices.write_cleanup {
            WriteCleanup::CacheWalk
            | WriteCleanup::CacheWalkUnlocked
            | WriteCleanup::WholeRangeLocked
            | WriteCleanup::WholeRange
            | WriteCleanup::SkipIfStale => reserved,
            WriteCleanup::SkipIfStaleCarryNew => {
                self.deviate(self.choices.write_cleanup, reserved, true)
            }
        }
    }

    /// Does the clean-up keep page faults out from its look at the page cache until the last punch?
    pub fn cleanup_excludes_faults(&self) -> bool {
        match self.choices.write_cleanup {
            WriteCleanup::CacheWalk | WriteCleanup::WholeRangeLocked => true,
            WriteCleanup::CacheWalkUnlocked
            | WriteCleanup::WholeRange
            | WriteCleanup::SkipIfStale
            | WriteCleanup::SkipIfStaleCarryNew => {
                self.deviate(self.choices.write_cleanup, true, false)
            }
        }
    }

    /// Does the clean-up spare what others have put into the page cache? `others` says whether
    /// somebody has.
    pub fn cleanup_spares_cache(&self, others: impl FnOnce() -> bool) -> bool {
        match self.choices.write_cleanup {
            WriteCleanup::CacheWalk | WriteCleanup::CacheWalkUnlocked => true,
            WriteCleanup::WholeRangeLocked
            | WriteCleanup::WholeRange
            | WriteCleanup::SkipIfStale
            | WriteCleanup::SkipIfStaleCarryNew => {
                !self.deviate(self.choices.write_cleanup, !others(), true)
            }
        }
    }

    /// Where does the walk end that looks for dirty folios in `unused`? `end_of_file` is the end of
    /// the last block; `others` says whether the rest of a range is under a dirty folio.
    pub fn walk_end(
        &self,
        unused: ByteRange,
        end_of_file: u64,
        others: impl FnOnce(ByteRange) -> bool,
    ) -> u64 {
        let right = end_of_file.min(unused.end);
        let beyond = ByteRange::new(unused.start.max(right), unused.end);
        match self.choices.walk_end {
            WalkEnd::EndOfFile => right,
            WalkEnd::EndOfWrite if others(beyond) => {
                self.deviate(self.choices.walk_end, right, unused.end)
            }
            WalkEnd::EndOfWrite => unused.end,
        }
    }

    /// Does zeroing take `invalidate_lock` to give back what it did not zero?
    pub fn zeroing_locks_for_cleanup(&self) -> bool {
        match self.choices.zero_cleanup {
            ZeroCleanup::CallerHoldsLock => false,
            ZeroCleanup::TakesLock => self.deviate(self.choices.zero_cleanup, false, true),
        }
    }

    /// Does a write fault that gives up revoke what it reserved? `reserved` says whether it did.
    pub fn fault_revokes(&self, reserved: bool) -> bool {
        match self.choices.fault_ops {
            FaultOps::Own => false,
            FaultOps::BufferedWrite => self.deviate(self.choices.fault_ops, false, reserved),
        }
    }

    /// Where does the walk go on after a folio that ends at `end`?
    pub fn walk_continues_at(&self, end: u64) -> u64 {
        match self.choices.walk_index {
            WalkIndex::Full => end,
            WalkIndex::Wraps => self.deviate(self.choices.walk_index, end, end / PAGE % 256 * PAGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    /// What each value of `write_cleanup` answers: is a stale mapping released, does its successor
    /// count as new, are faults kept out, is the cache spared.
    #[test]
    fn clean_up_is_decided_by_this_table() {
        let table = [
            ("cache_walk", [true, false, true, true]),
            ("cache_walk_unlocked", [true, false, false, true]),
            ("whole_range_locked", [true, false, true, false]),
            ("whole_range", [true, false, false, false]),
            ("skip_if_stale", [false, false, false, false]),
            ("skip_if_stale_carry_new", [false, true, false, false]),
        ];
        for (value, expected) in table {
            let mut choices = Choices::default();
            assert!(choices.set("write_cleanup", value), "{value}");
            let rules = Rules::new(choices);
            let answers = [
                rules.stale_mapping_is_released(|| true),
                rules.successor_is_new(false),
                rules.cleanup_excludes_faults(),
                rules.cleanup_spares_cache(|| true),
            ];
            assert_eq!(answers, expected, "{value}");
            let right = [true, false, true, true];
            let wrong = answers.iter().zip(right).filter(|(answer, right)| **answer != *right);
            assert_eq!(rules.deviations(), u64::try_from(wrong.count()).unwrap(), "{value}");
        }
    }

    #[test]
    fn the_walk_wraps_at_a_mebibyte() {
        let mut choices = Choices::default();
        assert!(choices.set("walk_index", "wraps"));
        let rules = Rules::new(choices);
        assert_eq!(rules.walk_continues_at(0xff000), 0xff000);
        assert_eq!(rules.deviations(), 0);
        assert_eq!(rules.walk_continues_at(0x10_3000), 0x3000);
        assert_eq!(rules.deviations(), 1);
    }
}
