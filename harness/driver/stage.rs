//! What the tasks of one storm share, and how an actor plays its part.

use crate::aim::Field;
use crate::budget;
use crate::call::Call;
use crate::haunts::{self, Haunts};
use crate::in_order::InOrder;
use crate::incidents::{Incidents, nanoseconds};
use crate::journal::{Entry, Journal};
use crate::memory::Memory;
use crate::misfortune::Misfortune;
use crate::onlooker::Onlooker;
use crate::pace::Pace;
use crate::real::{Real, Whereabouts};
use crate::recording::Notes;
use crate::scenario::plan::{ActorPlan, Layout, Plan, Step, WorldKind};
use crate::script::Script;
use crate::tally::{Fault, Tally};
use crate::target::{Performed, Target};
use crate::user_buffer::Gap;
use crate::workload::Workload;
use report::record::Clock;
use sim::chance::Seed;
use sim::{Mutex, Rank, Site, WaitQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use stormfs::Filesystem;
use stormfs::op::OpId;
use stormfs::quantity::wide;

/// See the module.
pub struct Stage {
    /// What is acted on.
    pub target: Arc<dyn Target>,
    /// That of the filesystem model, if the target is it: for those who look on, and for scripts.
    pub filesystem: Option<Arc<Filesystem>>,
    misfortune: Misfortune,
    /// The calls that actors began, each with the actor's number.
    pub calls: Notes<(usize, Call)>,
    /// Who looks on.
    pub onlooker: Option<Arc<dyn Onlooker>>,
    /// What actors did last; of threads only.
    pub memory: Option<Memory>,
    /// Where its threads are, on a real filesystem.
    pub whereabouts: Option<Arc<Whereabouts>>,
    /// The order in which calls begin and end, if threads follow one.
    pub order: Option<InOrder>,
    /// What exists when the gate opens.
    pub layouts: Vec<(u64, Layout)>,
    /// Which world it is.
    pub world: WorldKind,
    /// Whether some actor has a rate.
    pub rated: bool,
    /// How long the threads world acts.
    pub time: Option<Duration>,
    /// Operations that are left for those who draw theirs; counts down.
    left: AtomicU64,
    /// Where actors act.
    haunts: Haunts,
    /// The real filesystem that a script leads the actors on.
    pub led: Option<(Arc<Real>, Vec<Step>)>,
    /// Who says whose turn it is, and the steps.
    pub script: Option<Script>,
    /// What was counted: of threads one for each actor, so that nobody waits for others.
    tallies: Vec<Mutex<Tally>>,
    /// How long calls took: as many as of those.
    journals: Vec<Mutex<Journal>>,
    /// What happens to operations beside their own work.
    pub incidents: Arc<Incidents>,
    phase: Phase,
    interrupted: Arc<AtomicBool>,
    /// Wall-clock time from the opening of the gate until the actors were done.
    pub acted: Mutex<Duration>,
    /// Operations that ended, for those who watch; an actor adds whole steps
    /// while it acts.
    pub live: Arc<AtomicU64>,
}

/// The point that an actor passes when it begins a call.
pub const CALL: &str = "call";

/// Operations after which an actor tells those who watch: rarely enough to cost nothing.
const LIVE_STEP: u64 = 64;

/// How often an actor that waits for an intended start looks up.
const LOOK_UP: Duration = Duration::from_millis(2);

/// Where the storm stands: what actors wait for, and what the conductor waits for.
struct Phase {
    open: AtomicBool,
    over: AtomicBool,
    halted: AtomicBool,
    /// Actors that are neither done nor halted.
    acting: AtomicU64,
    playing: AtomicU64,
    changed: WaitQueue,
}

static ACTED: Rank = Rank::leaf(12, "stopwatch lock");
static TALLY: Rank = Rank::leaf(12, "tally lock");
static JOURNAL: Rank = Rank::leaf(12, "journal lock");

impl Stage {
    /// A stage before the first act.
    pub fn new(
        plan: &Plan,
        (target, misfortune): (Arc<dyn Target>, Misfortune),
        incidents: Arc<Incidents>,
        clock: Clock,
        interrupted: Arc<AtomicBool>,
    ) -> Stage {
        let actors = wide(crate::storm::actors(plan));
        Stage {
            target,
            filesystem: None,
            misfortune,
            calls: Notes::new(false),
            memory: None,
            whereabouts: None,
            order: None,
            onlooker: None,
            layouts: plan.files.iter().map(|file| (file.size, file.layout)).collect(),
            world: plan.world,
            rated: plan.actors.iter().any(|actor| actor.rate.is_some()),
            time: plan.time,
            left: AtomicU64::new(plan.ops.unwrap_or(u64::MAX)),
            haunts: Haunts::new(crate::storm::actors(plan)),
            led: None,
            script: None,
            tallies: one_each(plan, clock, || sim::sync::mutex(&TALLY, 0, Tally::new(clock))),
            journals: one_each(plan, clock, || sim::sync::mutex(&JOURNAL, 0, Journal::new(clock))),
            incidents,
            phase: Phase {
                open: AtomicBool::new(false),
                over: AtomicBool::new(false),
                halted: AtomicBool::new(false),
                acting: AtomicU64::new(actors),
                playing: AtomicU64::new(actors),
                changed: WaitQueue::new(),
            },
            interrupted,
            acted: sim::sync::mutex(&ACTED, 0, Duration::ZERO),
            live: Arc::default(),
        }
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        let mut tally = self.tallies[0].lock().clone();
        self.tallies[1..].iter().for_each(|other| tally.add(&other.lock()));
        self.journals.iter().for_each(|journal| tally.journal.add(&journal.lock()));
        if let Some((timeline, windows)) =
            tally.journal.timeline.as_mut().zip(self.incidents.windows())
        {
            timeline.merge(&windows);
        }
        tally
    }

    /// Lets the actors act.
    pub fn open_gate(&self) {
        self.phase.set(&self.phase.open, true);
    }

    /// Tells the actors that time is up.
    pub fn call_time(&self) {
        self.phase.over.store(true, Ordering::SeqCst);
    }

    /// Whether somebody outside wants the storm to end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether time is up.
    pub fn is_over(&self) -> bool {
        self.phase.over.load(Ordering::SeqCst)
    }

    /// Whether every actor is done.
    pub fn all_done(&self) -> bool {
        self.phase.playing.load(Ordering::SeqCst) == 0
    }

    /// Waits until every actor is done.
    pub fn wait_for_actors(&self) {
        let site = Site::point("actors", 0x90, 0);
        self.phase.changed.wait_until(site, || self.all_done());
    }

    /// Halts the actors between two operations each, runs `check`, and lets them go on.
    pub fn halt(&self, check: impl FnOnce()) {
        self.phase.halted.store(true, Ordering::SeqCst);
        self.target.halt();
        let site = Site::point("halt", 0x91, 0);
        let still = || self.phase.acting.load(Ordering::SeqCst) == 0;
        self.phase.changed.wait_until(site, still);
        let since = sim::now();
        check();
        let until = sim::now();
        self.tallies[0].lock().halted += until.saturating_sub(since);
        self.incidents.halted(since, until);
        self.phase.set(&self.phase.halted, false);
    }

    /// The thread that calls is this task, of a run on a real filesystem.
    pub fn enters(&self, task: &str) {
        if let Some(whereabouts) = &self.whereabouts {
            whereabouts.enters(task);
        }
    }

    /// The player of the `number`-th actor.
    pub fn player(&self, plan: &Plan, actor: &ActorPlan, seed: Seed, number: usize) -> Player {
        let draws = actor.draws();
        Player {
            workload: Workload::new(plan, actor, number, seed.case(wide(number))),
            number,
            draws,
            most: if draws { budget::most(plan, number) } else { wide(actor.does.len()) },
            pause: actor.pause,
            rate: actor.rate.filter(|_| plan.world == WorldKind::Threads),
            pace: None,
            memory: Vec::new(),
        }
    }
}

impl Phase {
    fn set(&self, flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::SeqCst);
        self.changed.wake_all();
    }

    fn leave(&self, count: &AtomicU64) {
        count.fetch_sub(1, Ordering::SeqCst);
        self.changed.wake_all();
    }
}

