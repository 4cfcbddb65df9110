//! A storm as turns: who acted from when to when, what was different afterwards, and how the turn
//! ended. A turn ends where another task goes on.

use super::cast::Cast;
use super::state::{self, Change, FileState, What};
use super::watcher::{Event, Frame};
use crate::target::Performed;
use sim::{Passage, Stand};
use std::ops::Range;
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
        match change.what {
            What::Size(from, to) => passes(from, to),
            What::SizeDisk(from, to) => self.durable_size && passes(from, to),
            What::Sequence(..) => false,
            _ => change.range.is_some_and(|range| range.overlaps(self.range)),
        }
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
    /// Changes of the sequence counter in the file that the violation is about, from and to.
    pub sequence: Option<(u64, u64)>,
    /// Decisions that made an answer differ, and how often.
    pub deviated: Vec<(&'static str, u64)>,
    /// How it ended; none if the run did.
    pub ended: Option<Ended>,
    /// The mapping that its operation was using then.
    pub mapping: Option<(usize, Iomap)>,
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

    /// Its operation when it began.
    pub fn first_operation(&self, frames: &[Frame]) -> u64 {
        frames[self.frames.start].operation
    }

    /// Whether it changed something, or decided otherwise than a correct filesystem.
    pub fn does_something(&self) -> bool {
        !self.changes.is_empty() || !self.deviated.is_empty()
    }
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
    while start < frames.len() {
        let task = frames[start].task;
        let leaves = |frame: &Frame| {
            frame.task != task || matches!(&frame.event, Event::Passes(at, _) if at.to != task)
        };
        let len = frames[start..]
            .iter()
            .position(leaves)
            .map_or(frames.len() - start, |at| at + usize::from(frames[start + at].task == task));
        all.push(turn(frames, start..start + len, scope, cast));
        start += len;
    }
    all
}

fn turn(frames: &[Frame], range: Range<usize>, scope: Option<Scope>, cast: &Cast) -> Turn {
    let none: &[FileState] = &[];
    let before = range.start.checked_sub(1).map_or(none, |at| &frames[at].files);
    let last = &frames[range.end - 1];
    let mut changes = state::changes(before, &last.files);
    let file = scope.map_or(0, |scope| scope.file);
    let sequence = changes.iter().find_map(|change| match change.what {
        What::Sequence(from, to) if change.file == file => Some((from, to)),
        _ => None,
    });
    changes.retain(|change| scope.is_none_or(|scope| scope.holds(change)));
    changes.retain(|change| !matches!(change.what, What::Sequence(..)));
    let known = range.start.checked_sub(1).map(|at| &frames[at].deviated);
    let deviated = last.deviated.iter().map(|(name, count)| {
        let was = known.and_then(|known| known.iter().find(|(other, _)| other == name));
        (*name, count - was.map_or(0, |(_, count)| *count))
    });
    let deviated = deviated.filter(|(_, count)| *count != 0).collect();
    let calls = frames[range.clone()].iter().filter_map(|frame| match frame.event {
        Event::Begins => Some((frame.operation, None)),
        Event::Returns(result) => Some((frame.operation, Some(result))),
        _ => None,
    });
    let ended = match &last.event {
        Event::Passes(passage, stand) if passage.to != passage.task => Some(Ended {
            passage: *passage,
            nth: nth(frames, range.end - 1),
            stand: stand.as_ref().clone(),
        }),
        _ => None,
    };
    let mapping = cast.is_actor(last.task).then(|| mapping(frames, range.end - 1)).flatten();
    Turn {
        task: last.task,
        frames: range.clone(),
        calls: calls.collect(),
        changes,
        sequence,
        deviated,
        ended,
        mapping,
    }
}

/// How often the operation of a moment had passed the place it then came to.
pub fn nth(frames: &[Frame], at: usize) -> usize {
    let frame = &frames[at];
    let site = |frame: &Frame| match &frame.event {
        Event::Passes(passage, _) => Some(passage.site.name),
        _ => None,
    };
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
    own.find_map(|other| match other.event {
        Event::Sampled(file, map) => Some(Some((file, map))),
        Event::Returns(_) => Some(None),
        _ => None,
    })
    .flatten()
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

/// How many points were passed in a range of moments.
pub fn points(frames: &[Frame], range: Range<usize>) -> u64 {
    let passes = |frame: &&Frame| matches!(frame.event, Event::Passes(..));
    let count = frames[range].iter().filter(passes).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The step of a moment: that of the last point passed.
pub fn step(frames: &[Frame], at: usize) -> u64 {
    let passed = frames[..=at].iter().rev().find_map(|frame| match &frame.event {
        Event::Passes(passage, _) => Some(passage.step),
        _ => None,
    });
    passed.unwrap_or_default()
}
