//! The columns: which values are set, one at a time.

use crate::scenario::{values_of, words_at};

/// What is looked across if nothing is said about it.
const USUAL: [&str; 2] = ["filesystem.preset", "filesystem.write_cleanup"];

/// Columns that set the same path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// What is set.
    pub(super) path: String,
    /// To what, one a column.
    pub(super) values: Vec<String>,
}

/// Reads what `--across` was given. The error is one sentence.
pub(super) fn groups(across: &[String]) -> Result<Vec<Group>, String> {
    if across.is_empty() {
        return USUAL.iter().map(|path| group(path)).collect();
    }
    across.iter().map(|text| group(text)).collect()
}

/// Every column, as path and value.
pub(super) fn each(groups: &[Group]) -> impl Iterator<Item = (&str, &str)> {
    groups
        .iter()
        .flat_map(|group| group.values.iter().map(|value| (group.path.as_str(), value.as_str())))
}

fn group(text: &str) -> Result<Group, String> {
    let (path, values) = match text.split_once('=') {
        None => (text, words_at(text).map(|words| words.into_iter().map(str::to_owned).collect())),
        Some((path, values)) => (path, values_of(values)),
    };
    let values = values.map_err(|why| format!("--across {text}: {why}"))?;
    Ok(Group { path: path.to_owned(), values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_all_words_or_the_values_that_are_given() {
        let usual = groups(&[]).unwrap();
        assert_eq!(usual.len(), 2);
        assert!(usual[0].values.iter().any(|value| value == "ideal"));
        let given = groups(&["device.size=1MiB,2MiB".to_owned()]).unwrap();
        assert_eq!((given[0].path.as_str(), given[0].values.len()), ("device.size", 2));
        let error = groups(&["filesystem.presets".to_owned()]).unwrap_err();
        assert!(error.starts_with("--across filesystem.presets: "), "{error}");
    }
}
