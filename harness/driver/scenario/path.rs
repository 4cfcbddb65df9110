//! A path into a scenario, as in `actors[0].size.max` or `actors.0.size.max`: read, and followed.

use super::node::{Entry, Node, Place, Value};
use super::problem::Problem;
use std::ops::Range;

/// What stands before the path of an override in a message.
pub(super) const OPTION: &str = "--set ";

/// Where a path was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// On the command line, in the override with this number.
    Set(usize),
    /// In the scenario, as the key that stands there.
    Key(Place),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Path<'a> {
    /// As it was written.
    pub(super) text: &'a str,
    origin: Origin,
    steps: Vec<Step>,
}

/// One step of a path, and which bytes of the path it is.
#[derive(Debug)]
struct Step {
    name: Name,
    bytes: Range<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Key(String),
    Index(usize),
}

impl<'a> Path<'a> {
    /// Reads `actors[0].size.max` as key, index, key, key.
    pub(super) fn read(text: &'a str, origin: Origin) -> Result<Path<'a>, Box<Problem>> {
        let mut path = Path { text, origin, steps: Vec::new() };
        let mut at = 0;
        while at < text.len() {
            let (step, end) = path.step(at)?;
            path.steps.push(step);
            at = end;
        }
        if !matches!(path.steps.first(), Some(Step { name: Name::Key(_), .. })) {
            return Err(path.malformed(0..text.len()));
        }
        Ok(path)
    }

    /// The step that begins at byte `at`, and where the next one begins.
    fn step(&self, at: usize) -> Result<(Step, usize), Box<Problem>> {
        let rest = &self.text[at..];
        if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').ok_or_else(|| self.malformed(at..self.text.len()))?;
            let index = index[..end].parse().map_err(|_| self.malformed(at..at + end + 2))?;
            let bytes = at..at + end + 2;
            return Ok((Step { name: Name::Index(index), bytes: bytes.clone() }, bytes.end));
        }
        let dot = usize::from(rest.starts_with('.') && at != 0);
        let key = &rest[dot..];
        let len = key.find(['.', '[']).unwrap_or(key.len());
        if len == 0 || (dot == 0 && at != 0) {
            return Err(self.malformed(at..self.text.len()));
        }
        let bytes = at + dot..at + dot + len;
        let name = match key[..len].parse() {
            Ok(index) if at != 0 => Name::Index(index),
            _ => Name::Key(key[..len].to_owned()),
        };
        Ok((Step { name, bytes: bytes.clone() }, bytes.end))
    }

    /// Where the path as a whole stands.
    pub(super) fn place_of_all(&self) -> Place {
        self.place(0..self.text.len())
    }

    /// The outermost key.
    pub(super) fn first(&self) -> &str {
        match self.steps.first() {
            Some(Step { name: Name::Key(key), .. }) => key,
            _ => unreachable!("a path begins with a key"),
        }
    }

