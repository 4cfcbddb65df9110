//! One column a task, time goes down, a row for each event that matters.

use super::cast::{Cast, ordinal};
use super::headline::Headline;
use super::nearest::acts_next;
use super::state::{self, Change};
use super::story::essential;
use super::turns::{Scope, Turn, nth, opening, points, step};
use super::watcher::{Event, Frame};
use super::words;
use crate::scenario::plan::{Plan, Strike};
use serde::Serialize;
use sim::Passage;
use std::collections::BTreeSet;
use stormfs::points::Point;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lanes {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// In the order of time.
    pub rows: Vec<Row>,
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
    let mut drawing =
        Drawing { plan, cast, frames, scope, rows: Vec::new(), seen: opening(frames) };
    let shown: BTreeSet<usize> = matter.iter().copied().collect();
    for (number, turn) in turns.iter().enumerate() {
        for at in turn.frames.clone() {
            drawing.frame(at, shown.contains(&number));
        }
    }
    if let Some(last) = frames.len().checked_sub(1) {
        let Headline { invariant, expected, found, .. } = headline;
        let text = format!("{invariant} fails: expected {expected}; found {found}");
        drawing.row(last, Kind::Fails, text);
    }
    drawing.finished()
}

struct Drawing<'a> {
    plan: &'a Plan,
    cast: &'a Cast,
    frames: &'a [Frame],
    scope: Option<Scope>,
    /// Columns are the numbers of tasks until the end.
    rows: Vec<Row>,
    seen: usize,
}

impl Drawing<'_> {
    fn row(&mut self, at: usize, kind: Kind, text: String) {
        let passed = points(self.frames, self.seen..at + 1);
        self.seen = at + 1;
        let (step, column) = (step(self.frames, at), self.frames[at].task);
        self.rows.push(Row { step, column, kind, text, points: passed });
    }

    fn frame(&mut self, at: usize, matters: bool) {
        let frame = &self.frames[at];
        let call = self.cast.call(frame.task, frame.operation);
        if matters {
            self.changes(at);
        }
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
        if let Some(passage) = frame.passage() {
            self.strikes(at, passage);
        }
        let ended = frame.stand().is_some_and(|stand| stand.state == sim::State::Ended);
        if matters && !ended && self.cast.is_actor(frame.task) {
            self.leaves(at);
        }
    }

    fn changes(&mut self, at: usize) {
        let Some(before) = at.checked_sub(1) else { return };
        let (was, is) = (&self.frames[before], &self.frames[at]);
        let mut changes = state::changes(&was.files, &is.files);
        changes.retain(|change| self.scope.is_none_or(|scope| scope.holds(change)));
        let moved = |change: &&Change| !matches!(change.what, state::What::Sequence(..));
        let shown = essential(&changes).into_iter().filter(moved);
        let acting = self.cast.op(is.task, is.operation);
        let verbs: Vec<String> =
            shown.map(|change| words::verb(change, self.cast, acting)).collect();
        if !verbs.is_empty() {
            let place = is.passage().and_then(|at| Point::named(at.site.name)).map(Point::name);
            let place = place.map_or_else(String::new, |name| format!("{name}: "));
            self.row(at, Kind::Changes, format!("{place}{}", verbs.join("; ")));
        }
        for (name, count) in is.deviated.iter() {
            let known = was.deviated.iter().find(|(other, _)| other == name);
            if known.is_none_or(|(_, earlier)| earlier < count) {
                let chosen = self.plan.filesystem.choices.departures();
                let value = chosen.into_iter().find(|(other, _)| other == name).map(|it| it.1);
                self.row(at, Kind::Decides, format!("{name}: {}", value.unwrap_or_default()));
            }
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
            (true, _) => (Kind::Waits, format!("waits for {site}{held}; {to} goes on")),
            (false, Some(_)) => (Kind::Stops, format!("{site}{nth}; {to} goes on")),
            (false, None) => (Kind::Stops, format!("about to take {site}{held}; {to} goes on")),
        };
        self.row(at, kind, text);
    }

    fn strikes(&mut self, at: usize, passage: &Passage) {
        let actors = self.cast.actors();
        let here = |strike: &&Strike| {
            strike.moment().is_some_and(|moment| {
                let task = crate::case::task(moment.who, actors);
                (task, moment.operation, moment.point)
                    == (passage.task, passage.operation, passage.point)
            })
        };
        let struck: Vec<String> =
            self.plan.strikes.iter().filter(here).map(|it| strike(it, self.cast)).collect();
        for text in struck {
            self.row(at, Kind::Strikes, text);
        }
    }

    /// Only tasks that have a row keep their columns.
    fn finished(self) -> Lanes {
        let tasks: BTreeSet<usize> = self.rows.iter().map(|row| row.column).collect();
        let tasks: Vec<usize> = tasks.into_iter().collect();
        let columns = tasks.iter().map(|task| self.cast.task(*task)).collect();
        let column = |task| tasks.iter().position(|other| *other == task).unwrap_or_default();
        let rows = self.rows.into_iter().map(|row| Row { column: column(row.column), ..row });
        Lanes { columns, rows: rows.collect() }
    }
}

/// A fault, as an event.
pub fn strike(strike: &Strike, cast: &Cast) -> String {
    match strike {
        Strike::IoError(request) => format!("a {} fails", request.on.name()),
        Strike::Latency(request, time) => format!("a {} takes {time:?}", request.on.name()),
        Strike::Evict { file, pos, .. } => {
            format!("reclaim comes for the folio of byte {pos} of {}", cast.file(*file))
        }
        Strike::Delay(_, time) => format!("stands still for {time:?}"),
    }
}
