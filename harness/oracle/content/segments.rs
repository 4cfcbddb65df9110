//! The last writers of each byte, where the dense byte does not tell everything.

use super::{fill::Fill, range_map::RangeMap, shift::Shift, sizes::Span};
use std::{collections::VecDeque, ops::Range};

/// How an operation touches a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By a call that makes the file reach that far.
    Write,
    /// In place: a store, a hole, the bytes cut off by a truncate.
    Overwrite,
    /// By showing the zeroes beyond an end of file that surely lay before the range.
    Grown,
    /// By showing the zeroes beyond an end of file that may have lain before the range.
    PerhapsGrown,
    /// Perhaps not at all.
    Perhaps,
    /// Not at all, unless the filesystem keeps what was stored behind the end of the file.
    Stranded,
    /// By a store that may have missed the end of the file. It takes no other writer's place, but
    /// that of such a store: if the file shrank between the two, both are gone.
    Beyond,
    /// Not at all, but writeback failed and the disk holds this.
    OnDisk,
    /// Past the page cache, which may still hold what was there before, and write it back.
    Direct,
}

impl Kind {
    /// True if the dense byte becomes what this writer put. Zeroes beyond the end already are there.
    pub(super) fn is_dense(self) -> bool {
        matches!(self, Kind::Write | Kind::Overwrite | Kind::Grown)
    }

    /// True if the page cache and the disk may show different things, so that a look at one of them
    /// does not say what the file holds.
    pub(super) fn is_split(self) -> bool {
        matches!(self, Kind::OnDisk | Kind::Direct)
    }

    /// True if what was there before may be gone.
    pub(super) fn overwrites(self) -> bool {
        self.is_dense() || self == Kind::Beyond
    }

    /// True if `old` may still be what is there after an operation of this kind.
    fn leaves(self, old: &Writer, begin: u64) -> bool {
        match self {
            Kind::Write | Kind::Overwrite | Kind::Grown => begin < old.ended,
            Kind::Beyond => begin < old.ended || old.kind != Kind::Beyond,
            Kind::Perhaps | Kind::Stranded | Kind::PerhapsGrown | Kind::OnDisk | Kind::Direct => {
                true
            }
        }
    }
}

/// One of the last writers of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    /// When it ended. Who began later has overwritten it.
    pub(super) ended: u64,
    /// What it put there.
    pub(super) fill: Fill,
    /// How.
    pub(super) kind: Kind,
    /// True if the dense bytes of the range are what it put there.
    pub(super) dense: bool,
}

impl Writer {
    /// True if the dense bytes of the range are what it put there.
    pub(super) fn is_dense(&self) -> bool {
        self.dense
    }
}

/// The last writers, by range. Where there is no entry, the dense byte was written by somebody who
/// ended before everybody in flight began.
#[derive(Debug, Clone, Default)]
pub(super) struct Segments {
    /// invariant: no list is empty; at most one writer of a list is dense.
    map: RangeMap<Vec<Writer>>,
    /// Where and when entries were made, oldest first, so that they can be forgotten in time.
    made: VecDeque<(u64, Range<u64>)>,
}

impl Segments {
    /// A range gets one more writer. `oldest` is when the first of the others in flight began.
    pub(super) fn add(
        &mut self,
        range: Range<u64>,
        fill: Fill,
        kind: Kind,
        span: Span,
        oldest: Option<u64>,
    ) {
        let dense = kind.is_dense() && fill != Fill::Anything;
        let plain = dense && oldest.is_none();
        if plain && self.map.len() == 0 {
            return;
        }
        let new = Writer { ended: span.end, fill, kind, dense };
        self.map.update(range.clone(), |_, writers| {
            if plain && writers.is_none() {
                return None;
            }
            let mut writers = writers.unwrap_or_default();
            add_writer(&mut writers, &new, span.begin);
            (!plain || 1 < writers.len()).then_some(writers)
        });
        if oldest.is_some() {
            self.made.push_back((span.end, range));
        }
    }

    /// Forgets when the only writer of a range ended, if nobody in flight began before that, and
    /// everything like it at and beyond `eof`.
    pub(super) fn forget_before(&mut self, oldest: Option<u64>, eof: u64) {
        let old = |ended: u64| oldest.is_none_or(|oldest| ended < oldest);
        while let Some((_, range)) = self.made.pop_front_if(|(ended, _)| old(*ended)) {
            self.map.update(range, |here, writers| {
                let told = |writers: &Vec<Writer>| {
                    let single = matches!(&writers[..], [writer] if writer.dense);
                    (single || eof <= here.start) && writers.iter().all(|w| old(w.ended))
                };
                writers.filter(|writers| !told(writers))
            });
        }
        if 2 * self.map.len() + 64 < self.made.len() {
            self.rebuild_made();
        }
    }

    /// Ranges that overlap `range`, cut to it, with their writers.
    pub(super) fn overlapping(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = (Range<u64>, &Vec<Writer>)> {
        self.map.overlapping(range)
    }

    /// The dense bytes of `range` are the whole truth from now on.
    pub(super) fn remove(&mut self, range: Range<u64>) {
        self.map.update(range, |_, _| None);
    }

    /// Moves what lies at one position and behind.
    pub(super) fn shift(&mut self, shift: Shift) {
        self.map.shift(shift, |writers| {
            for writer in writers {
                writer.fill = shift.fill(&writer.fill);
            }
        });
        self.rebuild_made();
    }

    /// How many ranges are kept, and how many notes on when to forget them.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.map.len(), self.made.len())
    }

    /// Somebody who stays in flight for long must not make the list grow with the operations.
    fn rebuild_made(&mut self) {
        let latest = |writers: &Vec<Writer>| writers.iter().map(|w| w.ended).max().unwrap_or(0);
        let mut made: Vec<_> =
            self.map.ranges().map(|(range, writers)| (latest(writers), range)).collect();
        made.sort_unstable_by_key(|(ended, range)| (*ended, range.start));
        self.made = made.into();
    }
}

fn add_writer(writers: &mut Vec<Writer>, new: &Writer, begin: u64) {
    let perhaps_grown = |old: &Writer| old.kind == Kind::PerhapsGrown;
    let alike = |old: &Writer| {
        old.fill == new.fill
            && perhaps_grown(old) == perhaps_grown(new)
            && old.kind.is_split() == new.kind.is_split()
    };
    writers.retain(|old| new.kind.leaves(old, begin) && !(new.dense && alike(old)));
    // A write makes the file too large to be grown over it later, unless somebody cut it off between.
    let cut_off = |old: &Writer| old.fill == Fill::Zero && !perhaps_grown(old);
    if new.kind == Kind::Write && !writers.iter().any(cut_off) {
        writers.retain(|old| !perhaps_grown(old));
    }
    if let Some(old) = writers.iter_mut().find(|old| alike(old)) {
        old.ended = new.ended;
        return;
    }
    if new.dense {
        for old in &mut *writers {
            old.dense = false;
        }
    }
    writers.push(new.clone());
}
