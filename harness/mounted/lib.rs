//! A real filesystem of the kernel: its image, its mount, and calls on its files.
//!
//! Nothing here outlives the process, however that dies, but for the moment in which its forks see it: the
//! image has no name, the loop device lets go with its last descriptor, and the mount was never
//! attached to any path: it is a descriptor, too.
//!
//! Here are no scenarios, no actors and no opinions: a caller says what to do, and is told what came
//! of it.

pub mod refusal;
pub mod kind;
mod tool;
pub mod descriptors;
mod detached;
mod forked;
pub mod gate;
pub mod lent;
mod backing;
pub mod volume;
mod addresses;
mod memory;
mod clone;
pub mod direct;
pub mod look;
mod faults;
mod cgroup;
mod pressure;
pub mod rights;
pub mod mount_table;
pub mod source;
pub mod window;
mod habit;
mod calm;
pub mod asleep;
mod companion;
pub mod mm;
pub mod mapping;
pub mod file;
pub mod ability;
#[cfg(test)]
mod allowed;

pub use ability::{Abilities, Ability};
pub use addresses::addresses;
pub use asleep::{Asleep, Thread};
pub use backing::Backing;
pub use file::File;
pub use gate::Gate;
pub use habit::Habit;
pub use kind::Kind;
pub use look::{Cached, Extent};
pub use mapping::Mapping;
pub use mm::Mm;
pub use pressure::Pressure;
pub use refusal::Refusal;
pub use source::{Armed, Hole, Way};
pub use tool::die_with_parent;
pub use volume::{Spec, Unmounted, Venue, Volume};
pub use window::{Failing, Reins, Stops, Wanted};
