//! A world: tasks are spawned into it, it runs them to the end, and it says how it ended.

use crate::profile::Profile;
use crate::rank;
use crate::schedule::Schedule;
use crate::site::Site;
use crate::strategy::Strategy;
use crate::{simulated, threads};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Once;
use std::time::Duration;

/// One flow of control, before it runs.
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) body: Box<dyn FnOnce() + Send>,
}

/// What a simulation needs besides its tasks.
pub struct Settings {
    /// Who goes on.
    pub strategy: Box<dyn Strategy>,
    /// Points that one operation may pass before it counts as hung.
    pub step_budget: u32,
    /// What is kept. A run has the same trace hash whatever is.
    pub record: Record,
    /// Stop right before the step after this one is passed.
    pub until: Option<u64>,
    /// Who is told of every passage as it happens, if everything is recorded.
    pub onlooker: Option<Onlooker>,
}

/// Told of a passage where it happens: before the task that goes on does. It only looks, and takes no
/// lock but leaves.
pub type Onlooker = Box<dyn FnMut(&Passage) + Send>;

impl Settings {
    /// A run to its end of which nothing is kept.
    pub fn new(strategy: Box<dyn Strategy>, step_budget: u32) -> Settings {
        Settings { strategy, step_budget, record: Record::Nothing, until: None, onlooker: None }
    }
}

/// What is kept of a run besides its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Record {
    /// Nothing.
    #[default]
    Nothing,
    /// The deviations.
    Schedule,
    /// The deviations, and what was passed, counted.
    Profile,
    /// The deviations, the counts, and every passage.
    Everything,
}

/// A world and the tasks that wait to run in it.
pub struct World {
    tasks: Vec<Task>,
    kind: Kind,
}

enum Kind {
    Threads { patience: Duration },
    Simulated(Settings),
}

impl World {
    /// OS threads and wall-clock time. A task that makes no progress for `patience` ends the run.
    pub fn threads(patience: Duration) -> World {
        World { tasks: Vec::new(), kind: Kind::Threads { patience } }
    }

    /// Coroutines and virtual time, at most 64 tasks.
    pub fn simulated(settings: Settings) -> World {
        World { tasks: Vec::new(), kind: Kind::Simulated(settings) }
    }

    /// Adds a task; it starts in [`World::run`]. The order of spawning numbers the tasks.
    pub fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) {
        self.tasks.push(Task { name: name.to_owned(), body: Box::new(body) });
    }

    /// Runs every task to its end, or all to the first failure.
    pub fn run(self) -> End {
        install_panic_hook();
        match self.kind {
            Kind::Threads { patience } => threads::run(self.tasks, patience),
            Kind::Simulated(settings) => simulated::run(self.tasks, settings),
        }
    }
}

/// How a run ended, and what it was made of.
#[derive(Debug)]
pub struct End {
    /// Whether every task came to its end.
    pub outcome: Outcome,
    /// Over every point passed, in order; 0 in the threads world.
    pub trace_hash: u64,
    /// Scheduling points passed; 0 in the threads world.
    pub points: u64,
    /// How often the running task was exchanged; 0 in the threads world.
    pub switches: u64,
    /// Time from start to end: virtual if simulated.
    pub elapsed: Duration,
    /// The deviations, if they were recorded.
    pub schedule: Schedule,
    /// How often a strategy was asked, and what was passed if that was recorded.
    pub profile: Profile,
    /// Every passage in order, if they were recorded.
    pub trace: Vec<Passage>,
    /// Where the tasks of a simulation that failed, or was to stop early, stood then, in the order of
    /// spawning.
    pub stands: Vec<Stand>,
}

/// A task of a simulation came to a place, and somebody went on from there.
///
/// The choices of the default rule and of the strategy are all in a trace: besides the points, which
/// are counted, it has the `start` of the run and the `end` of each task, which are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Counts the points of the run from 1; of `start` and `end`, the points before them.
    pub step: u64,
    /// The task that stood there, in the order of spawning.
    pub task: usize,
    /// Its operation.
    pub operation: u64,
    /// Counts the points of that operation from 1.
    pub point: u32,
    /// The place.
    pub site: Site,
    /// The virtual time then.
    pub now: Duration,
    /// Whether the task stopped there: until it was woken, for a time, or for good.
    pub waits: bool,
    /// Who went on; the task itself if nobody could.
    pub to: usize,
    /// Who would have gone on by the default rule.
    pub default: usize,
}

