//! The plan: what a scenario means, with every default filled in and every value in range.
//!
//! Sizes and positions are bytes; chances are parts per million.

mod strategy;

pub use super::target::{MmPlan, TargetPlan};
pub use strategy::{ExhaustivePlan, StrategyPlan};

use super::swarm;
use super::variations::Variations;
use super::words::words;
use crate::call::Call;
use block::Limit;
use sim::chance::Seed;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use stormfs::choices::Choices;
use stormfs::op::OpKind;
use stormfs::points::Point;
use stormfs::quantity::ByteRange;

/// A scenario that passed every check.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Names the run in reports and folders: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// One or two sentences for people; may be empty, and may hold any text.
    pub about: String,
    /// Which world the actors run in.
    pub world: WorldKind,
    /// The master seed, from which every other is derived.
    pub seed: u64,
    /// How many seeds to run, 1..=10 000 000. Always 1 in the threads world.
    pub seeds: u64,
    /// Operations over all actors that draw theirs, per seed (simulated) or in total (threads).
    /// `None`: only `time` ends the run, or nobody draws.
    pub ops: Option<u64>,
    /// How long a run lasts at most. In the simulated world no seed is cut short.
    pub time: Option<Duration>,
    /// Who decides which actor goes on. Has no meaning in the threads world, and beside a script.
    pub strategy: StrategyPlan,
    /// Whether each seed draws the weights, sizes, positions and rates of its run, within what the
    /// plan names. Never in the threads world, beside a script, and where nobody draws.
    pub swarm: bool,
    /// Scheduling points one operation may take before it counts as hung.
    pub step_budget: u64,
    /// What the actors act on.
    pub target: TargetPlan,
    /// How many times each actor opens each file of a real filesystem.
    pub descriptors: u32,
    /// Whose memory the files of a real filesystem are mapped into.
    pub mm: MmPlan,
    /// What the page cache may have of memory while they act on a real filesystem.
    pub memory: Option<u64>,
    /// Where the blocks live.
    pub device: DevicePlan,
    /// The filesystem under test.
    pub filesystem: FilesystemPlan,
    /// What exists when the run begins; 1..=64, with different names.
    pub files: Vec<FilePlan>,
    /// Who acts; at least one, with different names.
    pub actors: Vec<ActorPlan>,
    /// What happens step by step, in the simulated world under one seed. Empty: the strategy decides.
    pub script: Vec<Step>,
    /// Who goes on where the default rule says otherwise, in the order in which it happens. `None`:
    /// the strategy or the script decides, and `Some` and empty is the default rule throughout.
    pub schedule: Option<Vec<Switch>>,
    /// What goes wrong on purpose, by chance.
    pub faults: Vec<FaultPlan>,
    /// What goes wrong on purpose, each at one place.
    pub strikes: Vec<Strike>,
    /// Where a reproducer comes from.
    pub recorded: Option<Recorded>,
    /// Which breaches end the run.
    pub judge: Judge,
    /// The ids of the bugs that are switched on.
    pub bugs: Vec<&'static str>,
    /// How the run should end.
    pub expect: Expectation,
    /// What a seed has drawn for this plan, each path with its value, as `--set` takes them: empty
    /// before a seed has drawn. Later ones replace what earlier ones say.
    pub drawn: Vec<(String, String)>,
    /// What each seed draws for itself. Then the plan's own values are those of the first
    /// combination, and [`Plan::under`] gives those of a seed.
    pub variations: Option<Arc<Variations>>,
    /// What of the file was dropped because the command line asks for the other world or another
    /// target.
    pub dropped: Vec<String>,
    /// Of that, what the scenario is about: all its faults, or what was to be caught.
    pub missing: Vec<String>,
}

impl Plan {
    /// Whether its script holds a disk.
    pub fn holds_disk(&self) -> bool {
        let holds = |step: &Step| matches!(step.action, Action::HoldDisk(_) | Action::HoldReads);
        self.script.iter().any(holds)
    }

    /// What is tried out, if everything is.
    pub fn exhaustive(&self) -> Option<ExhaustivePlan> {
        let StrategyPlan::Exhaustive(exhaustive) = self.strategy else { return None };
        Some(exhaustive)
    }

    /// How bytes of sources are made unreadable.
    pub fn unreadable(&self) -> Unreadable {
        let by = self.faults.iter().rev().find_map(|fault| {
            let FaultPlan::ShortCopy { by, .. } = fault else { return None };
            Some(*by)
        });
        by.unwrap_or(Unreadable::Any)
    }

