//! The questions of those who make zeros of a range.

use super::Rules;
use crate::choices::{PosteofDelalloc, ZeroExtends, ZeroRange};
use crate::quantity::ByteRange;

impl Rules {
    /// Is the range written back before a hole or an unwritten extent in it counts as zero?
    /// `before` says whether any of it was dirty or in I/O before its extents were looked up, `now`
    /// whether any is, and `moved` whether extents have changed since.
    pub fn zeroing_writes_back(
        &self,
        before: bool,
        now: impl FnOnce() -> bool,
        moved: impl Fn() -> bool,
    ) -> bool {
        match self.choices.zero_range {
            ZeroRange::SamplesBeforeLookup => before,
            // What became clean without a change of extents has put no data under the lookup.
            ZeroRange::SamplesAfterLookup if before && !moved() => before,
            ZeroRange::SamplesAfterLookup => self.deviate(self.choices.zero_range, before, now()),
            ZeroRange::SkipsUnwritten => {
                self.deviate(self.choices.zero_range, before && (now() || moved()), false)
            }
        }
    }

    /// To where is a delayed allocation over `part` zeroed in the cache? The file's last block ends
    /// at `last_block_end`.
    pub fn delalloc_zeroed_to(&self, part: ByteRange, last_block_end: u64) -> u64 {
        let right = last_block_end.clamp(part.start, part.end);
        match self.choices.posteof_delalloc {
            PosteofDelalloc::BecomesUnwritten => right,
            PosteofDelalloc::ZeroedInCache => {
                self.deviate(self.choices.posteof_delalloc, right, part.end)
            }
        }
    }

    /// Do zeros raise the size? `beyond` says whether they reach beyond it.
    pub fn zeroing_grows(&self, beyond: bool) -> bool {
        match self.choices.zero_extends {
            ZeroExtends::KeepsSize => false,
            ZeroExtends::GrowsSize => self.deviate(self.choices.zero_extends, false, beyond),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    fn rules(decision: &str, value: &str) -> Rules {
        let mut choices = Choices::default();
        assert!(choices.set(decision, value), "{decision}: {value}");
        Rules::new(choices)
    }

    #[test]
    fn dirty_cache_is_written_back_by_this_table() {
        // dirty before, dirty now, extents moved: written back by each value, and which deviate
        let table = [
            ((false, false, false), [false, false, false], [0, 0, 0]),
            ((false, false, true), [false, false, false], [0, 0, 0]),
            ((true, true, false), [true, true, false], [0, 0, 1]),
            ((true, true, true), [true, true, false], [0, 0, 1]),
            ((true, false, false), [true, true, false], [0, 0, 0]),
            ((true, false, true), [true, false, false], [0, 1, 1]),
        ];
        for ((before, now, moved), answers, deviations) in table {
            let values = ["samples_before_lookup", "samples_after_lookup", "skips_unwritten"];
            for (place, value) in values.into_iter().enumerate() {
                let rules = rules("zero_range", value);
                let answer = rules.zeroing_writes_back(before, || now, || moved);
                let about = format!("{value}: {before} {now} {moved}");
                assert_eq!(
                    (answer, rules.deviations()),
                    (answers[place], deviations[place]),
                    "{about}"
                );
            }
        }
    }

    #[test]
    fn a_delayed_allocation_is_zeroed_in_the_cache_up_to_the_last_block() {
        for (part, last_block_end, right) in [
            ((0, 4096), 8192, 4096),
            ((0, 16384), 8192, 8192),
            ((8192, 16384), 8192, 8192),
            ((12288, 16384), 8192, 12288),
        ] {
            let part = ByteRange::new(part.0, part.1);
            let rules = rules("posteof_delalloc", "zeroed_in_cache");
            assert_eq!(Rules::default().delalloc_zeroed_to(part, last_block_end), right);
            assert_eq!(rules.delalloc_zeroed_to(part, last_block_end), part.end);
            assert_eq!(rules.deviations(), u64::from(right != part.end));
        }
    }
}
