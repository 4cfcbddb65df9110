//! What happens to a task that passes a named point: delays, and reclaim at the worst moment.

use crate::director::Director;
use crate::scenario::plan::{FaultPlan, Plan};
use crate::tally::Fault;
use sim::chance::{FaultDice, FaultSite};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use stormfs::Filesystem;
use stormfs::inode::Steer;
use stormfs::points::Point;
use stormfs::quantity::{ByteRange, narrow, wide};

/// The faults of a plan that strike at points.
pub struct Steering {
    dice: FaultDice,
    delays: Vec<(Point, u32, Duration)>,
    evict_ppm: u32,
    /// Who holds tasks at points, if a script does.
    director: Option<Arc<Director>>,
    filesystem: OnceLock<Weak<Filesystem>>,
    passed: AtomicU64,
    delay: Counter,
    evict: Counter,
}

#[derive(Default)]
struct Counter {
    armed: AtomicU64,
    fired: AtomicU64,
}

const DELAY: u32 = 0x30;
const EVICT: u32 = 0x31;
const VICTIM: u32 = 0x32;

impl Steering {
    /// What `plan` asks for, and what its script holds.
    pub fn new(plan: &Plan, dice: FaultDice, director: Option<Arc<Director>>) -> Steering {
        let mut delays = Vec::new();
        let mut evict_ppm = 0;
        for fault in &plan.faults {
            match *fault {
                FaultPlan::Delay { at, chance_ppm, length } => {
                    delays.push((at, chance_ppm, length));
                }
                FaultPlan::Evict { chance_ppm } => evict_ppm = chance_ppm.max(evict_ppm),
                FaultPlan::ShortCopy { .. }
                | FaultPlan::AbandonedFault { .. }
                | FaultPlan::IoError { .. }
                | FaultPlan::Latency { .. } => {}
            }
        }
        let (passed, delay, evict) = (AtomicU64::new(0), Counter::default(), Counter::default());
        let filesystem = OnceLock::new();
        Steering { dice, delays, evict_ppm, director, filesystem, passed, delay, evict }
    }

    /// Whose folios are evicted. Must be told before the first point is passed.
    pub fn attach(&self, filesystem: Weak<Filesystem>) {
        self.filesystem.set(filesystem).expect("one filesystem for one steering");
    }

    /// How often each fault could have struck, and did.
    pub fn counts(&self) -> [(Fault, u64, u64); 2] {
        let row = |fault, counter: &Counter| {
            let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
            (fault, read(&counter.armed), read(&counter.fired))
        };
        [row(Fault::Delay, &self.delay), row(Fault::Evict, &self.evict)]
    }

    /// Names this passage of a point: by task, operation and number of points in it where those
    /// are the same in every run, else by a running number.
    fn here(&self, kind: u32) -> FaultSite {
        let (task, operation) = sim::current_operation();
        let passed = sim::points_passed();
        let nth = if passed == 0 { self.passed.fetch_add(1, Ordering::Relaxed) } else { passed };
        FaultSite { kind, operation: task << 48 | operation, nth }
    }

    fn evict_somebody(&self) {
        let Some(filesystem) = self.filesystem.get().and_then(Weak::upgrade) else { return };
        let file = narrow(self.dice.below(self.here(VICTIM), wide(filesystem.files())));
        let size = filesystem.view(file).size();
        let pos = self.dice.below(self.here(VICTIM + 1), size.max(1));
        if filesystem.evict(file, ByteRange::at(pos, 1)) != Ok(0) {
            self.evict.fired.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Steer for Steering {
    fn at(&self, point: Point) {
        for (at, chance_ppm, length) in &self.delays {
            if *at == point {
                self.delay.armed.fetch_add(1, Ordering::Relaxed);
                if self.dice.strikes(self.here(DELAY), *chance_ppm) {
                    self.delay.fired.fetch_add(1, Ordering::Relaxed);
                    sim::sleep(*length);
                }
            }
        }
        // Reclaim passes a point itself, with a folio locked.
        if self.evict_ppm != 0 && point != Point::EvictFolioLocked {
            self.evict.armed.fetch_add(1, Ordering::Relaxed);
            if self.dice.strikes(self.here(EVICT), self.evict_ppm) {
                self.evict_somebody();
            }
        }
        if let Some(director) = &self.director {
            director.passes(point);
        }
    }
}
