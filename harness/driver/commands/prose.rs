//! Text for a terminal: words in lines that fit.

/// Columns of a terminal that nobody has widened.
pub const WIDTH: usize = 80;

/// The words of `text` in lines of at most [`WIDTH`] columns. The first begins with `first`, and
/// the others with as many spaces.
pub fn wrapped(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut fresh = true;
    for word in text.split_whitespace() {
        if !fresh && WIDTH < line.chars().count() + 1 + word.chars().count() {
            out.extend([line.trim_end(), "\n"]);
            line = " ".repeat(indent);
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
        fresh = false;
    }
    out.extend([line.trim_end(), "\n"]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_no_word() {
        let text = "seventeen letters ".repeat(12);
        let lines = wrapped("  name  ", &text);
        assert!(lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert!(lines.lines().skip(1).all(|line| line.starts_with("        s")), "{lines}");
        assert_eq!(lines.split_whitespace().count(), 25);
        assert_eq!(wrapped("a  ", ""), "a\n");
    }
}
