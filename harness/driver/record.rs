//! The record of a campaign: everything of it in the words of `result.json`.

use crate::campaign::{Campaign, Found};
use crate::environment;
use crate::explain::cast::Cast;
use crate::exploration::Tried;
use crate::real::script::Followed;
use crate::scenario::plan::{ActorPlan, FaultPlan, IoKind, Plan, TargetPlan, WorldKind};
use crate::scenario::variations::Dimension;
use crate::storm;
use crate::tally::{Fault, Tally};
use block::DeviceKind;
use oracle::Invariant;
use oracle::outside::{self, is_of_the_model};
use report::record::{
    ByteRange, Counts, Deviation, Device, DeviceKind as RecordedKind, Explored, FaultCount,
    Filesystem, Lacking, Level, Record, Scenario, Seed, Seeds, Seen, Timeline, Timing, Tool,
    Varied, Verdict, Violation, World,
};
use report::reproduce;
use sim::strategy::exhaustive::Covered;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use stormfs::errno::Errno;
use stormfs::op::{OpId, OpKind};
use stormfs::points::Point;
use stormfs::quantity::wide;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The scenario's path, as it was written.
    pub file: &'a str,
    /// The scenario's text.
    pub text: &'a str,
    /// What the command line changed in it.
    pub overrides: &'a [(String, String)],
    /// What it means.
    pub plan: &'a Plan,
}

