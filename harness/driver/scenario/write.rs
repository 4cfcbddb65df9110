//! A case as a scenario that a person likes to read and to edit: what differs from defaults, one
//! call or sentence a line.

mod calls;
mod scalar;

use super::plan::{ActorPlan, DevicePlan, Expectation, FilePlan, FilesystemPlan, Layout, Plan};
use super::plan::{Judge, Recorded};
use super::node::quoted;
use super::quantity::{show_duration, show_size};
use super::tasks::Names;
use super::{schedule, strikes};
use crate::catalogue;
use scalar::{Flow, item, line, word};
use std::time::Duration;
use stormfs::choices::Choices;

/// Up to here an actor stands on one line with all its calls.
const WIDTH: usize = 100;

/// The text of a case, which reads back as the same plan.
pub fn write(case: &Plan) -> String {
    let names = Names::of(case);
    let mut text = heading(case);
    text += &line("name", &case.name);
    if !case.about.is_empty() {
        text += &line("about", &case.about);
    }
    if case.seed != 1 {
        text += &format!("seed: {:#x}\n", case.seed);
    }
    if case.step_budget != 1_000_000 {
        text += &format!("step_budget: {}\n", case.step_budget);
    }
    text += &block("device", &device(&case.device));
    text += &block("filesystem", &filesystem(&case.filesystem, &case.bugs));
    text += "files:\n";
    for file in &case.files {
        text += &format!("  - {}\n", self::file(file).text());
    }
    text += "actors:\n";
    for actor in &case.actors {
        text += &self::actor(actor, &case.files);
    }
    text += &sentences("schedule", case.schedule.as_ref().map(|switches| {
        switches.iter().map(|switch| schedule::sentence(&names, switch)).collect()
    }));
    let strikes = case.strikes.iter().map(|strike| strikes::sentence(&names, strike));
    text += &sentences("strikes", (!case.strikes.is_empty()).then(|| strikes.collect()));
    text + &ending(case)
}

/// What failed, and what to do with the file.
fn heading(case: &Plan) -> String {
    let mut text = String::new();
    if let Expectation::Caught { by, bug } = &case.expect {
        let bug = bug.map_or_else(String::new, |bug| format!(", because of {bug}"));
        text += &format!("# Violates {by}{bug}.\n");
    }
    if let Some(Recorded { from, seed, .. }) = &case.recorded {
        text += &format!("# Found with {} under seed {seed:#x}.\n", quoted(from).replace('`', ""));
    }
    text + "# `pagestorm replay FILE` runs it and compares; edit it, and see what is left of the failure.\n"
}

fn ending(case: &Plan) -> String {
    let mut text = String::new();
    if case.judge != Judge::Everything {
        text += &format!("judge: {}\n", case.judge.name());
    }
    if !case.bugs.is_empty() {
        text += &format!("bugs: [{}]\n", case.bugs.join(", "));
    }
    if let Expectation::Caught { by, bug } = &case.expect {
        let mut caught = Flow::default();
        caught.put("by", word(by));
        caught.put_some("bug", bug.map(word));
        text += &format!("expect: {{caught: {}}}\n", caught.text());
    }
    if let Some(Recorded { version, from, seed, trace_hash, points }) = &case.recorded {
        text += "recorded:\n";
        text += &format!("  {}", line("version", version));
        text += &format!("  {}", line("from", from));
        text += &format!("  seed: {seed:#x}\n  trace: {trace_hash:#x}\n  points: {points}\n");
    }
    text
}

fn block(key: &str, keys: &Flow) -> String {
    if keys.is_empty() { String::new() } else { format!("{key}: {}\n", keys.text()) }
}

fn sentences(key: &str, sentences: Option<Vec<String>>) -> String {
    match sentences {
        None => String::new(),
        Some(none) if none.is_empty() => format!("{key}: []\n"),
        Some(some) => {
            let lines: String = some.iter().map(|sentence| item(sentence)).collect();
            format!("{key}:\n{lines}")
        }
    }
}

fn device(device: &DevicePlan) -> Flow {
    let DevicePlan { kind: _, workers, size, latency_min, latency_max } = *device;
    let mut keys = Flow::default();
    if size != 64 << 20 {
        keys.put("size", show_size(size));
    }
    if workers != 2 {
        keys.put("workers", workers.to_string());
    }
    let mut latency = Flow::default();
    if latency_min != Duration::ZERO {
        latency.put("min", show_duration(latency_min));
    }
    if latency_max != latency_min {
        latency.put("max", show_duration(latency_max));
    }
    if !latency.is_empty() {
        keys.put("latency", latency.text());
    }
    keys
}

/// The geometry, and the decisions that neither the preset nor the bugs set.
fn filesystem(filesystem: &FilesystemPlan, bugs: &[&'static str]) -> Flow {
    let FilesystemPlan { block_size, max_folio, preset, choices } = *filesystem;
    let mut keys = Flow::default();
    if block_size != 4 << 10 {
        keys.put("block_size", show_size(block_size));
    }
    if max_folio != 64 << 10 {
        keys.put("max_folio", show_size(max_folio));
    }
    keys.put_some("preset", preset.map(word));
    let mut base = preset.and_then(Choices::preset).unwrap_or_default();
    for bug in catalogue::all().filter(|bug| bugs.contains(&bug.id)) {
        for (decision, value) in bug.sets {
            let known = base.set(decision, value);
            assert!(known, "the catalogue knows the filesystem's decisions");
        }
    }
    for decision in Choices::DECISIONS {
        let of = |choices: &Choices| {
            let departure = choices.departures().into_iter().find(|(name, _)| *name == decision.name);
            departure.map_or(decision.values[0].0, |(_, value)| value)
        };
        if of(&base) != of(&choices) {
            keys.put(decision.name, of(&choices).to_owned());
        }
    }
    keys
}

fn file(file: &FilePlan) -> Flow {
    let mut keys = Flow::default();
    keys.put("name", word(&file.name));
    keys.put("size", show_size(file.size));
    if file.layout != Layout::Hole {
        keys.put("layout", file.layout.name().to_owned());
    }
    keys
}

/// An actor on one line, or its calls on one line each, numbered so that one can be taken out.
fn actor(actor: &ActorPlan, files: &[FilePlan]) -> String {
    let mut keys = Flow::default();
    keys.put("name", word(&actor.name));
    if actor.count != 1 {
        keys.put("count", actor.count.to_string());
    }
    if !actor.pause.is_zero() {
        keys.put("pause", show_duration(actor.pause));
    }
    let mut before = 0;
    let short = |call| {
        let text = calls::call(call, files, call.number != before + 1);
        before = call.number;
        text
    };
    let few: Vec<_> = actor.does.iter().take(WIDTH / 2).map(short).collect();
    let mut whole = keys.clone();
    whole.put("does", format!("[{}]", few.join(", ")));
    let whole = format!("  - {}\n", whole.text());
    if few.len() == actor.does.len() && whole.len() <= WIDTH {
        return whole;
    }
    let lines = actor.does.iter().map(|call| format!("      - {}\n", calls::call(call, files, true)));
    let lines: String = lines.collect();
    format!("  - {}\n    does:\n{lines}", keys.entries().join("\n    "))
}
