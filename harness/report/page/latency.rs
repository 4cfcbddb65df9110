//! Latency told honestly: what the figures count, percentiles only where they mean something.

use super::chart::{self, Group};
use super::heat;
use super::html::Html;
use super::table::{Cell, Column, numbers, table, words};
use super::throughput;
use crate::number;
use crate::record::{Clock, LatencyRecord, LatencyRow, Measure, Outcome, Record, Timeline};

/// Adds the section.
pub(super) fn latency(html: &mut Html, record: &Record) {
    let latency = &record.latency;
    html.section("latency", "Latency", |html| {
        if latency.kinds.is_empty() {
            html.markup("<p>No operation ended, so there is nothing to tell.</p>");
            return;
        }
        html.markup(lead(record));
        let struck = latency.kinds.iter().any(|row| row.faulted);
        let about = if struck { "Operations that no fault struck" } else { "All operations" };
        chart::chart(html, latency, &Group { about, faulted: false });
        chart::chart(
            html,
            latency,
            &Group { about: "Operations that a fault struck", faulted: true },
        );
        if let Some(timeline) = &record.timeline {
            heat::heat(html, timeline, Measure::Response);
            heat::heat(html, timeline, Measure::Service);
        }
        rows(html, latency, struck);
        notes(html, record);
    });
    if let Some(timeline) = &record.timeline {
        html.section("throughput", "Throughput", |html| throughput::throughput(html, timeline));
    }
}

/// What the figures are.
fn lead(record: &Record) -> &'static str {
    match record.latency.clock {
        Clock::Steps => concat!(
            "<p class=\"lead\">Scheduling steps from the start of an operation to its end. ",
            "Time was simulated: these figures say how often an operation could be ",
            "interrupted, and nothing about speed.</p>",
        ),
        Clock::Wall if has_schedule(&record.latency) => concat!(
            "<p class=\"lead\">By the wall clock. Actors with a <code>rate</code> have a schedule ",
            "(open loop): each operation has an intended start, and one that comes late does not ",
            "move the next. <em>Response time</em> counts from the intended start, so it contains ",
            "the wait behind slow operations; <em>service time</em> counts from the actual one. ",
            "Of actors without a rate there is service time only.</p>",
        ),
        Clock::Wall => concat!(
            "<p class=\"lead\">Service time by the wall clock, from the start of an operation ",
            "to its end (closed loop: actors start the next operation when the last one has ended, ",
            "so waiting behind a slow operation is not included). Give actors a <code>rate</code> ",
            "to see response times.</p>",
        ),
    }
}

fn has_schedule(latency: &LatencyRecord) -> bool {
    latency.kinds.iter().any(|row| row.measure == Measure::Response)
}

/// The table of them, with what its columns mean.
pub(super) fn rows(html: &mut Html, latency: &LatencyRecord, struck: bool) {
    let failed = latency.kinds.iter().any(|row| row.outcome == Outcome::Error);
    let shows = Shows { measure: has_schedule(latency), outcome: failed, faults: struck };
    let lag = latency.lag.iter();
    let rows = latency.kinds.iter().chain(lag).map(|row| shows.cells(latency.clock, row)).collect();
    let (columns, rows, left_out) = without_empty(shows.columns(), rows);
    let caption = format!("Latency per operation kind ({})", number::unit(latency.clock));
    table(html, &caption, &columns, &rows);
    html.markup(concat!(
        "<p class=\"note\">A dot stands where fewer than ten operations lie beyond the ",
        "percentile: too few to tell it from luck.",
    ));
    if left_out {
        html.markup(" A percentile without a column has too few of every kind.");
    }
    if struck {
        html.markup(concat!(
            " <em>Struck</em>: a fault met the operation itself. Its source fell short, its write ",
            "fault was given up, it was delayed at a point, or a request for bytes of its folios ",
            "failed or was delayed and ended meanwhile.",
        ));
    }
    if !failed {
        html.markup(" No operation failed.");
    }
    if shows.measure {
        html.markup(concat!(
            " <em>Lag</em>: how late operations began after their intended start, over all that ",
            "have one.",
        ));
    }
    html.markup("</p>");
}

/// The columns in which some row has something, the rows without the others, and whether there are others.
fn without_empty(
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
) -> (Vec<Column>, Vec<Vec<Cell>>, bool) {
    let is_full = |at: usize| {
        rows.iter().any(|row| row.get(at).is_some_and(|cell| !matches!(cell, Cell::Missing(_))))
    };
    let full: Vec<bool> = (0..columns.len()).map(is_full).collect();
    let left_out = full.contains(&false);
    let columns = kept(columns, &full);
    (columns, rows.into_iter().map(|row| kept(row, &full)).collect(), left_out)
}

fn kept<T>(all: Vec<T>, full: &[bool]) -> Vec<T> {
    all.into_iter().zip(full).filter_map(|(one, full)| full.then_some(one)).collect()
}

