//! An explanation in the words of `result.json`.

use super::headline::{Decision, Headline};
use super::lanes::{Kind, Lanes, Row};
use super::nearest::{Nearest, PartKind};
use super::provenance::Provenance;
use super::strips::{self, Strip, Strips};
use super::{Criticality, Explanation};
use report::record::{self, ByteRange};
use stormfs::quantity::wide;

/// Swaps that are told; the nearest are the first.
const SWAPS: usize = 12;

impl Explanation {
    /// See the module.
    pub fn recorded(&self) -> record::Story {
        let Headline { noticed_by_users, file, bytes, expected, found, .. } = &self.headline;
        let nearest = self.nearest.as_ref();
        record::Story {
            why: why(&self.headline),
            noticed_by_users: *noticed_by_users,
            file: file.clone(),
            range: bytes.map(|(start, end)| ByteRange { start, end }),
            expected: expected.clone(),
            found: found.clone(),
            turns: self.turns(),
            turns_left_out: wide(self.left_out),
            lanes: self.lanes(),
            strips: self.moments.as_ref().map(|strips| self.strips(strips)),
            provenance: self.provenance.as_ref().map(|all| self.provenance(all)),
            inevitability: self.criticality.as_ref().map(inevitability),
            nearest: nearest.map(swaps),
            needed: nearest.map(needed).unwrap_or_default(),
        }
    }

    fn turns(&self) -> Vec<record::Turn> {
        let turn = |(told, text): (&super::Told, &String)| record::Turn {
            task: told.task.clone(),
            step: told.step,
            text: text.clone(),
        };
        self.told.iter().zip(&self.story).map(turn).collect()
    }

    /// The number under which a turn is told.
    fn number(&self, turn: usize) -> Option<u64> {
        self.told.iter().position(|told| told.turn == turn).map(|at| wide(at) + 1)
    }

    fn lanes(&self) -> record::Lanes {
        let Lanes { columns, rows, left_out } = &self.lanes;
        let row = |row: &Row| record::Row {
            step: row.step,
            column: wide(row.column),
            kind: kind(row.kind),
            text: row.text.clone(),
            points: row.points,
            turn: self.number(row.turn),
            holds: row.holds.iter().map(|name| (*name).to_owned()).collect(),
        };
        record::Lanes {
            columns: columns.clone(),
            rows: rows.iter().map(row).collect(),
            left_out: wide(*left_out),
        }
    }

    fn strips(&self, all: &Strips) -> record::Strips {
        let letter = |(letter, about): &(char, String)| record::Letter {
            letter: letter.to_string(),
            about: about.clone(),
        };
        let (start, end) = all.marked;
        record::Strips {
            file: all.file.clone(),
            first_block: all.first_block,
            block_size: all.block_size,
            marked: ByteRange { start, end },
            legend: all.legend.iter().map(letter).collect(),
            strips: self.moments(all),
        }
    }

    /// The strips, with one for the last row: it shows what is wrong when it fails.
    fn moments(&self, all: &Strips) -> Vec<record::Strip> {
        let mut strips: Vec<_> = all.strips.iter().map(|strip| self.strip(strip)).collect();
        let (Some(last), Some(row)) = (strips.last(), self.lanes.rows.last()) else {
            return strips;
        };
        let end = wide(self.lanes.rows.len());
        if last.row < end {
            strips.push(record::Strip { row: end, step: row.step, ..last.clone() });
        }
        if let Some(last) = strips.last_mut().filter(|last| last.wrong.is_empty()) {
            let (from, to) = all.marked;
            let cells = |layer| (from..to).map(move |block| record::Cell { layer, block });
            last.wrong.extend(layer(&self.headline.invariant).into_iter().flat_map(cells));
        }
        strips
    }

