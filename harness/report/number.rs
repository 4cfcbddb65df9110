//! Numbers as people read them.

use crate::record::Clock;

/// `1234567` as `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `n` things: `1 seed`, `2 seeds`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A length as a number of the record.
pub fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The sum, or the largest number there is: a damaged record may hold anything.
pub(crate) fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// Bytes in the largest binary unit that leaves at least 1, to three digits.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 5] =
        [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
    scaled(n, &UNITS)
}

/// A latency with its unit; steps have none.
pub(crate) fn latency(clock: Clock, value: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("ns", 1), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
    match clock {
        Clock::Wall => scaled(value, &UNITS),
        Clock::Steps => count(value),
    }
}

/// The name of the unit, for headings.
pub(crate) fn unit(clock: Clock) -> &'static str {
    match clock {
        Clock::Wall => "wall clock",
        Clock::Steps => "steps",
    }
}

/// A stretch of wall-clock time.
pub(crate) fn elapsed(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..60 => scaled(milliseconds, &[("ms", 1), ("s", 1_000)]),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", count(seconds / 3_600), seconds % 3_600 / 60),
    }
}

/// A share from 0 to 1, as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `n` as a floating-point number, rounded to the nearest.
pub(crate) fn float(n: u64) -> f64 {
    let half = |half: u64| f64::from(u32::try_from(half).expect("32 bits fit into 32 bits"));
    half(n >> 32) * 4_294_967_296.0 + half(n & 0xffff_ffff)
}

/// Three significant digits in the smallest unit in which they stay below the next unit. Whole
/// numbers of a unit have no decimals: 64 KiB, but 1.00 ms for 999.7 µs.
fn scaled(n: u64, units: &[(&str, u64)]) -> String {
    let fits = |pair: &&[(&str, u64)]| rounded(n, pair[0].1, 1) < u128::from(pair[1].1 / pair[0].1);
    let (name, unit) = match units.windows(2).find(fits) {
        Some(pair) => pair[0],
        None => *units.last().expect("there is at least one unit"),
    };
    let [hundredths, tenths, whole] = [100, 10, 1].map(|parts| rounded(n, unit, parts));
    let number = if n.is_multiple_of(unit) || whole >= 100 {
        count(u64::try_from(whole).expect("it is at most n"))
    } else if hundredths < 1_000 {
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    format!("{number} {name}")
}

/// `n / unit` in parts of one, rounded to the nearest.
fn rounded(n: u64, unit: u64, parts: u128) -> u128 {
    (u128::from(n) * parts + u128::from(unit) / 2) / u128::from(unit)
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, counted, elapsed, float, latency, percent};
    use crate::record::Clock;

    #[test]
    fn counts_are_grouped() {
        let table = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (n, text) in table {
            assert_eq!(count(n), text);
        }
        assert_eq!([counted(1, "seed"), counted(2_000, "seed")], ["1 seed", "2,000 seeds"]);
    }

    #[test]
    fn sizes_and_times_have_three_digits() {
        let sizes = [
            (0, "0 B"),
            (1_023, "1,023 B"),
            (65_536, "64 KiB"),
            (70_000, "68.4 KiB"),
            (1_048_575, "1.00 MiB"),
            (u64::MAX, "16,777,216 TiB"),
        ];
        for (n, text) in sizes {
            assert_eq!(bytes(n), text);
        }
        let times = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_234, "1.23 µs"),
            (9_999, "10.0 µs"),
            (999_700, "1.00 ms"),
            (12_345_678, "12.3 ms"),
            (123_456_789, "123 ms"),
            (61_000_000_000, "61 s"),
        ];
        for (n, text) in times {
            assert_eq!(latency(Clock::Wall, n), text);
        }
        assert_eq!(latency(Clock::Steps, 12_345), "12,345");
    }

    #[test]
    fn durations_grow_into_hours() {
        let table =
            [(250, "250 ms"), (1_500, "1.50 s"), (200_000, "3 min 20 s"), (7_260_000, "2 h 1 min")];
        for (milliseconds, text) in table {
            assert_eq!(elapsed(milliseconds), text);
        }
        assert_eq!(percent(0.384), "38.4 %");
    }

    #[test]
    fn floats_keep_what_fits() {
        assert!((float(1 << 40) - 1_099_511_627_776.0).abs() < 0.5);
        assert!((float(4_294_967_295) - 4_294_967_295.0).abs() < 0.5);
    }
}
