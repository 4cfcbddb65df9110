//! `bugs --run`: every bug is hunted under several master seeds, and a table tells what was caught.

use crate::catalogue::Bug;
use crate::cli::BugsArgs;
use crate::commands::attended::attended;
use crate::commands::outcome;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::hunt::{self, Ended};
use crate::interrupt::Interrupts;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use report::record::{Seed, VerdictKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Hunts `bugs`. The command fails unless each was caught under every master seed.
pub(super) fn hunts(bugs: &[&'static Bug], args: &BugsArgs, console: Console) -> Exit {
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()
    else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending the hunts; once more ends them at once");
        }
    };
    let flag = Arc::clone(interrupts.flag());
    let hunted = attended(&pool, look, || all(bugs, args.masters, &flag, console));
    let rows = match hunted {
        Ok(rows) => rows,
        Err(refused) => {
            console.warn(&refused.to_string());
            return Exit::Environment;
        }
    };
    let told = outcome::deliver(&table(&rows), &json(&rows), args.json.as_deref(), console);
    told.max(interrupts.caught().unwrap_or_else(|| judged(&rows)))
}

/// How the command ends if no signal ends it.
fn judged(rows: &[Row]) -> Exit {
    if rows.iter().all(Row::is_caught) { Exit::Ok } else { Exit::Failed }
}

/// A bug with what came of its hunts.
struct Row {
    bug: &'static Bug,
    /// One for each master seed, in their order; fewer if the command was interrupted.
    ended: Vec<Ended>,
    masters: u32,
}

fn all(
    bugs: &[&'static Bug],
    masters: u32,
    interrupted: &Arc<AtomicBool>,
    console: Console,
) -> Result<Vec<Row>, NoGround> {
    let done = AtomicUsize::new(0);
    let row = |bug: &&'static Bug| {
        let plan = bug.plan();
        let hunts = (1..=masters).into_par_iter();
        let hunts = hunts.map(|master| hunt::hunt(&plan, master.into(), interrupted));
        let ended: Vec<_> = hunts.collect::<Result<_, _>>()?;
        let row = Row { bug, ended: ended.into_iter().flatten().collect(), masters };
        let nth = done.fetch_add(1, Ordering::Relaxed) + 1;
        console.say(&format!("{nth} of {}: {} {}", bugs.len(), bug.id, row.verdict()));
        Ok(row)
    };
    bugs.par_iter().map(row).collect()
}

impl Row {
    fn is_caught(&self) -> bool {
        u32::try_from(self.caught().count()) == Ok(self.masters)
    }

    fn caught(&self) -> impl Iterator<Item = &Ended> {
        self.ended.iter().filter(|end| end.kind == VerdictKind::Caught)
    }

    /// `caught 20/20`, or `caught 17/20, missed 2, not run 1`.
    fn verdict(&self) -> String {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for end in self.ended.iter().filter(|one| one.kind != VerdictKind::Caught) {
            *kinds.entry(end.kind.name()).or_default() += 1;
        }
        let mut text = format!("caught {}/{}", self.caught().count(), self.masters);
        let others = kinds.into_iter().flat_map(|(name, count)| {
            [", ".to_owned(), name.to_owned(), " ".to_owned(), count.to_string()]
        });
        text.extend(others);
        let ran = u32::try_from(self.ended.len()).unwrap_or(self.masters);
        if ran < self.masters {
            text.extend([", not run ", &(self.masters - ran).to_string()]);
        }
        text
    }

    /// The middle of a figure over all hunts, the lower of two.
    fn median<T: Ord>(&self, figure: impl Fn(&Ended) -> T) -> Option<T> {
        let mut figures: Vec<_> = self.ended.iter().map(figure).collect();
        figures.sort();
        let middle = figures.len().checked_sub(1)? / 2;
        figures.into_iter().nth(middle)
    }
}

fn table(rows: &[Row]) -> String {
    let heading = ["bug", "verdict", "seeds", "seconds", "deviations", "invariant"];
    let mut lines = vec![heading.map(str::to_owned)];
    for row in rows {
        let figure = |figure: Option<u64>| figure.map_or("-".to_owned(), |n| n.to_string());
        let seconds = row.median(|end| end.time);
        let seconds = seconds.map_or("-".to_owned(), |time| format!("{:.4}", time.as_secs_f64()));
        lines.push([
            row.bug.id.to_owned(),
            row.verdict(),
            figure(row.median(|end| end.seeds)),
            seconds,
            figure(row.median(|end| end.deviations)),
            row.bug.caught_by.to_owned(),
        ]);
    }
    let mut text = aligned(&lines, 2..5);
    text.push_str(
        "\nseeds, seconds and deviations: until the first catch, the median over the master \
         seeds;\nseconds are processor time of the one thread that ran them\n",
    );
    text.extend(rows.iter().flat_map(escaped));
    text
}

