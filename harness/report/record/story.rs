//! Why a case fails, as plain data: what `pagestorm explain` tells.
//!
//! Steps count the points that the run of the case has passed. Turns and rows count from 1; a turn is
//! what one task did between two switches.

use super::ByteRange;
use serde::{Deserialize, Serialize};

/// The story of one failure, told of its smallest case that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// What broke, and what was decided otherwise than a correct filesystem decides, in sentences.
    pub why: Vec<String>,
    /// Whether a user of the file can notice it.
    pub noticed_by_users: bool,
    /// The file, if it is about one.
    pub file: Option<String>,
    /// The bytes of it, if it is about bytes.
    pub range: Option<ByteRange>,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// The turns that matter, in the order of time.
    pub turns: Vec<Turn>,
    /// Earlier turns that matter and that are left out.
    pub turns_left_out: u64,
    /// What happened, event by event.
    pub lanes: Lanes,
    /// The blocks before, and after each event that changed them; None if it is about no range.
    pub strips: Option<Strips>,
    /// What became of one of the bytes concerned, in the order of time.
    pub provenance: Option<Provenance>,
    /// From which step on it could not be avoided; None if that was not measured.
    pub inevitability: Option<Inevitability>,
    /// The schedules beside that of the case; None if it has none.
    pub nearest: Option<Nearest>,
    /// The parts of the case, and whether it fails without them.
    pub needed: Vec<CasePart>,
}

/// What one task did between two switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The name of the task.
    pub task: String,
    /// The step at which it ended.
    pub step: u64,
    /// In sentences.
    pub text: String,
}

/// One column a task, a row for each event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lanes {
    /// The names of the tasks.
    pub columns: Vec<String>,
    /// In the order of time.
    pub rows: Vec<Row>,
    /// Earlier rows that are left out.
    pub left_out: u64,
}

/// What one task did at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The step.
    pub step: u64,
    /// The number of its column, from 0.
    pub column: u64,
    /// What kind of event it is.
    pub kind: RowKind,
    /// In words.
    pub text: String,
    /// How many points the run has passed since the row before, this one included.
    pub points: u64,
    /// The number of the turn that it belongs to; None if that turn is not told.
    pub turn: Option<u64>,
    /// The locks that its task holds afterwards, outermost first.
    pub holds: Vec<String>,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A call begins.
    Begins,
    /// A call returns.
    Returns,
    /// Something is changed.
    Changes,
    /// A decision is not that of a correct filesystem.
    Decides,
    /// The task stops at a point, and another goes on.
    Stops,
    /// The task waits.
    Waits,
    /// A fault strikes.
    Strikes,
    /// The invariant fails.
    Fails,
}

impl RowKind {
    /// All of them, in the order of their legend.
    pub const ALL: [RowKind; 8] = [
        RowKind::Begins,
        RowKind::Returns,
        RowKind::Changes,
        RowKind::Decides,
        RowKind::Stops,
        RowKind::Waits,
        RowKind::Strikes,
        RowKind::Fails,
    ];
}

/// Blocks at several moments, one character each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strips {
    /// The file.
    pub file: String,
    /// The first block that is shown.
    pub first_block: u64,
    /// Bytes of a block.
    pub block_size: u64,
    /// Which of the blocks shown the failure is about, from and to, counted from the first one shown.
    pub marked: ByteRange,
    /// What the letters of bytes mean, and whose they are.
    pub legend: Vec<Letter>,
    /// In the order of time.
    pub strips: Vec<Strip>,
}

/// A character that stands for bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The character.
    pub letter: String,
    /// What it means.
    pub about: String,
}

/// The blocks at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strip {
    /// The number of the row after which the blocks are so; 0: before the first one.
    pub row: u64,
    /// The step.
    pub step: u64,
    /// Whose bytes the model expects: `~` where several answers are right, because a call is in flight.
    pub model: String,
    /// Whose bytes the page cache holds, as far as they are uptodate.
    pub cache: String,
    /// The folios: `-` none, `.` not uptodate, `c` clean, `D` dirty, `W` in writeback.
    pub folios: String,
    /// The extents: `.` hole, `d` delalloc, `u` unwritten, `M` mapped.
    pub extents: String,
    /// Whose bytes the device holds, where the extents say that it holds some.
    pub disk: String,
    /// `i_size`.
    pub size: u64,
    /// What is wrong by then.
    pub wrong: Vec<Cell>,
}

/// One character of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Which of its lines.
    pub layer: Layer,
    /// The number of the character, from 0.
    pub block: u64,
}

/// The lines of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What is expected.
    Model,
    /// The bytes in memory.
    Cache,
    /// The state of the folios.
    Folios,
    /// What lies under the blocks.
    Extents,
    /// The bytes on the device.
    Disk,
}

/// What became of one byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Its position in the file.
    pub pos: u64,
    /// In the order of time.
    pub links: Vec<Link>,
    /// Earlier ones that are left out.
    pub left_out: u64,
}

/// Something that happened to a byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The step.
    pub step: u64,
    /// The number of the turn; None if that turn is not told.
    pub turn: Option<u64>,
    /// In a sentence.
    pub text: String,
}

/// The share of runs that fail the same way if the case is followed up to a step and left to chance
/// from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inevitability {
    /// Runs from each step.
    pub runs: u64,
    /// In the order of steps.
    pub steps: Vec<Share>,
    /// The two steps between which the share grows most; None if it grows nowhere by half.
    pub jump: Option<Jump>,
}

/// The runs from one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The step.
    pub step: u64,
    /// How many of them fail the same way.
    pub failing: u64,
}

/// Two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// The first.
    pub from: Share,
    /// The second.
    pub to: Share,
}

/// The schedules beside that of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearest {
    /// How often the schedule leaves the default rule.
    pub switches: u64,
    /// Schedules one swap away that were tried.
    pub tried: u64,
    /// Those of them under which it fails the same way.
    pub failing: u64,
    /// Those of them under which nothing fails.
    pub passing: u64,
    /// The nearest swaps of which one is enough, what follows "if"; not all of them if they are many.
    pub swaps: Vec<String>,
    /// Two swaps that are enough together, if no single one is; else empty.
    pub pair: Vec<String>,
}

/// A part of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasePart {
    /// What kind of part it is.
    pub kind: CasePartKind,
    /// Which.
    pub what: String,
    /// Whether nothing breaks without it.
    pub needed: bool,
}

/// Kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CasePartKind {
    /// A call.
    Call,
    /// A fault.
    Fault,
    /// A decision that is not that of the correct filesystem.
    Decision,
}