/// One actor of a storm.
pub struct Player {
    workload: Workload,
    number: usize,
    /// Whether it draws what it does, and takes each operation from what is left for all.
    draws: bool,
    /// The most operations it does.
    most: u64,
    pause: Duration,
    rate: Option<u64>,
    /// When its operations are intended to start, once it acts.
    pace: Option<Pace>,
    memory: Vec<u8>,
}

impl Player {
    /// Acts from the opening of the gate to the end.
    pub fn act(&mut self, stage: &Stage) {
        let phase = &stage.phase;
        let open = || phase.open.load(Ordering::SeqCst);
        phase.changed.wait_until(Site::point("gate", 0x92, 0), open);
        self.pace = self.rate.map(|rate| Pace::new(rate, sim::now()));
        let (mut done, mut number) = (0, 0);
        while self.may_go_on(stage, done) {
            if let Some((real, _)) = &stage.led {
                real.enters(self.number);
            }
            let call = self.prepare(stage, number + 1);
            if let Some(reason) = stage.target.lacks(call.op.kind()) {
                stage.tally_of(self.number).lock().leave_out(call.op.kind(), 1, &reason);
                if self.draws {
                    stage.left.fetch_add(1, Ordering::SeqCst);
                    if self.workload.kinds().all(|kind| stage.target.lacks(kind).is_some()) {
                        break;
                    }
                } else {
                    (done, number) = (done + 1, call.number);
                    if let Some(order) = &stage.order {
                        order.ends(self.number, number);
                    }
                }
                if let Some((real, _)) = &stage.led {
                    real.leaves_out(self.number);
                }
                continue;
            }
            if !self.wait_for_start(stage, done) {
                break;
            }
            let intended = self.pace.map(|pace| pace.intended(done));
            done += 1;
            number = call.number;
            sim::begin_operation(number);
            // Between two calls anything can happen, also where neither passes a point of its own.
            sim::point(Site::point(CALL, 0x96, 0));
            if let Some(order) = &stage.order {
                order.wait(self.number, number, || sim::stopping() || stage.is_over());
            }
            self.perform(stage, &call, intended);
            if let Some(order) = &stage.order {
                order.ends(self.number, number);
            }
            if let Some(script) = &stage.script {
                script.director.returns();
            }
            if let Some((real, _)) = &stage.led {
                real.returns(self.number);
            }
            if done.is_multiple_of(LIVE_STEP) {
                stage.live.fetch_add(LIVE_STEP, Ordering::Relaxed);
            }
            if !self.pause.is_zero() {
                sim::sleep(self.pause);
            }
        }
        if let Some(pace) = self.pace.filter(|_| phase.over.load(Ordering::SeqCst)) {
            stage.journal(self.number).lock().overdue += pace.overdue(done, sim::now());
        }
        stage.live.fetch_add(done % LIVE_STEP, Ordering::Relaxed);
        sim::begin_operation(number + 1);
        if let Some((real, _)) = &stage.led {
            real.ends(self.number);
        }
        phase.acting.fetch_sub(1, Ordering::SeqCst);
        phase.leave(&phase.playing);
    }