    /// The plan of a run under `seed`, with what that seed draws. A plan that has drawn draws no more.
    pub fn under(&self, seed: Seed) -> Cow<'_, Plan> {
        let plan = self.variations.as_ref().map_or(self, |variations| variations.drawn(seed));
        swarm::drawn(plan, seed)
    }

    /// The plan of every combination of what varies.
    pub fn variants(&self) -> Vec<&Plan> {
        match &self.variations {
            None => vec![self],
            Some(variations) => variations.plans().collect(),
        }
    }

    /// Whether it is the same under every seed: a script or a schedule says who goes on.
    pub fn is_without_seeds(&self) -> bool {
        self.schedule.is_some() || !self.script.is_empty()
    }

    /// Whether this is a case: every operation is listed, and nothing is left to chance.
    pub fn is_explicit(&self) -> bool {
        let listed = |actor: &ActorPlan| !actor.does.is_empty();
        let scheduled = self.schedule.is_some() && self.variations.is_none();
        scheduled && self.faults.is_empty() && self.actors.iter().all(listed)
    }

    /// Whether this is what a storm on a real filesystem left: every operation is listed, and how they
    /// meet is a matter of threads.
    pub fn is_real_case(&self) -> bool {
        let listed = |actor: &ActorPlan| !actor.does.is_empty();
        let real = self.target != TargetPlan::Model && self.script.is_empty();
        real && self.variations.is_none() && self.actors.iter().all(listed)
    }

    /// Positions that `actor` draws lie below this.
    pub fn reach(&self, actor: &ActorPlan) -> u64 {
        let largest = self.files.iter().map(|file| file.size).max().unwrap_or(0);
        actor.within.unwrap_or((largest * 2).max(1 << 20))
    }
}

words! {
    /// The world the actors run in.
    WorldKind {
        /// Every actor is a coroutine, a seeded scheduler decides who goes on, time is virtual.
        Simulated = "simulated",
        /// Every actor is a thread, time is real.
        Threads = "threads",
    }
    /// Which breaches end a run.
    Judge {
        /// Any.
        Everything = "everything",
        /// Those that a user can notice: wrong bytes, sizes and results, no progress, panics. Breaches
        /// of the state of folios, extents and space are counted and passed over.
        Bytes = "bytes",
    }
    /// What holds the blocks.
    DeviceKind {
        /// `ram` if simulated; else `loop` where it can be had, else `image`.
        Auto = "auto",
        /// A loop device over an image file.
        Loop = "loop",
        /// An image file, without a loop device.
        Image = "image",
        /// Memory of this process.
        Ram = "ram",
    }
    /// The state of a file's blocks when the run begins.
    Layout {
        /// No blocks: every byte reads as zero.
        Hole = "hole",
        /// Blocks with data, on disk.
        Written = "written",
        /// Blocks that read as zero until they are written.
        Unwritten = "unwritten",
        /// Dirty data in the page cache whose blocks are reserved and not yet allocated.
        Delalloc = "delalloc",
        /// One of the others, which each seed draws.
        Any = "any",
    }
    /// How lengths are drawn.
    SizeShape {
        /// Every length of the range is as likely as any other.
        Uniform = "uniform",
        /// Every power of two of the range is as likely as any other: many short, few long.
        LogUniform = "log_uniform",
        /// Always `max`.
        Fixed = "fixed",
    }
    /// How a byte of a source is made one that cannot be read.
    Unreadable {
        /// In one of the other ways that this machine has; the number of the operation says in which.
        Any = "any",
        /// Its page may not be read (`mprotect`).
        Protect = "protect",
        /// Nothing is mapped there (`munmap`).
        Unmap = "unmap",
        /// Its page is mapped from a file that ends before it: SIGBUS.
        Bus = "bus",
        /// Its page is marked as one that the hardware has lost (`UFFDIO_POISON`): on kernels since 6.6, for
        /// those who may use userfaultfd.
        Poison = "poison",
    }
    /// What the device was asked for when it answers with an error.
    IoKind {
        /// A read of blocks.
        Read = "read",
        /// A write of blocks.
        Write = "write",
        /// A flush of the device's cache.
        Flush = "flush",
    }
}

/// A task of a simulation, by what it does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Lays the files out, and makes the last checks.
    Conductor,
    /// An actor, by its number over all actors, from 0.
    Actor(usize),
    /// A worker of the device, from 0.
    Disk(usize),
}

/// Where a task stands: about to pass the `point`-th point of its operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The task.
    pub who: Who,
    /// The number of its operation. Those of an actor are its calls, the rest count from 1.
    pub operation: u64,
    /// Counts from 1 within the operation; every lock, wait and named point is one.
    pub point: u32,
    /// What the place is called, for people and as a check.
    pub site: String,
}

