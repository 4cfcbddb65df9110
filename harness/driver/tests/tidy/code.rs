//! Rust text with its comments, its literals or its tests taken out.

/// What of a file is left when something is blanked. Lines stay where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// No string and no character is left; comments are.
    Literals,
    /// No comment is left; literals are.
    Comments,
    /// Neither is left.
    Both,
}

/// `text` with spaces in place of what `without` says.
pub(crate) fn blank(text: &str, without: Without) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (token, len) = first_token(rest);
        let (piece, after) = rest.split_at(len);
        let goes = match token {
            Token::Comment => without != Without::Literals,
            Token::Literal => without != Without::Comments,
            Token::Other => false,
        };
        let kept = |c: char| if goes && c != '\n' { ' ' } else { c };
        out.extend(piece.chars().map(kept));
        rest = after;
    }
    out
}

/// `code`, in which nothing but code is left, without the items that exist for tests only.
pub(crate) fn without_tests(code: &str) -> String {
    const GATE: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(GATE) {
        out.push_str(&rest[..at]);
        rest = &rest[at + GATE.len()..];
        rest = &rest[item_len(rest)..];
    }
    out.push_str(rest);
    out
}

/// The names of modules in files of their own, in order, and whether each is for tests only.
pub(crate) fn modules(code: &str) -> Vec<(String, bool)> {
    let mut list = Vec::new();
    let mut test_only = false;
    for line in code.lines().map(str::trim) {
        let words = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        if let Some(name) = words.strip_prefix("mod ").and_then(|name| name.strip_suffix(';')) {
            list.push((name.to_owned(), test_only));
        }
        test_only = line == "#[cfg(test)]";
    }
    list
}

/// Up to the `;` or the closing brace that ends the item at the start of `code`.
fn item_len(code: &str) -> usize {
    let ends_in_brace = !code.trim_start().trim_start_matches("pub ").starts_with("use ");
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' if depth == 1 && ends_in_brace => return at + 1,
            ')' | ']' | '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Comment,
    Literal,
    Other,
}

fn first_token(rest: &str) -> (Token, usize) {
    if rest.starts_with("//") {
        return (Token::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Token::Comment, rest.find("*/").map_or(rest.len(), |at| at + 2));
    }
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let literal = match &rest[..word] {
        "" => string_len(rest).or_else(|| char_len(rest)),
        prefix @ ("r" | "br" | "cr") => raw_len(&rest[prefix.len()..]).map(|len| word + len),
        "b" | "c" => {
            let value = &rest[word..];
            string_len(value).or_else(|| char_len(value)).map(|len| word + len)
        }
        _ => None,
    };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    literal.map_or((Token::Other, word.max(first)), |len| (Token::Literal, len))
}

fn string_len(rest: &str) -> Option<usize> {
    rest.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Some(rest.len())
}

fn raw_len(rest: &str) -> Option<usize> {
    let hashes = rest.find(|c| c != '#')?;
    rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let body = &rest[hashes + 1..];
    Some(body.find(&end).map_or(rest.len(), |at| hashes + 1 + at + end.len()))
}

/// A character, as opposed to a lifetime.
fn char_len(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    let (second_at, second) = chars.next()?;
    if first == '\\' {
        let after = second_at + second.len_utf8();
        return body[after..].find('\'').map(|at| 1 + after + at + 1);
    }
    (second == '\'').then_some(1 + second_at + 1)
}

#[test]
fn blanking_leaves_what_it_should() {
    let rows = [
        ("a(\"x // y\"); // \"z\"", "a(        ); // \"z\"", "a(\"x // y\");       "),
        ("'a' 'b: '\\'' '\\u{1}' b'\"'", "    'b:                  ", ""),
        ("r#\"a\"b\"# c", "         c", ""),
        ("br\"\\\" c \"\\\\\" d", "      c      d", ""),
        ("for r in bars {}", "for r in bars {}", "for r in bars {}"),
        ("\"a\nb\" c", "  \n   c", "\"a\nb\" c"),
    ];
    for (text, no_literals, no_comments) in rows {
        assert_eq!(blank(text, Without::Literals), no_literals);
        let expected = if no_comments.is_empty() { text } else { no_comments };
        assert_eq!(blank(text, Without::Comments), expected);
    }
    let nothing = " ".repeat(17);
    assert_eq!(blank("a /* b */ \"c\" // d", Without::Both), format!("a{nothing}"));
}

#[test]
fn test_items_go() {
    let rows = [
        ("a;\n#[cfg(test)]\nmod tests { fn b() { c[0]; } }\nd;", "a;\n\nd;"),
        ("#[cfg(test)]\nuse a::{b, c};\nd;", "\nd;"),
        ("#[cfg(test)] fn a(b: [u8; 3]) -> u8 { c }", ""),
    ];
    for (code, expected) in rows {
        assert_eq!(without_tests(code), expected);
    }
    let list = modules("pub mod a;\n#[cfg(test)]\nmod b;\npub(crate) mod c;\nmod d { }\n");
    assert_eq!(list, [("a".to_owned(), false), ("b".to_owned(), true), ("c".to_owned(), false)]);
}
