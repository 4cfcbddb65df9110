//! `bench`: what the harness itself costs, on this machine, now.

use crate::bench::{measure, table};
use crate::cli::BenchArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::peer::{Trouble, against};

/// Prints each figure beside its goal. A goal that was missed is a failed gate.
pub fn bench(args: &BenchArgs, console: Console) -> Exit {
    let tell = |what: &str| console.say(&format!("measuring {what}"));
    let figures = match &args.against {
        None => measure(tell),
        Some(peer) => match against(&peer.path, tell) {
            Ok(figures) => figures,
            Err(Trouble { cause, advice }) => {
                console.warn(&format!("error: {cause}\n  = help: {advice}"));
                return Exit::Environment;
            }
        },
    };
    let missed = figures.iter().any(|figure| !figure.reached);
    let printed = console.print(&table(&figures));
    printed.max(if missed { Exit::Gate } else { Exit::Ok })
}
