//! A file: its sizes, its locks, its extent map, its page cache, and the filesystem it belongs to.

use crate::errno::Errno;
use crate::extent_map::{Extent, ExtentMap, State};
use crate::folio::Folio;
use crate::locks::Lock;
use crate::page_cache::PageCache;
use crate::page_table::Mappings;
use crate::points::Point;
use crate::quantity::{BlockRange, Geometry};
use crate::range_lock::RangeLock;
use crate::rules::Rules;
use crate::space::Space;
use crate::view::View;
use crate::witness::Witness;
use block::Device;
use sim::{Mutex, RwLock, Site};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// What all files of a filesystem share.
pub struct Shared {
    /// Block and folio sizes.
    pub geometry: Geometry,
    /// The decisions in force.
    pub rules: Rules,
    /// Free space.
    pub space: Space,
    /// Where data goes.
    pub device: Arc<Device>,
    /// Who looks on.
    pub witness: Arc<dyn Witness>,
    /// Who delays or holds tasks at points.
    pub steer: Arc<dyn Steer>,
    reached: Vec<AtomicU64>,
}

/// Called at every named point, before the scheduler is: may sleep.
pub trait Steer: Send + Sync {
    /// The current task stands at `point`.
    fn at(&self, _point: Point) {}
}

/// Steers nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unsteered;

impl Steer for Unsteered {}

impl Shared {
    pub(crate) fn new(
        geometry: Geometry,
        rules: Rules,
        device: Arc<Device>,
        witness: Arc<dyn Witness>,
        steer: Arc<dyn Steer>,
    ) -> Shared {
        let space = Space::new(device.size() / geometry.block_size());
        let reached = Point::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Shared { geometry, rules, space, device, witness, steer, reached }
    }

    /// Passes a named point.
    pub(crate) fn at(&self, point: Point, object: u64) {
        let code = point.code();
        self.reached[usize::from(code)].fetch_add(1, Ordering::Relaxed);
        self.steer.at(point);
        sim::point(Site::point(point.name(), code, object));
    }

    /// How often each point was passed, in the order of [`Point::ALL`].
    pub fn reached(&self) -> Vec<u64> {
        self.reached.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

/// What `ILOCK` protects.
#[derive(Debug, Default)]
pub struct Fork {
    /// The extents.
    pub extents: ExtentMap,
    /// The size that a log would make durable: `di_size`. Never above what I/O has completed for.
    pub size_disk: u64,
    /// Blocks beyond the end of the file were taken in advance and nobody asked for them.
    pub speculative: bool,
    /// Blocks beyond the end of the file were asked for by fallocate.
    pub preallocated: bool,
}

/// See the module.
pub struct Inode {
    /// What it shares with other files.
    pub shared: Arc<Shared>,
    this: Weak<Inode>,
    number: u64,
    pub(crate) i_rwsem: RwLock<()>,
    pub(crate) ranges: RangeLock,
    pub(crate) remap_lock: RwLock<()>,
    pub(crate) invalidate_lock: RwLock<()>,
    i_size: AtomicU64,
    fork: RwLock<Fork>,
    /// The extent map's sequence counter, readable without `ILOCK`: what cookies are compared to.
    sequence: AtomicU64,
    pub(crate) cache: PageCache,
    pub(crate) mappings: Mappings,
    error_flag: AtomicBool,
    writeback_error: Mutex<Option<Errno>>,
}

impl Inode {
    pub(crate) fn new(shared: Arc<Shared>, number: u64, mappers: usize) -> Arc<Inode> {
        let geometry = shared.geometry;
        Arc::new_cyclic(|this| Inode {
            shared,
            this: Weak::clone(this),
            number,
            i_rwsem: sim::sync::rw_lock(Lock::InodeRwsem.rank(), number, ()),
            ranges: RangeLock::new(number),
            remap_lock: sim::sync::rw_lock(Lock::Remap.rank(), number, ()),
            invalidate_lock: sim::sync::rw_lock(Lock::Invalidate.rank(), number, ()),
            i_size: AtomicU64::new(0),
            fork: sim::sync::rw_lock(Lock::Extents.rank(), number, Fork::default()),
            sequence: AtomicU64::new(0),
            cache: PageCache::new(geometry, number),
            mappings: Mappings::new(mappers, number),
            error_flag: AtomicBool::new(false),
            writeback_error: sim::sync::mutex(Lock::WritebackError.rank(), number, None),
        })
    }

    /// The file's number, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.shared.geometry
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    pub(crate) fn at(&self, point: Point) {
        self.shared.at(point, self.number);
    }

    /// `i_size`.
    pub fn size(&self) -> u64 {
        self.i_size.load(Ordering::SeqCst)
    }

    /// Publishes a new `i_size`. Held: `i_rwsem` and `invalidate_lock` exclusively.
    pub(crate) fn set_size(&self, size: u64) {
        assert!(self.i_rwsem.is_locked());
        self.i_size.store(size, Ordering::SeqCst);
    }

    /// Publishes that the file holds at least `size` bytes. Held: a write's lock, and the folio lock
    /// of the bytes that it has just accepted.
    pub(crate) fn grow_size(&self, size: u64) {
        assert!(self.i_rwsem.is_locked());
        self.i_size.fetch_max(size, Ordering::SeqCst);
    }

    /// The sequence counter of the extent map.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::SeqCst)
    }

    /// Looks at the fork under `ILOCK` shared.
    pub fn fork<R>(&self, look: impl FnOnce(&Fork) -> R) -> R {
        look(&self.fork.read())
    }

    /// Looks at the fork without a scheduling point, for observers.
    ///
    /// In the simulated world nobody holds `ILOCK` across a point, so it is free.
    pub(crate) fn peek_fork<R>(&self, look: impl FnOnce(&Fork) -> R) -> R {
        match self.fork.try_read() {
            Some(fork) => look(&fork),
            None => look(&self.fork.read()),
        }
    }

    /// Changes the fork under `ILOCK` exclusively, and publishes the sequence counter before the
    /// lock is released.
    pub(crate) fn change_fork<R>(&self, change: impl FnOnce(&mut Fork) -> R) -> R {
        let mut fork = self.fork.write();
        let result = change(&mut fork);
        self.sequence.store(fork.extents.sequence(), Ordering::SeqCst);
        result
    }

    /// Makes a hole of `blocks`, giving their space back.
    pub(crate) fn free_blocks(&self, blocks: BlockRange) {
        self.change_fork(|fork| {
            for extent in fork.extents.remove(blocks) {
                match extent.state.and_then(State::disk) {
                    Some(disk) => self.shared.space.free(disk, extent.blocks.len()),
                    None => self.shared.space.unreserve(extent.blocks.len()),
                }
            }
        });
    }

    /// Gives back the delayed allocations in `blocks`.
    pub(crate) fn punch_delalloc(&self, blocks: BlockRange) {
        if !blocks.is_empty() {
            self.change_fork(|fork| {
                self.shared.space.unreserve(fork.extents.remove_delalloc(blocks));
            });
        }
    }

    /// Whether any of `blocks` is in a delayed allocation.
    pub(crate) fn holds_delalloc(&self, blocks: BlockRange) -> bool {
        let delayed = |extent: Extent| extent.state == Some(State::Delalloc);
        self.fork(|fork| fork.extents.pieces(blocks).any(delayed))
    }

    /// Locks a folio. `None` if it has left the page cache while the caller waited.
    pub(crate) fn lock_folio(&self, folio: Arc<Folio>) -> Option<LockedFolio<'_>> {
        folio.lock.lock();
        self.keep_if_attached(folio)
    }

