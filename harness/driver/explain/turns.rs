//! A storm as turns: who acted from when to when, what was different afterwards, and how the turn
//! ended. A turn ends where another task goes on, and where an actor's next operation begins.

use super::cast::Cast;
use super::state::{self, Change, FileState, What};
use super::watcher::{Event, Frame};
use crate::case;
use crate::scenario::plan::{Plan, Strike};
use crate::target::Performed;
use oracle::pattern::Origin;
use sim::{Passage, Stand};
use std::ops::Range;
use std::sync::Arc;
use stormfs::iomap::Iomap;
use stormfs::quantity::ByteRange;

/// The part of a file that the violation is about: what happens elsewhere is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The file.
    pub file: usize,
    /// Whole pages or blocks.
    pub range: ByteRange,
    /// Whether the size on disk is part of it.
    pub durable_size: bool,
    /// Whether zeros are, where they come and go.
    pub zeros: bool,
}

impl Scope {
    /// Whether it is about what was changed.
    pub fn holds(&self, change: &Change) -> bool {
        if change.file != self.file {
            return false;
        }
        let passes = |from: u64, to: u64| {
            let (low, high) = (from.min(to), from.max(to));
            low < self.range.end && self.range.start <= high
        };
        if let What::Size(from, to) = change.what {
            return passes(from, to);
        }
        if let What::SizeDisk(from, to) = change.what {
            return self.durable_size && passes(from, to);
        }
        let cached = matches!(change.what, What::InCache(_, is) if is.cached == Some(Origin::Zero));
        let stored = matches!(change.what, What::OnDisk(_, is) if is.disk == Some(Origin::Zero));
        let zeros = cached || stored;
        let is_told = self.zeros || !zeros;
        is_told && change.range.is_some_and(|range| range.overlaps(self.range))
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Who acted.
    pub task: usize,
    /// Its moments.
    pub frames: Range<usize>,
    /// Operations that began, and those that returned with what.
    pub calls: Vec<(u64, Option<Performed>)>,
    /// What was different afterwards, as far as it is in scope.
    pub changes: Vec<Change>,
    /// What else was different in the file that the violation is about.
    pub elsewhere: Vec<Change>,
    /// Changes of the sequence counter in the file that the violation is about, from and to.
    pub sequence: Option<(u64, u64)>,
    /// Decisions that made an answer differ, and how often.
    pub deviated: Vec<(&'static str, u64)>,
    /// How it ended; none if the run did.
    pub ended: Option<Ended>,
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Where.
    pub passage: Passage,
    /// How often the operation had passed that place.
    pub nth: usize,
    /// Where the task stood, and what it held.
    pub stand: Option<Stand>,
}

impl Turn {
    /// Its operation when it ended.
    pub fn operation(&self, frames: &[Frame]) -> u64 {
        frames[self.frames.end - 1].operation
    }

    /// The last of its operations that is a call.
    pub fn call(&self, frames: &[Frame], cast: &Cast) -> Option<u64> {
        let own = frames[self.frames.clone()].iter().rev().map(|frame| frame.operation);
        own.into_iter().find(|number| cast.call(self.task, *number).is_some())
    }

    /// Its operation when it began.
    pub fn first_operation(&self, frames: &[Frame]) -> u64 {
        frames[self.frames.start].operation
    }

    /// Whether it changed something, or decided otherwise than a correct filesystem.
    pub fn does_something(&self) -> bool {
        !self.changes.is_empty() || !self.deviated.is_empty()
    }
}

/// The moments with one more if there is more to tell of the end: another task than that of the last
/// one was running, or something was decided since.
pub fn with_the_end(mut frames: Vec<Frame>, deviated: Vec<(&'static str, u64)>) -> Vec<Frame> {
    let Some(last) = frames.last() else { return frames };
    let task = last.passage().map_or(last.task, |passage| passage.to);
    if task != last.task || *last.deviated != deviated {
        let own = frames.iter().rev().find(|frame| frame.task == task);
        let operation = own.map_or(0, |frame| frame.operation);
        let (event, whose, deviated) = (Event::Commits, None, Arc::new(deviated));
        frames.push(Frame { task, operation, event, deviated, whose, ..last.clone() });
    }
    frames
}

/// The moment at which the first call begins: what lies before it is preparation.
pub fn opening(frames: &[Frame]) -> usize {
    let begins = |frame: &Frame| matches!(frame.event, Event::Begins);
    frames.iter().position(begins).unwrap_or(frames.len())
}

/// The turns from the opening on.
pub fn turns(frames: &[Frame], scope: Option<Scope>, cast: &Cast) -> Vec<Turn> {
    let mut all = Vec::new();
    let mut start = opening(frames);
    while let Some(first) = frames.get(start) {
        let is_own = |frame: &Frame| {
            let same_call = frame.operation == first.operation || !cast.is_actor(first.task);
            frame.task == first.task && same_call
        };
        let ends = |(at, frame): (usize, &Frame)| match () {
            () if !is_own(frame) => Some(at),
            () if frame.leaves().is_some() => Some(at + 1),
            () => None,
        };
        let rest = frames[start..].iter().enumerate();
        let end = start + rest.into_iter().find_map(ends).unwrap_or(frames.len() - start);
        all.push(turn(frames, start..end, scope));
        start = end;
    }
    all
}

fn turn(frames: &[Frame], range: Range<usize>, scope: Option<Scope>) -> Turn {
    let none: &[FileState] = &[];
    let before = range.start.checked_sub(1).map_or(none, |at| &frames[at].files);
    let last = &frames[range.end - 1];
    let mut changes = state::changes(before, &last.files);
    let file = scope.map_or(0, |scope| scope.file);
    let sequence = changes.iter().filter(|change| change.file == file).find_map(|change| {
        if let What::Sequence(from, to) = change.what { Some((from, to)) } else { None }
    });
    changes.retain(|change| !matches!(change.what, What::Sequence(..)));
    let in_scope = |change: &Change| scope.is_none_or(|scope| scope.holds(change));
    let (changes, elsewhere): (Vec<_>, Vec<_>) = changes.into_iter().partition(in_scope);
    let elsewhere = elsewhere.into_iter().filter(|change| change.file == file).collect();
    let known = range.start.checked_sub(1).map(|at| &frames[at].deviated);
    let deviated = last.deviated.iter().map(|(name, count)| {
        let was = known.and_then(|known| known.iter().find(|(other, _)| other == name));
        (*name, count - was.map_or(0, |(_, count)| *count))
    });
    let deviated = deviated.filter(|(_, count)| *count != 0).collect();
    let calls = frames[range.clone()].iter();
    let calls = calls.filter(|it| matches!(it.event, Event::Begins) || it.result().is_some());
    let calls = calls.map(|frame| (frame.operation, frame.result()));
    let ended = last.leaves().map(|passage| Ended {
        passage: *passage,
        nth: nth(frames, range.end - 1),
        stand: last.stand().cloned(),
    });
    Turn {
        task: last.task,
        frames: range.clone(),
        calls: calls.collect(),
        changes,
        elsewhere,
        sequence,
        deviated,
        ended,
    }
}

/// How often the operation of a moment had passed the place it then came to.
pub fn nth(frames: &[Frame], at: usize) -> usize {
    let frame = &frames[at];
    let site = |frame: &Frame| frame.passage().map(|passage| passage.site.name);
    let same = |other: &&Frame| {
        (other.task, other.operation) == (frame.task, frame.operation) && site(other) == site(frame)
    };
    frames[..=at].iter().filter(same).count()
}

/// The last mapping that the operation of a moment has sampled, until it returned.
pub fn mapping(frames: &[Frame], at: usize) -> Option<(usize, Iomap)> {
    let frame = &frames[at];
    let own = frames[..=at].iter().rev();
    let mut own =
        own.filter(|other| (other.task, other.operation) == (frame.task, frame.operation));
    let last = own.find(|it| matches!(it.event, Event::Sampled(..)) || it.result().is_some())?;
    if let Event::Sampled(file, map) = last.event { Some((file, map)) } else { None }
}

/// The mapping that an operation takes up again at a moment, if it is of an older state of the file.
pub fn outdated(frames: &[Frame], turn: &Turn) -> Option<(usize, Iomap, u64)> {
    let before = turn.frames.start.checked_sub(1)?;
    let (task, operation) = (turn.task, turn.first_operation(frames));
    let own = |frame: &Frame| (frame.task, frame.operation) == (task, operation);
    let left = frames[..=before].iter().rposition(own)?;
    let (file, map) = mapping(frames, left)?;
    let now = frames[before].files.get(file)?.sequence;
    (map.sequence != now).then_some((file, map, now))
}

/// The faults that strike at a moment.
pub fn struck<'a>(frame: &Frame, plan: &'a Plan, cast: &Cast) -> Vec<&'a Strike> {
    let Some(passage) = frame.passage() else { return Vec::new() };
    let here = |strike: &&Strike| {
        strike.moment().is_some_and(|moment| {
            let task = case::task(moment.who, cast.actors());
            let at = (task, moment.operation, moment.point);
            at == (passage.task, passage.operation, passage.point)
        })
    };
    plan.strikes.iter().filter(here).collect()
}

/// How many points were passed in a range of moments.
pub fn points(frames: &[Frame], range: Range<usize>) -> u64 {
    let count = frames[range].iter().filter_map(Frame::passage).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The step of a moment: that of the last point passed.
pub fn step(frames: &[Frame], at: usize) -> u64 {
    let passed = frames[..=at].iter().rev().find_map(Frame::passage);
    passed.map_or(0, |passage| passage.step)
}
