//! What happened in a run, counted: by one actor, by all, by many seeds. Tallies add up in any
//! order to the same.

use crate::journal::Journal;
use report::record::{Clock, FaultCount};
use std::collections::BTreeMap;
use std::time::Duration;
use stormfs::errno::Errno;
use stormfs::op::{Op, OpKind, Outcome};

/// A kind of fault, by the name it has in results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A copy from user memory met a byte that was not present, once.
    ShortCopyTransient,
    /// A copy from user memory met a byte that cannot be read.
    ShortCopyPersistent,
    /// Of those, one whose page may not be read.
    ShortCopyByProtect,
    /// One where nothing is mapped.
    ShortCopyByUnmap,
    /// One whose page lies beyond the end of its file.
    ShortCopyByBus,
    /// One whose page is marked as lost.
    ShortCopyByPoison,
    /// A store gave up at its write fault.
    AbandonedFault,
    /// The device failed a read.
    ReadError,
    /// The device failed a write.
    WriteError,
    /// The device failed a flush.
    FlushError,
    /// The device took longer than usual.
    Latency,
    /// A folio was evicted at a point.
    Evict,
    /// A task was delayed at a point.
    Delay,
    /// An operation found no space.
    NoSpace,
    /// Memory was short, and the kernel took some back first: pages of files.
    MemoryPressure,
}

impl Fault {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Fault::ShortCopyTransient => "short_copy_transient",
            Fault::ShortCopyPersistent => "short_copy_persistent",
            Fault::ShortCopyByProtect => "short_copy_by_protect",
            Fault::ShortCopyByUnmap => "short_copy_by_unmap",
            Fault::ShortCopyByBus => "short_copy_by_bus",
            Fault::ShortCopyByPoison => "short_copy_by_poison",
            Fault::AbandonedFault => "abandoned_fault",
            Fault::ReadError => "io_error_read",
            Fault::WriteError => "io_error_write",
            Fault::FlushError => "io_error_flush",
            Fault::Latency => "latency",
            Fault::Evict => "evict",
            Fault::Delay => "delay",
            Fault::NoSpace => "no_space",
            Fault::MemoryPressure => "memory_pressure",
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Seeds that ran to their end.
    pub seeds: u64,
    /// Of those, the ones under each strategy.
    pub strategies: BTreeMap<&'static str, u64>,
    /// Operations that ended, by kind.
    pub operations: BTreeMap<OpKind, u64>,
    /// Operations that failed, by error.
    pub failed: BTreeMap<Errno, u64>,
    /// Calls that were to move bytes, and moved none: what they were to read lay behind the end.
    pub idle: u64,
    /// Bytes that writes and stores put into files.
    pub bytes_written: u64,
    /// Bytes that reads and loads took out.
    pub bytes_read: u64,
    /// Faults armed and fired.
    pub faults: BTreeMap<Fault, FaultCount>,
    /// Passages of each point, in the order of `Point::ALL`.
    pub points: Vec<u64>,
    /// Checks of each invariant.
    pub invariants: BTreeMap<&'static str, u64>,
    /// Breaches of state that did not end a run, by invariant.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Calls that were drawn or listed, and left out as the target cannot do them, and what it answers.
    pub left_out: BTreeMap<OpKind, (u64, String)>,
    /// Files that were not read again from the device after a sync, by reason.
    pub unconfirmed: BTreeMap<String, u64>,
    /// What the kernel counted of memory that was short, by its own words.
    pub memory: BTreeMap<&'static str, u64>,
    /// How often something was right only because POSIX leaves it open, by leeway.
    pub leeways: BTreeMap<&'static str, u64>,
    /// Effects that were compared with the model, byte by byte.
    pub verified: u64,
    /// Answers of the rules that were wrong on purpose.
    pub deviations: u64,
    /// Scheduling points passed.
    pub scheduling_points: u64,
    /// Exchanges of the running task.
    pub switches: u64,
    /// The trace hashes of all seeds, combined so that their order does not matter.
    pub trace_hash: u64,
    /// How long operations took, and when.
    pub journal: Journal,
    /// How long all actors were halted, so that everything could be checked.
    pub halted: Duration,
}

