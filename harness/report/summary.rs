//! The text that a terminal prints at the end of a run: plain, 80 columns.

use std::fmt::Write;

use crate::number;
use crate::record::{LedStep, Record, Violation, World, hit, leads};
use crate::{reproduce, visible};

/// Columns of a terminal that nobody has widened.
const WIDTH: usize = 80;
/// Violations that are shown; the page has the others.
const VIOLATIONS: usize = 5;
/// Lines of latency that are shown, the most frequent kinds first.
const LATENCIES: usize = 6;
/// Characters of a name that are shown in a table.
const NAME: usize = 24;
/// Characters of evidence that are shown.
const EVIDENCE: usize = 400;

/// The summary, ending with a newline. Only a reproduce line may be wider than the terminal,
/// because a wrapped command cannot be copied.
pub fn summary(record: &Record) -> String {
    let mut text = String::new();
    verdict(&mut text, record);
    counts(&mut text, record);
    faults(&mut text, record);
    left_out(&mut text, record);
    never(&mut text, record);
    latency(&mut text, record);
    explored(&mut text, record);
    led(&mut text, record);
    violations(&mut text, record);
    if record.violations.is_empty() && !record.verdict.as_expected {
        line(&mut text, &format!("reproduce with: {}", reproduce::run(record)));
    }
    text
}

fn verdict(text: &mut String, record: &Record) {
    let verdict = &record.verdict;
    let headline = format!("{}: {}", record.scenario.name, verdict.kind.title().to_lowercase());
    let expectation = if verdict.as_expected {
        ", as expected".to_owned()
    } else {
        format!(", but expected: {}", verdict.expected)
    };
    wrapped(text, "", &format!("{headline}{expectation}"));
    wrapped(text, "  ", &verdict.sentence);
    line(text, "");
}

/// Two aligned columns of figures.
fn counts(text: &mut String, record: &Record) {
    let (counts, timing) = (&record.counts, &record.timing);
    let failed = number::sum(counts.failed_operations.values().copied());
    let mut left = vec![
        ("operations", number::count(counts.operations)),
        ("verified", number::count(counts.verified_operations)),
        ("failed", number::count(failed)),
    ];
    let mut right = vec![
        ("written", number::bytes(counts.bytes_written)),
        ("read", number::bytes(counts.bytes_read)),
        ("elapsed", number::elapsed(timing.elapsed_ms)),
    ];
    if record.world == World::Simulated {
        match &record.explored {
            Some(explored) => left.push(("schedules", number::count(explored.schedules))),
            None => left.push(("seeds", number::count(counts.seeds_done))),
        }
        right.push(("switches", number::count(counts.switches)));
    }
    if counts.deviations > 0 {
        left.push(("deviations", number::count(counts.deviations)));
        right.push(("seed", record.seed.first.to_string()));
    }
    for ((name, value), (other_name, other)) in left.iter().zip(&right) {
        line(text, &format!("  {name:<12}{value:>18}    {other_name:<12}{other:>18}"));
    }
    line(text, "");
}

fn faults(text: &mut String, record: &Record) {
    if record.counts.faults.is_empty() {
        return;
    }
    line(text, &format!("  {:<24}{:>14}{:>14}", "faults", "armed", "fired"));
    for (kind, fault) in &record.counts.faults {
        let [armed, fired] = [fault.armed, fault.fired].map(number::count);
        let remark = if fault.fired == 0 { "  never fired" } else { "" };
        line(text, &format!("    {:<22}{armed:>14}{fired:>14}{remark}", name(kind, 21)));
    }
    line(text, "");
}

/// What the filesystem cannot do.
fn left_out(text: &mut String, record: &Record) {
    let all = &record.counts.left_out;
    if all.is_empty() {
        return;
    }
    line(text, &format!("  {:<24}{:>14}", "left out", "drawn"));
    for (kind, left) in all {
        let (name, count) = (name(kind, 21), number::count(left.count));
        let reason = visible::clipped(&left.reason, 36).0;
        line(text, &format!("    {name:<22}{count:>14}  {reason}"));
    }
    line(text, "");
}

/// What was never exercised: a clean verdict says nothing about it.
fn never(text: &mut String, record: &Record) {
    let counts = &record.counts;
    let groups = [("never reached", &counts.points), ("never checked", &counts.invariants)];
    let mut any = false;
    let with_reason = |name: &String| match counts.unchecked.get(name) {
        Some(why) => format!("{name} ({why})"),
        None => name.clone(),
    };
    for (what, counts) in groups {
        let names: Vec<_> =
            counts.iter().filter(|(_, n)| **n == 0).map(|(name, _)| with_reason(name)).collect();
        if !names.is_empty() {
            wrapped(text, "  ", &format!("{what}: {}", names.join(", ")));
            any = true;
        }
    }
    if any {
        line(text, "");
    }
}

