//! Makes every character of a hostile text visible.
//!
//! Names and texts come from YAML, from file systems and from panics. A control character could
//! steer a terminal, a line separator could end a string, and a bidirectional override could make
//! the command that one copies differ from the command that one reads.

use std::borrow::Cow;

/// `text` on one line: line breaks and tabs are written as escapes too.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, needs_escape)
}

/// `text` with its line breaks and tabs. A carriage return before a line feed is dropped.
pub fn block(text: &str) -> Cow<'_, str> {
    let text = if text.contains("\r\n") {
        Cow::Owned(text.replace("\r\n", "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let escaped = |character| !matches!(character, '\n' | '\t') && needs_escape(character);
    match text {
        Cow::Borrowed(text) => replaced(text, escaped),
        Cow::Owned(text) => Cow::Owned(replaced(&text, escaped).into_owned()),
    }
}

/// `text`, which is JSON, with the same contents and nothing that could deceive who prints it: such
/// characters can only be inside of its strings, where an escape is equal.
pub fn json(text: &str) -> Cow<'_, str> {
    let escaped = |character| character != '\n' && needs_escape(character);
    if !text.contains(escaped) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::new();
    for character in text.chars() {
        if escaped(character) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            visible.extend(units.map(|unit| format!("\\u{unit:04x}")));
        } else {
            visible.push(character);
        }
    }
    Cow::Owned(visible)
}

/// At most `limit` characters of `text`, and whether that is all of it.
pub(crate) fn clipped(text: &str, limit: usize) -> (&str, bool) {
    match text.char_indices().nth(limit) {
        Some((end, _)) => (&text[..end], false),
        None => (text, true),
    }
}

fn replaced(text: &str, escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&escaped) {
        return Cow::Borrowed(text);
    }
    let visible = text.chars().map(|character| {
        if escaped(character) {
            character.escape_default().to_string()
        } else {
            character.to_string()
        }
    });
    Cow::Owned(visible.collect())
}

/// Control characters, separators that end lines in some languages, and whatever is invisible or
/// changes the direction of its neighbours.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::{block, clipped, json, line};

    #[test]
    fn what_could_deceive_is_written_out() {
        let table = [
            ("plain naïve 文", "plain naïve 文", "plain naïve 文"),
            ("a\nb\tc", r"a\nb\tc", "a\nb\tc"),
            ("a\r\nb\rc", r"a\r\nb\rc", "a\nb\\rc"),
            ("\u{1b}[2J", r"\u{1b}[2J", r"\u{1b}[2J"),
            ("x\u{2028}y\u{202e}z", r"x\u{2028}y\u{202e}z", r"x\u{2028}y\u{202e}z"),
            ("\u{0}\u{7f}\u{9b}", r"\u{0}\u{7f}\u{9b}", r"\u{0}\u{7f}\u{9b}"),
        ];
        for (text, as_line, as_block) in table {
            assert_eq!((&*line(text), &*block(text)), (as_line, as_block), "{text:?}");
        }
    }

    #[test]
    fn json_says_the_same() {
        let value =
            serde_json::json!(["\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{feff}\t", "na\u{ef}ve"]);
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = json(&text);
        let deceives = |c: char| c != '\n' && super::needs_escape(c);
        assert!(!shown.contains(deceives) && shown.contains("na\u{ef}ve"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert_eq!(json("{\n}"), "{\n}");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clipped("aéb", 2), ("aé", false));
        assert_eq!(clipped("aéb", 3), ("aéb", true));
    }
}
