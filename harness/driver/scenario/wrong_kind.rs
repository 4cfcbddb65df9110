//! Files that a command cannot take: what they are, and what takes them.

use super::diagnose::Report;
use super::load::at_key;
use super::node::{Node, Value};
use super::plan::{ActorPlan, Plan, TargetPlan};
use super::yaml;

/// A command that takes some files only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `replay`.
    Replay,
    /// `replay --target`.
    ReplayElsewhere,
    /// `shrink`.
    Shrink,
    /// `explain`.
    Explain,
    /// `export`.
    Export,
}

/// What a scenario is, to those who want no chance in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Something is drawn.
    Drawn,
    /// Steps lead the model.
    Script,
    /// Steps lead a real filesystem.
    RealScript,
    /// What threads of the model left.
    OfThreads,
    /// What threads left on a real filesystem.
    RealCase,
}

fn sort(plan: &Plan) -> Sort {
    let lists = plan.actors.iter().all(|actor: &ActorPlan| !actor.does.is_empty());
    let is_real = plan.target != TargetPlan::Model;
    let ordered = plan.recorded.as_ref().is_some_and(|recorded| !recorded.order.is_empty());
    match is_real {
        _ if !lists || plan.variations.is_some() => Sort::Drawn,
        false if !plan.script.is_empty() => Sort::Script,
        true if !plan.script.is_empty() => Sort::RealScript,
        true => Sort::RealCase,
        false if ordered => Sort::OfThreads,
        false => Sort::Drawn,
    }
}

/// Says why a scenario, which was read without a mistake, is nothing for this command, and what to do
/// instead, where that can be seen best.
pub fn not_for(command: Command, (name, text): (&str, &str), plan: &Plan) -> Report {
    let sort = sort(plan);
    let (message, help) = told(command, sort);
    let told = (message.to_owned(), help.to_owned());
    match sort {
        Sort::Drawn => left_to_chance(name, text, told),
        Sort::Script | Sort::RealScript => at_key(name, text, &[], ("script", ""), told),
        Sort::OfThreads => at_key(name, text, &[], ("recorded", ""), told),
        Sort::RealCase => at_key(name, text, &[], ("target", ""), told),
    }
}

fn told(command: Command, sort: Sort) -> (&'static str, &'static str) {
    use Command::{Explain, ReplayElsewhere, Shrink};
    match (sort, command) {
        (Sort::Drawn, ReplayElsewhere) => (
            "this is no case and no script: what happens is left to chance",
            "`pagestorm run --target` storms a real filesystem with it",
        ),
        (Sort::Drawn, _) => (
            "this is no case: what happens is left to chance",
            "`pagestorm run` writes a case for each storm that fails",
        ),
        (Sort::Script, _) => (
            "this is a script, and no case: nothing is recorded",
            "`pagestorm run` follows it and writes a case if it fails, `pagestorm explain` tells its \
             story, and `pagestorm replay --target` leads it through a real filesystem",
        ),
        (Sort::RealScript, Explain) => (
            "this is a script for a real filesystem: only what the model does can be explained",
            "remove `target` and `world`: then the model takes the same steps",
        ),
        (Sort::RealScript, _) => (
            "this is a script for a real filesystem, and no case: nothing is recorded",
            "`pagestorm run` follows it there, and `pagestorm replay --target` on another",
        ),
        (Sort::OfThreads, _) => (
            "threads have left this: no schedule says who went on",
            "`pagestorm replay` looks for one in the simulated world, and writes a case that can be \
             explained and made smaller",
        ),
        (Sort::RealCase, Explain | Shrink) => (
            "threads have left this on a real filesystem: nobody knows when which of them passed what",
            "`pagestorm replay` runs it again and says how often it fails, `pagestorm shrink` makes it \
             smaller, and `pagestorm export` writes it as a C file",
        ),
        (Sort::RealCase, _) => (
            "threads have left this on a real filesystem",
            "`pagestorm replay` runs it again and says how often it fails",
        ),
    }
}

/// The first place that leaves something to chance.
fn left_to_chance(name: &str, text: &str, told: (String, String)) -> Report {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(tree) = yaml::tree(text) else { return Report::of_file(name, told.0, told.1) };
    let draws = |node: &Node| {
        let Value::List(actors) = &node.value else { return None };
        actors.iter().find_map(|actor| Some(actor.entry("ops")?.value.place))
    };
    let root = &tree.root;
    let actors = || root.entry("actors").map(|actors| &actors.value);
    let chance = ["strategy", "faults", "vary"].iter().find_map(|key| root.entry(key));
    let place = actors().and_then(draws).or_else(|| chance.map(|entry| entry.value.place));
    let place = place.or_else(|| actors().map(|actors| actors.place));
    Report::of_place(name, text, root, place, told)
}

