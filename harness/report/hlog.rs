//! Latencies as the log of `HdrHistogram`, which its plotters and readers take.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::latency::decode;
use crate::record::{Clock, LatencyRow, Record};

/// Nanoseconds in a millisecond: the log tells the maximum of each line in milliseconds.
const MILLISECOND: f64 = 1e6;

/// The log of a run by the wall clock: one line a row of its latencies, over the whole run, tagged
/// `write.service.ok` or `write.response.error.faulted`. None where time was simulated.
pub fn log(record: &Record) -> Option<String> {
    if record.latency.clock != Clock::Wall {
        return None;
    }
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Logged by pagestorm, in nanoseconds; times count from the start of the run]")
        .with_max_value_divisor(MILLISECOND)
        .begin_log_with(&mut bytes, &mut serializer)
        .expect("memory takes every byte");
    let elapsed = Duration::from_millis(record.timing.elapsed_ms);
    for row in record.latency.kinds.iter().chain(&record.latency.lag) {
        let Ok(Some(histogram)) = decode(row) else { continue };
        let name = tag(row);
        let tag = Tag::new(&name);
        log.write_histogram(&histogram, Duration::ZERO, elapsed, tag)
            .expect("memory takes every byte, and counts are far below 2^63");
    }
    Some(String::from_utf8(bytes).expect("the log is text"))
}

/// The tag of a row. Whatever would end a tag, or is no ASCII, becomes `_`.
fn tag(row: &LatencyRow) -> String {
    let operation = row.operation.chars();
    let name: String =
        operation.map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let faulted = if row.faulted { ".faulted" } else { "" };
    format!("{name}.{}.{}{faulted}", row.measure.name(), row.outcome.name())
}
