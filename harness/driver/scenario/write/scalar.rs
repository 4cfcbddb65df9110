//! Texts as YAML: quoted where they must be, so that every text reads back as it was.

use super::super::quantity::show_size;
use std::fmt::{Display, Write};

/// `{key: value, key: value}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow(Vec<String>);

impl Flow {
    /// Adds a key with a value that is YAML already.
    pub(super) fn put(&mut self, key: &str, value: impl Display) {
        self.0.push(format!("{key}: {value}"));
    }

    /// The same, if there is a value.
    pub(super) fn put_some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Whether it has no key.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key with its value.
    pub(super) fn entries(&self) -> &[String] {
        &self.0
    }

    /// All of it, on one line.
    pub(super) fn text(&self) -> String {
        format!("{{{}}}", self.0.join(", "))
    }
}

/// A name, as a word of any line: `12` and `true` need quotes.
pub(super) fn word(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if plain { yaml(name) } else { escaped(name) }
}

/// A size: with a unit if that is exact.
pub(super) fn bytes(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 10) { show_size(bytes) } else { bytes.to_string() }
}

/// Lines `key: >-` and the text, with line breaks between words, if it is long and has only words.
pub(super) fn folded(key: &str, text: &str, width: usize) -> Vec<String> {
    let plain = |word: &str| !word.is_empty() && !word.contains(is_odd);
    if text.len() <= width || !text.split(' ').all(plain) {
        return vec![line(key, text)];
    }
    let (mut lines, mut last) = (vec![format!("{key}: >-")], String::new());
    for word in text.split(' ') {
        if !last.is_empty() && width < last.len() + word.len() + 3 {
            lines.push(format!("  {last}"));
            last.clear();
        }
        last += if last.is_empty() { "" } else { " " };
        last += word;
    }
    lines.push(format!("  {last}"));
    lines
}

/// A line `key: text`.
pub(super) fn line(key: &str, text: &str) -> String {
    format!("{key}: {}", one_line(text))
}

/// A line `- text` of a list below a key.
pub(super) fn item(text: &str) -> String {
    format!("  - {}", one_line(text))
}

/// Any text on one line.
fn one_line(text: &str) -> String {
    if text.contains(is_odd) { escaped(text) } else { yaml(text) }
}

/// Brackets in a text count as nesting, and line breaks would need lines of their own.
fn is_odd(letter: char) -> bool {
    letter.is_control() || matches!(letter, '[' | '{' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// As the library writes it.
fn yaml(text: &str) -> String {
    let written = serde_yaml::to_string(text).expect("any text is a value");
    written.trim_end_matches('\n').to_owned()
}

/// In double quotes, with escapes for whatever is not plain.
fn escaped(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted += "\\n",
            '[' | '{' => _ = write!(quoted, "\\x{:02x}", u32::from(letter)),
            ' '..='~' => quoted.push(letter),
            _ => _ = write!(quoted, "\\U{:08x}", u32::from(letter)),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One a line, with the escapes of Rust for control characters.
    const TEXTS: &str = r#"

~
null
true
no
y
12
0x1f
0o7
1e3
1_000
+1
.5
.inf
.nan
2020-01-01
-
- a
a: b
a #b
#
'
"
it's
&a
*a
!t
%
@
`
|
>
? a
a\\
---
...
{a: b}
[x
<<
a -> b
=
_
 leading
trailing\u20
a\nb
a\n\n b\n
\t
\r\n
\u85
\u2028
\ufeff
\u1b[31m
\u7f
\u0
\u1f409 and \ue4
"#;

    fn unescaped(line: &str) -> String {
        let mut text = line.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
        while let Some(at) = text.find("\\u") {
            let digits = text[at + 2..].bytes().take_while(u8::is_ascii_hexdigit).count();
            let code = u32::from_str_radix(&text[at + 2..at + 2 + digits], 16).unwrap();
            text.replace_range(at..at + 2 + digits, &char::from_u32(code).unwrap().to_string());
        }
        text
    }

    #[test]
    fn every_text_reads_back() {
        let (nested, long) = ("[{".repeat(200), "a word and ".repeat(50));
        let texts = TEXTS.lines().map(unescaped).chain([nested, long]);
        for text in texts {
            let document = format!("{}\nlist:\n{}\n", line("key", &text), item(&text));
            let read: serde_yaml::Value = serde_yaml::from_str(&document).unwrap();
            assert_eq!(read["key"].as_str(), Some(text.as_str()), "{document}");
            assert_eq!(read["list"][0].as_str(), Some(text.as_str()), "{document}");
            let document = folded("key", &text, 20).join("\n") + "\n";
            let read: serde_yaml::Value = serde_yaml::from_str(&document).unwrap();
            assert_eq!(read["key"].as_str(), Some(text.as_str()), "{document}");
            let flow = format!("[{}]", word(&text));
            let read: serde_yaml::Value = serde_yaml::from_str(&flow).unwrap();
            assert_eq!(read[0].as_str(), Some(text.as_str()), "{flow}");
            assert!(super::super::super::yaml::tree(&document).is_ok(), "{document}");
        }
    }
}
