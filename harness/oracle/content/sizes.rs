//! Which sizes the file may have, after the operations that have ended.
//!
//! Sizes change in two ways: a truncate sets one, a write or fallocate raises it. Operations that
//! overlapped in time may have taken effect in either order, so that several sizes can be possible.

use super::had::Fallback;
use super::shift::Shift;
use crate::leeway::Leeway;
use std::ops::RangeInclusive;

/// How an operation changes the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeChange {
    /// To this size, up or down.
    Set(u64),
    /// To this size, unless it is larger already.
    Raise(u64),
}

/// When an operation ran. The instants come from the content's own counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// It may have taken effect from here on.
    pub(super) begin: u64,
    /// It had taken effect here.
    pub(super) end: u64,
}

/// The possible sizes.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// invariant: ascending by size, no size twice, never empty.
    possible: Vec<Possible>,
    /// What may have happened after an operation still in flight.
    raises: Vec<Raise>,
    /// An operation that grows a file step by step failed on its way, and ended then.
    stopped: Option<Stopped>,
    /// A truncate failed, and may have left one of these; and when it ended.
    fallen: Option<(Fallback, u64)>,
}

/// One possible size.
#[derive(Debug, Clone, Copy)]
struct Possible {
    size: u64,
    /// When the set operation below it ended. Who began before may have been overwritten by it.
    set: u64,
    /// The leeway without which it is not possible, if there is one.
    by: Option<Leeway>,
}

/// Sizes on the way of an operation that failed.
#[derive(Debug, Clone)]
struct Stopped {
    sizes: RangeInclusive<u64>,
    ended: u64,
    by: Leeway,
}

impl Stopped {
    /// What is left of these sizes after a raise: it may have come before them only if it began before
    /// they were there.
    fn raised(self, to: u64, span: Span) -> Option<Stopped> {
        if span.begin < self.ended {
            return Some(self);
        }
        let sizes = to.max(*self.sizes.start())..=*self.sizes.end();
        (!sizes.is_empty()).then_some(Stopped { sizes, ..self })
    }
}

#[derive(Debug, Clone, Copy)]
struct Raise {
    to: u64,
    ended: u64,
    by: Option<Leeway>,
}

impl Sizes {
    /// Exactly this size.
    pub(super) fn exactly(size: u64) -> Sizes {
        Sizes {
            possible: vec![Possible { size, set: 0, by: None }],
            raises: Vec::new(),
            stopped: None,
            fallen: None,
        }
    }

    /// The smallest possible size.
    pub(super) fn lowest(&self) -> u64 {
        self.possible.first().expect("a file has a size").size
    }

    /// The largest possible size.
    pub(super) fn highest(&self) -> u64 {
        self.possible.last().expect("a file has a size").size
    }

