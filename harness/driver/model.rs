//! The filesystem model as a target: its calls, and the judgements of its oracle that no commit point
//! asks for.

use crate::abandoned::Victim;
use crate::call::Call;
use crate::scenario::plan::{ActorPlan, Plan};
use crate::sources::Sources;
use crate::steering::Steering;
use crate::target::{
    Abandoned, Ids, Performed, Reach, Shortness, Target, patterned, reaches_beyond,
};
use crate::user_buffer::UserBuffer;
use block::Device;
use oracle::Oracle;
use oracle::extents::extents_writes_never_overlap;
use oracle::results::{Excuses, results_are_justified};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::Filesystem;
use stormfs::op::{Op, OpId, OpKind, Outcome};
use stormfs::quantity::{ByteRange, Geometry, narrow};
use stormfs::view::View;

/// Bytes read at once when files are read again.
const STEP: u64 = 256 << 10;

/// See the module.
pub struct Model {
    filesystem: Arc<Filesystem>,
    device: Arc<Device>,
    oracle: Arc<Oracle>,
    steering: Arc<Steering>,
    geometry: Geometry,
    /// Whether some file may become smaller.
    shrinks: bool,
    /// fsyncs that reported an error, by file.
    reported: Vec<AtomicU64>,
    /// What actors write from.
    pub sources: Arc<Sources>,
}

impl Model {
    /// The model of a storm of `plan`.
    pub fn new(
        plan: &Plan,
        (filesystem, oracle): (Arc<Filesystem>, Arc<Oracle>),
        (device, steering): (Arc<Device>, Arc<Steering>),
    ) -> Model {
        let mut kinds = plan.actors.iter().flat_map(ActorPlan::kinds);
        Model {
            filesystem,
            device,
            oracle,
            steering,
            geometry: Geometry::new(plan.filesystem.block_size, plan.filesystem.max_folio),
            shrinks: kinds.any(|kind| kind == OpKind::Truncate),
            reported: plan.files.iter().map(|_| AtomicU64::new(0)).collect(),
            sources: Arc::new(Sources::new(crate::storm::actors(plan))),
        }
    }
}

impl Target for Model {
    fn prepare(&self, id: OpId, call: &Call, memory: &mut Vec<u8>) {
        patterned(id, &call.op, memory);
    }

    fn perform(&self, id: OpId, mapper: usize, call: &Call, memory: &mut [u8]) -> Performed {
        let (fs, file) = (&self.filesystem, call.file);
        let plain = Performed::plain;
        let moved = |outcome, range: ByteRange| Performed { asked: range.len(), ..plain(outcome) };
        match call.op {
            Op::Read(range) => moved(fs.read(file, id, range.start, memory), range),
            Op::Write(range) => self.write(id, call, Some(range.start), range.len(), memory),
            Op::Append(len) => self.write(id, call, None, len, memory),
            Op::WriteFromMmap { pos, source } => {
                moved(fs.write_from_mmap(file, id, mapper, (pos, source)), source)
            }
            Op::MmapLoad(range) => {
                moved(fs.mmap_load(file, id, mapper, (range.start, memory)), range)
            }
            Op::MmapStore(range) => {
                let task = Victim::new(call.abandoned);
                let outcome = fs.mmap_store(file, id, mapper, (range.start, memory), &task);
                let abandoned = Abandoned { armed: call.abandoned, fired: task.gave_up() };
                Performed { abandoned, ..moved(outcome, range) }
            }
            Op::Truncate(size) => plain(fs.truncate(file, id, size)),
            Op::Punch(range) => plain(fs.punch(file, id, range)),
            Op::ZeroRange { range, keep_size } => plain(fs.zero_range(file, id, range, keep_size)),
            Op::Fallocate { range, keep_size } => plain(fs.fallocate(file, id, range, keep_size)),
            Op::Fsync => plain(self.fsync(file)),
            Op::Sync => plain(fs.sync()),
            Op::Writeback(range) => plain(fs.writeback(file, range)),
            Op::Evict(range) => plain(fs.evict(file, range)),
            Op::Release => plain(fs.release(file)),
            Op::DirectRead(_)
            | Op::DirectWrite(_)
            | Op::CopyRange(_)
            | Op::Reflink(_)
            | Op::Collapse(_)
            | Op::Insert(_)
            | Op::Fdatasync
            | Op::SyncRange { .. }
            | Op::Msync(_)
            | Op::DontNeed(_)
            | Op::PageOut(_) => {
                unreachable!("a scenario of the model has no {}", call.op.kind().name())
            }
        }
    }

    fn size(&self, file: usize) -> u64 {
        self.filesystem.view(file).size()
    }

    fn extent(&self, file: usize, pos: u64) -> ByteRange {
        let view = self.filesystem.view(file);
        let geometry = view.geometry();
        geometry.bytes_of(view.extent(geometry.block_of(pos)).blocks)
    }

