//! The keys of one mapping, read one by one; what is wrong with them is collected.

use super::format::PLACES;
use super::keys::{Fallback, Key, Kind, Shape, Variant};
use super::node::{Entry, Node, Place, Value, quoted};
use super::problem::{Problem, Problems};
use super::suggest::{list, nearest};
use super::values::{self, Taken};
use super::words::Word;
use std::time::Duration;

/// A value and where it was written; a default stands where its mapping does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<T> {
    /// What it means.
    pub(super) value: T,
    /// Where it was written.
    pub(super) place: Place,
}

/// `None`: it was wrong, and has been reported.
pub(super) type Read<T> = Option<Given<T>>;

/// One mapping of the scenario.
pub(super) struct Fields<'a> {
    /// Where a missing key is missing.
    pub(super) place: Place,
    entries: &'a [Entry],
    shape: &'static Shape,
    problems: &'a Problems,
}

/// What stands where a word or a one-key mapping can stand.
pub(super) enum Chosen<'a> {
    /// One of the words.
    Word(String),
    /// The one key of the mapping, and what stands behind it.
    Mapping(&'static str, Fields<'a>),
}

impl<'a> Fields<'a> {
    /// The keys of `node`. Reports those that the shape does not have.
    pub(super) fn open(
        node: &'a Node,
        shape: &'static Shape,
        problems: &'a Problems,
    ) -> Option<Fields<'a>> {
        let Value::Mapping(entries) = &node.value else {
            let message = format!("{} is a mapping, and this is {}", shape.what, node.kind());
            let names: Vec<_> = shape.keys.iter().map(|key| key.name).collect();
            problems.add(Problem::at(node.place, message).help(format!(
                "write `key: value` lines, or `{{key: value}}`, with {}",
                list(&names)
            )));
            return None;
        };
        let fields = Fields { place: node.place, entries, shape, problems };
        for entry in entries {
            fields.refuse_stranger(entry);
        }
        Some(fields)
    }

    /// A mapping in which every key has its default.
    pub(super) fn absent(
        place: Place,
        shape: &'static Shape,
        problems: &'a Problems,
    ) -> Fields<'a> {
        Fields { place, entries: &[], shape, problems }
    }

    /// The line of that key, if the scenario has it.
    pub(super) fn given(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| matches!(&entry.key.value, Value::Text(t) if t == name))
    }

    /// Reads a key that has a default or is required.
    pub(super) fn read<T>(&self, name: &str, take: impl Fn(&Node, &Key) -> Taken<T>) -> Read<T> {
        let key = self.key(name);
        let Some(entry) = self.given(name) else {
            let Fallback::Text(text) = key.default else {
                self.missing(&key);
                return None;
            };
            let node = default_node(text, self.place);
            let value = take(&node, &key).expect("the default in the table is a good value");
            return Some(Given { value, place: self.place });
        };
        self.take(&key, entry, take)
    }

    /// Reads a key that may be left out.
    pub(super) fn maybe<T>(
        &self,
        name: &str,
        take: impl Fn(&Node, &Key) -> Taken<T>,
    ) -> Read<Option<T>> {
        let Some(entry) = self.given(name) else {
            return Some(Given { value: None, place: self.place });
        };
        let Given { value, place } = self.take(&self.key(name), entry, take)?;
        Some(Given { value: Some(value), place })
    }

    /// Reads bytes.
    pub(super) fn size(&self, name: &str) -> Read<u64> {
        self.read(name, values::size)
    }

    /// Reads a whole number.
    pub(super) fn number(&self, name: &str) -> Read<u64> {
        self.read(name, values::number)
    }

    /// Reads a time.
    pub(super) fn duration(&self, name: &str) -> Read<Duration> {
        self.read(name, values::duration)
    }

    /// Reads a chance in parts per million.
    pub(super) fn chance(&self, name: &str) -> Read<u32> {
        self.read(name, values::chance)
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Read<bool> {
        self.read(name, values::flag)
    }

    /// Reads one of an enum's words.
    pub(super) fn word<T: Word>(&self, name: &str) -> Read<T> {
        self.read(name, |node, key| {
            let described = key.kind.words();
            let words: Vec<_> = described.iter().map(|(word, _)| *word).collect();
            let word = values::word(node, key, &words)?;
            Ok(T::named(&word).expect("the enum knows the words of its own table"))
        })
    }

    /// Opens the mapping behind a key that may be left out.
    pub(super) fn mapping(&self, name: &str) -> Option<Fields<'a>> {
        let key = self.key(name);
        let Kind::Mapping(shape) = key.kind else { unreachable!("the key takes a mapping") };
        match self.given(name) {
            None => Some(Fields::absent(self.place, shape, self.problems)),
            Some(entry) => Fields::open(self.filled(&key, entry)?, shape, self.problems),
        }
    }

    /// The items of the list behind a key; none if the key is left out.
    pub(super) fn items(&self, name: &str, min: usize, max: usize) -> Option<&'a [Node]> {
        let key = self.key(name);
        let Some(entry) = self.given(name) else {
            if matches!(key.default, Fallback::Required) {
                self.missing(&key);
                return None;
            }
            return Some(&[]);
        };
        let node = self.filled(&key, entry)?;
        let Value::List(items) = &node.value else {
            let message = format!("`{name}` is a list, and this is {}", node.kind());
            self.problems.add(Problem::at(node.place, message).help("begin each item with `- `"));
            return None;
        };
        if items.len() < min {
            let message = format!("`{name}` is empty");
            let help = format!("add an item{}", left_out(&key));
            self.problems.add(Problem::at(node.place, message).help(help));
            return None;
        }
        if max < items.len() {
            let message = format!("`{name}` has {} items", items.len());
            let help = format!("{max} are the most");
            self.problems.add(Problem::at(items[max].place, message).help(help));
            return None;
        }
        Some(items)
    }

    /// The items of a list of mappings, and their shape; none if the key is left out.
    pub(super) fn list(&self, name: &str) -> Option<(&'static Shape, &'a [Node])> {
        let Kind::List { of, min, max } = self.key(name).kind else {
            unreachable!("the key takes a list")
        };
        Some((of, self.items(name, min, max)?))
    }

    /// The items of a list of one-key mappings, each with the name of its key.
    pub(super) fn variants(&self, name: &str) -> Option<Vec<Option<(&'static str, Fields<'a>)>>> {
        let Kind::Variants { of, max, .. } = self.key(name).kind else {
            unreachable!("the key takes a list")
        };
        let items = self.items(name, 0, max)?;
        Some(items.iter().map(|node| variant(node, of, self.problems)).collect())
    }

    /// The sentences behind a key, none if it is left out; each that is no text is reported.
    pub(super) fn sentences(&self, name: &str) -> Option<Vec<Read<String>>> {
        let Kind::Sentences { what, example, min, max, .. } = self.key(name).kind else {
            unreachable!("the key takes sentences")
        };
        let sentence = |node: &Node| {
            let Value::Text(text) = &node.value else {
                let (message, help) = no_sentence(what, example, node);
                self.report(Problem::at(node.place, message).help(help));
                return None;
            };
            Some(Given { value: text.clone(), place: node.place })
        };
        Some(self.items(name, min, max)?.iter().map(sentence).collect())
    }

    /// Reads a word or a one-key mapping that may be left out.
    pub(super) fn either(&self, name: &str) -> Read<Option<Chosen<'a>>> {
        let key = self.key(name);
        let Kind::Either { words, variants } = key.kind else {
            unreachable!("the key takes a word or a mapping")
        };
        let Some(entry) = self.given(name) else {
            return Some(Given { value: None, place: self.place });
        };
        let node = self.filled(&key, entry)?;
        let place = node.place;
        let value = if matches!(node.value, Value::Mapping(_)) {
            let (name, fields) = variant(node, variants, self.problems)?;
            Chosen::Mapping(name, fields)
        } else {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.one_of_both(node, &key, &words, variants)?
        };
        Some(Given { value: Some(value), place })
    }

    /// Reports something about this mapping.
    pub(super) fn report(&self, problem: Problem) {
        self.problems.add(problem);
    }

    /// Where problems go.
    pub(super) fn problems(&self) -> &'a Problems {
        self.problems
    }

    fn one_of_both(
        &self,
        node: &'a Node,
        key: &Key,
        words: &[&str],
        variants: &'static [Variant],
    ) -> Option<Chosen<'a>> {
        let found = node.word();
        let named = variants.iter().find(|variant| variant.name == found);
        match (values::word(node, key, words), named) {
            (Ok(_), _) => Some(Chosen::Word(found)),
            (Err(_), Some(variant)) => {
                let message = format!("`{}` needs its keys", variant.name);
                let help = format!("write `{}: {}`", key.name, example(variant));
                self.problems.add(Problem::at(node.place, message).help(help));
                None
            }
            (Err(complaint), None) => {
                let forms: Vec<_> = variants.iter().map(example).collect();
                let help = format!("write {}, or `{}`", list(words), forms.join("`, `"));
                self.problems.add(Problem::at(node.place, complaint.message).help(help));
                None
            }
        }
    }

    fn key(&self, name: &str) -> Key {
        self.shape.key(name).expect("the reader asks only for keys of the table")
    }

    fn missing(&self, key: &Key) {
        let message = format!("{} has no `{}`", self.shape.what, key.name);
        let words = if let Kind::Words(words) = key.kind {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            format!(", one of {}", list(&words))
        } else {
            String::new()
        };
        let help = format!("add `{}:`, {}{words}", key.name, first_sentence(key.about));
        self.problems.add(Problem::at(self.place, message).help(help));
    }

    fn take<T>(
        &self,
        key: &Key,
        entry: &'a Entry,
        take: impl Fn(&Node, &Key) -> Taken<T>,
    ) -> Read<T> {
        let node = self.filled(key, entry)?;
        match take(node, key) {
            Ok(value) => Some(Given { value, place: node.place }),
            Err(complaint) => {
                let problem = Problem::at(node.place, complaint.message).help(complaint.help);
                self.problems.add(problem);
                None
            }
        }
    }

    /// The value of a line, unless there is none.
    fn filled(&self, key: &Key, entry: &'a Entry) -> Option<&'a Node> {
        if !matches!(entry.value.value, Value::Null) {
            return Some(&entry.value);
        }
        let message = format!("`{}` has no value", key.name);
        let sign = match entry.value.place {
            Place::Text(_) => "the colon",
            Place::Set { .. } => "`=`",
        };
        let help = format!("write one behind {sign}{}", left_out(key));
        self.problems.add(Problem::at(entry.key.place, message).help(help));
        None
    }

    fn refuse_stranger(&self, entry: &Entry) {
        let known = self.shape.all();
        let name = entry.key.word();
        let is_text = matches!(entry.key.value, Value::Text(_));
        if is_text && known.iter().any(|key| key.name == name) {
            return;
        }
        if name == "<<" {
            let problem = Problem::at(entry.key.place, "merge keys are not allowed in a scenario");
            self.problems.add(problem.help("write the keys out"));
            return;
        }
        let message = format!("{} has no key {}", self.shape.what, quoted(&name));
        let names: Vec<_> = known.iter().map(|key| key.name).collect();
        self.problems.add(Problem::at(entry.key.place, message).help(stranger_help(&name, &names)));
    }
}