    /// Stands still while everybody is halted, and its schedule with it. False if the storm is over.
    fn is_on(&mut self, stage: &Stage) -> bool {
        let phase = &stage.phase;
        // Asked again after coming back: the next halt may have begun meanwhile.
        while phase.halted.load(Ordering::SeqCst) {
            let since = sim::now();
            phase.leave(&phase.acting);
            let resumed = || !phase.halted.load(Ordering::SeqCst);
            phase.changed.wait_until(Site::point("halted", 0x93, 0), resumed);
            phase.acting.fetch_add(1, Ordering::SeqCst);
            if let Some(pace) = &mut self.pace {
                pace.stood_still(sim::now().saturating_sub(since));
            }
        }
        !(sim::stopping() || phase.over.load(Ordering::SeqCst) || stage.is_interrupted())
    }

    /// Waits for the intended start of the next operation. False if the storm is over before.
    fn wait_for_start(&mut self, stage: &Stage, done: u64) -> bool {
        while let Some(pace) = self.pace {
            let early = pace.intended(done).saturating_sub(sim::now());
            if early.is_zero() {
                break;
            }
            // In between, it looks whether somebody halts everybody.
            sim::sleep(early.min(LOOK_UP));
            if !self.is_on(stage) {
                return false;
            }
        }
        true
    }

    fn may_go_on(&mut self, stage: &Stage, done: u64) -> bool {
        if !self.is_on(stage) {
            return false;
        }
        let take = |left: u64| left.checked_sub(1);
        let is_left = || stage.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok();
        done < self.most && (!self.draws || is_left())
    }

