//! What was run: the tool, the scenario, the world, the device and the filesystem.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// The name of the command, as one types it.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The scenario, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The path it was read from, as the user wrote it.
    pub file: String,
    /// What it is for, in its own words; may be empty.
    pub about: String,
    /// The YAML, verbatim.
    pub text: String,
    /// The sentences of its script, in order; empty if it has none.
    #[serde(default)]
    pub script: Vec<String>,
    /// Whether a schedule says who goes on: then it has no seeds.
    #[serde(default)]
    pub scheduled: bool,
    /// What the command line changed in it, each `path=value`.
    pub overrides: Vec<String>,
    /// What each seed drew for itself.
    pub varied: Vec<Varied>,
    /// What its seed has drawn of that, each `path=value`; empty if there are several seeds.
    #[serde(default)]
    pub drawn: Vec<String>,
    /// What of it has no meaning in the world or on the target that the command line asked for, each by
    /// its path.
    #[serde(default)]
    pub dropped: Vec<String>,
}

impl Scenario {
    /// Whether it is the same under every seed.
    pub fn is_without_seeds(&self) -> bool {
        self.scheduled || !self.script.is_empty()
    }
}

/// A value of the scenario that differs between seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Varied {
    /// Its path, as in `--set`.
    pub path: String,
    /// What it may be.
    pub values: Vec<String>,
}

/// Who decides which actor goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// A seeded scheduler, in virtual time: the same seed gives the same run.
    Simulated,
    /// The operating system: real threads, real locks, wall-clock time.
    Threads,
}

impl World {
    /// The name in scenarios and in `result.json`.
    pub fn name(self) -> &'static str {
        match self {
            World::Simulated => "simulated",
            World::Threads => "threads",
        }
    }
}

/// The device under the filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which kind was used, after `auto` was resolved.
    pub kind: DeviceKind,
    /// Its size in bytes.
    pub size: u64,
    /// Why this kind, and how it was opened (`O_DIRECT`, or what it fell back to).
    pub detail: String,
    /// What is mounted, if a real filesystem is.
    #[serde(default)]
    pub mounted: Option<Mounted>,
}

/// A filesystem of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// Its type as the kernel names it; empty if nobody knows.
    pub filesystem: String,
    /// Arguments of its `mkfs`, beside those that always go with it.
    pub mkfs: Vec<String>,
    /// Options of its mount.
    pub mount: String,
    /// The directory whose filesystem holds its image; empty if there is none.
    pub image: String,
    /// Bytes of its block.
    pub block_size: u64,
    /// Direct reads and writes begin and end at multiples of so many bytes.
    pub direct_unit: u64,
    /// What it cannot do, each with its answer.
    pub lacks: BTreeMap<String, String>,
    /// Bytes that the page cache may have while actors act; none if there is no limit.
    #[serde(default)]
    pub memory: Option<u64>,
}

/// The kinds of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Memory of this process.
    Ram,
    /// A file, read and written directly.
    Image,
    /// A loop device over a file.
    Loop,
    /// None: a real filesystem is mounted.
    Mounted,
}

impl DeviceKind {
    /// The name in scenarios and in `result.json`.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Ram => "ram",
            DeviceKind::Image => "image",
            DeviceKind::Loop => "loop",
            DeviceKind::Mounted => "mounted",
        }
    }
}

/// How the filesystem was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystem {
    /// The block size in bytes.
    pub block_size: u64,
    /// The largest folio in bytes.
    pub max_folio: u64,
    /// The preset that its decisions begin with; none if the scenario names none.
    pub preset: Option<String>,
    /// The ids of the bugs that are switched on.
    pub bugs: Vec<String>,
    /// The decisions that differ from the correct ones, in the order of the decisions.
    pub deviations: Vec<Deviation>,
}

/// One decision that is not the correct one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// The decision, as under `filesystem:` in a scenario.
    pub decision: String,
    /// What it was set to.
    pub value: String,
}
