//! Latencies as the log of `HdrHistogram`, which its plotters and readers take.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::latency::decode;
use crate::nightly::of_threads;
use crate::record::{Clock, LatencyRecord, LatencyRow, Night, Record};

/// Nanoseconds in a millisecond: the log tells the maximum of each line in milliseconds.
const MILLISECOND: f64 = 1e6;

/// The log of a run by the wall clock: one line a row of its latencies, over the whole run, tagged
/// `write.service.ok` or `write.response.error.faulted`. None where time was simulated.
pub fn log(record: &Record) -> Option<String> {
    if record.latency.clock != Clock::Wall {
        return None;
    }
    let elapsed = Duration::from_millis(record.timing.elapsed_ms);
    Some(written("run", elapsed, &[(None, &record.latency)]))
}

/// The log of a night: the same for every scenario that ran on threads, each tag with its name before
/// it, `smoke.write.service.ok`. None if none did.
pub fn night(night: &Night) -> Option<String> {
    let all = of_threads(night);
    let elapsed = night.shards.iter().map(|state| state.elapsed_ms).max().unwrap_or(0);
    let rows: Vec<_> = all.iter().map(|one| (Some(one.name.as_str()), &one.latency)).collect();
    (!rows.is_empty()).then(|| written("night", Duration::from_millis(elapsed), &rows))
}

fn written(what: &str, elapsed: Duration, all: &[(Option<&str>, &LatencyRecord)]) -> String {
    let (mut bytes, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let about =
        format!("[Logged by pagestorm, in nanoseconds; times count from the start of the {what}]");
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment(&about)
        .with_max_value_divisor(MILLISECOND)
        .begin_log_with(&mut bytes, &mut serializer)
        .expect("memory takes every byte");
    for (scenario, latency) in all {
        for row in latency.kinds.iter().chain(&latency.lag) {
            let Ok(Some(histogram)) = decode(row) else { continue };
            let name = tag(*scenario, row);
            let tag = Tag::new(&name);
            log.write_histogram(&histogram, Duration::ZERO, elapsed, tag)
                .expect("memory takes every byte, and counts are far below 2^63");
        }
    }
    String::from_utf8(bytes).expect("the log is text")
}

/// The tag of a row. Whatever would end a tag, or is no ASCII, becomes `_`.
fn tag(scenario: Option<&str>, row: &LatencyRow) -> String {
    let fit = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    let scenario = scenario.map(|name| fit(name) + ".").unwrap_or_default();
    let faulted = if row.faulted { ".faulted" } else { "" };
    let name = fit(&row.operation);
    format!("{scenario}{name}.{}.{}{faulted}", row.measure.name(), row.outcome.name())
}