    /// The next call, with what chance does to it. From here on it is told of.
    fn prepare(&mut self, stage: &Stage, number: u64) -> Call {
        let field = Field { target: &*stage.target, haunts: &stage.haunts };
        let call = self.workload.next(number, &field);
        let size = |file| stage.target.size(file);
        let call = stage.misfortune.strike(self.id(&call), call, size);
        stage.calls.add(|| (self.number, call.clone()));
        call
    }

    fn id(&self, call: &Call) -> OpId {
        let actor = u16::try_from(self.number + 1).expect("at most 40 actors");
        OpId { actor, number: call.number }
    }

    fn perform(&mut self, stage: &Stage, call: &Call, intended: Option<Duration>) {
        let id = self.id(call);
        if let Some((onlooker, filesystem)) = stage.onlooker.as_ref().zip(stage.filesystem.as_ref())
        {
            onlooker.call_begins(filesystem, self.number, call);
        }
        let before = stage.target.reach(call.file);
        if let Some(range) = haunts::place(&call.op, before.size) {
            stage.haunts.used(self.number, call.file, range);
        }
        if let Some(memory) = &stage.memory {
            memory.begins(self.number, call, before.size);
        }
        stage.target.prepare(id, call, &mut self.memory);
        let mark = stage.incidents.mark();
        let started = sim::now();
        let performed = stage.target.perform(id, self.number, call, &mut self.memory);
        let ended = sim::now();
        let marks = (mark, stage.incidents.mark());
        let oracle = Incidents::oracle_between(marks.0, marks.1);
        let service = match stage.world {
            WorldKind::Simulated => sim::points_passed(),
            WorldKind::Threads => nanoseconds(ended.saturating_sub(started).saturating_sub(oracle)),
        };
        let met = stage.incidents.met(marks, (call.file, &call.op, before.size));
        if let Some(gap) = performed.ended.map(|at| Gap { at, persistent: true }) {
            let is_own = |(actor, _): &(usize, Call)| *actor == self.number;
            stage.calls.amend(is_own, |(_, call)| call.gap = Some(gap));
            if let Some(memory) = &stage.memory {
                memory.falls_short(self.number, gap);
            }
        }
        if let Some(memory) = &stage.memory {
            memory.ends(self.number);
        }
        if let Some((onlooker, filesystem)) = stage.onlooker.as_ref().zip(stage.filesystem.as_ref())
        {
            onlooker.call_returns(filesystem, self.number, call, performed);
        }
        stage.count(self.number, call, performed);
        stage.journal(self.number).lock().enter(Entry {
            op: &call.op,
            outcome: performed.outcome,
            faulted: met || performed.short_source.fired || performed.abandoned.fired,
            service,
            oracle: nanoseconds(oracle),
            lag: intended.map(|intended| nanoseconds(started.saturating_sub(intended))),
            at_ms: stage.incidents.since_began(ended).unwrap_or(0),
        });
        stage.target.judge(call, performed, before);
    }
}

/// Of threads one for each actor, else one.
fn one_each<T>(plan: &Plan, clock: Clock, make: impl Fn() -> T) -> Vec<T> {
    let some = if clock == Clock::Wall { crate::storm::actors(plan) } else { 1 };
    (0..some.max(1)).map(|_| make()).collect()
}

impl Stage {
    fn journal(&self, actor: usize) -> &Mutex<Journal> {
        &self.journals[actor % self.journals.len()]
    }

    fn tally_of(&self, actor: usize) -> &Mutex<Tally> {
        &self.tallies[actor % self.tallies.len()]
    }

    fn count(&self, actor: usize, call: &Call, performed: Performed) {
        let mut tally = self.tally_of(actor).lock();
        tally.operation(&call.op, performed.outcome);
        let short = performed.short_source;
        let mut struck = Vec::new();
        if short.armed {
            let fault = if short.persistent {
                Fault::ShortCopyPersistent
            } else {
                Fault::ShortCopyTransient
            };
            tally.fault(fault, 1, u64::from(short.fired));
            if let Some(by) = short.by {
                tally.fault(by, 1, u64::from(short.fired));
            }
            struck.extend(short.fired.then_some(fault));
        }
        if performed.abandoned.armed {
            tally.fault(Fault::AbandonedFault, 1, u64::from(performed.abandoned.fired));
            struck.extend(performed.abandoned.fired.then_some(Fault::AbandonedFault));
        }
        drop(tally);
        for fault in struck {
            self.incidents.strikes_now(fault);
        }
    }
}
