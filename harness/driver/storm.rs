//! One storm: a filesystem on a device, actors in a world, an oracle beside them, to the end.
//!
//! Task 0 conducts: it lays the files out, opens the gate, and when the actors are done makes the
//! last checks. In the threads world it also calls a halt now and then, to check everything while
//! nothing moves.

use crate::conductor;
use crate::director::{Directed, Director};
use crate::following::{Drift, Following};
use crate::ground::{Ground, NoGround};
use crate::incidents::Incidents;
use crate::memory::{Made, Memory};
use crate::misfortune::Misfortune;
use crate::model::Model;
use crate::onlooker::{Both, Look};
use crate::real::script::Followed;
use crate::recording::{Notes, Recording};
use crate::scenario::plan::{DeviceKind, FaultPlan, IoKind, Judge, Plan, StrategyPlan, WorldKind};
use crate::script::{Misfire, Script};
use crate::scripted::{Scripted, scripted};
use crate::stage::Stage;
use crate::steering::Steering;
use crate::tally::{Fault, Tally};
use crate::target::Target;
use crate::timed::Timed;
use crate::{real, strategy, strikes};
use block::{Device, DeviceFaults, DeviceSpec, Latency, Spike};
use oracle::watch::{Oracle, Sight};
use oracle::{Violation, progress};
use report::record::Clock;
use sim::chance::Seed;
use sim::profile::Profile;
use sim::schedule::Schedule;
use sim::strategy::Strategy;
use sim::world::{Record, Settings};
use sim::{End, Passage, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use stormfs::quantity::Geometry;
use stormfs::{Filesystem, Options};

/// A task of the threads world that makes no progress for this long has hung.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How one storm is run.
#[derive(Clone, Copy)]
pub struct Orders<'a> {
    /// What to run.
    pub plan: &'a Plan,
    /// Its seed.
    pub seed: Seed,
    /// Whether to keep what it does.
    pub record: bool,
    /// Whether somebody judges.
    pub judged: bool,
    /// How closely it is looked at.
    pub look: Look<'a>,
    /// Raised from outside to end the storm early.
    pub interrupted: &'a Arc<AtomicBool>,
}

/// What one storm was.
pub struct Storm {
    /// How the world ended.
    pub end: End,
    /// The strategy that decided who goes on, with what it was given. `None`: threads ran, or a
    /// script or a schedule decided.
    pub strategy: Option<String>,
    /// What the oracle found.
    pub violation: Option<Violation>,
    /// What panicked in the harness, and where, beside a filesystem that it has not written.
    pub harness_failed: Option<String>,
    /// What happened.
    pub tally: Tally,
    /// The filesystem model as it was left, if it ran on one.
    pub model: Option<Arc<Filesystem>>,
    /// Wall-clock time that the actors acted, without laying out files and the last checks.
    pub acted: Duration,
    /// Why its script could not be followed.
    pub misfire: Option<Misfire>,
    /// The steps of its script, if that led actors on a real filesystem.
    pub followed: Vec<Followed>,
    /// The step of its script that was running when it ended early, from 1.
    pub step: Option<usize>,
    /// What actors did last, in the order in which it began; of threads only.
    pub last_calls: Vec<Made>,
    /// What it did, if that was recorded.
    pub recording: Option<Recording>,
    /// The switches of its schedule that did not fit, in the order of the run.
    pub drifts: Vec<Drift>,
}

impl Storm {
    /// The storm, if it says anything about the filesystem.
    ///
    /// # Errors
    ///
    /// The harness has failed.
    pub fn or_failed(self) -> Result<Storm, NoGround> {
        match self.harness_failed {
            Some(panicked) => Err(NoGround::Harness(panicked)),
            None => Ok(self),
        }
    }
}

/// Runs one storm to its end, on a device or a filesystem of its own.
///
/// # Errors
///
/// That could not be opened, or the harness has failed.
pub fn run(orders: Orders<'_>) -> Result<Storm, NoGround> {
    run_on(orders, Ground::of(orders)?, &Arc::default())?.or_failed()
}

/// Runs one simulated storm to its end, on a device of its own. `strategy` says who goes on,
/// whatever the plan says about that.
pub fn run_under(orders: Orders<'_>, strategy: Box<dyn Strategy>) -> Result<Storm, NoGround> {
    let device = open_device(orders.plan, orders.seed, orders.record)?;
    let plan = orders.plan.under(orders.seed);
    let orders = Orders { plan: &plan, ..orders };
    Ok(run_drawn(orders, Decider::Given(strategy), &device, &Arc::default()))
}

