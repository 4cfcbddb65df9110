//! `merge`: what several machines did in one night becomes one night.

use super::outcome;
use super::together;
use crate::console::Console;
use crate::exit::Exit;
use crate::soak::args::MergeArgs;
use crate::soak::told::told;
use crate::soak::union::{self, Conflict};
use crate::soak::{night, shelf};
use report::record::{Night, ShardEnd, Soaked};
use report::writing;
use std::fs;
use std::path::{Path, PathBuf};

/// Missing shards that are named.
const MISSING: usize = 400;

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
    let left = together::leave_night(&night, output.as_deref(), args.junit.as_deref(), console);
    exit.max(delivered).max(left).max(output.map_or(Exit::Ok, |dir| put(&dir, &night, console)))
}

/// Tells what is missing, as a remark if that is allowed, or as a reason. Whether it is a reason.
fn account(night: &mut Night, absent: Vec<String>, allowed: bool) -> bool {
    let missing: Vec<String> = absent.into_iter().chain(gaps(night)).collect();
    let verdict = &mut night.verdict;
    if missing.is_empty() || allowed {
        verdict.remarks.extend(missing);
        return false;
    }
    let was_good = std::mem::replace(&mut verdict.good, false);
    verdict.reasons.extend(missing);
    if was_good {
        "The night is not whole; what there is of it is as expected."
            .clone_into(&mut night.verdict.sentence);
    } else {
        night.verdict.sentence = night::sentence(night);
    }
    true
}

/// Shards that are missing, or did not come to their end.
fn gaps(night: &Night) -> Vec<String> {
    let several = 1 < night.campaigns.len();
    let of_it = |campaign: &Soaked| {
        if several { format!(" of {}", campaign.seed) } else { String::new() }
    };
    let mut gaps = Vec::new();
    for cut in night.cuts() {
        let its = night.shards.iter().filter(|state| state.campaign == *cut.campaign);
        let seeds = its.filter_map(|state| state.seeds).max();
        let of_it = of_it(cut.campaign);
        for shard in cut.missing().take(MISSING) {
            let lost = seeds.map(|all| shard.share(all));
            let lost = lost.map(|lost| format!(", {lost} seeds of each scenario not run"));
            gaps.push(format!("shard {shard}{of_it} is missing{}", lost.unwrap_or_default()));
        }
        let of = cut.of;
        let rest = of.saturating_sub(u64::try_from(cut.here.len() + MISSING).unwrap_or(of));
        if rest != 0 {
            gaps.push(format!("{rest} more of {of} shards are missing"));
        }
    }
    for state in night.shards.iter().filter(|state| state.ended != ShardEnd::Complete) {
        let (how, more) = match state.ended {
            ShardEnd::Interrupted => ("was interrupted", ""),
            ShardEnd::TimeUp => ("had no time for all of its seeds", " and a longer --time"),
            ShardEnd::Running | ShardEnd::Complete => {
                ("did not end: it runs, or it was killed", "")
            }
        };
        let (shard, of_it) = (state.shard, of_it(&state.campaign));
        gaps.push(format!("shard {shard}{of_it} {how}; `pagestorm soak --resume`{more} goes on"));
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
    shelf::holds_no_run(dir)?;
    Ok(Some(dir.to_owned()))
}

fn put(dir: &Path, night: &Night, console: Console) -> Exit {
    // The new cases first: whatever happens meanwhile, no case is lost.
    let put = writing::write_night(dir, night).and_then(|()| shelf::set_aside(dir, night));
    match put {
        Ok(aside) => {
            if aside != 0 {
                let before = dir.join("failures.before");
                console.say(&format!("put aside: {aside} of before, in {}", before.display()));
            }
            console.say(&format!("report: {}", dir.join("report.html").display()));
            Exit::Ok
        }
        Err(error) => {
            console.warn(&outcome::unwritten("the night", &error));
            Exit::Unwritten
        }
    }
}
