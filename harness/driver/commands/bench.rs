//! `bench`: what the harness itself costs, on this machine, now.

use super::attended::attended;
use crate::bench::{Figure, measure, table};
use crate::cli::{BenchArgs, Peer};
use crate::console::Console;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::peer::{Trouble, against};
use rayon::ThreadPoolBuilder;

/// Prints each figure beside its goal. A goal that was missed is a failed gate.
pub fn bench(args: &BenchArgs, console: Console) -> Exit {
    let figures = match &args.against {
        None => Ok(measure(|what| console.say(&format!("measuring {what}")))),
        Some(peer) => beside(peer, console),
    };
    let figures = match figures {
        Ok(figures) => figures,
        Err(exit) => return exit,
    };
    let missed = figures.iter().any(|figure| !figure.reached);
    let printed = console.print(&table(&figures));
    printed.max(if missed { Exit::Gate } else { Exit::Ok })
}

/// The figures of both, or how the command ends without any. A signal leaves no file behind.
fn beside(peer: &Peer, console: Console) -> Result<Vec<Figure>, Exit> {
    let interrupts = Interrupts::catch();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(1).build() else {
        console.warn("the system has no room for one more thread");
        return Err(Exit::Environment);
    };
    let look = || {
        if interrupts.look() {
            console.warn("ending the bench; once more ends it at once");
        }
    };
    let tell = |what: &str| console.say(&format!("measuring {what}"));
    let flag = interrupts.flag();
    let figures = attended(&pool, look, || against(&peer.path, flag, tell));
    if let Some(caught) = interrupts.caught() {
        return Err(caught);
    }
    figures.map_err(|Trouble { cause, advice }| {
        console.warn(&format!("error: {cause}\n  = help: {advice}"));
        Exit::Environment
    })
}
