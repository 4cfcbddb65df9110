//! The verdict: what happened, whether that was expected, and how to see it again.

use super::html::Html;
use crate::record::{Record, Verdict, VerdictKind, World};
use crate::{number, reproduce};

/// The first thing on the page.
pub(super) fn banner(html: &mut Html, record: &Record) {
    let verdict = &record.verdict;
    let tone = Tone::of(verdict);
    let class = format!("verdict {}", tone.class());
    html.element("section", &[("class", &class), ("aria-labelledby", "verdict")], |html| {
        html.markup(tone.icon());
        html.element("div", &[], |html| {
            html.element("h2", &[("id", "verdict")], |html| {
                html.text(verdict.kind.title());
                html.element("span", &[("class", "expectation")], |html| {
                    expectation(html, verdict);
                });
            });
            html.line("p", "sentence", &verdict.sentence);
        });
        html.command("Run again", &reproduce::run(record));
        if record.world == World::Threads {
            html.markup(concat!(
                "<p class=\"note wide\">Real threads ran: the command does the same work again, ",
                "and the threads may interleave differently.</p>",
            ));
        }
    });
    html.markup("\n");
    figures(html, record);
}

/// How the verdict looks. Each tone has its own shape, because colour alone tells some readers
/// nothing.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be, and no harm seen.
    Weak,
    /// Harm was seen.
    Bad,
}

impl Tone {
    fn of(verdict: &Verdict) -> Tone {
        match verdict.kind {
            _ if verdict.as_expected => Tone::Good,
            VerdictKind::NotProvoked
            | VerdictKind::NothingRan
            | VerdictKind::Interrupted
            | VerdictKind::Environment => Tone::Weak,
            VerdictKind::Clean
            | VerdictKind::Caught
            | VerdictKind::Violated
            | VerdictKind::Missed
            | VerdictKind::Hung
            | VerdictKind::Panicked
            | VerdictKind::NotDeterministic
            | VerdictKind::HarnessFailed => Tone::Bad,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Weak => "weak",
            Tone::Bad => "bad",
        }
    }

    pub(super) fn icon(self) -> &'static str {
        match self {
            Tone::Good => concat!(
                "<svg class=\"icon\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">",
                "<circle cx=\"16\" cy=\"16\" r=\"14\"/><path d=\"M9.5 16.5l4.5 4.5 8.5-9.5\"/></svg>",
            ),
            Tone::Weak => concat!(
                "<svg class=\"icon\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">",
                "<path class=\"body\" d=\"M16 3.5L30 28H2z\"/><path d=\"M16 12v8M16 24v.2\"/></svg>",
            ),
            Tone::Bad => concat!(
                "<svg class=\"icon\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">",
                "<path class=\"body\" d=\"M10 2h12l8 8v12l-8 8H10l-8-8V10z\"/>",
                "<path d=\"M11 11l10 10M21 11L11 21\"/></svg>",
            ),
        }
    }
}

fn expectation(html: &mut Html, verdict: &Verdict) {
    if verdict.as_expected {
        html.text("as expected");
    } else {
        html.text("expected: ");
        html.line("code", "", &verdict.expected);
    }
}

/// The handful of numbers that say how much the verdict is worth.
fn figures(html: &mut Html, record: &Record) {
    let counts = &record.counts;
    let fired = number::sum(counts.faults.values().map(|fault| fault.fired));
    let mut figures = vec![
        (number::count(counts.operations), "operations"),
        (number::count(counts.verified_operations), "verified"),
        (number::count(fired), "faults fired"),
    ];
    if record.world == World::Simulated {
        figures.push((number::count(counts.switches), "switches"));
    }
    if let Some(explored) = &record.explored {
        let label = if explored.complete { "schedules: all" } else { "schedules: not all" };
        figures.push((number::count(explored.schedules), label));
    }
    if counts.deviations > 0 {
        figures.push((number::count(counts.deviations), "deviations"));
    }
    if !record.violations.is_empty() {
        let found = u64::try_from(record.violations.len()).unwrap_or(u64::MAX);
        figures.push((number::count(found), if found == 1 { "violation" } else { "violations" }));
    }
    figures.push((number::elapsed(record.timing.elapsed_ms), "wall clock"));
    super::table::figures(html, &figures);
}
