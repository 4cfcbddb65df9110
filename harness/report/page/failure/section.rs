//! The section as a whole: one entry for each signature, in the order in which they were met.

use super::super::html::Html;
use super::super::table::{Cell, table, words};
use super::prose::{clipped, prose};
use super::{lanes, story};
use crate::record::{Record, Story, Violation, World};
use crate::{number, reproduce};

/// Signatures beyond these are rows of a table.
const IN_FULL: usize = 20;
/// Rows beyond these are only counted; all of them are in `result.json`.
const ROWS: usize = 200;
/// Once the page has so many bytes, the stories of further entries are left out.
const BYTES: usize = 1_200_000;
/// Seeds of one signature that are listed.
const SEEDS: usize = 8;
/// Lines of evidence that are shown.
const DETAILS: usize = 40;

/// Adds the section, unless nothing was found.
pub(in crate::page) fn failures(html: &mut Html, record: &Record) {
    let entries = entries(&record.violations);
    if entries.is_empty() {
        return;
    }
    html.section("failures", "Failures", |html| {
        if entries.iter().any(|entry| entry.first.story.is_some()) {
            lanes::symbols(html);
        }
        for (number, entry) in (1..).zip(entries.iter().take(IN_FULL)) {
            let id = format!("f{number}");
            let open = [("class", "failure"), ("id", &id), ("open", "")];
            let open = if number == 1 { &open[..] } else { &open[..2] };
            html.element("details", open, |html| one(html, record, (&id, entry)));
            html.markup("\n");
        }
        if let Some(rest) = entries.get(IN_FULL..).filter(|rest| !rest.is_empty()) {
            more(html, record, rest);
        }
    });
}

/// Failures with one signature.
struct Entry<'a> {
    /// The one that is told: the first with a story, or else the first.
    first: &'a Violation,
    all: Vec<&'a Violation>,
}

fn entries(violations: &[Violation]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for violation in violations {
        let known = entries.iter_mut().find(|entry| entry.first.signature == violation.signature);
        match known {
            Some(entry) => {
                entry.all.push(violation);
                if entry.first.story.is_none() && violation.story.is_some() {
                    entry.first = violation;
                }
            }
            None => entries.push(Entry { first: violation, all: vec![violation] }),
        }
    }
    entries
}

