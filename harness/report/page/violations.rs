//! What the oracle found: each violation with its evidence and the command that shows it again.

use super::html::Html;
use super::table::{Cell, table, words};
use crate::record::{Record, Violation};
use crate::{number, reproduce, visible};

/// Violations beyond these are rows of a table.
const IN_FULL: usize = 20;
/// Violations beyond these start folded.
const OPEN: usize = 3;
/// Rows beyond these are only counted; all of them are in `result.json`.
const ROWS: usize = 200;
/// Characters of one text that are shown.
const TEXT: usize = 8_000;
/// Lines of evidence that are shown.
const DETAILS: usize = 40;

/// Adds the section, unless nothing was found.
pub(super) fn violations(html: &mut Html, record: &Record) {
    if record.violations.is_empty() {
        return;
    }
    html.section("violations", "Violations", |html| {
        for (index, violation) in record.violations.iter().take(IN_FULL).enumerate() {
            let open: &[_] = if index < OPEN {
                &[("open", ""), ("class", "violation")]
            } else {
                &[("class", "violation")]
            };
            html.element("details", open, |html| one(html, record, violation));
            html.markup("\n");
        }
        if let Some(rest) = record.violations.get(IN_FULL..).filter(|rest| !rest.is_empty()) {
            more(html, record, rest);
        }
    });
}

fn one(html: &mut Html, record: &Record, violation: &Violation) {
    html.element("summary", &[], |html| {
        html.element("h3", &[], |html| html.line("code", "", &violation.invariant));
        if let Some(place) = violation.place() {
            html.line("span", "place", &place);
        }
    });
    html.element("p", &[("class", "invariant")], |html| {
        html.markup("<span class=\"label\">Must hold</span> ");
        html.text(&violation.sentence);
    });
    html.element("dl", &[("class", "evidence")], |html| {
        html.element("div", &[("class", "expected")], |html| {
            html.markup("<dt><span aria-hidden=\"true\">\u{2713}</span> Expected</dt>");
            html.element("dd", &[], |html| clipped(html, &violation.expected));
        });
        html.element("div", &[("class", "found")], |html| {
            html.markup("<dt><span aria-hidden=\"true\">\u{2717}</span> Found</dt>");
            html.element("dd", &[], |html| clipped(html, &violation.found));
        });
    });
    if !violation.strip.is_empty() {
        strip(html, &violation.strip);
    }
    details(html, &violation.details);
    html.element("dl", &[("class", "facts")], |html| {
        fact(html, "After operation", &violation.operation);
        fact(html, "Step", &number::count(violation.step));
        fact(html, "Seed", &violation.seed.to_string());
        fact(html, "Signature", &violation.signature);
        if let Some(strategy) = &violation.strategy {
            fact(html, "Strategy", strategy);
        }
        if !violation.drawn.is_empty() {
            fact(html, "Drawn", &violation.drawn.join(", "));
        }
    });
    html.command("Reproduce", &reproduce::violation(record, violation));
}

fn strip(html: &mut Html, strip: &str) {
    html.element("figure", &[("class", "strip")], |html| {
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

fn fact(html: &mut Html, name: &'static str, value: &str) {
    html.element("div", &[], |html| {
        html.line("dt", "", name);
        html.line("dd", "", value);
    });
}

fn clipped(html: &mut Html, text: &str) {
    let (text, whole) = visible::clipped(text, TEXT);
    html.block(text);
    if !whole {
        html.markup("<span class=\"note\"> \u{2026} the rest is in result.json</span>");
    }
}

fn more(html: &mut Html, record: &Record, rest: &[Violation]) {
    html.element("details", &[("class", "more")], |html| {
        html.line("summary", "", &format!("{} more", rest.len()));
        let rows: Vec<_> = rest
            .iter()
            .take(ROWS)
            .map(|violation| {
                vec![
                    Cell::Name(violation.invariant.clone()),
                    Cell::Text(violation.place().unwrap_or_default()),
                    Cell::Name(reproduce::violation(record, violation)),
                ]
            })
            .collect();
        let columns = [words("Invariant"), words("Where"), words("Reproduce")];
        table(html, "The other violations", &columns, &rows);
        if let Some(hidden) = rest.len().checked_sub(ROWS).filter(|hidden| *hidden > 0) {
            html.line("p", "note", &format!("{hidden} more are in result.json."));
        }
    });
}