/// Whether every task came to its end.
#[derive(Debug)]
pub enum Outcome {
    /// All did.
    Finished,
    /// One failed; the others were abandoned where they stood.
    Failed(Failure),
}

/// A task that waits, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The task's name.
    pub task: String,
    /// The operation it is in.
    pub operation: u64,
    /// The lock or event it waits for; none if it has not started.
    pub at: Option<Site>,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (operation {}) waits for ", self.task, self.operation)?;
        match self.at {
            Some(site) => write!(f, "{site}"),
            None => f.write_str("nothing: it runs"),
        }
    }
}

/// Where a task of a simulation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The task's name.
    pub task: String,
    /// The operation it is in; 0 if it has not begun one.
    pub operation: u64,
    /// Whether it can go on.
    pub state: State,
    /// The last place it came to. It goes on from there: a lock is yet to be taken.
    pub at: Site,
    /// The locks that it holds and may hold across a stop, outermost first.
    pub holds: Vec<Hold>,
    /// The other tasks that hold the lock it stands at, in the order of spawning; none if it stands
    /// at no lock, or if it is not known.
    pub holders: Vec<usize>,
}

/// A lock that a task holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The name of its class.
    pub name: &'static str,
    /// Which lock of that class; none if the task holds several.
    pub object: Option<u64>,
}

/// Whether a task can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can, now or when its sleep is over, and whether it does is for the strategy to say.
    CanRun,
    /// It waits until somebody wakes it.
    Waits(Site),
    /// It has come to its end.
    Ended,
}

/// A panic in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// The message.
    pub message: String,
    /// `file:line:column`.
    pub location: String,
}

/// Why a run did not come to its end.
#[derive(Debug)]
pub enum Failure {
    /// A task called [`crate::stop`] with these words.
    Stopped(String),
    /// The run has passed as many points as [`Settings::until`] allows.
    Until(u64),
    /// Every task waits for another.
    Deadlock(Vec<Blocked>),
    /// A task waits for something that is true: whoever made it so woke nobody.
    LostWakeUp(Blocked),
    /// An operation passed more points than its budget allows.
    OutOfSteps {
        /// The task's number.
        task: usize,
        /// Its operation.
        operation: u64,
        /// Where it stood.
        at: Site,
    },
    /// No task made progress for as long as the threads world has patience.
    Hung(Vec<Blocked>),
    /// A task panicked.
    Panicked {
        /// The task's name.
        task: String,
        /// What it said.
        panic: Panic,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, blocked: &[Blocked]| {
            blocked.iter().try_for_each(|wait| write!(f, "; {wait}"))
        };
        match self {
            Failure::Stopped(why) => f.write_str(why),
            Failure::Until(step) => write!(f, "stopped after step {step}, as was asked"),
            Failure::Deadlock(blocked) => {
                f.write_str("deadlock")?;
                list(f, blocked)
            }
            Failure::LostWakeUp(wait) => write!(f, "lost wake-up: {wait}, which is true"),
            Failure::OutOfSteps { task, operation, at } => {
                write!(f, "task {task} exceeded its step budget in operation {operation} at {at}")
            }
            Failure::Hung(blocked) => {
                f.write_str("no progress")?;
                list(f, blocked)
            }
            Failure::Panicked { task, panic } => {
                write!(f, "{task} panicked at {}: {}", panic.location, panic.message)
            }
        }
    }
}

thread_local! {
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Thrown through a task of the threads world whose run has been stopped elsewhere.
pub(crate) struct Abandoned;

/// From now on this thread runs tasks, or no longer does. Coroutines share their thread, so this
/// is for their executor to say, not for each of them.
pub(crate) fn running_tasks(running: bool) {
    IN_TASK.set(running);
}

/// Runs a task's body. A panic of its own becomes a value; being abandoned goes on unwinding in
/// the simulated world, whose executor waits for it, and ends quietly in the threads world.
pub(crate) fn guarded(body: Box<dyn FnOnce() + Send>) -> Result<(), Panic> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(()) => {
            rank::assert_none_held();
            Ok(())
        }
        Err(payload) if payload.is::<Abandoned>() => Ok(()),
        Err(payload) => match LAST_PANIC.take() {
            Some(panic) => Err(panic),
            None => resume_unwind(payload),
        },
    }
}

/// Keeps panics of tasks off the terminal: they are results.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IN_TASK.get() {
                return previous(info);
            }
            let message = message(info.payload());
            let location = info.location().map_or_else(String::new, ToString::to_string);
            LAST_PANIC.set(Some(Panic { message, location }));
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
