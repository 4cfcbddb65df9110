//! A case as one C file that a person can mail: libc and threads, and nothing of Pagestorm.
//!
//! It performs the calls of the case in their order, in a directory that it is given, and compares bytes
//! and sizes with what the calls can have left.

mod call;
mod names;
mod order;
mod program;

use crate::ground::NoGround;
use crate::scenario::plan::Plan;
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

/// Whether its calls are all listed, so that there is something to write.
pub fn is_listed(plan: &Plan) -> bool {
    plan.variations.is_none() && plan.actors.iter().all(|actor| !actor.does.is_empty())
}
