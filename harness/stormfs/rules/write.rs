//! The questions of a buffered write.

use super::Rules;
use crate::choices::{MappingCheck, ShortCopy};

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

impl Rules {
    /// May a mapping sampled at sequence `sampled` be used, now that the folio is locked?
    pub fn mapping_is_current(&self, sampled: u64, now: u64) -> bool {
        let current = sampled == now;
        match self.choices.mapping_check {
            MappingCheck::EachFolio => current,
            MappingCheck::Never => self.deviate(current, true),
        }
    }

    /// How much is kept of a copy?
    pub fn kept(&self, copy: Copied) -> u64 {
        let right = if copy.ends_uptodate { copy.bytes } else { copy.in_whole_blocks };
        match self.choices.short_copy {
            ShortCopy::WholeBlocks => right,
            ShortCopy::IfUptodate if copy.bytes == copy.wanted || copy.folio_uptodate => {
                self.deviate(right, copy.bytes)
            }
            ShortCopy::IfUptodate => self.deviate(right, 0),
            ShortCopy::Always => self.deviate(right, copy.bytes),
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
        assert!(rules.mapping_is_current(4, 4));
        assert_eq!(rules.deviations(), 0);
        assert!(rules.mapping_is_current(4, 5));
        assert_eq!(rules.deviations(), 1);
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
