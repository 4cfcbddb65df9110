//! The conductor's part: before the storm, at its halts, and after it.

use crate::call::Call;
use crate::clock::Stopwatch;
use crate::scenario::plan::{Layout, WorldKind};
use crate::stage::Stage;
use std::time::Duration;
use stormfs::op::{Op, OpId, Outcome};
use stormfs::quantity::ByteRange;

/// The conductor acts as this one; the actors of a scenario count from 1.
const CONDUCTOR: u16 = 0;

/// How often the threads world is halted to check everything.
const HALT_EVERY: Duration = Duration::from_millis(250);

/// How often it is where actors have a rate: a halt is nothing that latencies should be about.
const HALT_RATED_EVERY: Duration = Duration::from_secs(1);

/// How often the conductor of the threads world looks up.
const LOOK_UP: Duration = Duration::from_millis(2);

/// Bytes written at once while files are laid out.
const STEP: u64 = 256 << 10;

/// Leads the storm from its first to its last task.
pub fn conduct(stage: &Stage) {
    sim::explore(false);
    let mut conductor = Conductor { stage, number: 0, memory: Vec::new() };
    for (file, (size, layout)) in stage.layouts.clone().into_iter().enumerate() {
        conductor.lay_out(file, size, layout);
    }
    let opened = Stopwatch::start();
    sim::explore(true);
    stage.target.begin();
    stage.open_gate();
    if let Some(script) = &stage.script {
        script.follow(stage, || {
            conductor.next_id();
        });
    }
    if let Some((real, steps)) = &stage.led {
        real.follow(stage, steps);
    }
    match stage.world {
        WorldKind::Simulated => stage.wait_for_actors(),
        WorldKind::Threads => conductor.watch(),
    }
    sim::explore(false);
    *stage.acted.lock() = opened.elapsed();
    stage.target.finish(&mut || conductor.next_id());
}

struct Conductor<'a> {
    stage: &'a Stage,
    number: u64,
    memory: Vec<u8>,
}

impl Conductor<'_> {
    fn next_id(&mut self) -> OpId {
        self.number += 1;
        sim::begin_operation(self.number);
        self.id()
    }

    fn id(&self) -> OpId {
        OpId { actor: CONDUCTOR, number: self.number }
    }

    /// Gives a file its first size and blocks. A shortage of space leaves it smaller.
    fn lay_out(&mut self, file: usize, size: u64, layout: Layout) {
        if size == 0 {
            return;
        }
        match layout {
            Layout::Hole => {
                let _ = self.perform_next(file, Op::Truncate(size));
            }
            Layout::Unwritten => {
                let range = ByteRange::new(0, size);
                let _ = self.perform_next(file, Op::Fallocate { range, keep_size: false });
            }
            Layout::Written => {
                self.fill(file, size);
                let _ = self.perform(self.id(), file, Op::Sync);
            }
            Layout::Delalloc => self.fill(file, size),
            Layout::Any => unreachable!("a seed draws it before its storm begins"),
        }
    }

    fn fill(&mut self, file: usize, size: u64) {
        let mut pos = 0;
        while pos < size {
            let piece = ByteRange::at(pos, (size - pos).min(STEP));
            match self.perform_next(file, Op::Write(piece)) {
                Ok(written) if 0 < written => pos += written,
                _ => return,
            }
        }
    }

    fn perform_next(&mut self, file: usize, op: Op) -> Outcome {
        let id = self.next_id();
        self.perform(id, file, op)
    }

    fn perform(&mut self, id: OpId, file: usize, op: Op) -> Outcome {
        let call = Call::plain(id.number, file, op);
        let target = &self.stage.target;
        target.prepare(id, &call, &mut self.memory);
        target.perform(id, 0, &call, &mut self.memory).outcome
    }

    /// Waits for the actors of the threads world, halting them now and then.
    fn watch(&mut self) {
        let started = sim::now();
        let mut halted = started;
        let every = if self.stage.rated { HALT_RATED_EVERY } else { HALT_EVERY };
        while !self.stage.all_done() && !sim::stopping() {
            sim::sleep(LOOK_UP);
            self.stage.target.look_up();
            // Looking up is no progress: if nobody else makes any, the run has hung.
            let now = sim::now();
            let time_is_up = self.stage.time.is_some_and(|time| time < now.saturating_sub(started));
            if time_is_up || self.stage.is_interrupted() {
                self.stage.call_time();
            } else if self.stage.order.is_none() && every < now.saturating_sub(halted) {
                let stage = self.stage;
                stage.halt(|| stage.target.judge_still(&mut || self.next_id()));
                halted = sim::now();
            }
        }
    }
}
