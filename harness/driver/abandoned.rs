//! Write faults that are given up once their blocks are reserved: a fatal signal, or a wait for
//! stable pages that fails.

use sim::chance::{FaultDice, FaultSite};
use std::cell::Cell;
use stormfs::op::OpId;
use stormfs::uaccess::Signals;

/// How often a store is given up at its first write fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AbandonedFaults {
    /// In a million.
    pub chance_ppm: u32,
}

/// The kind of this fault; see [`FaultSite`].
const STRIKES: u32 = 0x40;

impl AbandonedFaults {
    /// Whether `op` gives up.
    pub fn strike(self, dice: FaultDice, op: OpId) -> bool {
        let site = FaultSite { kind: STRIKES, operation: op.packed(), nth: 0 };
        self.chance_ppm != 0 && dice.strikes(site, self.chance_ppm)
    }
}

/// A task that a fatal signal may await.
pub struct Victim {
    pending: bool,
    asked: Cell<bool>,
}

impl Victim {
    /// A task for which such a signal is `pending` or not.
    pub fn new(pending: bool) -> Victim {
        Victim { pending, asked: Cell::new(false) }
    }

    /// Whether a fault was given up because of the signal.
    pub fn gave_up(&self) -> bool {
        self.pending && self.asked.get()
    }
}

impl Signals for Victim {
    fn fatal_signal_pending(&self) -> bool {
        self.asked.set(true);
        self.pending
    }
}
