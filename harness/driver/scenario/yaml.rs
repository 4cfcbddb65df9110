//! YAML text to a tree of values: the only file that knows which YAML library we use.
//!
//! The library tells where something stands only inside of an error. So every key and value has a
//! number, in the order of the text, and to find the place of one the same walk is done again and
//! refuses exactly that one: the error then carries its place.

use super::node::{Entry, Node, Place, Value};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess};
use serde::de::{SeqAccess, VariantAccess, Visitor};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

/// A scenario as it was written.
#[derive(Debug)]
pub(super) struct Tree {
    /// The outermost value.
    pub(super) root: Node,
    /// Keys that stand twice in one mapping: the text, the first place and the later one.
    pub(super) twice: Vec<(String, Place, Place)>,
}

/// Why a text is no tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// The byte at which it is wrong, if one is to blame.
    pub(super) at: Option<usize>,
    /// The byte at which the bracket, quote or block begins that is not well formed.
    pub(super) began: Option<usize>,
}

/// Reads one document without anchors, aliases and deep nesting.
pub(super) fn tree(text: &str) -> Result<Tree, Broken> {
    refuse_nesting(text)?;
    refuse_characters(text)?;
    refuse_aliases(text)?;
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let walk = Walk::new(None);
    let first = documents.next().expect("a stream has a first document, be it empty");
    let root = walk.deserialize(first).map_err(|error| syntax(text, &error))?;
    if let Some(second) = documents.next() {
        return Err(second_document(text, second));
    }
    Ok(Tree { root, twice: walk.twice.into_inner() })
}

/// The byte at which the key or value with that number begins.
pub(super) fn position(text: &str, number: usize) -> Option<usize> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    let refusal = Walk::new(Some(number)).deserialize(document).err()?;
    byte_of(text, &refusal)
}

/// Visits every key and value once, in the order of the text.
struct Walk {
    next: Cell<usize>,
    refused: Option<usize>,
    twice: RefCell<Vec<(String, Place, Place)>>,
}

impl Walk {
    fn new(refused: Option<usize>) -> Walk {
        Walk { next: Cell::new(0), refused, twice: RefCell::default() }
    }
}

impl<'de> DeserializeSeed<'de> for &Walk {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let number = self.next.get();
        self.next.set(number + 1);
        if self.refused == Some(number) {
            return Err(deserializer.deserialize_any(Refuse).err().unwrap_or_else(|| {
                D::Error::custom("the value at the sought place was not refused")
            }));
        }
        let value = deserializer.deserialize_any(Accept(self))?;
        Ok(Node { value, place: Place::Text(number) })
    }
}

/// Accepts no value, so that the error says where it stands.
struct Refuse;

impl Visitor<'_> for Refuse {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

/// Accepts every value.
struct Accept<'a>(&'a Walk);

impl<'de> Visitor<'de> for Accept<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Integer(value.try_into().unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.0)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(key) = map.next_key_seed(self.0)? {
            let value = map.next_value_seed(self.0)?;
            let word = key.word();
            match seen.get(&word) {
                Some(first) => self.0.twice.borrow_mut().push((word, *first, key.place)),
                None => _ = seen.insert(word, key.place),
            }
            entries.push(Entry { key, value });
        }
        Ok(Value::Mapping(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        content.newtype_variant::<IgnoredAny>()?;
        Ok(Value::Tagged(tag))
    }
}

const DEEPEST: usize = 100;

/// The library's scanner takes time quadratic in the depth of brackets, and much memory for lists in
/// lists on one line, so we count first.
fn refuse_nesting(text: &str) -> Result<(), Broken> {
    let begins = |pair: &[u8]| matches!(pair, [b'-' | b'?' | b':', b' ' | b'\t']);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let pairs = line.trim_start().as_bytes().chunks(2);
        if DEEPEST < pairs.take_while(|pair| begins(pair)).count() {
            return Err(too_deep(Some(start)));
        }
        start += line.len();
    }
    let mut depth: usize = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if DEEPEST < depth {
            return Err(too_deep(Some(at)));
        }
    }
    Ok(())
}

fn too_deep(at: Option<usize>) -> Broken {
    Broken {
        message: "values are nested too deeply".to_owned(),
        help: "a scenario nests five levels at most; is a bracket not closed?".to_owned(),
        at,
        began: None,
    }
}

fn refuse_characters(text: &str) -> Result<(), Broken> {
    let is_text = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..)
            && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let Some((at, found)) = text.char_indices().find(|(_, c)| !is_text(*c)) else {
        return Ok(());
    };
    Err(Broken {
        message: format!("the character U+{:04X} cannot stand in a scenario", u32::from(found)),
        help: "a scenario is plain text; is this another kind of file?".to_owned(),
        at: Some(at),
        began: None,
    })
}

