//! Following a script: one actor goes on at a time, as far as its step says, and all others stand.
//!
//! The [`Director`] is the strategy of such a simulation, and it is told of every point that is
//! passed. A task that is held is one that the strategy does not pick: it stands at the
//! scheduling point that follows the named one, and knows nothing of it. The conductor leads: it
//! releases an actor and passes a scheduling point of its own, from which it returns when nobody
//! who may go on can.
//!
//! ```text
//! conductor: release W ------------------------------> W is held: look, next step
//! W:                    ... write.mapped ... write.folio_locked (the target)
//! disk:                       completions ...
//! ```

use crate::scenario::plan::{Plan, Target, WorldKind};
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};
use sim::{Mutex, Rank, Site, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use stormfs::points::Point;
use stormfs::quantity::wide;

/// The conductor's task.
const CONDUCTOR: usize = 0;

/// What is in [`Director::may`] while nobody is directed.
const ALL: u64 = u64::MAX;

/// The point that the conductor passes when it lets an actor go on.
pub const LED: &str = "script";

/// The point at which an actor is held that has returned from an operation.
pub const RETURNED: &str = "script.returned";

static CUE: Rank = Rank::leaf(12, "cue");

/// See the module.
pub struct Director {
    /// Who may go on, one bit a task.
    may: AtomicU64,
    /// The tasks of the device, one bit each.
    disk: u64,
    /// The step that is running, from 1; 0 before the first and after the last.
    step: AtomicUsize,
    cue: Mutex<Cue>,
}

/// What the current step waits for, and what came of those before it.
#[derive(Default)]
struct Cue {
    /// The task that was released.
    task: usize,
    /// What it goes on to, and how often it has passed that, if it is a point.
    until: Vec<(Target, u64)>,
    reached: bool,
    /// Where the device is held.
    hold_disk: Option<Point>,
    /// By task: where a step has left it.
    left_at: Vec<Option<LeftAt>>,
}

/// Where a step leaves a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftAt {
    /// At a point.
    At(Point),
    /// Between two of its operations.
    Returned,
}

/// How a step that ran an actor has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// At a target.
    Target,
    /// All of its operations have returned, which was no target.
    End,
    /// It waits, which was no target, and somebody is held.
    Wait,
    /// It waits, and nobody is held: it is no matter of the script.
    Deadlock,
}

impl Director {
    /// For the script of `plan`, in a world of so many device workers; none without a script.
    pub fn new(plan: &Plan, workers: usize) -> Option<Arc<Director>> {
        if plan.script.is_empty() || plan.world == WorldKind::Threads {
            return None;
        }
        let actors = crate::storm::actors(plan);
        let first = CONDUCTOR + 1 + actors;
        let cue = Cue { left_at: vec![None; first + workers], ..Cue::default() };
        Some(Arc::new(Director {
            may: AtomicU64::new(ALL),
            disk: (first..first + workers).fold(0, |disk, task| disk | 1 << task),
            step: AtomicUsize::new(0),
            cue: sim::sync::mutex(&CUE, 0, cue),
        }))
    }

    /// Begins a step, in which the conductor acts until it releases somebody.
    pub fn begin(&self, step: usize) {
        self.step.store(step, Ordering::Relaxed);
        self.may.store(1 << CONDUCTOR | self.free_disk(), Ordering::Relaxed);
    }

    /// The step that is running, from 1. `None`: the script has not begun, or is over.
    pub fn step(&self) -> Option<usize> {
        Some(self.step.load(Ordering::Relaxed)).filter(|step| *step != 0)
    }

    /// Lets an actor go on, and returns when it has been left somewhere.
    pub fn release(&self, actor: usize, until: &[Target]) -> Reached {
        let task = CONDUCTOR + 1 + actor;
        let mut cue = self.cue.lock();
        cue.task = task;
        cue.until = until.iter().map(|target| (*target, 0)).collect();
        cue.reached = false;
        cue.left_at[task] = None;
        drop(cue);
        self.may.store(1 << task | self.free_disk(), Ordering::Relaxed);
        sim::point(Site::point(LED, 0x94, wide(task)));
        self.may.store(1 << CONDUCTOR | self.free_disk(), Ordering::Relaxed);
        self.reached(task, until)
    }

