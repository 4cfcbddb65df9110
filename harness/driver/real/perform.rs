//! One operation as a system call, told to the oracle before and after, and looked at again.

use super::Real;
use super::kernels::{COLLAPSE, INSERT, shifted};
use super::ways;
use crate::call::Call;
use crate::target::{Performed, Reach, Shortness, Target, reaches_beyond};
use crate::user_buffer::Gap;
use mounted::Mapping;
use mounted::file::Bytes;
use mounted::source::Source;
use nix::errno::Errno as System;
use nix::fcntl::FallocateFlags;
use oracle::outside::{Came, changes};
use sim::RwLock;
use std::ops::Range;
use std::sync::Arc;
use stormfs::errno::Errno;
use stormfs::op::{Op, OpId, Outcome};
use stormfs::quantity::{ByteRange, narrow, wide};

impl Real {
    /// Performs `call` with the memory that was prepared for it.
    pub(super) fn call(&self, id: OpId, call: &Call, memory: &mut [u8]) -> Performed {
        let shifting = self.shifting.as_ref().map(|locks| &locks[call.file]);
        let (changes, moves) = changes(&call.op);
        let _alone = shifting.filter(|_| moves).map(RwLock::write);
        let _among = shifting.filter(|_| changes && !moves).map(RwLock::read);
        let begins = self.timed(|| self.oracle.begins(call.file, id, &call.op));
        let lacked = self.lacked_before(call.op.kind());
        let (performed, came) = self.perform_now(id, call, memory);
        let lacked_memory = self.has_lacked(lacked, &performed);
        let performed = Performed { lacked_memory, ..performed };
        self.tell_of_failures(performed.outcome);
        // What its file holds does not show whether it happened.
        let Some(flight) = begins else { return performed };
        let _time = self.incidents.as_ref().map(|incidents| incidents.oracle());
        let least = self.oracle.least_sizes(call.file, &flight);
        let performed = Performed {
            unfit: !self.fits(call.file, &call.op, least),
            beyond: reaches_beyond(&call.op, least.0.min(least.1)),
            ..performed
        };
        self.oracle.ends(call.file, flight, &call.op, came);
        let look = left_behind(&call.op, came);
        // Under a script nobody does more than it says: what else is read is cached, and may have to wait.
        if !look.is_empty() && self.lead.is_none() {
            self.look_again(id, call.file, look);
        }
        self.look_at_size(id, call.file);
        performed
    }

    /// Of requests that failed, if any have; and of a disk that has no room for its bytes.
    fn tell_of_failures(&self, outcome: Outcome) {
        let is_of_arguments =
            |errno| matches!(errno, Errno::Fault | Errno::Invalid | Errno::TooBig);
        if outcome.is_err_and(|errno| !is_of_arguments(errno))
            && let Some(backing) = self.host.volume.backing()
        {
            backing.look();
        }
        if let Some(incidents) = &self.incidents {
            self.failing.news().for_each(|fault| incidents.strikes_now(fault));
        }
    }

    /// What the oracle takes is no part of a call.
    fn timed<T>(&self, ask: impl FnOnce() -> T) -> T {
        let _time = self.incidents.as_ref().map(|incidents| incidents.oracle());
        ask()
    }

