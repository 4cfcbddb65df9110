//! The command as people and scripts meet it: the binary, its streams and its exit status.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod stand;
mod exits;
mod results;
mod failures;
mod files;
mod examples;
mod signals;
mod places;
mod pressure;
mod killed;
mod lists;
mod matrix;
mod bad_input;
mod endings;
mod scripts;
mod shrinking;
mod strategies;
mod replay;
mod explain;
mod elsewhere;
mod export;
mod exported;
mod again;
mod peer;
mod allowed;
mod targets;
mod kernels;
mod threads;
mod soak;
mod nights;
mod hostile;
mod stories;
