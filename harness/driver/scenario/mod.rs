//! From YAML text to a validated plan, with every mistake named where it stands.
//!
//! Text becomes a tree (`yaml`), command line overrides change the tree (`overrides`), the tree is
//! read into raw structs against one table of keys (`raw`, `keys`), and the raw structs become a
//! plan once they make sense together (`meaning`). What is wrong on the way is collected and
//! reported at once.

pub mod plan;
mod words;
mod load;
mod yaml;
mod node;
mod path;
mod lookup;
mod overrides;
mod vary;
mod swarm;
pub mod variations;
mod combinations;
mod varied;
mod other_world;
mod other_target;
mod keys;
mod format;
mod quantity;
mod values;
mod fields;
mod raw;
mod switches;
mod exhaustive;
mod meaning;
mod actors;
mod calls;
mod wording;
mod sentence;
mod script;
mod tasks;
mod schedule;
pub mod target;
mod strikes;
mod recorded;
mod explicit;
mod suggest;
mod problem;
mod locate;
pub mod diagnose;
pub mod schema;
pub mod reference;
mod wrong_kind;
mod write;

pub use diagnose::{Diagnostic, Report};
pub use load::{Known, MAX_BYTES, at_item, at_key, load, parse, text_of};
pub use lookup::{values_of, words_at};
pub use other_target::{directory_of, overrides_for, target};
pub use plan::Plan;
pub use quantity::time;
pub use suggest::bug_help;
pub use tasks::is_reserved;
pub use wording::ordinal;
pub use write::{call_text, write};
pub use wrong_kind::{Command, not_for};
