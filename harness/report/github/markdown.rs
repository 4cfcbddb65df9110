//! Builds Markdown in which text can only be text.
//!
//! GitHub makes markup, links, mentions and references of almost anything, but not inside of code. So
//! whatever was read or computed is code: a span in a line, a block of its own for a command.

use crate::visible;

/// `text` as a code span, at most so many characters of it.
pub(super) fn span(text: &str, limit: usize) -> String {
    let text = visible::line(text);
    let (shown, whole) = visible::clipped(&text, limit);
    let rest = if whole { "" } else { "..." };
    let code = format!("{shown}{rest}");
    if code.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&code) + 1);
    let pad = if code.starts_with(['`', ' ']) || code.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{code}{pad}{fence}")
}

/// The same for a cell of a table, which ends at a bar even in code.
pub(super) fn cell(text: &str, limit: usize) -> String {
    span(&text.replace('|', "\\u{7c}"), limit)
}

/// `text` as a block of one line.
pub(super) fn block(text: &str) -> String {
    let text = visible::line(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}\n")
}

/// How many backticks follow one another at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{block, cell, span};

    #[test]
    fn code_ends_where_it_has_to() {
        for (text, expected) in [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("`a", "`` `a ``"),
            ("``` x", "```` ``` x ````"),
            ("", "(empty)"),
            ("  ", "(empty)"),
            ("a\nb", "`a\\nb`"),
            ("abcdef", "`abcde...`"),
        ] {
            assert_eq!(span(text, 5), expected);
        }
        assert_eq!(cell("a|b", 9), "`a\\u{7c}b`");
        assert_eq!(block("a ``` b\nc"), "````text\na ``` b\\nc\n````\n");
    }
}
