//! Chance: one seed, five kinds of streams.
//!
//! *Setting* decides what a run is made of where that differs between runs, one stream a value.
//! *Case* decides what the actors do, one stream an actor. *Strategy* decides which strategy a run
//! has, and *schedule* whatever that strategy leaves to chance: who goes on.
//! *Faults* decides what goes wrong: it is no sequence but a function of the place (task,
//! operation, kind, n-th time), so that taking one operation out of a run leaves the faults of
//! all others as they were. All are independent: one can be held still while another varies.
//!
//! Every helper is defined here, value by value: an update of a library never changes a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The seed of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of the `n`-th run of a campaign.
    #[must_use]
    pub fn nth(self, n: u64) -> Seed {
        if n == 0 { self } else { Seed(scramble(self.0 ^ scramble(n))) }
    }

    /// What `actor` does.
    pub fn case(self, actor: u64) -> Stream {
        Stream::new(self, 1, actor)
    }

    /// Who goes on.
    pub fn schedule(self) -> Stream {
        Stream::new(self, 2, 0)
    }

    /// What the run is made of: the `number`-th thing that differs between runs.
    pub fn setting(self, number: u64) -> Stream {
        Stream::new(self, 3, number)
    }

    /// Which strategy decides who goes on.
    pub fn strategy(self) -> Stream {
        Stream::new(self, 4, 0)
    }

    /// What goes wrong.
    pub fn faults(self) -> FaultDice {
        FaultDice { key: scramble(self.0 ^ 0x6661_756c_7473) }
    }
}

/// An invertible mixing of 64 bits: the finalizer of splitmix64.
#[inline]
pub fn scramble(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// A stream of random values: `ChaCha8`.
#[derive(Debug, Clone)]
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    fn new(seed: Seed, purpose: u64, which: u64) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.0.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(which);
        Stream { generator }
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A number below `n`; 0 if `n` is 0. The bias is below `n / 2^64`.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(n);
        u64::try_from(wide >> 64).expect("the upper half of a product")
    }

    /// A number from `low` to `high`, both included; `low` if they are in the wrong order.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True `ppm` times in a million.
    pub fn chance(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// A number from `low` (at least 1) to `high`, each power of two about as likely as the next.
    pub fn log_uniform(&mut self, low: u64, high: u64) -> u64 {
        let low = low.max(1);
        let high = high.max(low);
        let (small, large) = (low.ilog2(), high.ilog2());
        let power = self.between(u64::from(small), u64::from(large));
        let from = 1_u64 << power;
        let to = from.saturating_mul(2) - 1;
        self.between(from.max(low), to.min(high))
    }

    /// The index of one of `weights`, in proportion; 0 if all are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total = weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (index, weight) in weights.iter().enumerate() {
            let weight = u64::from(*weight);
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Puts `items` in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let last = u64::try_from(end).expect("lengths fit 64 bits");
            let other = usize::try_from(self.between(0, last)).expect("at most `end`");
            items.swap(end, other);
        }
    }
}

/// Where a fault may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultSite {
    /// The kind of fault.
    pub kind: u32,
    /// The operation, packed; or whatever else names the cause stably.
    pub operation: u64,
    /// The n-th time within it.
    pub nth: u64,
}

/// Draws for faults: a pure function of the seed and the place.
#[derive(Debug, Clone, Copy)]
pub struct FaultDice {
    key: u64,
}

impl FaultDice {
    /// 64 random bits that belong to `site`.
    pub fn draw(self, site: FaultSite) -> u64 {
        let word = scramble(self.key ^ site.operation);
        let word = scramble(word ^ u64::from(site.kind) << 32);
        scramble(word ^ site.nth)
    }

    /// Whether the fault strikes at `site`, if it does `ppm` times in a million.
    pub fn strikes(self, site: FaultSite, ppm: u32) -> bool {
        let wide = u128::from(self.draw(site)) * 1_000_000;
        wide >> 64 < u128::from(ppm)
    }

    /// A number below `n` that belongs to `site`.
    pub fn below(self, site: FaultSite, n: u64) -> u64 {
        let wide = u128::from(self.draw(site)) * u128::from(n);
        u64::try_from(wide >> 64).expect("the upper half of a product")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values: a change here changes every seed that anybody ever wrote down.
    #[test]
    fn values_are_stable() {
        let mut stream = Seed(1).case(0);
        let drawn = [stream.next_u64(), stream.below(1000), stream.log_uniform(1, 65536)];
        assert_eq!(drawn, GOLDEN);
        let site = FaultSite { kind: 3, operation: 7, nth: 1 };
        assert_eq!(Seed(1).faults().draw(site), GOLDEN_FAULT);
    }

    const GOLDEN: [u64; 3] = [4_344_717_217_939_160_907, 829, 345];
    const GOLDEN_FAULT: u64 = 1_382_305_322_432_218_939;

    #[test]
    fn streams_differ_by_purpose_and_actor() {
        let first = |mut stream: Stream| stream.next_u64();
        let seed = Seed(9);
        let streams = [seed.case(0), seed.case(1), seed.schedule(), seed.setting(0)];
        let mut drawn: Vec<_> = streams.into_iter().chain([seed.strategy()]).map(first).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 5);
        assert_ne!(first(seed.nth(1).case(0)), first(seed.case(0)));
    }

    #[test]
    fn log_uniform_stays_within_and_reaches_both_ends() {
        let mut stream = Seed(2).case(0);
        let drawn: Vec<u64> = (0..20_000).map(|_| stream.log_uniform(3, 70)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&70));
    }

    #[test]
    fn chances_come_out_in_proportion() {
        let mut stream = Seed(3).case(0);
        let hits = (0..100_000).filter(|_| stream.chance(50_000)).count();
        assert!((4_700..5_300).contains(&hits), "{hits} of 100000 at 5 %");
        let mut counts = [0; 3];
        for _ in 0..30_000 {
            counts[stream.weighted(&[1, 0, 2])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
    }
}
