//! `check`: reads scenarios, and tells what is wrong with them.

use crate::console::Console;
use crate::exit::Exit;
use crate::scenario::plan::{ActorPlan, Plan, WorldKind};
use crate::scenario::{directory_of, load, overrides_for};
use crate::vocabulary;
use mounted::{Refusal, lent};
use report::number::counted;
use report::visible;
use std::path::{Path, PathBuf};
use stormfs::quantity::wide;

/// Reads every file, as `run` with that target would; one line for each that is well, every mistake of each
/// that is not.
pub fn check(files: &[PathBuf], target: Option<&str>, console: Console) -> Exit {
    let overrides = target.map(|target| overrides_for(target).expect("it was read before"));
    let overrides = overrides.unwrap_or_default();
    let mut exit = target.and_then(directory_of).map_or(Exit::Ok, |path| is_there(path, console));
    for file in files {
        exit = exit.max(match load(file, &vocabulary::known(), &overrides) {
            Ok(plan) => {
                let name = file.display().to_string();
                console.print(&format!("{}: {}\n", visible::line(&name), described(&plan)))
            }
            Err(report) => {
                console.raw(&report.render(console.styled));
                Exit::Usage
            }
        });
    }
    exit
}

/// Whether a directory that is to be a target is one. No scenario can tell, as none of them is run.
fn is_there(path: &Path, console: Console) -> Exit {
    match lent::directory(path) {
        Ok(_) => Exit::Ok,
        Err(refusal) => missing(&refusal, console),
    }
}

/// Tells of a directory that cannot be had.
pub(super) fn missing(refusal: &Refusal, console: Console) -> Exit {
    let Refusal { tried, came, advice, .. } = refusal;
    console.warn(&format!("error: {tried}: {came}\n  = help: {advice}"));
    Exit::Environment
}

/// The plan's size in a few words.
fn described(plan: &Plan) -> String {
    let ops = operations(plan).map(|ops| format!("{ops} operations"));
    let extent = match plan.world {
        WorldKind::Simulated if !plan.script.is_empty() => {
            let ops = ops.unwrap_or_default();
            format!("a script of {}, {ops}", counted(wide(plan.script.len()), "step"))
        }
        WorldKind::Simulated if plan.schedule.is_some() => {
            let ops = ops.unwrap_or_default();
            format!("a schedule of {}, {ops}", switches(plan))
        }
        WorldKind::Simulated => {
            format!("{} seeds, {} each", plan.seeds, ops.unwrap_or_default())
        }
        WorldKind::Threads => {
            let time = plan.time.map(|time| format!("{time:?}"));
            [ops, time].into_iter().flatten().collect::<Vec<_>>().join(" or ")
        }
    };
    let actors: u32 = plan.actors.iter().map(|actor| actor.count).sum();
    let varied = plan.variations.as_ref().map(|all| format!(", {} combinations", all.count()));
    let varied = varied.unwrap_or_default();
    let dropped = match plan.dropped.as_slice() {
        [] => String::new(),
        dropped => format!("; drops `{}` of the file", dropped.join("`, `")),
    };
    format!("well; {} world, {extent}, {actors} actors{varied}{dropped}", plan.world.name())
}

/// Operations that are drawn and listed, unless only time ends the drawing.
fn operations(plan: &Plan) -> Option<u64> {
    let listed = |actor: &ActorPlan| u64::from(actor.count) * wide(actor.does.len());
    let lists_only = plan.actors.iter().all(|actor| !actor.does.is_empty());
    let by_chance = if lists_only { 0 } else { plan.ops? };
    Some(by_chance + plan.actors.iter().map(listed).sum::<u64>())
}

/// How many switches the schedule has.
pub fn switches(plan: &Plan) -> String {
    let number = plan.schedule.as_ref().map_or(0, Vec::len);
    format!("{number} switch{}", if number == 1 { "" } else { "es" })
}
