//! The summary of a job: a table of runs, then the failures, in Markdown.

use std::collections::BTreeMap;

use super::markdown::{block, cell, span};
use super::page::Page;
use crate::number;
use crate::record::{Record, Violation};
use crate::reproduce;

/// Bytes that one command adds at most.
pub const OWN: usize = 64 << 10;

/// Bytes of a step's summary beyond which GitHub drops all of it.
pub const LARGEST: usize = 1 << 20;

/// Characters of a name and of evidence.
const NAME: usize = 100;
const EVIDENCE: usize = 300;

/// A summary of these runs in at most `room` bytes; none if there is not enough room for its first
/// lines.
pub fn job_summary(records: &[&Record], room: usize) -> Option<String> {
    let failed = records.iter().filter(|record| !record.verdict.as_expected).count();
    let mut page = Page::with(room)?;
    page.add(&heading(records, failed));
    if page.is_cut() {
        return None;
    }
    // Of a table that has to be cut the lines that failed are wanted.
    for wanted in [false, true] {
        for record in records.iter().filter(|record| record.verdict.as_expected == wanted) {
            page.add(&row(record));
        }
    }
    for (signature, all) in by_signature(records) {
        page.add(&failure(signature, &all));
    }
    let without = |record: &&&Record| !record.verdict.as_expected && record.violations.is_empty();
    for record in records.iter().filter(without) {
        page.add(&without_violation(record));
    }
    Some(page.finished())
}

fn heading(records: &[&Record], failed: usize) -> String {
    let all = records.len();
    let (scenarios, them) = (if all == 1 { "scenario" } else { "scenarios" }, all);
    let told = match failed {
        0 => format!("{them} {scenarios} as expected"),
        failed => format!("{failed} of {them} {scenarios} not as expected"),
    };
    format!(
        "## Pagestorm: {told}\n\n\
         | scenario | verdict | expected | operations | elapsed |\n\
         |---|---|---|--:|--:|\n"
    )
}

fn row(record: &Record) -> String {
    let verdict = &record.verdict;
    let title = verdict.kind.title();
    let title = if verdict.as_expected { title.to_owned() } else { format!("**{title}**") };
    format!(
        "| {} | {title} | {} | {} | {} |\n",
        cell(&record.scenario.name, NAME),
        cell(&verdict.expected, NAME),
        number::count(record.counts.operations),
        number::elapsed(record.timing.elapsed_ms),
    )
}

/// Violations that nobody expected, each with its record.
type Found<'a> = Vec<(&'a Record, &'a Violation)>;

fn by_signature<'a>(records: &[&'a Record]) -> BTreeMap<&'a str, Found<'a>> {
    let mut all: BTreeMap<&str, Found<'_>> = BTreeMap::new();
    for record in records.iter().filter(|record| !record.verdict.as_expected) {
        for violation in &record.violations {
            all.entry(&violation.signature).or_default().push((record, violation));
        }
    }
    all
}

fn failure(signature: &str, all: &Found<'_>) -> String {
    let Some((record, first)) = all.first() else { return String::new() };
    let times = match all.len() {
        1 => String::new(),
        several => format!(", {several} times"),
    };
    let place = first.place().map(|place| format!(", {}", span(&place, NAME))).unwrap_or_default();
    format!(
        "\n### {}\n\n{} in {}{times}{place}: expected {}, found {}\n\n{}",
        span(signature, NAME),
        span(&first.invariant, NAME),
        span(&record.scenario.name, NAME),
        span(&first.expected, EVIDENCE),
        span(&first.found, EVIDENCE),
        block(&reproduce::violation(record, first)),
    )
}

fn without_violation(record: &Record) -> String {
    format!(
        "\n### {}\n\n{}: {}\n\n{}",
        span(&record.scenario.name, NAME),
        record.verdict.kind.title(),
        span(&record.verdict.sentence, EVIDENCE),
        block(&reproduce::run(record)),
    )
}
