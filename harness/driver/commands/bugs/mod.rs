//! `bugs`: what the filesystem can be made to get wrong, and whether the oracle notices.

mod listing;
mod whole;
mod hunts;
mod shrinks;
mod strategies;

use super::outcome;
use crate::catalogue::{self, Bug};
use crate::cli::BugsArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::scenario::bug_help;

/// Lists all, shows some, hunts them, shrinks what the hunts find, or lets strategies find it again.
pub fn bugs(args: &BugsArgs, console: Console) -> Exit {
    let Some(bugs) = chosen(&args.ids, console) else { return Exit::Usage };
    if args.run {
        return hunts::hunts(&bugs, args, console);
    }
    if args.shrink {
        return shrinks::shrinks(&bugs, args, console);
    }
    if args.strategies {
        return strategies::strategies(&bugs, args, console);
    }
    let text = if args.ids.is_empty() { listing::listing(&bugs) } else { whole::whole(&bugs) };
    outcome::deliver(&text, &listing::json(&bugs), args.json.as_deref(), console)
}

/// The bugs of those ids, each once, or all.
fn chosen(ids: &[String], console: Console) -> Option<Vec<&'static Bug>> {
    if ids.is_empty() {
        return Some(catalogue::all().collect());
    }
    let known: Vec<_> = catalogue::all().map(|bug| bug.id).collect();
    let mut bugs: Vec<&'static Bug> = Vec::new();
    let mut good = true;
    for id in ids {
        match catalogue::named(id) {
            None => {
                let help = bug_help(id, &known);
                console.warn(&format!("no bug is named {id:?}; {help}"));
                good = false;
            }
            Some(bug) if bugs.iter().any(|other| other.id == bug.id) => {}
            Some(bug) => bugs.push(bug),
        }
    }
    good.then_some(bugs)
}
