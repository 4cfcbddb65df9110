//! What must be true of a filesystem, checked after every operation.

pub mod pattern;
pub mod content;