/// A place where a run leaves the default rule: stay with the current task while it can run, else
/// take the first that can of the conductor, the actors and the device's workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Where.
    pub at: Moment,
    /// Who goes on.
    pub to: Who,
}

/// A fault at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strike {
    /// The device answers a request with EIO.
    IoError(Request),
    /// The device takes so long about a request.
    Latency(Request, Duration),
    /// The folio of a page is taken out of the page cache, if it is clean and not locked.
    Evict {
        /// When.
        at: Moment,
        /// The file's number.
        file: usize,
        /// A byte of the page.
        pos: u64,
    },
    /// A task stands still.
    Delay(Moment, Duration),
}

impl Strike {
    /// When it happens, unless it belongs to a request.
    pub fn moment(&self) -> Option<&Moment> {
        match self {
            Strike::Evict { at, .. } | Strike::Delay(at, _) => Some(at),
            Strike::IoError(_) | Strike::Latency(..) => None,
        }
    }

    /// The same, to be changed.
    pub fn moment_mut(&mut self) -> Option<&mut Moment> {
        match self {
            Strike::Evict { at, .. } | Strike::Delay(at, _) => Some(at),
            Strike::IoError(_) | Strike::Latency(..) => None,
        }
    }
}

/// A request to the device, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// What it asks for.
    pub on: IoKind,
    /// The file's number.
    pub file: usize,
    /// Its first byte in the file; 0 for a flush.
    pub pos: u64,
    /// Counts from 1 among the requests that are alike in all of that.
    pub nth: u64,
}

/// Where a reproducer comes from, and what it did there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The version of the harness.
    pub version: String,
    /// The scenario.
    pub from: String,
    /// The seed under which it failed.
    pub seed: u64,
    /// The trace hash of the run; 0 of threads.
    pub trace_hash: u64,
    /// Scheduling points that the run passed; 0 of threads.
    pub points: u64,
    /// In which order the calls of threads began and ended; empty of a simulation.
    pub order: Vec<Turn>,
}

/// A call of threads began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The number of its actor, over all actors.
    pub actor: usize,
    /// Its number.
    pub operation: u64,
    /// The size of its file, if it began; else it ended.
    pub begins_on: Option<u64>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The sentence.
    pub text: String,
    /// What it means.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// An actor goes on, alone, until the first of the targets; there is at least one.
    Run {
        /// Its number, over all actors.
        actor: usize,
        /// How far.
        until: Vec<Target>,
    },
    /// The source of the write that an actor stands in ends there, and it goes on until the first of the
    /// targets; there is at least one.
    Fail {
        /// Its number, over all actors.
        actor: usize,
        /// How far.
        until: Vec<Target>,
    },
    /// Reclaim takes the folios of a range.
    Evict {
        /// The file's number.
        file: usize,
        /// Whole pages.
        range: ByteRange,
    },
    /// From now on completions are held at the point.
    HoldDisk(Point),
    /// From now on reads of the disk are held, on a real filesystem.
    HoldReads,
    /// Completions go on, and no more are held.
    ResumeDisk,
}

/// How far an actor goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// It has passed the point so often, and is held there.
    Point {
        /// Counts from 1, in the step.
        nth: u64,
        /// The point.
        point: Point,
    },
    /// The operation that it is in, or else its next one, has returned.
    Returned,
    /// All its operations have returned.
    Done,
    /// It waits for somebody who is held.
    Blocked,
}

/// Where the blocks live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevicePlan {
    /// What holds the blocks.
    pub kind: DeviceKind,
    /// How many workers carry out requests, 1..=8: with more than one, they complete out of order.
    pub workers: usize,
    /// 1 MiB..=1 TiB, a multiple of the block size.
    pub size: u64,
    /// The least time one request takes.
    pub latency_min: Duration,
    /// The most time one request takes; at least `latency_min`.
    pub latency_max: Duration,
}

/// The filesystem under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilesystemPlan {
    /// A power of two, 512 B..=64 KiB.
    pub block_size: u64,
    /// The largest folio: a power of two, 4 KiB..=64 KiB, at least one block.
    pub max_folio: u64,
    /// The preset that the decisions begin with, if the scenario names one.
    pub preset: Option<&'static str>,
    /// Every decision of the filesystem.
    pub choices: Choices,
}

/// A file that exists when the run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlan {
    /// Letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// 0..=16 TiB.
    pub size: u64,
    /// The state of its blocks.
    pub layout: Layout,
}

