//! The turns that matter, each in a sentence or two.

use super::cast::{Cast, listed, ordinal};
use super::headline::{Decision, Headline, decision};
use super::state::{Change, What};
use super::turns::{Ended, Turn, outdated, struck};
use super::watcher::Frame;
use super::words;
use crate::scenario::plan::{Plan, Strike};
use sim::State;
use std::collections::BTreeSet;
use std::fmt::Write;
use stormfs::points::Point;

/// At most so many turns are told, the last ones.
const MOST: usize = 16;

/// Of changes outside of what the violation is about at most so many are told in a turn.
const ELSEWHERE: usize = 3;

/// Up to so many calls each is told of, whatever it changed.
const FEW: usize = 8;

/// The turns that matter: those that changed something in scope or decided wrongly, the one in which
/// it failed, and for each that goes on with an operation the one that left it.
pub fn matter(turns: &[Turn], frames: &[Frame], cast: &Cast) -> Vec<usize> {
    let mut all = BTreeSet::new();
    let few = turns.iter().flat_map(|turn| &turn.calls).count() <= 2 * FEW;
    for (at, turn) in turns.iter().enumerate() {
        if few && !turn.calls.is_empty() {
            all.insert(at);
        }
        if turn.does_something() || at + 1 == turns.len() {
            all.insert(at);
            let key = (turn.task, turn.first_operation(frames));
            if !cast.is_actor(turn.task) {
                continue;
            }
            let left = |other: &&Turn| (other.task, other.operation(frames)) == key;
            let mut earlier = turns[..at].iter().enumerate().rev();
            let Some((from, _)) = earlier.find(|(_, other)| left(other)) else { continue };
            all.insert(from);
            if outdated(frames, turn).is_some() {
                all.extend((from + 1..at).filter(|at| turns[*at].sequence.is_some()));
            }
        }
    }
    all.into_iter().collect()
}

/// Tells the turns that matter; how many of them were left out at the beginning.
pub fn story(
    plan: &Plan,
    cast: &Cast,
    frames: &[Frame],
    (turns, matter): (&[Turn], &[usize]),
    headline: &Headline,
) -> (Vec<String>, usize) {
    let left_out = matter.len().saturating_sub(MOST);
    let mut teller = Teller { plan, cast, frames, known: BTreeSet::new(), told: BTreeSet::new() };
    let mut out = Vec::new();
    for at in &matter[left_out..] {
        let mut text = teller.turn(&turns[*at]);
        if at + 1 == turns.len() {
            text.push_str(&failure(headline));
        }
        out.push(text);
    }
    (out, left_out)
}

struct Teller<'a> {
    plan: &'a Plan,
    cast: &'a Cast,
    frames: &'a [Frame],
    /// Operations whose calls were named.
    known: BTreeSet<(usize, u64)>,
    /// Decisions that were told of.
    told: BTreeSet<&'static str>,
}

