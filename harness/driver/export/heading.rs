//! What the program says of itself.

use super::names::comment;
use crate::scenario::plan::{Expectation, Plan};
use oracle::Invariant;
use std::fmt::Write;

/// Widest comment line.
const WIDTH: usize = 100;

/// The comment at its beginning.
pub(super) fn of(case: &Plan, from: &str, left_out: &[String]) -> String {
    let name = if case.name.is_empty() { "A case" } else { &case.name };
    let mut words = vec![match case.about.as_str() {
        "" => format!("{name}: calls of {} actors, and what they may leave.", case.actors.len()),
        about => format!("{name}: {about}"),
    }];
    if let Expectation::Caught { by, .. } = &case.expect {
        let sentence = Invariant::named(by).map_or("", |invariant| invariant.about);
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        words.push(format!("It shows a breach of {by}: {sentence}"));
    }
    words.push("Usage: cc -pthread THIS.c && ./a.out DIRECTORY [ROUNDS]".to_owned());
    words.push(
        "Its files in the directory have no names, and are gone when it ends. A right filesystem gives \
         \"wrong in 0 of N rounds\", and status 0. If one shows what no order of the calls explains, there \
         are lines with WRONG, and the status is 1. It is 2 if this cannot run there."
            .to_owned(),
    );
    words.extend(left_out.iter().map(|what| format!("Left out: {what}.")));
    words.push(format!("Made by `pagestorm export` of {from}."));
    let paragraphs: Vec<_> = words.iter().map(|words| paragraph(words)).collect();
    format!("/*\n{} */\n", paragraphs.join(" *\n"))
}

fn paragraph(words: &str) -> String {
    let (mut text, mut line) = (String::new(), " *".to_owned());
    for word in comment(words).split_whitespace() {
        if WIDTH < line.len() + word.len() {
            let _ = writeln!(text, "{line}");
            " *".clone_into(&mut line);
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
    text
}