    fn perform_now<'a>(
        &self,
        id: OpId,
        call: &Call,
        memory: &'a mut [u8],
    ) -> (Performed, Came<'a>) {
        let hands = &self.hands[usize::from(id.actor)];
        let (file, mapping) = (hands.file(call.file, id), hands.mapping(call.file));
        match call.op {
            Op::Read(range) => saw(range, file.read(range.start, memory, &cuts(call)), memory),
            Op::MmapLoad(range) => {
                let loaded = mapping.and_then(|mapping| mapping.load(address(range.start), memory));
                let (performed, came) = saw(range, loaded, memory);
                (Performed { outcome: through_mapping(performed.outcome), ..performed }, came)
            }
            Op::MmapStore(range) => {
                let store = |mapping: &Mapping| mapping.store(address(range.start), memory);
                let outcome = counted(mapping.and_then(store));
                let (came, outcome) = (wrote(range.start, outcome), through_mapping(outcome));
                (Performed { asked: range.len(), ..Performed::plain(outcome) }, came)
            }
            Op::Write(range) => self.write(id, call, Some(range.start), memory),
            Op::Append(_) => self.write(id, call, None, memory),
            Op::WriteFromMmap { pos, source } => {
                let from = addresses(source);
                let write = |mapping: &Mapping| mapping.write_to(&*file, pos, from);
                let outcome = mapping.and_then(write).map_err(known);
                let performed = Performed { asked: source.len(), ..Performed::plain(outcome) };
                (performed, copied(pos, outcome))
            }
            Op::Truncate(size) => whole(file.truncate(size)),
            Op::Punch(range) => whole(file.allocate(PUNCH.union(KEEP_SIZE), bytes(range))),
            Op::ZeroRange { range, keep_size } => {
                whole(file.allocate(ZERO.union(keep(keep_size)), bytes(range)))
            }
            Op::Fallocate { range, keep_size } => {
                whole(file.allocate(keep(keep_size), bytes(range)))
            }
            Op::Fsync => whole(file.sync()),
            Op::Sync => whole(file.sync_all()),
            Op::Writeback(range) => whole(file.write_back(bytes(range), false)),
            Op::Evict(range) => (Performed::plain(self.evict(call.file, range)), Came::Nothing),
            Op::Release => {
                drop(file);
                whole(self.prepared("opening a file again", hands.reopen(call.file, id)))
            }
            Op::DirectRead(range) => self.read_directly(id, call, range, memory),
            Op::DirectWrite(range) => self.write_directly(id, call, range, memory),
            Op::CopyRange(transfer) => self.copy(id, call, transfer),
            Op::Reflink(transfer) => self.share(id, call, transfer),
            Op::Collapse(range) => shifted(file.allocate(COLLAPSE, bytes(range))),
            Op::Insert(range) => shifted(file.allocate(INSERT, bytes(range))),
            Op::Fdatasync => whole(file.sync_data()),
            Op::SyncRange { range, wait } => whole(file.write_back(bytes(range), wait)),
            Op::Msync(range) => whole(mapping.and_then(|mapping| mapping.sync(addresses(range)))),
            Op::DontNeed(range) => whole(file.drop_cache(bytes(range))),
            Op::PageOut(range) => {
                whole(mapping.and_then(|mapping| mapping.page_out(addresses(range))))
            }
        }
    }

    /// Writes at `pos`, or at the end of the file.
    fn write<'a>(
        &self,
        id: OpId,
        call: &Call,
        pos: Option<u64>,
        memory: &[u8],
    ) -> (Performed, Came<'a>) {
        let hands = &self.hands[usize::from(id.actor)];
        let file = hands.file(call.file, id);
        let cuts = cuts(call);
        let write = |bytes: Bytes<'_>| match pos {
            Some(pos) => file.write(pos, bytes).map(|count| (count, pos)),
            None => file.append(bytes),
        };
        let stops = self.stops((id, call), pos, memory);
        let (mut ended, mut by) = (None, None);
        let written = match (stops, call.gap) {
            (Some(stops), _) => {
                let written = write(Bytes::Stopping(&stops));
                ended = self.wrote(id);
                by = Some(ways::counted_failing(self.ways.failing()));
                written
            }
            (None, None) => write(Bytes::Whole(memory, &cuts)),
            (None, Some(gap)) => {
                let mut slot = hands.source.lock();
                let source = slot.take().map_or_else(|| Source::new(memory.len()), Ok);
                let mut source = self.prepared(SOURCE, source);
                let written = source.as_mut().map_err(|errno| *errno).and_then(|source| {
                    let hole = self.ways.hole(id, gap);
                    by = ways::counted(hole.way);
                    let armed = self.prepared(SOURCE, source.with_hole(memory, hole))?;
                    write(Bytes::Holed(&armed, &cuts))
                });
                *slot = source.ok();
                written
            }
        };
        let outcome = written.map(|(count, _)| count).map_err(known);
        let came = copied(written.map_or(0, |(_, pos)| pos), outcome);
        let asked = wide(memory.len());
        let gap = ended.map(|at| Gap { at, persistent: true }).or(call.gap);
        let short_source = gap.map_or(Shortness::default(), |gap| Shortness {
            armed: true,
            fired: !gap.persistent || outcome.unwrap_or(0) <= gap.at,
            persistent: gap.persistent,
            by,
        });
        (Performed { asked, short_source, ended, ..Performed::plain(outcome) }, came)
    }

    /// What a write copies from that is to stand somewhere.
    fn stops(
        &self,
        (id, call): (OpId, &Call),
        pos: Option<u64>,
        memory: &[u8],
    ) -> Option<Arc<mounted::Stops>> {
        let actor = usize::from(id.actor).checked_sub(1)?;
        let lead = self.lead.as_ref()?;
        let pos = pos.or_else(|| self.file(call.file).size().ok())?;
        lead.stops((actor, call), pos, memory)
    }

    /// That write is over: where a step has ended its source.
    fn wrote(&self, id: OpId) -> Option<u64> {
        let actor = usize::from(id.actor).checked_sub(1)?;
        self.lead.as_ref()?.wrote(actor)
    }

    /// Reads what an operation has left, as its own next operation would: by a call, or through its
    /// mapping.
    fn look_again(&self, id: OpId, file: usize, range: ByteRange) {
        let hands = &self.hands[usize::from(id.actor)];
        let mut memory = std::mem::take(&mut *hands.seen.lock());
        let len = narrow(range.len());
        memory.resize(memory.len().max(len), 0);
        let seen = &mut memory[..len];
        let mapping =
            hands.mapping(file).ok().filter(|_| id.number.is_multiple_of(THROUGH_MAPPING));
        let by_call = mapping.is_none();
        let op = if by_call { Op::Read(range) } else { Op::MmapLoad(range) };
        let instant = self.room.before(self.host.volume.root());
        let lacked = self.lacked_before(op.kind());
        let Some(flight) = self.oracle.begins(file, id, &op) else { return };
        let found = match mapping {
            None => hands.file(file, id).read(range.start, seen, &[]),
            Some(mapping) => mapping.load(narrow(range.start), seen),
        };
        let came = match found {
            Ok(found) => Came::Saw { pos: range.start, bytes: &seen[..found] },
            Err(_) => Came::Nothing,
        };
        let least = found.is_err().then(|| self.oracle.least_sizes(file, &flight));
        self.oracle.ends(file, flight, &op, came);
        if let (Err(errno), Some(least)) = (found, least) {
            // It needs the same excuses as one that an actor makes.
            let outcome = Err(known(errno));
            let outcome = if by_call { outcome } else { through_mapping(outcome) };
            let beyond = reaches_beyond(&op, least.0.min(least.1));
            let performed = Performed { asked: range.len(), beyond, ..Performed::plain(outcome) };
            let lacked_memory = self.has_lacked(lacked, &performed);
            let performed = Performed { lacked_memory, ..performed };
            let before = Reach { size: 0, instant };
            self.judge(&Call::plain(id.number, file, op), performed, before);
        }
        *hands.seen.lock() = memory;
    }

    /// Whether the file is as long as it may be.
    fn look_at_size(&self, id: OpId, file: usize) {
        let instant = self.oracle.instant(file);
        if let Ok(size) = self.file(file).size() {
            self.oracle.saw_size(file, Some(id), (instant, size));
        }
    }

    /// Takes clean pages of a range out of the cache, whoever has them mapped.
    pub(super) fn evict(&self, file: usize, range: ByteRange) -> Outcome {
        let pages = narrow(range.start)..usize::try_from(range.end).unwrap_or(usize::MAX);
        for mapping in self.mappings(file) {
            mapping.unmap(pages.clone()).map_err(known)?;
        }
        let end = range.end.min(i64::MAX.unsigned_abs());
        plain(self.file(file).drop_cache(range.start..end))
    }
}