impl Teller<'_> {
    fn turn(&mut self, turn: &Turn) -> String {
        let (mut text, link) = self.subject(turn);
        let mut acts = self.acts(turn);
        acts.extend(turn.ended.as_ref().and_then(|ended| self.stops(turn, ended)));
        if acts.is_empty() {
            acts.extend(self.reaches(turn));
        }
        if !acts.is_empty() {
            let alone = acts.len() == 1 && link == ", ";
            text.push_str(if alone { " and " } else { link });
            text.push_str(&listed(&acts));
        }
        text.push('.');
        for (name, _) in &turn.deviated {
            text.push_str(&self.deviation(name));
        }
        text
    }

    /// Whether every call has returned when a turn begins.
    fn is_over(&self, turn: &Turn) -> bool {
        let before = &self.frames[..turn.frames.start];
        let returned = before.iter().filter(|frame| frame.result().is_some()).count();
        returned == self.plan.actors.iter().map(|actor| actor.does.len()).sum::<usize>()
    }

    /// How far somebody came who changed nothing.
    fn reaches(&self, turn: &Turn) -> Option<String> {
        if turn.task == 0 {
            return Some("makes its checks".to_owned());
        }
        let mut passed = self.frames[turn.frames.clone()].iter().rev().filter_map(Frame::passage);
        let named = passed.find_map(|passage| Point::named(passage.site.name))?;
        Some(format!("comes to {}", named.name()))
    }

    /// What was different after a turn, and what its call returned.
    fn acts(&self, turn: &Turn) -> Vec<String> {
        let acting = turn.call(self.frames, self.cast);
        let acting = acting.and_then(|call| self.cast.op(turn.task, call));
        let verb = |change: Change| match self.reclaimed(turn, &change) {
            Some(told) => told,
            None => words::verb(&change, self.cast, acting),
        };
        let elsewhere = essential(&turn.elsewhere);
        let mut acts: Vec<String> = essential(&turn.changes).into_iter().map(verb).collect();
        if acts.is_empty() && !turn.calls.is_empty() {
            acts.extend(elsewhere.into_iter().take(ELSEWHERE).map(verb));
        } else if turn.sequence.is_some() && !moves_extents(&turn.changes) {
            let moved = elsewhere.into_iter().filter(is_of_extents);
            acts.extend(moved.take(ELSEWHERE).map(verb));
        }
        if let Some((from, to)) = turn.sequence {
            acts.push(format!("moves the sequence counter from {from} to {to}"));
        }
        match turn.calls.last().and_then(|(_, result)| *result).map(|it| it.outcome) {
            Some(Ok(bytes)) if 0 < bytes => acts.push(format!("returns {bytes}")),
            Some(Ok(_)) => acts.push("returns".to_owned()),
            Some(Err(error)) => acts.push(format!("fails with {error}")),
            None => {}
        }
        acts
    }

    /// What a fault took from the cache, which no operation of the turn did.
    fn reclaimed(&self, turn: &Turn, change: &Change) -> Option<String> {
        let range = change.range.filter(|_| matches!(change.what, What::Dropped(_)))?;
        let at = turn.frames.clone().find(|at| {
            let strikes = struck(&self.frames[*at], self.plan, self.cast);
            strikes.into_iter().any(|strike| {
                matches!(strike, Strike::Evict { file, pos, .. }
                    if *file == change.file && range.start <= *pos && *pos < range.end)
            })
        })?;
        let site = self.frames[at].passage()?.site.name;
        Some(format!("loses {range} from the cache to reclaim, at {site}"))
    }

    /// Who acts, and with what: an operation is told whole when it is first met. And what links that
    /// to what is done.
    fn subject(&mut self, turn: &Turn) -> (String, &'static str) {
        let first = turn.first_operation(self.frames);
        let begun = turn.calls.iter().filter(|(_, result)| result.is_none());
        let begun: Vec<u64> = begun.map(|(number, _)| *number).collect();
        let goes_on = begun.first() != Some(&first) && self.cast.is_actor(turn.task);
        let met = begun.into_iter().chain(goes_on.then_some(first));
        let fresh: BTreeSet<u64> = met.filter(|op| self.known.insert((turn.task, *op))).collect();
        let calls = fresh.iter().filter_map(|op| self.cast.call(turn.task, *op));
        let calls: Vec<String> = calls.map(|call| self.cast.described(call)).collect();
        let mut text = self.cast.task(turn.task);
        if turn.task == 0 && self.known.insert((0, 0)) && self.is_over(turn) {
            text.push_str(
                " (the last call has returned: it syncs, drops the cache and reads again)",
            );
        }
        if !calls.is_empty() {
            let _ = write!(text, " ({})", calls.join("; then "));
        }
        if !goes_on {
            return (text, " ");
        }
        let Some((_, map, now)) = outdated(self.frames, turn) else {
            return (text + " goes on", ", ");
        };
        let map = words::mapping(&map);
        let text =
            format!("{text} goes on with its mapping of {map}; the counter is at {now} by now");
        (text, ". It ")
    }

    fn stops(&self, turn: &Turn, ended: &Ended) -> Option<String> {
        let stand = ended.stand.as_ref()?;
        if !self.cast.is_actor(turn.task) || stand.state == State::Ended {
            return None;
        }
        let returned = turn.calls.last().is_some_and(|(_, result)| result.is_some());
        if returned {
            return None;
        }
        let site = ended.passage.site;
        let holds: Vec<String> = stand.holds.iter().map(|hold| hold.name.to_owned()).collect();
        let holding = match &holds[..] {
            [] => ", holding nothing".to_owned(),
            some => format!(", holding {}", listed(some)),
        };
        let place = match (Point::named(site.name), ended.passage.waits) {
            (Some(_), _) if ended.nth == 1 => format!("stops at {}", site.name),
            (Some(_), _) => format!("stops at its {} {}", ordinal(ended.nth), site.name),
            (None, true) => {
                let holders: Vec<String> =
                    stand.holders.iter().map(|task| self.cast.task(*task)).collect();
                let held = match &holders[..] {
                    [] => String::new(),
                    some => format!(", held by {}", listed(some)),
                };
                format!("has to wait for {}{held}", name_of(site.name))
            }
            (None, false) => format!("stops before it takes {}", name_of(site.name)),
        };
        Some(format!("{place}{holding}"))
    }

    fn deviation(&mut self, name: &&'static str) -> String {
        let chosen = self.plan.filesystem.choices.departures();
        let chosen = chosen.into_iter().find(|(known, _)| known == name);
        let Some(chosen) = chosen.and_then(decision) else { return String::new() };
        if !self.told.insert(name) {
            return format!(" Again `{name}: {}` decides.", chosen.value);
        }
        let Decision { name, about, value, means, right, right_means } = chosen;
        format!(
            " Here a correct filesystem decides otherwise. {about} Right (`{right}`): {right_means} \
             Here (`{name}: {value}`): {means}"
        )
    }
}

