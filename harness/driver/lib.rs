//! From a scenario to a verdict: everything behind the command `pagestorm`.

pub mod scenario;
