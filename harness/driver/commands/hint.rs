//! No command: the three that help most.

use crate::console::Console;
use crate::exit::Exit;

const HINT: &str = "\
pagestorm run scenarios/smoke.yaml    two seconds of everything, checked
pagestorm list                        what there is to run, and what a scenario can ask for
pagestorm doctor                      whether this machine can run it

All commands: pagestorm --help
";

/// Prints them.
pub fn hint(console: Console) -> Exit {
    console.print(HINT)
}
