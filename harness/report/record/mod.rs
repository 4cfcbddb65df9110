//! What a run leaves behind: the contents of `result.json`.
//!
//! The names of the fields are stable; scripts depend on them. `result.schema.json` beside this
//! folder describes each one, and a test compares it with these types. Everything outside
//! `environment` and `timing` is the same on every machine for a simulated run of the same seeds.

mod run;
mod setting;
mod seed;
mod counts;
mod explored;
mod led;
mod verdict;
mod violation;
mod story;
mod percentiles;
mod timeline;
mod surroundings;
mod night;
mod json;

pub use counts::{Counts, FaultCount, Lacking};
pub use explored::{Explored, Level};
pub use json::RecordError;
pub use led::{Led, LedStep, hit, leads};
pub use night::{
    Cut, FirstMet, LeftOut, Night, NightFailure, NightVerdict, PROVISIONAL, Part, Rate, Regression,
    ScenarioTotal, Seen, Shard, ShardEnd, ShardState, Signature, Soaked,
};
pub use percentiles::{Clock, LatencyRecord, LatencyRow, Measure, Outcome};
pub use run::Record;
pub use seed::{Seed, Seeds};
pub use setting::{
    Deviation, Device, DeviceKind, Filesystem, Mounted, Scenario, Tool, Varied, World,
};
pub use story::{
    CasePart, CasePartKind, Cell, Inevitability, Jump, Lanes, Layer, Letter, Link, Nearest,
    Provenance, Row, RowKind, Share, Story, Strip, Strips, Turn,
};
pub use surroundings::{Environment, Timing};
pub use timeline::{Buckets, FaultWindow, Slice, Spread, Timeline};
pub use verdict::{Verdict, VerdictKind};
pub use violation::{Again, ByteRange, Violation};
