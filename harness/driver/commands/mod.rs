//! The commands, one file each.

pub mod hint;
pub mod run;
pub mod outcome;
pub mod check;
pub mod list;
pub mod invariants;
pub mod points;
pub mod doctor;
pub mod schema;
pub mod bench;
