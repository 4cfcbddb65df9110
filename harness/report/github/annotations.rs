//! Workflow commands: lines by which a program speaks to the runner that reads its output.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::record::{Record, Verdict, Violation};
use crate::{reproduce, visible};

/// Of a step the runner keeps ten errors. The tenth says how many there are more.
pub(super) const MOST: usize = 9;

/// Characters of a message and of a title.
const MESSAGE: usize = 1_000;
const TITLE: usize = 200;

/// One error for each signature, over all records, in the order in which they were found; and one for
/// each run that did not end as expected without a violation. `path` says where a scenario lies from
/// the top of the repository.
pub fn annotations(records: &[&Record], path: impl Fn(&str) -> String) -> String {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for record in records.iter().filter(|record| !record.verdict.as_expected) {
        for violation in &record.violations {
            if seen.insert(violation.signature.as_str()) {
                all.push((*record, &violation.signature, found(record, violation)));
            }
        }
        if record.violations.is_empty() {
            all.push((*record, &record.scenario.name, ended(record)));
        }
    }
    let shown = all.iter().take(MOST);
    let mut text: String = shown
        .map(|(record, title, message)| {
            let file = path(&record.scenario.file);
            let line = line_of_expectation(&record.scenario.text).to_string();
            error(&[("file", &file), ("line", &line), ("title", title)], message)
        })
        .collect();
    let more = all.len().saturating_sub(MOST);
    if 0 < more {
        text.push_str(&error(&[("title", &format!("+{more} more"))], "the report has all of them"));
    }
    text
}

/// `text` without anything that a runner would take for a command: of the form `::command::` at the
/// start of a line, or of the old form `##[command]` anywhere in it.
pub fn inert(text: &str) -> Cow<'_, str> {
    let starts = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(starts) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        // Of all texts that are printed only JSON has to be read by programs, and there it is equal.
        let line = line.replace("##[", "#\\u0023[");
        if starts(&line) { line.replacen("::", "\\u003a:", 1) } else { line }
    };
    Cow::Owned(text.split_inclusive('\n').map(line).collect())
}

fn found(record: &Record, violation: &Violation) -> String {
    let place = violation.place().map(|place| format!("{place}: ")).unwrap_or_default();
    let Violation { invariant, expected, found, .. } = violation;
    let again = reproduce::violation(record, violation);
    format!("{invariant}\n{place}expected {expected}; found {found}\nreproduce with: {again}")
}

fn ended(record: &Record) -> String {
    let Verdict { kind, expected, sentence, .. } = &record.verdict;
    let kind = kind.title().to_lowercase();
    let again = reproduce::run(record);
    format!("{kind}, but expected: {expected}\n{sentence}\nreproduce with: {again}")
}

/// Where a scenario says what it expects, counted from 1; its first line if it does not.
pub fn line_of_expectation(text: &str) -> usize {
    let says = |line: &str| line.starts_with("expect:");
    text.lines().position(says).map_or(1, |line| line + 1)
}

/// An error, as a line that the runner acts on.
pub(super) fn error(properties: &[(&str, &str)], message: &str) -> String {
    let property = |(name, value): &(&str, &str)| {
        let value = visible::line(value);
        format!("{name}={}", escaped(visible::clipped(&value, TITLE).0, true))
    };
    let properties: Vec<_> = properties.iter().map(property).collect();
    let message = visible::block(message);
    let message = escaped(visible::clipped(&message, MESSAGE).0, false);
    format!("::error {}::{message}\n", properties.join(","))
}

/// What ends a message, and in a property also what ends that.
fn escaped(text: &str, property: bool) -> String {
    // The old form of a command is looked for anywhere in a line.
    let text = text.replace("##[", "#\\u0023[");
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{escaped, inert, line_of_expectation};

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(escaped("50%,a:b\r\nc", false), "50%25,a:b%0D%0Ac");
        assert_eq!(escaped("50%,a:b\r\nc", true), "50%25%2Ca%3Ab%0D%0Ac");
        assert_eq!(escaped("###[error]x", true), "##\\u0023[error]x");
    }

    #[test]
    fn output_commands_nothing() {
        for (text, expected) in [
            ("a::b #[x] :: y\n", "a::b #[x] :: y\n"),
            ("a\n ::stop-commands::x\n", "a\n \\u003a:stop-commands::x\n"),
            ("\t\u{a0}::error::x", "\t\u{a0}\\u003a:error::x"),
            ("{\"a\": \"##[add-mask]\"}", "{\"a\": \"#\\u0023[add-mask]\"}"),
            ("###[debug]", "##\\u0023[debug]"),
        ] {
            assert_eq!(inert(text), expected);
        }
        let json: String = serde_json::from_str(&inert("\"##[a]\"")).unwrap();
        assert_eq!(json, "##[a]");
    }

    #[test]
    fn an_expectation_has_a_line() {
        assert_eq!(line_of_expectation("name: a\nexpect: clean\n"), 2);
        assert_eq!(line_of_expectation("about: |\n  expect: x\n"), 1);
        assert_eq!(line_of_expectation(""), 1);
    }
}
