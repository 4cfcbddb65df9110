//! Names of a case as C has them: identifiers, texts and comments that end where they should.

use std::collections::BTreeSet;

/// Identifiers, each used once.
#[derive(Debug, Default)]
pub(super) struct Identifiers(BTreeSet<String>);

impl Identifiers {
    /// One that looks like `name` behind `prefix`.
    pub(super) fn take(&mut self, prefix: &str, name: &str) -> String {
        let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let plain: String = name.chars().take(LONGEST).map(fit).collect();
        let plain = format!("{prefix}{plain}");
        let others = (2..).map(|nth: u64| format!("{plain}_{nth}"));
        let mut all = std::iter::once(plain.clone()).chain(others);
        all.find(|name| self.0.insert(name.clone())).expect("there are more numbers than names")
    }
}

const LONGEST: usize = 40;

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        // In front of another one it could be the beginning of a trigraph.
        b' '..=b'~' if byte != b'?' => char::from(byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("\"{}\"", text.bytes().map(byte).collect::<String>())
}

/// Words inside a comment.
pub(super) fn comment(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace('\\', "|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_gets_out_of_its_place() {
        assert_eq!(text("a\"b\\c\n??/\u{e9}"), r#""a\"b\\c\012\077\077/\303\251""#);
        assert_eq!(comment("x */ system(); /* y\n"), "x * / system(); / * y?");
        let mut names = Identifiers::default();
        let all = ["a-b", "a_b", "", "\u{fc}"].map(|name| names.take("F_", name));
        assert_eq!(all, ["F_a_b", "F_a_b_2", "F_", "F__"]);
    }
}