/// Runs one storm to its end on `ground`, which nobody else uses. Operations are added to `live`
/// as they end, some at a time.
///
/// # Errors
///
/// The device of a run before it, of which only the profile is kept, could not be opened; or nothing is
/// known of a real filesystem, as its writes could not be given what they were to write.
pub fn run_on(
    orders: Orders<'_>,
    ground: Ground,
    live: &Arc<AtomicU64>,
) -> Result<Storm, NoGround> {
    let plan = orders.plan.under(orders.seed);
    let orders = Orders { plan: &plan, ..orders };
    let device = match ground {
        Ground::Device(device) => device,
        Ground::Real(real) => {
            return real::storm::run(orders, *real, live).map_err(NoGround::Real);
        }
    };
    let decider = Decider::Drawn(profile(orders)?);
    Ok(run_drawn(orders, decider, &device, live))
}

/// Who decides in a simulation.
enum Decider {
    /// Whoever was given, whatever the plan says.
    Given(Box<dyn Strategy>),
    /// The plan's schedule, script or strategy, which may need this profile.
    Drawn(Profile),
}

/// What a run of the same passes, scheduled by chance and judged by nobody, for strategies that
/// must know: empty for the others. A seed is measured by itself, and so is the same storm wherever
/// and beside whichever others it runs.
fn profile(orders: Orders<'_>) -> Result<Profile, NoGround> {
    if orders.plan.world == WorldKind::Threads || !strategy::needs_profile(orders.plan) {
        return Ok(Profile::default());
    }
    let plan = Plan { strategy: StrategyPlan::Random, ..orders.plan.clone() };
    let look = Look { counts: true, ..Look::default() };
    let orders = Orders { plan: &plan, record: false, judged: false, look, ..orders };
    let device = open_device(&plan, orders.seed, false)?;
    let decider = Decider::Drawn(Profile::default());
    let measured = run_drawn(orders, decider, &device, &Arc::default());
    Ok(measured.end.profile)
}

/// Runs one storm of a plan that has drawn.
fn run_drawn(
    orders: Orders<'_>,
    decider: Decider,
    device: &Arc<Device>,
    live: &Arc<AtomicU64>,
) -> Storm {
    let Orders { plan, seed, .. } = orders;
    let simulated = plan.world == WorldKind::Simulated;
    let sight = match orders.judged {
        false => Sight::Closed,
        true if simulated => Sight::Frozen,
        true => Sight::Live,
    };
    let oracle = Oracle::new(plan.files.len(), sight);
    let oracle = Arc::new(match plan.judge {
        Judge::Everything => oracle,
        Judge::Bytes => oracle.for_users(),
    });
    let director = Director::new(plan, plan.device.workers);
    let incidents = Arc::new(Incidents::new(plan));
    device.tell(Arc::<Incidents>::clone(&incidents));
    let told = (orders.record, Arc::clone(&incidents));
    let steering = Arc::new(Steering::new(plan, seed.faults(), director.clone(), told));
    let filesystem = filesystem(orders, device, (&oracle, &incidents), &steering);
    let clock = if simulated { Clock::Steps } else { Clock::Wall };
    let judged = (Arc::clone(&filesystem), Arc::clone(&oracle));
    let below = (Arc::clone(device), Arc::clone(&steering));
    let model = Model::new(plan, judged, below);
    let sources = Arc::clone(&model.sources);
    let target: Arc<dyn Target> = Arc::new(model);
    let target = (target, Misfortune::new(plan, seed.faults()));
    let interrupted = Arc::clone(orders.interrupted);
    let mut stage = Stage::new(plan, target, incidents, clock, interrupted);
    stage.filesystem = Some(Arc::clone(&filesystem));
    stage.live = Arc::clone(live);
    stage.calls = Notes::new(orders.record);
    stage.memory = (!simulated).then(|| Memory::new(actors(plan)));
    stage.onlooker = orders.look.onlooker.cloned();
    stage.script = director.map(|director| Script::new(director, sources, plan));
    let stage = Arc::new(stage);
    let follows = plan.schedule.is_some() && matches!(decider, Decider::Drawn(_));
    let following = follows.then(|| Following::new(plan));
    let fits = following.as_ref().map(Following::fits);
    let (strategy, told) = decided(orders, &stage, following, decider);
    let end = enact(orders, &stage, (device, &filesystem), strategy);
    oracle.judge_overall(progress::progress_keeps_the_lock_order(oracle.checks(), &end.outcome));
    oracle.judge_overall(progress::progress_without_panic(oracle.checks(), &end.outcome));
    oracle.judge_overall(progress::progress_is_made(oracle.checks(), &end.outcome));
    let below = (&**device, &*filesystem, &*steering);
    let mut tally = counted(&stage, &end, below, &oracle);
    if told.is_some() {
        tally.strategies.insert(plan.strategy.name(), 1);
    }
    let acted = *stage.acted.lock();
    let script = stage.script.as_ref();
    let misfire = script.and_then(Script::take_misfire);
    let step = script.and_then(|script| script.director.step());
    let recording = orders.record.then(|| recording(plan, &end, &stage, device, &steering));
    let drifts = fits.map(|fits| fits.drifts()).unwrap_or_default();
    let violation = oracle.violation();
    let last_calls = stage.memory.as_ref().map(Memory::last).unwrap_or_default();
    Storm {
        end,
        strategy: told,
        violation,
        harness_failed: None,
        tally,
        model: Some(filesystem),
        acted,
        misfire,
        followed: Vec::new(),
        step,
        last_calls,
        recording,
        drifts,
    }
}

