//! `bugs --strategies`: how many schedules each strategy needs to meet the failure of every bug,
//! given the operations.

mod table;

use crate::catalogue::Bug;
use crate::cli::BugsArgs;
use crate::commands::attended::attended;
use crate::commands::outcome;
use crate::console::Console;
use crate::contest::{self, CONTENDERS, Met, Sought};
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::interrupt::Interrupts;
use crate::padding::padded;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long one failure is shrunk at most, if nothing else is said.
const TIME: Duration = Duration::from_secs(5);

/// Counts the schedules for `bugs`. The command fails unless each has a failure to look for.
pub(super) fn strategies(bugs: &[&'static Bug], args: &BugsArgs, console: Console) -> Exit {
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()
    else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending with what there is; once more ends at once");
        }
    };
    let flag = Arc::clone(interrupts.flag());
    let rows = match attended(&pool, look, || all(bugs, args, &flag, console)) {
        Ok(rows) => rows,
        Err(refused) => {
            console.warn(&refused.to_string());
            return Exit::Environment;
        }
    };
    let (text, json) = (table::text(&rows, args), table::json(&rows));
    let told = outcome::deliver(&text, &json, args.json.as_deref(), console);
    told.max(interrupts.caught().unwrap_or_else(|| judged(&rows)))
}

fn judged(rows: &[Row]) -> Exit {
    let is_sought = |row: &Row| !row.contests.is_empty();
    if rows.iter().all(is_sought) { Exit::Ok } else { Exit::Failed }
}

/// A bug with what came of looking for its failures.
struct Row {
    bug: &'static Bug,
    /// In the order of the master seeds; those under which a failure was found and shrunk.
    contests: Vec<Contest>,
}

/// Schedules that were tried, in the order of [`CONTENDERS`].
type Tried = [Met; CONTENDERS.len()];

/// What came of one failure.
struct Contest {
    sought: Sought,
    alone: Tried,
    /// The same among other calls, if that was asked for.
    padded: Option<Tried>,
}

fn all(
    bugs: &[&'static Bug],
    args: &BugsArgs,
    interrupted: &Arc<AtomicBool>,
    console: Console,
) -> Result<Vec<Row>, NoGround> {
    let done = AtomicUsize::new(0);
    let row = |bug: &&'static Bug| {
        let masters = (1..=args.masters).into_par_iter().map(u64::from);
        let contests = masters.map(|master| contest(bug, master, args, interrupted));
        let contests: Vec<_> = contests.collect::<Result<_, _>>()?;
        let row = Row { bug, contests: contests.into_iter().flatten().collect() };
        let nth = done.fetch_add(1, Ordering::Relaxed) + 1;
        console.say(&format!("{nth} of {}: {} {}", bugs.len(), bug.id, row.verdict()));
        Ok(row)
    };
    bugs.par_iter().map(row).collect()
}

fn contest(
    bug: &Bug,
    master: u64,
    args: &BugsArgs,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Contest>, NoGround> {
    let time = args.time.unwrap_or(TIME);
    let sought = contest::sought((&bug.plan(), &bug.file()), master, time, interrupted)?;
    let Some(sought) = sought else { return Ok(None) };
    let Some(alone) = each(&sought, interrupted)? else { return Ok(None) };
    let mut padding = None;
    if args.padding != 0 {
        let case = padded(&sought.case, args.padding);
        padding = each(&Sought { case, ..sought.clone() }, interrupted)?;
        if padding.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(Contest { sought, alone, padded: padding }))
}

/// What each contender tries. None if it was interrupted before.
fn each(sought: &Sought, interrupted: &Arc<AtomicBool>) -> Result<Option<Tried>, NoGround> {
    let mut tried = [Met::Never; CONTENDERS.len()];
    for (tried, contender) in tried.iter_mut().zip(CONTENDERS) {
        match contest::tried(sought, contender, interrupted)? {
            Some(met) => *tried = met,
            None => return Ok(None),
        }
    }
    Ok(Some(tried))
}

impl Row {
    /// The least depth of its failures.
    fn depth(&self) -> Option<u32> {
        self.contests.iter().map(|contest| contest.sought.depth).min()
    }

    /// Those of its failures that are of the least depth.
    fn shallowest(&self) -> impl Iterator<Item = &Contest> {
        let depth = self.depth();
        self.contests.iter().filter(move |contest| Some(contest.sought.depth) == depth)
    }

    /// By contender: the middle of the shallowest failures, the lower of two.
    fn medians(&self, of: impl Fn(&Contest) -> Option<Tried>) -> Option<Tried> {
        let all: Vec<Tried> = self.shallowest().filter_map(of).collect();
        let middle = all.len().checked_sub(1)? / 2;
        let median = |nth: usize| {
            let mut figures: Vec<Met> = all.iter().map(|tried| tried[nth]).collect();
            figures.sort_unstable();
            figures[middle]
        };
        Some(std::array::from_fn(median))
    }

    /// `20 failures, 18 of depth 2`.
    fn verdict(&self) -> String {
        let mut depths: BTreeMap<u32, usize> = BTreeMap::new();
        for contest in &self.contests {
            *depths.entry(contest.sought.depth).or_default() += 1;
        }
        let told = depths.iter().map(|(depth, count)| format!(", {count} of depth {depth}"));
        format!("{} failures{}", self.contests.len(), told.collect::<String>())
    }
}
