//! Sizes, durations and chances as people write them.

use std::time::Duration;

/// Why a text is no such quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misread {
    /// What is wrong with it.
    pub(super) why: String,
    /// What was probably meant.
    pub(super) instead: Option<String>,
}

/// Bytes: `70000`, `512B`, `64KiB`, `1MiB`, `2GiB`, `1TiB`.
pub(super) fn size(text: &str) -> Result<u64, Misread> {
    let (number, unit) = split(text)?;
    let Some(factor) = factor_of(SIZES, unit) else {
        let near = BINARY.iter().find(|(alike, _)| alike.eq_ignore_ascii_case(unit.trim()));
        let instead = near.map(|(_, unit)| format!("{number}{unit}"));
        let why = format!("`{}` is no unit of size", unit.trim().escape_debug());
        return Err(Misread { why, instead });
    };
    scaled(number, unit, factor, SIZES)
}

/// A time: `0`, `50ns`, `200us`, `5ms`, `10s`, `5m`, `8h`.
pub(super) fn duration(text: &str) -> Result<Duration, Misread> {
    let (number, unit) = split(text)?;
    let nanoseconds = match factor_of(TIMES, unit) {
        Some(factor) => scaled(number, unit, factor, TIMES)?,
        None if unit.is_empty() && number.bytes().all(|digit| digit == b'0') => 0,
        None if unit.is_empty() => {
            let instead = Some(format!("{number}s` or `{number}ms"));
            return Err(Misread { why: "a time needs a unit".to_owned(), instead });
        }
        None => {
            let near = SPOKEN.iter().find(|(alike, _)| alike.eq_ignore_ascii_case(unit.trim()));
            let instead = near.map(|(_, unit)| format!("{number}{unit}"));
            let why = format!("`{}` is no unit of time", unit.trim().escape_debug());
            return Err(Misread { why, instead });
        }
    };
    Ok(Duration::from_nanos(nanoseconds))
}

/// A duration, as the command line takes it.
///
/// # Errors
///
/// What is wrong with the text, in words.
pub fn time(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|misread| match misread.instead {
        Some(instead) => format!("{}; write `{instead}`", misread.why),
        None => misread.why,
    })
}

/// A chance in parts per million: `5%`, `0.1%`, `0.05`.
pub(super) fn chance(text: &str) -> Result<u32, Misread> {
    let (number, places) = match text.strip_suffix('%') {
        Some(percent) => (percent, 4),
        None => (text, 6),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(misread("it is no chance"));
    }
    let part = part.trim_end_matches('0');
    if places < part.len() {
        return Err(misread("chances go down to one in a million, which is `0.0001%`"));
    }
    let million = format!("{whole}{part:0<places$}").parse::<u64>().unwrap_or(u64::MAX);
    match u32::try_from(million) {
        Ok(million) if million <= 1_000_000 => Ok(million),
        _ if places == 6 && whole.len() <= 2 => {
            let instead = Some(format!("{number}%"));
            Err(Misread { why: "a chance is at most 1, or 100%".to_owned(), instead })
        }
        _ => Err(misread("a chance is at most 100%")),
    }
}

/// A size with the largest unit that leaves a whole number.
pub(super) fn show_size(bytes: u64) -> String {
    if bytes == 0 {
        return "0".to_owned();
    }
    let unit = SIZES.iter().rev().find(|(_, factor)| bytes.is_multiple_of(*factor));
    let (name, factor) = unit.unwrap_or(&("B", 1));
    format!("{}{name}", bytes / factor)
}

