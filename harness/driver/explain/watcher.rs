//! Looks on at a storm and keeps, moment by moment, what happened and how the files were then.

use super::content::{self, Block, Sampled, Writer};
use super::state::{self, FileState};
use crate::call::Call;
use crate::onlooker::Onlooker;
use crate::target::Performed;
use oracle::Oracle;
use oracle::watch::Sight;
use sim::{Mutex, Passage, Rank, Stand};
use std::sync::Arc;
use stormfs::Filesystem;
use stormfs::iomap::Iomap;
use stormfs::op::OpId;
use stormfs::quantity::{ByteRange, narrow};
use stormfs::view::View;
use stormfs::witness::{Completion, Effect, Intent, Submission, Used, Witness};

/// One moment of a storm.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The task that acted.
    pub task: usize,
    /// The operation that it was in.
    pub operation: u64,
    /// What happened.
    pub event: Event,
    /// The files then.
    pub files: Arc<Vec<FileState>>,
    /// By decision: how often it had made an answer differ from the correct filesystem's.
    pub deviated: Arc<Vec<(&'static str, u64)>>,
    /// Whose bytes lay in the blocks that are shown, if that was looked at then.
    pub whose: Option<Arc<Vec<Block>>>,
    /// The locks that the task held, outermost first.
    pub holds: Arc<Vec<&'static str>>,
}

impl Frame {
    /// The place that the task came to, if that is what happened.
    pub fn passage(&self) -> Option<&Passage> {
        if let Event::Passes(passage, _) = &self.event { Some(passage) } else { None }
    }

    /// Where the task stood, if it came to a place from which another went on.
    pub fn stand(&self) -> Option<&Stand> {
        if let Event::Passes(_, stand) = &self.event { stand.as_ref().as_ref() } else { None }
    }

    /// The passage from which another task went on.
    pub fn leaves(&self) -> Option<&Passage> {
        self.passage().filter(|passage| passage.to != passage.task)
    }

    /// What its call returned, if that is what happened.
    pub fn result(&self) -> Option<Performed> {
        if let Event::Returns(result) = self.event { Some(result) } else { None }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The task came to a place; where it stood then.
    Passes(Passage, Box<Option<Stand>>),
    /// A call begins.
    Begins,
    /// A call has returned.
    Returns(Performed),
    /// A mapping of a file was sampled.
    Sampled(usize, Iomap),
    /// Some other commit point.
    Commits,
}

/// What is looked at more closely.
#[derive(Debug, Clone, Copy)]
pub struct Focus {
    /// The file.
    pub file: usize,
    /// The byte whose contents are followed.
    pub pos: u64,
    /// The blocks that are shown, in bytes.
    pub shown: ByteRange,
}

/// See the module.
pub struct Watcher {
    focus: Option<Focus>,
    /// What the files may hold. It is no judge: the one who is, is told only afterwards.
    model: Oracle,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    frames: Vec<Frame>,
    files: Arc<Vec<FileState>>,
    deviated: Arc<Vec<(&'static str, u64)>>,
    writers: Arc<Vec<Writer>>,
    /// By task.
    holds: Vec<Arc<Vec<&'static str>>>,
}

/// The blocks that are shown are looked at at every moment until there are so many.
const CLOSELY: usize = 10_000;

impl Log {
    /// What a task holds, in the memory of the last time if that was the same.
    fn holding(&mut self, task: usize, held: Vec<&'static str>) -> Arc<Vec<&'static str>> {
        let tasks = self.holds.len().max(task + 1);
        self.holds.resize_with(tasks, Arc::default);
        if *self.holds[task] != held {
            self.holds[task] = Arc::new(held);
        }
        Arc::clone(&self.holds[task])
    }
}

static LOG: Rank = Rank::leaf(12, "onlooker");

impl Watcher {
    /// Keeps everything of a storm of so many files; looks more closely at `focus`.
    pub fn new(files: usize, focus: Option<Focus>) -> Watcher {
        let model = Oracle::new(files, Sight::Closed);
        Watcher { focus, model, log: sim::sync::mutex(&LOG, 0, Log::default()) }
    }

    /// The moments; leaves none.
    pub fn take(&self) -> Vec<Frame> {
        std::mem::take(&mut self.log.lock().frames)
    }

    fn writers(&self) -> Arc<Vec<Writer>> {
        Arc::clone(&self.log.lock().writers)
    }

    fn sampled<'a>(&self, writers: &'a [Writer]) -> Option<Sampled<'a>> {
        self.focus.map(|Focus { file, pos, .. }| Sampled { file, pos, writers })
    }

