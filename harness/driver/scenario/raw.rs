//! The first stage: a scenario as it was written, each value in range by itself.
//!
//! Whether the values make sense together is for `meaning` to say.

use super::actors::{RawActor, actors};
use super::fields::{Chosen, Fields, Given, Read};
use super::format::SCENARIO;
use super::keys::{Key, Kind, decisions};
use super::load::Known;
use super::node::{Entry, Node, Place, Value, quoted};
use super::plan::{
    DeviceKind, ExhaustivePlan, Expectation, FaultPlan, Judge, Layout, StrategyPlan, WorldKind,
};
use super::problem::{Problem, Problems};
use super::recorded::{self, RawRecorded};
use super::suggest::{bug_help, did_you_mean};
use super::target::{self, RawTarget};
use super::values::{self, Complaint, Taken, wrong_type};
use crate::catalogue::Bug;
use block::Limit;
use std::time::Duration;
use stormfs::choices::Choices;

/// The outermost mapping.
pub(super) struct RawScenario {
    pub(super) name: Read<Option<String>>,
    pub(super) about: Read<String>,
    pub(super) world: Read<WorldKind>,
    pub(super) seed: Read<u64>,
    pub(super) seeds: Read<Option<u64>>,
    pub(super) ops: Read<Option<u64>>,
    pub(super) time: Read<Option<Duration>>,
    pub(super) strategy: Read<Option<StrategyPlan>>,
    pub(super) swarm: Read<Option<bool>>,
    pub(super) step_budget: Read<u64>,
    pub(super) target: Option<RawTarget>,
    pub(super) device: Option<RawDevice>,
    pub(super) filesystem: Option<RawFilesystem>,
    pub(super) files: Option<Vec<RawFile>>,
    pub(super) actors: Option<Vec<RawActor>>,
    pub(super) script: Option<Vec<Read<String>>>,
    pub(super) schedule: Read<Option<Vec<Read<String>>>>,
    pub(super) faults: Read<Vec<FaultPlan>>,
    /// Where each of them stands.
    pub(super) fault_places: Vec<Place>,
    pub(super) strikes: Option<Vec<Read<String>>>,
    pub(super) recorded: Read<Option<RawRecorded>>,
    pub(super) judge: Read<Judge>,
    pub(super) bugs: Option<Vec<Given<&'static Bug>>>,
    pub(super) expect: Read<Expectation>,
}

/// Where the blocks live.
pub(super) struct RawDevice {
    pub(super) kind: Read<DeviceKind>,
    pub(super) workers: Read<u64>,
    pub(super) size: Read<u64>,
    pub(super) latency_min: Read<Duration>,
    pub(super) latency_max: Read<Option<Duration>>,
}