/// The columns that not every table needs.
struct Shows {
    measure: bool,
    outcome: bool,
    faults: bool,
}

impl Shows {
    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![words("Operation")];
        columns.extend(self.measure.then_some(words("Time")));
        columns.extend(self.outcome.then_some(words("Outcome")));
        columns.extend(self.faults.then_some(words("Faults")));
        let figures = ["n", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max", "p99.9 / p50"];
        columns.extend(figures.map(numbers));
        columns
    }

    fn cells(&self, clock: Clock, row: &LatencyRow) -> Vec<Cell> {
        let word = |word: &str| Cell::Text(word.to_owned());
        let outcome = match row.outcome {
            _ if row.measure == Measure::Lag => "any",
            Outcome::Ok => "ok",
            Outcome::Error => "error",
        };
        let faults = match (row.measure, row.faulted) {
            (Measure::Lag, _) => "any",
            (_, true) => "struck",
            (_, false) => "none",
        };
        let mut cells = vec![Cell::Name(row.operation.clone())];
        cells.extend(self.measure.then(|| word(row.measure.name())));
        cells.extend(self.outcome.then(|| word(outcome)));
        cells.extend(self.faults.then(|| word(faults)));
        cells.extend(figures(clock, row));
        cells
    }
}

fn figures(clock: Clock, row: &LatencyRow) -> Vec<Cell> {
    let value = |value| Cell::Text(number::latency(clock, value));
    let percentile =
        |percentile: Option<u64>| percentile.map_or(Cell::Missing("too few operations"), value);
    let tail = match (row.p50, row.p999) {
        _ if row.measure == Measure::Lag => Cell::Missing("a schedule that is kept has no lag"),
        (Some(p50), Some(p999)) if p50 > 0 => {
            Cell::Text(format!("{:.1}\u{d7}", number::float(p999) / number::float(p50)))
        }
        (Some(_), Some(_)) => Cell::Missing("no ratio to zero"),
        _ => Cell::Missing("too few operations"),
    };
    vec![
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

/// How the figures came about.
fn notes(html: &mut Html, record: &Record) {
    let Some(timeline) = &record.timeline else { return };
    html.element("ul", &[("class", "notes note")], |html| {
        if let Some(share) = record.timing.oracle_share {
            let share = number::percent(share);
            html.line(
                "li",
                "",
                &format!(
                    "The oracle took {share} of the time that actors spent in calls. No latency \
                 contains what it took of the operation itself."
                ),
            );
        }
        html.line("li", "", &halts(timeline, has_schedule(&record.latency)));
        if has_schedule(&record.latency) {
            html.line("li", "", &overdue(timeline));
        }
        html.line("li", "", &clock(record));
        html.line("li", "", &processors(record, timeline));
        html.line("li", "", "Nothing was cut off as warm-up: every operation counts.");
    });
}

fn halts(timeline: &Timeline, open_loop: bool) -> String {
    let halted = number::elapsed(timeline.halted_ms);
    let rest = if open_loop { "; schedules stand still meanwhile" } else { "" };
    format!(
        "All actors were halted between two operations for {halted} in total, so that everything \
         could be checked while nothing moved{rest}."
    )
}

/// What a schedule had left when time was up: their response times are nowhere.
fn overdue(timeline: &Timeline) -> String {
    match timeline.overdue {
        0 => "No operation was due and had not begun when time was up.".to_owned(),
        n => format!(
            "{} due when time was up and never began: no figure contains what {} would have taken.",
            if n == 1 {
                "1 operation was".to_owned()
            } else {
                format!("{} operations were", number::count(n))
            },
            if n == 1 { "it" } else { "they" }
        ),
    }
}

fn clock(record: &Record) -> String {
    let machine = &record.environment;
    let source = machine.clock_source.as_deref().unwrap_or("unknown");
    let step = machine.clock_resolution_ns;
    let step = step.map_or("unknown".to_owned(), |step| number::latency(Clock::Wall, step));
    let governor = machine.governor.as_deref().unwrap_or("unknown");
    format!(
        "Clock: CLOCK_MONOTONIC from {source}, resolution {step}. Frequency governor: {governor}."
    )
}

fn processors(record: &Record, timeline: &Timeline) -> String {
    let tasks = timeline.actors.saturating_add(timeline.workers);
    let workers = match timeline.workers {
        0 => String::new(),
        workers => format!(" and {} of the device", number::counted(workers, "worker")),
    };
    let who = format!("{}{workers}", number::counted(timeline.actors, "actor"));
    match record.environment.cores.map(u64::from) {
        Some(cores) if cores < tasks => format!(
            "{who} on {}: oversubscribed, so latencies contain waits for a processor.",
            number::counted(cores, "processor")
        ),
        Some(cores) => format!("{who} on {}.", number::counted(cores, "processor")),
        None => format!("{who}; how many processors they had is unknown."),
    }
}
