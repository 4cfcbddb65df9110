//! `invariants`: what the oracle checks.

use crate::console::Console;
use crate::exit::Exit;
use oracle::Invariant;
use oracle::invariant::When;

/// Prints each invariant with when it holds and why.
pub fn invariants(console: Console) -> Exit {
    let mut text = String::new();
    for Invariant { name, about, when } in Invariant::all() {
        let when = match when {
            When::Always => "always",
            When::Quiet => "when nothing is in flight",
        };
        text.extend([name, " (", when, ")\n"]);
        for line in about.lines() {
            text.extend(["    ", line.trim(), "\n"]);
        }
    }
    console.print(&text)
}
