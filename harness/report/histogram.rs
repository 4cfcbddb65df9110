//! Histograms as text: `HdrHistogram`'s V2 encoding, deflated, in base64; decoded with suspicion.
//!
//! The decoder of the library trusts its input: it allocates what the header says and adds counts
//! without looking for overflow. So everything it would rely on is checked here first.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer, V2Serializer};

/// Sixty seconds in nanoseconds. Slower operations count as this; their row keeps the exact
/// maximum.
pub(crate) const HIGHEST: u64 = 60_000_000_000;

/// Operations in one histogram at most: a count is written with a sign.
pub(crate) const MOST: u64 = u64::MAX >> 1;

/// Three significant digits: a figure is off by at most 0.1 %.
const DIGITS: u8 = 3;

/// The bytes of a V2 header: cookie, length of the counts, then five fields that never change.
const HEADER: usize = 40;

/// The bytes before what is deflated: cookie and length.
const WRAPPING: usize = 8;

/// The most bytes that one count takes.
const WIDEST: usize = 9;

/// A histogram that grows as larger values come. A fast kind of operation needs 16 KiB instead
/// of the 220 KiB that all sixty seconds need.
pub(crate) fn growing() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("three digits are fewer than the five allowed")
}

/// The text of a histogram. Equal counts give equal text, however they came together.
pub(crate) fn encode(histogram: &Histogram<u64>) -> String {
    let mut canonical = full();
    canonical.add(histogram).expect("recorded values are at most the highest");
    STANDARD.encode(deflate(&canonical))
}

/// The histogram in `text`, which has to hold `n` values.
pub(crate) fn decode(text: &str, n: u64) -> Result<Histogram<u64>, String> {
    let packed = STANDARD.decode(text).map_err(|error| format!("base64: {error}"))?;
    let empty = full();
    let bytes = inflate(&packed, &empty).ok_or("not a deflated histogram")?;
    let ours = serialize(&empty);
    let fixed = |bytes: &[u8]| Some((bytes.get(..4)?.to_vec(), bytes.get(8..HEADER)?.to_vec()));
    if fixed(&bytes).is_none() || fixed(&bytes) != fixed(&ours) {
        return Err("not a V2 histogram of 3 digits up to 60e9".to_owned());
    }
    let (header, counts) = bytes.split_at(HEADER);
    if u32::try_from(counts.len()).map(u32::to_be_bytes).ok().as_ref().map(<[u8; 4]>::as_slice)
        != header.get(4..8)
    {
        return Err("the histogram is cut short".to_owned());
    }
    let total = total(counts, empty.distinct_values())
        .filter(|total| *total <= MOST)
        .ok_or("the histogram holds counts that cannot be")?;
    if total != n {
        return Err(format!("the histogram holds {total} values and the row says {n}"));
    }
    Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| error.to_string())
}

fn full() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST, DIGITS).expect("1 is less than half of the highest")
}

fn serialize(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .expect("counts are far below 2^63 and memory takes every byte");
    bytes
}

fn deflate(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("counts are far below 2^63 and memory takes every byte");
    bytes
}

/// What was deflated, if it is wrapped as ours and no longer than a histogram like `empty` can be.
fn inflate(packed: &[u8], empty: &Histogram<u64>) -> Option<Vec<u8>> {
    let (wrapping, deflated) = packed.split_at_checked(WRAPPING)?;
    let length = u32::try_from(deflated.len()).ok()?.to_be_bytes();
    if wrapping[..4] != deflate(empty)[..4] || wrapping[4..] != length {
        return None;
    }
    let most = HEADER + WIDEST * empty.distinct_values();
    let mut bytes = Vec::new();
    let mut rest = ZlibDecoder::new(deflated).take(u64::try_from(most).ok()? + 1);
    rest.read_to_end(&mut bytes).ok()?;
    (bytes.len() <= most).then_some(bytes)
}

