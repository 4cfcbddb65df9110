//! One expected byte per position, in pages that exist once something was put there.

use super::fill::{Fill, is_zero};
use super::shift::Shift;
use crate::pattern;
use std::{collections::BTreeMap, ops::Range};
use stormfs::op::OpId;

/// A byte for every position up to `u64::MAX`.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    /// By page number. A page that is here but empty is zero, whatever the base says.
    pages: BTreeMap<u64, Option<Box<Page>>>,
    /// Where there is no page: the pattern of this operation below `base_end`, zero from there on.
    base: Option<OpId>,
    base_end: u64,
}

impl Dense {
    /// The pattern of `base` below `size`, or zero where there is no base; zero beyond.
    pub(super) fn new(base: Option<OpId>, size: u64) -> Dense {
        let base_end = base.map_or(0, |_| size);
        Dense { pages: BTreeMap::new(), base, base_end }
    }

    /// Puts `fill` into `range`. Costs time for the pages of the range that exist, and for those it
    /// has to make.
    pub(super) fn put(&mut self, range: Range<u64>, fill: &Fill) {
        match fill {
            Fill::Zero => self.zero(range),
            Fill::Tag { .. } | Fill::Bytes { .. } => self.each_page(range, |pos, bytes| {
                fill.put(pos, bytes);
            }),
            Fill::Anything => {}
        }
    }

    /// Moves what lies at one position and behind. Costs time for the pages that exist there.
    pub(super) fn shift(&mut self, shift: Shift) {
        let cut = shift.from.min(shift.to);
        for page in cut / PAGE..self.base_end.div_ceil(PAGE).max(cut / PAGE) {
            self.materialise(page);
        }
        let first = shift.from / PAGE;
        let pages = self.pages.split_off(&first);
        if let Some(kept) = pages.get(&first) {
            self.pages.insert(first, kept.clone());
        }
        self.zero(cut..u64::MAX);
        for (page, bytes) in pages {
            let Some(bytes) = bytes else { continue };
            let start = (page * PAGE).max(shift.from);
            let part = &bytes[length(&(page * PAGE..start))..];
            let to = shift.moved(start);
            let mut done = 0;
            self.each_page(to..end_of(to, part.len()), |_, place| {
                place.copy_from_slice(&part[done..done + place.len()]);
                done += place.len();
            });
        }
    }

    /// How many leading bytes of `found` are as expected at `pos`; none if all are.
    pub(super) fn first_difference(&self, pos: u64, found: &[u8]) -> Option<usize> {
        let mut done = 0;
        for (page, part) in parts(pos..end_of(pos, found.len())) {
            let len = part.len();
            let seen = &found[done..done + len];
            let differs = match self.pages.get(&page) {
                Some(Some(bytes)) => first_difference(&bytes[part], seen),
                Some(None) => first_nonzero(seen),
                None => self.first_difference_from_base(page * PAGE + index(part.start), seen),
            };
            if let Some(at) = differs {
                return Some(done + at);
            }
            done += len;
        }
        None
    }

    /// The bytes of a range.
    pub(super) fn copy(&self, range: Range<u64>) -> Vec<u8> {
        let mut copied = Vec::with_capacity(length(&range));
        for (page, part) in parts(range) {
            let len = part.len();
            match self.pages.get(&page) {
                Some(Some(bytes)) => copied.extend_from_slice(&bytes[part]),
                Some(None) => copied.resize(copied.len() + len, 0),
                None => {
                    let start = copied.len();
                    copied.resize(start + len, 0);
                    self.put_base(page * PAGE + index(part.start), &mut copied[start..]);
                }
            }
        }
        copied
    }

    /// The first position from `from` on that may not be zero, as far as pages tell; `u64::MAX` if none.
    pub(super) fn next_data(&self, from: u64) -> u64 {
        let in_base = if from < self.base_end { from } else { u64::MAX };
        let mut pages = self.pages.range(from / PAGE..).filter(|(_, bytes)| bytes.is_some());
        let in_pages = pages.next().map_or(u64::MAX, |(page, _)| (page * PAGE).max(from));
        in_base.min(in_pages)
    }

