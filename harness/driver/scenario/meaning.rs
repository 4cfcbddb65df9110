//! The second stage: from values that are each in range to a plan that makes sense.

use super::actors::{self, RawActor};
use super::fields::{Given, Read};
use super::format::{MOST_ACTORS, MOST_SEEDS, ONLY_FILE};
use super::node::Place;
use super::plan::{
    ActorPlan, DeviceKind, DevicePlan, Expectation, FilePlan, FilesystemPlan, Layout, Plan,
    StrategyPlan, WorldKind,
};
use super::problem::{Problem, Problems};
use super::quantity::{show_duration, show_size};
use super::raw::{RawDevice, RawFile, RawFilesystem, RawScenario};
use super::{exhaustive, explicit, script, switches, target};
use crate::catalogue::Bug;
use std::collections::BTreeMap;
use std::time::Duration;
use stormfs::quantity::narrow;

/// How long threads run if nothing is said about it.
const THREADS_TIME: Duration = Duration::from_secs(10);

/// Operations of a simulation if nothing is said about them.
const SIMULATED_OPS: u64 = 2000;

/// The plan, or `None` if something was wrong here or before.
pub(super) fn plan(raw: RawScenario, name: &str, problems: &Problems) -> Option<Plan> {
    world(&raw, problems);
    geometry(&raw, problems);
    layouts(&raw, problems);
    expectation(&raw, problems);
    exhaustive::refuse_chance(&raw, problems);
    let target = target::plan(&raw, problems);
    let descriptors = raw.target.as_ref().and_then(target::descriptors);
    let mm = raw.target.as_ref().and_then(target::mm);
    let memory = raw.target.as_ref().and_then(target::memory);
    let script = script::plan(&raw, problems);
    let sentences = explicit::Sentences::of(&raw, problems);
    let device = raw.device.and_then(|raw| device(&raw, problems));
    let bugs = raw.bugs.unwrap_or_default();
    let filesystem = raw.filesystem.as_ref().and_then(|raw| filesystem(raw, &bugs, problems));
    let files = raw.files.and_then(|raw| files(raw, problems));
    let actors = raw.actors.and_then(|raw| every_actor(raw, files.as_deref(), problems));
    if let Some(actors) = &actors {
        drawing((given(raw.ops), raw.swarm), actors, problems);
    }
    let is_threads = raw.world?.value == WorldKind::Threads;
    let ops = raw.ops?.value;
    let draws = actors.as_ref()?.iter().any(ActorPlan::draws);
    let script = script?;
    let given = raw.strategy?.value;
    let tried = matches!(given, Some(StrategyPlan::Exhaustive(_)));
    let (device, files, actors) = (device?, files?, actors?);
    // One worker: in which order requests complete is then a matter of who goes on alone.
    let device = DevicePlan { workers: if tried { 1 } else { device.workers }, ..device };
    let placed = sentences.plan(&device, &files, &actors, problems)?;
    let explicit::Placed { schedule, strikes, recorded } = placed;
    let once = is_threads || tried || !script.is_empty() || schedule.is_some();
    // Where a script or a schedule decides, no seed draws a strategy.
    let decided = !script.is_empty() || schedule.is_some();
    let unasked = if decided { StrategyPlan::Random } else { StrategyPlan::Mix };
    let time = raw.time?.value.or((is_threads && ops.is_none()).then_some(THREADS_TIME));
    let seeds = seeds(raw.seeds?, raw.time?, once);
    Some(Plan {
        name: raw.name?.value.unwrap_or_else(|| default_name(name)),
        about: raw.about?.value,
        world: raw.world?.value,
        seed: raw.seed?.value,
        seeds,
        ops: ops.or((!is_threads && draws).then_some(SIMULATED_OPS)),
        time,
        strategy: given.unwrap_or(unasked),
        swarm: raw.swarm?.value.unwrap_or(!is_threads && draws),
        script,
        step_budget: raw.step_budget?.value,
        target: target?,
        descriptors: descriptors?,
        mm: mm?,
        memory,
        device,
        filesystem: filesystem?,
        files,
        actors,
        schedule,
        faults: raw.faults?.value,
        strikes,
        recorded,
        judge: raw.judge?.value,
        bugs: bugs.iter().map(|bug| bug.value.id).collect(),
        expect: raw.expect?.value,
        drawn: Vec::new(),
        variations: None,
        dropped: Vec::new(),
        missing: Vec::new(),
    })
}

