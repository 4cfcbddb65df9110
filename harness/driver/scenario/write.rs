//! A case as a scenario that a person likes to read and to edit: what differs from defaults, one
//! call or sentence a line.

mod calls;
mod scalar;

use super::node::quoted;
use super::plan::{
    ActorPlan, DevicePlan, Expectation, FaultPlan, FilePlan, FilesystemPlan, Layout,
};
use super::plan::{Judge, MmPlan, Plan, Recorded, TargetPlan, Unreadable};
use super::quantity::{show_chance, show_duration, show_size};
use super::tasks::Names;
use super::{schedule, strikes};
use crate::call::Call;
use crate::catalogue;
use block::Limit;
use scalar::{Flow, bytes, folded, item, line, word};
use std::time::Duration;
use stormfs::choices::Choices;

/// Up to here an actor stands on one line with all its calls.
const WIDTH: usize = 100;

/// The text of a case, which reads back as the same plan.
pub fn write(case: &Plan) -> String {
    let mut lines = heading(case);
    lines.push(line("name", &case.name));
    if !case.about.is_empty() {
        lines.extend(folded("about", &case.about, WIDTH));
    }
    if case.seed != 1 {
        lines.push(format!("seed: {:#x}", case.seed));
    }
    if case.step_budget != 1_000_000 {
        lines.push(format!("step_budget: {}", case.step_budget));
    }
    if case.target != TargetPlan::Model {
        lines.push("world: threads".to_owned());
        lines.extend(mapping("target", &target(case)));
    }
    lines.extend(mapping("device", &device(&case.device)));
    lines.extend(mapping("filesystem", &filesystem(&case.filesystem, &case.bugs)));
    lines.push("files:".to_owned());
    lines.extend(case.files.iter().map(|file| format!("  - {}", self::file(file).text())));
    lines.push("actors:".to_owned());
    lines.extend(case.actors.iter().flat_map(|actor| self::actor(actor, &case.files)));
    lines.extend(sentences(case));
    lines.extend(faults(case));
    lines.extend(ending(case));
    lines.join("\n") + "\n"
}

/// A call of `plan`, as an item of `does` without its number.
pub fn call_text(plan: &Plan, call: &Call) -> String {
    calls::call(call, &plan.files, false)
}

/// What failed, and what to do with the file.
fn heading(case: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Expectation::Caught { by, bug } = &case.expect {
        let bug = bug.map_or_else(String::new, |bug| format!(", because of {bug}"));
        lines.push(format!("# Violates {by}{bug}."));
    }
    if let Some(Recorded { from, seed, .. }) = &case.recorded {
        lines.push(format!("# Found with {} under seed {seed:#x}.", quoted(from)));
    }
    let is_of_threads = case.recorded.as_ref().is_some_and(|recorded| !recorded.order.is_empty());
    let uses: &[&str] = if case.is_real_case() {
        &[
            "# Threads did it on a real filesystem: `pagestorm replay FILE` makes these calls again, in",
            "# their order, some times, and says how often it fails.",
        ]
    } else if is_of_threads {
        &[
            "# Threads did it, and do not do it again: these are their last calls.",
            "# `pagestorm replay FILE` looks for the failure in the simulated world.",
        ]
    } else {
        &["# `pagestorm replay FILE` runs it and compares; edit it, and look what is left."]
    };
    lines.extend(uses.iter().map(|line| (*line).to_owned()));
    lines
}

fn mapping(key: &str, keys: &Flow) -> Option<String> {
    (!keys.is_empty()).then(|| format!("{key}: {}", keys.text()))
}

/// The schedule and the strikes.
fn sentences(case: &Plan) -> Vec<String> {
    let names = Names::of(case);
    let mut lines = Vec::new();
    match case.schedule.as_deref() {
        None => {}
        Some([]) => lines.push("schedule: []".to_owned()),
        Some(switches) => {
            lines.push("schedule:".to_owned());
            let sentence = |switch| item(&schedule::sentence(&names, switch));
            lines.extend(switches.iter().map(sentence));
        }
    }
    if !case.strikes.is_empty() {
        lines.push("strikes:".to_owned());
    }
    let sentence = |strike| item(&strikes::sentence(&names, strike));
    lines.extend(case.strikes.iter().map(sentence));
    lines
}

fn ending(case: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if case.judge != Judge::Everything {
        lines.push(format!("judge: {}", case.judge.name()));
    }
    if !case.bugs.is_empty() {
        lines.push(format!("bugs: [{}]", case.bugs.join(", ")));
    }
    if let Expectation::Caught { by, bug } = &case.expect {
        let mut caught = Flow::default();
        caught.put("by", word(by));
        caught.put_some("bug", bug.map(word));
        lines.push(format!("expect: {{caught: {}}}", caught.text()));
    }
    lines.extend(case.recorded.iter().flat_map(|recorded| self::recorded(case, recorded)));
    lines
}

fn recorded(case: &Plan, recorded: &Recorded) -> Vec<String> {
    let Recorded { version, from, seed, trace_hash, points, order } = recorded;
    let mut lines = vec!["recorded:".to_owned()];
    lines.push(format!("  {}", line("version", version)));
    lines.push(format!("  {}", line("from", from)));
    lines.push(format!("  seed: {seed:#x}"));
    if order.is_empty() {
        lines.push(format!("  trace: {trace_hash:#018x}"));
        lines.push(format!("  points: {points}"));
    } else {
        let names = Names::of(case);
        lines.push("  order:".to_owned());
        let turn = |turn| format!("  {}", item(&super::recorded::sentence(&names, turn)));
        lines.extend(order.iter().map(turn));
    }
    lines
}

