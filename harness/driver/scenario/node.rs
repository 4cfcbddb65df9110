//! The tree of a scenario's values, each of which knows where it was written.

/// Where a value or a key was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the scenario: its number among all keys and values, in the order of the text.
    Text(usize),
    /// On the command line: bytes `start..end` of what the override with this number shows.
    Set {
        /// Counts from 0.
        number: usize,
        /// First byte.
        start: usize,
        /// One beyond the last byte.
        end: usize,
    },
}

/// A value or a key.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What was written.
    pub(super) value: Value,
    /// Where it was written.
    pub(super) place: Place,
}

/// What was written.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; what exceeds the type is its largest value.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// Anything else that is one value.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Mapping(Vec<Entry>),
    /// A value with a tag of its own, which no key takes.
    Tagged(String),
}

/// One line of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What stands before the colon.
    pub(super) key: Node,
    /// What stands behind it.
    pub(super) value: Node,
}

impl Node {
    /// The node as the text of a key or a word, as far as it can be one.
    pub(super) fn word(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => text.clone(),
            Value::List(_) => "[...]".to_owned(),
            Value::Mapping(_) => "{...}".to_owned(),
            Value::Tagged(tag) => tag.clone(),
        }
    }

    /// The node as one line of YAML.
    pub(super) fn flow(&self) -> String {
        match &self.value {
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(Node::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Mapping(entries) => {
                let pairs = entries.iter();
                let pairs: Vec<_> = pairs
                    .map(|Entry { key, value }| format!("{}: {}", key.word(), value.flow()))
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Tagged(_) => self.word(),
        }
    }

    /// The line of that key, if the node is a mapping that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key.word() == key)
    }

    /// Where an item of a list stands, counted from 0.
    pub(super) fn item(&self, item: usize) -> Option<Place> {
        let Value::List(items) = &self.value else { return None };
        items.get(item).map(|item| item.place)
    }

    /// What kind of value this is, for a sentence that says what was found.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Tagged(_) => "a tagged value",
        }
    }

    /// The node that was written at `place`, if it is this one or below it.
    pub(super) fn find(&self, place: Place) -> Option<&Node> {
        if self.place == place {
            return Some(self);
        }
        match &self.value {
            Value::List(items) => items.iter().find_map(|item| item.find(place)),
            Value::Mapping(entries) => entries
                .iter()
                .find_map(|entry| entry.key.find(place).or_else(|| entry.value.find(place))),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Tagged(_) => None,
        }
    }
}

/// Text from a scenario, fit to stand in a message: short, and without control characters.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push_str("...");
    }
    format!("`{short}`").replace("\\'", "'").replace("\\\"", "\"")
}
