//! The questions the algorithms ask, answered by the [`Choices`] in force.
//!
//! Each question is told plain quantities and answers with a value. Where a choice makes the
//! answer wrong it goes through [`Rules::deviate`], which counts only answers that really
//! differed: a run whose bug never changed an answer has not provoked it.

use crate::choices::WriteCleanup;
use crate::choices::{Choices, CleanOrder, Conversion, Extension, MappingCheck, ShortCopy};
use std::sync::atomic::{AtomicU64, Ordering};

/// A step of making a dirty folio clean for writeback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanStep {
    /// Take write permission from every PTE that maps the folio.
    Protect,
    /// Clear the folio's dirty flag.
    ClearDirty,
    /// Read the folio's dirty blocks into I/O.
    Submit,
}

/// Answers the algorithms' questions.
#[derive(Debug, Default)]
pub struct Rules {
    choices: Choices,
    deviations: AtomicU64,
}

impl Rules {
    /// The rules that `choices` make.
    pub fn new(choices: Choices) -> Rules {
        Rules { choices, deviations: AtomicU64::new(0) }
    }

    /// The choices in force.
    pub fn choices(&self) -> Choices {
        self.choices
    }

    /// How many answers differed from the correct filesystem's.
    pub fn deviations(&self) -> u64 {
        self.deviations.load(Ordering::Relaxed)
    }

    /// May a mapping sampled at sequence `sampled` be used, now that the folio is locked?
    pub fn mapping_is_current(&self, sampled: u64, now: u64) -> bool {
        let current = sampled == now;
        match self.choices.mapping_check {
            MappingCheck::EachFolio => current,
            MappingCheck::Never => self.deviate(current, true),
        }
    }

    /// Is a copy kept that filled `copied` of the `wanted` bytes?
    pub fn keeps_copy(&self, copied: u64, wanted: u64, folio_uptodate: bool) -> bool {
        let right = copied != 0 && (copied == wanted || folio_uptodate);
        match self.choices.short_copy {
            ShortCopy::IfUptodate => right,
            ShortCopy::Always => self.deviate(right, copied != 0),
        }
    }

    /// Does the clean-up of a write spare what others have put into the page cache? `others` says
    /// whether somebody has.
    pub fn cleanup_spares_cache(&self, others: impl FnOnce() -> bool) -> bool {
        match self.choices.write_cleanup {
            WriteCleanup::CacheWalk => true,
            WriteCleanup::WholeRange => !self.deviate(!others(), true),
        }
    }

    /// Are bytes zeroed that the growing file exposes?
    pub fn zeroes_exposed(&self) -> bool {
        match self.choices.extension {
            Extension::ZeroExposed => true,
            Extension::LeaveExposed => self.deviate(true, false),
        }
    }

    /// In which order is a folio cleaned? `writable` says whether a PTE could tell the difference.
    pub fn clean_steps(&self, writable: bool) -> [CleanStep; 3] {
        let right = [CleanStep::Protect, CleanStep::ClearDirty, CleanStep::Submit];
        let wrong = [CleanStep::ClearDirty, CleanStep::Submit, CleanStep::Protect];
        match self.choices.clean_order {
            CleanOrder::ProtectThenClear => right,
            CleanOrder::ClearThenProtect if writable => self.deviate(right, wrong),
            CleanOrder::ClearThenProtect => wrong,
        }
    }

    /// Does converting unwritten extents invalidate mappings sampled before?
    pub fn conversion_advances_sequence(&self) -> bool {
        match self.choices.conversion {
            Conversion::BumpsSequence => true,
            Conversion::KeepsSequence => self.deviate(true, false),
        }
    }

    /// Answers `wrong`, and counts it if `right` was something else.
    fn deviate<T: PartialEq + Copy>(&self, right: T, wrong: T) -> T {
        if right != wrong {
            self.deviations.fetch_add(1, Ordering::Relaxed);
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // copied, wanted, uptodate, kept by the correct filesystem, kept by `always`
        let table = [
            (8, 8, false, true, true),
            (8, 8, true, true, true),
            (3, 8, true, true, true),
            (3, 8, false, false, true),
            (0, 8, true, false, false),
            (0, 8, false, false, false),
        ];
        let (right, wrong) = (Rules::default(), rules("short_copy", "always"));
        for (copied, wanted, uptodate, kept, kept_always) in table {
            assert_eq!(right.keeps_copy(copied, wanted, uptodate), kept);
            assert_eq!(wrong.keeps_copy(copied, wanted, uptodate), kept_always);
        }
        assert_eq!((right.deviations(), wrong.deviations()), (0, 1));
    }
}