/// The record of a campaign that took `elapsed`.
pub fn record(
    asked: Asked<'_>,
    device: Device,
    campaign: &Campaign,
    (verdict, elapsed): (Verdict, Duration),
) -> Record {
    let Campaign { tally, found, tried, .. } = campaign;
    // Where the setting differs between seeds, it is told as the failing seed had it.
    let drawn = found.as_ref().map(|found| {
        let combination = tried.as_ref().and_then(|tried| tried.failed.as_deref());
        combination.map_or_else(|| asked.plan.under(found.seed), Cow::Borrowed)
    });
    let plan = drawn.as_deref().unwrap_or(asked.plan);
    let simulated = plan.world == WorldKind::Simulated;
    let others = campaign.others.iter();
    let others = others.map(|found| violation(&asked.plan.under(found.seed), found));
    let counts = counts(asked.plan, tally);
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let per_second = counts.operations.saturating_mul(1000) / milliseconds.max(1);
    Record {
        schema: Record::SCHEMA_VERSION,
        tool: Tool { name: "pagestorm".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        scenario: scenario(asked),
        world: if simulated { World::Simulated } else { World::Threads },
        seed: Seeds { first: Seed(plan.seed), count: plan.seeds },
        device,
        filesystem: filesystem(plan),
        counts,
        explored: tried.as_ref().map(explored),
        led: campaign.followed.iter().map(Followed::recorded).collect(),
        verdict,
        violations: found.iter().map(|found| violation(plan, found)).chain(others).collect(),
        latency: tally.journal.latency.to_record(),
        timeline: timeline(plan, tally),
        trace_hash: simulated.then(|| format!("{:016x}", tally.trace_hash)),
        environment: environment::environment(),
        timing: Timing {
            elapsed_ms: milliseconds,
            operations_per_second: per_second,
            oracle_share: tally.journal.oracle_share(),
        },
    }
}

fn timeline(plan: &Plan, tally: &Tally) -> Option<Timeline> {
    Some(Timeline {
        actors: wide(storm::actors(plan)),
        // A filesystem of the kernel has the kernel's.
        workers: if plan.target == TargetPlan::Model { wide(plan.device.workers) } else { 0 },
        overdue: tally.journal.overdue,
        halted_ms: u64::try_from(tally.halted.as_millis()).unwrap_or(u64::MAX),
        ..tally.journal.timeline.as_ref()?.to_record()
    })
}

fn explored(tried: &Tried) -> Explored {
    let level = |level: &Covered| Level {
        preemptions: level.preemptions,
        faults: level.faults,
        schedules: level.runs,
        complete: level.complete,
        about: level.about,
    };
    Explored {
        combinations: tried.combinations,
        complete: tried.complete,
        schedules: tried.schedules(),
        levels: tried.levels.iter().map(level).collect(),
    }
}

/// A device that was opened.
pub fn opened(device: &block::Device) -> Device {
    let kind = match device.kind() {
        DeviceKind::Auto | DeviceKind::Ram => RecordedKind::Ram,
        DeviceKind::Image => RecordedKind::Image,
        DeviceKind::Loop => RecordedKind::Loop,
    };
    Device { kind, size: device.size(), detail: device.detail().to_owned(), mounted: None }
}

/// The device that a plan asks for and that could not be opened.
pub fn refused(plan: &Plan, why: &str) -> Device {
    use crate::scenario::plan::DeviceKind as Kind;
    let kind = match plan.device.kind {
        Kind::Ram => RecordedKind::Ram,
        Kind::Loop => RecordedKind::Loop,
        // Without a loop device, an image is what `auto` ends with.
        Kind::Auto | Kind::Image => RecordedKind::Image,
    };
    Device { kind, size: plan.device.size, detail: format!("not opened: {why}"), mounted: None }
}

/// The command that shows the first violation again, or else the whole run.
pub fn reproduce_line(record: &Record) -> String {
    let Some(violation) = record.violations.first() else { return reproduce::run(record) };
    reproduce::violation(record, violation)
}

fn scenario(asked: Asked<'_>) -> Scenario {
    // Every command that runs it again has its own word for the seed.
    let kept = asked.overrides.iter();
    let kept = kept.filter(|(path, _)| asked.plan.is_without_seeds() || path != "seed");
    Scenario {
        name: asked.plan.name.clone(),
        file: asked.file.to_owned(),
        about: asked.plan.about.clone(),
        text: asked.text.to_owned(),
        script: asked.plan.script.iter().map(|step| step.text.clone()).collect(),
        scheduled: asked.plan.schedule.is_some(),
        overrides: kept.map(|(path, value)| format!("{path}={value}")).collect(),
        varied: varied(asked.plan),
        drawn: drawn(asked.plan),
        dropped: asked.plan.dropped.clone(),
    }
}

/// What its seed draws of what varies, where there is one seed.
pub fn drawn(plan: &Plan) -> Vec<String> {
    if plan.seeds != 1 || plan.variations.is_none() || plan.exhaustive().is_some() {
        return Vec::new();
    }
    pairs(&plan.under(sim::chance::Seed(plan.seed)))
}

fn pairs(plan: &Plan) -> Vec<String> {
    plan.drawn.iter().map(|(path, value)| format!("{path}={value}")).collect()
}

/// What differs between seeds.
fn varied(plan: &Plan) -> Vec<Varied> {
    let dimensions = plan.variations.iter().flat_map(|all| &all.dimensions);
    let varied = dimensions.filter(|dimension| !dimension.is_set);
    let row = |one: &Dimension| Varied { path: one.path.clone(), values: one.values.clone() };
    varied.map(row).collect()
}

fn filesystem(plan: &Plan) -> Filesystem {
    let deviations = plan.filesystem.choices.departures().into_iter();
    let deviation = |(decision, value): (&str, &str)| Deviation {
        decision: decision.to_owned(),
        value: value.to_owned(),
    };
    Filesystem {
        block_size: plan.filesystem.block_size,
        max_folio: plan.filesystem.max_folio,
        preset: plan.filesystem.preset.map(str::to_owned),
        bugs: plan.bugs.iter().map(ToString::to_string).collect(),
        deviations: deviations.map(deviation).collect(),
    }
}

pub(crate) fn counts(plan: &Plan, tally: &Tally) -> Counts {
    let variants = plan.variants().into_iter();
    let kinds = variants.flat_map(|plan| &plan.actors).flat_map(ActorPlan::kinds);
    let mut by_kind: BTreeMap<String, u64> =
        kinds.map(|kind| (kind.name().to_owned(), 0)).collect();
    by_kind.extend(tally.operations.iter().map(|(kind, count)| (kind.name().to_owned(), *count)));
    let failed = tally.failed.iter();
    let is_real = plan.target != TargetPlan::Model;
    let points = Point::ALL.iter().enumerate().map(|(place, point)| {
        (point.name().to_owned(), tally.points.get(place).copied().unwrap_or(0))
    });
    let points = points.filter(|(_, count)| !is_real || 0 < *count);
    let invariants = Invariant::all().filter(|invariant| {
        can_be_checked(invariant.name, &plan.target)
            // What was, can be.
            || tally.invariants.get(invariant.name).is_some_and(|times| 0 < *times)
    });
    let invariants = invariants.map(|invariant| {
        let count = tally.invariants.get(invariant.name).copied().unwrap_or(0);
        (invariant.name.to_owned(), count)
    });
    Counts {
        seeds_done: tally.seeds,
        strategies: strategies(plan, tally),
        operations: tally.total_operations(),
        verified_operations: tally.verified,
        failed_operations: failed.map(|(errno, count)| (symbol(*errno), *count)).collect(),
        operations_by_kind: by_kind,
        bytes_written: tally.bytes_written,
        bytes_read: tally.bytes_read,
        faults: faults(plan, tally),
        points: points.collect(),
        invariants: invariants.collect(),
        passed_over: tally.passed_over.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        left_out: left_out(tally),
        unconfirmed: tally.unconfirmed.clone(),
        memory: tally.memory.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        unchecked: unchecked(plan, tally),
        leeways: tally.leeways.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        deviations: tally.deviations,
        scheduling_points: tally.scheduling_points,
        switches: tally.switches,
    }
}

/// The name of an error, also of one that the model does not have.
fn symbol(errno: Errno) -> String {
    let Errno::Other(number) = errno else { return errno.name().to_owned() };
    let known = nix::errno::Errno::from_raw(number);
    if known == nix::errno::Errno::UnknownErrno { errno.to_string() } else { format!("{known:?}") }
}

/// Whether somebody could look at what that invariant is about.
pub fn can_be_checked(invariant: &str, target: &TargetPlan) -> bool {
    let from_outside = outside::INVARIANTS.contains(&invariant);
    match target {
        TargetPlan::Model => is_of_the_model(invariant),
        TargetPlan::Kernel(spec) if spec.kind.mkfs().is_none() => {
            let all = [outside::UNMOUNTED, outside::BELOW_THE_CACHE].concat();
            from_outside && !all.contains(&invariant)
        }
        TargetPlan::Kernel(_) => from_outside,
        TargetPlan::Directory(_) => from_outside && !outside::UNMOUNTED.contains(&invariant),
    }
}

/// Why what a filesystem that was taken down would have been compared with was not to be had.
fn unchecked(plan: &Plan, tally: &Tally) -> BTreeMap<String, String> {
    let checked = |name| tally.invariants.get(name).is_some_and(|times| 0 < *times);
    let mut reasons = BTreeMap::new();
    // Whether it was taken down at all.
    if !checked(outside::ON_DISK) || checked(outside::AT_MOUNT) {
        return reasons;
    }
    let all = plan.variants();
    let shares = all.iter().flat_map(|plan| &plan.actors).flat_map(ActorPlan::kinds);
    let shares = plan.target.may_share_blocks()
        && shares.into_iter().any(|kind| [OpKind::Reflink, OpKind::CopyRange].contains(&kind));
    let fails = all.iter().flat_map(|plan| &plan.faults);
    let fails = fails.into_iter().any(|fault| matches!(fault, FaultPlan::IoError { .. }));
    let why = match (shares, fails) {
        (true, _) => {
            "files may share blocks, for whose next copy a filesystem may keep some ready until it is \
             unmounted"
        }
        (_, true) => {
            "requests were made to fail, and with them a call that settles at the end how much is free"
        }
        _ => return reasons,
    };
    reasons.insert(outside::AT_MOUNT.to_owned(), why.to_owned());
    reasons
}

fn left_out(tally: &Tally) -> BTreeMap<String, Lacking> {
    let entry = |(kind, (count, reason)): (&stormfs::op::OpKind, &(u64, String))| {
        (kind.name().to_owned(), Lacking { count: *count, reason: reason.clone() })
    };
    tally.left_out.iter().map(entry).collect()
}

/// Seeds by strategy. A strategy that some seed may draw is listed even if none has.
fn strategies(plan: &Plan, tally: &Tally) -> BTreeMap<String, u64> {
    let undecided = plan.world == WorldKind::Threads || !plan.script.is_empty();
    let plans = plan.variants().into_iter().filter(|_| !undecided && plan.schedule.is_none());
    let named = plans.flat_map(|plan| plan.strategy.drawn()).map(|name| (*name, 0));
    let mut counts: BTreeMap<&str, u64> = named.collect();
    counts.extend(&tally.strategies);
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// The faults that the plan asks for under some seed, and those that came about without being asked for.
fn faults(plan: &Plan, tally: &Tally) -> BTreeMap<String, FaultCount> {
    // What is set up to strike a real filesystem strikes, but for requests, each of which has its chance.
    let due = |count: FaultCount| match plan.target {
        TargetPlan::Model => None,
        TargetPlan::Kernel(_) | TargetPlan::Directory(_) => {
            count.due_ppm.or_else(|| Some(count.armed.saturating_mul(ALWAYS.into())))
        }
    };
    let counted = |count: FaultCount| FaultCount { due_ppm: due(count), ..count };
    let asked = plan.variants().into_iter().flat_map(|plan| &plan.faults).flat_map(kinds);
    let memory = plan.memory.map(|_| Fault::MemoryPressure);
    let asked = asked.chain(memory);
    let asked = asked.map(|fault| (fault, counted(FaultCount::default())));
    let mut counts: BTreeMap<Fault, FaultCount> = asked.collect();
    for (fault, count) in &tally.faults {
        if count.armed != 0 || counts.contains_key(fault) {
            counts.insert(*fault, counted(*count));
        }
    }
    counts.into_iter().map(|(fault, count)| (fault.name().to_owned(), count)).collect()
}

const ALWAYS: u32 = 1_000_000;

pub(crate) fn kinds(fault: &FaultPlan) -> Vec<Fault> {
    match *fault {
        FaultPlan::ShortCopy { persistent_ppm: 0, .. } => vec![Fault::ShortCopyTransient],
        FaultPlan::ShortCopy { persistent_ppm: ALWAYS.., .. } => vec![Fault::ShortCopyPersistent],
        FaultPlan::ShortCopy { .. } => {
            vec![Fault::ShortCopyTransient, Fault::ShortCopyPersistent]
        }
        FaultPlan::AbandonedFault { .. } => vec![Fault::AbandonedFault],
        FaultPlan::IoError { on: IoKind::Read, .. } => vec![Fault::ReadError],
        FaultPlan::IoError { on: IoKind::Write, .. } => vec![Fault::WriteError],
        FaultPlan::IoError { on: IoKind::Flush, .. } => vec![Fault::FlushError],
        FaultPlan::Evict { .. } => vec![Fault::Evict],
        FaultPlan::Delay { .. } => vec![Fault::Delay],
        FaultPlan::Latency { .. } => vec![Fault::Latency],
    }
}

fn violation(plan: &Plan, found: &Found) -> Violation {
    let Found { seed, violation, strategy, step, details, kept, again, story, .. } = found;
    let Seen { file, range, expected, found, operation, .. } = seen(plan, violation);
    Violation {
        invariant: violation.invariant.to_owned(),
        sentence: one_line(violation.about()),
        file,
        range,
        expected,
        found,
        signature: kept.as_ref().map_or(violation.invariant, |kept| &kept.signature).to_owned(),
        seed: Seed(seed.0),
        strategy: strategy.clone(),
        operation,
        step: *step,
        drawn: pairs(plan),
        replay: kept.as_ref().map(|kept| kept.path.clone()),
        again: *again,
        strip: violation.strip.clone(),
        details: details.clone(),
        story: story.clone(),
    }
}

/// The same, as a night keeps it.
pub(crate) fn seen(plan: &Plan, violation: &oracle::Violation) -> Seen {
    let cast = Cast::of(plan);
    let file = violation.file.and_then(|file| plan.files.get(file));
    let operation = violation.operation.map(|operation| operation_name(plan, operation));
    Seen {
        target: plan.target.named(),
        file: file.map(|file| file.name.clone()),
        range: violation.range.map(|range| ByteRange { start: range.start, end: range.end }),
        expected: cast.named(&violation.expected),
        found: cast.named(&violation.found),
        operation: operation.unwrap_or_else(|| "none in particular".to_owned()),
    }
}

/// `writer-1, operation 7`, by the names of the scenario.
fn operation_name(plan: &Plan, id: OpId) -> String {
    let names = plan.actors.iter().flat_map(ActorPlan::names);
    // Actors count from 1; before them comes the conductor.
    let mut all = std::iter::once("conductor".to_owned()).chain(names);
    let actor = all.nth(id.actor.into()).unwrap_or_else(|| format!("actor {}", id.actor));
    format!("{actor}, operation {}", id.number)
}

/// Doc comments keep the line breaks of their source.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
