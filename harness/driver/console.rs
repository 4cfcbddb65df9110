//! Where text goes: results to stdout, everything said about a run to stderr.

use crate::exit::Exit;
use report::github::inert;
use report::visible;
use std::borrow::Cow;
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
    reader: Reader,
}

/// Who reads both streams, besides people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Nobody,
    /// A runner of GitHub Actions, which takes some lines for commands.
    GitHub,
}

impl Console {
    /// The streams as they are. `NO_COLOR` keeps colours away.
    pub fn new(quiet: bool) -> Console {
        let terminal = io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let reader = if github { Reader::GitHub } else { Reader::Nobody };
        Console { live: terminal && !quiet, styled: terminal && !no_color, quiet, reader }
    }

    /// The same, for a runner of GitHub Actions or for nobody, whatever the environment says.
    #[must_use]
    pub fn read_by_github(self, is_read: bool) -> Console {
        Console { reader: if is_read { Reader::GitHub } else { Reader::Nobody }, ..self }
    }

    /// Whether a runner of GitHub Actions reads along.
    pub fn is_read_by_github(&self) -> bool {
        self.reader == Reader::GitHub
    }

    /// Writes lines that a runner shall act on. No other line is taken for one.
    pub fn command(&self, lines: &str) {
        drop(io::stderr().lock().write_all(lines.as_bytes()));
    }

    fn harmless(self, text: &str) -> Cow<'_, str> {
        if self.is_read_by_github() { inert(text) } else { Cow::Borrowed(text) }
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

    /// Says one line on stderr in any case. Names of files may hold anything, and it is shown.
    pub fn warn(&self, line: &str) {
        self.raw(&format!("{}\n", visible::block(line)));
    }

    /// Writes to stderr without a newline. Nobody is left to hear of an error there.
    pub fn raw(&self, text: &str) {
        drop(io::stderr().lock().write_all(self.harmless(text).as_bytes()));
    }

    /// Prints a result to stdout. A reader that has seen enough is no error.
    pub fn print(&self, text: &str) -> Exit {
        let mut out = io::stdout().lock();
        let text = self.harmless(text);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.warn(&format!("stdout cannot be written: {error}"));
                Exit::Environment
            }
            _ => Exit::Ok,
        }
    }
}
