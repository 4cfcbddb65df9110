//! What goes wrong with the disk of a real filesystem by chance, whom it excuses, and what the files hold
//! after that.

use super::{Real, WHOLE};
use crate::scenario::plan::{FaultPlan, IoKind, Plan};
use crate::tally::Fault;
use block::Spike;
use mounted::gate::{Chances, Failed};
use mounted::look;
use nix::errno::Errno;
use nix::sys::uio::{pread, pwrite};
use oracle::pattern;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::op::OpKind;
use stormfs::quantity::{narrow, wide};

/// See the module.
pub(super) struct Failing {
    /// What the gate is told, and the seed that decides when it happens.
    chances: Chances,
    seed: u64,
    /// How many requests have failed. `None`: there is no disk.
    failed: Option<Failed>,
    /// How many reads had failed when everybody stood still last, and the time before.
    reads_before: [AtomicU64; 2],
    /// How many reads and writes were told of.
    told: [AtomicU64; 2],
}

impl Failing {
    /// What `plan` asks for.
    pub(super) fn of(plan: &Plan, failed: Option<Failed>) -> Failing {
        let mut chances = Chances { stride: pattern::STRIDE, ..Chances::default() };
        for fault in &plan.faults {
            match *fault {
                FaultPlan::Latency { chance_ppm: ppm, length: time, limit } => {
                    chances.spike = Spike { ppm, time, limit };
                }
                FaultPlan::IoError { on: IoKind::Read, chance_ppm } => {
                    chances.read_error_ppm = chance_ppm;
                }
                FaultPlan::IoError { on: IoKind::Write, chance_ppm } => {
                    chances.write_error_ppm = chance_ppm;
                }
                FaultPlan::IoError { on: IoKind::Flush, .. }
                | FaultPlan::ShortCopy { .. }
                | FaultPlan::AbandonedFault { .. }
                | FaultPlan::Evict { .. }
                | FaultPlan::Delay { .. } => {}
            }
        }
        let (reads_before, told) = Default::default();
        Failing { chances, seed: plan.seed, failed, reads_before, told }
    }

    /// How many writes fail is of interest.
    pub(super) fn fails_writes(&self) -> Option<&Failed> {
        self.failed.as_ref().filter(|_| self.chances.write_error_ppm != 0)
    }

    /// Whether a call of that kind may have failed because a request did. An error of a write is
    /// reported when somebody asks for it, however late.
    pub(super) fn excuses(&self, kind: OpKind) -> bool {
        let Some(failed) = &self.failed else { return false };
        let reads = self.reads_before[1].load(Ordering::SeqCst) != failed.reads();
        let only_reads = matches!(kind, OpKind::Read | OpKind::MmapLoad);
        reads || !only_reads && failed.writes() != 0
    }

    /// Everybody stands still. A read that failed is met by whoever waited for it, and nobody waits that
    /// long.
    fn stands_still(&self) {
        let Some(failed) = &self.failed else { return };
        let last = self.reads_before[0].swap(failed.reads(), Ordering::SeqCst);
        self.reads_before[1].store(last, Ordering::SeqCst);
    }

    /// What has failed since this was asked last.
    pub(super) fn news(&self) -> impl Iterator<Item = Fault> {
        let failed = self.failed.as_ref();
        let counts = failed.map_or([0; 2], |failed| [failed.reads(), failed.writes()]);
        let pairs = self.told.iter().zip(counts).zip([Fault::ReadError, Fault::WriteError]);
        pairs.filter_map(|((told, count), fault)| {
            (told.fetch_max(count, Ordering::SeqCst) < count).then_some(fault)
        })
    }
}

/// Changes that are remembered of a file for the case that a write of it fails, before it is synced so that
/// they can be forgotten.
const REMEMBERED: usize = 50_000;

/// Bytes read at once.
const STEP: u64 = 256 << 10;

impl Real {
    /// From now on things go wrong.
    pub(super) fn begin_to_fail(&self) {
        let Some(gate) = self.host.volume.gate() else { return };
        if self.failing.fails_writes().is_some() {
            for number in 0..self.names.len() {
                if self.file(number).sync().is_ok() {
                    self.oracle.is_on_the_device(number);
                }
            }
        }
        let Failing { chances, seed, .. } = &self.failing;
        if *chances != (Chances { stride: chances.stride, ..Chances::default() }) {
            // Nobody behind the gate: then every read and write fails, and that is told.
            let _ = gate.chances(*seed, *chances);
        }
    }

    /// While everybody stands still nothing goes wrong, and what was lost before is found out.
    pub(super) fn while_nothing_fails(&self, look: impl FnOnce()) {
        let gate = self.host.volume.gate();
        let pause = |pause| gate.map(|gate| gate.pause(pause));
        let _ = pause(true);
        look();
        self.take_stock();
        self.failing.stands_still();
        let _ = pause(false);
    }

    /// Nothing goes wrong any more.
    pub(super) fn end_failing(&self) {
        if let Some(gate) = self.host.volume.gate() {
            let _ = gate.heal();
        }
        self.take_stock();
    }

    /// What each file holds, after writes of it may have failed, or where too much would have to be
    /// remembered.
    fn take_stock(&self) {
        if self.failing.fails_writes().is_none() {
            return;
        }
        for number in 0..self.names.len() {
            if self.oracle.may_have_lost(number) {
                self.find_out(number);
            } else if REMEMBERED < self.oracle.remembered(number)
                && self.file(number).sync().is_ok()
                && !self.oracle.may_have_lost(number)
            {
                self.oracle.is_on_the_device(number);
            }
        }
    }

    /// Has the device and the cache agree, and takes what is there for what the file holds, if that may
    /// be.
    fn find_out(&self, number: usize) {
        let file = self.file(number);
        // Errors of writes are told once.
        let synced = file.sync().or_else(|_| file.sync());
        let synced = synced.and_then(|()| self.catch_up(number));
        self.judge_quiet(number, "fsync", synced.err());
        let _ = self.evict(number, WHOLE);
        let left = look::cached(file, 0..WHOLE.end);
        if synced.is_err() || !left.is_ok_and(|left| left.pages == 0) {
            return;
        }
        let mut bytes = Vec::new();
        let (mut pos, size) = (0, file.size().unwrap_or(0));
        while pos < size {
            bytes.resize(narrow((size - pos).min(STEP)), 0);
            match pread(file, &mut bytes, i64::try_from(pos).unwrap_or(i64::MAX)) {
                Ok(found) if 0 < found => {
                    self.oracle.accept(number, pos, &bytes[..found]);
                    pos += wide(found);
                }
                // Whoever looks next tells what that is.
                _ => return,
            }
        }
        self.oracle.is_on_the_device(number);
    }

    /// The size that is on the device follows writes that have succeeded. If the last has failed, another
    /// makes up for it: of the last byte, as it is.
    fn catch_up(&self, number: usize) -> Result<(), Errno> {
        let file = self.file(number);
        let Some(last) = file.size()?.checked_sub(1) else { return Ok(()) };
        let (mut byte, pos) = ([0], i64::try_from(last).unwrap_or(i64::MAX));
        if pread(file, &mut byte, pos)? == 1 {
            pwrite(file, &byte, pos)?;
        }
        file.sync()
    }
}
