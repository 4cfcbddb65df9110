//! How long operations of threads took in a night: histograms added, over all scenarios and for each.

use super::super::chart::{self, Group};
use super::super::html::Html;
use super::super::latency::rows;
use super::fold;
use crate::nightly::{OfScenario, of_threads, together};
use crate::number;
use crate::record::{LatencyRecord, Measure, Night};

/// Scenarios that have a picture of their own, and those that have a table.
const DRAWN: usize = 8;
const TOLD: usize = 40;
/// Rows of one table.
const ROWS: usize = 60;
/// Once the page has so many bytes, it has no more pictures and tables.
const BYTES: usize = 1_500_000;

/// Those of every scenario, and all of them together.
pub(super) struct Latencies {
    all: Vec<OfScenario>,
    sum: LatencyRecord,
}

/// Those of a night; none if no operation of threads ended.
pub(super) fn latencies(night: &Night) -> Option<Latencies> {
    let all = of_threads(night);
    let sum = together(&all)?;
    Some(Latencies { all, sum })
}

/// Adds the section, unless there is nothing to tell.
pub(super) fn latency(html: &mut Html, latencies: Option<&Latencies>) {
    let Some(Latencies { all, sum }) = latencies else { return };
    html.section("latency", "Latency", |html| {
        html.markup(concat!(
            "<p class=\"lead\">Of the slices that ran on real threads, by the wall clock. ",
            "Histograms were added, over slices, shards and scenarios. Slices share the machine with ",
            "nothing of this night, but shards may; compare single runs, not nights. What happened ",
            "when is kept of single runs only.</p>",
        ));
        one(html, sum, true);
        for (number, scenario) in all.iter().take(TOLD).enumerate() {
            html.element("details", &[("class", "more")], |html| {
                let OfScenario { name, latency, .. } = scenario;
                let service = latency.kinds.iter().filter(|row| row.measure == Measure::Service);
                let n = number::sum(service.map(|row| row.n));
                let told = format!("{}: {}", fold(name), number::counted(n, "operation"));
                html.line("summary", "", &told);
                one(html, latency, number < DRAWN);
            });
        }
        if let Some(rest @ 1..) = all.len().checked_sub(TOLD) {
            html.line("p", "note", &format!("{rest} more scenarios are in latency.hlog."));
        }
    });
}

fn one(html: &mut Html, latency: &LatencyRecord, is_drawn: bool) {
    if BYTES < html.len() {
        html.line("p", "note", "This page is full: these latencies are in latency.hlog.");
        return;
    }
    let struck = latency.kinds.iter().any(|row| row.faulted);
    if is_drawn {
        let about = if struck { "Operations that no fault struck" } else { "All operations" };
        chart::chart(html, latency, &Group { about, faulted: false });
        let about = "Operations that a fault struck";
        chart::chart(html, latency, &Group { about, faulted: true });
    }
    let hidden = latency.kinds.len().saturating_sub(ROWS);
    let shown = LatencyRecord {
        kinds: latency.kinds.iter().take(ROWS).cloned().collect(),
        ..latency.clone()
    };
    rows(html, &shown, struck);
    if 0 < hidden {
        html.line("p", "note", &format!("{hidden} more rows are in latency.hlog."));
    }
}
