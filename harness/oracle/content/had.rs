//! Sizes that a file has had since all of it was on the device: one of them is there, and a truncate that fails
//! may leave it.

use std::ops::RangeInclusive;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Had {
    /// invariant: ascending, and no two of them touch.
    ranges: Vec<RangeInclusive<u64>>,
}

/// What a truncate that fails may leave: a size that the file has had, or a place where an extent can end. Bytes
/// reach the device extent by extent, and truncates take extents away one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fallback {
    pub(super) had: Had,
    /// Extents that end there can be all there is.
    pub(super) ends: RangeInclusive<u64>,
}

/// Extents end at multiples of it: no filesystem has smaller blocks.
pub(super) const UNIT: u64 = 512;

/// Ranges that are kept apart. Where there are more, all that lies between them counts.
const MOST: usize = 4096;

impl Had {
    /// Every size there is.
    pub(super) fn everything() -> Had {
        Had { ranges: vec![0..=u64::MAX] }
    }

    /// The file has, or may have, one of these sizes.
    pub(super) fn add(&mut self, sizes: RangeInclusive<u64>) {
        let first = self.ranges.partition_point(|one| one.end().saturating_add(1) < *sizes.start());
        let behind =
            self.ranges.partition_point(|one| *one.start() <= sizes.end().saturating_add(1));
        let met = &self.ranges[first..behind.max(first)];
        let start = met.first().map_or(*sizes.start(), |one| *one.start().min(sizes.start()));
        let end = met.last().map_or(*sizes.end(), |one| *one.end().max(sizes.end()));
        self.ranges.splice(first..behind.max(first), [start..=end]);
        if let [least, .., most] = self.ranges.as_slice()
            && MOST < self.ranges.len()
        {
            self.ranges = vec![*least.start()..=*most.end()];
        }
    }

    /// Those of them up to `highest`.
    pub(super) fn up_to(&self, highest: u64) -> Had {
        let mut ranges = self.ranges.clone();
        ranges.retain(|one| *one.start() <= highest);
        if let Some(last) = ranges.last_mut() {
            *last = *last.start()..=highest.min(*last.end());
        }
        Had { ranges }
    }

    /// Each of them.
    pub(super) fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        self.ranges.iter().cloned()
    }

    fn contains(&self, size: u64) -> bool {
        let behind = self.ranges.partition_point(|one| *one.start() <= size);
        behind.checked_sub(1).is_some_and(|at| self.ranges[at].contains(&size))
    }
}

impl Fallback {
    /// Whether it may be this size.
    pub(super) fn contains(&self, size: u64) -> bool {
        self.had.contains(size) || size.is_multiple_of(UNIT) && self.ends.contains(&size)
    }

    /// What is left of these sizes once the file has grown to `to`, which is counted elsewhere.
    pub(super) fn raised(self, to: u64) -> Option<Fallback> {
        let mut had = Had::default();
        let above = self.had.ranges().filter(|one| to < *one.end());
        above.for_each(|one| had.add(to.max(*one.start())..=*one.end()));
        let ends = to.max(*self.ends.start())..=*self.ends.end();
        (!had.ranges.is_empty() || !ends.is_empty()).then_some(Fallback { had, ends })
    }

    /// These sizes, or those.
    pub(super) fn or(mut self, other: &Fallback) -> Fallback {
        other.had.ranges().for_each(|one| self.had.add(one));
        let start = *self.ends.start().min(other.ends.start());
        self.ends = start..=*self.ends.end().max(other.ends.end());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranges: &[RangeInclusive<u64>]) -> Had {
        let mut had = Had::default();
        ranges.iter().cloned().for_each(|one| had.add(one));
        had
    }

    #[test]
    fn sizes_that_touch_are_one_range() {
        for (added, kept) in [
            (&[5..=5, 9..=9][..], &[5..=5, 9..=9][..]),
            (&[9..=9, 5..=5], &[5..=5, 9..=9]),
            (&[5..=5, 6..=6], &[5..=6]),
            (&[6..=6, 5..=5], &[5..=6]),
            (&[5..=9, 7..=7], &[5..=9]),
            (&[1..=2, 8..=9, 4..=5, 3..=7], &[1..=9]),
            (&[1..=2, 20..=u64::MAX, 8..=9, 8..=30], &[1..=2, 8..=u64::MAX]),
            (&[0..=0, u64::MAX..=u64::MAX], &[0..=0, u64::MAX..=u64::MAX]),
        ] {
            let had = of(added);
            assert_eq!(had.ranges, kept, "{added:?}");
            let all = |size: &u64| added.iter().any(|one| one.contains(size));
            assert!((0..40).all(|size| had.contains(size) == all(&size)), "{added:?}");
        }
        let mut many = Had::default();
        (0..2 * 4097).step_by(2).for_each(|size| many.add(size..=size));
        assert_eq!(many.ranges, [0..=2 * 4096], "too many to be kept apart");
        assert_eq!(of(&[1..=2, 5..=9]).up_to(6), of(&[1..=2, 5..=6]));
        assert_eq!(of(&[1..=2, 5..=9]).up_to(4), of(&[1..=2]));
    }

    #[test]
    fn who_grows_later_leaves_no_smaller_size() {
        let fallback = Fallback { had: of(&[3..=3, 700..=800]), ends: 0..=1000 };
        let contains = |fallback: &Fallback| -> Vec<u64> {
            [0, 3, 4, 512, 513, 700, 701, 1024]
                .into_iter()
                .filter(|n| fallback.contains(*n))
                .collect()
        };
        assert_eq!(contains(&fallback), [0, 3, 512, 700, 701]);
        let raised = fallback.clone().raised(600).unwrap();
        assert_eq!(contains(&raised), [700, 701]);
        assert_eq!(contains(&raised.or(&fallback)), [0, 3, 512, 700, 701]);
        assert_eq!(fallback.raised(1001), None);
    }
}