/// How files begin that are no scenarios, with what they are and what takes them.
const BEGINNINGS: &[(&str, &str, &str)] = &[
    ("<!doctype html", "the page of a report", "name the scenario, or a case in `failures/`"),
    ("<?xml", "the tests of a run, for CI engines", "name the scenario, or a case in `failures/`"),
    ("/*", "a program in C", "name the case of which `pagestorm export` made it"),
    ("#include", "a program in C", "name the case of which `pagestorm export` made it"),
];

/// Keys that no scenario has, of files in JSON.
const KEYS: &[(&[&str], &str, &str)] = &[
    (
        &["verdict", "campaign"],
        "the record of a night",
        "`pagestorm report` makes its page again, and its cases are in `failures/` beside it",
    ),
    (
        &["verdict", "counts"],
        "the record of a run",
        "`pagestorm report` makes its page again, and its cases are in `failures/` beside it",
    ),
    (
        &["traceEvents"],
        "the trace of a case, for Perfetto",
        "name the case beside it, which ends in `.yaml`",
    ),
    (&["$schema", "properties"], "a schema, for editors", "name a scenario"),
];

/// What a text is that begins as no scenario does, and what takes it.
pub(super) fn stranger_text(text: &str) -> Option<(String, String)> {
    let begins = |with: &str| {
        text.trim_start().get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let (_, what, help) = BEGINNINGS.iter().find(|(with, ..)| begins(with))?;
    Some((format!("this is {what}, and no scenario"), (*help).to_owned()))
}

/// The same of a tree with keys that no scenario has.
pub(super) fn stranger(root: &Node) -> Option<(String, String)> {
    let has = |keys: &[&str]| keys.iter().all(|key| root.entry(key).is_some());
    let (_, what, help) = KEYS.iter().find(|(keys, ..)| has(keys))?;
    Some((format!("this is {what}, and no scenario"), (*help).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    const LIST: &str = "actors: [{name: a, does: [fsync]}]\n";

    #[test]
    fn each_file_is_told_what_it_is_and_what_takes_it() {
        let real = format!("world: threads\ntarget: {{directory: /tmp}}\n{LIST}");
        let table: &[(Command, String, &str, &str)] = &[
            (
                Command::Replay,
                LIST.replace("does: [fsync]", "ops: {write: 1}"),
                "1:25: ",
                "to chance",
            ),
            (Command::Replay, format!("{LIST}script: [run a]\n"), "2:1: ", "pagestorm explain"),
            (Command::Shrink, format!("{LIST}script: [run a]\n"), "2:1: ", "writes a case"),
            (Command::Explain, real.clone(), "2:1: ", "`pagestorm export`"),
            (Command::Explain, format!("{real}script: [run a]\n"), "4:1: ", "remove `target`"),
            (Command::ReplayElsewhere, LIST.to_owned(), "1:9: ", "run --target"),
        ];
        for (command, text, place, told) in table {
            let plan =
                parse("a", text, &Known::default(), &[]).unwrap_or_else(|why| panic!("{why}"));
            let report = not_for(*command, ("a", text), &plan);
            let line = report.lines().next().unwrap();
            assert!(line.starts_with(&format!("a:{place}")) && line.contains(told), "{line}");
        }
    }

    #[test]
    fn other_files_are_recognised() {
        for (text, what) in [
            ("<!DOCTYPE html>\n<html>", "the page of a report"),
            ("/* Shows a fault.\n */\nint main(void) {}", "a program in C"),
            ("{\"schema\": 2, \"verdict\": {}, \"counts\": {}}", "the record of a run"),
            ("{\"verdict\": {}, \"campaign\": {}}", "the record of a night"),
            ("{\"traceEvents\": []}", "the trace of a case"),
        ] {
            let report = parse("a", text, &Known::default(), &[]).unwrap_err();
            let line = report.lines().next().unwrap();
            assert!(line.contains(&format!("this is {what}")), "{line}");
            assert_eq!(report.lines().count(), 1, "{report}");
        }
    }
}
