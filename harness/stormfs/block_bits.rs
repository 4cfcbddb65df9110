//! One bit for each block of a folio.

use std::sync::atomic::{AtomicU64, Ordering};

/// Up to 128 bits: a folio of 64 KiB in blocks of 512 bytes.
///
/// Changes are made under the folio lock, or under the PTE lock for stores; readers may look
/// without either and see a recent state.
#[derive(Debug, Default)]
pub struct BlockBits {
    words: [AtomicU64; 2],
}

/// The bits `[from, to)` as a number.
fn mask(from: u32, to: u32) -> u128 {
    debug_assert!(from <= to && to <= 128);
    let below = |n: u32| if n == 128 { u128::MAX } else { (1 << n) - 1 };
    below(to) & !below(from)
}

fn halves(mask: u128) -> [u64; 2] {
    let low = u64::try_from(mask & u128::from(u64::MAX)).expect("64 bits");
    [low, u64::try_from(mask >> 64).expect("64 bits")]
}

impl BlockBits {
    /// Sets the bits `[from, to)`.
    #[inline]
    pub fn set(&self, from: u32, to: u32) {
        for (word, mask) in self.words.iter().zip(halves(mask(from, to))) {
            if mask != 0 {
                word.fetch_or(mask, Ordering::Relaxed);
            }
        }
    }

    /// Clears the bits `[from, to)`.
    #[inline]
    pub fn clear(&self, from: u32, to: u32) {
        for (word, mask) in self.words.iter().zip(halves(mask(from, to))) {
            if mask != 0 {
                word.fetch_and(!mask, Ordering::Relaxed);
            }
        }
    }

    /// All bits as a number, the first block lowest.
    #[inline]
    pub fn get(&self) -> u128 {
        let [low, high] = &self.words;
        u128::from(high.load(Ordering::Relaxed)) << 64 | u128::from(low.load(Ordering::Relaxed))
    }

    /// Whether all of the bits `[from, to)` are set.
    #[inline]
    pub fn all(&self, from: u32, to: u32) -> bool {
        let mask = mask(from, to);
        self.get() & mask == mask
    }

    /// Whether any of the bits `[from, to)` is set.
    #[inline]
    pub fn any(&self, from: u32, to: u32) -> bool {
        self.get() & mask(from, to) != 0
    }
}

/// The runs of set bits of `bits` within `[from, to)`, as half-open ranges, in order.
pub fn runs(bits: u128, from: u32, to: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut left = bits & mask(from, to);
    std::iter::from_fn(move || {
        (left != 0).then(|| {
            let start = left.trailing_zeros();
            let len = (!(left >> start)).trailing_zeros();
            left &= !mask(start, start + len);
            (start, start + len)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_reach_over_both_words() {
        let bits = BlockBits::default();
        bits.set(60, 70);
        bits.set(127, 128);
        assert!(bits.all(60, 70) && !bits.all(59, 61) && bits.any(59, 61));
        bits.clear(63, 65);
        let all: Vec<_> = runs(bits.get(), 0, 128).collect();
        assert_eq!(all, [(60, 63), (65, 70), (127, 128)]);
        assert_eq!(runs(bits.get(), 61, 66).collect::<Vec<_>>(), [(61, 63), (65, 66)]);
        bits.set(0, 128);
        assert_eq!(runs(bits.get(), 0, 128).collect::<Vec<_>>(), [(0, 128)]);
    }
}
