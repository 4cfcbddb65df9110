//! From a scenario to a verdict: everything behind the command `pagestorm`.

pub mod scenario;
pub mod catalogue;
pub mod vocabulary;
pub mod user_buffer;
pub mod call;
pub mod workload;
pub mod target;
pub mod tally;
pub mod steering;
pub mod stage;
pub mod conductor;
pub mod storm;
pub mod bench;
pub mod clock;
pub mod progress;
pub mod campaign;
pub mod verdict;
pub mod hunt;
pub mod environment;
pub mod record;
pub mod exit;
pub mod console;
pub mod interrupt;
pub mod cli;
pub mod commands;
