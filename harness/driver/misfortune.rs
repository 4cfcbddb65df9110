//! What chance does to a call before it is made: a source that falls short, a write fault that is
//! given up. Afterwards the call says everything about itself.

use crate::abandoned::AbandonedFaults;
use crate::call::Call;
use crate::scenario::plan::{FaultPlan, Plan};
use crate::user_buffer::ShortCopies;
use sim::chance::FaultDice;
use stormfs::op::{Op, OpId};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Misfortune {
    dice: FaultDice,
    short_copies: ShortCopies,
    abandoned_faults: AbandonedFaults,
}

impl Misfortune {
    /// What `plan` asks for, as `dice` decide.
    pub fn new(plan: &Plan, dice: FaultDice) -> Misfortune {
        let (short_copies, abandoned_faults) = (ShortCopies::default(), AbandonedFaults::default());
        let mut misfortune = Misfortune { dice, short_copies, abandoned_faults };
        for fault in &plan.faults {
            match *fault {
                FaultPlan::ShortCopy { chance_ppm, persistent_ppm } => {
                    misfortune.short_copies = ShortCopies { chance_ppm, persistent_ppm };
                }
                FaultPlan::AbandonedFault { chance_ppm } => {
                    misfortune.abandoned_faults = AbandonedFaults { chance_ppm };
                }
                FaultPlan::IoError { .. }
                | FaultPlan::Evict { .. }
                | FaultPlan::Delay { .. }
                | FaultPlan::Latency { .. } => {}
            }
        }
        misfortune
    }

    /// Strikes the call of operation `id`, or lets it be. What the call says of itself stays.
    pub fn strike(&self, id: OpId, mut call: Call) -> Call {
        if let Op::Write(range) = call.op {
            self.shorten(id, &mut call, range.len());
        } else if let Op::Append(len) = call.op {
            self.shorten(id, &mut call, len);
        } else if let Op::MmapStore(_) = call.op {
            call.abandoned |= self.abandoned_faults.strike(self.dice, id);
        }
        call
    }

    fn shorten(&self, id: OpId, call: &mut Call, len: u64) {
        let by_chance = || self.short_copies.gap(self.dice, id, len, &call.pieces);
        call.gap = call.gap.or_else(by_chance);
    }
}