/// The sum of the counts, if all of them lie within `slots` and the sum is a number.
fn total(mut counts: &[u8], slots: usize) -> Option<u64> {
    let (mut slot, mut total) = (0_usize, 0_u64);
    while !counts.is_empty() {
        let zigzag = varint(&mut counts)?;
        // Odd numbers are negative: that many slots are empty.
        let half = zigzag >> 1;
        if zigzag & 1 == 1 {
            slot = slot.checked_add(usize::try_from(half.checked_add(1)?).ok()?)?;
        } else {
            total = total.checked_add(half)?;
            slot += 1;
        }
        if slot > slots {
            return None;
        }
    }
    Some(total)
}

/// Takes one number off the front: seven bits a byte, lowest first; a ninth byte holds eight.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for index in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some(value | (u64::from(byte) << 56));
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::{HIGHEST, decode, deflate, encode, full, growing, inflate};

    fn sample() -> (String, u64) {
        let mut histogram = growing();
        for value in [0, 1, 1, 7, 2_047, 2_048, 1_000_003, HIGHEST] {
            histogram.record_n(value, 300).unwrap();
        }
        (encode(&histogram), histogram.len())
    }

    #[test]
    fn what_was_encoded_decodes_to_equal_counts() {
        let (text, n) = sample();
        let back = decode(&text, n).unwrap();
        assert_eq!(encode(&back), text);
        assert_eq!(back.count_at(1), 600);
    }

    /// Wraps the bytes of a V2 histogram as they are wrapped in a record.
    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(bytes).unwrap();
        let deflated = deflated.finish().unwrap();
        let length = u32::try_from(deflated.len()).unwrap().to_be_bytes();
        [&deflate(&full())[..4], &length, &deflated].concat()
    }

    fn unpacked(text: &str) -> Vec<u8> {
        inflate(&STANDARD.decode(text).unwrap(), &full()).unwrap()
    }

    #[test]
    fn damage_is_an_error() {
        let (text, n) = sample();
        let (wrapped, good) = (STANDARD.decode(&text).unwrap(), unpacked(&text));
        assert_eq!(packed(&good), wrapped);
        let decoded = |bytes: &[u8]| decode(&STANDARD.encode(bytes), n);
        let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            decoded(&packed(&bytes)).expect_err("damage was not noticed")
        };
        let reasons = [
            decode("?", n).expect_err("no base64"),
            decode("", n).expect_err("empty"),
            decode(&text, n + 1).expect_err("another number of values"),
            decoded(&good).expect_err("not deflated"),
            decoded(&wrapped[..wrapped.len() - 1]).expect_err("cut short"),
            decoded(&packed(&vec![0; 10_000_000])).expect_err("ten megabytes in a few kilobytes"),
            damaged(&|bytes| bytes[0] ^= 1),
            damaged(&|bytes| bytes[15] = 5),
            damaged(&|bytes| bytes[24] = 0xff),
            damaged(&|bytes| bytes.truncate(41)),
            damaged(&|bytes| bytes.push(0)),
            // A claim of four gigabytes of counts.
            damaged(&|bytes| bytes[4..8].fill(0xff)),
            // The most negative number of empty slots.
            damaged(&|bytes| bytes[40..49].fill(0xff)),
            // A number that never ends.
            damaged(&|bytes| *bytes.last_mut().unwrap() = 0x80),
        ];
        assert!(reasons.iter().all(|reason| !reason.is_empty()), "{reasons:?}");
    }

    #[test]
    fn no_damage_panics() {
        let (text, n) = sample();
        let (wrapped, good) = (STANDARD.decode(&text).unwrap(), unpacked(&text));
        let damaged = |good: &[u8], wrap: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            for place in 0..good.len() {
                for bits in [0x01, 0x7f, 0x80, 0xff] {
                    let mut bytes = good.to_vec();
                    bytes[place] ^= bits;
                    // Some damage leaves another histogram of as many values; it has to be usable.
                    if let Ok(histogram) = decode(&STANDARD.encode(wrap(bytes)), n) {
                        assert_eq!(histogram.len(), n, "byte {place}");
                    }
                }
            }
        };
        damaged(&good, &|bytes| packed(&bytes));
        damaged(&wrapped, &|bytes| bytes);
    }
}