/// Opens a mapping with exactly one key, which must be one of the variants.
fn variant<'a>(
    node: &'a Node,
    variants: &'static [Variant],
    problems: &'a Problems,
) -> Option<(&'static str, Fields<'a>)> {
    let Value::Mapping(entries) = &node.value else {
        let named = variants.iter().find(|variant| variant.name == node.word());
        if let Some(variant) = named.filter(|variant| variant.needs_no_key()) {
            let keys = Fields::absent(node.place, &variant.shape, problems);
            return Some((variant.name, keys));
        }
        problems.add(if let Some(variant) = named {
            needs_keys(node.place, variant)
        } else {
            let message = format!("this is a mapping with one key, and not {}", node.kind());
            Problem::at(node.place, message).help(forms(variants))
        });
        return None;
    };
    let [entry] = entries.as_slice() else {
        problems.add(match entries.get(1) {
            None => Problem::at(node.place, "this mapping is empty").help(forms(variants)),
            Some(second) => {
                let message = format!("this mapping has {} keys, and takes one", entries.len());
                Problem::at(second.key.place, message)
                    .help("indent keys that belong to the first below it, or begin an item")
            }
        });
        return None;
    };
    let name = entry.key.word();
    let Some(variant) = variants.iter().find(|variant| variant.name == name) else {
        let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
        let message = format!("{} is not known here", quoted(&name));
        let help = super::suggest::did_you_mean(&name, &names);
        problems.add(Problem::at(entry.key.place, message).help(help));
        return None;
    };
    if matches!(entry.value.value, Value::Null) {
        if variant.needs_no_key() {
            let keys = Fields::absent(entry.key.place, &variant.shape, problems);
            return Some((variant.name, keys));
        }
        problems.add(needs_keys(entry.key.place, variant));
        return None;
    }
    Some((variant.name, Fields::open(&entry.value, &variant.shape, problems)?))
}

