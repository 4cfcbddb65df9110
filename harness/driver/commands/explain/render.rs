//! An explanation as text for a terminal.

use crate::commands::prose::wrapped;
use crate::explain::{
    Criticality, Explanation, Headline, Kind, Lanes, Nearest, Part, PartKind, Row, Strip, Strips,
};
use std::fmt::Write;

/// The widest name of a column.
const NAME: usize = 9;

/// Strips of at most so many blocks are shown with what the model expects.
const WITH_MODEL: usize = 10;

/// Columns that are wider together are named by letters.
const WIDEST: usize = 44;

/// The whole text; `styled`: headings are bold.
pub(super) fn text(explanation: &Explanation, styled: bool) -> String {
    let mut out = Text { out: String::new(), styled };
    out.headline(&explanation.headline);
    out.heading("What happened");
    if 0 < explanation.left_out {
        let turns = explanation.left_out;
        out.line(&format!("   (earlier turns that matter, left out: {turns})"));
    }
    for (number, sentence) in (1..).zip(&explanation.story) {
        out.out.push_str(&wrapped(&format!("{number:2}. "), &visible(sentence)));
    }
    out.lanes(&explanation.lanes);
    if let Some(strips) = &explanation.strips {
        out.strips(strips);
    }
    if let Some(nearest) = &explanation.nearest {
        out.nearest(nearest);
    }
    if let Some(criticality) = &explanation.criticality {
        out.criticality(criticality, &explanation.lanes);
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
        let _ = writeln!(self.out, "\n{bold}{text}{plain}");
    }

    fn headline(&mut self, headline: &Headline) {
        let (bold, plain) = if self.styled { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(self.out, "{bold}{} fails{plain}", headline.invariant);
        self.out.push_str(&wrapped("    ", &visible(&headline.sentence)));
        let place = match (&headline.file, headline.bytes) {
            (Some(file), Some((from, to))) => format!("bytes [{from}, {to}) of {file}"),
            (Some(file), None) => format!("file {file}"),
            (None, Some((from, to))) => format!("bytes [{from}, {to})"),
            (None, None) => "the whole filesystem".to_owned(),
        };
        let mut rows = vec![("where", place), ("expected", headline.expected.clone())];
        rows.push(("found", headline.found.clone()));
        rows.extend(headline.origin.clone().map(|origin| ("changed", origin)));
        rows.extend(headline.operation.clone().map(|operation| ("seen by", operation)));
        for decision in &headline.decisions {
            rows.push(("decided", format!("{}: {}", decision.name, decision.value)));
        }
        rows.extend(headline.faults.iter().map(|fault| ("fault", fault.clone())));
        for (name, text) in rows {
            self.out.push_str(&wrapped(&format!("  {name:8}  "), &visible(&text)));
        }
    }

    fn lanes(&mut self, lanes: &Lanes) {
        self.heading("Event by event");
        let mut names: Vec<String> = lanes.columns.iter().map(|name| short(name)).collect();
        if WIDEST < names.iter().map(|name| name.len() + 1).sum() {
            names = ('a'..='z').cycle().take(names.len()).map(String::from).collect();
            let key =
                names.iter().zip(&lanes.columns).map(|(letter, name)| format!("{letter} {name}"));
            let key = key.collect::<Vec<_>>().join(", ");
            self.out.push_str(&wrapped("        ", &visible(&key)));
        }
        self.line(&format!("  step  {}", names.join(" ")));
        if 0 < lanes.left_out {
            self.line(&format!("        (earlier events, left out: {})", lanes.left_out));
        }
        for (at, row) in lanes.rows.iter().enumerate() {
            let passed = row.points.saturating_sub(1);
            if 1 < passed {
                let gap = " ".repeat(names.iter().map(|name| name.len() + 1).sum());
                self.line(&format!("        {gap}... {passed} points"));
            }
            let mut cells = String::new();
            for (column, name) in names.iter().enumerate() {
                let _ = write!(cells, "{:^w$} ", mark(lanes, at, column), w = name.len());
            }
            let first = format!("{:6}  {cells}", row.step);
            self.out.push_str(&wrapped(&first, &visible(&row.text)));
        }
    }

    fn strips(&mut self, strips: &Strips) {
        self.heading(&format!("The blocks of {} after each of these turns", strips.file));
        let width = strips.strips.first().map_or(0, |strip| strip.extents.chars().count());
        let width = width.max(8);
        // Where the blocks are many, there is no room on a line for what is expected.
        let left = usize::from(WITH_MODEL < width);
        let row = |name: &str, cells: [&str; 5], size: &str| {
            let cells = cells.map(|cell| format!("{cell:width$}"))[left..].join(" ");
            format!("  {:11} {cells} {size}", name.chars().take(11).collect::<String>())
        };
        self.line(&row("", ["model", "cache", "folios", "extents", "disk"], "i_size"));
        for strip in &strips.strips {
            let cells = [&strip.model, &strip.cache, &strip.folios, &strip.extents, &strip.disk];
            self.line(&row(&strip.caption, cells.map(String::as_str), &strip.size.to_string()));
        }
        let (from, to) = strips.marked;
        let blank = " ".repeat(usize::try_from(from).unwrap_or_default());
        let marks = "^".repeat(usize::try_from(to.saturating_sub(from)).unwrap_or_default());
        let marks = format!("{blank}{marks}");
        self.line(&row("", [&marks; 5].map(String::as_str), ""));
        let mut legend =
            format!("blocks of {} bytes from block {}; ", strips.block_size, strips.first_block);
        let shown = |letter: char| {
            let lines = |strip: &Strip| {
                let told = [&strip.model, &strip.cache, &strip.disk].map(|it| it.contains(letter));
                told[left..].contains(&true)
            };
            strips.strips.iter().any(lines)
        };
        for (letter, about) in strips.legend.iter().filter(|(letter, _)| shown(*letter)) {
            let _ = write!(legend, "{letter} {about}; ");
        }
        legend.push_str("folios: - none, . not uptodate, c clean, D dirty, W in writeback; ");
        legend.push_str("extents: . hole, d delalloc, u unwritten, M mapped");
        self.out.push_str(&wrapped("  ", &visible(&legend)));
    }

    fn nearest(&mut self, nearest: &Nearest) {
        self.heading("What would have prevented it");
        let Nearest { switches, tried, failing, swaps, pair, without } = nearest;
        let mut say = |text: &str| self.out.push_str(&wrapped("  ", &visible(text)));
        match (swaps.first(), pair) {
            _ if *switches == 0 => {
                say(
                    "No switch is needed: it fails when every call runs until it waits or returns.",
                );
            }
            (Some(swap), _) => say(&format!("If {swap}, nothing breaks.")),
            (None, Some((one, other))) => {
                say(&format!("No single swap helps. If {one}, and {other}, nothing breaks."));
            }
            (None, None) => say("None of the swaps and pairs of swaps that were tried helps."),
        }
        if *switches != 0 {
            let passing = swaps.len();
            say(&format!(
                "Schedules one swap away: {tried} tried, {failing} end the same way, {passing} pass."
            ));
        }
        for (kind, name) in
            [(PartKind::Call, "call"), (PartKind::Fault, "fault"), (PartKind::Decision, "decision")]
        {
            let all: Vec<&Part> = without.iter().filter(|part| part.kind == kind).collect();
            let spare = all.iter().filter(|part| !part.needed).map(|part| part.what.as_str());
            let spare: Vec<&str> = spare.collect();
            let text = match (&all[..], spare.len()) {
                ([], _) => continue,
                ([_], 0) if kind == PartKind::Call => continue,
                ([one], 0) => format!("Without its only {name} nothing breaks: {}.", one.what),
                (_, 0) => format!("Without any one of its {} {name}s nothing breaks.", all.len()),
                _ => format!(
                    "Without this {name} it fails, too, perhaps otherwise: {}.",
                    spare.join("; ")
                ),
            };
            say(&text);
        }
    }

    fn criticality(&mut self, criticality: &Criticality, lanes: &Lanes) {
        let Some([(before, few), (after, many)]) = criticality.jump() else { return };
        let runs = criticality.runs;
        let text = format!(
            "Followed only up to step {before}, and left to chance from there, {few} of {runs} runs \
             end the same way; followed up to step {after}, {many} do."
        );
        let between = lanes.rows.iter().filter(|row| before < row.step && row.step <= after);
        let between: Vec<String> =
            between.map(|row| format!("{}: {}", lanes.columns[row.column], row.text)).collect();
        let text = match &between[..] {
            [] => text,
            some => format!("{text} In between: {}.", some.join("; ")),
        };
        self.out.push_str(&wrapped("  ", &visible(&text)));
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