/// The filesystem under test.
pub(super) struct RawFilesystem {
    pub(super) block_size: Read<u64>,
    pub(super) max_folio: Read<u64>,
    pub(super) preset: Read<Option<&'static str>>,
    pub(super) choices: Option<Choices>,
    /// The decisions that were written, each with its value.
    pub(super) written: Vec<(&'static str, Given<String>)>,
}

/// A file that exists when the run begins.
pub(super) struct RawFile {
    pub(super) name: Read<String>,
    pub(super) size: Read<u64>,
    pub(super) layout: Read<Layout>,
}

/// Reads the whole tree. `None`: it is not even a mapping.
pub(super) fn scenario(root: &Node, known: &Known<'_>, problems: &Problems) -> Option<RawScenario> {
    let fields = Fields::open(root, &SCENARIO, problems)?;
    Some(RawScenario {
        name: fields.maybe("name", values::name),
        about: fields.read("about", values::prose),
        world: fields.word("world"),
        seed: fields.read("seed", values::seed),
        seeds: fields.maybe("seeds", values::number),
        ops: fields.maybe("ops", values::number),
        time: fields.maybe("time", values::duration),
        strategy: strategy(&fields),
        swarm: fields.maybe("swarm", values::flag),
        step_budget: fields.number("step_budget"),
        target: fields.mapping("target").map(|target| target::raw(&fields, &target)),
        device: fields.mapping("device").as_ref().map(device),
        filesystem: fields.mapping("filesystem").as_ref().map(filesystem),
        files: files(&fields),
        actors: actors(&fields),
        script: fields.sentences("script"),
        schedule: schedule(&fields),
        faults: faults(&fields),
        fault_places: fields.given("faults").map_or_else(Vec::new, places),
        strikes: fields.sentences("strikes"),
        recorded: recorded::recorded(&fields),
        judge: fields.word("judge"),
        bugs: bugs(&fields, known),
        expect: expect(&fields, known),
    })
}

fn strategy(fields: &Fields<'_>) -> Read<Option<StrategyPlan>> {
    let Given { value, place } = fields.either("strategy")?;
    let strategy = match value {
        None => return Some(Given { value: None, place }),
        Some(Chosen::Word(word)) => {
            StrategyPlan::named(&word).expect("the table has no word that is no strategy")
        }
        Some(Chosen::Mapping("exhaustive", keys)) => StrategyPlan::Exhaustive(exhaustive(&keys)?),
        Some(Chosen::Mapping(_, pct)) => {
            let depth = u32::try_from(pct.number("depth")?.value);
            StrategyPlan::Pct { depth: Some(depth.expect("the table bounds it by 16")) }
        }
    };
    Some(Given { value: Some(strategy), place })
}

fn exhaustive(fields: &Fields<'_>) -> Option<ExhaustivePlan> {
    let preemptions = fields.number("preemptions");
    let (faults, limit) = (fields.number("faults"), fields.number("limit"));
    let narrow = |number: u64| u32::try_from(number).expect("the table bounds it by 16");
    let (preemptions, faults) = (narrow(preemptions?.value), narrow(faults?.value));
    Some(ExhaustivePlan { preemptions, faults, limit: limit?.value })
}

fn device(fields: &Fields<'_>) -> RawDevice {
    let latency = fields.mapping("latency");
    RawDevice {
        kind: fields.word("kind"),
        workers: fields.number("workers"),
        size: fields.size("size"),
        latency_min: latency.as_ref().and_then(|latency| latency.duration("min")),
        latency_max: latency.as_ref().and_then(|latency| latency.maybe("max", values::duration)),
    }
}

fn filesystem(fields: &Fields<'_>) -> RawFilesystem {
    let preset = fields.maybe("preset", preset);
    let mut choices = preset.as_ref().map(|preset| match preset.value {
        Some(name) => Choices::preset(name).expect("the name is one of the presets"),
        None => Choices::default(),
    });
    let mut written = Vec::new();
    for key in decisions() {
        let Kind::Words(words) = key.kind else { unreachable!("a decision takes a word") };
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let given = fields.maybe(key.name, |node, key| values::word(node, key, &words));
        choices = choices.zip(given).map(|(mut choices, given)| {
            if let Some(value) = given.value {
                let known = choices.set(key.name, &value);
                assert!(known, "the filesystem knows its own decisions");
                written.push((key.name, Given { value, place: given.place }));
            }
            choices
        });
    }
    RawFilesystem {
        block_size: fields.size("block_size"),
        max_folio: fields.size("max_folio"),
        preset,
        choices,
        written,
    }
}

fn preset(node: &Node, key: &Key) -> Taken<&'static str> {
    let names: Vec<_> = Choices::PRESETS.iter().map(|preset| preset.name).collect();
    let found = values::word(node, key, &names)?;
    let known = names.into_iter().find(|name| *name == found);
    Ok(known.expect("`word` takes one of the names"))
}

fn files(fields: &Fields<'_>) -> Option<Vec<RawFile>> {
    let (shape, items) = fields.list("files")?;
    let open = |node| {
        let file = Fields::open(node, shape, fields.problems())?;
        Some(RawFile {
            name: file.read("name", values::name),
            size: file.size("size"),
            layout: file.word("layout"),
        })
    };
    Some(items.iter().filter_map(open).collect())
}

fn schedule(fields: &Fields<'_>) -> Read<Option<Vec<Read<String>>>> {
    let sentences = fields.sentences("schedule")?;
    let given = fields.given("schedule");
    let place = given.map_or(fields.place, |entry| entry.key.place);
    Some(Given { value: given.map(|_| sentences), place })
}

fn faults(fields: &Fields<'_>) -> Read<Vec<FaultPlan>> {
    let faults = fields.variants("faults")?.into_iter();
    let read: Vec<_> =
        faults.map(|item| item.and_then(|(name, keys)| fault(name, &keys))).collect();
    let value = read.into_iter().collect::<Option<_>>()?;
    let place = fields.given("faults").map_or(fields.place, |entry| entry.key.place);
    Some(Given { value, place })
}

/// Where the items of a list stand.
fn places(entry: &Entry) -> Vec<Place> {
    let Value::List(items) = &entry.value.value else { return Vec::new() };
    let key = |item: &Node| {
        let Value::Mapping(keys) = &item.value else { return item.place };
        keys.first().map_or(item.place, |entry| entry.key.place)
    };
    items.iter().map(key).collect()
}

