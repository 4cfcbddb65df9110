//! The system calls: each takes its locks, announces its effect, calls the algorithm, and says what
//! came of it.
//!
//! The announcement is made once what excludes other operations from the range is held, and closed
//! before it is released: the narrower the window, the sharper an observer can judge.

use crate::errno::Errno;
use crate::filesystem::Filesystem;
use crate::inode::Inode;
use crate::mmap::MappedSource;
use crate::op::{OpId, Outcome};
use crate::page_fault::{self, Wanted, page_parts, within};
use crate::page_table::Access;
use crate::points::Point;
use crate::quantity::{ByteRange, MAX_SIZE, narrow, wide};
use crate::rules::Growth;
use crate::uaccess::{Signals, UserMemory};
use crate::witness::{Effect, Intent};
use crate::write_lock::{ReadLock, WriteLock};
use crate::writeback::{self, Mode};
use crate::{buffered_read, buffered_write, extend, fallocate, fsync, prealloc, reclaim, truncate};

impl Filesystem {
    /// `pread(2)`: fills `to` from `pos`; how much of it.
    pub fn read(&self, file: usize, op: OpId, pos: u64, to: &mut [u8]) -> Outcome {
        let inode = self.inode(file);
        let range = ByteRange::at(pos, wide(to.len()));
        let _held = ReadLock::take(inode, range);
        inode.begins(op, Intent::Read(range));
        let outcome = buffered_read::read(inode, range, to);
        let seen = narrow(outcome.unwrap_or(0));
        inode.ends(op, Effect::Saw { pos, bytes: &to[..seen] });
        outcome
    }

    /// `pwrite(2)` of `source` at `pos`, or at the end of the file; how much was written.
    pub fn write(
        &self,
        file: usize,
        op: OpId,
        pos: Option<u64>,
        source: &dyn UserMemory,
    ) -> Outcome {
        self.write_with_space(|| {
            let inode = self.inode(file);
            let place = |size| checked(pos.unwrap_or(size), source.len());
            let (held, range) = WriteLock::take(inode, place)?;
            inode.at(Point::WriteLocked);
            let announced = if pos.is_some() { Intent::Write } else { Intent::Append };
            inode.begins(op, announced(range));
            let outcome = write_range(&held, op, range, source);
            inode.ends(op, Effect::Wrote(ByteRange::at(range.start, outcome.unwrap_or(0))));
            outcome
        })
    }

    /// `pwrite(2)` at `pos` from `mapper`'s own mapping of the same file.
    pub fn write_from_mmap(
        &self,
        file: usize,
        op: OpId,
        mapper: usize,
        (pos, from): (u64, ByteRange),
    ) -> Outcome {
        self.write_with_space(|| {
            let inode = self.inode(file);
            let source = MappedSource::new(inode, inode.mappings.table(mapper), from);
            let (held, range) = WriteLock::take(inode, |_| checked(pos, from.len()))?;
            inode.at(Point::WriteLocked);
            inode.begins(op, Intent::WriteFrom { range, source: from });
            let outcome = write_range(&held, op, range, &source);
            let bytes = source.handed_over(outcome.unwrap_or(0));
            inode.ends(op, Effect::WroteFrom { pos, source: from.start, bytes: &bytes });
            outcome
        })
    }

    /// Runs a write; if space was short, frees speculative preallocation and runs it once more.
    fn write_with_space(&self, write: impl Fn() -> Outcome) -> Outcome {
        let outcome = write();
        if outcome != Err(Errno::NoSpace) {
            return outcome;
        }
        for inode in self.inodes() {
            let _exclusive = inode.i_rwsem.write();
            prealloc::free_eof_blocks(inode);
        }
        write()
    }

    /// Loads through `mapper`'s mapping; how much before a page that has nothing behind it.
    pub fn mmap_load(&self, file: usize, op: OpId, mapper: usize, at: (u64, &mut [u8])) -> Outcome {
        let (pos, to) = at;
        let inode = self.inode(file);
        let table = inode.mappings.table(mapper);
        for part in page_parts(ByteRange::at(pos, wide(to.len()))) {
            let bytes = &mut to[within(part, pos)];
            let mut loaded = Access::Faults;
            while loaded == Access::Faults {
                inode.begins(op, Intent::Load(part));
                loaded = table.load(part.start, bytes);
                let seen = if loaded == Access::Done { &*bytes } else { &[] };
                inode.ends(op, Effect::Saw { pos: part.start, bytes: seen });
                if loaded == Access::Faults {
                    let faulted = page_fault::fault(inode, table, part.start, Wanted::Read);
                    let Ok(()) = faulted else { return partial(part.start - pos) };
                }
            }
        }
        Ok(wide(to.len()))
    }

    /// Stores through `mapper`'s mapping; how much before a page that has nothing behind it, or
    /// whose fault is given up because of `signals`.
    pub fn mmap_store(
        &self,
        file: usize,
        op: OpId,
        mapper: usize,
        at: (u64, &[u8]),
        signals: &dyn Signals,
    ) -> Outcome {
        let (pos, from) = at;
        let inode = self.inode(file);
        let table = inode.mappings.table(mapper);
        for part in page_parts(ByteRange::at(pos, wide(from.len()))) {
            let bytes = &from[within(part, pos)];
            let mut stored = Access::Faults;
            while stored == Access::Faults {
                inode.begins(op, Intent::Store(part));
                stored = table.store(part.start, bytes);
                let done = stored == Access::Done;
                inode.ends(op, if done { Effect::AsIntended } else { Effect::Nothing });
                if stored == Access::Faults {
                    let faulted =
                        page_fault::fault(inode, table, part.start, Wanted::Write(signals));
                    let Ok(()) = faulted else { return partial(part.start - pos) };
                }
            }
        }
        Ok(wide(from.len()))
    }