/// Finds anchors and aliases without expanding them. The library does not report them, but it
/// reports `@`, which may begin no value either: a text in which every `&` and `*` is replaced
/// by `@` breaks exactly at the first one that was more than a part of some text or comment.
fn refuse_aliases(text: &str) -> Result<(), Broken> {
    let replaced = text.replace(['&', '*'], "@");
    let mut documents = serde_yaml::Deserializer::from_str(&replaced);
    let error = documents.find_map(|document| Walk::new(None).deserialize(document).err());
    let Some(at) = error.and_then(|error| byte_of(&replaced, &error)) else { return Ok(()) };
    let message = match text.as_bytes().get(at) {
        Some(b'&') => "anchors are not allowed in a scenario",
        Some(b'*') => "aliases are not allowed in a scenario",
        _ => return Ok(()),
    };
    Err(Broken {
        message: message.to_owned(),
        help: "write the values out; if this is text, put it in quotes".to_owned(),
        at: Some(at),
        began: None,
    })
}

fn second_document(text: &str, second: serde_yaml::Deserializer<'_>) -> Broken {
    let refusal = Walk::new(Some(0)).deserialize(second).err();
    let inside = refusal.and_then(|error| byte_of(text, &error)).unwrap_or(text.len());
    let upto = text[inside..].find('\n').map_or(text.len(), |end| inside + end);
    let at = text[..upto].rfind("\n---").map_or(inside, |newline| newline + 1);
    Broken {
        message: "a second document begins here".to_owned(),
        help: "one file holds one scenario: remove `---`, or split the file".to_owned(),
        at: Some(at),
        began: None,
    }
}

fn byte_of(text: &str, error: &serde_yaml::Error) -> Option<usize> {
    Some(text.floor_char_boundary(error.location()?.index()))
}

/// The library's words for common mistakes, what we say instead, and what to do.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "a `:` does not fit here",
        "indent this line like its neighbours, put a text that holds `: ` in quotes, or add the `:` \
         that the line above lacks",
    ),
    (
        "did not find expected key",
        "this is not a `key: value` of the mapping around it",
        "keys of one mapping begin in the same column; in `{...}` they are separated by commas",
    ),
    (
        "did not find expected '-' indicator",
        "this is not an item of the list around it",
        "begin each item with `- `, in the same column",
    ),
    (
        "did not find expected ',' or '}'",
        "a `{` is not closed before this",
        "close it with `}`, and separate its entries by commas",
    ),
    (
        "did not find expected ',' or ']'",
        "a `[` is not closed before this",
        "close it with `]`, and separate its items by commas",
    ),
    (
        "could not find expected ':'",
        "a key without `:` comes before this",
        "write `key: value`, with a space behind the colon",
    ),
    (
        "found unexpected end of stream",
        "a quoted text is not closed before the end",
        "close it with the quote that opened it",
    ),
    (
        "found unexpected document indicator",
        "a quoted text is not closed before this",
        "close it with the quote that opened it",
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin the list on a line of its own, or write `[a, b]`",
    ),
    (
        "found unknown escape character",
        "the text holds an unknown escape",
        "write `\\\\` for a backslash, or use single quotes",
    ),
];

fn syntax(text: &str, error: &serde_yaml::Error) -> Broken {
    let at = byte_of(text, error);
    let said = error.to_string();
    if said.contains("recursion limit") {
        return too_deep(at);
    }
    let known = MISTAKES.iter().find(|(needle, _, _)| said.starts_with(needle));
    if let Some((_, message, help)) = known {
        let (message, help) = ((*message).to_owned(), (*help).to_owned());
        return Broken { message, help, at, began: began(text, &said) };
    }
    if said.starts_with("found character that cannot start any token") {
        return stray_character(text, at);
    }
    let short = said.split(" at line ").next().unwrap_or(&said).to_owned();
    Broken {
        message: short,
        help: "the text is not valid YAML".to_owned(),
        at,
        began: began(text, &said),
    }
}

/// The library says in words where the thing began that it was reading.
fn began(text: &str, said: &str) -> Option<usize> {
    let (_, place) = said.split_once(", while ")?.1.split_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let (line, column) = (line.parse::<usize>().ok()?, column.parse::<usize>().ok()?);
    let lines = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let start = lines.map(str::len).sum::<usize>();
    let within = text[start..].char_indices().nth(column.checked_sub(1)?);
    within.map(|(at, _)| start + at)
}

fn stray_character(text: &str, at: Option<usize>) -> Broken {
    let found = at.and_then(|at| text[at..].chars().next());
    let (message, help) = match found {
        Some('\t') => ("a tab cannot indent YAML".to_owned(), "use spaces".to_owned()),
        Some(c) => (
            format!("a value cannot begin with `{}`", c.escape_debug()),
            "put the text in quotes".to_owned(),
        ),
        None => ("a value is missing".to_owned(), "write one".to_owned()),
    };
    Broken { message, help, at, began: None }
}
