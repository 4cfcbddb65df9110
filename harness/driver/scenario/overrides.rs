//! `--set path=value`: changes the tree of a scenario before it is read.

use super::node::{Entry, Node, Place, Value};
use super::problem::{Problem, Problems};
use super::yaml;
use std::ops::Range;

/// What stands before the path in a message.
const OPTION: &str = "--set ";

/// The override as it is shown in messages.
pub(super) fn shown((path, value): &(String, String)) -> String {
    let line = format!("{OPTION}{path}={value}");
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Applies all of them, in order.
pub(super) fn apply(root: &mut Node, overrides: &[(String, String)], problems: &Problems) {
    for (number, (path, value)) in overrides.iter().enumerate() {
        if let Err(problem) = apply_one(root, number, path, value) {
            problems.add(*problem);
        }
    }
}

/// One step of a path, and which bytes of the path it is.
struct Step {
    name: Name,
    bytes: Range<usize>,
}

enum Name {
    Key(String),
    Index(usize),
}

/// Where a step leads: what came before it, for sentences.
struct Way<'a> {
    number: usize,
    path: &'a str,
}

fn apply_one(root: &mut Node, number: usize, path: &str, value: &str) -> Result<(), Box<Problem>> {
    let way = Way { number, path };
    let start = OPTION.len() + path.len() + 1;
    let place = Place::Set { number, start, end: start + value.len() };
    let mut node = match yaml::tree(value) {
        Ok(tree) if tree.twice.is_empty() => tree.root,
        Ok(_) => {
            let problem = Problem::at(place, "a key stands twice in this value");
            return Err(Box::new(problem.help("remove one of the two")));
        }
        Err(broken) => {
            let problem =
                Problem::at(place, format!("the value cannot be read: {}", broken.message));
            return Err(Box::new(problem.help(broken.help)));
        }
    };
    settle(&mut node, place);
    let mut target = root;
    let steps = steps(&way)?;
    for (step, next) in steps.iter().zip(steps.iter().skip(1).map(Some).chain([None])) {
        target = match &step.name {
            Name::Index(index) => way.item(target, *index, step)?,
            Name::Key(key) => way.entry(target, key, step, next)?,
        };
    }
    *target = node;
    Ok(())
}

/// Gives every key and value below `node` the place of the override.
fn settle(node: &mut Node, place: Place) {
    node.place = place;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| settle(item, place)),
        Value::Mapping(entries) => {
            for entry in entries {
                settle(&mut entry.key, place);
                settle(&mut entry.value, place);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Tagged(_) => {}
    }
}

/// `actors[0].size.max` as key, index, key, key.
fn steps(way: &Way<'_>) -> Result<Vec<Step>, Box<Problem>> {
    let malformed = |bytes: Range<usize>| {
        let problem = Problem::at(way.place(bytes), "this is no path into a scenario");
        Box::new(problem.help("write keys and indices: `actors[0].size.max=4KiB`"))
    };
    let path = way.path;
    let mut steps = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let rest = &path[at..];
        let (name, len) = if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').ok_or_else(|| malformed(at..path.len()))?;
            let index = index[..end].parse().map_err(|_| malformed(at..at + end + 2))?;
            (Name::Index(index), end + 2)
        } else {
            let dot = usize::from(rest.starts_with('.') && at != 0);
            let key = &rest[dot..];
            let end = key.find(['.', '[']).unwrap_or(key.len());
            if end == 0 || (dot == 0 && at != 0) {
                return Err(malformed(at..path.len()));
            }
            at += dot;
            (Name::Key(key[..end].to_owned()), end)
        };
        steps.push(Step { name, bytes: at..at + len });
        at += len;
    }
    if !matches!(steps.first(), Some(Step { name: Name::Key(_), .. })) {
        return Err(malformed(0..path.len()));
    }
    Ok(steps)
}

impl Way<'_> {
    fn place(&self, bytes: Range<usize>) -> Place {
        let (start, end) = (OPTION.len() + bytes.start, OPTION.len() + bytes.end);
        Place::Set { number: self.number, start, end }
    }

    /// The item that a step names.
    fn item<'n>(
        &self,
        node: &'n mut Node,
        index: usize,
        step: &Step,
    ) -> Result<&'n mut Node, Box<Problem>> {
        let before = &self.path[..step.bytes.start];
        let kind = node.kind();
        let place = self.place(0..step.bytes.end);
        let Value::List(items) = &mut node.value else {
            let problem = Problem::at(place, format!("`{before}` is {kind}, and has no items"));
            return Err(Box::new(problem.help("leave the index away")));
        };
        let count = items.len();
        items.get_mut(index).ok_or_else(|| {
            let (be, noun) = match before {
                _ if count != 1 => ("are", before),
                "actors" | "files" | "faults" | "bugs" => ("is", &before[..before.len() - 1]),
                _ => ("is", "item"),
            };
            let message = format!("there {be} {count} {noun}");
            let help = match count {
                0 => format!("write the whole list: `--set '{before}=[...]'`"),
                1 => format!("the only one is `{before}[0]`"),
                _ => format!("the last is `{before}[{}]`", count - 1),
            };
            Box::new(Problem::at(place, message).help(help))
        })
    }

    /// The value of the key that a step names. It is added if it is not there, but a list is not.
    fn entry<'n>(
        &self,
        node: &'n mut Node,
        key: &str,
        step: &Step,
        next: Option<&Step>,
    ) -> Result<&'n mut Node, Box<Problem>> {
        let kind = node.kind();
        if matches!(node.value, Value::Null) {
            node.value = Value::Mapping(Vec::new());
        }
        let Value::Mapping(entries) = &mut node.value else {
            let before = self.path[..step.bytes.start].trim_end_matches('.');
            let message = format!("`{before}` is {kind}, and has no key `{key}`");
            let help = if kind == "a list" {
                format!("name one of its items: `{before}[0].{key}`")
            } else {
                format!("set it as a whole: `--set '{before}={{...}}'`")
            };
            let place = self.place(0..step.bytes.end);
            return Err(Box::new(Problem::at(place, message).help(help)));
        };
        let place = self.place(step.bytes.clone());
        let found = entries.iter().position(|entry| entry.key.word() == key);
        if found.is_none()
            && let Some(Step { name: Name::Index(_), bytes }) = next
        {
            let path = &self.path[..step.bytes.end];
            let message = format!("the scenario has no `{path}`");
            let problem = Problem::at(self.place(0..bytes.end), message);
            return Err(Box::new(
                problem.help(format!("write the whole list: `--set '{path}=[...]'`")),
            ));
        }
        let index = found.unwrap_or_else(|| {
            let name = Node { value: Value::Text(key.to_owned()), place };
            entries.push(Entry { key: name, value: Node { value: Value::Null, place } });
            entries.len() - 1
        });
        Ok(&mut entries[index].value)
    }
}
