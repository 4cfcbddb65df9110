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
    use super::{block, clipped, line};

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
    fn clipping_counts_characters() {
        assert_eq!(clipped("aéb", 2), ("aé", false));
        assert_eq!(clipped("aéb", 3), ("aéb", true));
    }
}
