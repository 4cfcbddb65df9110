//! What failed in a night, signature by signature, each with its story.

use super::super::failure;
use super::super::html::Html;
use super::super::table::{Cell, numbers, table, words};
use super::{ROWS, fold, more};
use crate::number;
use crate::record::{Night, NightFailure, Part, Rate, Signature, World};

/// Signatures that are shown in full.
const IN_FULL: usize = 20;
/// Scenarios of one signature that are listed.
const PLACES: usize = 12;

/// Adds the section, unless nothing failed.
pub(super) fn failures(html: &mut Html, night: &Night) {
    if night.signatures.is_empty() {
        return;
    }
    html.section("failures", "Failures by signature", |html| {
        let row = |one: &Signature| {
            vec![
                Cell::Name(fold(&one.signature)),
                Cell::Text(number::count(one.count)),
                Cell::Text(rate(one.rate)),
                Cell::Text(number::count(one.first.iteration)),
                Cell::Name(one.first.seed.to_string()),
                Cell::Text(fold(&one.first.scenario)),
            ]
        };
        let rows: Vec<_> = night.signatures.iter().take(ROWS).map(row).collect();
        let columns = [
            words("Signature"),
            numbers("Failing seeds"),
            words("Comes back"),
            numbers("First iteration"),
            words("Its seed"),
            words("Of"),
        ];
        table(html, "What failed, the lowest iteration first", &columns, &rows);
        more(html, night.signatures.len());
        if is_stepped(night) {
            failure::symbols(html);
        }
        for (number, one) in (1..).zip(night.signatures.iter().take(IN_FULL)) {
            let id = format!("f{number}");
            let open = [("class", "failure"), ("id", &id), ("open", "")];
            let open = if number == 1 { &open[..] } else { &open[..2] };
            html.element("details", open, |html| signature(html, night, (&id, one)));
            html.markup("\n");
        }
    });
}

/// Whether a story is told in full, which can be stepped through.
pub(super) fn is_stepped(night: &Night) -> bool {
    night.signatures.iter().take(IN_FULL).any(|one| night.story_of(one).is_some())
}

fn rate(rate: Rate) -> String {
    match rate.runs {
        0 => "not tried".to_owned(),
        runs => format!("{} of {}", number::count(rate.failed), number::count(runs)),
    }
}

fn signature(html: &mut Html, night: &Night, (id, one): (&str, &Signature)) {
    html.element("summary", &[], |html| {
        html.element("h3", &[], |html| html.line("code", "", &fold(&one.signature)));
        html.element("span", &[("class", "place")], |html| {
            html.text(&format!("{}, first ", number::counted(one.count, "seed")));
            html.line("code", "", &one.first.seed.to_string());
        });
    });
    if let Some(file) = &one.file {
        html.command("Replay, here", &format!("pagestorm replay {}", fold(file)));
    }
    html.command("The whole seed", &fold(&one.reproduce));
    if let Some(story) = night.story_of(one) {
        failure::told(html, (id, story), "night.json");
    } else {
        html.element("div", &[("class", "why")], |html| {
            html.element("p", &[], |html| failure::prose(html, &one.sentence));
            untold(html, night.met_first(one));
        });
    }
    facts(html, night, one);
}

/// Why there is no story.
fn untold(html: &mut Html, first: Option<(&Part, &NightFailure)>) {
    let why = match first {
        Some((_, failure)) if failure.case.is_none() => "There is no case of it, so no story.",
        Some((_, failure)) if failure.rate.runs == 0 => concat!(
            "Nobody has looked into it: the night was over, or had no time left for it. ",
            "pagestorm soak --resume does, and pagestorm explain tells the story of the case.",
        ),
        Some((_, failure)) if failure.seen.as_ref().is_some_and(|seen| seen.target.is_some()) => {
            concat!(
                "No story is told of it: threads did it on a real filesystem. pagestorm replay ",
                "makes its calls again there, some times, and says how often it fails.",
            )
        }
        Some((part, _)) if part.world == World::Threads => concat!(
            "No story is told of it: real threads ran, and nothing fixes their order. pagestorm ",
            "replay looks for what they did in the simulated world.",
        ),
        _ => concat!(
            "Its story takes more time or room than a night gives to one: pagestorm shrink makes ",
            "the case smaller, and pagestorm explain tells its story.",
        ),
    };
    html.line("p", "note", why);
}

fn facts(html: &mut Html, night: &Night, one: &Signature) {
    let mut places: Vec<_> = one.scenarios.iter().take(PLACES).map(|place| fold(place)).collect();
    if let Some(rest @ 1..) = one.scenarios.len().checked_sub(PLACES) {
        places.push(format!("and {rest} more in night.json"));
    }
    let smaller = match (one.file.is_some(), one.minimal) {
        (false, _) => "there is no case",
        (true, true) => "nothing more can be taken out of it",
        (true, false) => "it may become smaller: pagestorm shrink goes on",
    };
    let mut facts = vec![
        ("Met in", places.join(", ")),
        ("Comes back", rate(one.rate)),
        ("First", format!("iteration {}", number::count(one.first.iteration))),
        ("Its case", smaller.to_owned()),
    ];
    // A story tells it of the smallest case.
    if night.story_of(one).is_none() {
        let seen = night.met_first(one).and_then(|(_, failure)| failure.seen.as_ref());
        let seen = seen.iter().flat_map(|seen| seen.facts());
        let named = |name| match name {
            "where" => "There, in",
            "expected" => "Expected",
            "found" => "Found",
            _ => "After operation",
        };
        facts.extend(seen.map(|(name, value)| (named(name), fold(&value))));
    }
    if one.provisional {
        html.line("p", "note", concat!(
            "The signature is provisional: the case was not made as small as it can be, so several causes may ",
            "share it, and it changes when the case is.",
        ));
    }
    html.element("dl", &[("class", "facts")], |html| {
        for (name, value) in &facts {
            html.element("div", &[], |html| {
                html.line("dt", "", name);
                html.line("dd", "", value);
            });
        }
    });
}
