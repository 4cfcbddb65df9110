//! The reference of the format in Markdown, derived from the tables by which scenarios are read.

use super::calls::CALLS;
use super::format::{FAULTS, PLACES};
use super::keys::{Fallback, Key, Kind, Shape, Variant};
use super::quantity::{show_duration, show_size};
use super::schedule::SWITCHES;
use super::sentence::{SENTENCES, TARGETS};
use super::strikes::STRIKES;
use crate::real::leeway;
use oracle::Leeway;
use std::fmt::Write;
use std::time::Duration;
use stormfs::choices::Choices;
use stormfs::op::OpKind;
use stormfs::points::Point;

/// The tables of the reference, each with its name: that of its marks.
pub fn tables() -> Vec<(&'static str, String)> {
    vec![
        ("keys", keys()),
        ("operations", operations()),
        ("calls", calls()),
        ("sentences", sentences(["sentence", "what happens"], SENTENCES)),
        ("targets", sentences(["target", "when it is reached"], TARGETS)),
        ("switches", sentences(["sentence", "what happens"], SWITCHES)),
        ("strikes", sentences(["sentence", "what happens"], STRIKES)),
        ("faults", faults()),
        ("decisions", decisions()),
        ("points", points()),
        ("leeways", leeways()),
    ]
}

/// What POSIX leaves open, with those who make use of it.
fn leeways() -> String {
    let rows = Leeway::ALL.into_iter().map(|leeway| {
        let users = leeway::users(leeway).join(", ");
        [format!("`{}`", leeway.name()), users, leeway.about().to_owned()]
    });
    table(["leeway", "who has it", "what may happen, and where the room for it comes from"], rows)
}

/// The faults, each with what happens.
pub fn fault_names() -> Vec<(&'static str, &'static str)> {
    FAULTS.iter().map(|fault| (fault.name, fault.about)).collect()
}

/// `page` with each table put between its marks, `<!-- begin NAME -->` and `<!-- end NAME -->`.
/// A table without marks is left out.
pub fn filled_in(page: &str) -> String {
    let mut page = page.to_owned();
    for (name, table) in tables() {
        let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
        let Some(start) = page.find(&begin).map(|at| at + begin.len()) else { continue };
        let Some(stop) = page[start..].find(&end).map(|at| start + at) else { continue };
        page.replace_range(start..stop, &format!("\n{table}\n"));
    }
    page
}

