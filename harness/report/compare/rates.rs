//! How sure a throughput is: by batch means, from the slices of a timeline.
//!
//! A run is cut into stretches of equal length, and how much their rates differ says how far off the
//! rate of the whole may be. Stretches that resemble their neighbours, as in a run that grows slower or
//! beside another load, say less than independent ones would: the variance is widened by how much
//! they do. What differs between runs and not within one, no single run can tell.

use crate::number;
use crate::record::Timeline;

/// Into so many stretches a run is cut.
const STRETCHES: usize = 16;

/// Of the distribution of Student with one degree of freedom less: 95 % lie this far from its middle.
const QUANTILE: f64 = 2.131;

/// Milliseconds of a stretch at least: halts and writeback come several times a second.
const SHORTEST: u64 = 50;

/// Operations in a stretch at least, on average.
const FEWEST: u64 = 10;

/// Neighbours that resemble each other more are taken for this much alike.
const MOST_ALIKE: f64 = 0.9;

/// The rate of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    operations: u64,
    milliseconds: u64,
    /// The variance of the rate, relative to its square.
    variance: f64,
}

impl Rate {
    /// None if the run was too short or did too little for its slices to say anything.
    pub(super) fn of(timeline: &Timeline) -> Option<Rate> {
        // The run may have ended anywhere in its last slice.
        let (_, whole) = timeline.slices.split_last()?;
        let slices = whole.len() / STRETCHES;
        let length = timeline.slice_ms.checked_mul(number::wide(slices))?;
        if length < SHORTEST {
            return None;
        }
        let stretches: Vec<u64> = whole
            .chunks_exact(slices)
            .take(STRETCHES)
            .map(|slices| number::sum(slices.iter().map(|slice| slice.operations)))
            .collect();
        let operations = number::sum(stretches.iter().copied());
        let count = number::wide(STRETCHES);
        let milliseconds = length.checked_mul(count)?;
        let enough = operations / count >= FEWEST;
        enough.then(|| Rate { operations, milliseconds, variance: variance(&stretches) })
    }

    /// Operations in a second.
    pub(super) fn per_second(self) -> u64 {
        let per_second = u128::from(self.operations) * 1_000 / u128::from(self.milliseconds);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }

    /// How much more `other` has, with the least and the most that it may be; as factors.
    pub(super) fn growth(self, other: Rate) -> [f64; 3] {
        let exact = |rate: Rate| number::float(rate.operations) / number::float(rate.milliseconds);
        let middle = (exact(other) / exact(self)).ln();
        let reach = QUANTILE * (self.variance + other.variance).sqrt();
        [middle, middle - reach, middle + reach].map(f64::exp)
    }
}

/// Of the mean of these, relative to the square of the mean.
fn variance(stretches: &[u64]) -> f64 {
    let values: Vec<f64> = stretches.iter().map(|count| number::float(*count)).collect();
    let n = number::float(number::wide(values.len()));
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if squares == 0.0 {
        return 0.0;
    }
    let neighbours = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    let alike = (neighbours.sum::<f64>() / squares).clamp(0.0, MOST_ALIKE);
    squares / (n - 1.0) / n / mean.powi(2) * (1.0 + alike) / (1.0 - alike)
}

#[cfg(test)]
mod tests {
    use super::Rate;
    use crate::record::{Slice, Timeline};

    /// Slices of 64 ms, with so many operations each, and one that was cut short.
    fn timeline(operations: impl IntoIterator<Item = u64>) -> Timeline {
        let slice = |operations| Slice { operations, ..Slice::default() };
        let slices = operations.into_iter().chain([1]).map(slice).collect();
        let (faults, halts) = (Vec::new(), Vec::new());
        let [actors, workers, halted_ms, overdue] = [0; 4];
        Timeline { slice_ms: 64, slices, faults, halts, actors, workers, halted_ms, overdue }
    }

    /// Rates around a mean of 1,000, each resembling the one before by so many percent.
    fn noisy(seed: u64, alike: i64) -> Timeline {
        let (mut state, mut off) = (seed, 0_i64);
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            off = off * alike / 100 + i64::try_from(state >> 55).unwrap() - 256;
            u64::try_from(1_000 + off.clamp(-900, 900)).unwrap()
        };
        timeline((0..160).map(next).collect::<Vec<_>>())
    }

    #[test]
    fn equal_runs_are_told_apart_no_more_often_than_is_said() {
        for (alike, most) in [(0, 60), (50, 70), (80, 90)] {
            let apart = (0..1_000_u64).filter(|seed| {
                let rate = |seed: u64| Rate::of(&noisy(seed * 7_919 + 13, alike)).unwrap();
                let [_, low, high] = rate(2 * seed).growth(rate(2 * seed + 1));
                high < 1.0 || 1.0 < low
            });
            let apart = apart.count();
            assert!((5..most).contains(&apart), "{alike} %: {apart} of 1000");
        }
    }

    #[test]
    fn a_steady_rate_is_known_and_a_short_run_says_nothing() {
        let steady = Rate::of(&timeline([128; 32])).unwrap();
        assert_eq!(steady.per_second(), 2_000);
        assert!(steady.growth(steady).iter().all(|factor| (factor - 1.0).abs() < 1e-9));
        let half = Rate::of(&timeline([64; 16])).unwrap();
        assert!((steady.growth(half)[0] - 0.5).abs() < 1e-9);
        assert!(Rate::of(&timeline([128; 15])).is_none(), "too short");
        assert!(Rate::of(&timeline([9; 32])).is_some());
        assert!(Rate::of(&timeline([9; 16])).is_none(), "too few operations");
        assert!(Rate::of(&timeline([])).is_none());
        assert!(Rate::of(&timeline([u64::MAX; 32])).is_some());
    }
}