/// What is wrong with an item of a list of texts that is none.
fn no_sentence(what: &str, example: &str, node: &Node) -> (String, String) {
    // A word is quoted so that it is a text; of several words nothing else can be made.
    let noun = if example.contains(' ') { "sentence" } else { "text" };
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let message = format!("{article} {what} is a {noun}, and this is {}", node.kind());
    let help = if let (Value::Integer(number), "text") = (&node.value, noun) {
        format!("quote it: `\"{number}\"`")
    } else {
        format!("write one like `{example}`")
    };
    (message, help)
}

fn forms(variants: &[Variant]) -> String {
    const FEW: usize = 8;
    if FEW < variants.len() {
        let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
        return format!("write one like `{}`, of {}", example(&variants[0]), list(&names));
    }
    let forms: Vec<_> = variants.iter().map(example).collect();
    format!("write `{}`", forms.join("`, or `"))
}

fn needs_keys(place: Place, variant: &Variant) -> Problem {
    let help = format!("write `{}`", example(variant));
    Problem::at(place, format!("`{}` needs its keys", variant.name)).help(help)
}

/// A default is written in the table as in a scenario.
fn default_node(text: &'static str, place: Place) -> Node {
    let value = match (text.parse(), text.parse()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(flag)) => Value::Bool(flag),
        _ => Value::Text(text.to_owned()),
    };
    Node { value, place }
}

