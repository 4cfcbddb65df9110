//! Scripts and schedules leave nothing to chance: what would be drawn is refused, and so is who
//! could not be told from another task.

use super::actors::RawActor;
use super::fields::{Given, Read};
use super::node::{Node, Place};
use super::plan::{ActorPlan, DevicePlan, FilePlan, Layout, Recorded, Strike, Switch, WorldKind};
use super::problem::{Problem, Problems};
use super::raw::RawScenario;
use super::recorded::RawRecorded;
use super::target::RawTarget;
use super::tasks::{Tasks, is_reserved};
use super::{recorded, schedule, strikes};
use std::collections::BTreeMap;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// The key.
    key: &'static str,
    /// Why there is only one seed.
    once: &'static str,
    /// Why there is no strategy.
    decides: &'static str,
}

/// A script.
pub(super) const SCRIPT: Order = Order {
    key: "script",
    once: "remove it: a script runs once, because it leaves nothing to chance",
    decides: "remove one of the two: the script says who goes on",
};

/// A schedule.
pub(super) const SCHEDULE: Order = Order {
    key: "schedule",
    once: "remove it: a schedule is followed once, because it leaves nothing to chance",
    decides: "remove one of the two: the schedule says who goes on",
};

/// Refuses variations beside a script or a schedule, and the two beside each other.
pub(super) fn refuse_variations(root: &Node, problems: &Problems) {
    let key =
        [SCRIPT, SCHEDULE].map(|order| order.key).into_iter().find(|key| root.entry(key).is_some());
    if let (Some(key), Some(vary)) = (key, root.entry("vary")) {
        let message = format!("`vary` has no meaning beside `{key}`");
        let problem = Problem::at(vary.key.place, message);
        problems.add(problem.help("remove it: `--set` changes a value for one run"));
    }
    if let (Some(script), Some(schedule)) = (root.entry("script"), root.entry("schedule")) {
        let message = "a scenario has `script` or `schedule`, and this one has both";
        let problem = Problem::at(schedule.key.place, message).help("remove one of the two");
        problems.add(problem.second(script.key.place, "the other"));
    }
}

/// Reports what a script or a schedule leaves nothing to decide.
pub(super) fn refuse_chance(raw: &RawScenario, order: Order, problems: &Problems) {
    let key = order.key;
    let refuse = |place: Place, message: String, help: &str| {
        problems.add(Problem::at(place, message).help(help));
    };
    let is_led = order == SCRIPT && raw.target.as_ref().is_some_and(RawTarget::is_real);
    if let Some(Given { value: WorldKind::Threads, place }) = raw.world.filter(|_| !is_led) {
        let help = if order == SCRIPT {
            "let `world` be `simulated`, or name a filesystem that threads are led through, as \
             `target: {kernel: xfs}`"
        } else {
            "let `world` be `simulated`: threads are scheduled by the kernel"
        };
        refuse(place, format!("a {key} runs in the simulated world only"), help);
    } else {
        if let Some(Given { value: Some(_), place }) = raw.seeds {
            refuse(place, format!("`seeds` has no meaning beside `{key}`"), order.once);
        }
        if let Some(Given { value: Some(_), place }) = raw.strategy {
            refuse(place, format!("`strategy` has no meaning beside `{key}`"), order.decides);
        }
        if let Some(Given { value: Some(_), place }) = raw.swarm {
            let help = format!("remove it: a {key} leaves nothing to draw");
            refuse(place, format!("`swarm` has no meaning beside `{key}`"), &help);
        }
        for layout in raw.files.iter().flatten().filter_map(|file| file.layout) {
            if layout.value == Layout::Any {
                let help = format!("write another one: a {key} leaves nothing to draw");
                refuse(layout.place, format!("`any` has no meaning beside `{key}`"), &help);
            }
        }
    }
    refuse_drawing(raw, &format!("a {key}"), problems);
    if order == SCHEDULE {
        refuse_dice(raw, problems);
    }
}

/// Reports actors that draw their operations, in `what`.
pub(super) fn refuse_drawing(raw: &RawScenario, what: &str, problems: &Problems) {
    for place in raw.actors.iter().flatten().filter_map(|actor| actor.draws) {
        let message = format!("an actor of {what} cannot draw its operations");
        let help = "list what it does: `does: [write: {at: 0, size: 4KiB}]`";
        problems.add(Problem::at(place, message).help(help));
    }
}