fn latency(text: &mut String, record: &Record) {
    let latency = &record.latency;
    let mut rows: Vec<_> = latency.kinds.iter().collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.n));
    let heading = format!("latency ({})", number::unit(latency.clock));
    line(text, &columns(&heading, ["n", "p50", "p99", "p99.9", "max"].map(str::to_owned)));
    for row in rows.iter().take(LATENCIES) {
        let value = |value| number::latency(latency.clock, value);
        let percentile = |known: Option<u64>| known.map_or_else(|| "-".to_owned(), value);
        let figures = [
            number::count(row.n),
            percentile(row.p50),
            percentile(row.p99),
            percentile(row.p999),
            value(row.max),
        ];
        line(text, &columns(&format!("  {}", row.title()), figures));
    }
    if rows.len() > LATENCIES {
        line(text, &format!("    and {} more", rows.len() - LATENCIES));
    }
    line(text, "");
}

/// The steps of a script on a real filesystem that were not simply led as they say.
fn led(text: &mut String, record: &Record) {
    if !leads(record) {
        return;
    }
    let (_, told) = hit(&record.led, record.scenario.script.len(), 0);
    wrapped(text, "  ", &told);
    for remark in record.led.iter().filter_map(LedStep::remark) {
        wrapped(text, "    ", &remark);
    }
    line(text, "");
}

/// What was tried out, the last line how much that is.
fn explored(text: &mut String, record: &Record) {
    let Some(explored) = &record.explored else { return };
    line(text, &format!("  {:<30}{:>14}{:>20}", "schedules with", "tried", "of"));
    for level in &explored.levels {
        let (tried, all) = (number::count(level.schedules), level.all());
        line(text, &format!("    {:<28}{tried:>14}{all:>20}", level.cost()));
    }
    line(text, "");
    line(text, &explored.line());
}

fn columns(heading: &str, [n, p50, p99, p999, max]: [String; 5]) -> String {
    format!("  {:<24}{n:>12}{p50:>10}{p99:>10}{p999:>10}{max:>11}", name(heading, NAME - 1))
}

fn violations(text: &mut String, record: &Record) {
    let all = record.violations.len();
    if all == 0 {
        return;
    }
    let shown =
        if all > VIOLATIONS { format!(", {VIOLATIONS} of them here") } else { String::new() };
    let plural = if all == 1 { "" } else { "s" };
    line(text, &format!("{all} violation{plural}{shown}"));
    for (index, violation) in record.violations.iter().take(VIOLATIONS).enumerate() {
        line(text, "");
        one(text, record, index + 1, violation);
    }
}

fn one(text: &mut String, record: &Record, number: usize, violation: &Violation) {
    let place = violation.place().map(|place| format!(", {place}")).unwrap_or_default();
    wrapped(text, &format!("{number}. "), &format!("{}{place}", violation.invariant));
    wrapped(text, "   ", &violation.sentence);
    let drawn = violation.drawn.join(", ");
    let strategy = violation.strategy.clone().unwrap_or_default();
    let again = violation.again.map(|again| format!("in {}", again.rate())).unwrap_or_default();
    let smaller = violation.again.map(|again| again.smaller()).unwrap_or_default();
    let parts = [
        ("expected", &violation.expected),
        ("found", &violation.found),
        ("after", &violation.operation),
        ("strategy", &strategy),
        ("fails", &again),
        ("smaller", &smaller),
        ("drawn", &drawn),
    ];
    for (what, evidence) in parts.into_iter().filter(|(_, evidence)| !evidence.is_empty()) {
        let (evidence, whole) = visible::clipped(evidence, EVIDENCE);
        let rest = if whole { "" } else { "\u{2026}" };
        wrapped(text, &format!("   {what:<9} "), &format!("{evidence}{rest}"));
    }
    line(text, &format!("   reproduce with: {}", reproduce::violation(record, violation)));
}

/// A name for a table, cut where it would break the columns.
fn name(text: &str, width: usize) -> String {
    let visible = visible::line(text);
    match visible::clipped(&visible, width) {
        (whole, true) => whole.to_owned(),
        (_, false) => format!("{}\u{2026}", visible::clipped(&visible, width - 1).0),
    }
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{}", visible::line(content).trim_end()).expect("memory takes every byte");
}

/// Breaks `content` at spaces so that lines fit. Later lines are indented as far as `prefix` goes.
fn wrapped(text: &mut String, prefix: &str, content: &str) {
    let content = visible::line(content);
    let indent = prefix.chars().count();
    let mut current = prefix.to_owned();
    let mut filled = false;
    for word in content.split(' ').flat_map(|word| pieces(word, WIDTH - indent)) {
        let width = current.chars().count() + usize::from(filled) + word.chars().count();
        if filled && width > WIDTH {
            line(text, &current);
            current = " ".repeat(indent);
            filled = false;
        }
        if filled {
            current.push(' ');
        }
        current.push_str(word);
        filled = true;
    }
    line(text, &current);
}

/// A word that is wider than a line, in pieces that are not.
fn pieces(mut word: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !word.is_empty() {
        let (piece, _) = visible::clipped(word, width);
        pieces.push(piece);
        word = &word[piece.len()..];
    }
    pieces
}