/// How many seeds there are. If the command line gives a time and no number, only the time ends the
/// run, whatever the file says.
fn seeds(seeds: Given<Option<u64>>, time: Given<Option<Duration>>, once: bool) -> u64 {
    let commanded = |place| matches!(place, Place::Set { .. });
    if !once && time.value.is_some() && commanded(time.place) && !commanded(seeds.place) {
        return MOST_SEEDS;
    }
    let unasked = match time.value {
        _ if once => 1,
        Some(_) => MOST_SEEDS,
        None => 100,
    };
    seeds.value.unwrap_or(unasked)
}

/// Keys that have a meaning in one world only.
fn world(raw: &RawScenario, problems: &Problems) {
    let Some(world) = raw.world else { return };
    let only = |name: &str, given: Option<Place>, other: WorldKind, help: &str| {
        let Some(place) = given.filter(|_| world.value != other) else { return };
        let message = format!("`{name}` has no meaning in the world `{}`", world.value.name());
        problems.add(Problem::at(place, message).help(help));
    };
    let simulated = WorldKind::Simulated;
    let help =
        "remove it, or let `world` be `simulated`; `time` and `ops` say how long threads run";
    only("seeds", given(raw.seeds), simulated, help);
    let help = "remove it, or let `world` be `simulated`: threads are scheduled by the kernel";
    only("strategy", given(raw.strategy), simulated, help);
    let help = "remove it, or let `world` be `simulated`: there is one seed in threads";
    only("swarm", given(raw.swarm), simulated, help);
    for actor in raw.actors.iter().flatten() {
        let help = "remove it, or let `world` be `threads`: virtual time stands still while an \
                    operation is at work, so nobody could be late";
        only("rate", given(actor.rate), WorldKind::Threads, help);
    }
    if let Some(Given { value: Some(time), place }) = raw.time
        && time.is_zero()
    {
        let problem = Problem::at(place, "a run of no time does nothing");
        problems.add(problem.help("write a time like `10s`, or use `ops` instead"));
    }
    let Some(kind) = raw.device.as_ref().and_then(|device| device.kind) else { return };
    if world.value == simulated && matches!(kind.value, DeviceKind::Loop | DeviceKind::Image) {
        let message = format!(
            "the simulated world has no `{}` device: its requests take virtual time",
            kind.value.name()
        );
        let help = "let `kind` be `ram` or `auto`, or `world` be `threads`";
        problems.add(Problem::at(kind.place, message).help(help));
    }
}

pub(super) fn given<T>(read: Read<Option<T>>) -> Option<Place> {
    read.and_then(|given| given.value.is_some().then_some(given.place))
}

/// Blocks, folios and the device have to fit into each other.
fn geometry(raw: &RawScenario, problems: &Problems) {
    let Some(RawFilesystem { block_size: Some(block), max_folio, .. }) = &raw.filesystem else {
        return;
    };
    if let Some(folio) = max_folio
        && folio.value < block.value
    {
        let message = format!(
            "`max_folio` ({}) is smaller than one block ({})",
            show_size(folio.value),
            show_size(block.value)
        );
        let help = format!(
            "raise `max_folio` to {} at least, or lower `block_size`",
            show_size(block.value)
        );
        problems.add(
            Problem::at(folio.place, message).help(help).second(block.place, "the block size"),
        );
    }
    let Some(RawDevice { size: Some(size), .. }) = &raw.device else { return };
    if !size.value.is_multiple_of(block.value) {
        let down = size.value / block.value * block.value;
        let message =
            format!("`size` is no multiple of the block size, {}", show_size(block.value));
        let help = format!("the nearest below is {}", show_size(down));
        problems.add(Problem::at(size.place, message).help(help));
    }
}

/// Files whose blocks exist from the start have to fit on the device together.
fn layouts(raw: &RawScenario, problems: &Problems) {
    let of_target = raw.target.as_ref().filter(|target| target.is_real());
    let (device, key) = if let Some(target) = of_target {
        (target.room(), "target.size")
    } else {
        let size = raw.device.as_ref().and_then(|device| device.size);
        (size.map(|size| size.value), "device.size")
    };
    let (Some(files), Some(device)) = (&raw.files, device) else { return };
    let mut used: u64 = 0;
    for file in files {
        let (Some(size), Some(layout)) = (file.size, file.layout) else { continue };
        if layout.value == Layout::Hole {
            continue;
        }
        used = used.saturating_add(size.value);
        if device < used {
            let message = format!(
                "the files need {} for their blocks, and the device has {}",
                show_size(used),
                show_size(device)
            );
            let help =
                format!("make the file smaller, let its `layout` be `hole`, or raise `{key}`");
            problems.add(Problem::at(size.place, message).help(help));
            return;
        }
    }
}