    /// `ftruncate(2)`.
    pub fn truncate(&self, file: usize, op: OpId, size: u64) -> Outcome {
        checked(size, 1)?;
        self.reshape(file, op, Intent::Resize(size), Effect::Nothing, |inode| {
            truncate::set_size(inode, size, Growth::Truncate)
        })
    }

    /// `fallocate(2)` with `PUNCH_HOLE | KEEP_SIZE`.
    pub fn punch(&self, file: usize, op: OpId, range: ByteRange) -> Outcome {
        checked(range.start, range.len())?;
        let zeroed = Intent::Zero { range, grows_to: None };
        self.reshape(file, op, zeroed, Effect::Perhaps, |inode| fallocate::punch(inode, range))
    }

    /// `fallocate(2)` with `ZERO_RANGE`.
    pub fn zero_range(&self, file: usize, op: OpId, range: ByteRange, keep_size: bool) -> Outcome {
        checked(range.start, range.len())?;
        let grows_to = (!keep_size).then_some(range.end);
        let zeroed = Intent::Zero { range, grows_to };
        self.reshape(file, op, zeroed, Effect::Perhaps, |inode| {
            fallocate::zero(inode, range, keep_size)
        })
    }

    /// Plain `fallocate(2)`.
    pub fn fallocate(&self, file: usize, op: OpId, range: ByteRange, keep_size: bool) -> Outcome {
        checked(range.start, range.len())?;
        let grown = Intent::Grow(if keep_size { 0 } else { range.end });
        self.reshape(file, op, grown, Effect::Nothing, |inode| {
            fallocate::allocate_and_grow(inode, range, keep_size, Growth::Fallocate)
        })
    }

    /// Runs what holds both locks of a file exclusively.
    fn reshape(
        &self,
        file: usize,
        op: OpId,
        intent: Intent,
        on_failure: Effect<'_>,
        change: impl Fn(&Inode) -> Result<(), Errno>,
    ) -> Outcome {
        let inode = self.inode(file);
        let _exclusive = inode.i_rwsem.write();
        let _keeps_faults_out = inode.invalidate_lock.write();
        inode.begins(op, intent);
        let done = change(inode);
        inode.ends(op, if done.is_ok() { Effect::AsIntended } else { on_failure });
        done.map(|()| 0)
    }

    /// `fsync(2)`.
    pub fn fsync(&self, file: usize) -> Outcome {
        fsync::fsync(self.inode(file)).map(|()| 0)
    }

    /// `sync(2)`: what fails is left for each file's fsync to report.
    pub fn sync(&self) -> Outcome {
        for inode in self.inodes() {
            let _ = writeback::write_range(inode, ByteRange::new(0, MAX_SIZE), Mode::Wait);
        }
        fsync::flush(self.shared(), 0).map(|()| 0)
    }

    /// Background writeback of `range`: starts I/O.
    pub fn writeback(&self, file: usize, range: ByteRange) -> Outcome {
        writeback::write_range(self.inode(file), range, Mode::Start).map(|()| 0)
    }

    /// Memory reclaim of `range`; how many folios went.
    pub fn evict(&self, file: usize, range: ByteRange) -> Outcome {
        Ok(reclaim::evict(self.inode(file), range))
    }

    /// The last `close(2)`: gives speculative preallocation back, unless somebody has `i_rwsem`. It waits
    /// for nobody, as `xfs_file_release` does not.
    pub fn release(&self, file: usize) -> Outcome {
        let inode = self.inode(file);
        if let Some(_exclusive) = inode.i_rwsem.try_write() {
            prealloc::free_eof_blocks(inode);
        }
        Ok(0)
    }
}

impl Inode {
    fn begins(&self, op: OpId, intent: Intent) {
        self.shared.witness.begins(self.view(), op, intent);
    }

    fn ends(&self, op: OpId, effect: Effect<'_>) {
        self.shared.witness.ends(self.view(), op, effect);
    }
}

/// The range of `len` bytes at `pos`, if a file can hold it.
fn checked(pos: u64, len: u64) -> Result<ByteRange, Errno> {
    if len == 0 {
        return Err(Errno::Invalid);
    }
    let end = pos.checked_add(len).filter(|end| *end <= MAX_SIZE);
    end.map(|end| ByteRange::new(pos, end)).ok_or(Errno::TooBig)
}

/// Zeroes up to `range` and writes it.
fn write_range(
    held: &WriteLock<'_>,
    op: OpId,
    range: ByteRange,
    source: &dyn UserMemory,
) -> Outcome {
    extend::zero_gap(held.inode(), range.start)?;
    let progress = buffered_write::write(held, op, range.start, source);
    match progress.error {
        Some(error) if progress.written == 0 => Err(error),
        _ => Ok(progress.written),
    }
}

/// What a run of accesses that hit `SIGBUS` after `done` bytes returns.
fn partial(done: u64) -> Outcome {
    if done == 0 { Err(Errno::Bus) } else { Ok(done) }
}