    /// Locks a folio if nobody else has it locked and it is in the page cache.
    pub(crate) fn try_lock_folio(&self, folio: Arc<Folio>) -> Option<LockedFolio<'_>> {
        folio.lock.try_lock().then_some(())?;
        self.keep_if_attached(folio)
    }

    fn keep_if_attached(&self, folio: Arc<Folio>) -> Option<LockedFolio<'_>> {
        if folio.is_attached() {
            return Some(LockedFolio { folio, inode: self });
        }
        folio.lock.unlock();
        None
    }

    /// The folio at `pos`, locked, created if need be for an access of `len` bytes.
    pub(crate) fn grab_folio(&self, pos: u64, len: u64) -> LockedFolio<'_> {
        loop {
            let folio = self.cache.get_or_create(pos, len);
            if let Some(locked) = self.lock_folio(folio) {
                return locked;
            }
        }
    }

    /// Remembers that data could not be written back, for the next fsync to report.
    pub(crate) fn set_writeback_error(&self, error: Errno) {
        self.error_flag.store(true, Ordering::Relaxed);
        self.writeback_error.lock().get_or_insert(error);
    }

    /// The writeback error since this was last asked.
    pub(crate) fn take_writeback_error(&self) -> Option<Errno> {
        self.writeback_error.lock().take()
    }

    /// Whether writeback has failed since this was last asked (`AS_EIO`). It tells those who wait
    /// for writeback; fsync has a memory of its own.
    pub(crate) fn take_error_flag(&self) -> bool {
        self.error_flag.swap(false, Ordering::Relaxed)
    }

    /// This file, to keep in an I/O that outlives the caller's reference.
    pub(crate) fn handle(&self) -> Arc<Inode> {
        self.this.upgrade().expect("an inode lives in an Arc")
    }

    /// This file as an observer may see it.
    pub fn view(&self) -> View<'_> {
        View::of(self)
    }
}

/// Proof that a folio is locked and in the page cache. Unlocks when dropped.
pub(crate) struct LockedFolio<'a> {
    folio: Arc<Folio>,
    inode: &'a Inode,
}

impl LockedFolio<'_> {
    /// The folio, to keep beyond the lock.
    pub(crate) fn handle(&self) -> &Arc<Folio> {
        &self.folio
    }
}

impl Deref for LockedFolio<'_> {
    type Target = Folio;

    fn deref(&self) -> &Folio {
        &self.folio
    }
}

impl Drop for LockedFolio<'_> {
    fn drop(&mut self) {
        // An abandoned task unlocks like any other, but it has nothing to testify.
        if !std::thread::panicking() {
            self.inode.shared.witness.folio_unlocks(self.inode.view(), &self.folio);
        }
        self.folio.lock.unlock();
    }
}
