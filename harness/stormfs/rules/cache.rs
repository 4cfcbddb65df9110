//! The questions of those who fill folios, and cut them.

use super::Rules;
use crate::choices::{FaultLock, PartialDrop, ReadRun};

impl Rules {
    /// Which blocks of a folio are read into it? `uptodate` has a bit for each block that need not
    /// be.
    pub fn read_into(&self, uptodate: u128, blocks: u32) -> u128 {
        let missing = !uptodate & (u128::MAX >> (u128::BITS - blocks));
        match self.choices.read_run {
            ReadRun::OnlyMissing => missing,
            ReadRun::FirstToLast if missing == 0 => missing,
            ReadRun::FirstToLast => {
                let from = u128::MAX << missing.trailing_zeros();
                self.deviate(
                    self.choices.read_run,
                    missing,
                    from & u128::MAX >> missing.leading_zeros(),
                )
            }
        }
    }

    /// Does a page fault wait for those who remove a range? `removing` says whether somebody does.
    pub fn faults_wait_for_removal(&self, removing: impl FnOnce() -> bool) -> bool {
        match self.choices.fault_lock {
            FaultLock::InvalidateLock => true,
            FaultLock::None => self.deviate(self.choices.fault_lock, removing(), false),
        }
    }

    /// Does a block that is cut stay as dirty as it was? `dirty` says whether it is.
    pub fn cut_block_stays_dirty(&self, dirty: bool) -> bool {
        match self.choices.partial_drop {
            PartialDrop::WholeBlocks => true,
            PartialDrop::TouchedBlocks => !self.deviate(self.choices.partial_drop, !dirty, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    #[test]
    fn runs_of_missing_blocks_are_read_apart_or_as_one() {
        let mut choices = Choices::default();
        let apart = Rules::new(choices);
        assert!(choices.set("read_run", "first_to_last"));
        let as_one = Rules::new(choices);
        for (uptodate, blocks, missing, run) in [
            (0b0000, 4, 0b1111, 0b1111),
            (0b1111, 4, 0, 0),
            (0b0110, 4, 0b1001, 0b1111),
            (0b0010, 3, 0b101, 0b111),
            (0b0011, 4, 0b1100, 0b1100),
            (0, 128, u128::MAX, u128::MAX),
        ] {
            assert_eq!(apart.read_into(uptodate, blocks), missing, "{uptodate:b}");
            assert_eq!(as_one.read_into(uptodate, blocks), run, "{uptodate:b}");
        }
        assert_eq!((apart.deviations(), as_one.deviations()), (0, 2));
    }
}
