//! One story, from what broke to what would have prevented it.

use super::super::html::Html;
use super::prose::prose;
use super::section::evidence;
use super::{curve, lanes, nearest, provenance, strips};
use crate::number;
use crate::record::{ByteRange, Story, Turn};

/// Turns that are told; the last ones.
const TURNS: usize = 60;

/// Adds a story under the name `id`.
pub(super) fn story(html: &mut Html, (id, story): (&str, &Story)) {
    html.element("div", &[("class", "brief")], |html| {
        html.element("div", &[("class", "why")], |html| why(html, story));
        evidence(html, (&story.expected, &story.found));
    });
    turns(html, story);
    walk(html, (id, story));
    html.element("div", &[("class", "halves")], |html| {
        html.element("div", &[], |html| provenance::provenance(html, story));
        html.element("div", &[], |html| {
            curve::curve(html, story);
            nearest::nearest(html, story);
        });
    });
}

/// What broke and why, a paragraph for each thought.
fn why(html: &mut Html, story: &Story) {
    html.element("p", &[], |html| {
        place(html, story);
        if let Some(first) = story.why.first() {
            prose(html, first);
        }
    });
    for thought in story.why.iter().skip(1) {
        match decision(thought) {
            None => html.element("p", &[], |html| prose(html, thought)),
            Some((question, right, here)) => {
                html.element("p", &[("class", "question")], |html| prose(html, question));
                html.element("p", &[("class", "answer right")], |html| prose(html, right));
                html.element("p", &[("class", "answer here")], |html| prose(html, here));
            }
        }
    }
}

/// The parts of a thought about a decision: the question, the right answer, and the one given here.
fn decision(thought: &str) -> Option<(&str, &str, &str)> {
    let right = thought.find("Right (`")?;
    let here = thought.rfind("Here (`").filter(|here| right < *here)?;
    Some((thought[..right].trim_end(), thought[right..here].trim_end(), &thought[here..]))
}

/// Where it fails, and who notices.
fn place(html: &mut Html, story: &Story) {
    let bytes = story.range.map(|ByteRange { start, end }| {
        format!("bytes {}..{}", number::count(start), number::count(end))
    });
    let place = match (&story.file, bytes) {
        (Some(file), Some(bytes)) => format!("It fails in {bytes} of file {file}. "),
        (Some(file), None) => format!("It fails in file {file}. "),
        (None, Some(bytes)) => format!("It fails in {bytes}. "),
        (None, None) => String::new(),
    };
    html.element("strong", &[], |html| {
        html.text(&place);
        html.text(if story.noticed_by_users {
            "A user of the file can notice it."
        } else {
            "No user of the file can notice it yet: the state is wrong, not a byte that was read."
        });
    });
    html.text(" ");
}

fn turns(html: &mut Html, story: &Story) {
    if story.turns.is_empty() {
        return;
    }
    html.line("h4", "", "What happened");
    let hidden = story.turns.len().saturating_sub(TURNS);
    let left_out = story.turns_left_out.saturating_add(number::wide(hidden));
    if left_out > 0 {
        let text = format!("{} that matter came before.", number::counted(left_out, "turn"));
        html.line("p", "note", &text);
    }
    html.element("ol", &[("class", "turns")], |html| {
        for (at, turn) in (1..).zip(&story.turns).skip(hidden) {
            let value = at.to_string();
            html.element("li", &[("value", &value), ("data-turn", &value)], |html| {
                turn_text(html, turn);
            });
        }
    });
}

/// The name of the task leads, so that the eye finds who acts.
fn turn_text(html: &mut Html, turn: &Turn) {
    match turn.text.strip_prefix(&turn.task) {
        Some(rest) if !turn.task.is_empty() => {
            html.line("b", "", &turn.task);
            prose(html, rest);
        }
        _ => prose(html, &turn.text),
    }
}

/// The lanes, the strips beside them, and what walks through both.
fn walk(html: &mut Html, (id, story): (&str, &Story)) {
    if story.lanes.rows.is_empty() {
        return;
    }
    html.line("h4", "", "Step by step");
    html.element("div", &[("class", "walk"), ("data-walk", id)], |html| {
        lanes::lanes(html, (id, &story.lanes));
        html.element("div", &[("class", "panel")], |html| {
            stepper(html);
            if let Some(all) = &story.strips {
                strips::strips(html, all, &story.lanes);
            }
        });
    });
}

/// Shown by the script: without it there is nothing to step through.
fn stepper(html: &mut Html) {
    html.markup(concat!(
        "<div class=\"stepper\" hidden><div class=\"buttons\" role=\"group\" aria-label=\"Steps\">",
        "<button type=\"button\" data-go=\"Home\">First</button>",
        "<button type=\"button\" data-go=\"ArrowLeft\">Back</button>",
        "<button type=\"button\" data-go=\"ArrowRight\">Next</button>",
        "<button type=\"button\" data-go=\"End\">Last</button>",
        "<button type=\"button\" data-go=\"f\">Failure</button>",
        "</div><p class=\"now\" aria-live=\"polite\"></p>",
        "<p class=\"keys\">Keys: <kbd>\u{2190}</kbd> <kbd>\u{2192}</kbd> <kbd>Home</kbd> ",
        "<kbd>End</kbd> <kbd>f</kbd></p></div>",
    ));
}