    /// The keys on the way, without the indices.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.name {
            Name::Key(key) => Some(key.as_str()),
            Name::Index(_) => None,
        })
    }

    /// Whether one of the two leads to a part of what the other leads to.
    pub(super) fn overlaps(&self, other: &Path<'_>) -> bool {
        self.steps.iter().zip(&other.steps).all(|(mine, theirs)| mine.name == theirs.name)
    }

    /// The node that the path leads to, if there is one.
    pub(super) fn find<'n>(&self, root: &'n Node) -> Option<&'n Node> {
        self.steps.iter().try_fold(root, |node, step| match (&step.name, &node.value) {
            (Name::Index(index), Value::List(items)) => items.get(*index),
            (Name::Key(key), Value::Mapping(_)) => node.entry(key).map(|entry| &entry.value),
            _ => None,
        })
    }

    /// The node that the path leads to. Keys on the way are added if they are not there.
    pub(super) fn open<'n>(&self, root: &'n mut Node) -> Result<&'n mut Node, Box<Problem>> {
        let mut target = root;
        let next = self.steps.iter().skip(1).map(Some).chain([None]);
        for (step, next) in self.steps.iter().zip(next) {
            target = match &step.name {
                Name::Index(index) => self.item(target, *index, step)?,
                Name::Key(key) => self.entry(target, key, step, next)?,
            };
        }
        Ok(target)
    }

    fn malformed(&self, bytes: Range<usize>) -> Box<Problem> {
        let problem = Problem::at(self.place(bytes), "this is no path into a scenario");
        let example = "actors[0].size.max";
        Box::new(problem.help(match self.origin {
            Origin::Set(_) => format!("write keys and indices: `{example}=4KiB`"),
            Origin::Key(_) => format!("write keys and indices: `{example}: [4KiB, 64KiB]`"),
        }))
    }

    fn place(&self, bytes: Range<usize>) -> Place {
        match self.origin {
            Origin::Set(number) => {
                let (start, end) = (OPTION.len() + bytes.start, OPTION.len() + bytes.end);
                Place::Set { number, start, end }
            }
            Origin::Key(place) => place,
        }
    }

    /// How to write the whole of `path`.
    fn whole(&self, path: &str, value: &str) -> String {
        match self.origin {
            Origin::Set(_) => format!("`--set '{path}={value}'`"),
            Origin::Key(_) => format!("`{path}: {value}`"),
        }
    }

    /// The item that a step names.
    fn item<'n>(
        &self,
        node: &'n mut Node,
        index: usize,
        step: &Step,
    ) -> Result<&'n mut Node, Box<Problem>> {
        let before = self.text[..step.bytes.start].trim_end_matches('.');
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
                0 => format!("write the whole list: {}", self.whole(before, "[...]")),
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
            let before = self.text[..step.bytes.start].trim_end_matches('.');
            let message = format!("`{before}` is {kind}, and has no key `{key}`");
            let help = if kind == "a list" {
                format!("name one of its items: `{before}[0].{key}`")
            } else {
                format!("set it as a whole: {}", self.whole(before, "{...}"))
            };
            let place = self.place(0..step.bytes.end);
            return Err(Box::new(Problem::at(place, message).help(help)));
        };
        let place = self.place(step.bytes.clone());
        let found = entries.iter().position(|entry| entry.key.word() == key);
        if found.is_none()
            && let Some(Step { name: Name::Index(_), bytes }) = next
        {
            let path = &self.text[..step.bytes.end];
            let message = format!("the scenario has no `{path}`");
            let problem = Problem::at(self.place(0..bytes.end), message);
            let help = format!("write the whole list: {}", self.whole(path, "[...]"));
            return Err(Box::new(problem.help(help)));
        }
        let index = found.unwrap_or_else(|| {
            let name = Node { value: Value::Text(key.to_owned()), place };
            entries.push(Entry { key: name, value: Node { value: Value::Null, place } });
            entries.len() - 1
        });
        Ok(&mut entries[index].value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path<'_> {
        Path::read(text, Origin::Set(0)).expect("the path of a test is one")
    }

    #[test]
    fn an_index_stands_in_brackets_or_behind_a_dot() {
        for text in ["actors[10].size.max", "actors.10.size.max"] {
            let steps: Vec<_> = path(text).steps.into_iter().map(|step| step.name).collect();
            let key = |name: &str| Name::Key(name.to_owned());
            assert_eq!(steps, [key("actors"), Name::Index(10), key("size"), key("max")], "{text}");
        }
        for text in ["", ".a", "a.", "a..b", "a[", "a[x]", "[0]", "a[0]b"] {
            assert!(Path::read(text, Origin::Set(0)).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_overlap_if_one_is_the_beginning_of_the_other() {
        assert!(path("files[0]").overlaps(&path("files.0.size")));
        assert!(path("files.0.size").overlaps(&path("files")));
        assert!(!path("files[0].size").overlaps(&path("files[1]")));
        assert!(!path("files[0].size").overlaps(&path("files[0].layout")));
    }
}