/// Reports faults and times that would be drawn.
fn refuse_dice(raw: &RawScenario, problems: &Problems) {
    if let Some(Given { value: faults, place }) = &raw.faults
        && !faults.is_empty()
    {
        let message = "`faults` strike by chance, and a schedule leaves nothing to chance";
        let help = "remove them, and list what strikes, and where, in `strikes`";
        problems.add(Problem::at(*place, message).help(help));
    }
    let Some(device) = &raw.device else { return };
    if let (Some(min), Some(Given { value: Some(max), place })) =
        (device.latency_min, device.latency_max)
        && min.value < max
    {
        let message = "a time between `min` and `max` is drawn, and a schedule draws nothing";
        let help = "remove `max`, and list requests that take another time in `strikes`";
        problems.add(Problem::at(place, message).help(help));
    }
}

/// The sentences that name tasks: those of `schedule`, if it is given, and of `strikes`. `None`: some
/// are wrong.
pub(super) struct Sentences {
    schedule: Read<Option<Vec<Read<String>>>>,
    strikes: Option<Vec<Read<String>>>,
    recorded: Read<Option<RawRecorded>>,
    /// Where each group of actors has its name.
    names: Vec<Option<Place>>,
}

impl Sentences {
    /// Those of a scenario; reports what cannot stand beside them.
    pub(super) fn of(raw: &RawScenario, problems: &Problems) -> Sentences {
        let scripted = raw.script.as_ref().is_some_and(|steps| !steps.is_empty());
        if let Some(Given { value: Some(_), .. }) = raw.schedule {
            // Both are refused elsewhere, and all that follows has been told of the script.
            if !scripted {
                refuse_chance(raw, SCHEDULE, problems);
            }
        } else if let Some(first) = raw.strikes.iter().flatten().flatten().next() {
            if let Some(Given { value: WorldKind::Threads, .. }) = raw.world {
                let message = "`strikes` strike in the simulated world only";
                let help = "remove them, or let `world` be `simulated`: what threads pass differs \
                            from run to run";
                problems.add(Problem::at(first.place, message).help(help));
            }
            refuse_drawing(raw, "a scenario with `strikes`", problems);
        }
        let place = |actor: &RawActor| actor.name.as_ref().map(|name| name.place);
        let names = raw.actors.iter().flatten().map(place).collect();
        let (schedule, strikes) = (raw.schedule.clone(), raw.strikes.clone());
        Sentences { schedule, strikes, recorded: raw.recorded.clone(), names }
    }

    /// What they mean among these.
    pub(super) fn plan(
        self,
        device: &DevicePlan,
        files: &[FilePlan],
        actors: &[ActorPlan],
        problems: &Problems,
    ) -> Option<Placed> {
        let (schedule, strikes) = (self.schedule?.value, self.strikes?);
        let recorded = self.recorded?.value;
        if schedule.is_some() || !strikes.is_empty() {
            let key = if schedule.is_some() { "schedule" } else { "strikes" };
            refuse_names(&self.names, actors, key, problems);
        }
        let tasks = Tasks::new(actors, files, device.workers);
        let schedule = schedule.map(|switches| schedule::plan(&switches, &tasks, problems));
        let strikes = strikes::plan(&strikes, &tasks, problems);
        let recorded = recorded.map(|recorded| recorded::plan(recorded, &tasks, problems));
        Some(Placed {
            schedule: schedule.map(|read| read.ok_or(())).transpose().ok()?,
            strikes: strikes?,
            recorded: recorded.map(|read| read.ok_or(())).transpose().ok()?,
        })
    }
}

/// What the sentences of a scenario mean.
pub(super) struct Placed {
    /// `schedule`, if it is given.
    pub(super) schedule: Option<Vec<Switch>>,
    /// `strikes`.
    pub(super) strikes: Vec<Strike>,
    /// `recorded`, if it is given.
    pub(super) recorded: Option<Recorded>,
}

/// Reports actors whose names somebody else has, where sentences name tasks. `key` is what holds
/// the sentences.
fn refuse_names(places: &[Option<Place>], actors: &[ActorPlan], key: &str, problems: &Problems) {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for (here, plan) in places.iter().zip(actors) {
        let Some(here) = *here else { continue };
        for name in plan.names() {
            if is_reserved(&name) {
                let message = format!("an actor cannot be named `{name}` beside `{key}`");
                let help =
                    "rename it: the tasks that lay out files and serve the device have such names";
                problems.add(Problem::at(here, message).help(help));
            } else if let Some(first) = seen.insert(name.clone(), here)
                && first != here
            {
                let message = format!("a second actor is named `{name}`");
                let problem = Problem::at(here, message).help("rename one of the two");
                problems.add(problem.second(first, "the first"));
            }
        }
    }
}