/// What has to be made for a write whose source ends early.
const SOURCE: &str = "memory for a source that ends early";

const PUNCH: FallocateFlags = FallocateFlags::FALLOC_FL_PUNCH_HOLE;
const ZERO: FallocateFlags = FallocateFlags::FALLOC_FL_ZERO_RANGE;
const KEEP_SIZE: FallocateFlags = FallocateFlags::FALLOC_FL_KEEP_SIZE;

fn keep(keep_size: bool) -> FallocateFlags {
    if keep_size { KEEP_SIZE } else { FallocateFlags::empty() }
}

/// Where in a mapping that is; no mapping is that long if addresses cannot tell.
fn address(pos: u64) -> usize {
    usize::try_from(pos).unwrap_or(usize::MAX)
}

fn addresses(range: ByteRange) -> Range<usize> {
    address(range.start)..address(range.end)
}

fn cuts(call: &Call) -> Vec<usize> {
    call.pieces.iter().map(|cut| narrow(*cut)).collect()
}

pub(super) fn bytes(range: ByteRange) -> std::ops::Range<u64> {
    range.start..range.end
}

/// What the oracle can look at again once the operation has ended.
fn left_behind(op: &Op, came: Came<'_>) -> ByteRange {
    match (came, op) {
        (Came::Wrote(range), _) => range,
        (Came::AsAsked, Op::Collapse(range) | Op::Insert(range)) => {
            ByteRange::at(range.start.saturating_sub(64), 64 + range.len().min(MOST_AGAIN))
        }
        (Came::AsAsked, Op::Punch(range) | Op::ZeroRange { range, .. }) => {
            ByteRange::at(range.start, range.len().min(MOST_AGAIN))
        }
        // Some whole words: one byte could not tell who wrote it.
        (Came::AsAsked, Op::Truncate(to)) => ByteRange::new(to.saturating_sub(64), *to),
        _ => ByteRange::new(0, 0),
    }
}

