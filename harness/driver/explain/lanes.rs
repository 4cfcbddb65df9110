//! One column a task, time goes down, a row for each event that matters.

use super::cast::{Cast, ordinal};
use super::headline::Headline;
use super::nearest::acts_next;
use super::state::{self, Change};
use super::story::{essential, name_of};
use super::turns::{Scope, Turn, nth, opening, points, step, struck};
use super::watcher::{Event, Frame};
use super::words;
use crate::scenario::plan::{Plan, Request, Strike};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;
use stormfs::points::Point;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lanes {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// In the order of time.
    pub rows: Vec<Row>,
    /// Rows before them that are left out.
    pub left_out: usize,
}

/// What one task did at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Points passed so far, of the whole run.
    pub step: u64,
    /// Whose column it stands in.
    pub column: usize,
    /// What kind of event it is.
    pub kind: Kind,
    /// In words.
    pub text: String,
    /// How many points of the run were passed since the row before.
    pub points: u64,
    /// The number of its turn, of all turns.
    #[serde(skip)]
    pub turn: usize,
    /// The locks that the task holds afterwards, outermost first.
    pub holds: Vec<&'static str>,
    /// The moment.
    #[serde(skip)]
    pub at: usize,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A call begins.
    Begins,
    /// A call returns.
    Returns,
    /// Something is changed.
    Changes,
    /// A decision is not that of a correct filesystem.
    Decides,
    /// The task stops at a point, and another goes on.
    Stops,
    /// The task waits.
    Waits,
    /// A fault strikes.
    Strikes,
    /// The invariant fails.
    Fails,
}

/// The lanes of a storm: of turns that do not `matter` only the beginnings and ends of calls are shown.
pub fn lanes(
    (plan, cast): (&Plan, &Cast),
    frames: &[Frame],
    (turns, matter): (&[Turn], &[usize]),
    scope: Option<Scope>,
    headline: &Headline,
) -> Lanes {
    let seen = opening(frames);
    let mut drawing = Drawing { plan, cast, frames, scope, rows: Vec::new(), seen, turn: 0 };
    let shown: BTreeSet<usize> = matter.iter().copied().collect();
    for (number, turn) in turns.iter().enumerate() {
        let matters = shown.contains(&number);
        drawing.turn = number;
        let mut since = turn.frames.start;
        for at in turn.frames.clone() {
            if !drawing.is_break(at) && at + 1 != turn.frames.end {
                continue;
            }
            drawing.strikes(at);
            if matters {
                drawing.stretch(since..at + 1);
            }
            since = at + 1;
            drawing.frame(at, matters);
        }
    }
    if let Some(last) = frames.len().checked_sub(1) {
        let Headline { invariant, expected, found, .. } = headline;
        let text = format!("{invariant} fails: expected {expected}; found {found}");
        drawing.row(last, Kind::Fails, text);
    }
    drawing.finished()
}

/// Up to so many changes in a row have a row each.
const FEW: usize = 5;

/// A decision is told of so often, and the last time.
const DECISIONS: u64 = 2;

/// Of longer lanes the end is shown.
const ROWS: usize = 150;

struct Drawing<'a> {
    plan: &'a Plan,
    cast: &'a Cast,
    frames: &'a [Frame],
    scope: Option<Scope>,
    /// Columns are the numbers of tasks until the end.
    rows: Vec<Row>,
    seen: usize,
    /// The turn that is drawn.
    turn: usize,
}

