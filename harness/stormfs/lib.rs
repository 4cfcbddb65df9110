//! The filesystem under test.

pub mod errno;
pub mod op;
pub mod points;
pub mod choices;
