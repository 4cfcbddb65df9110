//! What a case does, moment by moment: calls that begin and return, points that are passed, and the
//! locks that are held then.

use crate::call::Call;
use crate::ground::NoGround;
use crate::onlooker::{Look, Onlooker};
use crate::scenario::plan::Plan;
use crate::storm::{self, Orders};
use crate::target::Performed;
use oracle::Violation;
use sim::chance::Seed;
use sim::world::Hold;
use sim::{Mutex, Passage, Rank};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::Filesystem;
use stormfs::op::Outcome;
use stormfs::quantity::{ByteRange, narrow};
use stormfs::view::View;
use stormfs::witness::Witness;

/// A case that is worth looking at is small. Of a larger one there is no chronicle.
pub const MOST: usize = 20_000;

/// See the module.
#[derive(Debug, Clone)]
pub struct Chronicle {
    /// In the order of the run.
    pub moments: Vec<Moment>,
    /// How it ended; `None` if nothing was violated.
    pub violation: Option<Violation>,
}

/// A moment of a run.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Who acted.
    pub task: usize,
    /// The operation it was in.
    pub operation: u64,
    /// Points that were passed before it.
    pub step: u64,
    /// The locks that the task held, outermost first.
    pub holds: Vec<Hold>,
    /// What happened.
    pub event: Event,
}

/// What happens at a moment.
#[derive(Debug, Clone)]
pub enum Event {
    /// A call begins.
    Begins(Call),
    /// It has returned.
    Returns(Outcome),
    /// The task came to a place.
    Passes(Passage),
    /// The device failed writeback of a range of a file.
    WritebackFails(usize, ByteRange),
}

impl Chronicle {
    /// Runs `case`, whose seed says everything that its lists and its schedule leave open. `None`: it
    /// is too long.
    ///
    /// # Errors
    ///
    /// The system has no memory for a device.
    pub fn of(case: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Option<Chronicle>, NoGround> {
        let scribe = Arc::new(Scribe { log: sim::sync::mutex(&LOG, 0, Log::default()) });
        let onlooker: Arc<dyn Onlooker> = scribe.clone();
        let look = Look { onlooker: Some(&onlooker), ..Look::default() };
        let seed = Seed(case.seed);
        let orders = Orders { plan: case, seed, record: true, judged: true, look, interrupted };
        let violation = storm::run(orders)?.violation;
        let Log { moments, too_long, .. } = std::mem::take(&mut *scribe.log.lock());
        Ok((!too_long).then_some(Chronicle { moments, violation }))
    }

    /// The step of its last moment.
    pub fn end(&self) -> u64 {
        self.moments.last().map_or(0, |moment| match &moment.event {
            Event::Passes(passage) => passage.step.max(moment.step),
            Event::Begins(_) | Event::Returns(_) | Event::WritebackFails(..) => moment.step,
        })
    }
}

/// Looks on, and writes down.
struct Scribe {
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    moments: Vec<Moment>,
    /// Points that were passed.
    step: u64,
    too_long: bool,
}

static LOG: Rank = Rank::leaf(12, "chronicle");

impl Scribe {
    fn keep(&self, (task, operation): (usize, u64), event: Event) {
        let mut stands = sim::tasks();
        let holds = if task < stands.len() { stands.swap_remove(task).holds } else { Vec::new() };
        let mut log = self.log.lock();
        if log.moments.len() == MOST {
            log.too_long = true;
            return;
        }
        let step = log.step;
        if let Event::Passes(passage) = &event {
            log.step = step.max(passage.step);
        }
        log.moments.push(Moment { task, operation, step, holds, event });
    }
}

impl Onlooker for Scribe {
    fn passes(&self, _filesystem: &Filesystem, passage: &Passage) {
        self.keep((passage.task, passage.operation), Event::Passes(*passage));
    }

    fn call_begins(&self, _filesystem: &Filesystem, actor: usize, call: &Call) {
        self.keep((1 + actor, call.number), Event::Begins(call.clone()));
    }

    fn call_returns(&self, _: &Filesystem, actor: usize, call: &Call, result: Performed) {
        self.keep((1 + actor, call.number), Event::Returns(result.outcome));
    }
}

impl Witness for Scribe {
    fn writeback_failed(&self, file: View<'_>, range: ByteRange) {
        let (task, operation) = sim::current_operation();
        self.keep((narrow(task), operation), Event::WritebackFails(file.file(), range));
    }
}
