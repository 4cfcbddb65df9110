//! Counts and latencies of a night, added up: in any order to the same.
//!
//! What is added may come from a file that anybody has written, so no sum overflows.

use report::latency::{Latency, LatencyError};
use report::record::{Counts, LatencyRecord};
use std::collections::BTreeMap;

/// Adds what `more` counts.
pub fn add_counts(sum: &mut Counts, more: &Counts) {
    for (mine, theirs) in [
        (&mut sum.seeds_done, more.seeds_done),
        (&mut sum.operations, more.operations),
        (&mut sum.verified_operations, more.verified_operations),
        (&mut sum.bytes_written, more.bytes_written),
        (&mut sum.bytes_read, more.bytes_read),
        (&mut sum.deviations, more.deviations),
        (&mut sum.scheduling_points, more.scheduling_points),
        (&mut sum.switches, more.switches),
    ] {
        *mine = mine.saturating_add(theirs);
    }
    add_maps(&mut sum.strategies, &more.strategies);
    add_maps(&mut sum.failed_operations, &more.failed_operations);
    add_maps(&mut sum.operations_by_kind, &more.operations_by_kind);
    add_maps(&mut sum.points, &more.points);
    add_maps(&mut sum.invariants, &more.invariants);
    add_maps(&mut sum.passed_over, &more.passed_over);
    for (kind, left_out) in &more.left_out {
        let mine = sum.left_out.entry(kind.clone()).or_default();
        mine.count = mine.count.saturating_add(left_out.count);
        // The same whatever came first.
        if mine.reason.is_empty() || left_out.reason < mine.reason {
            mine.reason.clone_from(&left_out.reason);
        }
    }
    add_maps(&mut sum.unconfirmed, &more.unconfirmed);
    add_maps(&mut sum.memory, &more.memory);
    sum.unchecked.extend(more.unchecked.clone());
    sum.unchecked.retain(|name, _| sum.invariants.get(name).is_none_or(|times| *times == 0));
    add_maps(&mut sum.leeways, &more.leeways);
    for (fault, count) in &more.faults {
        let mine = sum.faults.entry(fault.clone()).or_default();
        mine.armed = mine.armed.saturating_add(count.armed);
        mine.fired = mine.fired.saturating_add(count.fired);
        mine.due_ppm = match (mine.due_ppm, count.due_ppm) {
            (Some(mine), Some(theirs)) => Some(mine.saturating_add(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
    }
}

/// Adds the histograms of `more`.
///
/// # Errors
///
/// The two count different things, or one of them is damaged.
pub fn add_latency(sum: &mut LatencyRecord, more: &LatencyRecord) -> Result<(), LatencyError> {
    if sum.kinds.is_empty() {
        sum.clone_from(more);
        return Ok(());
    }
    if more.kinds.is_empty() {
        return Ok(());
    }
    let mut latency = Latency::from_record(sum)?;
    latency.merge(&Latency::from_record(more)?)?;
    *sum = latency.to_record();
    Ok(())
}

/// Adds a trace hash, written in hex. Without one on either side there is none.
pub fn add_hash(sum: &mut Option<String>, more: Option<&String>) {
    let number = |text: &String| u64::from_str_radix(text, 16).ok();
    let both = sum.as_ref().and_then(number).zip(more.and_then(number));
    *sum = both.map(|(mine, theirs)| hash_text(mine.wrapping_add(theirs)));
}

/// A trace hash as results write it.
pub fn hash_text(hash: u64) -> String {
    format!("{hash:016x}")
}

fn add_maps(mine: &mut BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>) {
    for (name, count) in theirs {
        let mine = mine.entry(name.clone()).or_default();
        *mine = mine.saturating_add(*count);
    }
}
