//! What would have prevented it: the schedules one swap away, and the case without one of its parts.

use super::super::html::Html;
use super::super::table::{Cell, table, words};
use super::prose::prose;
use crate::number;
use crate::record::{CasePart, CasePartKind, Nearest, Story};

/// Further swaps that are listed.
const SWAPS: usize = 8;
/// Parts that are listed.
const PARTS: usize = 100;

/// Adds both, as far as they were tried.
pub(super) fn nearest(html: &mut Html, story: &Story) {
    if story.nearest.is_none() && story.needed.is_empty() {
        return;
    }
    html.line("h4", "", "What would have prevented it");
    if let Some(nearest) = &story.nearest {
        html.element("p", &[("class", "lead")], |html| prose(html, &verdict(nearest)));
        if nearest.switches != 0 {
            let Nearest { tried, failing, passing, .. } = nearest;
            let (tried, failing) = (number::counted(*tried, "schedule"), number::count(*failing));
            let text = format!(
                "{tried} one swap away: {failing} end the same way, {} pass.",
                number::count(*passing)
            );
            html.line("p", "note", &text);
        }
        swaps(html, nearest);
    }
    parts(html, &story.needed);
}

fn verdict(nearest: &Nearest) -> String {
    match (nearest.swaps.first(), &nearest.pair[..]) {
        _ if nearest.switches == 0 => {
            "No switch is needed: it fails when every call runs until it waits or returns."
                .to_owned()
        }
        (Some(swap), _) => format!("If {swap}, nothing breaks."),
        (None, [one, other]) => {
            format!("No single swap helps. If {one}, and {other}, nothing breaks.")
        }
        (None, _) => "None of the swaps and pairs of swaps that were tried helps.".to_owned(),
    }
}

fn swaps(html: &mut Html, nearest: &Nearest) {
    let others = nearest.swaps.get(1..).unwrap_or_default();
    if others.is_empty() || nearest.switches == 0 {
        return;
    }
    html.element("details", &[("class", "quiet")], |html| {
        html.line("summary", "", "Other swaps of which one is enough");
        html.element("ul", &[("class", "details")], |html| {
            for swap in others.iter().take(SWAPS) {
                html.element("li", &[], |html| prose(html, &format!("If {swap}.")));
            }
            let shown = 1 + others.len().min(SWAPS);
            let rest = nearest.passing.saturating_sub(number::wide(shown));
            if rest > 0 {
                html.line("li", "note", &format!("and {} more", number::count(rest)));
            }
        });
    });
}

fn parts(html: &mut Html, parts: &[CasePart]) {
    let row = |part: &CasePart| {
        let kind = match part.kind {
            CasePartKind::Call => "call",
            CasePartKind::Fault => "fault",
            CasePartKind::Decision => "decision",
        };
        let needed = if part.needed {
            "nothing breaks: it is needed"
        } else {
            "it fails, too, perhaps otherwise"
        };
        let what = part.what.replace('`', "");
        vec![Cell::Name(what), Cell::Text(kind.to_owned()), Cell::Text(needed.to_owned())]
    };
    let rows: Vec<_> = parts.iter().take(PARTS).map(row).collect();
    let columns = [words("Part of the case"), words("Kind"), words("Without it")];
    table(html, "What is needed for it", &columns, &rows);
}
