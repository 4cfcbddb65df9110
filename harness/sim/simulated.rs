//! The simulated world: tasks are coroutines on one OS thread, and a strategy picks who goes on.
//!
//! One simulation runs on a thread at a time, from start to end; its state lives in thread-local
//! cells, so a point costs a few loads and stores. Nothing here allocates at a point.

mod choose;
mod look;
mod watch;

use crate::profile::Profile;
use crate::rank::{self, Held, RANKS};
use crate::schedule::{Deviation, Schedule};
use crate::site::Site;
use crate::strategy::Strategy;
use crate::world::{
    Blocked, End, Failure, Onlooker, Outcome, Passage, Record, Settings, Stand, Task,
};
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::time::Duration;

pub(crate) use look::{current_operation, current_task, note_lock, now, points_passed, tasks};

/// A simulation has at most this many tasks: one bit each in a word.
pub(crate) const TASKS: usize = 64;

/// Room for a task's frames. Stacks are pooled, so a large one costs address space only.
const STACK: usize = 256 << 10;

/// Every point moves the virtual clock by this much.
const POINT_NS: u64 = 50;

/// Why a blocked task is resumed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Somebody woke it, and the strategy picked it.
    Go,
    /// Nothing can run any more: try the condition once and say what it answers.
    Recheck,
}

type Suspend = Yielder<Resume, ()>;

