//! How sure a percentile is: the bootstrap, from a histogram alone.
//!
//! Drawing a sample of the same size again and again, and looking at the same percentile of each, needs
//! no sample: the percentile is its `k`-th smallest value of `n`, whose place among the values that were
//! measured follows a beta distribution with the parameters `k` and `n - k + 1`. So one draw of that
//! distribution and one look into the histogram make a resampled percentile.
//!
//! Operations count as independent. Those that met the same pause do not, and then the truth is less
//! sure than it is told.

use hdrhistogram::Histogram;

use crate::number;

/// Values with how many are at most as large.
pub(super) struct Ranks {
    values: Vec<(f64, u64)>,
    n: u64,
}

impl Ranks {
    pub(super) fn of(histogram: &Histogram<u64>) -> Ranks {
        let mut below = 0;
        let n = histogram.len();
        let value = |at: hdrhistogram::iterators::IterationValue<u64>| {
            below += at.count_at_value();
            (number::float(below) / number::float(n), at.value_iterated_to())
        };
        Ranks { values: histogram.iter_recorded().map(value).collect(), n }
    }

    /// The value that one in `one_in` exceeds, of a sample that was drawn again.
    pub(super) fn resampled(&self, one_in: u64, chance: &mut Chance) -> u64 {
        let beyond = self.n / one_in;
        let (k, rest) = (self.n - beyond, beyond + 1);
        let (low, high) = (chance.gamma(number::float(k)), chance.gamma(number::float(rest)));
        let place = low / (low + high);
        let at = self.values.partition_point(|(share, _)| *share < place);
        self.values.get(at).or(self.values.last()).map_or(0, |(_, value)| *value)
    }
}

/// Random numbers that are the same every time.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// Splitmix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0 and at most 1.
    fn uniform(&mut self) -> f64 {
        (number::float(self.next() >> 11) + 1.0) / 9_007_199_254_740_992.0
    }

    /// Of the standard normal distribution, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Of the gamma distribution with this shape, which is at least 1, by Marsaglia and Tsang.
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, Ranks};
    use crate::histogram;
    use crate::number::float;

    /// The mean, and the standard deviation.
    fn moments(draws: &[f64]) -> (f64, f64) {
        let n = float(u64::try_from(draws.len()).unwrap());
        let mean = draws.iter().sum::<f64>() / n;
        (mean, (draws.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn a_gamma_distribution_has_its_mean_and_its_spread() {
        for shape in [1.0, 11.0, 990.0, 1e6] {
            let mut chance = Chance::new(7);
            let draws: Vec<_> = (0..20_000).map(|_| chance.gamma(shape)).collect();
            let (mean, spread) = moments(&draws);
            assert!((mean / shape - 1.0).abs() < 0.03, "{shape}: {mean}");
            assert!((spread / shape.sqrt() - 1.0).abs() < 0.03, "{shape}: {spread}");
        }
    }

    #[test]
    fn a_percentile_is_as_sure_as_by_drawing_samples() {
        // Values 1..=2000, so that a value is its rank: the 90th percentile of a sample of 2,000 has a
        // standard error of sqrt(0.9 * 0.1 * 2000), 13.4 ranks.
        let mut histogram = histogram::growing();
        (1..=2_000).for_each(|value| histogram.record(value).unwrap());
        let (ranks, mut chance) = (Ranks::of(&histogram), Chance::new(1));
        let draws: Vec<_> = (0..5_000).map(|_| float(ranks.resampled(10, &mut chance))).collect();
        let (mean, spread) = moments(&draws);
        assert!((mean - 1_800.0).abs() < 1.5, "{mean}");
        assert!((spread - 13.4).abs() < 0.7, "{spread}");
    }

    #[test]
    fn equal_seeds_draw_equally() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            [chance.next(), chance.next()]
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        // The first value of splitmix64 from 0, as published.
        assert_eq!(draw(0)[0], 0xe220_a839_7b1d_cdaf);
    }
}