    fn strip(&self, strip: &Strip) -> record::Strip {
        // A moment can have several rows; the last of them is told when all is done.
        let row = self.lanes.rows.iter().rposition(|row| row.at <= strip.at);
        record::Strip {
            row: row.map_or(0, |row| wide(row) + 1),
            step: row.map_or(0, |row| self.lanes.rows[row].step),
            model: strip.model.clone(),
            cache: strip.cache.clone(),
            folios: strip.folios.clone(),
            extents: strip.extents.clone(),
            disk: strip.disk.clone(),
            size: strip.size,
            wrong: strip.wrong.iter().map(cell).collect(),
        }
    }

    fn provenance(&self, all: &Provenance) -> record::Provenance {
        let link = |link: &super::provenance::Link| record::Link {
            step: link.step,
            turn: self.number(link.turn),
            text: link.text.clone(),
        };
        record::Provenance {
            pos: all.pos,
            links: all.links.iter().map(link).collect(),
            left_out: wide(all.left_out),
        }
    }
}

fn why(headline: &Headline) -> Vec<String> {
    let mut all = vec![headline.sentence.clone()];
    if let Some(origin) = &headline.origin {
        all.push(format!("The last to change the byte: {origin}."));
    }
    for Decision { name, about, value, means, right, right_means } in &headline.decisions {
        all.push(format!(
            "{about} Right (`{right}`): {right_means} Here (`{name}: {value}`): {means}"
        ));
    }
    all.extend(headline.faults.iter().map(|fault| format!("A fault strikes: {fault}.")));
    all.retain(|sentence| !sentence.is_empty());
    all
}

fn kind(kind: Kind) -> record::RowKind {
    match kind {
        Kind::Begins => record::RowKind::Begins,
        Kind::Returns => record::RowKind::Returns,
        Kind::Changes => record::RowKind::Changes,
        Kind::Decides => record::RowKind::Decides,
        Kind::Stops => record::RowKind::Stops,
        Kind::Waits => record::RowKind::Waits,
        Kind::Strikes => record::RowKind::Strikes,
        Kind::Fails => record::RowKind::Fails,
    }
}

fn cell((layer, block): &(strips::Layer, u64)) -> record::Cell {
    let layer = match layer {
        strips::Layer::Cache => record::Layer::Cache,
        strips::Layer::Disk => record::Layer::Disk,
    };
    record::Cell { layer, block: *block }
}

/// The line of the strips in which a failure is seen, if its bytes do not show it.
fn layer(invariant: &str) -> Option<record::Layer> {
    match invariant.split('_').next()? {
        "extents" | "space" => Some(record::Layer::Extents),
        "folio" => Some(record::Layer::Folios),
        "data" => Some(record::Layer::Cache),
        _ => None,
    }
}

fn inevitability(measured: &Criticality) -> record::Inevitability {
    let share = |(step, failing): (u64, u64)| record::Share { step, failing };
    record::Inevitability {
        runs: measured.runs,
        steps: measured.steps.iter().copied().map(share).collect(),
        jump: measured.jump().map(|[from, to]| record::Jump { from: share(from), to: share(to) }),
    }
}

fn swaps(nearest: &Nearest) -> record::Nearest {
    let pair = nearest.pair.iter().flat_map(|(one, other)| [one, other]);
    record::Nearest {
        switches: wide(nearest.switches),
        tried: wide(nearest.tried),
        failing: wide(nearest.failing),
        passing: wide(nearest.swaps.len()),
        swaps: nearest.swaps.iter().take(SWAPS).cloned().collect(),
        pair: pair.cloned().collect(),
    }
}

fn needed(nearest: &Nearest) -> Vec<record::CasePart> {
    let part = |part: &super::nearest::Part| record::CasePart {
        kind: match part.kind {
            PartKind::Call => record::CasePartKind::Call,
            PartKind::Fault => record::CasePartKind::Fault,
            PartKind::Decision => record::CasePartKind::Decision,
        },
        what: part.what.clone(),
        needed: part.needed,
    };
    nearest.without.iter().map(part).collect()
}
