//! The offline HTML page: one file, no network, and no script but the one that walks through a story.
//!
//! Everything that is shown is text of the record, and the record holds names from YAML, so markup
//! and text have different types: see `html`.

mod frame;
mod render;
mod banner;
mod failure;
mod led;
mod counts;
mod latency;
mod chart;
mod time;
mod heat;
mod throughput;
mod coverage;
mod setting;
mod target;
mod table;
mod night;
mod html;

pub use night::night;
pub use render::render;
