//! A map from disjoint byte ranges to values. Positions that no range covers are gaps.

use super::shift::Shift;
use std::{collections::BTreeMap, ops::Range};

/// Disjoint, non-empty ranges with a value each.
#[derive(Debug, Clone)]
pub(super) struct RangeMap<T> {
    /// By start: the end and the value. invariant: ranges are not empty and do not overlap.
    pieces: BTreeMap<u64, (u64, T)>,
}

impl<T> Default for RangeMap<T> {
    fn default() -> Self {
        RangeMap { pieces: BTreeMap::new() }
    }
}

impl<T: Clone + PartialEq> RangeMap<T> {
    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Lets `f` replace every piece and every gap of `range`. Pieces that stick out are split first;
    /// equal neighbours become one, so that a range does not stay as torn as its past.
    pub(super) fn update(
        &mut self,
        range: Range<u64>,
        mut f: impl FnMut(Range<u64>, Option<T>) -> Option<T>,
    ) {
        if range.is_empty() {
            return;
        }
        self.split(range.start);
        self.split(range.end);
        let mut at = range.start;
        let mut last: Option<(Range<u64>, T)> = None;
        while at < range.end {
            let next = self.pieces.range(at..range.end).next().map(|(start, _)| *start);
            let (here, old) = match next {
                Some(start) if start == at => {
                    let (end, value) = self.pieces.remove(&start).expect("it was just seen");
                    (at..end, Some(value))
                }
                gap_end => (at..gap_end.unwrap_or(range.end), None),
            };
            at = here.end;
            let Some(value) = f(here.clone(), old) else { continue };
            match &mut last {
                Some((before, same)) if before.end == here.start && *same == value => {
                    before.end = here.end;
                }
                _ => self.insert(last.replace((here, value))),
            }
        }
        self.insert(last);
    }

    /// Moves all pieces at one position and behind, and lets `f` change what they hold. Those in their
    /// way go.
    pub(super) fn shift(&mut self, shift: Shift, f: impl Fn(&mut T)) {
        let cut = shift.from.min(shift.to);
        self.split(cut);
        self.split(shift.from);
        let moved = self.pieces.split_off(&shift.from);
        drop(self.pieces.split_off(&cut));
        for (start, (end, mut value)) in moved {
            f(&mut value);
            self.pieces.insert(shift.moved(start), (shift.moved(end), value));
        }
    }

    /// The pieces that overlap `range`, in order, cut to it.
    pub(super) fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = (Range<u64>, &T)> {
        // One piece may begin before the range; the rest begin in it.
        let before = self.pieces.range(..range.start).next_back();
        let inside = (range.start < range.end).then(|| self.pieces.range(range.clone()));
        before.into_iter().chain(inside.into_iter().flatten()).filter_map(move |(start, piece)| {
            let cut = *start.max(&range.start)..piece.0.min(range.end);
            (!cut.is_empty()).then_some((cut, &piece.1))
        })
    }

    /// All pieces, in order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (Range<u64>, &T)> {
        self.pieces.iter().map(|(start, (end, value))| (*start..*end, value))
    }

    fn insert(&mut self, piece: Option<(Range<u64>, T)>) {
        if let Some((range, value)) = piece {
            self.pieces.insert(range.start, (range.end, value));
        }
    }

    /// Makes `pos` a border, if a piece holds it.
    fn split(&mut self, pos: u64) {
        let Some((_, piece)) = self.pieces.range_mut(..pos).next_back() else { return };
        if pos < piece.0 {
            let tail = (piece.0, piece.1.clone());
            piece.0 = pos;
            self.pieces.insert(pos, tail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pieces: &[(Range<u64>, char)]) -> RangeMap<char> {
        let mut map = RangeMap::default();
        for (range, value) in pieces {
            map.update(range.clone(), |_, _| Some(*value));
        }
        map
    }

    fn text(map: &RangeMap<char>) -> String {
        let shown: Vec<String> =
            map.ranges().map(|(range, value)| format!("{range:?}{value}")).collect();
        shown.join(" ")
    }

    #[test]
    fn updates_see_pieces_and_gaps() {
        let cases: &[(Range<u64>, &str, &str)] = &[
            (0..5, "0..5-", "10..20a 30..40b"),
            (12..14, "12..14a", "10..12a 12..14x 14..20a 30..40b"),
            (5..50, "5..10- 10..20a 20..30- 30..40b 40..50-", "10..20x 30..40x"),
            (15..35, "15..20a 20..30- 30..35b", "10..15a 15..20x 30..35x 35..40b"),
            (20..30, "20..30-", "10..20a 30..40b"),
            (7..7, "", "10..20a 30..40b"),
        ];
        for (range, seen, after) in cases {
            let mut map = map(&[(10..20, 'a'), (30..40, 'b')]);
            let mut visited = Vec::new();
            map.update(range.clone(), |here, value| {
                visited.push(format!("{here:?}{}", value.unwrap_or('-')));
                value.map(|_| 'x')
            });
            assert_eq!(visited.join(" "), *seen, "{range:?}");
            assert_eq!(text(&map), *after, "{range:?}");
        }
    }

    #[test]
    fn equal_neighbours_become_one() {
        let mut map = map(&[(10..20, 'a'), (30..40, 'b'), (40..50, 'c')]);
        map.update(5..45, |here, _| Some(if here.start < 30 { 'x' } else { 'y' }));
        assert_eq!(text(&map), "5..30x 30..45y 45..50c");
    }

    #[test]
    fn overlapping_pieces_are_cut() {
        let map = map(&[(10..20, 'a'), (20..40, 'b'), (u64::MAX - 1..u64::MAX, 'z')]);
        let seen = |range: Range<u64>| -> Vec<(Range<u64>, char)> {
            map.overlapping(range).map(|(range, value)| (range, *value)).collect()
        };
        assert_eq!(seen(0..10), []);
        assert_eq!(seen(12..21), [(12..20, 'a'), (20..21, 'b')]);
        assert_eq!(seen(15..15), []);
        assert_eq!(seen(39..u64::MAX), [(39..40, 'b'), (u64::MAX - 1..u64::MAX, 'z')]);
    }
}
