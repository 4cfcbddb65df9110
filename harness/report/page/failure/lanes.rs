//! Swim-lanes: one column a task, time goes down, a row for each event that matters.

use super::super::html::Html;
use super::bars::{self, Beside, LANES, LOCKS, beside, count, lane};
use super::prose::prose;
use crate::number;
use crate::record::{Lanes, Row, RowKind};

/// Rows that are shown; the last ones.
const ROWS: usize = 400;

/// Adds the lanes; their rows are named by `id`.
pub(super) fn lanes(html: &mut Html, (id, lanes): (&str, &Lanes)) {
    let style = format!("--n:{}", count(lanes));
    let attributes =
        [("class", "lanes"), ("style", &*style), ("tabindex", "0"), ("role", "region")];
    let attributes = [&attributes[..], &[("aria-label", "Events")]].concat();
    html.element("div", &attributes, |html| {
        legend(html, lanes);
        heads(html, lanes);
        let hidden = lanes.rows.len().saturating_sub(ROWS);
        let left_out = lanes.left_out.saturating_add(number::wide(hidden));
        if left_out > 0 {
            let text = format!("{} came before.", number::counted(left_out, "event"));
            html.line("p", "note", &text);
        }
        let after = beside(lanes);
        let nothing = vec![Beside::default(); count(lanes)];
        html.element("ol", &[("class", "rows")], |html| {
            for (at, row) in lanes.rows.iter().enumerate().skip(hidden) {
                let before = at.checked_sub(1).map_or(&nothing, |at| &after[at]);
                let passed = row.points.saturating_sub(1);
                if passed > 1 {
                    fold(html, passed, before);
                }
                let drawing = Drawing { id, lanes, at, row, before, after: &after[at] };
                drawing.row(html);
                html.markup("\n");
            }
        });
    });
}

/// Points at which nothing happened that is told.
fn fold(html: &mut Html, points: u64, before: &[Beside]) {
    html.element("li", &[("class", "fold")], |html| {
        html.markup("<span class=\"at\"></span><span class=\"cells\" aria-hidden=\"true\">");
        for lane in before {
            cell(html, (lane, lane), |_| ());
        }
        html.markup("</span>");
        html.element("span", &[("class", "say")], |html| {
            html.text(&format!("\u{2026} {}", number::counted(points, "point")));
        });
    });
}

/// One row.
struct Drawing<'a> {
    id: &'a str,
    lanes: &'a Lanes,
    at: usize,
    row: &'a Row,
    before: &'a [Beside],
    after: &'a [Beside],
}

impl Drawing<'_> {
    fn row(&self, html: &mut Html) {
        let id = format!("{}-{}", self.id, self.at + 1);
        let class = format!("row {}", name(self.row.kind));
        let turn = self.row.turn.map(|turn| turn.to_string()).unwrap_or_default();
        let attributes = [("id", &*id), ("class", &*class), ("data-turn", &*turn)];
        html.element("li", &attributes, |html| {
            html.element("span", &[("class", "at")], |html| {
                html.line("span", "unseen", "step ");
                html.text(&number::count(self.row.step));
            });
            html.element("span", &[("class", "cells"), ("aria-hidden", "true")], |html| {
                for (column, both) in self.before.iter().zip(self.after).enumerate() {
                    cell(html, both, |html| {
                        if column == lane(self.lanes, self.row) {
                            mark(html, self.row.kind);
                        }
                    });
                }
                self.arrow(html);
            });
            html.element("span", &[("class", "say")], |html| self.say(html));
        });
    }

    fn say(&self, html: &mut Html) {
        let task = usize::try_from(self.row.column).ok();
        let task = task.and_then(|column| self.lanes.columns.get(column));
        html.line("b", "", task.map_or("?", String::as_str));
        html.text(" ");
        if let Some(word) = word(self.row.kind) {
            html.line("span", "unseen", word);
        }
        prose(html, &self.row.text);
        let own = lane(self.lanes, self.row);
        if self.before[own].held != self.after[own].held {
            let holds = match &self.row.holds[..] {
                [] => "holds nothing now".to_owned(),
                some => format!("holds {}", some.join(", ")),
            };
            html.markup(" ");
            html.line("small", "", &holds);
        }
    }

    /// Leads to the lane in which it goes on: drawn through where the task could have gone on itself.
    fn arrow(&self, html: &mut Html) {
        let Some(next) = self.lanes.rows.get(self.at + 1) else { return };
        let (from, to) = (lane(self.lanes, self.row), lane(self.lanes, next));
        if from == to {
            return;
        }
        let style = format!("--a:{};--d:{}", from.min(to), from.abs_diff(to));
        let class = match (from < to, self.row.kind == RowKind::Stops) {
            (true, true) => "go right",
            (true, false) => "go right soft",
            (false, true) => "go left",
            (false, false) => "go left soft",
        };
        html.element("i", &[("class", class), ("style", &style)], |_| ());
    }
}

