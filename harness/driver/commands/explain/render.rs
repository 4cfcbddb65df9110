//! An explanation as text for a terminal.

use crate::commands::prose::wrapped;
use crate::explain::{Explanation, Headline, Kind, Lanes, Row, Strips};
use std::fmt::Write;

/// The widest name of a column.
const NAME: usize = 8;

/// The whole text; `styled`: headings are bold.
pub fn text(explanation: &Explanation, styled: bool) -> String {
    let mut out = Text { out: String::new(), styled };
    out.headline(&explanation.headline);
    out.heading("What happened");
    if 0 < explanation.left_out {
        let turns = explanation.left_out;
        out.line(&format!("   ({turns} earlier turns that touched the same bytes are left out)"));
    }
    for (number, sentence) in (1..).zip(&explanation.story) {
        out.out.push_str(&wrapped(&format!("{number:2}. "), &visible(sentence)));
    }
    out.lanes(&explanation.lanes);
    if let Some(strips) = &explanation.strips {
        out.strips(strips);
    }
    out.out
}

struct Text {
    out: String,
    styled: bool,
}

impl Text {
    fn line(&mut self, line: &str) {
        self.out.push_str(visible(line).trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        let (bold, plain) = if self.styled { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        self.out.push_str(&format!("\n{bold}{text}{plain}\n"));
    }

    fn headline(&mut self, headline: &Headline) {
        let (bold, plain) = if self.styled { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        self.out.push_str(&format!("{bold}{} fails{plain}\n", headline.invariant));
        self.out.push_str(&wrapped("    ", &visible(&headline.sentence)));
        let place = match (&headline.file, headline.bytes) {
            (Some(file), Some((from, to))) => format!("bytes [{from}, {to}) of {file}"),
            (Some(file), None) => format!("file {file}"),
            (None, Some((from, to))) => format!("bytes [{from}, {to})"),
            (None, None) => "the whole filesystem".to_owned(),
        };
        let mut rows = vec![("where", place), ("expected", headline.expected.clone())];
        rows.push(("found", headline.found.clone()));
        rows.extend(headline.origin.clone().map(|origin| ("because", origin)));
        rows.extend(headline.operation.clone().map(|operation| ("seen by", operation)));
        for decision in &headline.decisions {
            rows.push(("decided", format!("{}: {}", decision.name, decision.value)));
        }
        for (name, text) in rows {
            self.out.push_str(&wrapped(&format!("  {name:8}  "), &visible(&text)));
        }
    }

    fn lanes(&mut self, lanes: &Lanes) {
        self.heading("Event by event");
        let names: Vec<String> = lanes.columns.iter().map(|name| short(name)).collect();
        let header: String = names.iter().map(|name| format!("{name} ")).collect();
        self.line(&format!("  step  {header}"));
        for (at, row) in lanes.rows.iter().enumerate() {
            let passed = row.points.saturating_sub(1);
            if 1 < passed {
                let gap: String =
                    names.iter().map(|name| format!("{:w$} ", "", w = name.len())).collect();
                self.line(&format!("        {gap}... {passed} points"));
            }
            let cells: String = (0..names.len())
                .map(|column| format!("{:^w$} ", mark(lanes, at, column), w = names[column].len()))
                .collect();
            let first = format!("{:6}  {cells}", row.step);
            self.out.push_str(&wrapped(&first, &visible(&row.text)));
        }
    }

    fn strips(&mut self, strips: &Strips) {
        self.heading(&format!("Blocks of {}", strips.file));
        let last = strips.strips.first().map_or(0, |strip| strip.extents.chars().count());
        let last = strips.first_block + u64::try_from(last).unwrap_or_default();
        let size = strips.block_size;
        self.line(&format!("  blocks {}..{last} of {size} bytes", strips.first_block));
        for strip in &strips.strips {
            self.line(&format!("  {} (i_size {})", strip.caption, strip.size));
            for (name, row) in [
                ("cache", &strip.cache),
                ("folios", &strip.folios),
                ("extents", &strip.extents),
                ("disk", &strip.disk),
            ] {
                self.line(&format!("    {name:8} {row}"));
            }
        }
        let (from, to) = strips.marked;
        let blank = " ".repeat(usize::try_from(from).unwrap_or_default());
        let marks = "^".repeat(usize::try_from(to.saturating_sub(from)).unwrap_or_default());
        self.line(&format!("             {blank}{marks}"));
        let mut legend = String::new();
        for (letter, about) in &strips.legend {
            let _ = write!(legend, "{letter} {about}; ");
        }
        legend.push_str("folios: - none, . not uptodate, c clean, D dirty, W in writeback; ");
        legend.push_str("extents: . hole, d delalloc, u unwritten, M mapped");
        self.out.push_str(&wrapped("    ", &visible(&legend)));
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME).collect()
}

/// What stands in a column beside a row.
fn mark(lanes: &Lanes, at: usize, column: usize) -> &'static str {
    let row = &lanes.rows[at];
    if row.column == column {
        return match row.kind {
            Kind::Begins => "/",
            Kind::Returns => "\\",
            Kind::Changes => "*",
            Kind::Decides => "?",
            Kind::Stops => "-",
            Kind::Waits => "~",
            Kind::Strikes => "!",
            Kind::Fails => "X",
        };
    }
    let own = |row: &&Row| row.column == column;
    match lanes.rows[..at].iter().rev().find(own).map(|row| row.kind) {
        None | Some(Kind::Returns) => " ",
        Some(Kind::Waits) => "~",
        Some(_) => "|",
    }
}

/// Characters that could steer a terminal are written as escapes.
fn visible(text: &str) -> String {
    report::visible::block(text).into_owned()
}