    fn zero(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let cuts_base = range.start < self.base_end;
        if cuts_base && range.end < self.base_end {
            self.zero_inside_base(range);
            return;
        }
        if cuts_base {
            self.base_end = range.start;
        }
        if range.end == u64::MAX {
            // The tail of the file left: its pages would otherwise stay for the whole run.
            drop(self.pages.split_off(&range.start.div_ceil(PAGE)));
        }
        let pages = range.start / PAGE..=(range.end - 1) / PAGE;
        for (page, bytes) in self.pages.range_mut(pages) {
            zero_part(*page, bytes, &range);
        }
    }

    /// Zeroes a range with pattern behind it, where a missing page does not mean zero.
    fn zero_inside_base(&mut self, range: Range<u64>) {
        for page in range.start / PAGE..=(range.end - 1) / PAGE {
            let start = page * PAGE;
            let whole = range.start <= start && PAGE <= range.end - start;
            if whole {
                self.pages.insert(page, None);
            } else {
                self.materialise(page);
                let bytes = self.pages.get_mut(&page).expect("it was just made");
                zero_part(page, bytes, &range);
            }
        }
    }

    /// Shows `f` every page's part of `range` and its position.
    fn each_page(&mut self, range: Range<u64>, mut f: impl FnMut(u64, &mut [u8])) {
        for (page, part) in parts(range) {
            let pos = page * PAGE + index(part.start);
            f(pos, &mut self.materialise(page)[part]);
        }
    }

    fn materialise(&mut self, page: u64) -> &mut Page {
        let start = page * PAGE;
        let (base, base_end) = (self.base, self.base_end);
        let slot = self.pages.entry(page).or_insert_with(|| {
            let op = base.filter(|_| start < base_end)?;
            let mut bytes = zeroed();
            let len = length(&(start..base_end)).min(PAGE_LEN);
            pattern::fill(op, start, &mut bytes[..len]);
            Some(bytes)
        });
        slot.get_or_insert_with(zeroed)
    }

    /// How many of `len` bytes at `pos` are the base's pattern, and whose.
    fn base_part(&self, pos: u64, len: usize) -> Option<(OpId, usize)> {
        let covered = length(&(pos..self.base_end.max(pos))).min(len);
        self.base.filter(|_| 0 < covered).map(|op| (op, covered))
    }

    fn put_base(&self, pos: u64, zeroes: &mut [u8]) {
        if let Some((op, covered)) = self.base_part(pos, zeroes.len()) {
            pattern::fill(op, pos, &mut zeroes[..covered]);
        }
    }

    fn first_difference_from_base(&self, pos: u64, found: &[u8]) -> Option<usize> {
        let Some((op, covered)) = self.base_part(pos, found.len()) else {
            return first_nonzero(found);
        };
        let (patterned, beyond) = found.split_at(covered);
        if !pattern::matches(op, pos, patterned) {
            let bytes = (pos..).zip(patterned);
            let mut wrong = bytes.map(|(pos, byte)| *byte != pattern::byte(op, pos));
            return wrong.position(|wrong| wrong);
        }
        first_nonzero(beyond).map(|at| covered + at)
    }
}

/// The position behind `len` bytes at `pos`; the last position there is, if that is nearer.
pub(super) fn end_of(pos: u64, len: usize) -> u64 {
    pos.saturating_add(index(len))
}

/// The length of a range that lies in memory.
pub(super) fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
}

const PAGE: u64 = 1 << 14;
const PAGE_LEN: usize = 1 << 14;
type Page = [u8; PAGE_LEN];

fn zeroed() -> Box<Page> {
    vec![0; PAGE_LEN].into_boxed_slice().try_into().expect("it was made that long")
}