/// Actors that do the same kind of thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorPlan {
    /// Letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How many of them, 1..=32. The counts of all actors add up to 40 at most.
    pub count: u32,
    /// What they draw their operations from, in the order of the scenario: no kind twice, weights
    /// 1..=1 000 000. Empty if `does` is not.
    pub ops: Vec<(OpKind, u64)>,
    /// What each of them does, in this order, and then it is done. Empty if `ops` is not.
    pub does: Vec<Call>,
    /// How long their operations are.
    pub size: SizePlan,
    /// Positions are multiples of this, at least 1.
    pub align: u64,
    /// Positions lie below this, at least 1.
    /// `None`: twice the size of the largest file, at least 1 MiB.
    pub within: Option<u64>,
    /// A write's source has up to this many pieces, 1..=16.
    pub iovecs: u32,
    /// The time between two operations.
    pub pause: Duration,
    /// How many operations a second each of them is to begin, 1..=1 000 000, whether or not those
    /// before have ended; in the threads world only. `None`: the next begins when the last has ended.
    pub rate: Option<u64>,
    /// The file, by its number, that they act on and nobody else does, and stores end where it ends, as
    /// those of fsx. `None`: any file, and to the end of a page. No scenario says it.
    pub apart: Option<usize>,
}

impl ActorPlan {
    /// One actor with a list.
    pub fn listed(name: String, does: Vec<Call>, pause: Duration) -> ActorPlan {
        ActorPlan {
            name,
            count: 1,
            ops: Vec::new(),
            does,
            size: SizePlan::DEFAULT,
            align: 1,
            within: None,
            iovecs: 1,
            pause,
            rate: None,
            apart: None,
        }
    }

    /// The names of its actors: its own if there is one, else `writer-0`, `writer-1` and so on.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.count).map(|nth| match self.count {
            1 => self.name.clone(),
            _ => format!("{}-{nth}", self.name),
        })
    }

    /// Whether they draw what they do.
    pub fn draws(&self) -> bool {
        self.does.is_empty()
    }

    /// The kinds of operation that they do, or may do.
    pub fn kinds(&self) -> impl Iterator<Item = OpKind> {
        let drawn = self.ops.iter().map(|(kind, _)| *kind);
        drawn.chain(self.does.iter().map(|call| call.op.kind()))
    }
}

/// How long operations are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizePlan {
    /// The shortest, at least 1.
    pub min: u64,
    /// The longest, at least `min` and at most 16 MiB.
    pub max: u64,
    /// How lengths between the two are drawn. If fixed, `min` is `max`.
    pub shape: SizeShape,
}

impl SizePlan {
    /// What holds if a scenario says nothing, and for an actor that has a list.
    pub const DEFAULT: SizePlan = SizePlan { min: 1, max: 64 << 10, shape: SizeShape::LogUniform };
}

/// Something that goes wrong on purpose, and that the filesystem must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPlan {
    /// A copy from a user buffer ends early.
    ShortCopy {
        /// Per copy, in parts per million.
        chance_ppm: u32,
        /// Of those, how many meet the same unreadable byte again when the write tries again,
        /// in parts per million.
        persistent_ppm: u32,
        /// How that byte is made unreadable, on a real filesystem.
        by: Unreadable,
    },
    /// A store through a mapping gives up at its first write fault, once blocks are reserved.
    AbandonedFault {
        /// Per store, in parts per million.
        chance_ppm: u32,
    },
    /// The device answers with EIO.
    IoError {
        /// To which requests.
        on: IoKind,
        /// Per request, in parts per million.
        chance_ppm: u32,
    },
    /// A clean, unlocked folio is taken out of the page cache.
    Evict {
        /// Per scheduling point at which one could be taken, in parts per million.
        chance_ppm: u32,
    },
    /// An actor stands still at a named point.
    Delay {
        /// Where.
        at: Point,
        /// Per passage, in parts per million.
        chance_ppm: u32,
        /// For how long.
        length: Duration,
        /// From when on, and how often.
        limit: Limit,
    },
    /// One request takes longer than the others.
    Latency {
        /// Per request, in parts per million.
        chance_ppm: u32,
        /// What is added to its time.
        length: Duration,
        /// From when on, and how often.
        limit: Limit,
    },
}

/// How a run should end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// Without a violation.
    Clean,
    /// With a violation.
    Caught {
        /// The invariant that is violated.
        by: String,
        /// The bug that is to blame, one of the plan's `bugs`.
        bug: Option<&'static str>,
    },
}