    fn keep(&self, view: View<'_>, files: Vec<FileState>, (at, event): ((usize, u64), Event)) {
        let deviated: Vec<_> = view.rules().deviated().collect();
        let stays = matches!(&event, Event::Passes(passage, _) if passage.to == passage.task);
        let closely = self.log.lock().frames.len() < CLOSELY;
        let looks = |focus: &Focus| (closely || !stays) && focus.file == view.file();
        let focus = self.focus.filter(looks);
        let writers = self.writers();
        let whose = focus.map(|focus| {
            let look = |model: &_| content::blocks(view, focus.shown, &writers, model);
            Arc::new(self.model.model(view, look))
        });
        let held = sim::tasks().swap_remove(at.0).holds;
        let held: Vec<_> = held.into_iter().map(|hold| hold.name).collect();
        let mut log = self.log.lock();
        let holds = log.holding(at.0, held);
        if *log.files != files {
            log.files = Arc::new(files);
        }
        if *log.deviated != deviated {
            log.deviated = Arc::new(deviated);
        }
        let (files, deviated) = (Arc::clone(&log.files), Arc::clone(&log.deviated));
        let (task, operation) = at;
        log.frames.push(Frame { task, operation, event, files, deviated, whose, holds });
    }

    fn everything(&self, filesystem: &Filesystem, at: (usize, u64), event: Event) {
        let writers = self.writers();
        let files = state::of(filesystem, self.sampled(&writers).as_ref());
        let file = self.focus.map_or(0, |focus| focus.file);
        self.keep(filesystem.view(file), files, (at, event));
    }

    /// A commit point of one file: the others are as they were.
    fn commit(&self, view: View<'_>, event: Event) {
        let writers = self.writers();
        let mut files = self.log.lock().files.to_vec();
        let Some(file) = files.get_mut(view.file()) else { return };
        *file = FileState::of(view, self.sampled(&writers).as_ref());
        let (task, operation) = sim::current_operation();
        self.keep(view, files, ((narrow(task), operation), event));
    }
}

impl Onlooker for Watcher {
    fn passes(&self, filesystem: &Filesystem, passage: &Passage) {
        let leaves = passage.to != passage.task;
        let stand = leaves.then(|| sim::tasks().swap_remove(passage.task));
        let event = Event::Passes(*passage, Box::new(stand));
        self.everything(filesystem, (passage.task, passage.operation), event);
    }

    fn call_begins(&self, filesystem: &Filesystem, actor: usize, call: &Call) {
        self.everything(filesystem, (1 + actor, call.number), Event::Begins);
    }

    fn call_returns(&self, filesystem: &Filesystem, actor: usize, call: &Call, result: Performed) {
        self.everything(filesystem, (1 + actor, call.number), Event::Returns(result));
    }
}

impl Witness for Watcher {
    fn begins(&self, file: View<'_>, op: OpId, intent: Intent) {
        self.model.begins(file, op, intent.clone());
        let shift = if let Intent::Append(range) = &intent { range.start } else { 0 };
        if let Intent::Write(range) | Intent::Append(range) | Intent::Store(range) = intent {
            let writer = Writer { file: file.file(), op, range, shift };
            if self.focus.is_some_and(|focus| focus.file == writer.file) {
                Arc::make_mut(&mut self.log.lock().writers).push(writer);
            }
        }
        self.commit(file, Event::Commits);
    }

    fn ends(&self, file: View<'_>, op: OpId, effect: Effect<'_>) {
        self.model.ends(file, op, effect);
        self.commit(file, Event::Commits);
    }

    fn folio_unlocks(&self, file: View<'_>, _folio: &stormfs::folio::Folio) {
        self.commit(file, Event::Commits);
    }

    fn mapping_sampled(&self, file: View<'_>, map: &Iomap) {
        self.commit(file, Event::Sampled(file.file(), *map));
    }

    fn mapping_validated(&self, file: View<'_>, _map: &Iomap, _range: ByteRange) {
        self.commit(file, Event::Commits);
    }

    fn mapping_done(&self, file: View<'_>, _op: OpId, _range: ByteRange, _used: Used) {
        self.commit(file, Event::Commits);
    }

    fn cleanup_done(&self, file: View<'_>, _op: OpId, _range: ByteRange) {
        self.commit(file, Event::Commits);
    }

    fn folio_cleaned(&self, file: View<'_>, _folio: &stormfs::folio::Folio) {
        self.commit(file, Event::Commits);
    }

    fn submits(&self, file: View<'_>, _submission: Submission) {
        self.commit(file, Event::Commits);
    }

    fn completed(&self, file: View<'_>, _completion: Completion) {
        self.commit(file, Event::Commits);
    }

    fn writeback_failed(&self, file: View<'_>, range: ByteRange) {
        self.model.writeback_failed(file, range);
        self.commit(file, Event::Commits);
    }
}
