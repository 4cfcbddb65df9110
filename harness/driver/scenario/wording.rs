//! Sentences of a scenario, taken word by word; what is wrong with a word is noted where it stands.

use super::node::{Place, quoted};
use super::problem::{Problem, Problems};
use std::ops::Range;

/// Something wrong with a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Which bytes of it.
    pub(super) bytes: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// A word and where it stands in its sentence.
pub(super) struct Word<'a> {
    /// As it stands there.
    pub(super) text: &'a str,
    /// Which bytes of the sentence it is.
    pub(super) bytes: Range<usize>,
}

/// A sentence on its way through a reader.
pub(super) struct Sentence<'a> {
    /// What it is, for messages: `step`.
    what: &'static str,
    text: &'a str,
    at: usize,
    /// What was found wrong.
    pub(super) flaws: Vec<Flaw>,
}

impl<'a> Sentence<'a> {
    /// A sentence before its first word. `what` says in a word what it is.
    pub(super) fn new(what: &'static str, text: &'a str) -> Sentence<'a> {
        Sentence { what, text, at: 0, flaws: Vec::new() }
    }

    /// The next word, if there is one.
    pub(super) fn take(&mut self) -> Option<Word<'a>> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let len = self.text[start..].find(char::is_whitespace).unwrap_or(self.text.len() - start);
        self.at = start + len;
        (len != 0).then(|| Word { text: &self.text[start..start + len], bytes: start..start + len })
    }

    /// The next word, which stays the next.
    pub(super) fn peek(&mut self) -> Option<&'a str> {
        let at = self.at;
        let word = self.take();
        self.at = at;
        word.map(|word| word.text)
    }

    /// The next word, which must be there.
    pub(super) fn next(&mut self, missing: &str, wanted: &str) -> Option<Word<'a>> {
        let before = self.text[..self.at].trim();
        let last = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let word = self.take();
        if word.is_none() {
            let message = match before {
                "" => format!("this {} is empty", self.what),
                _ => format!("{missing} `{}`", &before[last..]),
            };
            let start = self.text.len() - self.text.trim_start().len();
            let bytes = start + last..start + before.len();
            self.flaws.push(Flaw { bytes, message, help: format!("write {wanted} there") });
        }
        word
    }

    /// The next word, which must be this one.
    pub(super) fn expect(&mut self, wanted: &str, help: &str) -> Option<()> {
        let word = self.next("something is missing behind", &format!("`{wanted}`"))?;
        if word.text == wanted {
            return Some(());
        }
        self.flaw(&word, &format!("here stands `{wanted}`, and not"), help.to_owned())
    }

    /// The word itself and 1, or the one behind it if it is an ordinal number. `wanted` is what is
    /// counted: `a point`.
    pub(super) fn counted(&mut self, word: Word<'a>, wanted: &str) -> Option<(u64, Word<'a>)> {
        let digits = word.text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Some((1, word));
        }
        let help = match word.text[..digits].parse() {
            Err(_) => "that is more often than it can happen".to_owned(),
            Ok(0) => "they count from `1st`".to_owned(),
            Ok(number) if word.text[digits..] == *ending(number) => {
                let bare = wanted.split_once(' ').map_or(wanted, |(_, noun)| noun);
                let word = self.next(&format!("there is no {bare} behind"), wanted)?;
                return Some((number, word));
            }
            Ok(number) => format!("did you mean `{}`?", ordinal(number)),
        };
        self.flaw(&word, "this is no ordinal number:", help)
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) {
        if let Some(word) = self.take() {
            let help = format!("end the {} before it", self.what);
            self.flaw::<()>(&word, "this cannot follow here:", help);
        }
    }

    /// Notes what is wrong with a word.
    pub(super) fn flaw<T>(&mut self, word: &Word<'_>, message: &str, help: String) -> Option<T> {
        let message = format!("{message} {}", quoted(word.text));
        self.flaws.push(Flaw { bytes: word.bytes.clone(), message, help });
        None
    }
}

/// Reports the flaws of a sentence that stands at `place`.
pub(super) fn report(problems: &Problems, place: Place, text: &str, flaws: Vec<Flaw>) {
    for Flaw { bytes, message, help } in flaws {
        problems.add(Problem::at(place, message).part(text, bytes).help(help));
    }
}

/// `1st`, `22nd` and so on.
pub fn ordinal(number: u64) -> String {
    format!("{number}{}", ending(number))
}

/// What follows the digits of an ordinal number.
fn ending(number: u64) -> &'static str {
    match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinal_numbers_end_as_people_write_them() {
        let table = [1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map(ordinal);
        assert_eq!(table.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th");
    }
}
