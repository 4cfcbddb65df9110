//! What must be true of a filesystem, checked after every operation.
//!
//! [`watch::Oracle`] is told of every commit point and asks the invariants that hold there; each is
//! one function, in the file of its subject. It looks through `stormfs::view` and
//! `stormfs::witness` only: it never locks a folio, maps a block or repairs anything.
//!
//! Not verified here: durability across a power cut and the order of metadata on disk (metadata
//! lives in memory); the timing of anything; weak memory.

pub mod pattern;
pub mod leeway;
pub mod content;
pub mod invariant;
pub mod strip;
pub mod data;
pub mod size;
pub mod folios;
pub mod extents;
pub mod space;
pub mod results;
pub mod progress;
pub mod violation;
mod docket;
pub mod watch;
pub mod quiet;
pub mod outside;

pub use invariant::{Breach, Invariant, Scope, When};
pub use leeway::{Leeway, Leeways};
pub use outside::Outside;
pub use violation::Violation;
pub use watch::Oracle;
