//! The command `pagestorm`.

use clap::Parser;
use driver::cli::{self, Cli};
use driver::console::Console;
use driver::exit::Exit;
use std::panic::catch_unwind;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // What panics in the filesystem is a result; whatever comes up to here is the harness itself.
    let exit = catch_unwind(|| cli::answer(&cli)).unwrap_or_else(|_| {
        Console::new(true).warn("the harness itself failed: this is a bug of pagestorm");
        Exit::Harness
    });
    ExitCode::from(exit.code())
}
