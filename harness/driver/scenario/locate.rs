//! From the place of a key or value to bytes, line and column.

use super::node::{Node, Place, Value};
use super::yaml;
use std::ops::Range;

/// A scenario's text with its tree, in which places are looked up.
pub(super) struct Text<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// Its tree, after overrides.
    pub(super) root: &'a Node,
}

impl Text<'_> {
    /// The bytes of a key or value that begin on its first line.
    pub(super) fn bytes(&self, number: usize) -> Option<Range<usize>> {
        let start = yaml::position(self.text, number)?;
        let node = self.root.find(Place::Text(number));
        Some(start..start + extent(first_line(&self.text[start..]), node))
    }
}

/// Line and column of a byte, both counted from 1; the column counts characters.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[begin..].chars().count() + 1)
}

/// How much of `rest`, which begins with the node, belongs to it.
fn extent(rest: &str, node: Option<&Node>) -> usize {
    let mapping = matches!(node.map(|node| &node.value), Some(Value::Mapping(_)));
    match rest.as_bytes().first() {
        None => 0,
        Some(b'"') => quoted(rest, '"', true),
        Some(b'\'') => quoted(rest, '\'', false),
        Some(b'{' | b'[') => bracketed(rest),
        Some(b'|' | b'>') => rest.find(' ').unwrap_or(rest.len()),
        Some(b'-') if matches!(node.map(|node| &node.value), Some(Value::List(_))) => 1,
        Some(_) if mapping => rest.find(':').unwrap_or(rest.len()),
        Some(_) => match node.map(|node| &node.value) {
            Some(Value::Text(text)) if rest.starts_with(text.as_str()) => text.len(),
            _ => plain(rest),
        },
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("").trim_end()
}

fn plain(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
    let end = rest.find(ends).unwrap_or(rest.len());
    rest[..end].strip_suffix(':').map_or(end, str::len)
}

fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote {
            let doubled = !escapes && letters.peek().is_some_and(|(_, next)| *next == quote);
            if !doubled {
                return at + 1;
            }
            letters.next();
        }
    }
    rest.len()
}

/// Up to the bracket that closes the first, if it is on the same line.
fn bracketed(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut skip = 0;
    for (at, letter) in rest.char_indices() {
        if at < skip {
            continue;
        }
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 1 => return at + 1,
            '}' | ']' => depth -= 1,
            '"' | '\'' => skip = at + quoted(&rest[at..], letter, letter == '"'),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key and value of `text`, as the bytes that a caret would mark.
    fn marked(text: &str) -> Vec<&str> {
        let tree = yaml::tree(text).expect("the text of a test is YAML");
        let places = Text { text, root: &tree.root };
        (0..).map_while(|number| places.bytes(number)).map(|bytes| &text[bytes]).collect()
    }

    #[test]
    fn every_node_is_found_where_it_stands() {
        for (text, expected) in [
            ("a: 1\nb: two words\n", vec!["a", "a", "1", "b", "two words"]),
            ("{a: 1, b: [x, 2]}", vec!["{a: 1, b: [x, 2]}", "a", "1", "b", "[x, 2]", "x", "2"]),
            ("a:\n  - b: c\n  - d\n", vec!["a", "a", "-", "b", "b", "c", "d"]),
            (
                "a:\n- 'it''s': \"q\\\"q\" # no\n",
                vec!["a", "a", "-", "'it''s'", "'it''s'", "\"q\\\"q\""],
            ),
            (
                "\u{e4}\u{f6}: \u{1f409} x\nb: 5%\n",
                vec!["\u{e4}\u{f6}", "\u{e4}\u{f6}", "\u{1f409} x", "b", "5%"],
            ),
            ("a: |\n  text\nb: x\n", vec!["a", "a", "|", "b", "x"]),
            ("a: {b: c,\n  d: e}\n", vec!["a", "a", "{b: c,", "b", "c", "d", "e"]),
            ("a: !t 5\n", vec!["a", "a", "!t"]),
            ("# c\r\na: 1\r\nb: 2\r\n", vec!["a", "a", "1", "b", "2"]),
            ("? a\n: b\n", vec!["? a", "a", "b"]),
        ] {
            assert_eq!(marked(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        for (text, at, expected) in [
            ("abc", 0, (1, 1)),
            ("abc", 3, (1, 4)),
            ("a\nb", 2, (2, 1)),
            ("\u{e4}\u{1f409}x", 6, (1, 3)),
            ("a\r\nbc", 4, (2, 2)),
        ] {
            assert_eq!(line_and_column(text, at), expected, "{text}");
        }
    }
}
