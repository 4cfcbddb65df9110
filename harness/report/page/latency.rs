//! Latency told honestly: what the figures count, percentiles only where they mean something.

use super::chart;
use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{Clock, LatencyRow, Outcome, Record};

/// Adds the section.
pub(super) fn latency(html: &mut Html, record: &Record) {
    let latency = &record.latency;
    html.section("latency", "Latency", |html| {
        if latency.kinds.is_empty() {
            html.markup("<p>No operation ended, so there is nothing to tell.</p>");
            return;
        }
        html.markup(match latency.clock {
            Clock::Wall => concat!(
                "<p class=\"lead\">Service time by the wall clock, from the start of an operation ",
                "to its end. Actors start the next operation when the last one has ended, so time ",
                "in a queue is not included.</p>",
            ),
            Clock::Steps => concat!(
                "<p class=\"lead\">Scheduling steps from the start of an operation to its end. ",
                "Time was simulated: these figures say how often an operation could be ",
                "interrupted, and nothing about speed.</p>",
            ),
        });
        chart::chart(html, latency);
        let rows: Vec<_> = latency.kinds.iter().map(|row| cells(latency.clock, row)).collect();
        let columns = [
            words("Operation"),
            words("Outcome"),
            numbers("n"),
            numbers("min"),
            numbers("p50"),
            numbers("p90"),
            numbers("p99"),
            numbers("p99.9"),
            numbers("p99.99"),
            numbers("max"),
            numbers("p99.9 / p50"),
        ];
        let caption = format!("Latency per operation kind ({})", number::unit(latency.clock));
        table(html, &caption, &columns, &rows);
        html.markup(concat!(
            "<p class=\"note\">A dot stands where fewer than ten operations lie beyond the ",
            "percentile: too few to tell it from luck.</p>",
        ));
    });
}

fn cells(clock: Clock, row: &LatencyRow) -> Vec<Cell> {
    let value = |value| Cell::Text(number::latency(clock, value));
    let percentile =
        |percentile: Option<u64>| percentile.map_or(Cell::Missing("too few operations"), value);
    let tail = match (row.p50, row.p999) {
        (Some(p50), Some(p999)) if p50 > 0 => {
            Cell::Text(format!("{:.1}\u{d7}", number::float(p999) / number::float(p50)))
        }
        (Some(_), Some(_)) => Cell::Missing("no ratio to zero"),
        _ => Cell::Missing("too few operations"),
    };
    let outcome = match row.outcome {
        Outcome::Ok => "ok",
        Outcome::Error => "error",
    };
    vec![
        Cell::Name(row.operation.clone()),
        Cell::Text(outcome.to_owned()),
        Cell::Text(number::count(row.n)),
        value(row.min),
        percentile(row.p50),
        percentile(row.p90),
        percentile(row.p99),
        percentile(row.p999),
        percentile(row.p9999),
        value(row.max),
        tail,
    ]
}