    /// Every possible size, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.possible.iter().map(|possible| possible.size)
    }

    /// The same, each with the leeway without which it is not possible.
    pub(super) fn with_leeways(&self) -> impl Iterator<Item = (u64, Option<Leeway>)> {
        self.possible.iter().map(|possible| (possible.size, possible.by))
    }

    /// Raises that ended after `begin`: they may have come on top of an operation that began then.
    pub(super) fn raised_since(&self, begin: u64) -> impl Iterator<Item = u64> {
        self.raises.iter().filter(move |raise| begin < raise.ended).map(|raise| raise.to)
    }

    /// The sizes at which an operation may have stopped on its way.
    pub(super) fn stopped(&self) -> Option<(RangeInclusive<u64>, Leeway)> {
        self.stopped.as_ref().map(|stopped| (stopped.sizes.clone(), stopped.by))
    }

    /// An operation has failed at one of these sizes, as that leeway has it.
    pub(super) fn on_the_way(&mut self, sizes: RangeInclusive<u64>, span: Span, by: Leeway) {
        let before = self.stopped.take().map_or_else(|| sizes.clone(), |stopped| stopped.sizes);
        let sizes = *before.start().min(sizes.start())..=*before.end().max(sizes.end());
        self.stopped = Some(Stopped { sizes, ended: span.end, by });
    }

    /// A truncate has failed, and may have left one of these sizes.
    pub(super) fn falls_back(&mut self, to: Fallback, span: Span) {
        let to = match self.fallen.take() {
            Some((before, _)) => before.or(&to),
            None => to,
        };
        self.fallen = Some((to, span.end));
    }

    /// Whether it is one size, whatever has failed.
    pub(super) fn is_certain(&self) -> bool {
        self.lowest() == self.highest() && self.stopped.is_none() && self.fallen.is_none()
    }

    /// What a truncate that has failed may have left.
    pub(super) fn fallen(&self) -> Option<&Fallback> {
        self.fallen.as_ref().map(|(fallen, _)| fallen)
    }

    /// An operation has changed the size, at one instant of its span.
    pub(super) fn change(&mut self, change: SizeChange, span: Span) {
        self.changes(change, span, None);
    }

    fn changes(&mut self, change: SizeChange, span: Span, by: Option<Leeway>) {
        let mut after = Vec::with_capacity(self.possible.len() + 1);
        let set = span.end;
        match change {
            SizeChange::Set(size) => {
                self.stopped = self.stopped.take().filter(|stopped| span.begin < stopped.ended);
                self.fallen = self.fallen.take().filter(|(_, ended)| span.begin < *ended);
                after.push(Possible { size, set, by });
                let since = |raise: &&Raise| span.begin < raise.ended && size < raise.to;
                let raised = self.raises.iter().filter(since);
                after.extend(raised.map(|r| Possible { size: r.to, set, by: by.or(r.by) }));
                self.raises.retain(|raise| span.begin < raise.ended);
            }
            SizeChange::Raise(to) => {
                if let Some(stopped) = self.stopped.take() {
                    self.stopped = stopped.raised(to, span);
                }
                if let Some((fallen, ended)) = self.fallen.take() {
                    let is_later = ended <= span.begin;
                    let left = if is_later { fallen.raised(to) } else { Some(fallen) };
                    self.fallen = left.map(|left| (left, ended));
                }
                let raised = self.possible.iter();
                after.extend(raised.map(|p| Possible {
                    size: p.size.max(to),
                    by: if p.size < to { p.by.or(by) } else { p.by },
                    ..*p
                }));
                // Who is overtaken by the later raise in every order need not be remembered.
                self.raises.retain(|raise| span.begin < raise.ended || to < raise.to);
                self.raises.push(Raise { to, ended: span.end, by });
            }
        }
        // It may as well have come before a set operation that it overlapped.
        after.extend(self.possible.iter().filter(|possible| span.begin < possible.set));
        self.replace(after);
    }

    /// An operation may have changed the size, or not.
    pub(super) fn perhaps(&mut self, change: SizeChange, span: Span) {
        self.or_not(change, span, None);
    }

    /// The same, if the filesystem has that leeway.
    pub(super) fn lend(&mut self, change: SizeChange, span: Span, leeway: Leeway) {
        self.or_not(change, span, Some(leeway));
    }

    fn or_not(&mut self, change: SizeChange, span: Span, by: Option<Leeway>) {
        let before = self.clone();
        self.changes(change, span, by);
        let mut both = before.possible;
        both.extend(&self.possible);
        self.replace(both);
        (self.stopped, self.fallen) = (before.stopped, before.fallen);
        let forgotten = before
            .raises
            .iter()
            .filter(|raise| !self.raises.iter().any(|kept| kept.ended == raise.ended));
        self.raises.extend(forgotten.copied().collect::<Vec<_>>());
    }

    /// All that lies at one position and behind has moved, which no file can be asked for that ends
    /// before.
    pub(super) fn shift(&mut self, shift: Shift) {
        let fits = |size: u64| shift.from < size;
        if self.iter().any(fits) {
            self.possible.retain(|possible| fits(possible.size));
        }
        for possible in &mut self.possible {
            possible.size = shift.moved(possible.size.max(shift.from));
        }
    }

    /// The size was seen, with nothing in flight that changes it.
    pub(super) fn settle(&mut self, size: u64) {
        let set = self.possible.iter().find(|p| p.size == size).map_or(0, |p| p.set);
        self.possible = vec![Possible { size, set, by: None }];
        (self.stopped, self.fallen) = (None, None);
    }

    /// Forgets what is of no use to operations in flight, the first of which began at `oldest`.
    pub(super) fn forget_before(&mut self, oldest: Option<u64>) {
        self.raises.retain(|raise| oldest.is_some_and(|oldest| oldest < raise.ended));
    }

    fn replace(&mut self, mut possible: Vec<Possible>) {
        possible.sort_unstable_by_key(|p| (p.size, std::cmp::Reverse(p.set)));
        possible.dedup_by(|other, kept| {
            let same = kept.size == other.size;
            kept.by = kept.by.filter(|_| !same || other.by.is_some());
            same
        });
        self.possible = possible;
    }
}

