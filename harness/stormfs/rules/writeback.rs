//! The questions of writeback and its completions.

use super::Rules;
use crate::choices::{CleanOrder, Conversion};

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

impl Rules {
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
}
