//! What GitHub Actions shows of a run or of a night: annotations, and a summary of the job.
//!
//! Both have limits beyond which GitHub drops them without a word, and both are read by programs that
//! act on what they read.

mod annotations;
mod markdown;
mod night;
mod page;
mod summary;

pub use annotations::{annotations, inert, line_of_expectation};
pub use night::{night_annotations, night_summary};
pub use summary::{LARGEST, OWN, job_summary};