/// What is known of one task.
struct Slot {
    yielder: Cell<*const Suspend>,
    operation: Cell<u64>,
    /// Points passed in the current operation.
    passed: Cell<u32>,
    held: Cell<Held>,
    deadline: Cell<u64>,
    /// By order of their ranks: names and objects of the locks that it holds, or has held.
    locks: [Cell<(&'static str, Option<u64>)>; RANKS],
}

const START: Site = Site::point("start", 0xfe00, 0);
const END: Site = Site::point("end", 0xfe01, 0);
const PAUSE: Site = Site::point("pause", 0xfe02, 0);
const SLEEP: Site = Site::point("sleep", 0xfe03, 0);

/// The state that is touched at every point: plain cells without destructors.
struct Engine {
    running: Cell<bool>,
    unwinding: Cell<bool>,
    current: Cell<usize>,
    next: Cell<usize>,
    ready: Cell<u64>,
    asleep: Cell<u64>,
    clock: Cell<u64>,
    points: Cell<u64>,
    switches: Cell<u64>,
    hash: Cell<u64>,
    /// Points of an operation from which on each is looked at: beyond the budget, or all of them.
    limit: Cell<u32>,
    budget: Cell<u32>,
    until: Cell<u64>,
    decisions: Cell<u64>,
    /// Points worth exploring that were passed before the stretch that has begun at `exploring`.
    explored: Cell<u64>,
    /// How many points had been passed when the run was said to be worth exploring, if it still is.
    exploring: Cell<Option<u64>>,
    record: Cell<Record>,
    recheck_ready: Cell<bool>,
    slots: [Slot; TASKS],
    /// By task: where it came to last, and goes on from.
    places: [Cell<Site>; TASKS],
}

/// The state that is touched at decisions and failures.
#[derive(Default)]
struct Cold {
    names: Vec<String>,
    strategy: Option<Box<dyn Strategy>>,
    deviations: Vec<Deviation>,
    profile: Profile,
    trace: Vec<Passage>,
    onlooker: Option<Onlooker>,
    failure: Option<Failure>,
    stacks: Vec<DefaultStack>,
}

thread_local! {
    static ENGINE: Engine = const {
        Engine {
            running: Cell::new(false),
            unwinding: Cell::new(false),
            current: Cell::new(0),
            next: Cell::new(0),
            ready: Cell::new(0),
            asleep: Cell::new(0),
            clock: Cell::new(0),
            points: Cell::new(0),
            switches: Cell::new(0),
            hash: Cell::new(0),
            limit: Cell::new(0),
            budget: Cell::new(0),
            until: Cell::new(u64::MAX),
            decisions: Cell::new(0),
            explored: Cell::new(0),
            exploring: Cell::new(Some(0)),
            record: Cell::new(Record::Nothing),
            recheck_ready: Cell::new(false),
            slots: [const {
                Slot {
                    yielder: Cell::new(std::ptr::null()),
                    operation: Cell::new(0),
                    passed: Cell::new(0),
                    held: Cell::new(Held::NONE),
                    deadline: Cell::new(0),
                    locks: [const { Cell::new(("", None)) }; RANKS],
                }
            }; TASKS],
            places: [const { Cell::new(START) }; TASKS],
        }
    };
    static COLD: RefCell<Cold> = RefCell::new(Cold::default());
}

/// Runs `tasks` to the end, or to the first failure.
pub(crate) fn run(tasks: Vec<Task>, settings: Settings) -> End {
    assert!(!is_running(), "a simulation cannot run inside another one");
    assert!(tasks.len() <= TASKS, "a simulation has at most {TASKS} tasks");
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    ENGINE.with(|engine| engine.reset(tasks.len(), &settings));
    COLD.with_borrow_mut(|cold| {
        cold.names.clone_from(&names);
        cold.strategy = Some(settings.strategy);
        cold.deviations.clear();
        cold.profile = Profile::of(names.len());
        cold.trace.clear();
        cold.onlooker = settings.onlooker;
        cold.failure = None;
    });
    let tasks = tasks.into_iter().enumerate();
    let mut coroutines: Vec<_> = tasks.map(|(index, task)| Some(coroutine(index, task))).collect();
    ENGINE.with(|engine| {
        engine.running.set(true);
        crate::world::running_tasks(true);
        engine.drive(&mut coroutines, &names);
        let failed = COLD.with_borrow(|cold| cold.failure.is_some());
        let stands = if failed { engine.stands(None) } else { Vec::new() };
        engine.unwinding.set(true);
        for slot in &mut coroutines {
            if let Some(mut abandoned) = slot.take() {
                abandoned.force_unwind();
                COLD.with_borrow_mut(|cold| cold.stacks.push(abandoned.into_stack()));
            }
        }
        engine.unwinding.set(false);
        engine.running.set(false);
        crate::world::running_tasks(false);
        rank::exchange(Held::NONE);
        engine.end(stands)
    })
}

type Fibre = Coroutine<Resume, (), (), DefaultStack>;

fn coroutine(index: usize, task: Task) -> Fibre {
    let stack = COLD.with_borrow_mut(|cold| cold.stacks.pop());
    let stack = stack.unwrap_or_else(|| {
        DefaultStack::new(STACK).expect("the machine has memory for one more task's stack")
    });
    Coroutine::with_stack(stack, move |yielder: &Suspend, _: Resume| {
        ENGINE.with(|engine| engine.slots[index].yielder.set(std::ptr::from_ref(yielder)));
        if let Err(panic) = crate::world::guarded(task.body) {
            COLD.with_borrow_mut(|cold| {
                let failure = Failure::Panicked { task: task.name, panic };
                cold.failure.get_or_insert(failure);
            });
        }
    })
}

impl Engine {
    fn reset(&self, tasks: usize, settings: &Settings) {
        self.ready.set(if tasks == TASKS { u64::MAX } else { (1 << tasks) - 1 });
        self.asleep.set(0);
        self.clock.set(0);
        self.points.set(0);
        self.switches.set(0);
        self.hash.set(0x9e37_79b9_7f4a_7c15);
        self.decisions.set(0);
        self.explored.set(0);
        self.exploring.set(Some(0));
        self.watch(settings);
        for slot in &self.slots {
            slot.operation.set(0);
            slot.passed.set(0);
            slot.held.set(Held::NONE);
        }
        self.places.iter().for_each(|place| place.set(START));
    }

    /// Resumes whoever was chosen, until all are done or one has failed.
    fn drive(&self, coroutines: &mut [Option<Fibre>], names: &[String]) {
        self.current.set(0);
        let mut next = self.choose(false, START);
        while let Some(task) = next {
            let done = self.resume(&mut coroutines[task], task, Resume::Go);
            if done {
                self.ready.set(self.ready.get() & !(1 << task));
                self.places[task].set(END);
            }
            if COLD.with_borrow(|cold| cold.failure.is_some()) {
                return;
            }
            next = if done {
                // The end is a place of its own: its key must differ from the last point's.
                self.slots[task].passed.set(self.slots[task].passed.get() + 1);
                self.choose(false, END)
            } else {
                Some(self.next.get()).filter(|next| *next < TASKS)
            };
        }
        if coroutines.iter().any(Option::is_some) {
            let failure = self.stuck(coroutines, names);
            COLD.with_borrow_mut(|cold| cold.failure = Some(failure));
        }
    }

    fn resume(&self, slot: &mut Option<Fibre>, task: usize, how: Resume) -> bool {
        self.current.set(task);
        self.wake_sleeper(task);
        let outside = rank::exchange(self.slots[task].held.get());
        let coroutine = slot.as_mut().expect("only unfinished tasks are chosen");
        let result = coroutine.resume(how);
        self.slots[task].held.set(rank::exchange(outside));
        match result {
            CoroutineResult::Yield(()) => false,
            CoroutineResult::Return(()) => {
                let finished = slot.take().expect("it has just returned");
                COLD.with_borrow_mut(|cold| cold.stacks.push(finished.into_stack()));
                true
            }
        }
    }

    /// Nothing can run: asks every task whether what it waits for is true after all.
    fn stuck(&self, coroutines: &mut [Option<Fibre>], names: &[String]) -> Failure {
        let mut blocked = Vec::new();
        for (task, coroutine) in coroutines.iter_mut().enumerate() {
            if coroutine.is_none() {
                continue;
            }
            let slot = &self.slots[task];
            let wait = Blocked {
                task: names[task].clone(),
                operation: slot.operation.get(),
                at: Some(self.places[task].get()),
            };
            self.recheck_ready.set(false);
            let returned = self.resume(coroutine, task, Resume::Recheck);
            if returned || self.recheck_ready.get() {
                return Failure::LostWakeUp(wait);
            }
            blocked.push(wait);
        }
        Failure::Deadlock(blocked)
    }

    fn end(&self, stands: Vec<Stand>) -> End {
        COLD.with_borrow_mut(|cold| {
            cold.strategy = None;
            cold.onlooker = None;
            let profile = std::mem::take(&mut cold.profile);
            End {
                outcome: cold.failure.take().map_or(Outcome::Finished, Outcome::Failed),
                trace_hash: self.hash.get(),
                points: self.points.get(),
                switches: self.switches.get(),
                elapsed: Duration::from_nanos(self.clock.get()),
                schedule: Schedule { deviations: std::mem::take(&mut cold.deviations) },
                profile: Profile {
                    decisions: self.decisions.get(),
                    explored: self.explored(),
                    ..profile
                },
                trace: std::mem::take(&mut cold.trace),
                stands,
            }
        })
    }

    #[inline]
    fn pass(&self, site: Site) {
        let current = self.current.get();
        self.places[current].set(site);
        if self.limit.get() <= self.slots[current].passed.get() {
            return self.pass_watched(site);
        }
        self.count(site);
    }

    #[inline]
    fn count(&self, site: Site) {
        let current = self.current.get();
        let slot = &self.slots[current];
        slot.passed.set(slot.passed.get() + 1);
        self.points.set(self.points.get() + 1);
        self.clock.set(self.clock.get() + POINT_NS);
        let task = u64::try_from(current).expect("below 64");
        self.hash.set(mix(self.hash.get(), site.word() ^ task << 40));
    }

    #[inline]
    fn switch_to(&self, next: Option<usize>) -> Resume {
        self.next.set(next.unwrap_or(TASKS));
        self.switches.set(self.switches.get() + 1);
        suspend(self.slots[self.current.get()].yielder.get())
    }
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

#[expect(unsafe_code, reason = "a task reaches its yielder from any depth of its own stack")]
#[inline]
fn suspend(yielder: *const Suspend) -> Resume {
    // SAFETY: the pointer was set by the coroutine that is running now, from the reference that
    // corosensei lends it for as long as its body runs; we are inside that body.
    unsafe { &*yielder }.suspend(())
}

fn fail(failure: Failure) {
    COLD.with_borrow_mut(|cold| {
        cold.failure.get_or_insert(failure);
    });
    ENGINE.with(|engine| {
        engine.switch_to(None);
    });
    unreachable!("a failed simulation resumes nobody");
}

/// Whether this thread runs a simulation.
#[inline]
pub(crate) fn is_running() -> bool {
    ENGINE.with(|engine| engine.running.get())
}

/// The current task as a bit.
#[inline]
pub(crate) fn current_bit() -> u64 {
    ENGINE.with(|engine| 1 << engine.current.get())
}

/// Marks tasks as able to run.
#[inline]
pub(crate) fn make_ready(tasks: u64) {
    ENGINE.with(|engine| engine.ready.set(engine.ready.get() | tasks));
}

/// A scheduling point.
#[inline]
pub(crate) fn point(site: Site) {
    ENGINE.with(|engine| {
        if engine.unwinding.get() {
            return;
        }
        engine.pass(site);
        let next = engine.choose(true, site);
        if next != Some(engine.current.get()) {
            engine.switch_to(next);
        }
    });
}

/// Takes the current task off the ready set until it is woken and chosen.
pub(crate) fn block(site: Site) -> Resume {
    ENGINE.with(|engine| {
        assert!(!engine.unwinding.get(), "an abandoned task must not wait for {site}");
        engine.pass(site);
        let current = engine.current.get();
        engine.ready.set(engine.ready.get() & !(1 << current));
        let next = engine.choose(false, site);
        engine.switch_to(next)
    })
}

/// The answer of a blocked task that was asked to look again.
pub(crate) fn report_recheck(ready: bool) {
    ENGINE.with(|engine| engine.recheck_ready.set(ready));
}

/// See [`crate::pause`].
pub(crate) fn pause() {
    ENGINE.with(|engine| {
        let task = engine.current.get();
        COLD.with_borrow_mut(|cold| {
            cold.strategy.as_mut().expect("a simulation is running").demote(task);
        });
    });
    point(PAUSE);
}

/// See [`crate::choice`].
pub(crate) fn choice(options: u32) -> u32 {
    COLD.with_borrow_mut(|cold| {
        let strategy = cold.strategy.as_mut().expect("a simulation is running");
        let chosen = strategy.choose(options);
        assert!(chosen < options.max(1), "a strategy chose what was not offered");
        chosen
    })
}

/// See [`crate::explore`].
pub(crate) fn explore(on: bool) {
    ENGINE.with(|engine| engine.explore(on));
    COLD.with_borrow_mut(|cold| {
        cold.strategy.as_mut().expect("a simulation is running").explore(on);
    });
}

/// See [`crate::sleep`].
pub(crate) fn sleep(time: Duration) {
    ENGINE.with(|engine| {
        engine.pass(SLEEP);
        let current = engine.current.get();
        let bit = 1 << current;
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2);
        engine.slots[current].deadline.set(engine.clock.get().saturating_add(time));
        engine.ready.set(engine.ready.get() & !bit);
        engine.asleep.set(engine.asleep.get() | bit);
        let next = engine.choose(false, SLEEP);
        if next == Some(current) {
            engine.wake_sleeper(current);
        } else {
            engine.switch_to(next);
        }
    });
}

/// See [`crate::begin_operation`].
pub(crate) fn begin_operation(number: u64) {
    ENGINE.with(|engine| {
        let slot = &engine.slots[engine.current.get()];
        slot.operation.set(number);
        slot.passed.set(0);
    });
}

/// See [`crate::stop`].
pub(crate) fn stop(why: &str) {
    fail(Failure::Stopped(why.to_owned()));
}