/// A chance in percent, exactly.
pub(super) fn show_chance(ppm: u32) -> String {
    let (whole, part) = (ppm / 10_000, ppm % 10_000);
    let text = format!("{whole}.{part:04}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A time with the largest unit that leaves a whole number.
pub(super) fn show_duration(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    if nanoseconds == 0 {
        return "0".to_owned();
    }
    let unit = TIMES.iter().rev().find(|(_, f)| nanoseconds.is_multiple_of(u128::from(*f)));
    let (name, factor) = unit.unwrap_or(&("ns", 1));
    format!("{}{name}", nanoseconds / u128::from(*factor))
}

const SIZES: &[(&str, u64)] =
    &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// What people write for our units of size, whatever the case.
const BINARY: &[(&str, &str)] = &[
    ("b", "B"),
    ("byte", "B"),
    ("bytes", "B"),
    ("k", "KiB"),
    ("kb", "KiB"),
    ("kib", "KiB"),
    ("ki", "KiB"),
    ("m", "MiB"),
    ("mb", "MiB"),
    ("mib", "MiB"),
    ("mi", "MiB"),
    ("g", "GiB"),
    ("gb", "GiB"),
    ("gib", "GiB"),
    ("gi", "GiB"),
    ("t", "TiB"),
    ("tb", "TiB"),
    ("tib", "TiB"),
    ("ti", "TiB"),
];

/// What people write for our units of time, whatever the case.
const SPOKEN: &[(&str, &str)] = &[
    ("ns", "ns"),
    ("us", "us"),
    ("usec", "us"),
    ("\u{b5}s", "us"),
    ("ms", "ms"),
    ("msec", "ms"),
    ("s", "s"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "m"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
];

fn misread(why: &str) -> Misread {
    Misread { why: why.to_owned(), instead: None }
}

fn factor_of(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

/// The digits, with or without a fraction, and what follows them.
fn split(text: &str) -> Result<(&str, &str), Misread> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if text.starts_with('-') {
        return Err(misread("it is below zero"));
    }
    if unit.starts_with('_') {
        let instead = Some(text.replace('_', ""));
        return Err(Misread { why: "digits are written without `_`".to_owned(), instead });
    }
    if number.is_empty() || number.starts_with('.') || number.ends_with('.') {
        return Err(misread("it does not begin with a number"));
    }
    Ok((number, unit))
}

/// A whole number of units; of a fraction, the whole number of a smaller unit is suggested.
fn scaled(number: &str, unit: &str, factor: u64, units: &[(&str, u64)]) -> Result<u64, Misread> {
    if let Some((whole, part)) = number.split_once('.') {
        let instead = smaller(whole, part, factor, units);
        return Err(Misread { why: "it is not a whole number".to_owned(), instead });
    }
    let value = number.parse::<u64>().ok().and_then(|value| value.checked_mul(factor));
    value.ok_or_else(|| misread(&format!("`{number}{unit}` is too large for any size or time")))
}

fn smaller(whole: &str, part: &str, factor: u64, units: &[(&str, u64)]) -> Option<String> {
    let digits = u32::try_from(part.len()).ok().filter(|digits| *digits < 10)?;
    let all = format!("{whole}{part}").parse::<u64>().ok()?.checked_mul(factor)?;
    let value = all / 10_u64.pow(digits);
    let exact = value * 10_u64.pow(digits) == all;
    let (name, factor) =
        units.iter().rev().find(|(_, factor)| value.is_multiple_of(*factor) && value != 0)?;
    exact.then(|| format!("{}{name}", value / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: std::fmt::Debug + PartialEq>(
        parse: fn(&str) -> Result<T, Misread>,
        good: &[(&str, T)],
        bad: &[(&str, Option<&str>)],
    ) {
        for (text, value) in good {
            assert_eq!(parse(text).as_ref(), Ok(value), "{text}");
        }
        for (text, instead) in bad {
            let misread = parse(text).expect_err(text);
            assert_eq!(misread.instead.as_deref(), *instead, "{text}: {}", misread.why);
        }
    }

    #[test]
    fn sizes() {
        check(
            size,
            &[
                ("0", 0),
                ("70000", 70_000),
                ("512B", 512),
                ("64KiB", 64 << 10),
                ("1MiB", 1 << 20),
                ("2GiB", 2 << 30),
                ("16TiB", 16 << 40),
            ],
            &[
                ("64KB", Some("64KiB")),
                ("64k", Some("64KiB")),
                ("64 KiB", Some("64KiB")),
                ("1.5MiB", Some("1536KiB")),
                ("0.3KiB", None),
                ("1_000", Some("1000")),
                ("-1", None),
                ("KiB", None),
                ("", None),
                (".5KiB", None),
                ("5.", None),
                ("99999999999999999999", None),
                ("99999999TiB", None),
                ("3parsec", None),
                ("1.99999999999999999999KiB", None),
            ],
        );
    }

    #[test]
    fn durations() {
        check(
            duration,
            &[
                ("0", Duration::ZERO),
                ("0s", Duration::ZERO),
                ("200us", Duration::from_micros(200)),
                ("5ms", Duration::from_millis(5)),
                ("10s", Duration::from_secs(10)),
                ("5m", Duration::from_mins(5)),
                ("8h", Duration::from_hours(8)),
            ],
            &[
                ("5", Some("5s` or `5ms")),
                ("5 s", Some("5s")),
                ("5min", Some("5m")),
                ("2 hours", Some("2h")),
                ("1.5s", Some("1500ms")),
                ("5d", None),
                ("-5s", None),
                ("99999999999h", None),
            ],
        );
    }

    #[test]
    fn chances() {
        check(
            chance,
            &[
                ("0%", 0),
                ("5%", 50_000),
                ("0.1%", 1_000),
                ("0.0001%", 1),
                ("100%", 1_000_000),
                ("100.000000%", 1_000_000),
                ("0.05", 50_000),
                ("1", 1_000_000),
                ("0", 0),
                ("0.000001", 1),
            ],
            &[
                ("5", Some("5%")),
                ("50", Some("50%")),
                ("101%", None),
                ("500", None),
                ("0.00001%", None),
                ("0.0000001", None),
                ("-5%", None),
                ("5 %", None),
                ("%", None),
                ("often", None),
                ("99999999999999999999999%", None),
            ],
        );
    }

    #[test]
    fn shown_sizes_and_times_read_back() {
        for bytes in [0, 1, 511, 512, 1024, 70_000, 3 << 20, 16 << 40] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
        for time in [0, 1, 1_500, 2_000_000, 60_000_000_000, 90_000_000_000] {
            let time = Duration::from_nanos(time);
            assert_eq!(duration(&show_duration(time)), Ok(time));
        }
    }
}