/// Of so many operations one is looked at through the mapping. Pages that are mapped cost whoever truncates
/// them, and where all actors share an mm an interrupt of every processor that runs one of them: that
/// is then most of what a storm costs on tmpfs.
const THROUGH_MAPPING: u64 = 8;

/// Bytes of a hole that are looked at again.
const MOST_AGAIN: u64 = 1 << 20;

/// A call that moved what it returns.
pub(super) fn saw(
    range: ByteRange,
    found: Result<usize, System>,
    memory: &mut [u8],
) -> (Performed, Came<'_>) {
    let outcome = counted(found);
    let came = match found {
        Ok(found) => Came::Saw { pos: range.start, bytes: &memory[..found] },
        Err(_) => Came::Nothing,
    };
    (Performed { asked: range.len(), ..Performed::plain(outcome) }, came)
}

pub(super) fn wrote(pos: u64, outcome: Outcome) -> Came<'static> {
    outcome.map_or(Came::Nothing, |written| Came::Wrote(ByteRange::at(pos, written)))
}

/// The same, of a write that copies from memory. Pages of that may be missing for a moment.
fn copied(pos: u64, outcome: Outcome) -> Came<'static> {
    match outcome {
        // What it says about its arguments it says before it does anything.
        Err(Errno::Invalid | Errno::TooBig) | Ok(_) => wrote(pos, outcome),
        Err(_) => Came::CopiedNothing,
    }
}

/// A call that does all it was asked, or fails somewhere on the way.
pub(super) fn whole(done: Result<(), System>) -> (Performed, Came<'static>) {
    let came = if done.is_ok() { Came::AsAsked } else { Came::Perhaps };
    (Performed::plain(plain(done)), came)
}

fn plain(done: Result<(), System>) -> Outcome {
    done.map(|()| 0).map_err(known)
}

fn counted(done: Result<usize, System>) -> Outcome {
    done.map(wide).map_err(known)
}

/// An access through a mapping knows no errors but one.
fn through_mapping(outcome: Outcome) -> Outcome {
    outcome.map_err(|errno| if errno == Errno::Fault { Errno::Bus } else { errno })
}