impl Drawing<'_> {
    fn row(&mut self, at: usize, kind: Kind, text: String) {
        let passed = points(self.frames, self.seen..at + 1);
        self.seen = at + 1;
        let (step, column) = (step(self.frames, at), self.frames[at].task);
        let (turn, holds) = (self.turn, self.frames[at].holds.to_vec());
        self.rows.push(Row { step, column, kind, text, points: passed, turn, holds, at });
    }

    fn frame(&mut self, at: usize, matters: bool) {
        let frame = &self.frames[at];
        let call = self.cast.call(frame.task, frame.operation);
        if matches!(frame.event, Event::Begins) {
            let text = call.map_or_else(String::new, |call| self.cast.described(call));
            self.row(at, Kind::Begins, text);
        }
        if let Some(result) = frame.result() {
            let what = call.map_or("call", |call| call.op.kind().name());
            let text = match result.outcome {
                Ok(bytes) => format!("{what} returns {bytes}"),
                Err(error) => format!("{what} fails: {error}"),
            };
            self.row(at, Kind::Returns, text);
        }
        let ended = frame.stand().is_some_and(|stand| stand.state == sim::State::Ended);
        if matters && !ended && self.cast.is_actor(frame.task) {
            self.leaves(at);
        }
    }

    /// Whether something happened then that has a row of its own.
    fn is_break(&self, at: usize) -> bool {
        let frame = &self.frames[at];
        let decides =
            || at.checked_sub(1).is_some_and(|was| self.frames[was].deviated != frame.deviated);
        let strikes = |at: usize| {
            let frame = self.frames.get(at);
            frame.is_some_and(|frame| !struck(frame, self.plan, self.cast).is_empty())
        };
        let calls = matches!(frame.event, Event::Begins) || frame.result().is_some();
        calls || decides() || strikes(at) || strikes(at + 1)
    }

    /// What was changed in some moments of one turn: each by itself if they are few, else together.
    fn stretch(&mut self, moments: Range<usize>) {
        let changing: Vec<usize> =
            moments.clone().filter(|at| !self.changes(*at..at + 1).is_empty()).collect();
        if changing.len() <= FEW {
            for at in changing {
                self.changed(at..at + 1);
            }
        } else if let Some(last) = changing.last() {
            self.changed(moments.start..last + 1);
        }
        let at = moments.end - 1;
        for name in self.decided(at) {
            let chosen = self.plan.filesystem.choices.departures();
            let value = chosen.into_iter().find(|(other, _)| *other == name).map(|it| it.1);
            self.row(at, Kind::Decides, format!("{name}: {}", value.unwrap_or_default()));
        }
    }

    /// The decisions that made an answer differ at a moment: of each the first few times and the last.
    fn decided(&self, at: usize) -> Vec<&'static str> {
        let Some(before) = at.checked_sub(1) else { return Vec::new() };
        let count = |frame: &Frame, name: &str| {
            frame.deviated.iter().find(|(other, _)| *other == name).map_or(0, |(_, count)| *count)
        };
        let (was, is) = (&self.frames[before], &self.frames[at]);
        let last = self.frames.last().map_or(is, |last| last);
        let told = is.deviated.iter().filter(|(name, now)| {
            count(was, name) < *now && (*now <= DECISIONS || *now == count(last, name))
        });
        told.map(|(name, _)| *name).collect()
    }

    /// What differs after some moments, as far as it is in scope.
    fn changes(&self, moments: Range<usize>) -> Vec<Change> {
        let Some(before) = moments.start.checked_sub(1) else { return Vec::new() };
        let (was, is) = (&self.frames[before].files, &self.frames[moments.end - 1].files);
        let mut changes = state::changes(was, is);
        changes.retain(|change| self.scope.is_none_or(|scope| scope.holds(change)));
        changes.retain(|change| !matches!(change.what, state::What::Sequence(..)));
        essential(&changes)
    }

    fn changed(&mut self, moments: Range<usize>) {
        let last = &self.frames[moments.end - 1];
        let acting = self.cast.op(last.task, last.operation);
        let changes = self.changes(moments.clone());
        let verbs = changes.iter().map(|change| words::verb(change, self.cast, acting));
        let verbs: Vec<String> = verbs.collect();
        let named = last.passage().and_then(|at| Point::named(at.site.name)).map(Point::name);
        let named = named.filter(|_| moments.len() == 1);
        let place = named.map_or_else(String::new, |name| format!("{name}: "));
        if !verbs.is_empty() {
            self.row(moments.end - 1, Kind::Changes, format!("{place}{}", verbs.join("; ")));
        }
    }

    fn leaves(&mut self, at: usize) {
        let Some(passage) = self.frames[at].leaves() else { return };
        let returned = self.frames[at.saturating_sub(1)].result().is_some();
        if returned || passage.operation == 0 {
            return;
        }
        let holders = self.frames[at].stand().map(|stand| &stand.holders[..]);
        let holders = holders.unwrap_or_default();
        let site = passage.site.name;
        let key = (passage.task, passage.operation, passage.point);
        let to = acts_next(self.frames, key).unwrap_or(passage.to);
        let to = self.cast.task(to);
        let holders: Vec<String> = holders.iter().map(|task| self.cast.task(*task)).collect();
        let held = if holders.is_empty() {
            String::new()
        } else {
            format!(", held by {}", super::cast::listed(&holders))
        };
        let nth = match nth(self.frames, at) {
            1 => String::new(),
            nth => format!(", the {} time", ordinal(nth)),
        };
        let (kind, text) = match (passage.waits, Point::named(site)) {
            (true, _) => (Kind::Waits, format!("waits for {}{held}; {to} goes on", name_of(site))),
            (false, Some(_)) => (Kind::Stops, format!("{site}{nth}; {to} goes on")),
            (false, None) => (Kind::Stops, format!("about to take {site}{held}; {to} goes on")),
        };
        self.row(at, kind, text);
    }

    fn strikes(&mut self, at: usize) {
        for struck in struck(&self.frames[at], self.plan, self.cast) {
            self.row(at, Kind::Strikes, strike(struck, self.cast));
        }
    }

    /// Only tasks that have a row keep their columns.
    fn finished(mut self) -> Lanes {
        let left_out = self.rows.len().saturating_sub(ROWS);
        self.rows.drain(..left_out);
        let tasks: BTreeSet<usize> = self.rows.iter().map(|row| row.column).collect();
        let tasks: Vec<usize> = tasks.into_iter().collect();
        let columns = tasks.iter().map(|task| self.cast.task(*task)).collect();
        let column = |task| tasks.iter().position(|other| *other == task).unwrap_or_default();
        let rows = self.rows.into_iter().map(|row| Row { column: column(row.column), ..row });
        Lanes { columns, rows: rows.collect(), left_out }
    }
}

/// A fault, as an event.
pub fn strike(strike: &Strike, cast: &Cast) -> String {
    let request = |request: &Request| {
        let Request { on, file, pos, nth } = request;
        let nth = ordinal(usize::try_from(*nth).unwrap_or(usize::MAX));
        format!("the {nth} {} of {} at {pos}", on.name(), cast.file(*file))
    };
    match strike {
        Strike::IoError(bio) => format!("{} fails", request(bio)),
        Strike::Latency(bio, time) => format!("{} takes {time:?}", request(bio)),
        Strike::Evict { file, pos, .. } => {
            format!("reclaim comes for the folio of byte {pos} of {}", cast.file(*file))
        }
        Strike::Delay(_, time) => format!("stands still for {time:?}"),
    }
}
