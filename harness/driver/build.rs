//! Tells the program which compiler built it: results say so.

use std::env;
use std::io::{self, Write};
use std::process::Command;

fn main() {
    let compiler = env::var_os("RUSTC").expect("cargo tells build scripts the compiler");
    let version = Command::new(compiler).arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let mut lines = "cargo::rerun-if-changed=build.rs\n".to_owned();
    if let Some(version) = version {
        lines.extend(["cargo::rustc-env=PAGESTORM_RUSTC=", version.trim(), "\n"]);
    }
    io::stdout().write_all(lines.as_bytes()).expect("cargo listens");
}
