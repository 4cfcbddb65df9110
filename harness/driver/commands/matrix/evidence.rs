//! The cells as JSON, with the evidence of each.

use super::cell::{Cell, Evidence, Row, overrides};
use super::columns::each;
use super::grid::Grid;
use report::reproduce;
use serde_json::{Map, Value, json};

impl Grid {
    /// Columns and rows, each row with a cell for each column.
    pub(super) fn json(&self) -> String {
        let columns =
            each(&self.groups).map(|(path, value)| json!({ "path": path, "value": value }));
        let rows = self.rows.iter().zip(&self.cells).map(|(row, cells)| {
            let cells = each(&self.groups).zip(cells);
            let cells: Vec<_> = cells.map(|(column, cell)| object(row, column, cell)).collect();
            let plan = &row.plan;
            let own = row.own_decisions().map(|(name, value)| (name.to_owned(), json!(value)));
            json!({
                "scenario": plan.name,
                "file": row.file,
                "about": plan.about,
                "decisions": own.collect::<Map<_, _>>(),
                "cells": cells,
            })
        });
        let columns: Vec<_> = columns.collect();
        let rows: Vec<_> = rows.collect();
        format!("{:#}\n", json!({ "columns": columns, "rows": rows }))
    }
}

fn object(row: &Row, (path, value): (&str, &str), cell: &Cell) -> Value {
    let (mut first, mut noticed, mut reason) = (Value::Null, Value::Null, Value::Null);
    match cell {
        Cell::Harmed(harmed) => {
            first = evidence(row, (path, value), "everything", &harmed.first);
            let later = harmed.noticed.as_ref();
            reason = harmed.cut_short.as_ref().map_or(Value::Null, |why| json!(why));
            noticed = later.map_or(Value::Null, |late| evidence(row, (path, value), "bytes", late));
        }
        Cell::Impossible(why) => reason = json!(why),
        Cell::Clean | Cell::Unfinished | Cell::Undetermined => {}
    }
    json!({
        "path": path,
        "value": value,
        "outcome": cell.word(),
        "first": first,
        "noticed": noticed,
        "reason": reason,
    })
}

fn evidence(row: &Row, (path, value): (&str, &str), judge: &str, found: &Evidence) -> Value {
    let Evidence { violation, seed } = found;
    let mut changes = overrides(&row.sets, Some((path, value)), judge);
    let scripted = row.plan.is_without_seeds();
    if !scripted {
        changes.push(("seeds".to_owned(), "1".to_owned()));
    }
    let changes: Vec<_> = changes.iter().map(|(path, value)| format!("{path}={value}")).collect();
    let seed = report::record::Seed(seed.0).to_string();
    let again = (!scripted).then_some(seed.as_str());
    json!({
        "invariant": violation.invariant,
        "file": violation.file.map(|file| row.plan.files[file].name.as_str()),
        "range": violation.range.map(|range| json!({ "start": range.start, "end": range.end })),
        "expected": violation.expected,
        "found": violation.found,
        "reproduce": reproduce::command("pagestorm", &row.file, again, &changes),
        "seed": seed,
    })
}