/// For each way in which a bug was not caught, how to see the first time.
fn escaped(row: &Row) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut lines = Vec::new();
    for end in row.ended.iter().filter(|one| one.kind != VerdictKind::Caught) {
        if told.insert((end.kind.name(), end.invariant)) {
            let (id, kind, master) = (row.bug.id, end.kind.name(), Seed(end.master));
            let by = end.invariant.map_or(String::new(), |name| format!(" by {name}"));
            let file = row.bug.file();
            lines.push(format!("{id}: {kind}{by}: pagestorm run {file} --seed {master}\n"));
        }
    }
    lines
}

/// Columns as wide as their widest cell: words to the left, `figures` to the right.
pub(super) fn aligned<const N: usize>(lines: &[[String; N]], figures: Range<usize>) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let cell = |(column, cell): (usize, &String)| {
        let width = width(column);
        if figures.contains(&column) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    };
    let line =
        |line: &[String; N]| line.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
    lines.iter().flat_map(|cells| [line(cells).trim_end().to_owned(), "\n".to_owned()]).collect()
}

fn json(rows: &[Row]) -> String {
    let list: Vec<_> = rows.iter().map(object).collect();
    format!("{:#}\n", Value::from(list))
}

fn object(row: &Row) -> Value {
    let hunts = row.ended.iter().map(|end| {
        json!({
            "master": Seed(end.master).to_string(),
            "verdict": end.kind.name(),
            "invariant": end.invariant,
            "seeds": end.seeds,
            "seconds": end.time.as_secs_f64(),
            "deviations": end.deviations,
        })
    });
    json!({
        "id": row.bug.id,
        "caught_by": row.bug.caught_by,
        "masters": row.masters,
        "caught": row.caught().count(),
        "median": {
            "seeds": row.median(|end| end.seeds),
            "seconds": row.median(|end| end.time).map(|time| time.as_secs_f64()),
            "deviations": row.median(|end| end.deviations),
        },
        "hunts": hunts.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use std::time::Duration;

    fn row(kinds: &[VerdictKind], masters: u32) -> Row {
        let bug = catalogue::named("stale-iomap-write").expect("it is in the catalogue");
        let end = |(nth, kind): (u64, &VerdictKind)| Ended {
            master: nth + 1,
            kind: *kind,
            at: None,
            invariant: (*kind == VerdictKind::Violated).then_some("size_matches_model"),
            seeds: 10 * nth + 1,
            deviations: nth,
            time: Duration::from_micros(1500),
        };
        Row { bug, ended: (0..).zip(kinds).map(end).collect(), masters }
    }

    #[test]
    fn a_bug_is_caught_if_it_is_caught_each_time() {
        use VerdictKind::{Caught, Missed, NotProvoked, Violated};
        let table = [
            (row(&[Caught, Caught], 2), "caught 2/2", Exit::Ok),
            (row(&[Caught, Missed], 2), "caught 1/2, missed 1", Exit::Failed),
            (row(&[Violated, NotProvoked, Violated], 3), NEVER, Exit::Failed),
            (row(&[Caught], 3), "caught 1/3, not run 2", Exit::Failed),
            (row(&[], 1), "caught 0/1, not run 1", Exit::Failed),
        ];
        for (row, verdict, exit) in table {
            assert_eq!((row.verdict().as_str(), judged(&[row])), (verdict, exit));
        }
    }

    const NEVER: &str = "caught 0/3, not_provoked 1, violated 2";

    #[test]
    fn a_table_says_how_each_kind_of_failure_is_seen_again() {
        use VerdictKind::{Caught, Missed, Violated};
        let text = table(&[row(&[Caught, Missed, Missed, Violated], 4)]);
        let figures = "caught 1/4, missed 2, violated 1     11   0.0015           1  extents_";
        assert!(text.lines().nth(1).is_some_and(|line| line.contains(figures)), "{text}");
        let last: Vec<_> = text.lines().rev().take(2).collect();
        let run = "pagestorm run scenarios/bugs/stale-iomap-write.yaml --seed";
        assert_eq!(last[1], format!("stale-iomap-write: missed: {run} 0x2"));
        let violated = "stale-iomap-write: violated by size_matches_model";
        assert_eq!(last[0], format!("{violated}: {run} 0x4"));
    }
}
