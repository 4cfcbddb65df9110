//! `conform`: the model beside a real filesystem, call by call and window by window.

use super::{check, outcome};
use crate::cli::ConformArgs;
use crate::conform::windows::Window;
use crate::conform::{Answer, Cell, Table, Verdict, table};
use crate::console::Console;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Prints the table. What differs and has no reason is a failure.
pub fn conform(args: &ConformArgs, console: Console) -> Exit {
    let interrupts = Interrupts::catch();
    let made = table(args.target.0, |window| {
        console.say(&format!("trying every call: {}", window.name()));
        !interrupts.look()
    });
    let table = match made {
        Ok(table) => table,
        Err(refusal) => return check::missing(&refusal.without_another_way(), console),
    };
    let text = if args.markdown { markdown(&table) } else { text(&table) };
    let told = outcome::deliver(&text, &json(&table), args.json.as_deref(), console);
    let fails = table.cells.iter().any(|cell| cell.verdict().is_failure());
    let verdict = if fails { Exit::Failed } else { Exit::Ok };
    told.max(verdict).max(interrupts.caught().unwrap_or(Exit::Ok))
}

fn text(table: &Table) -> String {
    let mut text = format!("stormfs beside {}\n", table.detail);
    for (window, cells) in windows(table) {
        let _ = write!(text, "\n{}: {}\n", window.name(), window.about());
        let _ = writeln!(text, "  {:<34} {:<22} {}", "call", "stormfs", table.kind.name());
        for cell in cells {
            let [model, kernel] = words(cell);
            let line = format!("  {:<34} {model:<22} {kernel:<32} {}", cell.call, remark(cell));
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text + "\nNot modelled:\n" + &not_modelled(table) + "\n" + &sum(table) + "\n"
}

fn markdown(table: &Table) -> String {
    let mut text = String::new();
    for (window, cells) in windows(table) {
        let _ = write!(text, "**{}**: {}\n\n", window.name(), window.about());
        let _ = write!(text, "| call | stormfs | {} | |\n|---|---|---|---|\n", table.kind.name());
        for cell in cells {
            let [model, kernel] = words(cell);
            let _ = writeln!(text, "| {} | {model} | {kernel} | {} |", cell.call, remark(cell));
        }
        text.push('\n');
    }
    text + "Not modelled:\n\n" + &not_modelled(table) + "\n" + &sum(table) + "\n"
}

fn json(table: &Table) -> String {
    let came = |came: &Answer| match came {
        Answer::Runs => json!({ "came": "runs" }),
        Answer::Blocks(at) => json!({ "came": "blocks", "at": at }),
        Answer::Failed(why) => json!({ "came": "failed", "why": why }),
    };
    let cells = table.cells.iter().map(|cell| {
        let verdict = cell.verdict();
        json!({
            "window": cell.window.name(),
            "call": cell.call,
            "model": cell.model.as_ref().map_or(Value::Null, came),
            "kernel": came(&cell.kernel),
            "verdict": verdict.word(),
            "reason": reason(verdict),
        })
    });
    let cells: Vec<_> = cells.collect();
    let target = format!("kernel:{}", table.kind.name());
    format!("{:#}\n", json!({ "target": target, "detail": table.detail, "cells": cells }))
}

/// The windows that were opened, each with its cells.
fn windows(table: &Table) -> impl Iterator<Item = (Window, &[Cell])> {
    table
        .cells
        .chunk_by(|one, other| one.window == other.window)
        .map(|cells| (cells[0].window, cells))
}

/// What the two did, in words.
fn words(cell: &Cell) -> [String; 2] {
    let word = |came: &Answer| match came {
        Answer::Runs => "runs".to_owned(),
        Answer::Blocks(at) if at.is_empty() => "blocks".to_owned(),
        Answer::Blocks(at) => format!("blocks ({at})"),
        Answer::Failed(_) => "not tried".to_owned(),
    };
    [cell.model.as_ref().map_or("-".to_owned(), word), word(&cell.kernel)]
}

fn remark(cell: &Cell) -> String {
    let why = |came: &Answer| match came {
        Answer::Failed(why) => why.lines().next().map(str::to_owned),
        Answer::Runs | Answer::Blocks(_) => None,
    };
    match cell.verdict() {
        Verdict::Alike | Verdict::NotModelled(_) => String::new(),
        Verdict::Explained(reason) => format!("differs: {reason}"),
        Verdict::Differs => "DIFFERS".to_owned(),
        Verdict::Outdated(reason) => format!("NO LONGER DIFFERS: {reason}"),
        Verdict::Untried => {
            let why = cell.model.as_ref().ok().and_then(why).or_else(|| why(&cell.kernel));
            format!("NOT TRIED: {}", why.unwrap_or_default())
        }
    }
}

fn reason(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Explained(reason) | Verdict::Outdated(reason) | Verdict::NotModelled(reason) => {
            Some(reason)
        }
        Verdict::Alike | Verdict::Differs | Verdict::Untried => None,
    }
}

/// What the model has no operation for, and why, a line each.
fn not_modelled(table: &Table) -> String {
    let mut lines = String::new();
    let mut said = BTreeSet::new();
    for cell in &table.cells {
        if let Err(why) = cell.model
            && said.insert(cell.call)
        {
            let _ = writeln!(lines, "- {}: {why}", cell.call);
        }
    }
    lines
}

/// All of it in a line.
fn sum(table: &Table) -> String {
    let count = |such: &dyn Fn(Verdict) -> bool| {
        table.cells.iter().filter(|cell| such(cell.verdict())).count()
    };
    format!(
        "{} cells: {} alike, {} differ for a known reason, {} not modelled, {} to be looked into",
        table.cells.len(),
        count(&|verdict| verdict == Verdict::Alike),
        count(&|verdict| matches!(verdict, Verdict::Explained(_))),
        count(&|verdict| matches!(verdict, Verdict::NotModelled(_))),
        count(&Verdict::is_failure),
    )
}