fn expectation(raw: &RawScenario, problems: &Problems) {
    let (Some(expect), Some(bugs)) = (&raw.expect, &raw.bugs) else { return };
    let Expectation::Caught { bug: Some(bug), .. } = &expect.value else { return };
    if bugs.iter().all(|other| other.value.id != *bug) {
        let message = format!("`{bug}` cannot be caught: it is not switched on");
        let help = format!("write `bugs: [{bug}]`");
        problems.add(Problem::at(expect.place, message).help(help));
    }
}

fn device(raw: &RawDevice, problems: &Problems) -> Option<DevicePlan> {
    let (min, max) = (raw.latency_min?, raw.latency_max?);
    let most = max.value.unwrap_or(min.value);
    if most < min.value {
        let message = format!(
            "`min` ({}) is above `max` ({})",
            show_duration(min.value),
            show_duration(most)
        );
        let problem = Problem::at(min.place, message).help("lower `min`, or raise `max`");
        problems.add(problem.second(max.place, "`max` is here"));
        return None;
    }
    Some(DevicePlan {
        kind: raw.kind?.value,
        workers: narrow(raw.workers?.value),
        size: raw.size?.value,
        latency_min: min.value,
        latency_max: most,
    })
}

fn filesystem(
    raw: &RawFilesystem,
    bugs: &[Given<&Bug>],
    problems: &Problems,
) -> Option<FilesystemPlan> {
    Some(FilesystemPlan {
        block_size: raw.block_size?.value,
        max_folio: raw.max_folio?.value,
        preset: raw.preset?.value,
        choices: switches::throw(raw.choices?, &raw.written, bugs, problems),
    })
}

fn files(raw: Vec<RawFile>, problems: &Problems) -> Option<Vec<FilePlan>> {
    unique("file", raw.iter().filter_map(|file| file.name.as_ref()), problems);
    if raw.is_empty() {
        let name = ONLY_FILE.to_owned();
        return Some(vec![FilePlan { name, size: 256 << 10, layout: Layout::Hole }]);
    }
    let plan = |raw: RawFile| {
        Some(FilePlan { name: raw.name?.value, size: raw.size?.value, layout: raw.layout?.value })
    };
    raw.into_iter().map(plan).collect()
}

/// Somebody has to draw what `ops` counts and what `swarm` is about.
fn drawing(
    (ops, swarm): (Option<Place>, Read<Option<bool>>),
    actors: &[ActorPlan],
    problems: &Problems,
) {
    if actors.iter().any(ActorPlan::draws) {
        return;
    }
    let refuse = |given: Option<Place>, message: &str| {
        if let Some(place) = given {
            problems.add(Problem::at(place, message).help("remove it"));
        }
    };
    refuse(ops, "`ops` counts operations that are drawn, and every actor has a list");
    let swarm = swarm.filter(|swarm| swarm.value == Some(true));
    refuse(given(swarm), "`swarm` is about what actors draw, and every actor has a list");
}

fn every_actor(
    raw: Vec<RawActor>,
    files: Option<&[FilePlan]>,
    problems: &Problems,
) -> Option<Vec<ActorPlan>> {
    unique("actor", raw.iter().filter_map(|actor| actor.name.as_ref()), problems);
    let mut total: u64 = 0;
    for count in raw.iter().filter_map(|actor| actor.count) {
        let before = total;
        total += count.value;
        if before <= MOST_ACTORS && MOST_ACTORS < total {
            let message = format!("the counts add up to {total} or more actors");
            let help = format!("{MOST_ACTORS} are the most, over all groups");
            problems.add(Problem::at(count.place, message).help(help));
        }
    }
    let mut report = |problem| problems.add(problem);
    let names = |files: &[FilePlan]| files.iter().map(|file| file.name.clone()).collect();
    let names: Option<Vec<String>> = files.map(names);
    let names = names.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    let plan = |raw| actors::plan(raw, names.as_deref(), &mut report);
    let plans: Vec<_> = raw.into_iter().map(plan).collect();
    plans.into_iter().collect()
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a Given<String>>, problems: &Problems) {
    let mut seen = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.get(name.value.as_str()) {
            let message = format!("a second {what} is named `{}`", name.value);
            let problem = Problem::at(name.place, message).help("rename one of the two");
            problems.add(problem.second(*first, "the first"));
        } else {
            seen.insert(name.value.as_str(), name.place);
        }
    }
}

/// A file's name without its ending, made fit to be a scenario's name.
fn default_name(file: &str) -> String {
    let last = file.rsplit('/').next().unwrap_or(file);
    let stem = last.strip_suffix(".yaml").or_else(|| last.strip_suffix(".yml")).unwrap_or(last);
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let name: String = stem.chars().take(64).map(fit).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "scenario".to_owned() } else { name.to_owned() }
}
