//! The oracle of a filesystem whose inside nobody sees: what its calls return, byte by byte.
//!
//! Whoever calls tells it before and after. Nothing is locked over a call, so what is allowed is what
//! the content allows for operations that were in flight together.

use crate::content::{Applied, Content, Effect, Fill, Initial, Ticket};
use crate::docket::Docket;
use crate::invariant::{Checks, Verdict};
use crate::leeway::{Leeway, Leeways};
use crate::results::{Readable, Rounding, results_count_every_readable_byte};
use crate::violation::Violation;
use crate::{data, size};
use sim::{Mutex, MutexGuard, Rank};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::errno::Errno;
use stormfs::op::{Op, OpId, Outcome, Transfer};
use stormfs::quantity::{ByteRange, wide};

/// See the module.
pub struct Outside {
    files: Vec<Mutex<Content>>,
    docket: Docket,
    verified: AtomicU64,
    /// Writes that the device may fail.
    failures: Option<Failures>,
    /// Counts of writes that were right by a leeway only.
    rounded: AtomicU64,
}

/// How often the device has failed a write, and how often it had when all of a file was on it.
struct Failures {
    count: Box<dyn Fn() -> u64 + Send + Sync>,
    before: Vec<AtomicU64>,
}

/// An operation between its two announcements.
#[must_use = "an operation that never ends widens what is allowed for the rest of the run"]
pub struct Flight {
    op: OpId,
    ticket: Ticket,
    source: Option<CopiedFrom>,
}

/// Where a write takes its bytes from, if that is a file.
struct CopiedFrom {
    file: usize,
    ticket: Ticket,
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came<'a> {
    /// What it was to do, all of it.
    AsAsked,
    /// It put its own bytes over this range, which is a part of what it was to do.
    Wrote(ByteRange),
    /// It saw these bytes at `pos`.
    Saw {
        /// Where.
        pos: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// It failed on the way, and did not say how far it came.
    Perhaps,
    /// It is a write that failed at its first byte.
    CopiedNothing,
    /// Nothing.
    Nothing,
}

/// How the bytes of a file came to be seen while nobody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// As they stand.
    Standing,
    /// From the device, after a sync.
    Reread,
    /// The same after writes of it may have failed: they are what the file holds now.
    Found,
}

/// The invariants that can be checked from outside.
pub const INVARIANTS: &[&str] = &[
    "data_matches_model",
    "data_exposed_by_growth_is_zero",
    "data_survives_eviction",
    "size_matches_model",
    "extents_below_eof_are_allocated_after_sync",
    ON_DISK,
    AT_MOUNT,
    "results_are_justified",
    COUNTED,
    WHEN_QUIET,
    "progress_is_made",
];

/// The one of them that only a filesystem with a check of its own has.
pub const ON_DISK: &str = "space_on_disk_passes_its_own_check";

/// The one that only a filesystem that is mounted again has.
pub const AT_MOUNT: &str = "space_survives_a_mount";

/// Those of a filesystem that can be taken down: whoever lent a directory keeps it mounted.
pub const UNMOUNTED: &[&str] = &[ON_DISK, AT_MOUNT];

/// Those of what lies below the page cache: a filesystem in memory has nothing there.
pub const BELOW_THE_CACHE: &[&str] =
    &["data_survives_eviction", "extents_below_eof_are_allocated_after_sync"];

/// The one about sources that a scenario takes away; the model's copies are looked at in the middle.
const COUNTED: &str = "results_count_every_readable_byte";

/// The one about files that the harness itself reads by calls.
const WHEN_QUIET: &str = "results_are_good_when_quiet";

/// Whether an invariant is checked on the filesystem model.
pub fn is_of_the_model(invariant: &str) -> bool {
    ![ON_DISK, AT_MOUNT, COUNTED, WHEN_QUIET].contains(&invariant)
}

static SHADOW: Rank = Rank::leaf(7, "shadow lock");

impl Outside {
    /// An oracle for `files` empty files of a filesystem that makes use of these leeways.
    pub fn new(files: usize, leeways: Leeways) -> Outside {
        let empty = || Content::new(0, Initial::Zeroes).with(leeways);
        let content = |file| sim::sync::mutex(&SHADOW, wide(file), empty());
        Outside {
            files: (0..files).map(content).collect(),
            docket: Docket::new(),
            verified: AtomicU64::new(0),
            failures: None,
            rounded: AtomicU64::new(0),
        }
    }

