//! The range lock of a file: who may be at which bytes while `i_rwsem` is shared.
//!
//! A write under `i_rwsem` shared locks a range before it maps anything:
//!
//! * If it ends within the file: its own range, rounded outward to whole folios of the largest size.
//! * If it extends the file: from the folio that holds the lower of its first byte and `i_size`, to
//!   infinity. What an extending write does beyond its own bytes, zeroing the gap, publishing the
//!   size, reserving in advance, dropping what it cached in vain, happens in there, and no other
//!   write is at the end of the file.
//!
//! *Why this is enough.* Whatever a write does beyond the bytes it was given, it does by block or by
//! folio: it prepares blocks whole, punches reservations by block, walks and drops the page cache by
//! folio. All of these lie in its range, in which nobody else maps, reserves or adds folios but page
//! faults and reads, and against those `invalidate_lock` and the folio lock suffice as they do under
//! `i_rwsem` held exclusively. `i_size` was looked at before the range was had: while `i_rwsem` is
//! shared it only grows, so a range chosen by an older size covers what the newer one asks for.
//! Positions and gaps are computed again once the range is had. Reads lock their bytes shared, which
//! keeps `read(2)` atomic against `write(2)`.
//!
//! *Order.* After `i_rwsem`, before `invalidate_lock`: the source buffer of a write is faulted in
//! while its range is held. Nobody who holds a lock below ever waits for a range. Claims are served
//! in the order in which they were made: one waits for every older claim that overlaps it, also
//! for one that still waits itself, so that a stream of small claims starves nobody.
//!
//! *Cost.* One list for a file: a lock, a scan of the claims in flight, and a wake-up of all who wait
//! when one goes. Extending writes are one at a time, and reads near the end of the file wait for
//! them. Small writes wait for one another within a folio of the largest size.
//!
//! *Rejected.* Folio locks alone: a write that falls short punches between looking for folios and
//! taking reservations away, and one that has validated its mapping meanwhile is left with dirty
//! blocks over a hole. Adding folios under `invalidate_lock` shared: it excludes the walk while
//! folios are added, and not between then and their being dirty. Bytes instead of folios: two writes
//! in one block would own its reservation together. Blocks instead of folios would do, but only as
//! long as everything that is done to a folio spares the blocks beside the write's own; with
//! folios nothing has to. A range that ends where an extending write ends: the next one would zero
//! its gap, and drop folios beyond the end, under the first.

use crate::locks::Lock;
use crate::quantity::ByteRange;
use crate::rules::Rules;
use sim::{Mutex, Ranked};

/// See the module.
pub(crate) struct RangeLock {
    place: Ranked,
    claims: Mutex<Claims>,
}

/// What a claim lets others do in its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What shares it, too.
    Shared,
    /// Nothing.
    Exclusive,
}

/// A range that somebody holds or waits for.
struct Claim {
    number: u64,
    range: ByteRange,
    mode: Mode,
}

#[derive(Default)]
struct Claims {
    made: u64,
    /// invariant: oldest first.
    list: Vec<Claim>,
}

impl RangeLock {
    /// Nobody holds anything. `object` tells files apart.
    pub(crate) fn new(object: u64) -> RangeLock {
        let claims = sim::sync::mutex(Lock::RangeList.rank(), object, Claims::default());
        RangeLock { place: Ranked::new(Lock::Range.rank(), object), claims }
    }

    /// Takes `range` in `mode`, waiting for it if the rules say so. Held: `i_rwsem` shared.
    pub(crate) fn lock(&self, range: ByteRange, mode: Mode, rules: &Rules) -> RangeGuard<'_> {
        let mut claim: Option<(u64, bool)> = None;
        self.place.take(|| {
            let mut claims = self.claims.lock();
            let (number, waits) = *claim.get_or_insert_with(|| {
                let number = claims.make(range, mode);
                (number, rules.waits_for_range(claims.is_behind(number)))
            });
            !waits || !claims.is_behind(number)
        });
        let (number, _) = claim.expect("a lock that was taken was claimed");
        RangeGuard { lock: self, number }
    }
}

impl Claims {
    fn make(&mut self, range: ByteRange, mode: Mode) -> u64 {
        self.made += 1;
        self.list.push(Claim { number: self.made, range, mode });
        self.made
    }

    /// Whether an older claim stands in the way of this one.
    fn is_behind(&self, number: u64) -> bool {
        let place = self.list.iter().position(|claim| claim.number == number);
        let (older, rest) = self.list.split_at(place.expect("a claim stays until it is let go"));
        older.iter().any(|claim| claim.excludes(&rest[0]))
    }
}

impl Claim {
    fn excludes(&self, other: &Claim) -> bool {
        let alike = self.mode == Mode::Shared && other.mode == Mode::Shared;
        !alike && self.range.overlaps(other.range)
    }
}

/// Proof that a range is held. Lets it go when dropped.
pub(crate) struct RangeGuard<'a> {
    lock: &'a RangeLock,
    number: u64,
}

impl Drop for RangeGuard<'_> {
    fn drop(&mut self) {
        // In a run that is over nobody waits, and who is being stopped must not stop once more.
        if !std::thread::panicking() {
            self.lock.claims.lock().list.retain(|claim| claim.number != self.number);
            self.lock.place.give();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode::{Exclusive, Shared};
    use super::*;

    #[test]
    fn a_claim_waits_for_older_ones_that_it_cannot_share_with() {
        // older claim, newer claim, whether the newer one waits
        let table = [
            ((0, 8, Exclusive), (8, 9, Exclusive), false),
            ((0, 8, Exclusive), (7, 9, Exclusive), true),
            ((0, 8, Exclusive), (7, 9, Shared), true),
            ((0, 8, Shared), (7, 9, Exclusive), true),
            ((0, 8, Shared), (7, 9, Shared), false),
            ((4, u64::MAX, Exclusive), (1 << 40, 1 << 41, Shared), true),
            ((0, 8, Exclusive), (4, 4, Exclusive), false),
        ];
        for (older, newer, waits) in table {
            let mut claims = Claims::default();
            let [first, second] = [older, newer]
                .map(|(start, end, mode)| claims.make(ByteRange { start, end }, mode));
            assert!(!claims.is_behind(first), "{older:?}");
            assert_eq!(claims.is_behind(second), waits, "{older:?}, then {newer:?}");
        }
    }

    #[test]
    fn a_claim_waits_for_one_that_waits() {
        let mut claims = Claims::default();
        let held = claims.make(ByteRange::new(0, 4), Shared);
        let waiting = claims.make(ByteRange::new(0, 4), Exclusive);
        let behind = claims.make(ByteRange::new(0, 4), Shared);
        assert!(claims.is_behind(waiting) && claims.is_behind(behind));
        claims.list.retain(|claim| claim.number != held);
        assert!(!claims.is_behind(waiting) && claims.is_behind(behind));
    }
}
