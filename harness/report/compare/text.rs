//! A comparison as text for a terminal.

use std::fmt::Write;

use super::{Comparison, Difference, Failures, Figure, Judged};
use crate::number;
use crate::record::Clock;
use crate::visible;

/// What the intervals are about, for whoever acts on one.
const COVERED: &str = "intervals: chance within these two runs only, as if operations were independent. The same program \
                       run again differs by more: repeat both sides, and believe what all pairs show";

/// Ends with a newline.
pub fn text(comparison: &Comparison) -> String {
    let mut out = Lines(String::new());
    for Difference { what, a, b } in &comparison.differences {
        out.line(&format!("not the same {what}: {a} | {b}"));
    }
    for figure in &comparison.latency {
        out.line(&latency(figure));
    }
    if let Some(throughput) = &comparison.throughput {
        let [a, b] = [throughput.a, throughput.b].map(number::count);
        let change = change(throughput);
        out.line(&format!("throughput: {a} -> {b} operations/s ({change})"));
        let figures = &comparison.latency;
        if figures.is_empty() {
            out.line("latency: no kind of operation has enough of them in both runs");
        } else if figures.iter().all(|it| it.interval.is_some_and(super::Interval::holds_zero)) {
            out.line("latency: no change that is sure");
        }
    }
    for total in &comparison.totals {
        let [a, b] = [total.a, total.b].map(number::count);
        out.line(&format!("{}: {a} -> {b}", total.what));
    }
    if comparison.differences.iter().any(|difference| difference.what == "world") {
        out.line("latency and counts: nothing that two worlds have in common");
    } else if comparison.throughput.is_none() && comparison.totals.is_empty() {
        out.line("counts: no change");
    }
    if comparison.latency.iter().chain(&comparison.throughput).any(|it| it.interval.is_some()) {
        out.line(COVERED);
    }
    failures(&mut out, &comparison.failures);
    for gate in &comparison.gates {
        out.line(&judged(gate));
    }
    out.0
}

struct Lines(String);

impl Lines {
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{}", visible::line(text)).expect("memory takes every byte");
    }
}

/// `p99 write: 33 us -> 41 us (+24 %, 95 % CI 18 .. 31 %)`, with the sign of microseconds.
fn latency(figure: &Figure) -> String {
    let Figure { metric, operations, a, b, .. } = figure;
    let operations = operations.as_deref().unwrap_or("all");
    let [a, b] = [*a, *b].map(|value| number::latency(Clock::Wall, value));
    format!("{metric} {operations}: {a} -> {b} ({})", change(figure))
}

/// By how much, and how sure that is.
fn change(figure: &Figure) -> String {
    let sure = match figure.interval {
        Some(interval) => {
            let [low, high] = [interval.low, interval.high].map(plain);
            let none = if interval.holds_zero() { "; may be none" } else { "" };
            format!("95 % CI {low} .. {high} %{none}")
        }
        None => "no interval known".to_owned(),
    };
    format!("{} %, {sure}", percent(figure.change))
}

/// With a sign, and decimals only where they say something.
fn percent(value: f64) -> String {
    let text = plain(value);
    if text.starts_with('-') || text == "0" { text } else { format!("+{text}") }
}

fn plain(value: f64) -> String {
    let text = if value.abs() < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn failures(out: &mut Lines, failures: &Failures) {
    let Failures { new, ongoing, resolved } = failures;
    for (what, signatures) in [("new", new), ("ongoing", ongoing), ("resolved", resolved)] {
        for signature in signatures {
            out.line(&format!("{what} failure: {signature}"));
        }
    }
    if new.is_empty() && ongoing.is_empty() && resolved.is_empty() {
        out.line("failures: none in either run");
    }
}

fn judged(gate: &Judged) -> String {
    let Judged { gate, judged, missed } = gate;
    match (judged, &missed[..]) {
        (0, _) => {
            format!(
                "gate {gate}: NOT JUDGED, no figure has an interval (too few operations, or too short?)"
            )
        }
        (judged, []) => {
            let figures = number::counted(u64::try_from(*judged).unwrap_or(u64::MAX), "figure");
            format!("gate {gate}: kept by {figures}")
        }
        (_, missed) => format!("gate {gate}: MISSED by {}", missed.join(", ")),
    }
}