impl Tally {
    /// Nothing has happened yet; latencies will count `clock`.
    pub fn new(clock: Clock) -> Tally {
        Tally {
            seeds: 0,
            strategies: BTreeMap::new(),
            operations: BTreeMap::new(),
            failed: BTreeMap::new(),
            idle: 0,
            bytes_written: 0,
            bytes_read: 0,
            faults: BTreeMap::new(),
            points: Vec::new(),
            invariants: BTreeMap::new(),
            passed_over: BTreeMap::new(),
            left_out: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            memory: BTreeMap::new(),
            leeways: BTreeMap::new(),
            verified: 0,
            deviations: 0,
            scheduling_points: 0,
            switches: 0,
            trace_hash: 0,
            journal: Journal::new(clock),
            halted: Duration::ZERO,
        }
    }

    /// Counts one operation.
    pub fn operation(&mut self, op: &Op, outcome: Outcome) {
        let kind = op.kind();
        *self.operations.entry(kind).or_default() += 1;
        match (kind, outcome) {
            (_, Err(error)) => {
                *self.failed.entry(error).or_default() += 1;
                if error == Errno::NoSpace {
                    self.fault(Fault::NoSpace, 1, 1);
                }
            }
            (
                OpKind::Read
                | OpKind::MmapLoad
                | OpKind::DirectRead
                | OpKind::CopyRange
                | OpKind::WriteFromMmap,
                Ok(0),
            ) => self.idle += 1,
            (OpKind::Read | OpKind::MmapLoad | OpKind::DirectRead, Ok(_)) => {
                self.bytes_read += moved(kind, outcome);
            }
            (_, Ok(_)) => self.bytes_written += moved(kind, outcome),
        }
    }

    /// Counts calls that were left out.
    pub fn leave_out(&mut self, kind: OpKind, count: u64, reason: &str) {
        self.left_out.entry(kind).or_insert_with(|| (0, reason.to_owned())).0 += count;
    }

    /// Counts faults.
    pub fn fault(&mut self, fault: Fault, armed: u64, fired: u64) {
        let count = self.faults.entry(fault).or_default();
        count.armed += armed;
        count.fired += fired;
    }

    /// Counts how often a fault should have struck by its chance, in millionths.
    pub fn due(&mut self, fault: Fault, ppm: u64) {
        let due = self.faults.entry(fault).or_default().due_ppm.get_or_insert(0);
        *due = due.saturating_add(ppm);
    }

    /// How many operations ended.
    pub fn total_operations(&self) -> u64 {
        self.operations.values().sum()
    }

    /// Adds what `other` counted.
    pub fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        add_maps(&mut self.strategies, &other.strategies);
        add_maps(&mut self.operations, &other.operations);
        add_maps(&mut self.failed, &other.failed);
        self.idle += other.idle;
        add_maps(&mut self.invariants, &other.invariants);
        add_maps(&mut self.passed_over, &other.passed_over);
        for (kind, (count, reason)) in &other.left_out {
            self.leave_out(*kind, *count, reason);
        }
        for (what, count) in &other.memory {
            *self.memory.entry(what).or_default() += count;
        }
        for (why, files) in &other.unconfirmed {
            *self.unconfirmed.entry(why.clone()).or_default() += files;
        }
        add_maps(&mut self.leeways, &other.leeways);
        for (fault, count) in &other.faults {
            self.fault(*fault, count.armed, count.fired);
            if let Some(ppm) = count.due_ppm {
                self.due(*fault, ppm);
            }
        }
        self.points.resize(self.points.len().max(other.points.len()), 0);
        for (mine, theirs) in self.points.iter_mut().zip(&other.points) {
            *mine += theirs;
        }
        self.bytes_written += other.bytes_written;
        self.bytes_read += other.bytes_read;
        self.verified += other.verified;
        self.deviations += other.deviations;
        self.scheduling_points += other.scheduling_points;
        self.switches += other.switches;
        self.trace_hash = self.trace_hash.wrapping_add(other.trace_hash);
        self.journal.add(&other.journal);
        self.halted += other.halted;
    }
}

/// The bytes that a call of that kind moved: what others return is no count of bytes.
pub fn moved(kind: OpKind, outcome: Outcome) -> u64 {
    let moves = matches!(
        kind,
        OpKind::Write
            | OpKind::Append
            | OpKind::WriteFromMmap
            | OpKind::MmapStore
            | OpKind::Read
            | OpKind::MmapLoad
            | OpKind::DirectRead
            | OpKind::DirectWrite
            | OpKind::CopyRange
            | OpKind::Reflink
    );
    if moves { outcome.unwrap_or(0) } else { 0 }
}

fn add_maps<K: Ord + Copy>(mine: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
    for (key, count) in theirs {
        *mine.entry(*key).or_default() += count;
    }
}
