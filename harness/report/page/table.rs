//! Tables: a caption, a head, rows, and a frame that scrolls sideways on a narrow screen.

use super::html::Html;

/// A column of a table.
pub(super) struct Column {
    /// Its heading.
    pub(super) title: &'static str,
    /// Whether it holds numbers, which line up at the right.
    pub(super) numeric: bool,
}

/// A column of words.
pub(super) const fn words(title: &'static str) -> Column {
    Column { title, numeric: false }
}

/// A column of numbers.
pub(super) const fn numbers(title: &'static str) -> Column {
    Column { title, numeric: true }
}

/// One cell. The first cell of a row is its heading.
pub(super) enum Cell {
    /// A name that scripts and scenarios use.
    Name(String),
    /// Prose or a number.
    Text(String),
    /// Something the reader should notice, marked by a shape as well.
    Warning(&'static str),
    /// Nothing to show; screen readers hear why.
    Missing(&'static str),
}

/// Adds a handful of numbers, each with what it counts.
pub(super) fn figures(html: &mut Html, figures: &[(String, &str)]) {
    html.element("dl", &[("class", "figures")], |html| {
        for (value, label) in figures {
            html.element("div", &[], |html| {
                html.line("dt", "", label);
                html.line("dd", "", value);
            });
        }
    });
    html.markup("\n");
}

/// Adds a table, unless it has no rows.
pub(super) fn table(html: &mut Html, caption: &str, columns: &[Column], rows: &[Vec<Cell>]) {
    if rows.is_empty() {
        return;
    }
    let frame =
        [("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")];
    html.element("div", &frame, |html| {
        html.element("table", &[], |html| {
            html.line("caption", "", caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for column in columns {
                        let class = if column.numeric { "number" } else { "" };
                        html.element("th", &attributes("col", class), |html| {
                            html.text(column.title);
                        });
                    }
                });
            });
            html.element("tbody", &[], |html| {
                for row in rows {
                    html.element("tr", &[], |html| {
                        for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
                            add_cell(html, index == 0, column, cell);
                        }
                    });
                    html.markup("\n");
                }
            });
        });
    });
    html.markup("\n");
}

fn add_cell(html: &mut Html, heading: bool, column: &Column, cell: &Cell) {
    let class = if column.numeric { "number" } else { "" };
    let tag = if heading { "th" } else { "td" };
    html.element(tag, &attributes(if heading { "row" } else { "" }, class), |html| match cell {
        Cell::Name(name) => html.line("code", "", name),
        Cell::Text(text) => html.text(text),
        Cell::Warning(text) => {
            html.markup("<span class=\"warning\"><span aria-hidden=\"true\">\u{25b2}</span> ");
            html.text(text);
            html.markup("</span>");
        }
        Cell::Missing(reason) => {
            html.markup("<span class=\"missing\" aria-hidden=\"true\">\u{b7}</span>");
            html.line("span", "unseen", reason);
        }
    });
}

fn attributes<'a>(scope: &'a str, class: &'a str) -> Vec<(&'static str, &'a str)> {
    let all = [("scope", scope), ("class", class)];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
