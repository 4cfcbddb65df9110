//! The files of the project, and how breaches of a rule are told.

use crate::code::{self, Without};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// CI often runs as another user than the one who owns the clone; a list of names is harmless.
const GIT: [&str; 3] = ["-c", "safe.directory=*", "-C"];

/// One file of Rust.
pub(crate) struct Source {
    /// From `harness/`, with slashes.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// It is compiled for tests only.
    pub(crate) test_only: bool,
}

impl Source {
    /// The crate's folder.
    pub(crate) fn member(&self) -> &str {
        self.path.split('/').next().expect("a path has a first part")
    }

    /// Its code without comments and literals.
    pub(crate) fn code(&self) -> String {
        code::blank(&self.text, Without::Both)
    }

    /// Of its code, what is compiled into the tool.
    pub(crate) fn shipped(&self) -> String {
        if self.test_only { String::new() } else { code::without_tests(&self.code()) }
    }
}

/// Every file of Rust below `harness/`, by path.
pub(crate) fn sources() -> Vec<Source> {
    let harness = root().join("harness");
    let rust = walk(&harness, "").into_iter().filter(|path| is_rust(path));
    let mut list: Vec<_> = rust
        .map(|path| {
            let text = read(&format!("harness/{path}"));
            let test_only = path.split('/').any(|part| part == "tests");
            Source { path, text, test_only }
        })
        .collect();
    let gated: BTreeSet<String> = list.iter().flat_map(test_modules).collect();
    for source in &mut list {
        source.test_only |= gated.contains(&source.path);
    }
    list
}

/// The files that a clone holds, from the top, with slashes.
pub(crate) fn tracked() -> Vec<String> {
    if !root().join(".git").exists() {
        return walk(&root(), "");
    }
    let listed = Command::new("git").args(GIT).arg(root()).args(["ls-files", "-z"]).output();
    let listed = listed.expect("git runs where there is a .git");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("names of ours are UTF-8");
    // A file that was removed and not yet committed is no file any more.
    let here = |name: &&str| !name.is_empty() && root().join(name).exists();
    names.split('\0').filter(here).map(str::to_owned).collect()
}

/// The text of a file, by its path from the top.
pub(crate) fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The top of the project.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("this crate lies in harness/driver").to_owned()
}

/// Fails if there is any breach of `rule`, and tells them all.
pub(crate) fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}\n", breaches.join("\n  "));
}

/// Fails unless `found` is just what is listed; the second parts are the reasons.
pub(crate) fn exactly(rule: &str, found: &BTreeSet<String>, listed: &[(&str, &str)]) {
    let names: BTreeSet<String> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
    let new = found.difference(&names).map(|name| format!("{name}: not in the list"));
    let stale = names.difference(found).map(|name| format!("{name}: needs no entry any more"));
    none(rule, &new.chain(stale).collect::<Vec<_>>());
}

/// The files that `source` declares for tests only.
fn test_modules(source: &Source) -> Vec<String> {
    let (folder, name) = source.path.rsplit_once('/').expect("a source lies in a crate");
    let below = match name.strip_suffix(".rs") {
        Some("lib" | "main" | "mod") | None => folder.to_owned(),
        Some(stem) => format!("{folder}/{stem}"),
    };
    let modules = code::modules(&source.code()).into_iter();
    modules
        .filter(|(_, test_only)| *test_only)
        .map(|(name, _)| format!("{below}/{name}.rs"))
        .collect()
}

/// Whether a path is that of a file of Rust.
fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Every file below `dir`, sorted, each with `prefix` before its path; what a build or a run leaves
/// is not seen.
fn walk(dir: &Path, prefix: &str) -> Vec<String> {
    let entries =
        std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut list = Vec::new();
    for entry in entries {
        let entry = entry.expect("a folder of the project can be read");
        let name = entry.file_name().into_string().expect("names of ours are UTF-8");
        let path = format!("{prefix}{name}");
        if !entry.file_type().expect("a file has a type").is_dir() {
            list.push(path);
        } else if !["target", ".git", "node_modules", "venv"].contains(&name.as_str()) {
            list.extend(walk(&entry.path(), &format!("{path}/")));
        }
    }
    list.sort();
    list
}
