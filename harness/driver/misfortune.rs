//! What chance does to a call before it is made: a source that falls short, a write fault that is
//! given up. Afterwards the call says everything about itself.

use crate::abandoned::AbandonedFaults;
use crate::call::Call;
use crate::scenario::plan::{FaultPlan, Plan};
use crate::user_buffer::ShortCopies;
use sim::chance::FaultDice;
use stormfs::op::{Op, OpId};
use stormfs::quantity::ByteRange;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Misfortune {
    dice: FaultDice,
    /// Where everything is tried out: what the strategy chooses among, and not the dice.
    tried: bool,
    block_size: u64,
    short_copies: ShortCopies,
    abandoned_faults: AbandonedFaults,
}

impl Misfortune {
    /// What `plan` asks for, as `dice` decide.
    pub fn new(plan: &Plan, dice: FaultDice) -> Misfortune {
        let (short_copies, abandoned_faults) = (ShortCopies::default(), AbandonedFaults::default());
        let (tried, block_size) = (plan.exhaustive().is_some(), plan.filesystem.block_size);
        let mut misfortune = Misfortune { dice, tried, block_size, short_copies, abandoned_faults };
        for fault in &plan.faults {
            match *fault {
                FaultPlan::ShortCopy { chance_ppm, persistent_ppm, .. } => {
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

    /// Strikes the call of operation `id`, or lets it be. What the call says of itself stays. Its
    /// file is `size` long.
    pub fn strike(&self, id: OpId, mut call: Call, size: impl FnOnce(usize) -> u64) -> Call {
        if let Op::Write(range) = call.op {
            self.shorten(id, &mut call, range);
        } else if let Op::Append(len) = call.op {
            let range = ByteRange::at(size(call.file), len);
            self.shorten(id, &mut call, range);
        } else if let Op::MmapStore(_) = call.op {
            call.abandoned = call.abandoned || self.gives_up(id);
        }
        call
    }

    fn shorten(&self, id: OpId, call: &mut Call, range: ByteRange) {
        let gap = || {
            if !self.tried {
                return self.short_copies.gap(self.dice, id, range.len(), &call.pieces);
            }
            let kinds = self.short_copies.kinds(range, self.block_size, &call.pieces);
            let chosen = sim::choice(u32::try_from(kinds.len()).expect("a few kinds") + 1);
            kinds.get(usize::try_from(chosen).ok()?.checked_sub(1)?).copied()
        };
        call.gap = call.gap.or_else(gap);
    }

    fn gives_up(&self, id: OpId) -> bool {
        if self.tried && self.abandoned_faults.chance_ppm != 0 {
            return sim::choice(2) == 1;
        }
        self.abandoned_faults.strike(self.dice, id)
    }
}
