//! The turns that matter, each in a sentence or two.

use super::cast::{Cast, listed, ordinal};
use super::headline::{Headline, decision};
use super::state::{Change, What};
use super::turns::{Ended, Turn, outdated};
use super::watcher::Frame;
use super::words;
use crate::scenario::plan::Plan;
use sim::State;
use std::collections::BTreeSet;
use stormfs::points::Point;

/// At most so many turns are told, the last ones.
const MOST: usize = 9;

/// The turns that matter: those that changed something in scope or decided wrongly, the one in which
/// it failed, and for each that goes on with an operation the one that left it.
pub fn matter(turns: &[Turn], frames: &[Frame]) -> Vec<usize> {
    let mut all = BTreeSet::new();
    for (at, turn) in turns.iter().enumerate() {
        if turn.does_something() || at + 1 == turns.len() {
            all.insert(at);
            let key = (turn.task, turn.first_operation(frames));
            let left = |other: &&Turn| (other.task, other.operation(frames)) == key;
            let earlier = turns[..at].iter().enumerate().rev();
            all.extend(earlier.clone().find(|(_, other)| left(other)).map(|(at, _)| at));
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
            text.push_str(&teller.failure(headline));
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
        let mut text = self.subject(turn);
        let mut acts: Vec<String> =
            essential(&turn.changes).iter().map(|it| words::verb(it, self.cast)).collect();
        if let (Some((from, to)), true) = (turn.sequence, moves_extents(turn)) {
            acts.push(format!("which moves the sequence counter from {from} to {to}"));
        }
        let returned = turn.calls.iter().rev().find_map(|(number, result)| {
            result.filter(|_| *number == turn.operation(self.frames)).map(|it| it.outcome)
        });
        match returned {
            Some(Ok(bytes)) if 0 < bytes => acts.push(format!("returns {bytes}")),
            Some(Ok(_)) => acts.push("returns".to_owned()),
            Some(Err(error)) => acts.push(format!("fails with {error}")),
            None => {}
        }
        let stops = turn.ended.as_ref().and_then(|ended| self.stops(turn, ended));
        let is_silent = acts.is_empty() && stops.is_none();
        acts.extend(stops);
        if is_silent {
            text.push_str(" acts");
        } else {
            text.push(' ');
            text.push_str(&listed(&acts));
        }
        text.push('.');
        for (name, _) in &turn.deviated {
            text.push_str(&self.deviation(name));
        }
        text
    }

    /// Who acts, and with what: an operation is told whole when it is first met.
    fn subject(&mut self, turn: &Turn) -> String {
        let name = self.cast.task(turn.task);
        let first = turn.first_operation(self.frames);
        let begun: Vec<u64> =
            turn.calls.iter().filter(|(_, result)| result.is_none()).map(|(op, _)| *op).collect();
        let goes_on = begun.first() != Some(&first) && self.cast.is_actor(turn.task);
        let fresh = begun.iter().copied().chain(goes_on.then_some(first));
        let fresh: BTreeSet<u64> = fresh.filter(|op| self.known.insert((turn.task, *op))).collect();
        let calls = fresh.iter().filter_map(|op| self.cast.call(turn.task, *op));
        let calls: Vec<String> = calls.map(|call| self.cast.described(call)).collect();
        let mut text = name;
        if !calls.is_empty() {
            text.push_str(&format!(" ({})", calls.join("; then ")));
        }
        if goes_on {
            text.push_str(" goes on");
            if let Some((_, map, now)) = outdated(self.frames, turn) {
                let map = words::mapping(&map);
                text.push_str(&format!(
                    " with its mapping of {map}, while the counter is at {now}"
                ));
            }
            text.push(':');
        }
        text
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
        format!(
            " Here a correct filesystem decides otherwise: `{name}: {}`. {} {}",
            chosen.value, chosen.about, chosen.means
        )
    }

    fn failure(&self, headline: &Headline) -> String {
        let Headline { invariant, expected, found, .. } = headline;
        format!(" Now {invariant} fails: expected {expected}; found {found}.")
    }
}

fn name_of(site: &str) -> String {
    match site {
        "writeback" => "the folio's writeback to end".to_owned(),
        "sleep" => "time to pass".to_owned(),
        "halted" | "gate" | "actors" => "the others".to_owned(),
        other => {
            format!("the {other}").replace("the i_rwsem", "i_rwsem").replace("the ILOCK", "ILOCK")
        }
    }
}

fn moves_extents(turn: &Turn) -> bool {
    turn.changes.iter().any(|change| matches!(change.what, What::Extents(..)))
}

/// The changes that say most: what follows from one of the others is left out.
pub fn essential(changes: &[Change]) -> Vec<&Change> {
    let any = |such: fn(&What) -> bool| changes.iter().any(|change| such(&change.what));
    let begins_io = any(|what| matches!(what, What::Writeback(true)));
    let dirties = any(|what| matches!(what, What::Dirtied | What::InCache(..)));
    let fills = any(|what| matches!(what, What::Filled));
    let drops = any(|what| matches!(what, What::Dropped(_)));
    changes
        .iter()
        .filter(|change| match change.what {
            What::Cleaned | What::Flag(false) => !begins_io,
            What::Filled => !dirties,
            What::Cached => !dirties && !fills,
            What::InCache(_, is) => is.cached.is_some() || !drops,
            What::Flag(true) => !dirties,
            _ => true,
        })
        .collect()
}

/// What last changed the bytes that are watched, in a sentence.
pub fn origin(turns: &[Turn], frames: &[Frame], cast: &Cast) -> Option<String> {
    let of_bytes = |change: &&Change| matches!(change.what, What::InCache(..) | What::OnDisk(..));
    let last = turns.iter().rev();
    let mut found = last.filter_map(|turn| Some((turn, turn.changes.iter().rev().find(of_bytes)?)));
    let (turn, change) = found.next()?;
    let name = cast.task(turn.task);
    let operation = turn.operation(frames);
    let call = cast.call(turn.task, operation).map(|call| format!(" ({})", call.op));
    Some(format!("{name}{} {}", call.unwrap_or_default(), words::verb(change, cast)))
}
