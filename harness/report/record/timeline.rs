//! What happened when, in slices of time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A run over time. All slices are equally wide; the first begins when the actors begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The width of a slice in milliseconds: a power of two.
    pub slice_ms: u64,
    /// The slices up to the last in which something happened, 240 at most.
    pub slices: Vec<Slice>,
    /// When faults struck, by kind and time; strikes close to each other are one window.
    pub faults: Vec<FaultWindow>,
    /// When all actors were halted, so that everything could be checked while nothing moved.
    pub halts: Vec<FaultWindow>,
    /// How many actors there were.
    pub actors: u64,
    /// How many workers the device had.
    pub workers: u64,
    /// How long all actors were halted in total, in milliseconds. Schedules stand still meanwhile.
    pub halted_ms: u64,
    /// Operations that were due when time was up, and never began.
    pub overdue: u64,
}

impl Timeline {
    /// The most slices.
    pub const SLICES: usize = 240;

    /// The most windows of one kind of fault.
    pub const WINDOWS: usize = 24;

    /// Whether a page can be drawn of it.
    pub(crate) fn is_sound(&self) -> bool {
        let width = self.slice_ms.is_power_of_two() && self.slice_ms <= 1 << 40;
        let windows = self.faults.len().max(self.halts.len()) <= Timeline::WINDOWS * 32;
        width && windows && self.slices.len() <= Timeline::SLICES
    }
}

/// One slice of time. An operation belongs to the slice in which it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slice {
    /// Operations that ended.
    pub operations: u64,
    /// Bytes that they read and wrote.
    pub bytes: u64,
    /// What the oracle took during these operations, in nanoseconds; no latency contains it.
    pub oracle_ns: u64,
    /// Their service times.
    pub service: Spread,
    /// Response times of those with a schedule.
    pub response: Spread,
}

/// Latencies, coarsely.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// The slowest, in nanoseconds; 0 if there is none.
    pub max: u64,
    /// How many fall into which range.
    pub counts: Buckets,
}

/// Counts in 48 ranges of nanoseconds: range `b` begins at 256 times the `b`-th power of the root of
/// two. The first holds everything below it, too, and the last everything above.
///
/// In JSON it is a text, `7:3 8:120`: range and count, for those that are not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets([u64; Buckets::COUNT]);

impl Buckets {
    /// How many ranges there are.
    pub const COUNT: usize = 48;

    /// Counts one latency.
    pub fn count(&mut self, nanoseconds: u64) {
        let bucket = &mut self.0[Buckets::of(nanoseconds)];
        *bucket = bucket.saturating_add(1);
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Buckets) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// The counts, the fastest range first.
    pub fn counts(&self) -> &[u64] {
        &self.0
    }

    /// The range that a latency falls into.
    fn of(nanoseconds: u64) -> usize {
        let octave = nanoseconds.max(1).ilog2();
        // Its square tells whether it lies above the root of two of its octave.
        let upper = u128::from(nanoseconds).pow(2) >> (2 * octave + 1) != 0;
        let bucket = (2 * octave + u32::from(upper)).saturating_sub(16);
        usize::try_from(bucket).map_or(Buckets::COUNT - 1, |bucket| bucket.min(Buckets::COUNT - 1))
    }
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets([0; Buckets::COUNT])
    }
}

impl fmt::Display for Buckets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (bucket, count) in self.0.iter().enumerate().filter(|(_, count)| **count != 0) {
            write!(out, "{between}{bucket}:{count}")?;
            between = " ";
        }
        Ok(())
    }
}

impl Serialize for Buckets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Buckets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Buckets, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut buckets = Buckets::default();
        for pair in text.split_whitespace() {
            let read = pair.split_once(':').and_then(|(bucket, count)| {
                let bucket = bucket.parse::<usize>().ok().filter(|at| *at < Buckets::COUNT)?;
                Some((bucket, count.parse().ok()?))
            });
            let (bucket, count) = read.ok_or_else(|| {
                de::Error::custom(format_args!("`{pair}` is no range and count: write `7:3`"))
            })?;
            buckets.0[bucket] = count;
        }
        Ok(buckets)
    }
}

/// A stretch of time in which one kind of fault struck again and again, or halts followed each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultWindow {
    /// The kind of fault; `halt` of halts.
    pub kind: String,
    /// Its beginning, in milliseconds since the actors began; the beginning of a slice.
    pub from_ms: u64,
    /// Its end; that of a slice.
    pub to_ms: u64,
    /// How often it struck.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::Buckets;

    #[test]
    fn ranges_are_half_octaves_from_256_nanoseconds() {
        let table = [
            (0, 0),
            (361, 0),
            (363, 1),
            (511, 1),
            (512, 2),
            (1 << 31, 46),
            (4_000_000_000, 47),
            (u64::MAX, 47),
        ];
        for (nanoseconds, bucket) in table {
            assert_eq!(Buckets::of(nanoseconds), bucket, "{nanoseconds} ns");
        }
    }

    #[test]
    fn counts_read_back_as_written() {
        let mut buckets = Buckets::default();
        for value in [300, 5_000, 5_001, u64::MAX] {
            buckets.count(value);
        }
        assert_eq!(buckets.to_string(), "0:1 8:2 47:1");
        let text = serde_json::to_string(&buckets).unwrap();
        assert_eq!(serde_json::from_str::<Buckets>(&text).unwrap(), buckets);
        for bad in ["\"48:1\"", "\"1\"", "\"-1:1\"", "\"1:x\"", "7"] {
            assert!(serde_json::from_str::<Buckets>(bad).is_err(), "{bad}");
        }
    }
}