/// `{short_copy: {chance: 5%}}`: the variant with its required keys.
fn example(variant: &Variant) -> String {
    let required = variant.shape.keys.iter().filter(|k| matches!(k.default, Fallback::Required));
    let keys: Vec<_> = required.map(|key| format!("{}: {}", key.name, sample(key))).collect();
    format!("{{{}: {{{}}}}}", variant.name, keys.join(", "))
}

/// A value that the key takes.
fn sample(key: &Key) -> &'static str {
    if let Some((word, _)) = key.kind.words().first() {
        return word;
    }
    let samples = [
        (matches!(key.kind, Kind::Chance), "5%"),
        (matches!(key.kind, Kind::Duration { .. }), "5ms"),
        (matches!(key.kind, Kind::Number { .. }), "3"),
        (matches!(key.kind, Kind::Size { .. }), "4KiB"),
    ];
    samples.iter().find(|(fits, _)| *fits).map_or("...", |(_, sample)| sample)
}

fn left_out(key: &Key) -> String {
    match key.default {
        Fallback::Required => String::new(),
        Fallback::Text(text) => format!(", or remove the key: then it is `{text}`"),
        Fallback::Rule(rule) => format!(", or remove the key (default: {rule})"),
    }
}

fn stranger_help(name: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let homes = PLACES.iter().filter(|(_, shape)| shape.key(name).is_some());
    let homes: Vec<_> = homes.map(|(place, _)| *place).collect();
    if known.is_empty() {
        return "it has no keys: remove this one".to_owned();
    }
    if homes.is_empty() {
        return format!("its keys are {}", list(known));
    }
    format!("`{name}` is a key of {}", homes.join(" or "))
}

/// The first sentence of a description, to stand within another.
fn first_sentence(about: &str) -> String {
    let sentence = about.split(". ").next().unwrap_or(about).trim_end_matches('.');
    let mut letters = sentence.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