fn failure(headline: &Headline) -> String {
    let Headline { invariant, expected, found, .. } = headline;
    format!(" Now {invariant} fails: expected {expected}; found {found}.")
}

/// What somebody waits for, by the name of the place.
pub fn name_of(site: &str) -> String {
    match site {
        "writeback" => "the folio's writeback to end".to_owned(),
        "sleep" => "time to pass".to_owned(),
        "device.done" => "its I/O".to_owned(),
        "halted" | "gate" | "actors" => "the others".to_owned(),
        other => {
            format!("the {other}").replace("the i_rwsem", "i_rwsem").replace("the ILOCK", "ILOCK")
        }
    }
}

fn moves_extents(changes: &[Change]) -> bool {
    changes.iter().any(is_of_extents)
}

fn is_of_extents(change: &Change) -> bool {
    matches!(change.what, What::Extents(..))
}

/// The changes that say most: what follows from one of the others is left out, and
/// what continues one is added to it.
pub fn essential(changes: &[Change]) -> Vec<Change> {
    let any = |such: fn(&What) -> bool| changes.iter().any(|change| such(&change.what));
    let begins_io = any(|what| matches!(what, What::Writeback(true)));
    let dirties = any(|what| matches!(what, What::Dirtied | What::InCache(..)));
    let fills = any(|what| matches!(what, What::Filled));
    let drops = any(|what| matches!(what, What::Dropped(_)));
    let says_more = |change: &&Change| match change.what {
        What::Cleaned | What::Flag(false) => !begins_io,
        What::Filled | What::Flag(true) => !dirties,
        What::Cached => !dirties && !fills,
        What::InCache(_, is) => is.cached.is_some() || !drops,
        What::Size(..)
        | What::SizeDisk(..)
        | What::Extents(..)
        | What::Dropped(_)
        | What::Dirtied
        | What::Writeback(_)
        | What::Writable(_)
        | What::OnDisk(..)
        | What::Sequence(..) => true,
    };
    merged(changes.iter().filter(says_more))
}

/// Changes of one kind whose bytes continue one another are one.
fn merged<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::new();
    for change in changes {
        let alike = |last: &&mut Change| {
            let ends = last.range.map(|range| range.end);
            last.file == change.file
                && last.what == change.what
                && ends.is_some()
                && ends == change.range.map(|range| range.start)
        };
        let last = out.iter_mut().rfind(|last| last.what == change.what);
        match (last.filter(alike), change.range) {
            (Some(Change { range: Some(last), .. }), Some(range)) => last.end = range.end,
            _ => out.push(change.clone()),
        }
    }
    out
}

/// What last changed the bytes that are watched, in a sentence.
pub fn origin(turns: &[Turn], frames: &[Frame], cast: &Cast) -> Option<String> {
    let of_bytes = |change: &Change| matches!(change.what, What::InCache(..) | What::OnDisk(..));
    let dropped = |change: &Change| matches!(change.what, What::Dropped(_));
    turns.iter().rev().find_map(|turn| {
        turn.changes.iter().find(|change| of_bytes(change))?;
        let changes = essential(&turn.changes);
        let last = |such: fn(&Change) -> bool| changes.iter().rev().find(|change| such(change));
        let change = last(of_bytes).or(last(dropped))?;
        let number = turn.call(frames, cast);
        let acting = number.and_then(|number| cast.op(turn.task, number));
        let who = acting.map_or(cast.task(turn.task), |op| cast.operation(op));
        Some(format!("{who} {}", words::verb(change, cast, acting)))
    })
}
