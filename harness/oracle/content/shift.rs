//! Bytes that move from one position to another: ranges that are taken out of a file, or put into it.
//!
//! Readers in flight may see anything from the first position that moves, and whoever changes the file
//! is never in flight with a shift, so that there is one answer to what lay where before it.

use super::{Content, Zeroed, fill::Fill};
use std::ops::Range;

/// All that lies at `from` and behind goes to `to` and behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    /// The first position that moves.
    pub(super) from: u64,
    /// Where it goes.
    pub(super) to: u64,
}

impl Shift {
    /// Where what lies at `pos`, which is not before `from`, goes. The end of everything stays.
    pub(super) fn moved(self, pos: u64) -> u64 {
        if pos == u64::MAX { pos } else { (pos - self.from).saturating_add(self.to) }
    }

    /// The part of `range` that moves, where it goes, and the part that stays.
    fn parts(self, range: &Range<u64>) -> [Range<u64>; 2] {
        let stays = range.start..range.end.min(self.from.min(self.to)).max(range.start);
        let start = range.start.max(self.from);
        let moves = if start < range.end { self.moved(start)..self.moved(range.end) } else { 0..0 };
        [stays, moves]
    }

    /// A fill at its new place.
    pub(super) fn fill(self, fill: &Fill) -> Fill {
        let by = self.to.wrapping_sub(self.from);
        match fill {
            Fill::Zero => Fill::Zero,
            Fill::Anything => Fill::Anything,
            Fill::Tag { op, shift } => Fill::Tag { op: *op, shift: shift.wrapping_add(by) },
            Fill::Bytes { data, at } => {
                // Those that have no place before the start of the file were taken out.
                let lost = (self.from.saturating_sub(self.to)).saturating_sub(*at);
                let lost = usize::try_from(lost).unwrap_or(usize::MAX).min(data.len());
                let at = if lost == 0 { at.wrapping_add(by) } else { 0 };
                Fill::bytes(at, &data[lost..])
            }
        }
    }
}

impl Content {
    /// All that lies at `from` and behind is at `to` and behind now, and what came between is zero.
    pub(super) fn shift(&mut self, from: u64, to: u64) {
        let shift = Shift { from, to };
        self.dense.shift(shift);
        self.segments.shift(shift);
        self.sizes.shift(shift);
        let lately = std::mem::take(&mut self.lately);
        self.lately = lately
            .iter()
            .flat_map(|(range, fill)| {
                let [stays, moves] = shift.parts(range);
                [(stays, fill.clone()), (moves, shift.fill(fill))]
            })
            .filter(|(range, _)| !range.is_empty())
            .collect();
        let zeroed = std::mem::take(&mut self.zeroed);
        self.zeroed = zeroed
            .iter()
            .flat_map(|(range, why)| shift.parts(range).map(|range| (range, *why)))
            .filter(|(range, _)| !range.is_empty())
            .collect();
        if from < to {
            self.zeroed.push_front((from..to, Zeroed::Cleared));
        }
    }
}