    fn reach(&self, file: usize) -> Reach {
        let size = self.size(file);
        Reach { size, instant: self.filesystem.shared().space.instant() }
    }

    fn judge(&self, call: &Call, performed: Performed, before: Reach) {
        let after = self.reach(call.file);
        let counts = self.device.faults();
        let failed = counts.read_error.fired + counts.write_error.fired + counts.flush_error.fired;
        // Edges of blocks on both sides; a write fault reserves for its whole folio.
        let bytes = performed.asked.max(extent_of(&call.op)).max(self.geometry.max_folio());
        let need = bytes / self.geometry.block_size() + 2;
        let least_free = self.filesystem.shared().space.least_free_since(before.instant);
        let excuses = Excuses {
            bad_source: performed.short_source.fired && performed.short_source.persistent,
            abandoned_fault: performed.abandoned.fired,
            collided: false,
            device_failed: failed != 0,
            space_was_short: least_free < need,
            memory_was_short: false,
            unfit: false,
            beyond_eof: self.shrinks || reaches_beyond(&call.op, before.size.min(after.size)),
        };
        let asked = performed.asked;
        let outcome = performed.outcome;
        let checks = self.oracle.checks();
        let verdict = results_are_justified(checks, &call.op, asked, outcome, excuses);
        self.oracle.judge_overall(verdict);
    }

    fn begin(&self) {
        self.device.begin();
        self.steering.begin();
    }

    fn judge_still(&self, _ids: Ids<'_>) {
        let _ = self.filesystem.sync();
        self.oracle.judge_synced(&self.views());
    }

    /// After a sync, from disk, through the filesystem's own reads, after release.
    fn finish(&self, ids: Ids<'_>) {
        self.device.heal();
        let fs = &self.filesystem;
        ids();
        let _ = fs.sync();
        self.oracle.judge_synced(&self.views());
        for file in 0..fs.files() {
            ids();
            let _ = self.fsync(file);
            let reported = self.reported[file].load(Ordering::Relaxed);
            self.oracle.judge_errors_reported(fs.view(file), reported);
        }
        for file in 0..fs.files() {
            ids();
            let _ = fs.evict(file, ByteRange::new(0, u64::MAX >> 8));
        }
        self.oracle.judge_reread(&self.views());
        for file in 0..fs.files() {
            self.read_all(file, ids);
        }
        for file in 0..fs.files() {
            ids();
            let _ = fs.release(file);
        }
        self.oracle.judge_released(&self.views());
        let overlaps: Vec<String> =
            self.device.take_overlaps().iter().map(|overlap| format!("{overlap:?}")).collect();
        let checks = self.oracle.checks();
        self.oracle.judge_overall(extents_writes_never_overlap(checks, &overlaps));
        self.device.shutdown();
    }
}

impl Model {
    /// Remembers that an error was reported.
    fn fsync(&self, file: usize) -> Outcome {
        let outcome = self.filesystem.fsync(file);
        if outcome.is_err() {
            self.reported[file].fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn read_all(&self, file: usize, ids: Ids<'_>) {
        let fs = &self.filesystem;
        let size = fs.view(file).size();
        let mut bytes = Vec::new();
        let mut pos = 0;
        while pos < size {
            let id = ids();
            bytes.resize(narrow((size - pos).min(STEP)), 0);
            match fs.read(file, id, pos, &mut bytes) {
                Ok(read) if 0 < read => pos += read,
                _ => return,
            }
        }
    }

    fn views(&self) -> Vec<View<'_>> {
        self.filesystem.views().collect()
    }

    fn write(&self, id: OpId, call: &Call, pos: Option<u64>, len: u64, memory: &[u8]) -> Performed {
        let own = usize::from(id.actor).checked_sub(1).and_then(|actor| self.sources.of(actor));
        if let Some(own) = own {
            own.begins(call.gap.is_some());
        }
        let source = UserBuffer::new(memory, &call.pieces, call.gap).ended_by(own);
        let outcome = self.filesystem.write(call.file, id, pos, &source);
        if let Some(own) = own {
            own.is_over();
        }
        let gap = source.gap();
        let ended = gap.filter(|_| call.gap.is_none()).map(|gap| gap.at);
        let short_source = Shortness {
            armed: gap.is_some(),
            fired: source.fell_short(),
            persistent: gap.is_some_and(|gap| gap.persistent),
            by: None,
        };
        Performed { asked: len, short_source, ended, ..Performed::plain(outcome) }
    }
}

/// Bytes that the operation may need blocks for.
fn extent_of(op: &Op) -> u64 {
    if let Op::Fallocate { range, .. } | Op::ZeroRange { range, .. } | Op::MmapStore(range) = op {
        return range.len();
    }
    0
}
