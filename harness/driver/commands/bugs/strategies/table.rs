//! The tables of `bugs --strategies`: medians for each bug, and which strategy needs fewer.

use super::super::hunts::aligned;
use super::{Contest, Row, Tried};
use crate::cli::BugsArgs;
use crate::contest::{CONTENDERS, LIMIT, Met};
use report::record::Seed;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Tables of the cases alone and, if asked for, among other calls, and what the columns mean.
pub(super) fn text(rows: &[Row], args: &BugsArgs) -> String {
    let mut text = table(rows, "the cases alone", |contest| Some(contest.alone));
    if args.padding != 0 {
        let padding = args.padding;
        let heading = format!("with {padding} calls before each actor's own and {padding} after");
        let heading = format!("{heading}, and two readers beside");
        text.push('\n');
        text.push_str(&table(rows, &heading, |contest| contest.padded));
    }
    text.push_str(&legend());
    let nothing = rows.iter().filter(|row| row.contests.is_empty());
    text.extend(nothing.map(|row| format!("{}: nothing counted\n", row.bug.id)));
    text
}

fn legend() -> String {
    format!(
        "\nschedules until the failure is met again, the median over the master seeds: each has a \
         failure of its\nown, which is shrunk and loses its schedule; all else of it stays. None \
         of {LIMIT}: >{LIMIT}.\ndepth: preemptions of the shrunk schedule, and one; the least \
         over the master seeds, and cases are those\nthat have it. pct draws its depth for each \
         schedule, from 1 to 6; at depth it is told that of the case.\nA strategy that must know \
         what a run passes is told by another run of the same case, under a random\nschedule, \
         which is not counted.\n"
    )
}

fn table(rows: &[Row], heading: &str, of: impl Fn(&Contest) -> Option<Tried>) -> String {
    let columns = ["bug", "depth", "cases"];
    let columns: Vec<_> = columns.into_iter().chain(CONTENDERS).map(str::to_owned).collect();
    let columns: [String; 9] = columns.try_into().expect("three and six");
    let mut lines = vec![columns];
    let mut at_once = Vec::new();
    let mut all = Vec::new();
    for row in rows {
        let Some((depth, medians)) = row.depth().zip(row.medians(&of)) else { continue };
        all.push((depth, medians));
        if medians == [Met::After(1); CONTENDERS.len()] {
            at_once.push(row.bug.id);
            continue;
        }
        let [random, pct, at_depth, pos, surw, mix] = medians.map(shown);
        let cases = row.shallowest().count().to_string();
        let (bug, depth) = (row.bug.id.to_owned(), depth.to_string());
        lines.push([bug, depth, cases, random, pct, at_depth, pos, surw, mix]);
    }
    let mut text = format!("{heading}\n\n");
    text.push_str(&aligned(&lines, 1..9));
    if !at_once.is_empty() {
        let count = at_once.len().to_string();
        text.extend(["\nmet by the first schedule of every strategy: ", &count, " more bugs\n"]);
    }
    text.push_str(&compared(&all));
    text
}

/// By depth: for how many bugs each strategy needs fewer schedules than a random walk, and how many
/// for the bug that takes it longest.
fn compared(all: &[(u32, Tried)]) -> String {
    let mut by_depth: BTreeMap<u32, Vec<Tried>> = BTreeMap::new();
    for (depth, medians) in all.iter().filter(|(depth, _)| 1 < *depth) {
        by_depth.entry(*depth).or_default().push(*medians);
    }
    let mut lines = Vec::new();
    for (depth, medians) in by_depth {
        for (nth, name) in CONTENDERS.iter().enumerate() {
            let count = |order: Ordering| {
                medians.iter().filter(|tried| tried[nth].cmp(&tried[0]) == order).count()
            };
            let [fewer, same, more] = [Ordering::Less, Ordering::Equal, Ordering::Greater]
                .map(count)
                .map(|n| n.to_string());
            let most = medians.iter().map(|tried| tried[nth]).max().map_or(String::new(), shown);
            lines.push([depth.to_string(), (*name).to_owned(), fewer, same, more, most]);
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let heading = ["depth", "bugs that need", "fewer", "as many", "more", "at most"];
    let heading = heading.map(str::to_owned);
    lines.insert(0, heading);
    format!("\ncompared with random\n\n{}", aligned(&lines, 2..6))
}

fn shown(met: Met) -> String {
    match met {
        Met::After(schedules) => schedules.to_string(),
        Met::Never => format!(">{LIMIT}"),
    }
}

pub(super) fn json(rows: &[Row]) -> String {
    let list: Vec<_> = rows.iter().map(object).collect();
    format!("{:#}\n", Value::from(list))
}

fn object(row: &Row) -> Value {
    let case = |contest: &Contest| {
        json!({
            "master": Seed(contest.sought.master).to_string(),
            "failure": contest.sought.failure.to_string(),
            "depth": contest.sought.depth,
            "schedules": figures(contest.alone),
            "padded": contest.padded.map(figures),
        })
    };
    json!({
        "id": row.bug.id,
        "depth": row.depth(),
        "limit": LIMIT,
        "median": row.medians(|contest| Some(contest.alone)).map(figures),
        "median_padded": row.medians(|contest| contest.padded).map(figures),
        "cases": row.contests.iter().map(case).collect::<Vec<_>>(),
    })
}

/// By contender; null where the limit was reached.
fn figures(tried: Tried) -> Value {
    let figure = |met| match met {
        Met::After(schedules) => Value::from(schedules),
        Met::Never => Value::Null,
    };
    CONTENDERS.iter().zip(tried).map(|(name, met)| (name.replace(' ', "_"), figure(met))).collect()
}
