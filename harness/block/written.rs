//! Which sectors of a file were ever written, so that the rest can read as poison.

use crate::media::poison;
use std::collections::BTreeMap;

/// The unit: no bio writes less.
const SECTOR: u64 = 512;
/// Bytes that one word of the map stands for.
const SPAN: u64 = SECTOR * 64;
/// Words in a leaf, which so stands for 4 MiB.
const WORDS: u64 = 128;

type Leaf = [u64; 128];

/// A bitmap of sectors that costs memory only where something was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    leaves: BTreeMap<u64, Box<Leaf>>,
}

impl Written {
    /// Notes that `len` bytes at `offset` were written; both are multiples of 512.
    pub(crate) fn mark(&mut self, offset: u64, len: u64) {
        for (word, mask) in words(offset, len) {
            let leaf = self.leaves.entry(word / WORDS).or_insert_with(|| Box::new([0; 128]));
            leaf[place(word)] |= mask;
        }
    }

    /// Fills those of `bytes`, which lie at `offset`, with poison that were never written; both
    /// are multiples of 512.
    pub(crate) fn poison_rest(&self, offset: u64, bytes: &mut [u8]) {
        let len = u64::try_from(bytes.len()).expect("lengths fit 64 bits");
        for (word, mask) in words(offset, len) {
            let leaf = self.leaves.get(&(word / WORDS));
            let mut blank = mask & !leaf.map_or(0, |leaf| leaf[place(word)]);
            while blank != 0 {
                let at = word * SPAN + u64::from(blank.trailing_zeros()) * SECTOR;
                blank &= blank - 1;
                let from = usize::try_from(at - offset).expect("within the bytes");
                poison(at, &mut bytes[from..from + 512]);
            }
        }
    }
}

/// The words that the range touches, each with a mask of the bits that lie in the range.
fn words(offset: u64, len: u64) -> impl Iterator<Item = (u64, u64)> {
    assert!(offset.is_multiple_of(SECTOR) && len.is_multiple_of(SECTOR), "whole sectors");
    let end = offset + len;
    let last = end.div_ceil(SPAN);
    (offset / SPAN..last).map(move |word| {
        let from = offset.max(word * SPAN) % SPAN / SECTOR;
        let to = (end.min(word * SPAN + SPAN) - word * SPAN) / SECTOR;
        let below = |bit: u64| if bit == 64 { u64::MAX } else { (1 << bit) - 1 };
        (word, below(to) & !below(from))
    })
}

fn place(word: u64) -> usize {
    usize::try_from(word % WORDS).expect("below the size of a leaf")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One character a sector: `W` written, `.` poison; sectors `from..to` of the device.
    fn picture(written: &Written, from: u64, to: u64) -> String {
        let mut bytes = vec![0; usize::try_from((to - from) * SECTOR).unwrap()];
        written.poison_rest(from * SECTOR, &mut bytes);
        let mut expected = [0; 512];
        poison(0, &mut expected);
        let sign = |sector: &[u8]| match sector {
            sector if sector == expected => '.',
            sector if sector == [0; 512] => 'W',
            _ => '?',
        };
        bytes.chunks(512).map(sign).collect()
    }

    #[test]
    fn written_sectors_stay_and_the_rest_is_poison() {
        let mut written = Written::default();
        assert_eq!(picture(&written, 0, 4), "....");
        written.mark(512, 1024);
        assert_eq!(picture(&written, 0, 5), ".WW..");
        // Across two words, and across two leaves.
        for edge in [64, 8192] {
            written.mark((edge - 2) * SECTOR, 3 * SECTOR);
            assert_eq!(picture(&written, edge - 4, edge + 3), "..WWW..");
        }
        written.mark(0, 2 * SPAN);
        assert_eq!(picture(&written, 0, 130), format!("{}..", "W".repeat(128)));
        assert_eq!(written.leaves.len(), 2);
    }
}