fn keys() -> String {
    let mut text = String::new();
    for (place, shape) in PLACES {
        line(&mut text, &format!("### Keys of {place}\n"));
        if shape.decisions {
            line(
                &mut text,
                "Each decision below is a key of `filesystem`, too, and overrides the preset.\n",
            );
        }
        line(&mut text, &key_table(shape));
        if let Some(words) = word_table(shape) {
            line(&mut text, &words);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn key_table(shape: &Shape) -> String {
    let rows = shape.keys.iter().map(|key| {
        let default = match key.default {
            Fallback::Required => "**required**".to_owned(),
            Fallback::Text("") => "empty".to_owned(),
            Fallback::Text(text) => format!("`{text}`"),
            Fallback::Rule(rule) => rule.to_owned(),
        };
        [format!("`{}`", key.name), kind(key), default, key.about.to_owned()]
    });
    table(["key", "value", "default", "meaning"], rows)
}

/// The words of all keys that take one of some words, if there are such keys.
fn word_table(shape: &Shape) -> Option<String> {
    let keys = shape.keys.iter().flat_map(|key| {
        let words = key.kind.words().into_iter();
        words.map(|(word, about)| [format!("`{}: {word}`", key.name), about.to_owned()])
    });
    let rows: Vec<_> = keys.collect();
    (!rows.is_empty()).then(|| table(["word", "meaning"], rows.into_iter()))
}

fn kind(key: &Key) -> String {
    match key.kind {
        Kind::Name => "a name".to_owned(),
        Kind::Prose => "text".to_owned(),
        Kind::Words(_) | Kind::Preset => {
            let words = key.kind.words();
            words.iter().map(|(w, _)| format!("`{w}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Point => "a point, see below".to_owned(),
        Kind::Invariant => "the name of an invariant".to_owned(),
        Kind::Number { min, max } => format!("{min} to {max}"),
        Kind::Seed => "a number of 64 bits".to_owned(),
        Kind::Size { min, max, power_of_two } => {
            let what = if power_of_two { "a power of two, " } else { "" };
            format!("{what}{} to {}", show_size(min), show_size(max))
        }
        Kind::Duration { hours } => {
            format!("a time up to {}", show_duration(Duration::from_secs(hours * 3600)))
        }
        Kind::Chance => "a chance".to_owned(),
        Kind::Rate { max } => format!("`1/s` to `{max}/s`"),
        Kind::Mapping(_) => "a mapping, see below".to_owned(),
        Kind::List { min, max, .. } => format!("a list of {min} to {max}, see below"),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Offsets => "a list of offsets".to_owned(),
        Kind::Variants { what, max, .. } => format!("a list of up to {max} {what}, see below"),
        Kind::Either { words, variants } => {
            let words = words.iter().map(|(word, _)| format!("`{word}`"));
            let forms = variants.iter().map(|variant| {
                let keys: Vec<_> =
                    variant.shape.keys.iter().map(|key| format!("{}: ...", key.name)).collect();
                format!("`{{{}: {{{}}}}}`", variant.name, keys.join(", "))
            });
            words.chain(forms).collect::<Vec<_>>().join(" or ")
        }
        Kind::Weights => "operations with weights, see below".to_owned(),
        Kind::Sentences { min: 0, max, .. } => {
            format!("a list of up to {max} sentences, see below")
        }
        Kind::Sentences { min, max, .. } => {
            format!("a list of {min} to {max} sentences, see below")
        }
        Kind::Vary => "paths with lists of values, see below".to_owned(),
        Kind::Bugs => "a list of ids".to_owned(),
        Kind::Bug => "an id".to_owned(),
    }
}

fn operations() -> String {
    let rows =
        OpKind::ALL.iter().map(|kind| [format!("`{}`", kind.name()), kind.about().to_owned()]);
    table(["operation", "what it does"], rows)
}

fn faults() -> String {
    let rows = variant_rows(FAULTS);
    table(["fault", "what happens", "its keys", "value", "meaning"], rows)
}

fn calls() -> String {
    let rows = variant_rows(CALLS);
    table(["operation", "what it does", "its keys", "value", "meaning"], rows)
}

fn variant_rows(variants: &'static [Variant]) -> impl Iterator<Item = [String; 5]> {
    variants.iter().flat_map(|variant| {
        let mut keys: Vec<_> = variant.shape.keys.iter().map(key_cells).collect();
        if keys.is_empty() {
            keys.push(["none".to_owned(), String::new(), String::new()]);
        }
        keys.into_iter().enumerate().map(|(number, [name, value, meaning])| {
            let (variant, about) = match number {
                0 => (format!("`{}`", variant.name), variant.about.to_owned()),
                _ => Default::default(),
            };
            [variant, about, name, value, meaning]
        })
    })
}

fn key_cells(key: &Key) -> [String; 3] {
    let default = match key.default {
        Fallback::Text(text) => format!(" Default: `{text}`."),
        Fallback::Rule(rule) => format!(" Default: {rule}."),
        Fallback::Required => String::new(),
    };
    [format!("`{}`", key.name), kind(key), format!("{}{default}", key.about)]
}

fn sentences(head: [&str; 2], rows: &[(&str, &str)]) -> String {
    table(head, rows.iter().map(|(form, about)| [format!("`{form}`"), (*about).to_owned()]))
}

fn decisions() -> String {
    let rows = Choices::DECISIONS.iter().flat_map(|decision| {
        decision.values.iter().enumerate().map(|(number, (value, about))| {
            let (name, question) = if number == 0 {
                (format!("`{}`", decision.name), decision.about)
            } else {
                (String::new(), "")
            };
            let right = decision.also_right.contains(value);
            let about = format!("{about}{}", if right { " As correct as the first." } else { "" });
            [name, question.to_owned(), format!("`{value}`"), about]
        })
    });
    table(["decision", "question", "value", "answer"], rows)
}

fn points() -> String {
    let rows =
        Point::ALL.iter().map(|point| [format!("`{}`", point.name()), point.about().to_owned()]);
    table(["point", "where the actor stands"], rows)
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = String::new();
    line(&mut text, &format!("| {} |", head.join(" | ")));
    line(&mut text, &format!("|{}", "---|".repeat(N)));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        line(&mut text, &format!("| {} |", cells.join(" | ")).replace("|  |", "| |"));
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_beside_the_scenarios_has_these_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/README.md");
        let stored = std::fs::read_to_string(path).unwrap();
        for (name, _) in tables() {
            assert!(stored.contains(&format!("<!-- begin {name} -->")), "no marks for {name}");
            assert!(stored.contains(&format!("<!-- end {name} -->")), "no end mark for {name}");
        }
        let fresh = filled_in(&stored);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &fresh).unwrap();
        } else {
            assert!(stored == fresh, "scenarios/README.md is old: run the tests with UPDATE=1");
        }
    }
}
