//! The mistakes of a scenario, located and rendered the way rustc does it.

use super::locate::{Text, line_and_column};
use super::node::{Node, Place};
use super::overrides::shown;
use super::path::OPTION;
use super::problem::{Problem, Problems};
use super::yaml::Broken;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use report::visible;
use std::fmt;
use std::ops::Range;

/// Everything that is wrong with one scenario.
#[derive(Debug)]
pub struct Report {
    name: String,
    text: String,
    overrides: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    left_out: usize,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// More that is known, each a line.
    pub notes: Vec<String>,
    /// What to do; each a line. Never empty.
    pub help: Vec<String>,
    /// Where; `None` if the file as a whole is to blame.
    pub span: Option<Span>,
    second: Option<(Span, String)>,
}

/// A piece of a scenario or of an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The number of the override, from 0; `None` if it is a piece of the scenario.
    pub from_override: Option<usize>,
    /// The bytes of the scenario, or of the override as it is shown.
    pub bytes: Range<usize>,
    /// Counts from 1.
    pub line: usize,
    /// Counts characters from 1.
    pub column: usize,
}

impl Diagnostic {
    fn new(
        message: String,
        help: String,
        span: Option<Span>,
        second: Option<(Span, String)>,
    ) -> Diagnostic {
        Diagnostic { message, notes: Vec::new(), help: vec![help], span, second }
    }
}

impl Span {
    /// Marks only `bytes` of `whole`, if that stands here as it is, perhaps in quotes.
    fn narrow(&mut self, source: &str, whole: &str, bytes: Range<usize>) {
        let here = &source[self.bytes.start..];
        let quotes = usize::from(here.starts_with(['"', '\'']));
        if here[quotes..].starts_with(whole) {
            let start = self.bytes.start + quotes;
            self.column += source[self.bytes.start..start + bytes.start].chars().count();
            self.bytes = start + bytes.start..start + bytes.end;
        }
    }
}

impl Report {
    /// More than this nobody reads, and to locate one takes as long as to read the scenario.
    pub const MOST: usize = 50;

