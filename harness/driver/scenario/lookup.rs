//! What may stand at a path of a scenario, and lists of values on the command line.

use super::format::SCENARIO;
use super::keys::Kind;
use super::node::{Node, Value};
use super::path::{Origin, Path};
use super::suggest::did_you_mean;
use super::yaml;

/// The words of which one stands at `path`, the default first.
///
/// # Errors
///
/// There is no such path, or no words stand there. One sentence says what is wrong and what to do.
pub fn words_at(path: &str) -> Result<Vec<&'static str>, String> {
    let steps = Path::read(path, Origin::Set(0)).map_err(|problem| problem.message)?;
    let mut shape = &SCENARIO;
    let mut kind = None;
    for name in steps.keys() {
        let Some(key) = shape.key(name) else {
            let all = shape.all();
            let names: Vec<_> = all.iter().map(|key| key.name).collect();
            return Err(format!(
                "{} has no key `{name}`; {}",
                shape.what,
                did_you_mean(name, &names)
            ));
        };
        kind = Some(key.kind);
        let (Kind::Mapping(below) | Kind::List { of: below, .. }) = key.kind else { break };
        shape = below;
    }
    let words: Vec<_> = kind.iter().flat_map(Kind::words).map(|(word, _)| word).collect();
    if words.is_empty() {
        return Err(format!("no words stand at `{path}`; write the values, as in `{path}=A,B`"));
    }
    Ok(words)
}

/// The values of a list that is written with commas, as `--set` takes them.
///
/// # Errors
///
/// It is no such list; one sentence says why.
pub fn values_of(text: &str) -> Result<Vec<String>, String> {
    let tree = yaml::tree(&format!("[{text}]")).map_err(|broken| broken.message)?;
    if let Value::List(items) = &tree.root.value
        && !items.is_empty()
    {
        return Ok(items.iter().map(Node::flow).collect());
    }
    Err("there are no values".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_below_mappings_and_lists() {
        assert_eq!(words_at("filesystem.short_copy").unwrap()[0], "whole_blocks");
        assert!(words_at("filesystem.preset").unwrap().contains(&"v5.19"));
        assert_eq!(words_at("files[0].layout").unwrap()[0], "hole");
        assert_eq!(words_at("world").unwrap(), ["simulated", "threads"]);
        for (path, message) in [
            ("device.size", "no words stand at"),
            ("filesystem", "no words stand at"),
            ("filesystem.presett", "did you mean `preset`?"),
            ("a..b", "no path"),
        ] {
            let told = words_at(path).expect_err(path);
            assert!(told.contains(message), "{path}: {told}");
        }
    }

    #[test]
    fn values_are_separated_by_commas_outside_of_brackets() {
        assert_eq!(values_of("1KiB, 4KiB").unwrap(), ["1KiB", "4KiB"]);
        assert_eq!(values_of("random,{pct: {depth: 3}}").unwrap(), ["random", "{pct: {depth: 3}}"]);
        for text in ["", "a]", "{", "'"] {
            assert!(values_of(text).is_err(), "{text}");
        }
    }
}