/// One lane beside a row: the call, the wait and the locks, from before it to after it.
fn cell(html: &mut Html, (was, is): (&Beside, &Beside), inside: impl FnOnce(&mut Html)) {
    let mut class = match (was.in_call, is.in_call) {
        (true, true) => "call".to_owned(),
        (true, false) => "call ends".to_owned(),
        (false, true) => "call starts".to_owned(),
        (false, false) => String::new(),
    };
    if is.waits {
        class.push_str(" waits");
    }
    let attributes = [("class", &*class)];
    let attributes: &[_] = if class.is_empty() { &[] } else { &attributes };
    html.element("i", attributes, |html| {
        for lock in 0..LOCKS {
            let bar = match (was.held.contains(&lock), is.held.contains(&lock)) {
                (true, true) => format!("h{lock}"),
                (true, false) => format!("h{lock} ends"),
                (false, true) => format!("h{lock} starts"),
                (false, false) => continue,
            };
            html.element("b", &[("class", &bar)], |_| ());
        }
        inside(html);
    });
}

fn heads(html: &mut Html, lanes: &Lanes) {
    html.element("div", &[("class", "heads"), ("aria-hidden", "true")], |html| {
        html.markup("<span class=\"at\">step</span><span class=\"cells\">");
        let shared = lanes.columns.len() > LANES;
        for (column, name) in lanes.columns.iter().take(LANES).enumerate() {
            let name = if shared && column + 1 == LANES { "others" } else { name };
            html.element("i", &[], |html| html.line("span", "", name));
        }
        html.markup("</span><span class=\"say\"></span>");
    });
}

/// What the marks and bars mean, as far as they occur.
fn legend(html: &mut Html, lanes: &Lanes) {
    html.element("ul", &[("class", "key")], |html| {
        for kind in RowKind::ALL {
            if lanes.rows.iter().any(|row| row.kind == kind) {
                html.element("li", &[], |html| {
                    mark(html, kind);
                    html.text(meaning(kind));
                });
            }
        }
        let locks = bars::locks(lanes);
        for (number, name) in locks.iter().enumerate() {
            let class = format!("bar h{}", number.min(LOCKS - 1));
            html.element("li", &[], |html| {
                html.element("b", &[("class", &class), ("aria-hidden", "true")], |_| ());
                html.text(&format!("holds {name}"));
            });
            if number + 1 == LOCKS && locks.len() > LOCKS {
                html.line("li", "", "or another lock");
                break;
            }
        }
    });
}

fn mark(html: &mut Html, kind: RowKind) {
    let class = format!("mark {}", name(kind));
    let href = format!("#k-{}", name(kind));
    html.element("svg", &[("class", &class), ("aria-hidden", "true")], |html| {
        html.element("use", &[("href", &href)], |_| ());
    });
}

fn name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Begins => "begins",
        RowKind::Returns => "returns",
        RowKind::Changes => "changes",
        RowKind::Decides => "decides",
        RowKind::Stops => "stops",
        RowKind::Waits => "waits",
        RowKind::Strikes => "strikes",
        RowKind::Fails => "fails",
    }
}

fn meaning(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Begins => "a call begins",
        RowKind::Returns => "it returns",
        RowKind::Changes => "something changes",
        RowKind::Decides => "a decision goes wrong",
        RowKind::Stops => "another goes on",
        RowKind::Waits => "waits",
        RowKind::Strikes => "a fault strikes",
        RowKind::Fails => "the invariant fails",
    }
}

/// What the mark says to those who do not see it, where the text does not say it itself.
fn word(kind: RowKind) -> Option<&'static str> {
    match kind {
        RowKind::Begins => Some("begins: "),
        RowKind::Decides => Some("decides otherwise than a correct filesystem: "),
        RowKind::Stops => Some("stops at "),
        RowKind::Strikes => Some("a fault strikes: "),
        RowKind::Returns | RowKind::Changes | RowKind::Waits | RowKind::Fails => None,
    }
}

/// The shapes of the marks, once on a page.
pub(in crate::page) fn symbols(html: &mut Html) {
    html.markup(concat!(
        "<svg class=\"symbols\" aria-hidden=\"true\" width=\"0\" height=\"0\">",
        "<symbol id=\"k-begins\" viewBox=\"0 0 16 16\"><path d=\"M3 4h10l-5 8z\"/></symbol>",
        "<symbol id=\"k-returns\" viewBox=\"0 0 16 16\"><path d=\"M3 12h10L8 4z\"/></symbol>",
        "<symbol id=\"k-changes\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"4\"/></symbol>",
        "<symbol id=\"k-decides\" viewBox=\"0 0 16 16\"><path d=\"M8 1.5L14.5 8 8 14.5 1.5 8z\"/></symbol>",
        "<symbol id=\"k-stops\" viewBox=\"0 0 16 16\"><path d=\"M4 4h8v8H4z\"/></symbol>",
        "<symbol id=\"k-waits\" viewBox=\"0 0 16 16\"><path d=\"M4 3h3v10H4zM9 3h3v10H9z\"/></symbol>",
        "<symbol id=\"k-strikes\" viewBox=\"0 0 16 16\">",
        "<path d=\"M9.5 1L3.5 9h4l-1 6 6-8h-4z\"/></symbol>",
        "<symbol id=\"k-fails\" viewBox=\"0 0 16 16\"><path d=\"M5 1h6l4 4v6l-4 4H5l-4-4V5z\"/>",
        "<path class=\"cross\" d=\"M5 5l6 6M11 5l-6 6\"/></symbol>",
        "</svg>\n",
    ));
}
