//! What every file of Rust looks like: its first line, its length, its letters, no leftovers.

use crate::code::{self, Without};
use crate::tree::{Source, exactly, none, read, sources, tracked};

/// Lines of a file at most. One that reaches this has become two concepts.
const LINES: usize = 600;

/// Longer files, each with its reason.
const LONG: &[(&str, &str)] = &[];

/// Files with letters beyond ASCII, each with its reason.
const LETTERS: &[(&str, &str)] = &[
    ("report/number.rs", "microseconds have their own sign on a page"),
    ("report/reproduce.rs", "hostile names are quoted for a shell, and tested with such"),
    ("report/tests/pages.rs", "looks for the sign of microseconds"),
    ("report/visible.rs", "hostile names are made visible, and tested with such"),
];

/// Words that promise something for later.
const PROMISES: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];

/// Code that is for a developer's afternoon, or that hides something from a lint or from a run.
const LEFTOVERS: &[&str] =
    &["todo!", "unimplemented!", "dbg!", "#[ignore", "#[allow", "#![allow", "feature("];

#[test]
fn the_first_line_says_what_a_file_is_for() {
    let told = |text: &str| {
        text.lines().next().is_some_and(|line| line.len() > 12 && line.starts_with("//! "))
    };
    let silent = sources().into_iter().filter(|source| !told(&source.text));
    none("line 1 is `//!` and a sentence", &silent.map(|source| source.path).collect::<Vec<_>>());
}

#[test]
fn no_file_is_two_concepts() {
    let long = sources().into_iter().filter(|source| LINES < source.text.lines().count());
    exactly("a file has at most 600 lines", &long.map(|source| source.path).collect(), LONG);
}

#[test]
fn no_line_ends_in_space() {
    const TEXT: &[&str] = &[".rs", ".md", ".yaml", ".toml", "ci/check", ".ci/run", "ci/nightly"];
    let text = tracked().into_iter().filter(|path| TEXT.iter().any(|end| path.ends_with(end)));
    let mut breaches = Vec::new();
    // The broken scenarios are broken on purpose.
    for path in text.filter(|path| !path.contains("/broken/")) {
        let text = read(&path);
        let spaced = text.lines().enumerate().filter(|(_, line)| line.ends_with([' ', '\t']));
        breaches.extend(spaced.map(|(at, _)| format!("{path}:{}", at + 1)));
        if !text.ends_with('\n') || text.ends_with("\n\n") {
            breaches.push(format!("{path}: ends with one newline"));
        }
    }
    none("no line ends in space", &breaches);
}

#[test]
fn sources_are_ascii() {
    let others = sources().into_iter().filter(|source| !source.text.is_ascii());
    exactly("sources are ASCII", &others.map(|source| source.path).collect(), LETTERS);
}

#[test]
fn nothing_is_left_over() {
    let mut breaches = Vec::new();
    for source in sources() {
        let said = code::blank(&source.text, Without::Literals);
        breaches.extend(lines_with(&source, &said, PROMISES));
        breaches.extend(lines_with(&source, &source.code(), LEFTOVERS));
        let sleeping = said.lines().enumerate().filter(|(_, line)| is_sleeping_code(line));
        breaches.extend(sleeping.map(|(at, line)| breach(&source, at, line)));
    }
    none("nothing is left over: no promise, no debugging, no code in comments", &breaches);
}

fn lines_with(source: &Source, text: &str, words: &[&str]) -> Vec<String> {
    let hit = |line: &str| words.iter().any(|word| line.contains(word));
    let lines = text.lines().enumerate().filter(|(_, line)| hit(line));
    lines.map(|(at, line)| breach(source, at, line)).collect()
}

/// Whether a line is a statement that somebody commented out.
fn is_sleeping_code(line: &str) -> bool {
    const STARTS: &[&str] =
        &["let ", "use ", "mod ", "pub ", "fn ", "if ", "for ", "match ", "return"];
    let Some(comment) = line.trim_start().strip_prefix("// ") else { return false };
    comment.ends_with([';', '{']) && STARTS.iter().any(|start| comment.starts_with(start))
}

fn breach(source: &Source, at: usize, line: &str) -> String {
    format!("{}:{}: {}", source.path, at + 1, line.trim())
}