    /// The same where the device may fail writes, and `count` says how many it has failed.
    #[must_use]
    pub fn with_failures(self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Outside {
        let before = self.files.iter().map(|_| AtomicU64::new(0)).collect();
        Outside { failures: Some(Failures { count: Box::new(count), before }), ..self }
    }

    /// Nobody acts, and all that the file holds is on the device.
    pub fn is_on_the_device(&self, file: usize) {
        let Some(failures) = &self.failures else { return };
        failures.before[file].store((failures.count)(), Ordering::SeqCst);
        self.files[file].lock().is_on_the_device();
    }

    /// Whether the device has failed a write since all of the file was on it.
    pub fn may_have_lost(&self, file: usize) -> bool {
        let failures = self.failures.as_ref();
        failures.is_some_and(|it| it.before[file].load(Ordering::SeqCst) != (it.count)())
    }

    /// How many changes of the file are remembered for the case that a write fails.
    pub fn remembered(&self, file: usize) -> usize {
        self.files[file].lock().remembered()
    }

    /// Nobody remembers any longer what came to the file since all of it was on the device: if a write has
    /// failed, it may hold anything.
    pub fn forget_changes(&self, file: usize) {
        self.files[file].lock().forget_changes();
    }

    /// What a file may hold as far as is known now.
    fn content(&self, file: usize) -> MutexGuard<'_, Content> {
        let mut content = self.files[file].lock();
        if self.failures.is_some() {
            content.doubt(self.may_have_lost(file));
        }
        content
    }

    /// The first violation.
    pub fn violation(&self) -> Option<Violation> {
        self.docket.violation()
    }

