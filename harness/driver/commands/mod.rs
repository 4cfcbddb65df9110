//! The commands, one file each.

pub mod prose;
pub mod attended;
pub mod outcome;
pub mod keep;
pub mod beside;
pub mod together;
pub mod kept;
pub mod report;
pub mod compare;
pub mod story;
pub mod matrix;
pub mod hint;
pub mod run;
pub mod replay;
pub mod check;
pub mod list;
pub mod invariants;
pub mod soak;
pub mod merge;
pub mod shrink;
pub mod bugs;
pub mod explain;
pub mod points;
pub mod doctor;
pub mod schema;
pub mod bench;
