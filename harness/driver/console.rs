//! Where text goes: results to stdout, everything said about a run to stderr.

use crate::exit::Exit;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// The two streams of the command.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// Whether stderr is a terminal that somebody watches.
    pub live: bool,
    /// Whether stderr takes colours.
    pub styled: bool,
    /// Whether only what went wrong is said.
    pub quiet: bool,
}

impl Console {
    /// The streams as they are. `NO_COLOR` keeps colours away.
    pub fn new(quiet: bool) -> Console {
        let terminal = io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Console { live: terminal && !quiet, styled: terminal && !no_color, quiet }
    }

    /// Whether what is printed to stdout may have colours.
    pub fn results_are_styled() -> bool {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        io::stdout().is_terminal() && !no_color
    }

    /// Says one line on stderr, unless the console is quiet.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// Says one line on stderr in any case.
    pub fn warn(&self, line: &str) {
        self.raw(&format!("{line}\n"));
    }

    /// Writes to stderr without a newline. Nobody is left to hear of an error there.
    pub fn raw(&self, text: &str) {
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Prints a result to stdout. A reader that has seen enough is no error.
    pub fn print(&self, text: &str) -> Exit {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.warn(&format!("stdout cannot be written: {error}"));
                Exit::Environment
            }
            _ => Exit::Ok,
        }
    }
}
