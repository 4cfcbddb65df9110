//! Reading Markdown as GitHub does.

/// What is left of a page without its code, by the rules of Markdown: a run of backticks opens a span
/// that the next run of equal length ends.
pub(crate) fn outside_of_code(page: &str) -> String {
    let mut outside = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        rest = &rest[start..];
        let width = rest.len() - rest.trim_start_matches('`').len();
        rest = &rest[width..];
        let mut at = 0;
        let end = loop {
            let found = at + rest[at..].find('`').expect("a span ends");
            let run = rest[found..].len() - rest[found..].trim_start_matches('`').len();
            if run == width {
                break found;
            }
            at = found + run;
        };
        rest = &rest[end + width..];
    }
    outside + rest
}
