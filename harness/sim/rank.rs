//! Lock ranks: the order in which locks may be taken, checked at every acquisition in both worlds.

use std::cell::Cell;

/// How many ranks there can be.
pub(crate) const RANKS: usize = 15;

/// The place of one class of locks in the lock order.
///
/// A task may take a lock only if it holds no lock of the same or a higher `order`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rank {
    /// Position in the order, outermost first; below 15.
    pub order: u8,
    /// The name in reports: the field's own word for this lock.
    pub name: &'static str,
    /// A leaf is held for a few instructions and never across a point. Taking it is no scheduling
    /// point, and in the simulated world it can never be contended.
    pub leaf: bool,
}

impl Rank {
    /// A lock that may be held while the task stops.
    pub const fn new(order: u8, name: &'static str) -> Rank {
        assert!(order < 15, "fifteen ranks fit the word that counts them");
        Rank { order, name, leaf: false }
    }

    /// A lock that is released before the task can stop.
    pub const fn leaf(order: u8, name: &'static str) -> Rank {
        assert!(order < 15, "fifteen ranks fit the word that counts them");
        Rank { order, name, leaf: true }
    }
}

/// How many locks of each rank the current task holds: four bits a rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Held(u64);

impl Held {
    /// No lock at all.
    pub(crate) const NONE: Held = Held(0);
}

impl Held {
    /// Counts one more lock of `rank`.
    fn taken(self, rank: &Rank) -> Held {
        let shift = u32::from(rank.order) * 4;
        assert!((self.0 >> shift) & 0xf != 0xf, "more than fifteen {} locks held", rank.name);
        Held(self.0 + (1 << shift))
    }

    /// Whether a lock of that order is held.
    pub(crate) fn has(self, order: u8) -> bool {
        (self.0 >> (u32::from(order) * 4)) & 0xf != 0
    }

    /// Counts one lock of `rank` less.
    fn released(self, rank: &Rank) -> Held {
        let one = 1 << (u32::from(rank.order) * 4);
        Held(self.0.wrapping_sub(one))
    }

    /// The lowest order among held locks that forbids taking `rank`, if there is one.
    fn obstacle(self, rank: &Rank) -> Option<u32> {
        let shift = u32::from(rank.order) * 4;
        let above = self.0 >> shift;
        (above != 0).then(|| above.trailing_zeros() / 4 + u32::from(rank.order))
    }
}

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held(0)) };
}

/// Stops the run if taking `rank` now breaks the lock order.
#[inline]
pub(crate) fn check(rank: &Rank) {
    let held = HELD.get();
    if let Some(order) = held.obstacle(rank) {
        out_of_order(rank, order);
    }
}

#[cold]
#[inline(never)]
fn out_of_order(rank: &Rank, held: u32) -> ! {
    panic!(
        "lock order: {} (rank {}) taken while a lock of rank {held} is held",
        rank.name, rank.order
    );
}

/// Notes that the current task now holds the lock `object` of `rank`.
#[inline]
pub(crate) fn taken(rank: &Rank, object: u64) {
    let held = HELD.get();
    HELD.set(held.taken(rank));
    if !rank.leaf {
        // Of two locks of one rank it is not known which is released first.
        let object = if held.has(rank.order) { None } else { Some(object) };
        crate::wait::note_lock(rank, object);
    }
}

/// What the running task holds.
#[inline]
pub(crate) fn held() -> Held {
    HELD.get()
}

/// Notes that the current task has released a lock of `rank`.
#[inline]
pub(crate) fn released(rank: &Rank) {
    HELD.set(HELD.get().released(rank));
}

/// Exchanges what is noted for the running task: a coroutine carries its locks with it.
#[inline]
pub(crate) fn exchange(held: Held) -> Held {
    HELD.replace(held)
}

/// Stops the run if the current task still holds any lock.
pub(crate) fn assert_none_held() {
    assert!(HELD.get() == Held(0), "an operation returned with a lock held: {:x?}", HELD.get());
}