    fn reached(&self, task: usize, until: &[Target]) -> Reached {
        let stands = sim::tasks();
        let held = |(other, stand): (usize, &sim::Stand)| {
            ![CONDUCTOR, task].contains(&other)
                && stand.state == State::CanRun
                && stand.operation != 0
        };
        match stands[task].state {
            _ if self.cue.lock().reached => Reached::Target,
            State::Ended if until.contains(&Target::Done) => Reached::Target,
            State::Ended => Reached::End,
            State::Waits(_) | State::CanRun if !stands.iter().enumerate().any(held) => {
                Reached::Deadlock
            }
            State::Waits(_) if until.contains(&Target::Blocked) => Reached::Target,
            State::Waits(_) | State::CanRun => Reached::Wait,
        }
    }

    /// How often each target of the running step was passed, in its order.
    pub fn passed(&self) -> Vec<(Target, u64)> {
        self.cue.lock().until.clone()
    }

    /// Holds completions at `point`, or lets them all go on.
    pub fn hold_disk(&self, point: Option<Point>) {
        let mut cue = self.cue.lock();
        cue.hold_disk = point;
        for (task, place) in cue.left_at.iter_mut().enumerate() {
            if self.disk >> task & 1 == 1 {
                *place = None;
            }
        }
        drop(cue);
        self.may.fetch_or(self.disk, Ordering::Relaxed);
    }

    /// The script is over: the default rule picks from all.
    pub fn let_go(&self) {
        self.may.store(ALL, Ordering::Relaxed);
        self.step.store(0, Ordering::Relaxed);
        let mut cue = self.cue.lock();
        cue.hold_disk = None;
        cue.until.clear();
    }

    /// The current task passes a point: it is held there if the step says so.
    pub fn passes(&self, point: Point) {
        if self.step().is_none() {
            return;
        }
        let task = current();
        let mut cue = self.cue.lock();
        let stops = if self.disk >> task & 1 == 1 {
            cue.hold_disk == Some(point)
        } else {
            cue.task == task && cue.passes(point)
        };
        if stops {
            self.leave(&mut cue, task, LeftAt::At(point));
        }
    }

    /// The current task has returned from an operation: it is held there if the step says so.
    pub fn returns(&self) {
        let task = current();
        let mut cue = self.cue.lock();
        let wanted = cue.until.iter().any(|(target, _)| *target == Target::Returned);
        if wanted && cue.task == task && self.step().is_some() {
            self.leave(&mut cue, task, LeftAt::Returned);
            drop(cue);
            sim::point(Site::point(RETURNED, 0x95, 0));
        }
    }

    /// Where steps have left the tasks.
    pub fn places(&self) -> Vec<Option<LeftAt>> {
        self.cue.lock().left_at.clone()
    }

    /// Where a step has left an actor.
    pub fn place(&self, actor: usize) -> Option<LeftAt> {
        self.cue.lock().left_at[CONDUCTOR + 1 + actor]
    }

    fn leave(&self, cue: &mut Cue, task: usize, place: LeftAt) {
        cue.left_at[task] = Some(place);
        cue.reached |= cue.task == task;
        self.may.fetch_and(!(1 << task), Ordering::Relaxed);
    }

    /// The workers that no step holds.
    fn free_disk(&self) -> u64 {
        let cue = self.cue.lock();
        let held = |task: &usize| cue.left_at[*task].is_some();
        let held = (0..cue.left_at.len()).filter(held).fold(0, |held, task| held | 1 << task);
        self.disk & !held
    }
}

