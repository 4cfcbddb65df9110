//! Latencies of a night: the histograms of its parts, added.

use std::collections::BTreeMap;

use crate::latency::Latency;
use crate::record::{Clock, LatencyRecord, Night, Part, World};

/// The latencies of one scenario on threads, over all shards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfScenario {
    /// Its name.
    pub(crate) name: String,
    /// Its latencies, with their histograms.
    pub(crate) latency: LatencyRecord,
}

/// Those of every scenario that ran on threads, in their order. What is damaged is not among them.
pub(crate) fn of_threads(night: &Night) -> Vec<OfScenario> {
    let mut all: BTreeMap<(&str, &str), Vec<&Part>> = BTreeMap::new();
    for part in night.parts.iter().filter(|part| part.world == World::Threads) {
        all.entry((&part.name, &part.text_hash)).or_default().push(part);
    }
    let sum = |((name, _), parts): ((&str, &str), Vec<&Part>)| {
        let latency = sum(parts.iter().map(|part| &part.latency))?;
        Some(OfScenario { name: name.to_owned(), latency })
    };
    all.into_iter().filter_map(sum).collect()
}

/// All of these together; none if there are none.
pub(crate) fn together(all: &[OfScenario]) -> Option<LatencyRecord> {
    sum(all.iter().map(|one| &one.latency))
}

fn sum<'a>(records: impl Iterator<Item = &'a LatencyRecord>) -> Option<LatencyRecord> {
    let mut sum = Latency::new(Clock::Wall);
    for record in records {
        let latency = Latency::from_record(record).ok();
        let added = latency.map(|latency| sum.merge(&latency));
        if !matches!(added, Some(Ok(()))) {
            return None;
        }
    }
    let sum = sum.to_record();
    (!sum.kinds.is_empty()).then_some(sum)
}
