//! The random walk: every candidate is as likely as any other at every point.

use super::{Decision, Strategy};
use crate::chance::Stream;
use crate::schedule::Key;

/// See the module.
#[derive(Debug)]
pub struct Random {
    chance: Stream,
    /// Unused random bits; a choice among a few takes only some of a word.
    word: u64,
    bits: u32,
}

impl Random {
    /// A walk that depends on `chance` alone.
    pub fn new(chance: Stream) -> Random {
        Random { chance, word: 0, bits: 0 }
    }

    /// A number below `n` (at most 64) from 16 bits; the bias is below one in a thousand and
    /// shifts no outcome out of reach.
    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        if self.bits == 0 {
            self.word = self.chance.next_u64();
            self.bits = 4;
        }
        let part = u32::try_from(self.word & 0xffff).expect("sixteen bits");
        self.word >>= 16;
        self.bits -= 1;
        (part * n) >> 16
    }
}

impl Strategy for Random {
    #[inline]
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let n = self.below(decision.candidates.count());
        decision.candidates.nth(n)
    }
}
