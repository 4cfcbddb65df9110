//! What a table of keys is made of: each key with its type, range, default and meaning.
//!
//! Reading, the schema for editors and the reference are all derived from the tables in `format`.

use stormfs::choices::Choices;
use stormfs::points::Point;

/// One word with its one sentence.
pub(super) type Described = (&'static str, &'static str);

/// A key of a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// What stands before the colon.
    pub(super) name: &'static str,
    /// What it means, in one or two sentences.
    pub(super) about: &'static str,
    /// What holds if it is left out.
    pub(super) default: Fallback,
    /// What may stand behind the colon.
    pub(super) kind: Kind,
}

/// What holds if a key is left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fallback {
    /// It cannot be left out.
    Required,
    /// The same as if this were written.
    Text(&'static str),
    /// Something that cannot be written as one value; the sentence says what.
    Rule(&'static str),
}

/// What may stand behind the colon.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Letters, digits, `.`, `_` and `-`: a name that can be part of a file's name.
    Name,
    /// Any text.
    Prose,
    /// One of some words.
    Words(&'static [Described]),
    /// A named point of the filesystem.
    Point,
    /// The name of a preset of the filesystem's decisions.
    Preset,
    /// The name of an invariant of the oracle.
    Invariant,
    /// A whole number in a range.
    Number {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// Any number of 64 bits.
    Seed,
    /// Bytes, in a range.
    Size {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// Only powers of two.
        power_of_two: bool,
    },
    /// A time of at most so many hours.
    Duration {
        /// The most hours.
        hours: u64,
    },
    /// A chance.
    Chance,
    /// Operations per second.
    Rate {
        /// The most.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// A list of offsets in bytes.
    Offsets,
    /// A mapping with keys of its own.
    Mapping(&'static Shape),
    /// A list of mappings.
    List {
        /// Its items.
        of: &'static Shape,
        /// The fewest items, if the key is given.
        min: usize,
        /// The most.
        max: usize,
    },
    /// A list of one-key mappings.
    Variants {
        /// What they are, in the plural.
        what: &'static str,
        /// Its items.
        of: &'static [Variant],
        /// The most.
        max: usize,
    },
    /// A word, or a one-key mapping.
    Either {
        /// The words.
        words: &'static [Described],
        /// The one-key mappings.
        variants: &'static [Variant],
    },
    /// Kinds of operation with their weights.
    Weights,
    /// A list of sentences.
    Sentences {
        /// What one is, in a word.
        what: &'static str,
        /// One of them.
        example: &'static str,
        /// What every one of them matches, for editors.
        pattern: &'static str,
        /// The fewest, if the key is given.
        min: usize,
        /// The most.
        max: usize,
    },
    /// Paths of values, each with a list of what it may be.
    Vary,
    /// A list of bugs, by id.
    Bugs,
    /// The id of one bug.
    Bug,
}

impl Kind {
    /// The words that may stand there, if it takes one of some words.
    pub(super) fn words(&self) -> Vec<Described> {
        if let Kind::Words(words) = self {
            words.to_vec()
        } else if matches!(self, Kind::Point) {
            Point::ALL.iter().map(|point| (point.name(), point.about())).collect()
        } else if matches!(self, Kind::Preset) {
            Choices::PRESETS.iter().map(|preset| (preset.name, preset.about)).collect()
        } else {
            Vec::new()
        }
    }
}

/// A mapping with its keys.
#[derive(Debug)]
pub(super) struct Shape {
    /// For sentences: `an actor`.
    pub(super) what: &'static str,
    /// Its keys, in the order of the reference.
    pub(super) keys: &'static [Key],
    /// True if the decisions of the filesystem are keys, too.
    pub(super) decisions: bool,
}

/// A mapping with exactly one key, which says what it is.
#[derive(Debug)]
pub(super) struct Variant {
    /// The one key.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) about: &'static str,
    /// What stands behind it.
    pub(super) shape: Shape,
}

impl Variant {
    /// Whether its name alone says everything: every key has a default.
    pub(super) fn needs_no_key(&self) -> bool {
        self.shape.keys.iter().all(|key| !matches!(key.default, Fallback::Required))
    }
}

impl Shape {
    /// Every key.
    pub(super) fn all(&self) -> Vec<Key> {
        let mut keys = self.keys.to_vec();
        if self.decisions {
            keys.extend(decisions());
        }
        keys
    }

    /// The key of that name.
    pub(super) fn key(&self, name: &str) -> Option<Key> {
        self.all().into_iter().find(|key| key.name == name)
    }
}

/// The keys by which a scenario changes what the filesystem decides.
pub(super) fn decisions() -> impl Iterator<Item = Key> {
    Choices::DECISIONS.iter().map(|decision| Key {
        name: decision.name,
        about: decision.about,
        default: Fallback::Text(decision.values[0].0),
        kind: Kind::Words(decision.values),
    })
}