    /// Every mistake, in the order of the text, those of the command line last; the first
    /// [`Report::MOST`] of them.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The mistakes as rustc shows them, without or with colours.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut pages: Vec<_> =
            self.diagnostics.iter().map(|one| renderer.render(&[self.group(one)])).collect();
        let total = self.diagnostics.len() + self.left_out;
        if 1 < total {
            let shown = match self.left_out {
                0 => String::new(),
                _ => format!("; the first {} are shown", self.diagnostics.len()),
            };
            let title = format!("{total} mistakes in {}{shown}", self.name);
            pages.push(renderer.render(&[Group::with_title(Level::ERROR.primary_title(title))]));
        }
        let text = pages.join("\n\n") + "\n";
        // Colours are escapes themselves.
        if styled { text } else { visible::block(&text).into_owned() }
    }

    /// `file:line:column: message (help)`, one line for each mistake.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.diagnostics.iter().map(|one| {
            let place = match &one.span {
                None => self.name.clone(),
                Some(Span { from_override: Some(number), .. }) => self.overrides[*number].clone(),
                Some(Span { line, column, .. }) => format!("{}:{line}:{column}", self.name),
            };
            format!("{place}: {} ({})", one.message, one.help.join("; "))
        })
    }

    /// The same, if the last override was not given as `--set` but as `option`, which begins with
    /// `--` and ends with a space.
    #[must_use]
    pub fn last_given_as(mut self, option: &str) -> Report {
        let Some(last) = self.overrides.len().checked_sub(1) else { return self };
        let Some(given) = self.overrides[last].strip_prefix(OPTION) else { return self };
        self.overrides[last] = format!("{option}{given}");
        let moved = |at: usize| (at + option.len()).saturating_sub(OPTION.len());
        for one in &mut self.diagnostics {
            let second = one.second.as_mut().map(|(span, _)| span);
            for span in one.span.iter_mut().chain(second) {
                if span.from_override == Some(last) {
                    span.bytes = moved(span.bytes.start)..moved(span.bytes.end);
                    span.column = moved(span.column);
                }
            }
        }
        self
    }

    /// A mistake of the file as a whole.
    pub(super) fn of_file(name: &str, message: String, help: String) -> Report {
        let diagnostic = Diagnostic::new(message, help, None, None);
        Report::new(name, "", &[], vec![diagnostic], 0)
    }

    /// A mistake at `place` in a tree, or of the file as a whole.
    pub(super) fn of_place(
        name: &str,
        text: &str,
        root: &Node,
        place: Option<Place>,
        (message, help): (String, String),
    ) -> Report {
        let Some(place) = place else { return Report::of_file(name, message, help) };
        let problems = Problems::default();
        problems.add(Problem::at(place, message).help(help));
        Report::of_problems(name, text, root, &[], problems)
    }

    /// A text that is no tree.
    pub(super) fn of_broken(name: &str, text: &str, broken: Broken) -> Report {
        let span = broken.at.map(|at| span_at(text, at));
        let began = broken.began.filter(|began| Some(*began) != broken.at);
        let second = began.map(|at| (span_at(text, at), "it begins here".to_owned()));
        let Broken { message, help, .. } = broken;
        let diagnostic = Diagnostic::new(message, help, span, second);
        Report::new(name, text, &[], vec![diagnostic], 0)
    }

    /// Everything that was found in a tree.
    pub(super) fn of_problems(
        name: &str,
        text: &str,
        root: &Node,
        overrides: &[(String, String)],
        problems: Problems,
    ) -> Report {
        let shown: Vec<_> = overrides.iter().map(shown).collect();
        let (problems, left_out) = problems.into_sorted();
        let left_out = left_out + problems.len().saturating_sub(Report::MOST);
        let places = Text { text, root };
        let locate = |place| span(&places, &shown, place);
        let diagnostics = problems.into_iter().take(Report::MOST).map(|problem| {
            let Problem { place, message, part, notes, help, second } = problem;
            let second = second.and_then(|(place, label)| Some((locate(place)?, label)));
            let mut span = locate(place);
            if let (Some(span), Some((whole, bytes))) = (&mut span, part) {
                let number = span.from_override;
                span.narrow(number.map_or(text, |number| &shown[number]), &whole, bytes);
            }
            Diagnostic { message, notes, help, span, second }
        });
        let diagnostics = diagnostics.collect();
        Report::new(name, text, &shown, diagnostics, left_out)
    }

    fn new(
        name: &str,
        text: &str,
        overrides: &[String],
        diagnostics: Vec<Diagnostic>,
        left_out: usize,
    ) -> Report {
        Report {
            name: visible::line(name).into_owned(),
            text: text.to_owned(),
            overrides: overrides.to_vec(),
            diagnostics,
            left_out,
        }
    }

    fn group<'a>(&'a self, one: &'a Diagnostic) -> Group<'a> {
        let mut elements: Vec<Element<'a>> = Vec::new();
        match (&one.span, &one.second) {
            (None, _) => elements.push(Origin::path(self.name.as_str()).into()),
            (Some(span), Some((second, label))) if second.from_override == span.from_override => {
                elements.push(self.snippet(span, Some((second, label))).into());
            }
            (Some(span), second) => {
                elements.push(self.snippet(span, None).into());
                if let Some((second, label)) = second {
                    elements.push(self.snippet_of(second, label).into());
                }
            }
        }
        let notes = one.notes.iter().map(|note| Level::NOTE.message(note.as_str()).into());
        elements.extend(notes);
        let help = one.help.iter().map(|help| Level::HELP.message(help.as_str()).into());
        elements.extend(help);
        Level::ERROR.primary_title(one.message.as_str()).elements(elements)
    }

    fn source(&self, span: &Span) -> (&str, &str) {
        match span.from_override {
            Some(number) => (&self.overrides[number], "command line"),
            None => (&self.text, &self.name),
        }
    }

    fn snippet<'a>(
        &'a self,
        span: &Span,
        second: Option<(&Span, &'a String)>,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let (text, name) = self.source(span);
        let first =
            second.map_or(span.bytes.start, |(other, _)| other.bytes.start.min(span.bytes.start));
        let last = second.map_or(span.bytes.end, |(other, _)| other.bytes.end.max(span.bytes.end));
        let (lines, number) = lines_around(text, first, last);
        let shift = |bytes: &Range<usize>| bytes.start - lines.start..bytes.end - lines.start;
        let snippet = Snippet::source(&text[lines.clone()])
            .path(name)
            .line_start(number)
            .annotation(AnnotationKind::Primary.span(shift(&span.bytes)));
        snippet.annotations(second.map(|(other, label)| {
            AnnotationKind::Context.span(shift(&other.bytes)).label(label.as_str())
        }))
    }

    fn snippet_of<'a>(
        &'a self,
        span: &Span,
        label: &'a str,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let (text, name) = self.source(span);
        let (lines, number) = lines_around(text, span.bytes.start, span.bytes.end);
        let bytes = span.bytes.start - lines.start..span.bytes.end - lines.start;
        Snippet::source(&text[lines])
            .path(name)
            .line_start(number)
            .annotation(AnnotationKind::Context.span(bytes).label(label))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}

fn span(places: &Text<'_>, overrides: &[String], place: Place) -> Option<Span> {
    match place {
        Place::Text(number) => {
            let bytes = places.bytes(number)?;
            let (line, column) = line_and_column(places.text, bytes.start);
            Some(Span { from_override: None, bytes, line, column })
        }
        Place::Set { number, start, end } => {
            let text = &overrides[number];
            let end = text.floor_char_boundary(end.max(start + 1));
            let bytes = text.floor_char_boundary(start)..end;
            let column = text[..bytes.start].chars().count() + 1;
            Some(Span { from_override: Some(number), bytes, line: 1, column })
        }
    }
}

/// One character at `at`; what is missing at the end of the text is shown behind its last line.
fn span_at(text: &str, at: usize) -> Span {
    let start = if text[at..].trim().is_empty() && !text[at..].starts_with('\t') {
        text.trim_end().len()
    } else {
        at
    };
    let length = text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let (line, column) = line_and_column(text, start);
    Span { from_override: None, bytes: start..start + length, line, column }
}

/// The whole lines that hold the bytes, and the number of the first.
fn lines_around(text: &str, first: usize, last: usize) -> (Range<usize>, usize) {
    let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
    (start..end, text[..start].matches('\n').count() + 1)
}
