//! `check`: reads scenarios, and tells what is wrong with them.

use crate::console::Console;
use crate::exit::Exit;
use crate::scenario::load;
use crate::scenario::plan::{Plan, WorldKind};
use crate::vocabulary;
use std::path::PathBuf;

/// Reads every file; one line for each that is well, every mistake of each that is not.
pub fn check(files: &[PathBuf], console: Console) -> Exit {
    let mut exit = Exit::Ok;
    for file in files {
        exit = exit.max(match load(file, &vocabulary::known(), &[]) {
            Ok(plan) => console.print(&format!("{}: {}\n", file.display(), described(&plan))),
            Err(report) => {
                console.raw(&report.render(console.styled));
                Exit::Usage
            }
        });
    }
    exit
}

/// The plan's size in a few words.
fn described(plan: &Plan) -> String {
    let ops = plan.ops.map(|ops| format!("{ops} operations"));
    let extent = match plan.world {
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
    format!("well; {} world, {extent}, {actors} actors{varied}", plan.world.name())
}
