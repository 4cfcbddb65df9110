//! The questions of writeback and its completions.

use super::Rules;
use crate::choices::{Allocation, CleanOrder, Cookie, WritebackMapping};

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
            CleanOrder::ClearThenProtect if writable => {
                self.deviate(self.choices.clean_order, right, wrong)
            }
            CleanOrder::ClearThenProtect => wrong,
        }
    }

    /// May writeback use a mapping again that it sampled at sequence `sampled`?
    pub fn writeback_mapping_is_current(&self, sampled: u64, now: u64) -> bool {
        match self.choices.writeback_mapping {
            WritebackMapping::Revalidated => sampled == now,
            WritebackMapping::WhileItCovers => {
                self.deviate(self.choices.writeback_mapping, sampled == now, true)
            }
        }
    }

    /// Are blocks unwritten when writeback allocates them?
    pub fn allocates_unwritten(&self) -> bool {
        match self.choices.allocation {
            Allocation::Unwritten => true,
            Allocation::Written => self.deviate(self.choices.allocation, true, false),
        }
    }

    /// Does converting unwritten extents invalidate mappings sampled before?
    pub fn conversion_advances_sequence(&self) -> bool {
        match self.choices.cookie {
            Cookie::EveryChange | Cookie::NoAllocations => true,
            Cookie::NoConversions => self.deviate(self.choices.cookie, true, false),
        }
    }

    /// Does giving delayed extents their blocks invalidate mappings sampled before?
    pub fn allocation_advances_sequence(&self) -> bool {
        match self.choices.cookie {
            Cookie::EveryChange | Cookie::NoConversions => true,
            Cookie::NoAllocations => self.deviate(self.choices.cookie, true, false),
        }
    }
}
