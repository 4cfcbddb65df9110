//! `bugs --shrink`: the first failure of every bug under several master seeds is made small, and a
//! table tells how small.

use super::hunts::aligned;
use crate::catalogue::Bug;
use crate::cli::BugsArgs;
use crate::clock::Stopwatch;
use crate::commands::attended::attended;
use crate::commands::outcome;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::hunt::{self, Catch};
use crate::interrupt::Interrupts;
use crate::scenario::plan::Plan;
use crate::shrink::{self, Limits, Refused, Shrunk, Weight};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use report::record::Seed;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long one failure is shrunk at most, if nothing else is said.
const TIME: Duration = Duration::from_secs(20);

/// Shrinks what is found of `bugs`. The command fails unless something was found and shrunk under
/// every master seed.
pub(super) fn shrinks(bugs: &[&'static Bug], args: &BugsArgs, console: Console) -> Exit {
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
    let told = outcome::deliver(&table(&rows), &json(&rows), args.json.as_deref(), console);
    told.max(interrupts.caught().unwrap_or_else(|| judged(&rows)))
}

fn judged(rows: &[Row]) -> Exit {
    let nondeterministic =
        |made: &Made| matches!(made.came, ShrinkEnd::Refused(Refused::NotDeterministic));
    if rows.iter().flat_map(|row| &row.made).any(nondeterministic) {
        return Exit::Harness;
    }
    let whole = |row: &Row| row.shrunk().count() == row.made.len() && !row.made.is_empty();
    if rows.iter().all(whole) { Exit::Ok } else { Exit::Failed }
}

/// A bug with what came of its failures, one for each master seed.
struct Row {
    bug: &'static Bug,
    made: Vec<Made>,
}

/// What came of one failure.
struct Made {
    master: u64,
    came: ShrinkEnd,
    time: Duration,
}

enum ShrinkEnd {
    /// The scenario found nothing under this master seed.
    NotFound,
    /// The case of the failing storm does not fail.
    NoCase,
    Refused(Refused),
    Shrunk(Box<Shrunk>),
}

fn all(
    bugs: &[&'static Bug],
    args: &BugsArgs,
    interrupted: &Arc<AtomicBool>,
    console: Console,
) -> Result<Vec<Row>, NoGround> {
    let done = AtomicUsize::new(0);
    let time = args.time.unwrap_or(TIME);
    let row = |bug: &&'static Bug| {
        let plan = bug.plan();
        let masters = (1..=args.masters).into_par_iter().map(u64::from);
        let made = masters.map(|master| one(bug, &plan, master, time, interrupted));
        let made: Vec<_> = made.collect::<Result<_, _>>()?;
        let row = Row { bug, made: made.into_iter().flatten().collect() };
        let nth = done.fetch_add(1, Ordering::Relaxed) + 1;
        console.say(&format!("{nth} of {}: {} {}", bugs.len(), bug.id, row.verdict()));
        Ok(row)
    };
    bugs.par_iter().map(row).collect()
}

/// Hunts the bug under `master` and shrinks what is found. None if it was interrupted before.
fn one(
    bug: &Bug,
    plan: &Plan,
    master: u64,
    time: Duration,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Made>, NoGround> {
    let Some(catch) = hunt::catch((plan, &bug.file()), master, interrupted)? else {
        return Ok(None);
    };
    let made = |came, time| Ok(Some(Made { master, came, time }));
    let (case, failure) = match catch {
        Catch::Nothing => return made(ShrinkEnd::NotFound, Duration::ZERO),
        Catch::NoCase => return made(ShrinkEnd::NoCase, Duration::ZERO),
        Catch::Case(case, failure) => (case, failure),
    };
    let watch = Stopwatch::start();
    let limits = Limits { time, runs: None, interrupted, parallel: false };
    let result = match shrink::shrink(&case, &failure, limits, &mut |_, _| {}) {
        Ok(shrunk) => ShrinkEnd::Shrunk(Box::new(shrunk)),
        Err(Refused::NoGround(error)) => return Err(error),
        Err(refused) => ShrinkEnd::Refused(refused),
    };
    made(result, watch.elapsed())
}

impl Row {
    fn shrunk(&self) -> impl Iterator<Item = (&Made, &Shrunk)> {
        self.made.iter().filter_map(|made| match &made.came {
            ShrinkEnd::Shrunk(shrunk) => Some((made, &**shrunk)),
            ShrinkEnd::NotFound | ShrinkEnd::NoCase | ShrinkEnd::Refused(_) => None,
        })
    }

    /// `shrunk 20/20, minimal 19`.
    fn verdict(&self) -> String {
        let minimal = self.shrunk().filter(|(_, shrunk)| shrunk.minimal).count();
        format!("shrunk {}/{}, minimal {minimal}", self.shrunk().count(), self.made.len())
    }

    /// The middle of a figure, the lower of two, and the worst.
    fn figure<T: Ord + Copy>(&self, figure: impl Fn(&Made, &Shrunk) -> T) -> Option<(T, T)> {
        let mut figures: Vec<_> =
            self.shrunk().map(|(made, shrunk)| figure(made, shrunk)).collect();
        figures.sort_unstable();
        let middle = *figures.get(figures.len().checked_sub(1)? / 2)?;
        Some((middle, *figures.last()?))
    }

    /// `240 -> 3 (5)`: the middle before, the middle after, and the worst after.
    fn change(&self, of: impl Fn(&Weight) -> usize) -> String {
        let before = self.figure(|_, shrunk| of(&shrunk.before));
        let after = self.figure(|_, shrunk| of(&shrunk.after));
        before.zip(after).map_or("-".to_owned(), |((before, _), (after, worst))| {
            format!("{before} -> {after} ({worst})")
        })
    }
}

fn table(rows: &[Row]) -> String {
    let heading = [
        "bug",
        "verdict",
        "actors",
        "calls",
        "faults",
        "preemptions",
        "switches",
        "runs",
        "seconds",
    ];
    let mut lines = vec![heading.map(str::to_owned)];
    for row in rows {
        let seconds = row.figure(|made, _| made.time).map_or("-".to_owned(), |(middle, worst)| {
            format!("{:.2} ({:.2})", middle.as_secs_f64(), worst.as_secs_f64())
        });
        let runs = row.figure(|_, shrunk| shrunk.executions);
        lines.push([
            row.bug.id.to_owned(),
            row.verdict(),
            row.change(|weight| weight.actors),
            row.change(|weight| weight.calls),
            row.change(|weight| weight.faults),
            row.change(|weight| weight.preemptions),
            row.change(|weight| weight.switches),
            runs.map_or("-".to_owned(), |(middle, worst)| format!("{middle} ({worst})")),
            seconds,
        ]);
    }
    let mut text = aligned(&lines, 2..9);
    text.push_str(
        "\nbefore -> after: medians over the master seeds, and the worst after; a preemption is a \
         switch\naway from a task that could have gone on\n",
    );
    text.extend(rows.iter().flat_map(unshrunk));
    text
}

/// What was not shrunk to the end, and how to see it.
fn unshrunk(row: &Row) -> Vec<String> {
    let told = |made: &Made| {
        let what = match &made.came {
            ShrinkEnd::NotFound => "found nothing".to_owned(),
            ShrinkEnd::NoCase => "its case does not fail".to_owned(),
            ShrinkEnd::Refused(refused) => refused.to_string(),
            ShrinkEnd::Shrunk(shrunk) if !shrunk.minimal => "time ran out".to_owned(),
            ShrinkEnd::Shrunk(_) => return None,
        };
        let (id, master, file) = (row.bug.id, Seed(made.master), row.bug.file());
        Some(format!("{id}: {what}: pagestorm run {file} --seed {master}\n"))
    };
    row.made.iter().filter_map(told).collect()
}

fn json(rows: &[Row]) -> String {
    let list: Vec<_> = rows.iter().map(object).collect();
    format!("{:#}\n", Value::from(list))
}

fn object(row: &Row) -> Value {
    let weight = |weight: &Weight| {
        json!({
            "actors": weight.actors,
            "calls": weight.calls,
            "faults": weight.faults,
            "preemptions": weight.preemptions,
            "switches": weight.switches,
        })
    };
    let shrunk = row.shrunk().map(|(made, shrunk)| {
        let passes = shrunk
            .passes
            .iter()
            .map(|pass| json!({ "pass": pass.name, "runs": pass.executions, "steps": pass.steps }));
        json!({
            "master": Seed(made.master).to_string(),
            "before": weight(&shrunk.before),
            "after": weight(&shrunk.after),
            "runs": shrunk.executions,
            "seconds": made.time.as_secs_f64(),
            "minimal": shrunk.minimal,
            "passes": passes.collect::<Vec<_>>(),
        })
    });
    json!({ "id": row.bug.id, "masters": row.made.len(), "shrunk": shrunk.collect::<Vec<_>>() })
}
