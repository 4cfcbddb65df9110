//! Texts as YAML: quoted where they must be, so that every text reads back as it was.

use std::fmt::Write;

/// `{key: value, key: value}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow(Vec<String>);

impl Flow {
    /// Adds a key with a value that is YAML already.
    pub(super) fn put(&mut self, key: &str, value: String) {
        self.0.push(format!("{key}: {value}"));
    }

    /// The same, if there is a value.
    pub(super) fn put_some(&mut self, key: &str, value: Option<String>) {
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

/// A line `key: text`.
pub(super) fn line(key: &str, text: &str) -> String {
    format!("{key}: {}\n", one_line(text))
}

/// A line `- text` of a list below a key.
pub(super) fn item(text: &str) -> String {
    format!("  - {}\n", one_line(text))
}

/// Any text on one line.
fn one_line(text: &str) -> String {
    // Brackets in a text count as nesting, and line breaks would need lines of their own.
    let odd = |c: char| c.is_control() || matches!(c, '[' | '{' | '\u{2028}' | '\u{2029}');
    if text.chars().any(odd) { escaped(text) } else { yaml(text) }
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

    #[test]
    fn every_text_reads_back() {
        let nested = "[{".repeat(200);
        let mut texts = vec![
            "", " ", "~", "null", "true", "no", "12", "0x1f", "1e3", ".5", "-", "- a", "a: b", "a #b",
            "#", "'", "\"", "it's", "a\nb", "a\n\n b\n", "\t", "\r\n", "\u{85}", "\u{2028}", "\u{feff}",
            "\u{1b}[31m", "\u{7f}", "\u{0}", "&a", "*a", "!t", "%", "@", "`", "|", ">", "? a", "a\\",
            "---", "...", "\u{1f409} \u{e4}", "{a: b}", "[x", &nested, " leading", "trailing ", "<<",
            "a -> b", "=", "_", "1_000", "+1", "0o7", "2020-01-01", ".inf", ".nan", "y",
        ];
        let long = "a word and ".repeat(50);
        texts.push(&long);
        for text in texts {
            let document = format!("{}list:\n{}", line("key", text), item(text));
            let read: serde_yaml::Value = serde_yaml::from_str(&document).unwrap();
            assert_eq!(read["key"].as_str(), Some(text), "{document}");
            assert_eq!(read["list"][0].as_str(), Some(text), "{document}");
            let flow = format!("[{}]", word(text));
            let read: serde_yaml::Value = serde_yaml::from_str(&flow).unwrap();
            assert_eq!(read[0].as_str(), Some(text), "{flow}");
            assert!(super::super::super::yaml::tree(&document).is_ok(), "{document}");
        }
    }
}