fn one(html: &mut Html, record: &Record, (id, entry): (&str, &Entry<'_>)) {
    let violation = entry.first;
    html.element("summary", &[], |html| {
        html.element("h3", &[], |html| html.line("code", "", &violation.invariant));
        html.element("span", &[("class", "place")], |html| {
            match &violation.again {
                Some(again) => html.text(&format!("fails in {}", again.rate())),
                None if record.device.mounted.is_some() => html.text("found once"),
                None => {
                    html.text("seed ");
                    html.line("code", "", &violation.seed.to_string());
                }
            }
            if let Some(others) = entry.all.len().checked_sub(1).filter(|others| *others > 0) {
                html.text(&format!(" and {others} more"));
            }
        });
    });
    html.command("Reproduce", &reproduce::violation(record, violation));
    if let Some(story) = violation.story.as_deref() {
        told(html, (id, story), "result.json");
    } else {
        html.element("div", &[("class", "brief")], |html| {
            html.element("div", &[("class", "why")], |html| {
                html.element("p", &[], |html| prose(html, &violation.sentence));
                untold(html, record);
            });
            evidence(html, (&violation.expected, &violation.found));
        });
    }
    as_found(html, (record, entry));
}

/// A story as far as there is room for it; where there is none, it is in `record`.
pub(in crate::page) fn told(html: &mut Html, (id, story): (&str, &Story), record: &'static str) {
    if html.len() < BYTES {
        return story::story(html, (id, story));
    }
    html.line("p", "note", &format!("This page is full: the story is in {record}."));
}

/// Why there is no story.
fn untold(html: &mut Html, record: &Record) {
    let why = match record.world {
        World::Threads if record.device.mounted.is_some() => concat!(
            "Threads of a kernel ran, and nothing fixes their order. The reproducer makes the same calls, ",
            "which begin and end in the order in which they did, and replay says how often that fails.",
        ),
        World::Threads => concat!(
            "Real threads ran, and nothing fixes their order. The reproducer looks for the same ",
            "failure in the simulated world, where its story can be told.",
        ),
        World::Simulated => concat!(
            "This failure was not looked into: pagestorm explain tells the story of a reproducer, ",
            "and a run with --shrink tells that of each failure.",
        ),
    };
    html.element("p", &[("class", "note")], |html| html.text(why));
}

/// What should have been there, and what was.
pub(super) fn evidence(html: &mut Html, (expected, found): (&str, &str)) {
    html.element("dl", &[("class", "evidence")], |html| {
        html.element("div", &[("class", "expected")], |html| {
            html.markup("<dt><span aria-hidden=\"true\">\u{2713}</span> Expected</dt>");
            html.element("dd", &[], |html| clipped(html, expected));
        });
        html.element("div", &[("class", "found")], |html| {
            html.markup("<dt><span aria-hidden=\"true\">\u{2717}</span> Found</dt>");
            html.element("dd", &[], |html| clipped(html, found));
        });
    });
}

/// The failure as its seed met it, before anything was made smaller.
fn as_found(html: &mut Html, (record, entry): (&Record, &Entry<'_>)) {
    let violation = entry.first;
    let is_real = record.device.mounted.is_some();
    let has_story = violation.story.is_some();
    let class = [("class", "found-first"), ("open", "")];
    let class = if has_story { &class[..1] } else { &class[..] };
    html.element("details", class, |html| {
        let title = format!("As seed {} met it", violation.seed);
        html.line("summary", "", if is_real { "As it was found" } else { &title });
        if has_story {
            evidence(html, (&violation.expected, &violation.found));
        }
        if !violation.strip.is_empty() {
            strip(html, &violation.strip);
        }
        facts(html, entry, is_real);
        details(html, &violation.details);
    });
}

fn facts(html: &mut Html, entry: &Entry<'_>, is_real: bool) {
    let violation = entry.first;
    html.element("dl", &[("class", "facts")], |html| {
        if let Some(place) = violation.place() {
            fact(html, "Where", &place);
        }
        fact(html, "After operation", &violation.operation);
        if !is_real {
            fact(html, "Step", &number::count(violation.step));
        }
        fact(html, "Signature", &violation.signature);
        if let Some(again) = &violation.again {
            fact(html, "Fails in", &again.rate());
            fact(html, "Made smaller", &again.smaller());
        }
        if let Some(strategy) = &violation.strategy {
            fact(html, "Strategy", strategy);
        }
        if !violation.drawn.is_empty() {
            fact(html, "Drawn", &violation.drawn.join(", "));
        }
        if entry.all.len() > 1 && !is_real {
            let seeds = entry.all.iter().take(SEEDS).map(|one| one.seed.to_string());
            let mut seeds = seeds.collect::<Vec<_>>().join(", ");
            if let Some(rest) = entry.all.len().checked_sub(SEEDS).filter(|rest| *rest > 0) {
                seeds = format!("{seeds} and {rest} more");
            }
            fact(html, "Seeds", &seeds);
        }
    });
}

fn fact(html: &mut Html, name: &'static str, value: &str) {
    html.element("div", &[], |html| {
        html.line("dt", "", name);
        html.element("dd", &[], |html| clipped(html, value));
    });
}

fn strip(html: &mut Html, strip: &str) {
    html.element("figure", &[("class", "strip-text")], |html| {
        let frame = [("tabindex", "0"), ("role", "group"), ("aria-label", "Extents and folios")];
        html.element("pre", &frame, |html| clipped(html, strip));
        html.markup(concat!(
            "<figcaption>One character per block. Extents: <code>.</code> hole, <code>d</code> ",
            "delalloc, <code>u</code> unwritten, <code>M</code> mapped. Folios: <code>-</code> ",
            "absent, <code>.</code> not uptodate, <code>c</code> clean, <code>D</code> dirty, ",
            "<code>W</code> under writeback.",
            "</figcaption>",
        ));
    });
}

fn details(html: &mut Html, details: &[String]) {
    if details.is_empty() {
        return;
    }
    html.element("ul", &[("class", "details")], |html| {
        for line in details.iter().take(DETAILS) {
            html.element("li", &[], |html| clipped(html, line));
        }
        if let Some(rest) = details.len().checked_sub(DETAILS).filter(|rest| *rest > 0) {
            html.line("li", "note", &format!("and {rest} more lines in result.json"));
        }
    });
}

fn more(html: &mut Html, record: &Record, rest: &[Entry<'_>]) {
    html.element("details", &[("class", "more")], |html| {
        html.line("summary", "", &format!("{} more", rest.len()));
        let row = |entry: &Entry<'_>| {
            let violation = entry.first;
            vec![
                Cell::Name(violation.signature.clone()),
                Cell::Text(violation.place().unwrap_or_default()),
                Cell::Name(reproduce::violation(record, violation)),
            ]
        };
        let rows: Vec<_> = rest.iter().take(ROWS).map(row).collect();
        let columns = [words("Signature"), words("Where"), words("Reproduce")];
        table(html, "The other failures", &columns, &rows);
        if let Some(hidden) = rest.len().checked_sub(ROWS).filter(|hidden| *hidden > 0) {
            html.line("p", "note", &format!("{hidden} more are in result.json."));
        }
    });
}