impl Cue {
    /// Counts a passage. Whether it is the one that was waited for.
    fn passes(&mut self, passed: Point) -> bool {
        let mut stops = false;
        for (target, count) in &mut self.until {
            if let Target::Point { nth, point } = target
                && *point == passed
            {
                *count += 1;
                stops |= count == nth;
            }
        }
        stops
    }
}

fn current() -> usize {
    let (task, _) = sim::current_operation();
    usize::try_from(task).expect("a task's number is small")
}

/// The director as a strategy.
pub struct Directed(pub Arc<Director>);

impl Strategy for Directed {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let may = self.0.may.load(Ordering::Relaxed);
        let may_go_on = |task: usize| may >> task & 1 == 1;
        if may == ALL || decision.stays && may_go_on(decision.current) {
            return decision.default;
        }
        let mut others = decision.candidates.iter().filter(|task| *task != CONDUCTOR);
        let conductor = decision.candidates.contains(CONDUCTOR).then_some(CONDUCTOR);
        others.find(|task| may_go_on(*task)).or(conductor).unwrap_or(decision.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use sim::world::Settings;
    use sim::{End, Failure, Outcome, WaitQueue, World};
    use std::sync::atomic::AtomicBool;

    /// Two actors wait for a bell each; the conductor releases them as `lead` says, then lets go.
    fn run(lead: impl FnOnce(&Director) + Send + 'static, bell_rings: bool) -> End {
        let text =
            "actors: [{name: a, does: [fsync]}, {name: b, does: [fsync]}]\nscript: [run a]\n";
        let plan = parse("test.yaml", text, &Known::default(), &[]).unwrap();
        let director = Director::new(&plan, 0).unwrap();
        let strategy = Box::new(Directed(Arc::clone(&director)));
        let settings = Settings::new(strategy, 1000);
        let mut world = World::simulated(settings);
        let leading = Arc::clone(&director);
        world.spawn("conductor", move || {
            leading.begin(1);
            lead(&leading);
            leading.let_go();
        });
        let bell = Arc::new((AtomicBool::new(false), WaitQueue::new()));
        let (heard, rung) = (Arc::clone(&bell), bell);
        world.spawn("a", move || {
            sim::begin_operation(1);
            heard.1.wait_until(Site::point("bell", 1, 0), || heard.0.load(Ordering::Relaxed));
        });
        world.spawn("b", move || {
            sim::begin_operation(1);
            director.passes(Point::WriteMapped);
            sim::point(Site::point("mapped", 2, 0));
            rung.0.store(bell_rings, Ordering::Relaxed);
            rung.1.wake_all();
        });
        world.run()
    }

    const MAPPED: Target = Target::Point { nth: 1, point: Point::WriteMapped };

    #[test]
    fn who_waits_for_somebody_held_is_blocked_and_goes_on_in_its_turn_only() {
        let end = run(
            |director| {
                assert_eq!(director.release(1, &[MAPPED]), Reached::Target);
                assert_eq!(director.places()[2], Some(LeftAt::At(Point::WriteMapped)));
                assert_eq!(director.release(0, &[Target::Blocked]), Reached::Target);
                assert_eq!(director.release(0, &[Target::Done]), Reached::Wait);
                assert_eq!(director.release(1, &[Target::Done]), Reached::Target);
                assert_eq!(sim::tasks()[1].state, State::CanRun);
                assert_eq!(director.release(0, &[Target::Done]), Reached::Target);
                assert_eq!(director.release(0, &[MAPPED]), Reached::End);
            },
            true,
        );
        assert!(matches!(end.outcome, Outcome::Finished), "{end:?}");
    }

    #[test]
    fn who_waits_while_nobody_is_held_is_in_a_deadlock_that_the_world_tells() {
        let lead = |director: &Director| {
            assert_eq!(director.release(1, &[Target::Done]), Reached::Target);
            assert_eq!(director.release(0, &[Target::Blocked]), Reached::Deadlock);
        };
        let end = run(lead, false);
        assert!(matches!(end.outcome, Outcome::Failed(Failure::Deadlock(_))), "{end:?}");
    }
}
