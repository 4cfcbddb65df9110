//! Reads a scenario: from a file or a text, with overrides, to a plan or a report of what is wrong.

use super::diagnose::Report;
use super::node::{Node, Value};
use super::plan::Plan;
use super::problem::{Problem, Problems};
use super::suggest::nearest;
use super::{
    combinations, explicit, meaning, other_target, other_world, overrides, raw, wrong_kind, yaml,
};
use crate::catalogue::Bug;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// A larger scenario is refused: sixteen mebibytes, which is what a storm of many thousand
/// operations takes before it is shrunk.
pub const MAX_BYTES: usize = 16 << 20;

/// Names that a scenario may use and that others define.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The invariants of the oracle.
    pub invariants: &'a [&'a str],
    /// The bugs that can be switched on.
    pub bugs: &'a [&'static Bug],
}

/// Reads the file at `path`. Each override is a path into the scenario and the value to put there,
/// as in `actors[0].size.max` and `4KiB`.
///
/// # Errors
///
/// Everything that is wrong, each with its place.
pub fn load(
    path: &Path,
    known: &Known<'_>,
    overrides: &[(String, String)],
) -> Result<Plan, Report> {
    parse(&path.display().to_string(), &text_of(path)?, known, overrides)
}

/// The text of the file at `path`, for [`parse`].
///
/// # Errors
///
/// It cannot be read, or is no text.
pub fn text_of(path: &Path) -> Result<String, Report> {
    let name = path.display().to_string();
    let bytes = read(path).map_err(|error| unreadable(path, &name, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("this is not text: byte {at} is not UTF-8");
        let help = "a scenario is YAML in UTF-8; is this another kind of file?";
        Report::of_file(&name, message, help.to_owned())
    })
}

/// Reads a text. `name` stands for the file's name in messages, and the scenario is named after it
/// if it does not name itself.
///
/// # Errors
///
/// Everything that is wrong, each with its place.
pub fn parse(
    name: &str,
    text: &str,
    known: &Known<'_>,
    overrides: &[(String, String)],
) -> Result<Plan, Report> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if MAX_BYTES < text.len() {
        return Err(Report::of_file(name, TOO_LARGE.to_owned(), ANOTHER_KIND.to_owned()));
    }
    if let Some((message, help)) = wrong_kind::stranger_text(text) {
        return Err(Report::of_file(name, message, help));
    }
    let mut tree = yaml::tree(text).map_err(|broken| Report::of_broken(name, text, broken))?;
    if matches!(tree.root.value, Value::Null) && overrides.is_empty() {
        let help = "write at least `actors: [{name: writer, ops: {write: 1}}]`";
        return Err(Report::of_file(name, "the scenario is empty".to_owned(), help.to_owned()));
    }
    if let Some((message, help)) = wrong_kind::stranger(&tree.root) {
        return Err(Report::of_file(name, message, help));
    }
    let problems = Problems::default();
    for (key, first, later) in &tree.twice {
        let message = format!("the key {} stands twice in one mapping", super::node::quoted(key));
        let problem = Problem::at(*later, message).help("remove or rename one of the two");
        problems.add(problem.second(*first, "the first"));
    }
    let world = other_world::named_in(&tree.root);
    overrides::apply(&mut tree.root, overrides, &problems);
    let of_world = other_world::drop_keys(&mut tree.root, &world).into_iter().map(str::to_owned);
    let other_target::Dropped { keys, missing } = other_target::drop_keys(&mut tree.root);
    let dropped: Vec<_> = of_world.chain(keys).collect();
    explicit::refuse_variations(&tree.root, &problems);
    let read = |root: &Node, problems: &Problems| {
        raw::scenario(root, known, problems).and_then(|raw| meaning::plan(raw, name, problems))
    };
    let plan = combinations::plan(&tree.root, overrides, &problems, &read);
    let plan = plan.map(|plan| Plan { dropped, missing, ..plan });
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(Report::of_problems(name, text, &tree.root, overrides, problems)),
    }
}

/// What happened with an item of the list behind a key, counted from 0, told where the item stands.
/// `text` and `overrides` are those of the scenario.
pub fn at_item(
    name: &str,
    text: &str,
    overrides: &[(String, String)],
    (key, item): (&str, usize),
    told: (String, Vec<String>, String),
) -> Report {
    let (message, notes, help) = told;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(mut tree) = yaml::tree(text) else { return Report::of_file(name, message, help) };
    let problems = Problems::default();
    overrides::apply(&mut tree.root, overrides, &problems);
    let Some(place) = tree.root.entry(key).and_then(|entry| entry.value.item(item)) else {
        return Report::of_file(name, message, help);
    };
    problems.add(Problem { notes, ..Problem::at(place, message).help(help) });
    Report::of_problems(name, text, &tree.root, overrides, problems)
}

/// What happened with a key of the mapping behind another key, told where it stands, or where the mapping
/// does. `text` and `overrides` are those of the scenario.
pub fn at_key(
    name: &str,
    text: &str,
    overrides: &[(String, String)],
    (outer, key): (&str, &str),
    (message, help): (String, String),
) -> Report {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(mut tree) = yaml::tree(text) else { return Report::of_file(name, message, help) };
    let problems = Problems::default();
    overrides::apply(&mut tree.root, overrides, &problems);
    let Some(outer) = tree.root.entry(outer) else {
        return Report::of_file(name, message, help);
    };
    let place = outer.value.entry(key).map_or(outer.key.place, |inner| inner.value.place);
    problems.add(Problem::at(place, message).help(help));
    Report::of_problems(name, text, &tree.root, overrides, problems)
}

/// The file's bytes, one more than allowed at most.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES + 1).expect("it fits into 64 bits");
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if MAX_BYTES < bytes.len() {
        return Err(io::Error::from(ErrorKind::FileTooLarge));
    }
    Ok(bytes)
}

/// Why a file cannot be read, and what to do.
const REASONS: &[(ErrorKind, &str, &str)] = &[
    (
        ErrorKind::IsADirectory,
        "this is a directory",
        "name one scenario: a file that ends in `.yaml`",
    ),
    (
        ErrorKind::PermissionDenied,
        "this file may not be read",
        "change its mode, or run as its owner",
    ),
    (ErrorKind::FileTooLarge, TOO_LARGE, ANOTHER_KIND),
];

const TOO_LARGE: &str = "the scenario is larger than 16 MiB";

const ANOTHER_KIND: &str =
    "is this another kind of file? Of a long run, keep what matters: `pagestorm shrink`";

fn unreadable(path: &Path, name: &str, error: &io::Error) -> Report {
    let (message, help) = if error.kind() == ErrorKind::NotFound {
        ("there is no such file".to_owned(), neighbour(path))
    } else if let Some((_, message, help)) = REASONS.iter().find(|row| row.0 == error.kind()) {
        ((*message).to_owned(), (*help).to_owned())
    } else {
        (format!("the file cannot be read: {error}"), "look at the path".to_owned())
    };
    Report::of_file(name, message, help)
}

/// The file in the same directory whose name is nearest.
fn neighbour(path: &Path) -> String {
    const MOST: usize = 1000;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = directory.read_dir() else {
        return format!("there is no directory `{}` either", directory.display());
    };
    let mut names: Vec<String> =
        entries.take(MOST).filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let wanted = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    match nearest(wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", directory.join(near).display()),
        None => format!("look into `{}` for the name", directory.display()),
    }
}