    /// The breaches that did not end the run, by invariant.
    pub fn passed_over(&self) -> BTreeMap<&'static str, u64> {
        self.docket.passed_over()
    }

    /// How often each invariant was checked.
    pub fn checks(&self) -> &Checks {
        &self.docket.checks
    }

    /// Operations whose bytes were compared with the model, and looks of the oracle itself.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// How often something was seen that is right only because POSIX leaves it open, by leeway.
    pub fn leeways_used(&self) -> BTreeMap<Leeway, u64> {
        let rounded = self.rounded.load(Ordering::Relaxed);
        let mut all = BTreeMap::new();
        if 0 < rounded {
            all.insert(Leeway::ShortCountsAreRounded, rounded);
        }
        for file in &self.files {
            for (leeway, times) in file.lock().leeways_used() {
                *all.entry(*leeway).or_default() += times;
            }
        }
        all
    }

    /// From now on the effect of `op` may be seen. None: content cannot tell whether it happened.
    pub fn begins(&self, file: usize, id: OpId, op: &Op) -> Option<Flight> {
        let effect = effect(id, op)?;
        let source = source(file, op).map(|(file, range)| {
            let ticket = self.files[file].lock().begin(id, Effect::Load { range });
            CopiedFrom { file, ticket }
        });
        let ticket = self.files[file].lock().begin(id, effect);
        Some(Flight { op: id, ticket, source })
    }

    /// The least that the file, and the file of the source, may have had since the operation began.
    pub fn least_sizes(&self, file: usize, flight: &Flight) -> (u64, u64) {
        let own = self.files[file].lock().least_since(&flight.ticket);
        let source = flight.source.as_ref();
        (own, source.map_or(own, |it| self.files[it.file].lock().least_since(&it.ticket)))
    }

    /// The call has returned, and `came` is what came of it.
    pub fn ends(&self, file: usize, flight: Flight, op: &Op, came: Came<'_>) {
        let Flight { op: id, ticket, source } = flight;
        // What it saw there is written elsewhere, and judged when that is.
        let held =
            source.and_then(|source| self.files[source.file].lock().end_source(source.ticket));
        let mut content = self.content(file);
        let seen = content.end(ticket, applied(id, op, came, held.as_deref()));
        drop(content);
        if matches!(came, Came::Saw { bytes, .. } if !bytes.is_empty()) {
            self.verified.fetch_add(1, Ordering::Relaxed);
        }
        self.judge(file, Some(id), data::judge(self.checks(), &seen));
    }

    /// An instant of a file, for [`Outside::saw_size`].
    pub fn instant(&self, file: usize) -> u64 {
        self.files[file].lock().instant()
    }

    /// The size was seen after that instant. Where an operation has begun or ended since, nobody can
    /// tell whether before or after the look, and it is not judged.
    pub fn saw_size(&self, file: usize, op: Option<OpId>, (instant, found): (u64, u64)) {
        let mut content = self.content(file);
        if content.instant() != instant {
            return;
        }
        let wrong = content.quiet_settle_size(found);
        drop(content);
        let verdict = size::size_matches_model(self.checks(), wrong.as_ref().copied());
        self.judge(file, op, verdict);
    }

    /// The first position from `from` on where a byte may be that is not zero.
    pub fn next_data(&self, file: usize, from: u64) -> u64 {
        self.files[file].lock().next_data(from)
    }

    /// The bytes at `pos` were seen while nobody acts.
    pub fn saw(&self, file: usize, pos: u64, bytes: &[u8], how: Seen) {
        let mut content = self.content(file);
        let seen = match how {
            Seen::Standing => content.quiet_settle(pos, bytes),
            Seen::Reread => content.settle(pos, bytes),
            Seen::Found => content.accept(pos, bytes),
        };
        drop(content);
        if !bytes.is_empty() {
            self.verified.fetch_add(1, Ordering::Relaxed);
        }
        let verdict = match how {
            Seen::Standing => data::judge(self.checks(), &seen),
            Seen::Reread | Seen::Found => {
                data::data_survives_eviction(self.checks(), seen.as_ref().copied())
            }
        };
        self.judge(file, None, verdict);
    }

    /// A write has returned whose source cannot be read to its end.
    pub fn counted(
        &self,
        file: usize,
        (source, outcome): (Readable, Outcome),
        rounding: Option<Rounding>,
    ) {
        let count = match outcome {
            Ok(counted) => counted,
            Err(Errno::Fault) => 0,
            // Why is asked elsewhere.
            Err(_) => return,
        };
        let verdict = results_count_every_readable_byte(self.checks(), source, count, rounding);
        if verdict.is_ok() && count != source.bytes {
            self.rounded.fetch_add(1, Ordering::Relaxed);
        }
        self.judge(file, None, verdict);
    }

    /// Takes a verdict about a file; a breach ends the run.
    pub fn judge(&self, file: usize, op: Option<OpId>, verdict: Verdict) {
        self.docket.take(verdict, |breach| {
            let overall = Violation::overall(breach);
            Violation { file: Some(file), operation: op, ..overall }
        });
    }

    /// Takes a verdict about no file in particular; a breach ends the run.
    pub fn judge_overall(&self, verdict: Verdict) {
        self.docket.take(verdict, Violation::overall);
    }
}

/// Whether `op` changes the file, and whether it moves bytes of it. Whoever moves bytes must be the only
/// one in flight who changes the file.
pub fn changes(op: &Op) -> (bool, bool) {
    let moves = matches!(op, Op::Collapse(_) | Op::Insert(_));
    let looks = matches!(op, Op::Read(_) | Op::MmapLoad(_) | Op::DirectRead(_));
    (!looks && effect(OpId { actor: 0, number: 0 }, op).is_some(), moves)
}

/// Where an operation on `file` takes its bytes from, if that is a file.
fn source(file: usize, op: &Op) -> Option<(usize, Range<u64>)> {
    let (file, source) = if let Op::WriteFromMmap { source, .. } = op {
        (file, source)
    } else if let Op::CopyRange(transfer) | Op::Reflink(transfer) = op {
        (transfer.from, &transfer.source)
    } else {
        return None;
    };
    Some((file, source.start..source.end))
}

