//! `invariants`: what the oracle checks.

use crate::commands::prose::wrapped;
use crate::console::Console;
use crate::exit::Exit;
use crate::real::leeway;
use oracle::invariant::When;
use oracle::{Invariant, Leeway, Scope};

/// Prints each invariant with who notices a breach, when it holds and why.
pub fn invariants(console: Console) -> Exit {
    let mut text = String::new();
    for Invariant { name, about, when, scope } in Invariant::all() {
        let when = match when {
            When::Always => "always",
            When::Quiet => "when nothing is in flight",
        };
        let scope = match scope {
            Scope::User => "seen by users",
            Scope::State => "of state",
        };
        text.extend([name, " (", scope, ", ", when, ")\n"]);
        for line in about.lines() {
            text.extend(["    ", line.trim(), "\n"]);
        }
    }
    text.push_str("\nOf a real filesystem, what POSIX leaves open and some make use of:\n");
    for leeway in Leeway::ALL {
        let users = leeway::users(leeway).join(", ");
        text.extend(["\n", leeway.name(), " (", &users, ")\n"]);
        text.push_str(&wrapped("    ", leeway.about()));
    }
    console.print(&text)
}