fn enact(
    orders: Orders<'_>,
    stage: &Arc<Stage>,
    (device, filesystem): (&Arc<Device>, &Arc<Filesystem>),
    strategy: Box<dyn Strategy>,
) -> End {
    let Orders { plan, seed, .. } = orders;
    let mut world = match plan.world {
        WorldKind::Threads => World::threads(PATIENCE),
        WorldKind::Simulated => World::simulated(Settings {
            strategy,
            step_budget: u32::try_from(plan.step_budget).unwrap_or(u32::MAX),
            record: match orders.look {
                Look { trace: true, .. } | Look { onlooker: Some(_), .. } => Record::Everything,
                // Without its script a storm has another schedule, which is read from the trace.
                _ if orders.record && !plan.script.is_empty() => Record::Everything,
                Look { counts: true, .. } => Record::Profile,
                _ if orders.record => Record::Schedule,
                _ => Record::Nothing,
            },
            until: orders.look.until,
            onlooker: orders.look.onlooker.map(|onlooker| {
                let onlooker = Arc::clone(onlooker);
                let filesystem = Arc::clone(filesystem);
                let told = move |passage: &Passage| onlooker.passes(&filesystem, passage);
                let told: sim::Onlooker = Box::new(told);
                told
            }),
        }),
    };
    spawn(&mut world, stage, (plan, seed));
    for worker in 0..plan.device.workers {
        let device = Arc::clone(device);
        world.spawn(&format!("disk-{worker}"), move || device.serve());
    }
    world.run()
}

/// Spawns the conductor, and the actors of `plan`.
pub fn spawn(world: &mut World, stage: &Arc<Stage>, (plan, seed): (&Plan, Seed)) {
    let conducted = Arc::clone(stage);
    world.spawn("conductor", move || {
        conducted.enters("conductor");
        conductor::conduct(&conducted);
    });
    let mut number = 0;
    for actor in &plan.actors {
        for name in actor.names() {
            let mut player = stage.player(plan, actor, seed, number);
            let stage = Arc::clone(stage);
            let task = name.clone();
            world.spawn(&name, move || {
                stage.enters(&task);
                player.act(&stage);
            });
            number += 1;
        }
    }
}

/// How many tasks the storms of `plan` have, that act.
pub fn actors(plan: &Plan) -> usize {
    plan.actors.iter().map(|actor| usize::try_from(actor.count).expect("at most 32")).sum()
}

/// The strategy of a simulation, and what a report calls it if it was drawn.
fn decided(
    orders: Orders<'_>,
    stage: &Stage,
    following: Option<Following>,
    decider: Decider,
) -> (Box<dyn Strategy>, Option<String>) {
    let Orders { plan, seed, .. } = orders;
    let profile = match decider {
        Decider::Given(strategy) => return (strategy, None),
        Decider::Drawn(profile) => profile,
    };
    if let Some(following) = following {
        return (Box::new(following), None);
    }
    if let Some(script) = &stage.script {
        return (Box::new(Directed(Arc::clone(&script.director))), None);
    }
    let made = strategy::make(plan.strategy, seed, &profile);
    (made.strategy, (plan.world == WorldKind::Simulated).then_some(made.told))
}

fn filesystem(
    orders: Orders<'_>,
    device: &Arc<Device>,
    (oracle, incidents): (&Arc<Oracle>, &Arc<Incidents>),
    steering: &Arc<Steering>,
) -> Arc<Filesystem> {
    let plan = orders.plan;
    let geometry = Geometry::new(plan.filesystem.block_size, plan.filesystem.max_folio);
    let mut options = Options::new(geometry);
    options.choices = plan.filesystem.choices;
    options.files = plan.files.len();
    options.mappers = actors(plan);
    let oracle = Arc::<Oracle>::clone(oracle);
    match orders.look.onlooker.map(Arc::clone) {
        Some(onlooker) => options.witness = Arc::new(Both { onlooker, oracle }),
        None if orders.judged && plan.world == WorldKind::Threads => {
            let incidents = Arc::clone(incidents);
            options.witness = Arc::new(Timed { oracle, incidents });
        }
        None if orders.judged => options.witness = oracle,
        None => {}
    }
    options.steer = Arc::<Steering>::clone(steering);
    let filesystem = Arc::new(Filesystem::new(Arc::clone(device), options));
    steering.attach(Arc::downgrade(&filesystem));
    filesystem
}