/// What the content calls an operation.
fn effect(id: OpId, op: &Op) -> Option<Effect> {
    let bytes = |range: ByteRange| range.start..range.end;
    let effect = match *op {
        Op::Read(range) | Op::DirectRead(range) => Effect::Read { range: bytes(range) },
        Op::MmapLoad(range) => Effect::Load { range: bytes(range) },
        Op::Write(range) => Effect::Write { range: bytes(range), fill: Fill::tag(id) },
        Op::DirectWrite(range) => Effect::Direct { range: bytes(range), fill: Fill::tag(id) },
        Op::MmapStore(range) => Effect::Store { range: bytes(range), fill: Fill::tag(id) },
        Op::Append(len) => Effect::Append { len },
        Op::WriteFromMmap { pos, source } => {
            Effect::Write { range: pos..pos + source.len(), fill: Fill::Anything }
        }
        Op::CopyRange(transfer) | Op::Reflink(transfer) => {
            Effect::Write { range: bytes(transfer.target()), fill: Fill::Anything }
        }
        Op::Collapse(range) => Effect::Collapse { range: bytes(range) },
        Op::Insert(range) => Effect::Insert { range: bytes(range) },
        Op::Truncate(to) => Effect::Resize { to },
        Op::Punch(range) => Effect::Zero { range: bytes(range), grows_to: None },
        Op::ZeroRange { range, keep_size } => {
            Effect::Zero { range: bytes(range), grows_to: (!keep_size).then_some(range.end) }
        }
        Op::Fallocate { range, keep_size: false } => Effect::Grow { to: range.end },
        Op::Fallocate { keep_size: true, .. }
        | Op::Fsync
        | Op::Sync
        | Op::Writeback(_)
        | Op::Evict(_)
        | Op::Release
        | Op::Fdatasync
        | Op::SyncRange { .. }
        | Op::Msync(_)
        | Op::DontNeed(_)
        | Op::PageOut(_) => return None,
    };
    Some(effect)
}

/// What the content calls what came of it. `held` is what its source held, if that is known.
fn applied<'a>(id: OpId, op: &Op, came: Came<'a>, held: Option<&[u8]>) -> Applied<'a> {
    let bytes = |range: ByteRange| range.start..range.end;
    let wrote = |range: ByteRange| {
        if range.is_empty() {
            return Applied::Nothing;
        }
        let fill = match (op, held) {
            (
                Op::WriteFromMmap { pos, .. }
                | Op::CopyRange(Transfer { pos, .. })
                | Op::Reflink(Transfer { pos, .. }),
                Some(held),
            ) => Fill::bytes(*pos, held),
            (Op::WriteFromMmap { .. } | Op::CopyRange(_) | Op::Reflink(_), None) => Fill::Anything,
            (Op::Append(_), _) => Fill::Tag { op: id, shift: range.start },
            _ => Fill::tag(id),
        };
        Applied::Wrote { range: bytes(range), fill }
    };
    match (came, op) {
        (Came::Perhaps, _) => Applied::Perhaps,
        (Came::CopiedNothing, _) => Applied::CopiedNothing,
        (Came::Saw { pos, bytes }, _) => Applied::Read { pos, bytes },
        (Came::Wrote(range), _) => wrote(range),
        (Came::AsAsked, Op::Write(range) | Op::MmapStore(range) | Op::DirectWrite(range)) => {
            wrote(*range)
        }
        (Came::AsAsked, Op::WriteFromMmap { pos, source }) => {
            wrote(ByteRange::at(*pos, source.len()))
        }
        (Came::AsAsked, Op::CopyRange(transfer) | Op::Reflink(transfer)) => {
            wrote(transfer.target())
        }
        (Came::AsAsked, Op::Collapse(_) | Op::Insert(_)) => Applied::Shifted,
        (Came::AsAsked, Op::Punch(range)) => {
            Applied::Zeroed { range: bytes(*range), grew_to: None }
        }
        (Came::AsAsked, Op::ZeroRange { range, keep_size }) => {
            Applied::Zeroed { range: bytes(*range), grew_to: (!keep_size).then_some(range.end) }
        }
        (Came::AsAsked, Op::Truncate(to)) => Applied::Resized { to: *to },
        (Came::AsAsked, Op::Fallocate { range, keep_size: false }) => {
            Applied::Grew { to: range.end }
        }
        (Came::Nothing | Came::AsAsked, _) => Applied::Nothing,
    }
}
