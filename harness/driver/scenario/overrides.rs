//! `--set path=value`: changes the tree of a scenario before it is read.

use super::node::{Node, Place, Value};
use super::path::{OPTION, Origin, Path};
use super::problem::{Problem, Problems};
use super::yaml;

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

fn apply_one(root: &mut Node, number: usize, path: &str, value: &str) -> Result<(), Box<Problem>> {
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
    *Path::read(path, Origin::Set(number))?.open(root)? = node;
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
