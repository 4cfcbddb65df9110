//! The questions of a buffered write.

use super::Rules;
use crate::choices::{EmptyCopy, MappingCheck, ShortCopy, ShortCopyRetry, SizeUpdate, Zeroing};

/// A copy from user memory into a folio, which may have ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Bytes asked for.
    pub wanted: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Those of them that lie before the block in which the copy ended.
    pub in_whole_blocks: u64,
    /// Whether every byte of the block in which the copy ended is known: the block was uptodate, or
    /// the copy ended at its end or with all that was wanted.
    pub ends_uptodate: bool,
    /// Whether the whole folio was uptodate before.
    pub folio_uptodate: bool,
}

/// The cookie of a mapping, and the extent map's sequence counter as the task saw it that is about
/// to use the mapping for a folio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The counter when the mapping was sampled.
    pub sampled: u64,
    /// The counter before the task waited for the folio's lock.
    pub before_lock: u64,
    /// The counter now, under the lock.
    pub now: u64,
    /// Whether the mapping has not been used for another folio before.
    pub first_folio: bool,
}

/// A block of which a change fills only a part, and of whose other bytes the folio knows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartBlock {
    /// Whether the mapping says that it holds data.
    pub mapped: bool,
    /// Whether the mapping's own lookup reserved it.
    pub new: bool,
    /// Whether it lies beyond the end of the file.
    pub beyond_eof: bool,
}

/// What was kept of a copy into a folio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Bytes kept.
    pub bytes: u64,
    /// Whether they begin with the folio.
    pub from_start: bool,
    /// The bits of the blocks from the one that holds the first byte to the one before the end.
    pub touched: (u32, u32),
    /// Blocks of the folio.
    pub blocks: u32,
    /// Whether the whole folio was uptodate before.
    pub folio_uptodate: bool,
}

/// A moment at which a write can publish the size of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeMoment {
    /// The mapping is there, and nothing is copied.
    Mapped,
    /// Bytes are accepted, under the lock of their folio.
    Accepted,
    /// The folio is unlocked.
    Unlocked,
}

impl Rules {
    /// May a mapping be used, now that the folio is locked?
    pub fn mapping_is_current(&self, mapping: Validity) -> bool {
        let current = mapping.sampled == mapping.now;
        match self.choices.mapping_check {
            MappingCheck::EachFolio => current,
            MappingCheck::FirstFolio => {
                self.deviate(self.choices.mapping_check, current, current || !mapping.first_folio)
            }
            MappingCheck::BeforeLock => self.deviate(
                self.choices.mapping_check,
                current,
                mapping.sampled == mapping.before_lock,
            ),
            MappingCheck::Never => self.deviate(self.choices.mapping_check, current, true),
        }
    }

    /// Is a block filled with zeros, and not with what the device holds?
    pub fn gets_zeros(&self, block: PartBlock) -> bool {
        let right = !block.mapped || block.new || block.beyond_eof;
        match self.choices.zeroing {
            Zeroing::TypeNewEof => right,
            Zeroing::TypeOnly => self.deviate(self.choices.zeroing, right, !block.mapped),
            Zeroing::NewOnly => {
                self.deviate(self.choices.zeroing, right, block.new || block.beyond_eof)
            }
        }
    }

    /// How much is kept of a copy?
    pub fn kept(&self, copy: Copied) -> u64 {
        let right = if copy.ends_uptodate { copy.bytes } else { copy.in_whole_blocks };
        match self.choices.short_copy {
            ShortCopy::WholeBlocks => right,
            ShortCopy::IfUptodate if copy.bytes == copy.wanted || copy.folio_uptodate => {
                self.deviate(self.choices.short_copy, right, copy.bytes)
            }
            ShortCopy::IfUptodate => self.deviate(self.choices.short_copy, right, 0),
            ShortCopy::Always => self.deviate(self.choices.short_copy, right, copy.bytes),
        }
    }

    /// How much is tried at most, once a copy of `copied` bytes was not kept?
    pub fn tried_again(&self, copied: u64) -> u64 {
        // Where not even one byte was there, faulting in decides.
        let right = if copied == 0 { u64::MAX } else { copied };
        match self.choices.short_copy_retry {
            ShortCopyRetry::CopiedCount => right,
            ShortCopyRetry::FullCount => {
                self.deviate(self.choices.short_copy_retry, right, u64::MAX)
            }
        }
    }

