//! "Did you mean": the known name nearest to one that is not known.

/// The candidate that differs from `found` by the fewest slips of the keyboard, if they are few;
/// else the longest that is its beginning, or of which it is the beginning.
pub(super) fn nearest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    // Nobody mistypes a name into one this long, and the comparison is quadratic.
    const LONGEST: usize = 64;
    if LONGEST < found.len() {
        return None;
    }
    let plain = normal(found);
    let limit = (plain.len() / 3).clamp(1, 4);
    let near = candidates
        .clone()
        .into_iter()
        .map(|candidate| (distance(&plain, &normal(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance);
    let begins = |candidate: &&str| {
        let candidate = normal(candidate);
        3 <= candidate.len().min(plain.len())
            && (candidate.starts_with(&plain) || plain.starts_with(&candidate))
    };
    let longest = || candidates.into_iter().filter(begins).max_by_key(|name| name.len());
    near.map(|(_, candidate)| candidate).or_else(longest)
}

/// `did you mean ...?` if something is near, else the list of what there is.
pub(super) fn did_you_mean(found: &str, candidates: &[&str]) -> String {
    match nearest(found, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.len() == 1 => format!("there is only {}", list(candidates)),
        None => format!("there are {}", list(candidates)),
    }
}

/// The same for the ids of bugs, which are too many for one line.
pub fn bug_help(found: &str, ids: &[&str]) -> String {
    const MOST: usize = 12;
    if ids.len() <= MOST || nearest(found, ids.iter().copied()).is_some() {
        return did_you_mean(found, ids);
    }
    "`pagestorm bugs` lists them".to_owned()
}

/// The names in backquotes, separated by commas.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Case and separators are no difference.
fn normal(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if 0 < i && 0 < j && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bugs_are_not_told_in_one_line() {
        let names: Vec<String> = (0..13).map(|number| format!("bug-of-kind-{number}")).collect();
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(bug_help("nope", &ids), "`pagestorm bugs` lists them");
        assert_eq!(bug_help("bug-of-kind-7", &ids), "did you mean `bug-of-kind-7`?");
        assert!(bug_help("nope", &ids[..12]).starts_with("there are `bug-of-kind-0`, "));
    }

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["write", "read", "truncate", "mmap_store", "max_folio", "size"];
        for (found, expected) in [
            ("wirte", Some("write")),
            ("Write", Some("write")),
            ("writes", Some("write")),
            ("mmap-store", Some("mmap_store")),
            ("mmapstore", Some("mmap_store")),
            ("trunctae", Some("truncate")),
            ("maxfolio", Some("max_folio")),
            ("sise", Some("size")),
            ("trunc", Some("truncate")),
            ("write_all", Some("write")),
            ("colour", None),
            ("tree", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(found, known), expected, "{found}");
        }
        assert_eq!(nearest(&"write".repeat(100), known), None);
    }
}
