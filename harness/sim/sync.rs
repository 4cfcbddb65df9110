//! Mutex, reader-writer lock, bare lock, and locks with rules of their own: a few lines each on
//! [`WaitQueue`], ranks checked.
//!
//! Before every acquisition of a lock that is not a leaf there is a scheduling point. Which waiter
//! gets a released lock is decided by who tries first (the strategy, or the machine); a waiting
//! writer keeps new readers out, as the kernel's rwsem does.

use crate::rank::{self, Rank};
use crate::site::Site;
use crate::wait::{self, WaitQueue};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Mutual exclusion around a value.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// Proof that a [`Mutex`] is held.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Many readers or one writer around a value.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// Proof that a [`RwLock`] is held shared.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Proof that a [`RwLock`] is held exclusively.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;

static UNRANKED: Rank = Rank::new(14, "unranked lock");

/// A mutex of `rank` around `value`; `object` tells it from others of its class.
pub const fn mutex<T>(rank: &'static Rank, object: u64, value: T) -> Mutex<T> {
    lock_api::Mutex::from_raw(RawMutex(Lock::new(rank, object)), value)
}

/// A reader-writer lock of `rank` around `value`; `object` tells it from others of its class.
pub const fn rw_lock<T>(rank: &'static Rank, object: u64, value: T) -> RwLock<T> {
    lock_api::RwLock::from_raw(RawRwLock::new(rank, object), value)
}

/// A lock that guards no value of its own, for structures that are their own guard.
pub struct Lock {
    held: AtomicBool,
    queue: WaitQueue,
    rank: &'static Rank,
    object: u64,
}

impl Lock {
    /// A lock of `rank`; `object` tells it from others of its class.
    pub const fn new(rank: &'static Rank, object: u64) -> Lock {
        Lock { held: AtomicBool::new(false), queue: WaitQueue::new(), rank, object }
    }

    /// Takes the lock, waiting for it if need be. Stops the run if the lock order forbids it.
    #[inline]
    pub fn lock(&self) {
        rank::check(self.rank);
        if !self.rank.leaf {
            wait::point(Site::lock(self.rank, self.object));
        }
        if !self.acquire() {
            self.queue.wait_until(Site::lock(self.rank, self.object), || self.acquire());
        }
        rank::taken(self.rank, self.object);
    }

    /// Takes the lock if nobody holds it. May be called out of order: it never waits.
    #[inline]
    pub fn try_lock(&self) -> bool {
        let got = self.acquire();
        if got {
            rank::taken(self.rank, self.object);
        }
        got
    }

    /// Gives the lock back; only its holder may.
    #[inline]
    pub fn unlock(&self) {
        rank::released(self.rank);
        self.held.store(false, Ordering::SeqCst);
        self.queue.wake_all();
    }

    /// Whether somebody holds it now.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    #[inline]
    fn acquire(&self) -> bool {
        self.held.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", self.rank.name, self.object)
    }
}

/// The lock inside [`Mutex`].
#[derive(Debug)]
pub struct RawMutex(Lock);

