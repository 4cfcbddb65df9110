//! The cells as tables: for a terminal, and in Markdown. One table for each path.

use super::cell::{Cell, Row};
use super::columns::{Group, each};
use super::legend::legend;
use crate::commands::prose::wrapped;

/// Columns of a heading that is broken into lines, where it has underscores.
const HEADING: usize = 12;

/// All there is to tell.
pub(super) struct Grid {
    /// The scenarios.
    pub(super) rows: Vec<Row>,
    /// The values.
    pub(super) groups: Vec<Group>,
    /// By row, then by column.
    pub(super) cells: Vec<Vec<Cell>>,
}

impl Grid {
    /// Every cell with its row and its column.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Row, (&str, &str), &Cell)> {
        let rows = self.rows.iter().zip(&self.cells);
        rows.flat_map(|(row, cells)| {
            each(&self.groups).zip(cells).map(move |(column, cell)| (row, column, cell))
        })
    }

    /// Aligned columns, and below them what the words mean.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (group, first) in self.tables() {
            text.extend([&group.path, "\n"]);
            text.push_str(&self.aligned(group, first));
            text.push('\n');
        }
        for (word, about) in legend(self) {
            text.push_str(&wrapped(&format!("{word:<14}"), &about));
        }
        text
    }

    /// Markdown tables, and below them what the words mean.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        for (group, first) in self.tables() {
            let heading = group.values.iter().map(|value| format!(" `{value}` |"));
            text.extend(["| `", &group.path, "` |"]);
            text.extend(heading);
            text.extend(["\n|---|", &"---|".repeat(group.values.len()), "\n"]);
            for (row, cells) in self.rows.iter().zip(&self.cells) {
                text.extend(["| ", &row.title("`"), " |"]);
                let cells = &cells[first..first + group.values.len()];
                text.extend(cells.iter().map(|cell| format!(" {} |", cell.word())));
                text.push('\n');
            }
            text.push('\n');
        }
        for (word, about) in legend(self) {
            text.extend(["* **", word, "**: ", &about, "\n"]);
        }
        text
    }

    /// Each group with the number of its first column.
    fn tables(&self) -> impl Iterator<Item = (&Group, usize)> {
        self.groups.iter().scan(0, |next, group| {
            let first = *next;
            *next += group.values.len();
            Some((group, first))
        })
    }

    fn aligned(&self, group: &Group, first: usize) -> String {
        let mut columns = vec![self.names()];
        for (at, value) in group.values.iter().enumerate() {
            let cells = self.cells.iter().map(|cells| cells[first + at].word().to_owned());
            columns.push((broken(value), cells.collect()));
        }
        let height = columns.iter().map(|(heading, _)| heading.len()).max().unwrap_or(0);
        let mut lines = vec![String::new(); height + self.rows.len()];
        for (heading, cells) in &columns {
            let width = heading.iter().chain(cells).map(|cell| cell.chars().count()).max();
            let width = width.unwrap_or(0);
            let blank = std::iter::repeat_n(String::new(), height - heading.len());
            let column = blank.chain(heading.iter().chain(cells).cloned());
            for (line, cell) in lines.iter_mut().zip(column) {
                line.extend(["  ".to_owned(), format!("{cell:<width$}")]);
            }
        }
        lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
    }

    fn names(&self) -> (Vec<String>, Vec<String>) {
        (Vec::new(), self.rows.iter().map(|row| row.title("")).collect())
    }
}

/// A value in lines of a column's width, broken behind underscores.
fn broken(value: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in value.split_inclusive('_') {
        let last = lines.last_mut().expect("there is a line from the start");
        if !last.is_empty() && HEADING < last.len() + piece.len() {
            lines.push(piece.to_owned());
        } else {
            last.push_str(piece);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_broken_behind_underscores() {
        assert_eq!(broken("skip_if_stale_carry_new"), ["skip_if_", "stale_carry_", "new"]);
        assert_eq!(broken("v6.12"), ["v6.12"]);
        assert_eq!(broken("averyveryverylongword_x"), ["averyveryverylongword_", "x"]);
    }
}
