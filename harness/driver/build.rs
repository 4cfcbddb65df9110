//! Tells the program which compiler built it, and from which commit: results say so.

use std::env;
use std::io::{self, Write};
use std::process::Command;

/// Where whoever builds says which commit it is. Git is not asked: that would build the program
/// again at each commit.
const COMMITS: [&str; 5] =
    ["PAGESTORM_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "CIRCLE_SHA1", "BUILDKITE_COMMIT"];

fn main() {
    let compiler = env::var_os("RUSTC").expect("cargo tells build scripts the compiler");
    let version = Command::new(compiler).arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let mut lines = "cargo::rerun-if-changed=build.rs\n".to_owned();
    if let Some(version) = version {
        lines.extend(["cargo::rustc-env=PAGESTORM_RUSTC=", version.trim(), "\n"]);
    }
    for name in COMMITS {
        lines.extend(["cargo::rerun-if-env-changed=", name, "\n"]);
    }
    let commit = COMMITS.iter().find_map(|name| env::var(name).ok());
    if let Some(commit) = commit.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        lines.extend(["cargo::rustc-env=PAGESTORM_COMMIT=", &commit, "\n"]);
    }
    io::stdout().write_all(lines.as_bytes()).expect("cargo listens");
}