fn zero_part(page: u64, bytes: &mut Option<Box<Page>>, range: &Range<u64>) {
    let start = page * PAGE;
    let first = length(&(start..range.start.max(start)));
    let behind = length(&(start..range.end)).min(PAGE_LEN);
    if first == 0 && behind == PAGE_LEN {
        *bytes = None;
    } else if let Some(bytes) = bytes {
        bytes[first..behind].fill(0);
    }
}

/// Each page that a range touches, with the part of it.
fn parts(range: Range<u64>) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        (at < range.end).then(|| {
            let first = usize::try_from(at % PAGE).expect("below the page size");
            let len = (PAGE_LEN - first).min(length(&(at..range.end)));
            let page = at / PAGE;
            at = end_of(at, len);
            (page, first..first + len)
        })
    })
}

fn first_difference(expected: &[u8], found: &[u8]) -> Option<usize> {
    if expected == found {
        return None;
    }
    let mut blocks = expected.chunks(64).zip(found.chunks(64));
    let block = blocks.position(|(expected, found)| expected != found)? * 64;
    let mut bytes = expected[block..].iter().zip(&found[block..]);
    bytes.position(|(expected, found)| expected != found).map(|at| block + at)
}

fn first_nonzero(found: &[u8]) -> Option<usize> {
    if is_zero(found) { None } else { found.iter().position(|byte| *byte != 0) }
}

fn index(len: usize) -> u64 {
    u64::try_from(len).expect("memory is no larger than a file can be")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: OpId = OpId { actor: 0, number: 1 };
    const OP: OpId = OpId { actor: 1, number: 9 };

    /// Does the same to a plain vector and compares every byte.
    fn check(base: Option<OpId>, size: u64, steps: &[(Range<u64>, Fill)]) {
        let len = 5 * PAGE_LEN;
        let mut dense = Dense::new(base, size);
        let mut plain = vec![0; len];
        if let Some(op) = base {
            pattern::fill(op, 0, &mut plain[..length(&(0..size))]);
        }
        for (range, fill) in steps {
            dense.put(range.clone(), fill);
            let end = length(&(0..range.end)).min(len);
            fill.put(range.start, &mut plain[length(&(0..range.start))..end]);
            assert_eq!(dense.copy(0..index(len)), plain, "after {range:?} {fill}");
            assert_eq!(dense.first_difference(0, &plain), None);
        }
        for at in [0, 100, PAGE_LEN - 1, PAGE_LEN, 2 * PAGE_LEN + 70, len - 1] {
            plain[at] ^= 1;
            assert_eq!(dense.first_difference(0, &plain), Some(at));
            plain[at] ^= 1;
        }
    }

    #[test]
    fn agrees_with_a_plain_vector() {
        let bytes = Fill::bytes(PAGE - 3, &[7; 40]);
        let steps: &[(Range<u64>, Fill)] = &[
            (10..20, Fill::tag(OP)),
            (PAGE - 3..PAGE + 37, bytes),
            (15..PAGE + 2, Fill::Zero),
            (PAGE..3 * PAGE, Fill::Zero),
            (3 * PAGE - 1..4 * PAGE + 1, Fill::tag(OP)),
            (2 * PAGE + 5..u64::MAX, Fill::Zero),
            (4 * PAGE + 5..4 * PAGE + 9, Fill::tag(OP)),
            (0..0, Fill::Zero),
            (0..5 * PAGE, Fill::Zero),
        ];
        for size in [0, 1, PAGE, 3 * PAGE + 11] {
            check(Some(BASE), size, steps);
            check(None, size, steps);
        }
    }

    #[test]
    fn the_last_positions_do_not_overflow() {
        let mut dense = Dense::new(Some(BASE), u64::MAX);
        dense.put(u64::MAX - 9..u64::MAX, &Fill::Zero);
        dense.put(u64::MAX - 4..u64::MAX, &Fill::tag(OP));
        assert_eq!(dense.first_difference(u64::MAX - 9, &[0; 5]), None);
        assert_eq!(dense.copy(u64::MAX - 4..u64::MAX)[0], pattern::byte(OP, u64::MAX - 4));
    }
}