/// Faults that strike by chance, which only what threads left has.
fn faults(case: &Plan) -> Vec<String> {
    if case.faults.is_empty() {
        return Vec::new();
    }
    let fault = |fault: &FaultPlan| format!("  - {}", self::fault(fault));
    std::iter::once("faults:".to_owned()).chain(case.faults.iter().map(fault)).collect()
}

fn fault(fault: &FaultPlan) -> String {
    let mut keys = Flow::default();
    let (name, chance_ppm) = match *fault {
        FaultPlan::ShortCopy { chance_ppm, persistent_ppm, by } => {
            keys.put("persistent", show_chance(persistent_ppm));
            if by != Unreadable::Any {
                keys.put("by", by.name());
            }
            ("short_copy", chance_ppm)
        }
        FaultPlan::AbandonedFault { chance_ppm } => ("abandoned_fault", chance_ppm),
        FaultPlan::IoError { on, chance_ppm } => {
            keys.put("on", on.name());
            ("io_error", chance_ppm)
        }
        FaultPlan::Evict { chance_ppm } => ("evict", chance_ppm),
        FaultPlan::Delay { at, chance_ppm, length, limit } => {
            keys.put("at", at.name());
            keys.put("for", show_duration(length));
            bounds(&mut keys, limit);
            ("delay", chance_ppm)
        }
        FaultPlan::Latency { chance_ppm, length, limit } => {
            keys.put("for", show_duration(length));
            bounds(&mut keys, limit);
            ("latency", chance_ppm)
        }
    };
    keys.put("chance", show_chance(chance_ppm));
    format!("{name}: {}", keys.text())
}

fn bounds(keys: &mut Flow, limit: Limit) {
    if let Some(after) = limit.after {
        keys.put("after", show_duration(after));
    }
    if let Some(times) = limit.times {
        keys.put("times", times);
    }
}

fn target(case: &Plan) -> Flow {
    let mut keys = Flow::default();
    match &case.target {
        TargetPlan::Model => {}
        TargetPlan::Directory(path) => keys.put("directory", text(&path.to_string_lossy())),
        TargetPlan::Kernel(spec) => {
            keys.put("kernel", spec.kind.name());
            if !spec.mkfs.is_empty() {
                let all: Vec<_> = spec.mkfs.iter().map(|argument| text(argument)).collect();
                keys.put("mkfs", format!("[{}]", all.join(", ")));
            }
            if !spec.mount.is_empty() {
                keys.put("mount", text(&spec.mount));
            }
            if spec.size != spec.kind.image_size() {
                keys.put("size", bytes(spec.size));
            }
            keys.put_some("image", spec.image.as_ref().map(|path| text(&path.to_string_lossy())));
        }
    }
    if case.descriptors != 1 {
        keys.put("descriptors", case.descriptors);
    }
    if case.mm == MmPlan::Own {
        keys.put("mm", "own");
    }
    keys.put_some("memory", case.memory.map(bytes));
    keys
}

/// Any text as a scalar: what JSON quotes, YAML reads.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn device(device: &DevicePlan) -> Flow {
    let DevicePlan { kind: _, workers, size, latency_min, latency_max } = *device;
    let mut keys = Flow::default();
    if size != 64 << 20 {
        keys.put("size", show_size(size));
    }
    if workers != 2 {
        keys.put("workers", workers);
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
            let departures = choices.departures();
            let departure = departures.iter().find(|(name, _)| *name == decision.name);
            departure.map_or(decision.values[0].0, |(_, value)| *value)
        };
        if of(&base) != of(&choices) {
            keys.put(decision.name, word(of(&choices)));
        }
    }
    keys
}

fn file(file: &FilePlan) -> Flow {
    let mut keys = Flow::default();
    keys.put("name", word(&file.name));
    keys.put("size", bytes(file.size));
    if file.layout != Layout::Hole {
        keys.put("layout", file.layout.name());
    }
    keys
}

/// An actor on one line, or its calls on one line each, numbered so that one can be taken out.
fn actor(actor: &ActorPlan, files: &[FilePlan]) -> Vec<String> {
    let mut keys = Flow::default();
    keys.put("name", word(&actor.name));
    if actor.count != 1 {
        keys.put("count", actor.count);
    }
    if !actor.pause.is_zero() {
        keys.put("pause", show_duration(actor.pause));
    }
    if let Some(rate) = actor.rate {
        keys.put("rate", format!("{rate}/s"));
    }
    if let Some(line) = on_one_line(actor, files, keys.clone()) {
        return vec![line];
    }
    let calls = actor.does.iter().map(|call| calls::call(call, files, true));
    let first = keys.entries().iter().zip(["  - "].into_iter().chain(std::iter::repeat("    ")));
    let mut lines: Vec<_> = first.map(|(key, indent)| format!("{indent}{key}")).collect();
    lines.push("    does:".to_owned());
    lines.extend(calls.map(|call| format!("      - {call}")));
    lines
}

/// The actor with the keys that it has beside `does`, if it is short.
fn on_one_line(actor: &ActorPlan, files: &[FilePlan], mut keys: Flow) -> Option<String> {
    // No call is shorter than `sync`.
    if WIDTH / 4 < actor.does.len() {
        return None;
    }
    let before = actor.does.iter().map(|call| call.number);
    let before = std::iter::once(0).chain(before);
    let calls = actor.does.iter().zip(before);
    let calls = calls.map(|(call, before)| calls::call(call, files, call.number != before + 1));
    keys.put("does", format!("[{}]", calls.collect::<Vec<_>>().join(", ")));
    let line = format!("  - {}", keys.text());
    (line.len() <= WIDTH).then_some(line)
}