    /// Which blocks of a folio does a copy make dirty? `None`: the folio is not made dirty at all.
    pub fn dirtied(&self, copy: Kept) -> Option<(u32, u32)> {
        let right = (copy.bytes != 0).then_some(copy.touched);
        match self.choices.empty_copy {
            EmptyCopy::MarksLastBlock if copy.bytes == 0 && copy.folio_uptodate => {
                let wrong = if copy.from_start { (0, copy.blocks) } else { copy.touched };
                self.deviate(self.choices.empty_copy, right, Some(wrong))
            }
            EmptyCopy::MarksNothing | EmptyCopy::MarksLastBlock => right,
        }
    }

    /// Is the size of a growing file published at this moment?
    pub fn publishes_size(&self, moment: SizeMoment) -> bool {
        let right = moment == SizeMoment::Accepted;
        match self.choices.size_update {
            SizeUpdate::UnderFolioLock => right,
            SizeUpdate::AfterUnlock => {
                self.deviate(self.choices.size_update, right, moment == SizeMoment::Unlocked)
            }
            SizeUpdate::AtMapping => {
                self.deviate(self.choices.size_update, right, moment == SizeMoment::Mapped)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    fn rules(decision: &str, value: &str) -> Rules {
        let mut choices = Choices::default();
        assert!(choices.set(decision, value), "{decision}: {value}");
        Rules::new(choices)
    }

    #[test]
    fn a_wrong_answer_counts_only_where_it_differs() {
        let rules = rules("mapping_check", "never");
        let at = |now| Validity { sampled: 4, before_lock: now, now, first_folio: true };
        assert!(rules.mapping_is_current(at(4)));
        assert_eq!(rules.deviations(), 0);
        assert!(rules.mapping_is_current(at(5)));
        assert_eq!(rules.deviations(), 1);
    }

    #[test]
    fn mappings_are_checked_by_this_table() {
        // before the lock, now, first folio: current by each value, if sampled at 4
        let table = [
            ((4, 4, true), [true, true, true, true]),
            ((4, 5, true), [false, false, true, true]),
            ((4, 5, false), [false, true, true, true]),
            ((5, 5, true), [false, false, false, true]),
            ((5, 5, false), [false, true, false, true]),
        ];
        for ((before_lock, now, first_folio), current) in table {
            let mapping = Validity { sampled: 4, before_lock, now, first_folio };
            let values = ["each_folio", "first_folio", "before_lock", "never"];
            for (value, current) in values.into_iter().zip(current) {
                let answer = rules("mapping_check", value).mapping_is_current(mapping);
                assert_eq!(answer, current, "{value}: {mapping:?}");
            }
        }
    }

    #[test]
    fn an_empty_copy_marks_by_this_table() {
        // kept bytes, from the start of the folio, touched blocks, folio uptodate: blocks made dirty
        let table = [
            ((9, true, (0, 1), true), Some((0, 1)), Some((0, 1))),
            ((0, true, (0, 0), true), None, Some((0, 4))),
            ((0, false, (2, 3), true), None, Some((2, 3))),
            ((0, false, (2, 2), true), None, Some((2, 2))),
            ((0, false, (2, 3), false), None, None),
        ];
        for ((bytes, from_start, touched, folio_uptodate), right, wrong) in table {
            let copy = Kept { bytes, from_start, touched, blocks: 4, folio_uptodate };
            assert_eq!(rules("empty_copy", "marks_nothing").dirtied(copy), right, "{copy:?}");
            assert_eq!(rules("empty_copy", "marks_last_block").dirtied(copy), wrong, "{copy:?}");
        }
    }

    #[test]
    fn short_copies_are_kept_by_this_table() {
        // wanted, copied, in whole blocks, ends uptodate, folio uptodate: kept by each value
        let table = [
            ((8, 8, 8, true, false), [8, 8, 8]),
            ((8, 3, 2, true, true), [3, 3, 3]),
            ((8, 3, 2, true, false), [3, 0, 3]),
            ((8, 3, 2, false, false), [2, 0, 3]),
            ((8, 1, 0, false, false), [0, 0, 1]),
            ((8, 0, 0, true, true), [0, 0, 0]),
        ];
        for ((wanted, bytes, in_whole_blocks, ends_uptodate, folio_uptodate), kept) in table {
            let copy = Copied { wanted, bytes, in_whole_blocks, ends_uptodate, folio_uptodate };
            for (value, kept) in ["whole_blocks", "if_uptodate", "always"].into_iter().zip(kept) {
                assert_eq!(rules("short_copy", value).kept(copy), kept, "{value}: {copy:?}");
            }
        }
    }
}
