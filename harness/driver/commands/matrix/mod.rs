//! `matrix`: scenarios under one value after the other, and what becomes of each, as a table.

mod harm;
mod columns;
mod cell;
mod grid;
mod legend;
mod evidence;

use super::attended::attended;
use super::outcome;
use crate::cli::MatrixArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::interrupt::Interrupts;
use crate::scenario::{self, Report};
use cell::{Cell, Row};
use columns::Group;
use grid::Grid;
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs every cell. It is a measurement: whatever the cells say is no failure of the command.
pub fn matrix(args: &MatrixArgs, console: Console) -> Exit {
    let groups = match columns::groups(&args.across) {
        Ok(groups) => groups,
        Err(why) => {
            console.warn(&why);
            return Exit::Usage;
        }
    };
    let Some(rows) = rows(args, console) else { return Exit::Usage };
    if let Some(report) = groups.iter().find_map(|group| refused(group, &rows)) {
        console.raw(&report.render(console.styled));
        return Exit::Usage;
    }
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build()
    else {
        console.warn("the system has no room for so many threads: use a smaller --jobs");
        return Exit::Environment;
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending the matrix; once more ends it at once");
        }
    };
    let flag = Arc::clone(interrupts.flag());
    let cells = match attended(&pool, look, || cells(&rows, &groups, &flag)) {
        Ok(cells) => cells,
        Err(refused) => {
            console.warn(&refused.to_string());
            return Exit::Environment;
        }
    };
    let grid = Grid { rows, groups, cells };
    let text = if args.markdown { grid.markdown() } else { grid.text() };
    let told = outcome::deliver(&text, &grid.json(), args.json.as_deref(), console);
    let undetermined = grid.all().any(|(_, _, cell)| matches!(cell, Cell::Undetermined));
    let harness = if undetermined { Exit::Harness } else { Exit::Ok };
    told.max(harness).max(interrupts.caught().unwrap_or(Exit::Ok))
}

/// Reads every file, or tells what is wrong with all of them.
fn rows(args: &MatrixArgs, console: Console) -> Option<Vec<Row>> {
    let tell = |report: Report| console.raw(&report.render(console.styled));
    let read = |file: &Path| {
        let text = scenario::text_of(file)?;
        Row::read(file.display().to_string(), text, &args.sets)
    };
    let all: Vec<_> = args.files.iter().map(|file| read(file).map_err(tell).ok()).collect();
    all.into_iter().collect()
}

/// What is wrong with a value that no scenario takes: that is a mistake of the command line.
fn refused(group: &Group, rows: &[Row]) -> Option<Report> {
    group.values.iter().find_map(|value| {
        let plans = rows.iter().map(|row| row.plan((&group.path, value), "everything"));
        let refusals: Option<Vec<_>> = plans.map(Result::err).collect();
        refusals?.into_iter().next()
    })
}

/// Every cell: by row, then by column.
fn cells(
    rows: &[Row],
    groups: &[Group],
    interrupted: &Arc<AtomicBool>,
) -> Result<Vec<Vec<Cell>>, NoGround> {
    let columns: Vec<_> = columns::each(groups).collect();
    let row = |row: &Row| {
        let cells = (0..columns.len()).into_par_iter();
        cells.map(|at| row.cell(columns[at], interrupted)).collect::<Result<Vec<_>, _>>()
    };
    (0..rows.len()).into_par_iter().map(|at| row(&rows[at])).collect()
}