/// The error by the name that reports have for it.
pub(super) fn known(errno: System) -> Errno {
    let named = [
        (System::EFAULT, Errno::Fault),
        (System::EIO, Errno::Io),
        (System::ENOSPC, Errno::NoSpace),
        (System::EFBIG, Errno::TooBig),
        (System::EINVAL, Errno::Invalid),
    ];
    let number = std::io::Error::from(errno).raw_os_error().unwrap_or(0);
    named.iter().find(|row| row.0 == errno).map_or(Errno::Other(number), |row| row.1)
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;
    use super::*;
    use crate::target::Target;
    use mounted::Way;
    use std::collections::BTreeSet;
    use stormfs::op::Transfer;

    fn to(start: u64, end: u64) -> ByteRange {
        ByteRange::new(start, end)
    }

    #[test]
    fn calls_do_what_they_say_and_leave_the_size_that_they_should() {
        let kib = |count: u64| count << 10;
        let transfer = |from, source| Transfer { from, source, pos: kib(4) };
        let table = [
            (Op::Write(to(0, 10_000)), Ok(10_000), 10_000),
            (Op::Read(to(5000, 20_000)), Ok(5000), 10_000),
            (Op::Read(to(20_000, 20_010)), Ok(0), 10_000),
            (Op::MmapLoad(to(100, 200)), Ok(100), 10_000),
            (Op::MmapStore(to(9000, 9100)), Ok(100), 10_000),
            (Op::MmapStore(to(kib(12), kib(13))), Err(Errno::Bus), 10_000),
            (Op::Append(500), Ok(500), 10_500),
            (Op::WriteFromMmap { pos: kib(16), source: to(100, 300) }, Ok(200), kib(16) + 200),
            (Op::Truncate(kib(16)), Ok(0), kib(16)),
            (Op::Punch(to(0, kib(4))), Ok(0), kib(16)),
            (Op::ZeroRange { range: to(kib(15), kib(18)), keep_size: true }, Ok(0), kib(16)),
            (Op::ZeroRange { range: to(kib(15), kib(18)), keep_size: false }, Ok(0), kib(18)),
            (Op::Fallocate { range: to(0, kib(20)), keep_size: true }, Ok(0), kib(18)),
            (Op::Fallocate { range: to(0, kib(20)), keep_size: false }, Ok(0), kib(20)),
            (Op::CopyRange(transfer(0, to(kib(8), kib(12)))), Ok(kib(4)), kib(20)),
            (Op::Reflink(transfer(0, to(kib(8), kib(12)))), Ok(kib(4)), kib(20)),
            (Op::DirectWrite(to(kib(4), kib(8))), Ok(kib(4)), kib(20)),
            (Op::DirectRead(to(0, kib(8))), Ok(kib(8)), kib(20)),
            (Op::Writeback(to(0, kib(20))), Ok(0), kib(20)),
            (Op::SyncRange { range: to(0, kib(20)), wait: true }, Ok(0), kib(20)),
            (Op::Msync(to(0, kib(20))), Ok(0), kib(20)),
            (Op::Fdatasync, Ok(0), kib(20)),
            (Op::Fsync, Ok(0), kib(20)),
            (Op::Sync, Ok(0), kib(20)),
            (Op::PageOut(to(0, kib(20))), Ok(0), kib(20)),
            (Op::DontNeed(to(0, kib(20))), Ok(0), kib(20)),
            (Op::Evict(to(0, kib(20))), Ok(0), kib(20)),
            (Op::Insert(to(kib(4), kib(8))), Ok(0), kib(24)),
            (Op::Collapse(to(0, kib(4))), Ok(0), kib(20)),
            (Op::Release, Ok(0), kib(20)),
            (Op::Fallocate { range: to(5, 5), keep_size: true }, Err(Errno::Invalid), kib(20)),
        ];
        let trial = Trial::new();
        for (op, outcome, size) in table {
            if trial.real.lacks(op.kind()).is_none() {
                assert_eq!(trial.act(op.clone()).outcome, outcome, "{op:?}");
                assert!(op == Op::Release || trial.real.size(0) == size, "{op:?}");
            }
            if trial.real.size(0) != size {
                trial.act(Op::Truncate(size));
            }
            assert_eq!(trial.violated(), None, "{op:?}");
        }
        trial.real.look_at_the_end();
        assert_eq!(trial.violated(), None, "at the end");
    }

    #[test]
    fn a_source_that_ends_early_is_told_by_what_came_of_it() {
        let trial = Trial::new();
        if trial.real.host.rounding.is_some() {
            return;
        }
        let lacking = usize::from(mounted::source::poisoning().is_err());
        let write = Op::Write(to(3, 20_003));
        for (op, at, persistent, outcome, fired) in [
            (write.clone(), 777, true, Ok(777), true),
            (write.clone(), 0, true, Err(Errno::Fault), true),
            (write, 777, false, Ok(20_000), true),
            (Op::Append(100), 99, true, Ok(99), true),
        ] {
            let gap = Some(Gap { at, persistent });
            // Which way it is missing is a matter of the number of the call.
            let mut ways = BTreeSet::new();
            for _ in Way::PERSISTENT {
                let call = Call { gap, pieces: vec![50], ..Call::plain(1, 1, op.clone()) };
                let performed = trial.call(call);
                assert_eq!(performed.outcome, outcome, "{op:?} {gap:?}");
                let by = performed.short_source.by;
                let told = Shortness { armed: true, fired, persistent, by };
                assert_eq!(performed.short_source, told);
                ways.extend(by);
                assert_eq!(trial.violated(), None, "{op:?} {gap:?}");
            }
            assert_eq!(ways.len(), if persistent { Way::PERSISTENT.len() - lacking } else { 0 });
        }
    }

    #[test]
    fn a_second_look_that_fails_needs_an_excuse() {
        for (to, violated) in [(10_000, None), (0, Some("results_are_justified"))] {
            let trial = Trial::new();
            let range = ByteRange::new(0, 10_000);
            trial.act(Op::Write(range));
            trial.real.file(0).truncate(to).unwrap();
            let mapped = OpId { actor: 1, number: 2 * THROUGH_MAPPING };
            trial.real.look_again(mapped, 0, ByteRange::new(0, 100));
            assert_eq!(trial.violated(), violated, "through its mapping, of {to} bytes");
        }
    }

    #[test]
    fn what_is_looked_at_again_is_what_was_changed() {
        let range = to(4096, 8192);
        let large = ByteRange::at(0, 3 << 20);
        for (op, came, again) in [
            (Op::Write(range), Came::Wrote(to(4096, 5000)), to(4096, 5000)),
            (Op::Write(range), Came::Nothing, to(0, 0)),
            (Op::Truncate(1000), Came::AsAsked, to(936, 1000)),
            (Op::Truncate(10), Came::AsAsked, to(0, 10)),
            (Op::Punch(large), Came::AsAsked, to(0, MOST_AGAIN)),
            (Op::Punch(range), Came::Perhaps, to(0, 0)),
            (Op::Collapse(range), Came::AsAsked, to(4032, 8192)),
            (Op::Fsync, Came::AsAsked, to(0, 0)),
        ] {
            assert_eq!(left_behind(&op, came), again, "{op:?} {came:?}");
        }
    }

    #[test]
    fn errors_have_the_names_of_reports_and_mappings_know_one_only() {
        for (errno, name) in [
            (System::EFAULT, Errno::Fault),
            (System::ENOSPC, Errno::NoSpace),
            (System::EIO, Errno::Io),
            (System::EINVAL, Errno::Invalid),
            (System::EFBIG, Errno::TooBig),
            (System::EPERM, Errno::Other(1)),
        ] {
            assert_eq!(known(errno), name);
        }
        assert_eq!(through_mapping(Err(Errno::Fault)), Err(Errno::Bus));
        assert_eq!(through_mapping(Err(Errno::Io)), Err(Errno::Io));
        assert_eq!(through_mapping(Ok(5)), Ok(5));
    }
}
