//! What two simulated runs counted: they have no speed, but they do equal work for equal seeds.

use serde::Serialize;

use crate::number;
use crate::record::Record;

/// Something that was counted differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// What was counted.
    pub what: String,
    /// In the first run.
    pub a: u64,
    /// In the second.
    pub b: u64,
}

pub(super) fn totals(a: &Record, b: &Record) -> Vec<Total> {
    let (a, b) = (counted(a), counted(b));
    let mut names: Vec<&String> = a.iter().map(|(name, _)| name).collect();
    names.extend(b.iter().map(|(name, _)| name).filter(|name| a.iter().all(|(it, _)| it != *name)));
    let of = |all: &[(String, u64)], name: &String| {
        all.iter().find(|(it, _)| it == name).map_or(0, |(_, count)| *count)
    };
    let total = |name: &String| Total { what: name.clone(), a: of(&a, name), b: of(&b, name) };
    names.into_iter().map(total).filter(|total| total.a != total.b).collect()
}

fn counted(record: &Record) -> Vec<(String, u64)> {
    let counts = &record.counts;
    let schedules = record.explored.as_ref().map_or(0, |explored| explored.schedules);
    let own = [
        ("seeds", counts.seeds_done),
        ("schedules", schedules),
        ("operations", counts.operations),
        ("verified operations", counts.verified_operations),
        ("failed operations", number::sum(counts.failed_operations.values().copied())),
        ("bytes written", counts.bytes_written),
        ("bytes read", counts.bytes_read),
        ("deviations", counts.deviations),
        ("scheduling points", counts.scheduling_points),
        ("switches", counts.switches),
    ];
    let kinds =
        counts.operations_by_kind.iter().map(|(kind, n)| (format!("{kind} operations"), *n));
    let faults = counts.faults.iter();
    let faults = faults.map(|(kind, fault)| (format!("{kind} faults fired"), fault.fired));
    own.into_iter().map(|(name, n)| (name.to_owned(), n)).chain(kinds).chain(faults).collect()
}