/// The device that a storm of `plan` runs on; with `record`, it notes which faults struck.
pub fn open_device(plan: &Plan, seed: Seed, record: bool) -> Result<Arc<Device>, NoGround> {
    let plan = plan.under(seed);
    let mut faults = DeviceFaults::none(seed.faults());
    faults.record = record;
    faults.tried = plan.exhaustive().is_some();
    faults.strikes = plan.strikes.iter().filter_map(strikes::for_device).collect();
    faults.latency = Latency { min: plan.device.latency_min, max: plan.device.latency_max };
    for fault in &plan.faults {
        match *fault {
            FaultPlan::IoError { on: IoKind::Read, chance_ppm } => {
                faults.read_error_ppm = chance_ppm;
            }
            FaultPlan::IoError { on: IoKind::Write, chance_ppm } => {
                faults.write_error_ppm = chance_ppm;
            }
            FaultPlan::IoError { on: IoKind::Flush, chance_ppm } => {
                faults.flush_error_ppm = chance_ppm;
            }
            FaultPlan::Latency { chance_ppm, length, limit } => {
                faults.spike = Spike { ppm: chance_ppm, time: length, limit };
            }
            FaultPlan::ShortCopy { .. }
            | FaultPlan::AbandonedFault { .. }
            | FaultPlan::Evict { .. }
            | FaultPlan::Delay { .. } => {}
        }
    }
    let opened = block::open(&DeviceSpec {
        kind: match plan.device.kind {
            DeviceKind::Auto => block::DeviceKind::Auto,
            DeviceKind::Loop => block::DeviceKind::Loop,
            DeviceKind::Image => block::DeviceKind::Image,
            DeviceKind::Ram => block::DeviceKind::Ram,
        },
        size: plan.device.size,
        block_size: plan.filesystem.block_size,
        simulated: plan.world == WorldKind::Simulated,
        faults,
    });
    opened.map_err(NoGround::Device)
}

/// What a storm did, as it was noted on the way.
fn recording(
    plan: &Plan,
    end: &End,
    stage: &Stage,
    device: &Device,
    steering: &Steering,
) -> Recording {
    let mut calls = vec![Vec::new(); actors(plan)];
    let mut began = Vec::new();
    for (actor, call) in stage.calls.take() {
        calls[actor].push(call);
        began.push(actor);
    }
    let mut strikes: Vec<_> = device.take_strikes().into_iter().map(strikes::of_device).collect();
    strikes.extend(steering.take_strikes());
    if plan.script.is_empty() {
        let switches = Recording::switches(plan, &end.schedule);
        return Recording { calls, began, strikes, switches };
    }
    let Scripted { evictions, switches } = scripted(plan, &end.trace);
    calls.push(evictions);
    Recording { calls, began, strikes, switches }
}

/// The stage's tally with what only the end of the storm can tell.
fn counted(
    stage: &Stage,
    end: &End,
    (device, filesystem, steering): (&Device, &Filesystem, &Steering),
    oracle: &Oracle,
) -> Tally {
    let mut tally = stage.tally();
    tally.seeds = 1;
    tally.points = filesystem.shared().reached();
    tally.deviations = filesystem.shared().rules.deviations();
    tally.scheduling_points = end.points;
    tally.switches = end.switches;
    tally.trace_hash = end.trace_hash;
    tally.verified = oracle.verified();
    tally.passed_over = oracle.passed_over();
    tally.invariants = oracle.checks().counts().into_iter().collect();
    let faults = device.faults();
    for (fault, count) in [
        (Fault::ReadError, faults.read_error),
        (Fault::WriteError, faults.write_error),
        (Fault::FlushError, faults.flush_error),
        (Fault::Latency, faults.spike),
    ] {
        tally.fault(fault, count.armed, count.fired);
    }
    for (fault, armed, fired) in steering.counts() {
        tally.fault(fault, armed, fired);
    }
    tally
}

/// A schedule's deviations as text, one a line.
pub fn schedule_lines(schedule: &Schedule) -> Vec<String> {
    schedule.deviations.iter().map(ToString::to_string).collect()
}
