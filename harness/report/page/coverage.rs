//! Which points were reached and which invariants were checked; what never was comes first.

use std::collections::BTreeMap;

use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{Counts, Record};

/// Adds the section.
pub(super) fn coverage(html: &mut Html, record: &Record) {
    let counts = &record.counts;
    html.section("coverage", "Coverage", |html| {
        if counts.invariants.is_empty() && counts.points.is_empty() {
            html.markup("<p>Nothing was reached and nothing was checked.</p>");
            return;
        }
        let unchecked = "never checked: the oracle said nothing about";
        never(html, (&counts.invariants, &counts.unchecked), "invariant", unchecked);
        let unreached = "never reached: nothing was tried at";
        never(html, (&counts.points, &BTreeMap::new()), "point", unreached);
        html.element("details", &[("class", "more")], |html| {
            html.line("summary", "", &exercise(counts));
            html.element("div", &[("class", "columns")], |html| {
                if !counts.points.is_empty() {
                    let points = [words("Point"), numbers("Passed")];
                    exercised(html, &counts.points, "Points reached", &points);
                }
                let invariants = [words("Invariant"), numbers("Checked")];
                exercised(html, &counts.invariants, "Invariants checked", &invariants);
                if !counts.unconfirmed.is_empty() {
                    let unconfirmed = [words("Reason"), numbers("Files")];
                    let title = "Not read again from the device";
                    exercised(html, &counts.unconfirmed, title, &unconfirmed);
                }
                if !counts.leeways.is_empty() {
                    let leeways = [words("Leeway"), numbers("Used")];
                    exercised(html, &counts.leeways, "Allowed, as POSIX leaves it open", &leeways);
                }
            });
        });
    });
}

/// One warning for everything that counts zero, with the reasons that are known.
fn never(
    html: &mut Html,
    (counts, reasons): (&BTreeMap<String, u64>, &BTreeMap<String, String>),
    one: &str,
    what: &'static str,
) {
    let names: Vec<_> = counts.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name).collect();
    let Ok(number @ 1..) = u64::try_from(names.len()) else { return };
    html.element("div", &[("class", "never")], |html| {
        html.markup(
            "<p><span class=\"warning\"><span aria-hidden=\"true\">\u{25b2}</span></span> ",
        );
        let verb = if number == 1 { "was" } else { "were" };
        html.text(&format!("{} {verb} {what}", number::counted(number, one)));
        html.markup(if number == 1 { " it.</p>" } else { " them.</p>" });
        html.element("ul", &[("class", "names")], |html| {
            for name in names {
                html.element("li", &[], |html| {
                    html.line("code", "", name);
                    if let Some(why) = reasons.get(name) {
                        html.text(&format!(": {why}"));
                    }
                });
            }
        });
    });
    html.markup("\n");
}

/// How much of everything was exercised.
fn exercise(counts: &Counts) -> String {
    let share = |counts: &BTreeMap<String, u64>| {
        let reached = counts.values().filter(|n| **n > 0).count();
        format!("{reached} of {}", counts.len())
    };
    let (points, invariants) = (share(&counts.points), share(&counts.invariants));
    if counts.points.is_empty() {
        return format!("{invariants} invariants checked: how often each");
    }
    format!("{points} points reached, {invariants} invariants checked: how often each")
}

fn exercised(
    html: &mut Html,
    counts: &BTreeMap<String, u64>,
    caption: &str,
    columns: &[super::table::Column],
) {
    let reached = counts.iter().filter(|(_, n)| **n > 0);
    let rows: Vec<_> = reached
        .map(|(name, n)| vec![Cell::Name(name.clone()), Cell::Text(number::count(*n))])
        .collect();
    let caption = format!("{caption} ({} of {})", rows.len(), counts.len());
    table(html, &caption, columns, &rows);
}
