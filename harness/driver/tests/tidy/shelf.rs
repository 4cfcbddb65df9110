//! The top level of the project, the size of what is in it, and what the README promises.

use crate::tree::{none, read, root, tracked};
use std::collections::BTreeSet;

/// Bytes of a tracked file at most: what is larger is data, and data is generated.
const LARGEST: u64 = 256 << 10;

/// What lies at the top, beside files whose names begin with a dot.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "ci",
    "harness",
    "reports",
    "scenarios",
];

/// How the README says that everything is tested, and how CI does it.
const TEST_COMMAND: &str = "cargo test --workspace --release";

#[test]
fn the_top_level_is_a_shelf() {
    let tracked = tracked();
    let top: BTreeSet<_> = tracked.iter().filter_map(|path| path.split('/').next()).collect();
    let others = top.iter().filter(|name| !name.starts_with('.') && !TOP.contains(name));
    none("the top level holds a few names", &others.map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn no_file_is_a_blob() {
    let size = |path: &String| std::fs::metadata(root().join(path)).map_or(0, |data| data.len());
    let blobs = tracked().into_iter().filter(|path| LARGEST < size(path));
    none("no tracked file is above 256 KiB", &blobs.collect::<Vec<_>>());
}

#[test]
fn the_readme_and_ci_test_with_the_same_words() {
    for path in ["README.md", "ci/check"] {
        let text = read(path);
        assert!(text.lines().any(|line| line.contains(TEST_COMMAND)), "{path}: `{TEST_COMMAND}`");
    }
}
