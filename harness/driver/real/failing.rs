//! What goes wrong with the disk of a real filesystem by chance, whom it excuses, and what the files hold
//! after that.

use super::Real;
use crate::scenario::plan::{FaultPlan, IoKind, Plan};
use crate::tally::Fault;
use block::Spike;
use mounted::gate::{Chances, Failed};
use mounted::{Abilities, Ability, Refusal};
use nix::errno::Errno;
use nix::sys::uio::{pread, pwrite};
use oracle::outside::Seen;
use oracle::pattern;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::errno::Errno as Error;
use stormfs::op::{OpKind, Outcome};

/// See the module.
pub(super) struct FaultyDisk {
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

impl FaultyDisk {
    /// What `plan` asks for.
    pub(super) fn of(plan: &Plan, failed: Option<Failed>) -> FaultyDisk {
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
        FaultyDisk { chances, seed: plan.seed, failed, reads_before, told }
    }

    /// The chances of reads and writes to fail and of both to be slow, in a million. One that
    /// begins later has none that is known: until then it strikes nobody.
    pub(super) fn chances_ppm(&self) -> [u32; 3] {
        let Chances { read_error_ppm, write_error_ppm, spike, .. } = &self.chances;
        let is_later = spike.limit.after.is_some();
        [*read_error_ppm, *write_error_ppm, if is_later { 0 } else { spike.ppm }]
    }

    /// Whether what it asks for cannot be judged here.
    pub(super) fn refuse(&self, abilities: &Abilities) -> Result<(), Refusal> {
        let answer = abilities.missing.get(&Ability::Cachestat);
        let Some(errno) = answer.filter(|_| self.chances.write_error_ppm != 0) else {
            return Ok(());
        };
        let tried =
            "cachestat, which tells whether a file is read from a disk that has failed writes";
        let advice = "kernels since 6.5 have it; leave out `io_error` of writes";
        Err(Refusal::errno(tried, *errno, advice))
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

    /// Whether a failed request may have cut a buffered write short. Requests that write are made when it
    /// has returned: only one that asks for its own error, or had to read first, can tell of any.
    pub(super) fn cuts(&self, outcome: Outcome) -> bool {
        outcome == Err(Error::Io) && self.excuses(OpKind::Write)
            || outcome.is_ok() && self.excuses(OpKind::Read)
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
        let FaultyDisk { chances, seed, .. } = &self.failing;
        // Also where nothing is to strike: what has struck somebody else's files before is not ours.
        // Nobody behind the gate: then every read and write fails, and that is told.
        let _ = gate.chances(*seed, *chances);
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
        // A page that stays may be what the device never took: then both are looked at, and neither of them
        // is what it holds.
        let is_known = synced.is_ok() && self.look_from_disk(number, Seen::Found);
        if is_known {
            self.oracle.is_on_the_device(number);
        } else if REMEMBERED < self.oracle.remembered(number) {
            self.oracle.forget_changes(number);
        }
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

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, plan};
    use super::*;
    use mounted::{Mapping, Mm};
    use std::collections::BTreeMap;
    use stormfs::op::Op;
    use stormfs::quantity::ByteRange;

    /// How often bytes of the device were compared.
    fn reread(real: &Real) -> u64 {
        let counts = real.oracle.checks().counts().into_iter();
        let mut counts = counts.filter(|(name, _)| *name == "data_survives_eviction");
        counts.next().map_or(0, |(_, count)| count)
    }

    #[test]
    fn a_file_whose_pages_stay_in_the_cache_is_read_past_it_and_not_settled() {
        let trial = Trial::new();
        let real = &trial.real;
        let needed = [Ability::Cachestat, Ability::Direct];
        if real.host.is_memory() || !needed.iter().all(|ability| real.abilities().has(*ability)) {
            eprintln!(
                "skipped: what a failed write leaves: needs a disk, direct I/O and cachestat"
            );
            return;
        }
        trial.act(Op::Write(ByteRange::at(0, 8192)));
        let others = Mapping::new(&Mm::ours(), real.file(0), 8192, 4096).unwrap();
        others.load(0, &mut [0; 4096]).unwrap();
        let before = reread(real);
        real.find_out(0);
        assert!(before < reread(real), "it is read past the cache");
        assert_eq!(*real.unconfirmed.lock(), BTreeMap::new());
        let is_settled = real.look_from_disk(0, Seen::Found);
        assert!(!is_settled, "what is cached may be something else");
        drop(others);
        assert!(real.look_from_disk(0, Seen::Found), "nobody keeps it");
        assert_eq!(trial.violated(), None);
    }

    #[test]
    fn without_a_disk_that_fails_nothing_cuts_a_write() {
        let reliable = FaultyDisk::of(&plan(), None);
        for outcome in [Ok(5), Err(Error::Io), Err(Error::Fault)] {
            assert!(!reliable.cuts(outcome), "{outcome:?}");
        }
    }

    #[test]
    fn writes_that_fail_are_refused_where_nobody_knows_what_is_cached() {
        let fails = FaultPlan::IoError { on: IoKind::Write, chance_ppm: 1 };
        let (reliable, fails) = (plan(), Plan { faults: vec![fails], ..plan() });
        let mut abilities = Trial::new().real.abilities().clone();
        abilities.missing.remove(&Ability::Cachestat);
        assert!(FaultyDisk::of(&fails, None).refuse(&abilities).is_ok());
        abilities.missing.insert(Ability::Cachestat, Errno::ENOSYS);
        assert!(FaultyDisk::of(&reliable, None).refuse(&abilities).is_ok());
        let refusal = FaultyDisk::of(&fails, None).refuse(&abilities).unwrap_err();
        assert!(refusal.tried.starts_with("cachestat"), "{refusal}");
    }
}
