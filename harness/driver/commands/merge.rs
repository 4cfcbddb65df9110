//! `merge`: what several machines did in one night becomes one night.

use super::outcome;
use crate::console::Console;
use crate::exit::Exit;
use crate::soak::args::MergeArgs;
use crate::soak::told::told;
use crate::soak::union::{self, Conflict};
use crate::soak::{night, shelf};
use report::record::{Ended, Night, Shard};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Merges, and ends as bad as the whole night.
pub fn merge(args: &MergeArgs, console: Console) -> Exit {
    let wrong = |text: String| {
        console.warn(&text);
        Exit::Usage
    };
    let output = match output(args) {
        Ok(output) => output,
        Err(told) => return wrong(told),
    };
    let (nights, absent) = match read(args) {
        Ok(read) => read,
        Err(told) => return wrong(told),
    };
    for shard in union::twice(&nights) {
        console.say(&format!("shard {shard} is there more than once; each iteration counts once"));
    }
    let merged = match union::union(&nights, args.allow_mixed) {
        Ok(merged) => merged,
        Err(conflict) => {
            console.warn(&conflict.to_string());
            return if matches!(conflict, Conflict::Differs(_)) {
                Exit::Harness
            } else {
                Exit::Usage
            };
        }
    };
    let (mut night, mut exit) = match night::concluded(merged) {
        Ok(concluded) => concluded,
        Err(told) => return wrong(told),
    };
    if account(&mut night, absent, args.allow_missing) {
        exit = exit.max(Exit::Environment);
        night.verdict.exit = exit.code();
    }
    let delivered =
        outcome::deliver(&told(&night), &night.to_json(), args.json.as_deref(), console);
    exit.max(delivered).max(output.map_or(Exit::Ok, |dir| put(&dir, &night, console)))
}

/// Tells what is missing, as a remark if that is allowed, or as a reason. Whether it is a reason.
fn account(night: &mut Night, absent: Vec<String>, allowed: bool) -> bool {
    let missing: Vec<String> = absent.into_iter().chain(gaps(night)).collect();
    let verdict = &mut night.verdict;
    if missing.is_empty() || allowed {
        verdict.remarks.extend(missing);
        return false;
    }
    if verdict.good {
        verdict.good = false;
        "The night is not whole; what there is of it is as expected."
            .clone_into(&mut verdict.sentence);
    }
    verdict.reasons.extend(missing);
    true
}

/// Shards that are missing, or did not come to their end.
fn gaps(night: &Night) -> Vec<String> {
    let mut cuts: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for state in &night.shards {
        cuts.entry(state.shard.of).or_default().insert(state.shard.index);
    }
    let seeds = night.shards.iter().filter_map(|state| state.seeds).max();
    let mut gaps = Vec::new();
    for (of, indices) in cuts {
        for index in (1..=of).filter(|index| !indices.contains(index)) {
            let shard = Shard { index, of };
            let lost = seeds.map(|all| shard.share(all));
            let lost = lost.map(|lost| format!(", {lost} seeds of each scenario not run"));
            gaps.push(format!("shard {shard} is missing{}", lost.unwrap_or_default()));
        }
    }
    for state in night.shards.iter().filter(|state| state.ended != Ended::Complete) {
        let how = match state.ended {
            Ended::Interrupted => "was interrupted",
            Ended::Running | Ended::Complete => "did not end: it runs, or it was killed",
        };
        gaps.push(format!("shard {} {how}; `pagestorm soak --resume` goes on", state.shard));
    }
    gaps
}

/// The nights, and what there is none in.
fn read(args: &MergeArgs) -> Result<(Vec<Night>, Vec<String>), String> {
    let (mut nights, mut absent) = (Vec::new(), Vec::new());
    for dir in &args.dirs {
        if args.allow_missing && dir.is_dir() && !shelf::holds_one(dir) {
            absent.push(format!("{}: there is no {} in it", dir.display(), shelf::RECORD));
            continue;
        }
        nights.push(shelf::take(dir)?);
    }
    if nights.is_empty() {
        return Err("none of the directories holds a night".to_owned());
    }
    Ok((nights, absent))
}

/// Where the merged night goes, which is none of the places where the parts come from.
fn output(args: &MergeArgs) -> Result<Option<PathBuf>, String> {
    let Some(path) = &args.output else { return Ok(None) };
    let is_page = path.extension().is_some_and(|end| end == "html");
    if is_page && path.file_name().is_some_and(|name| name != "report.html") {
        let path = path.display();
        return Err(format!(
            "{path}: the page of a night is called report.html, with night.json beside it"
        ));
    }
    let dir = if is_page { path.parent().unwrap_or(Path::new("")) } else { path };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let real = fs::canonicalize(dir).ok();
    let is_input = |input: &&PathBuf| real.is_some() && fs::canonicalize(input).ok() == real;
    if let Some(input) = args.dirs.iter().find(is_input) {
        let input = input.display();
        return Err(format!(
            "{input} is merged, and cannot be where the result goes: name another place"
        ));
    }
    Ok(Some(dir.to_owned()))
}

fn put(dir: &Path, night: &Night, console: Console) -> Exit {
    match shelf::put(dir, night) {
        Ok(()) => {
            console.say(&format!("report: {}", dir.join("report.html").display()));
            Exit::Ok
        }
        Err(error) => {
            console.warn(&format!(
                "the night was not written: {error}; free space there, or name another place"
            ));
            Exit::Environment
        }
    }
}
