//! The conductor's part: before the storm, at its halts, and after it.

use crate::clock::Stopwatch;
use crate::scenario::plan::{Layout, WorldKind};
use crate::stage::Stage;
use crate::steering::Steering;
use block::Device;
use oracle::extents::extents_writes_never_overlap;
use oracle::pattern;
use std::sync::atomic::Ordering;
use std::time::Duration;
use stormfs::errno::Errno;
use stormfs::mmap::Resident;
use stormfs::op::OpId;
use stormfs::quantity::{ByteRange, narrow};
use stormfs::view::View;

/// The conductor acts as this one; the actors of a scenario count from 1.
const CONDUCTOR: u16 = 0;

/// How often the threads world is halted to check everything.
const HALT_EVERY: Duration = Duration::from_millis(250);

/// How often it is where actors have a rate: a halt is nothing that latencies should be about.
const HALT_RATED_EVERY: Duration = Duration::from_secs(1);

/// How often the conductor of the threads world looks up.
const LOOK_UP: Duration = Duration::from_millis(2);

/// Bytes written or read at once while files are laid out and read again.
const STEP: u64 = 256 << 10;

/// Leads the storm from its first to its last task.
pub fn conduct(stage: &Stage, device: &Device, steering: &Steering) {
    sim::explore(false);
    let mut conductor = Conductor { stage, number: 0 };
    for (file, (size, layout)) in stage.layouts.clone().into_iter().enumerate() {
        conductor.lay_out(file, size, layout);
    }
    let opened = Stopwatch::start();
    sim::explore(true);
    device.begin();
    steering.begin();
    stage.open_gate();
    if let Some(script) = &stage.script {
        script.follow(stage, || {
            conductor.next_id();
        });
    }
    match stage.world {
        WorldKind::Simulated => stage.wait_for_actors(),
        WorldKind::Threads => conductor.watch(),
    }
    sim::explore(false);
    *stage.acted.lock() = opened.elapsed();
    device.heal();
    conductor.finish(device);
    device.shutdown();
}

struct Conductor<'a> {
    stage: &'a Stage,
    number: u64,
}

impl Conductor<'_> {
    fn next_id(&mut self) -> OpId {
        self.number += 1;
        sim::begin_operation(self.number);
        OpId { actor: CONDUCTOR, number: self.number }
    }

    /// Gives a file its first size and blocks. A shortage of space leaves it smaller.
    fn lay_out(&mut self, file: usize, size: u64, layout: Layout) {
        let fs = self.stage.filesystem();
        if size == 0 {
            return;
        }
        match layout {
            Layout::Hole => {
                let _ = fs.truncate(file, self.next_id(), size);
            }
            Layout::Unwritten => {
                let _ = fs.fallocate(file, self.next_id(), ByteRange::new(0, size), false);
            }
            Layout::Written => {
                self.fill(file, size);
                let _ = fs.sync();
            }
            Layout::Delalloc => self.fill(file, size),
            Layout::Any => unreachable!("a seed draws it before its storm begins"),
        }
    }

    fn fill(&mut self, file: usize, size: u64) {
        let mut bytes = Vec::new();
        let mut pos = 0;
        while pos < size {
            let id = self.next_id();
            bytes.resize(narrow((size - pos).min(STEP)), 0);
            pattern::fill(id, pos, &mut bytes);
            let written = self.stage.filesystem().write(file, id, Some(pos), &Resident(&bytes));
            match written {
                Ok(written) if 0 < written => pos += written,
                _ => return,
            }
        }
    }

    /// Waits for the actors of the threads world, halting them now and then.
    fn watch(&self) {
        let started = sim::now();
        let mut halted = started;
        let every = if self.stage.rated { HALT_RATED_EVERY } else { HALT_EVERY };
        while !self.stage.all_done() && !sim::stopping() {
            sim::sleep(LOOK_UP);
            // Looking up is no progress: if nobody else makes any, the run has hung.
            let now = sim::now();
            let time_is_up = self.stage.time.is_some_and(|time| time < now.saturating_sub(started));
            if time_is_up || self.stage.is_interrupted() {
                self.stage.call_time();
            } else if every < now.saturating_sub(halted) {
                self.stage.halt(|| self.check_still());
                halted = sim::now();
            }
        }
    }

    /// Checks everything while nobody acts.
    fn check_still(&self) {
        let fs = self.stage.filesystem();
        let _ = fs.sync();
        self.stage.oracle.judge_synced(&self.views());
    }

    /// The last checks: after a sync, from disk, through the filesystem's own reads, after release.
    fn finish(&mut self, device: &Device) {
        let stage = self.stage;
        let fs = stage.filesystem();
        self.next_id();
        let _ = fs.sync();
        stage.oracle.judge_synced(&self.views());
        for file in 0..fs.files() {
            self.next_id();
            if fs.fsync(file) == Err(Errno::Io) {
                stage.reported[file].fetch_add(1, Ordering::Relaxed);
            }
            let reported = stage.reported[file].load(Ordering::Relaxed);
            stage.oracle.judge_errors_reported(fs.view(file), reported);
        }
        self.drop_caches();
        stage.oracle.judge_reread(&self.views());
        for file in 0..fs.files() {
            self.read_all(file);
        }
        for file in 0..fs.files() {
            self.next_id();
            let _ = fs.release(file);
        }
        stage.oracle.judge_released(&self.views());
        let overlaps: Vec<String> =
            device.take_overlaps().iter().map(|overlap| format!("{overlap:?}")).collect();
        let checks = stage.oracle.checks();
        stage.oracle.judge_overall(extents_writes_never_overlap(checks, &overlaps));
    }

    fn drop_caches(&mut self) {
        let fs = self.stage.filesystem();
        for file in 0..fs.files() {
            self.next_id();
            let _ = fs.evict(file, ByteRange::new(0, u64::MAX >> 8));
        }
    }

    fn read_all(&mut self, file: usize) {
        let fs = self.stage.filesystem();
        let size = fs.view(file).size();
        let mut bytes = Vec::new();
        let mut pos = 0;
        while pos < size {
            let id = self.next_id();
            bytes.resize(narrow((size - pos).min(STEP)), 0);
            match fs.read(file, id, pos, &mut bytes) {
                Ok(read) if 0 < read => pos += read,
                _ => return,
            }
        }
    }

    fn views(&self) -> Vec<View<'_>> {
        self.stage.filesystem().views().collect()
    }
}