#[expect(unsafe_code, reason = "lock_api asks its locks to promise exclusion")]
// SAFETY: `Lock::acquire` answers true to one caller between two calls of `unlock`, with
// acquire and release ordering.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: RawMutex = RawMutex(Lock::new(&UNRANKED, 0));
    type GuardMarker = lock_api::GuardNoSend;

    #[inline]
    fn lock(&self) {
        self.0.lock();
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.0.try_lock()
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.0.unlock();
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// The place in the lock order of a lock with rules of its own about who may have it, and the queue
/// of those who wait for it.
#[derive(Debug)]
pub struct Ranked {
    queue: WaitQueue,
    rank: &'static Rank,
    object: u64,
}

impl Ranked {
    /// A place of `rank`; `object` tells the lock from others of its class.
    pub const fn new(rank: &'static Rank, object: u64) -> Ranked {
        Ranked { queue: WaitQueue::new(), rank, object }
    }

    /// Returns once `acquire` has answered true, which is tried as often as needed. Stops the run if
    /// the lock order forbids taking the lock now.
    pub fn take(&self, acquire: impl FnMut() -> bool) {
        rank::check(self.rank);
        let site = Site::lock(self.rank, self.object);
        if !self.rank.leaf {
            wait::point(site);
        }
        self.queue.wait_until(site, acquire);
        rank::taken(self.rank, self.object);
    }

    /// Lets those who wait try again. Its caller had the lock, and has changed what they wait for.
    pub fn give(&self) {
        rank::released(self.rank);
        self.queue.wake_all();
    }
}

const WRITER: u32 = 1 << 31;

/// The lock inside [`RwLock`].
#[derive(Debug)]
pub struct RawRwLock {
    /// [`WRITER`], or the number of readers.
    state: AtomicU32,
    writers_waiting: AtomicU32,
    queue: WaitQueue,
    rank: &'static Rank,
    object: u64,
}

impl RawRwLock {
    const fn new(rank: &'static Rank, object: u64) -> RawRwLock {
        let (state, writers_waiting) = (AtomicU32::new(0), AtomicU32::new(0));
        RawRwLock { state, writers_waiting, queue: WaitQueue::new(), rank, object }
    }

    #[inline]
    fn before(&self, site: Site) -> Site {
        rank::check(self.rank);
        if !self.rank.leaf {
            wait::point(site);
        }
        site
    }

    #[inline]
    fn acquire_shared(&self) -> bool {
        let admits = |state| {
            let free = state & WRITER == 0 && self.writers_waiting.load(Ordering::SeqCst) == 0;
            free.then(|| state + 1)
        };
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, admits).is_ok()
    }

    #[inline]
    fn acquire_exclusive(&self) -> bool {
        self.state.compare_exchange(0, WRITER, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

#[expect(unsafe_code, reason = "lock_api asks its locks to promise exclusion")]
// SAFETY: `state` is WRITER only between the one successful exchange from 0 and the writer's
// unlock, and counts readers otherwise; all changes have acquire and release ordering.
unsafe impl lock_api::RawRwLock for RawRwLock {
    const INIT: RawRwLock = RawRwLock::new(&UNRANKED, 0);
    type GuardMarker = lock_api::GuardNoSend;

    #[inline]
    fn lock_shared(&self) {
        let site = self.before(Site::lock(self.rank, self.object).and_shared());
        if !self.acquire_shared() {
            self.queue.wait_until(site, || self.acquire_shared());
        }
        rank::taken(self.rank, self.object);
    }

    #[inline]
    fn try_lock_shared(&self) -> bool {
        let got = self.acquire_shared();
        if got {
            rank::taken(self.rank, self.object);
        }
        got
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        rank::released(self.rank);
        self.state.fetch_sub(1, Ordering::SeqCst);
        self.queue.wake_all();
    }

    #[inline]
    fn lock_exclusive(&self) {
        let site = self.before(Site::lock(self.rank, self.object));
        if !self.acquire_exclusive() {
            self.writers_waiting.fetch_add(1, Ordering::SeqCst);
            self.queue.wait_until(site, || self.acquire_exclusive());
            self.writers_waiting.fetch_sub(1, Ordering::SeqCst);
        }
        rank::taken(self.rank, self.object);
    }

    #[inline]
    fn try_lock_exclusive(&self) -> bool {
        // Whether it is free depends on who came before. Nobody waits, so the order does not matter.
        if !self.rank.leaf {
            wait::point(Site::lock(self.rank, self.object));
        }
        let got = self.acquire_exclusive();
        if got {
            rank::taken(self.rank, self.object);
        }
        got
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        rank::released(self.rank);
        self.state.store(0, Ordering::SeqCst);
        self.queue.wake_all();
    }

    fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) != 0
    }
}
