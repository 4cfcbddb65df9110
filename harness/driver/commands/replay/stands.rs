//! Where everybody stands, and what the files look like, as `--until` prints it.

use super::passages::call;
use crate::case;
use crate::scenario;
use crate::scenario::plan::{Plan, Who};
use crate::storm::{self, Storm};
use oracle::strip::strip;
use sim::{Hold, Stand, State};
use std::fmt::Write;
use stormfs::quantity::{ByteRange, wide};

/// Blocks of a file that are shown, from its beginning: more than a person compares.
const MOST_BLOCKS: u64 = 1024;

/// How a run ended, which was to stop after the step `until` if that is given.
pub(super) fn ending(plan: &Plan, storm: &Storm, until: Option<u64>) -> String {
    let points = storm.end.points;
    if let Some(violation) = &storm.violation {
        return format!("after {points} points: {violation}\n");
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
    let mut text = String::new();
    for (task, stand) in stands.iter().enumerate() {
        let told = one(plan, task, stand, stands);
        writeln!(text, "  {:<widest$}  {told}", stand.task).expect("a string takes all text");
    }
    text
}

fn one(plan: &Plan, task: usize, stand: &Stand, all: &[Stand]) -> String {
    let Stand { operation, state, at, holds, holders, .. } = stand;
    let mut told = match state {
        State::Ended => return "has come to its end".to_owned(),
        State::CanRun => format!("can go on from {}", at.name),
        State::Waits(site) => format!("waits at {}", site.name),
    };
    let names: Vec<_> = holders.iter().filter_map(|holder| all.get(*holder)).collect();
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|stand| stand.task.as_str()).collect();
        told += &format!(" (object {:#x}), which {} holds", at.object, names.join(" and "));
    }
    let called = match case::who(task, storm::actors(plan)) {
        Who::Actor(actor) => call(plan, actor, *operation),
        Who::Conductor | Who::Disk(_) => None,
    };
    told += &match called {
        Some(call) => format!(", in operation {operation}, {}", scenario::call_text(plan, call)),
        None if *operation == 0 => String::new(),
        None => format!(", in operation {operation}"),
    };
    let held = |hold: &Hold| match hold.object {
        Some(object) => format!("{} ({object:#x})", hold.name),
        None => format!("several of {}", hold.name),
    };
    let holds: Vec<_> = holds.iter().map(held).collect();
    if !holds.is_empty() {
        told += &format!("; holds {}", holds.join(", "));
    }
    told
}

/// The extents of each file above its folios.
pub(super) fn files(plan: &Plan, storm: &Storm) -> String {
    const WIDTH: u64 = 64;
    const AROUND: u64 = 8;
    let block = plan.filesystem.block_size;
    let mut text = String::new();
    for (number, file) in plan.files.iter().enumerate() {
        let view = storm.filesystem.view(number);
        let size = view.size();
        writeln!(text, "{}: {size} bytes", file.name).expect("a string takes all text");
        // One block more than the file has, to see what lies behind its end.
        let blocks = (size.div_ceil(block) + 1).min(MOST_BLOCKS);
        for row in 0..blocks.div_ceil(WIDTH) {
            let first = row * WIDTH + if row == 0 { 0 } else { AROUND };
            let last = (row + 1) * WIDTH - AROUND;
            let rows = strip(view, ByteRange::new(first * block, last.min(blocks).max(first + 1) * block));
            for line in rows.lines() {
                writeln!(text, "  {line}").expect("a string takes all text");
            }
        }
        if blocks == MOST_BLOCKS {
            text += &format!("  and more behind block {}\n", wide(MOST_BLOCKS.try_into().unwrap_or(0)));
        }
    }
    text
}
