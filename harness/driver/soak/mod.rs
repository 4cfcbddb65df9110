//! Soaking: scenarios run under new seeds for hours, on any number of machines, and nothing that was
//! found is lost.

pub mod args;
pub mod seeds;
pub mod shard;
pub mod entries;
pub mod sums;
pub mod union;
pub mod night;
pub mod shelf;
pub mod alarm;
pub mod finding;
pub mod turn;
pub mod regressions;
pub mod course;
pub mod told;
