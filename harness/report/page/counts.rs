//! What happened and how often, and which faults struck.

use super::html::Html;
use super::table::{Cell, numbers, table, words};
use crate::number;
use crate::record::{Explored, Level, Record, World};

/// Adds the section on operations and errors.
pub(super) fn counts(html: &mut Html, record: &Record) {
    let counts = &record.counts;
    html.section("counts", "Counts", |html| {
        html.element("div", &[("class", "columns")], |html| {
            let runs = match record.explored {
                Some(_) => "Schedules that were tried out",
                None => "Seeds that ran to their end",
            };
            let is_real = record.device.mounted.is_some();
            let mut totals = Vec::new();
            if !is_real {
                totals.push((runs, number::count(counts.seeds_done)));
            }
            totals.extend([
                ("Operations", number::count(counts.operations)),
                ("Verified operations", number::count(counts.verified_operations)),
                (
                    "Failed operations",
                    number::count(number::sum(counts.failed_operations.values().copied())),
                ),
                ("Bytes written", number::bytes(counts.bytes_written)),
                ("Bytes read", number::bytes(counts.bytes_read)),
            ]);
            if !is_real {
                totals.push(("Deviations of the rules", number::count(counts.deviations)));
            }
            if record.world == World::Simulated {
                totals.push(("Scheduling points", number::count(counts.scheduling_points)));
                totals.push(("Switches of actors", number::count(counts.switches)));
            }
            let rows: Vec<_> = totals
                .into_iter()
                .map(|(name, value)| vec![text(name), Cell::Text(value)])
                .collect();
            let caption = match record.explored {
                Some(_) => "Totals over all schedules",
                None if is_real => "Totals",
                None => "Totals over all seeds",
            };
            table(html, caption, &[words("What"), numbers("How many")], &rows);
            if let Some(explored) = &record.explored {
                levels(html, explored);
            }
            let strategies: Vec<_> = counts.strategies.iter().map(pair).collect();
            if 1 < strategies.len() {
                let columns = [words("Strategy"), numbers("Seeds")];
                table(html, "Seeds by strategy", &columns, &strategies);
            }
            let kinds: Vec<_> = counts.operations_by_kind.iter().map(pair).collect();
            table(html, "Operations by kind", &[words("Operation"), numbers("Ended")], &kinds);
            let errors: Vec<_> = counts.failed_operations.iter().map(pair).collect();
            let columns = [words("Errno"), numbers("Returned")];
            table(html, "Errors that operations returned", &columns, &errors);
        });
    });
}

/// What was tried out, by what it cost.
fn levels(html: &mut Html, explored: &Explored) {
    let row = |level: &Level| {
        vec![
            Cell::Text(level.cost()),
            Cell::Text(number::count(level.schedules)),
            Cell::Text(level.all()),
        ]
    };
    let rows: Vec<_> = explored.levels.iter().map(row).collect();
    let columns = [words("Schedules with"), numbers("Tried"), numbers("Of")];
    table(html, &explored.line(), &columns, &rows);
}

/// Adds the section on faults.
pub(super) fn faults(html: &mut Html, record: &Record) {
    html.section("faults", "Faults", |html| {
        if record.counts.faults.is_empty() {
            html.markup("<p>The scenario asks for no faults.</p>");
            return;
        }
        // A fault that never struck tests nothing, so it comes first.
        let mut faults: Vec<_> = record.counts.faults.iter().collect();
        faults.sort_by_key(|(_, fault)| fault.fired > 0);
        let rows: Vec<_> = faults
            .into_iter()
            .map(|(kind, fault)| {
                let remark = match (fault.armed, fault.fired) {
                    (0, 0) => Cell::Warning("never armed"),
                    (_, 0) => Cell::Warning("never fired"),
                    _ => text(""),
                };
                let numbers = [fault.armed, fault.fired].map(|n| Cell::Text(number::count(n)));
                let [armed, fired] = numbers;
                vec![Cell::Name(kind.clone()), armed, fired, remark]
            })
            .collect();
        let columns = [words("Fault"), numbers("Armed"), numbers("Fired"), words("Remark")];
        table(html, "Faults armed and fired", &columns, &rows);
    });
}

fn pair((name, n): (&String, &u64)) -> Vec<Cell> {
    vec![Cell::Name(name.clone()), Cell::Text(number::count(*n))]
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}
