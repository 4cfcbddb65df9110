//! Where everybody stands, and what the files look like, as `--until` prints it.

use super::passages::call;
use crate::case;
use crate::explain::cast::Cast;
use crate::scenario;
use crate::scenario::plan::{Plan, Who};
use crate::storm::{self, Storm};
use oracle::strip::strip;
use sim::{Hold, Stand, State};
use std::ops::Range;
use stormfs::quantity::ByteRange;

/// Blocks of a file that are shown, from its beginning: more than a person compares.
const MOST_BLOCKS: u64 = 1024;

/// How a run ended, which was to stop after the step `until` if that is given.
pub(super) fn ending(plan: &Plan, storm: &Storm, until: Option<u64>) -> String {
    let points = storm.end.points;
    if let Some(violation) = &storm.violation {
        return format!("after {points} points: {}\n", Cast::of(plan).violation(violation));
    }
    match until {
        Some(step) if points <= step && storm.end.stands.is_empty() => {
            format!("{} ended after {points} points, before step {step}\n", plan.name)
        }
        Some(step) => format!("after step {step}:\n"),
        None => format!("{} ended after {points} points, and nothing was violated\n", plan.name),
    }
}

/// One line for each task.
pub(super) fn everybody(plan: &Plan, storm: &Storm) -> String {
    let stands = &storm.end.stands;
    let widest = stands.iter().map(|stand| stand.task.len()).max().unwrap_or(0);
    let line = |(task, stand): (usize, &Stand)| {
        format!("  {:<widest$}  {}\n", stand.task, one(plan, task, stand, stands))
    };
    stands.iter().enumerate().map(line).collect()
}

fn one(plan: &Plan, task: usize, stand: &Stand, all: &[Stand]) -> String {
    let state = match stand.state {
        State::Ended => return "has come to its end".to_owned(),
        State::CanRun => format!("can go on from {}", stand.at.name),
        State::Waits(site) => format!("waits at {}", site.name),
    };
    let holders = stand.holders.iter().filter_map(|holder| all.get(*holder));
    let holders: Vec<_> = holders.map(|stand| stand.task.as_str()).collect();
    let held_by = match holders.as_slice() {
        [] => String::new(),
        some => format!(" ({:#x}), which {} holds", stand.at.object, some.join(" and ")),
    };
    let operation = stand.operation;
    let called = match case::who(task, storm::actors(plan)) {
        Who::Actor(actor) => call(plan, actor, operation),
        Who::Conductor | Who::Disk(_) => None,
    };
    let within = match called {
        Some(call) => format!(", in operation {operation}, {}", scenario::call_text(plan, call)),
        None if operation == 0 => String::new(),
        None => format!(", in operation {operation}"),
    };
    let hold = |hold: &Hold| match hold.object {
        Some(object) => format!("{} ({object:#x})", hold.name),
        None => format!("several of {}", hold.name),
    };
    let holds: Vec<_> = stand.holds.iter().map(hold).collect();
    let holds = match holds.as_slice() {
        [] => String::new(),
        some => format!("; holds {}", some.join(", ")),
    };
    format!("{state}{held_by}{within}{holds}")
}

/// The extents of each file above its folios.
pub(super) fn files(plan: &Plan, storm: &Storm) -> String {
    let mut lines = Vec::new();
    for (number, file) in plan.files.iter().enumerate() {
        let Some(model) = &storm.model else { break };
        let view = model.view(number);
        lines.push(format!("{}: {} bytes", file.name, view.size()));
        // One block more than the file has, to see what lies behind its end.
        let blocks = view.size().div_ceil(plan.filesystem.block_size) + 1;
        for range in rows(blocks.min(MOST_BLOCKS)) {
            let block = plan.filesystem.block_size;
            let bytes = ByteRange::new(range.start * block, range.end * block);
            lines.extend(strip(view, bytes).lines().map(|line| format!("  {line}")));
        }
        if MOST_BLOCKS < blocks {
            lines.push(format!("  and {} blocks more", blocks - MOST_BLOCKS));
        }
    }
    lines.join("\n") + "\n"
}

/// The blocks to ask for, so that strips of them and what is around them adjoin.
fn rows(blocks: u64) -> impl Iterator<Item = Range<u64>> {
    const WIDTH: u64 = 64;
    const AROUND: u64 = 8;
    (0..blocks.div_ceil(WIDTH)).map(move |row| {
        let first = row * WIDTH + if row == 0 { 0 } else { AROUND };
        let last = ((row + 1) * WIDTH - AROUND).min(blocks);
        first..last.max(first + 1)
    })
}
