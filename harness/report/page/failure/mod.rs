//! The failures of a run, each with its story.

mod section;
mod story;
mod lanes;
mod bars;
mod strips;
mod provenance;
mod curve;
mod nearest;
mod prose;

pub(super) use lanes::symbols;
pub(super) use prose::prose;
pub(super) use section::{failures, told};
