//! `bench`: what the harness itself costs, on this machine, now.

use crate::bench::{measure, table};
use crate::console::Console;
use crate::exit::Exit;

/// Prints each figure beside its goal. A goal that was missed is a failed gate.
pub fn bench(console: Console) -> Exit {
    let figures = measure(|what| console.say(&format!("measuring {what}")));
    let missed = figures.iter().any(|figure| !figure.reached);
    let printed = console.print(&table(&figures));
    printed.max(if missed { Exit::Gate } else { Exit::Ok })
}