#[cfg(test)]
mod tests {
    use super::{SizeChange::*, *};

    #[test]
    fn sizes_are_those_of_some_order() {
        type Case<'a> = (u64, &'a [(SizeChange, u64, u64)], &'a [u64]);
        // Each operation: change, begin, end; in the order in which they ended.
        let cases: &[Case<'_>] = &[
            (8, &[(Set(4), 1, 2), (Raise(6), 3, 4)], &[6]),
            (8, &[(Raise(6), 1, 2), (Set(4), 3, 4)], &[4]),
            (8, &[(Raise(6), 1, 2)], &[8]),
            (8, &[(Set(4), 1, 3), (Raise(6), 2, 4)], &[6]),
            (8, &[(Set(4), 1, 3), (Raise(9), 2, 4)], &[9]),
            (8, &[(Raise(9), 2, 3), (Set(4), 1, 4)], &[4, 9]),
            (8, &[(Set(4), 1, 3), (Set(5), 2, 4)], &[4, 5]),
            (8, &[(Set(4), 1, 3), (Set(5), 2, 4), (Set(7), 5, 6)], &[7]),
            (5, &[(Raise(7), 2, 3), (Raise(6), 4, 5), (Set(4), 1, 6)], &[4, 6, 7]),
            (5, &[(Raise(6), 2, 3), (Raise(7), 4, 5), (Set(4), 1, 6)], &[4, 7]),
        ];
        for (size, changes, expected) in cases {
            let mut sizes = Sizes::exactly(*size);
            for (change, begin, end) in *changes {
                sizes.change(*change, Span { begin: *begin, end: *end });
            }
            let found: Vec<u64> = sizes.iter().collect();
            // An order that the sequence of ends already excludes may remain possible.
            assert!(expected.iter().all(|size| found.contains(size)), "{changes:?}: {found:?}");
            assert!(found.len() <= expected.len() + 1, "{changes:?}: {found:?}");
        }
    }

    #[test]
    fn sizes_on_the_way_are_raised_by_whoever_comes_later() {
        type Case = (SizeChange, Span, bool, Option<RangeInclusive<u64>>);
        let (later, beside) = (Span { begin: 5, end: 6 }, Span { begin: 3, end: 6 });
        let cases: [Case; 7] = [
            (Raise(30), later, true, Some(30..=90)),
            (Raise(10), later, true, Some(20..=90)),
            (Raise(91), later, true, None),
            (Raise(30), beside, true, Some(20..=90)),
            (Raise(30), later, false, Some(20..=90)),
            (Set(30), later, true, None),
            (Set(30), later, false, Some(20..=90)),
        ];
        for (change, span, surely, left) in cases {
            let mut sizes = Sizes::exactly(20);
            sizes.on_the_way(20..=90, Span { begin: 1, end: 4 }, Leeway::GrowthInSteps);
            if surely {
                sizes.change(change, span);
            } else {
                sizes.perhaps(change, span);
            }
            let found = sizes.stopped().map(|(sizes, _)| sizes);
            assert_eq!(found, left, "{change:?} {span:?}, surely: {surely}");
        }
    }

    #[test]
    fn operations_that_do_not_overlap_leave_one_size() {
        let mut sizes = Sizes::exactly(3);
        for (at, to) in (0..1000).zip([9, 2, 5, 5, 7].into_iter().cycle()) {
            let change = if at % 2 == 0 { Set(to) } else { Raise(to) };
            let expected = if at % 2 == 0 { to } else { to.max(sizes.highest()) };
            sizes.change(change, Span { begin: 2 * at + 1, end: 2 * at + 2 });
            assert_eq!(sizes.iter().collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn a_stalled_truncate_does_not_collect_every_write() {
        let mut sizes = Sizes::exactly(0);
        for at in 1..10_000 {
            sizes.change(Raise(at * 100), Span { begin: 2 * at, end: 2 * at + 1 });
        }
        assert_eq!(sizes.raises.len(), 1);
    }
}