fn fault(name: &str, fields: &Fields<'_>) -> Option<FaultPlan> {
    let chance = fields.chance("chance");
    let chance_ppm = chance.map(|chance| chance.value);
    match name {
        "short_copy" => {
            let persistent_ppm = fields.chance("persistent").map(|chance| chance.value);
            let by = fields.word("by").map(|by| by.value);
            let (chance_ppm, persistent_ppm) = (chance_ppm?, persistent_ppm?);
            Some(FaultPlan::ShortCopy { chance_ppm, persistent_ppm, by: by? })
        }
        "abandoned_fault" => Some(FaultPlan::AbandonedFault { chance_ppm: chance_ppm? }),
        "io_error" => {
            let on = fields.word("on");
            Some(FaultPlan::IoError { on: on?.value, chance_ppm: chance_ppm? })
        }
        "evict" => Some(FaultPlan::Evict { chance_ppm: chance_ppm? }),
        "delay" => {
            let (at, length) = (fields.word("at"), fields.duration("for"));
            let (at, length, limit) = (at?.value, length?.value, limit(fields)?);
            Some(FaultPlan::Delay { at, chance_ppm: chance_ppm?, length, limit })
        }
        "latency" => {
            let length = fields.duration("for")?.value;
            let limit = limit(fields)?;
            Some(FaultPlan::Latency { chance_ppm: chance_ppm?, length, limit })
        }
        _ => unreachable!("the table has no other fault"),
    }
}

/// From when on a fault strikes, and how often.
fn limit(fields: &Fields<'_>) -> Option<Limit> {
    let (after, times) =
        (fields.maybe("after", values::duration), fields.maybe("times", values::number));
    Some(Limit { after: after?.value, times: times?.value })
}

fn bugs(fields: &Fields<'_>, known: &Known<'_>) -> Option<Vec<Given<&'static Bug>>> {
    let items = fields.items("bugs", 0, 64)?;
    let mut bugs: Vec<Given<&'static Bug>> = Vec::new();
    let mut good = true;
    for node in items {
        let problem = match bug(node, known) {
            Err(complaint) => Problem::at(node.place, complaint.message).help(complaint.help),
            Ok(bug) if bugs.iter().any(|other| other.value.id == bug.id) => {
                Problem::at(node.place, format!("bug {} is listed twice", quoted(bug.id)))
                    .help("remove one of the two")
            }
            Ok(value) => {
                bugs.push(Given { value, place: node.place });
                continue;
            }
        };
        good = false;
        fields.report(problem);
    }
    good.then_some(bugs)
}

fn bug(node: &Node, known: &Known<'_>) -> Taken<&'static Bug> {
    let id = node.word();
    if let Some(bug) = known.bugs.iter().find(|bug| bug.id == id) {
        return Ok(bug);
    }
    let ids: Vec<_> = known.bugs.iter().map(|bug| bug.id).collect();
    let help = if ids.is_empty() {
        "no bug is known; leave `bugs` empty".to_owned()
    } else {
        bug_help(&id, &ids)
    };
    Err(Complaint { message: format!("unknown bug {}", quoted(&id)), help })
}

fn expect(fields: &Fields<'_>, known: &Known<'_>) -> Read<Expectation> {
    let Given { value, place } = fields.either("expect")?;
    let value = match value {
        None | Some(Chosen::Word(_)) => Expectation::Clean,
        Some(Chosen::Mapping(_, caught)) => {
            let by = caught.read("by", |node, key| invariant(node, key, known));
            let bug = caught.maybe("bug", |node, _| bug(node, known));
            let (by, bug) = (by?.value, bug?);
            // A bug that cannot be caught is reported where it is named.
            let place = if bug.value.is_some() { bug.place } else { place };
            let bug = bug.value.map(|bug| bug.id);
            return Some(Given { value: Expectation::Caught { by, bug }, place });
        }
    };
    Some(Given { value, place })
}

fn invariant(node: &Node, key: &Key, known: &Known<'_>) -> Taken<String> {
    let Value::Text(name) = &node.value else {
        return Err(wrong_type(node, key, "the name of an invariant", "write its name"));
    };
    if known.invariants.contains(&name.as_str()) {
        return Ok(name.clone());
    }
    let help = if known.invariants.is_empty() {
        "no invariant is known".to_owned()
    } else {
        did_you_mean(name, known.invariants)
    };
    Err(Complaint { message: format!("unknown invariant {}", quoted(name)), help })
}
