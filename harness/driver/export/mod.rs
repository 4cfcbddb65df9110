//! A case as one C file that a person can mail: libc and threads, and nothing of Pagestorm.
//!
//! It performs the calls of the case in their order, in a directory that it is given, and compares bytes
//! and sizes with what the calls can have left.

mod call;
mod heading;
mod names;
mod order;
mod parts;
mod program;
mod stop;
mod transfer;
mod write;

use crate::ground::NoGround;
use crate::scenario::plan::{Expectation, Plan};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What became of a case.
#[derive(Debug)]
pub struct Exported {
    /// The C file.
    pub text: String,
    /// What of the case could not be written so.
    pub left_out: Vec<String>,
}

/// Writes `case`, which was read from `file`. One of the filesystem model is run, to see who was where
/// when.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn export(
    case: &Plan,
    file: &str,
    interrupted: &Arc<AtomicBool>,
) -> Result<Exported, NoGround> {
    let order = order::of(case, interrupted)?;
    Ok(program::written(case, file, &order))
}

/// How the names begin of invariants of which nothing shows in calls and files: what a check of the whole
/// filesystem, a mount or a hang would tell.
const UNSEEN: [&str; 2] = ["space_", "progress_"];

/// Why no program could show what `case` is about: nothing of it is in what calls return, nor in files.
pub fn hidden(case: &Plan) -> Option<String> {
    if case.holds_disk() {
        return Some("its script holds a disk, and a program cannot".to_owned());
    }
    let Expectation::Caught { by, .. } = &case.expect else { return None };
    let unseen = UNSEEN.iter().any(|prefix| by.starts_with(prefix));
    unseen.then(|| format!("a program that makes its calls cannot see whether {by}"))
}

/// Whether its calls are all listed, so that there is something to write.
pub fn is_listed(plan: &Plan) -> bool {
    plan.variations.is_none() && plan.actors.iter().all(|actor| !actor.does.is_empty())
}
