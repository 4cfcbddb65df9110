//! Tells why a case fails: what broke, the turns that led there, and what would have prevented it.
//!
//! A case is run, and when it fails it is run again with somebody who looks on: at every passage of
//! the scheduler and every commit point of the filesystem the state of the files is kept. Everything
//! that is told is read off these moments; nothing is inferred from names of bugs. What is here is
//! the model; the command renders it.

pub mod cast;
pub mod content;
pub mod criticality;
pub mod headline;
pub mod lanes;
pub mod nearest;
pub mod provenance;
pub mod recorded;
pub mod state;
pub mod story;
pub mod strips;
pub mod turns;
pub mod watcher;
pub mod words;

pub use criticality::Criticality;
pub use headline::{Decision, Headline};
pub use lanes::{Kind, Lanes, Row};
pub use nearest::{Nearest, Part, PartKind};
pub use provenance::Provenance;
pub use strips::{Strip, Strips};

use crate::ground::NoGround;
use crate::onlooker::{Look, Onlooker};
use crate::reproducer;
use crate::scenario::plan::Plan;
use crate::storm::{self, Orders, Storm};
use cast::Cast;
use oracle::Violation;
use serde::Serialize;
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::op::Op;
use stormfs::quantity::{ByteRange, Geometry, PAGE};
use turns::Scope;
use watcher::{Focus, Frame, Watcher};

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The name of the case.
    pub name: String,
    /// What broke.
    pub headline: Headline,
    /// The turns that matter, each in a few sentences.
    pub story: Vec<String>,
    /// Whose turns these are.
    pub told: Vec<Told>,
    /// Turns that matter and that the story begins after.
    pub left_out: usize,
    /// What happened, event by event.
    pub lanes: Lanes,
    /// The state after each of the turns, if the violation is about a file.
    pub strips: Option<Strips>,
    /// The state after each event, likewise.
    pub moments: Option<Strips>,
    /// What became of one of the bytes in question, likewise.
    pub provenance: Option<Provenance>,
    /// What would have prevented it, if the schedule can be changed.
    pub nearest: Option<Nearest>,
    /// Which step decided, if that was measured.
    pub criticality: Option<Criticality>,
}

/// A turn that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Who acts.
    pub task: String,
    /// The step at which it ends.
    pub step: u64,
    /// Its number, of all turns.
    #[serde(skip)]
    pub turn: usize,
}

/// Why nothing is explained.
#[derive(Debug)]
pub enum Refusal {
    /// The case does not fail.
    Passes,
    /// Two runs of it differ.
    Differs,
    /// It passes so many points, more than are kept.
    TooLong(u64),
    /// There is nothing to run it on.
    NoGround(NoGround),
}

/// A case passes at most so many points: of each of them the files are kept as they were then, some
/// kilobytes, and the neighbours of each switch are looked for among all of them.
pub const POINTS: u64 = 20_000;

impl Refusal {
    /// What is to be done about a case that is too long.
    pub fn too_long(points: u64) -> String {
        format!(
            "the case passes {points} points, and is followed through {POINTS} at most: `pagestorm shrink` \
             makes it smaller"
        )
    }
}

/// Runs `plan`, whose seed says everything that its lists and its schedule leave open, and explains
/// why it fails.
///
/// # Errors
///
/// It does not fail, or it cannot be run.
pub fn explain(plan: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Explanation, Refusal> {
    let first = run(plan, Look::default(), interrupted)?;
    if plan.schedule.is_none() {
        let told = (plan, plan.name.as_str());
        let case = reproducer::of(told, Seed(plan.seed), &first, interrupted);
        if let Some(case) = case.map_err(Refusal::NoGround)? {
            return explain(&case.case, interrupted);
        }
    }
    let Some(violation) = &first.violation else { return Err(Refusal::Passes) };
    if POINTS < first.tally.scheduling_points {
        return Err(Refusal::TooLong(first.tally.scheduling_points));
    }
    let focus = focus(plan, violation);
    let watcher = Arc::new(Watcher::new(plan.files.len(), focus));
    let onlooker: Arc<dyn Onlooker> = watcher.clone();
    let look = Look { onlooker: Some(&onlooker), ..Look::default() };
    let again = run(plan, look, interrupted)?;
    let same = again.violation.as_ref() == Some(violation);
    if !same || again.end.trace_hash != first.end.trace_hash {
        return Err(Refusal::Differs);
    }
    let model = again.model.as_ref().expect("a simulation is of the model");
    let deviated = model.shared().rules.deviated().collect();
    let frames = turns::with_the_end(watcher.take(), deviated);
    let told = told(plan, violation, &frames, focus);
    let (nearest, criticality) = match plan.schedule {
        Some(_) => {
            let cast = Cast::of(plan);
            (
                Some(nearest::nearest((plan, &cast), &frames, violation.invariant, interrupted)),
                criticality::criticality(plan, &frames, violation.invariant, interrupted),
            )
        }
        None => (None, None),
    };
    Ok(Explanation { nearest, criticality, ..told })
}

/// What the moments of the run tell.
fn told(plan: &Plan, violation: &Violation, frames: &[Frame], focus: Option<Focus>) -> Explanation {
    let cast = Cast::of(plan);
    let scope = scope(plan, violation);
    let turns = turns::turns(frames, scope, &cast);
    let matter = story::matter(&turns, frames, &cast);
    let mut headline = Headline::of(plan, &cast, violation);
    if about_bytes(violation) {
        headline.origin = story::origin(&turns, frames, &cast);
    }
    let both = (&turns[..], &matter[..]);
    let (story, left_out) = story::story(plan, &cast, frames, both, &headline);
    let lanes = lanes::lanes((plan, &cast), frames, both, scope, &headline);
    let place = focus.zip(violation.range);
    let strips = place.and_then(|place| {
        strips::strips(&cast, frames, (&turns, &matter[left_out..]), place.0, place.1)
    });
    let moments = place.and_then(|place| {
        let first = lanes.rows.first()?.at;
        let after = lanes.rows.iter().map(|row| (row.text.clone(), row.at));
        strips::at_moments(&cast, frames, (first, after), place)
    });
    let told = matter[left_out..].iter().map(|at| Told {
        task: cast.task(turns[*at].task),
        step: turns::step(frames, turns[*at].frames.end - 1),
        turn: *at,
    });
    let provenance = focus.map(|focus| {
        let Headline { invariant, expected, found, .. } = &headline;
        let fails = format!("{invariant} fails: expected {expected}; found {found}");
        provenance::provenance(&cast, frames, &turns, (focus, fails))
    });
    Explanation {
        name: plan.name.clone(),
        headline,
        story,
        told: told.collect(),
        left_out,
        lanes,
        strips,
        moments,
        provenance,
        nearest: None,
        criticality: None,
    }
}

fn run(plan: &Plan, look: Look<'_>, interrupted: &Arc<AtomicBool>) -> Result<Storm, Refusal> {
    let seed = Seed(plan.seed);
    let orders = Orders { plan, seed, record: true, judged: true, look, interrupted };
    storm::run(orders).map_err(Refusal::NoGround)
}

/// The strips show at most this many blocks, and this many bytes.
const BLOCKS: u64 = 14;
const BYTES: u64 = 256 << 10;

/// What to look at more closely, if the violation is about some bytes.
fn focus(plan: &Plan, violation: &Violation) -> Option<Focus> {
    let (file, range) = (violation.file?, violation.range?);
    let block = plan.filesystem.block_size;
    let geometry = Geometry::new(block, plan.filesystem.max_folio);
    let around = (BLOCKS.min(BYTES / block).max(1) * block).max(block);
    let start = geometry.down(range.start).saturating_sub(3 * block);
    let wanted = geometry.up(range.end).saturating_add(3 * block);
    let shown = ByteRange::new(start, wanted.min(start + around));
    // A byte that somebody writes tells more than one that nobody does.
    let calls = plan.actors.iter().flat_map(|actor| &actor.does).filter(|call| call.file == file);
    let written = calls.filter_map(|call| {
        let (Op::Write(bytes) | Op::MmapStore(bytes)) = call.op else { return None };
        Some(bytes.start.next_multiple_of(8))
    });
    let inside = |pos: &u64| range.start <= *pos && *pos < range.end;
    let written = written.filter(inside).min().filter(|_| !about_bytes(violation));
    let pos = written.unwrap_or(range.start);
    Some(Focus { file, pos, shown })
}

fn about_bytes(violation: &Violation) -> bool {
    violation.invariant.starts_with("data_")
}

/// What of the files the violation is about.
fn scope(plan: &Plan, violation: &Violation) -> Option<Scope> {
    let file = violation.file?;
    let unit = plan.filesystem.block_size.max(PAGE);
    let range = violation.range.unwrap_or(ByteRange { start: 0, end: u64::MAX });
    let end = range.end.checked_next_multiple_of(unit).unwrap_or(u64::MAX);
    let range = ByteRange::new(range.start - range.start % unit, end);
    let durable_size = violation.invariant.starts_with("size_");
    Some(Scope { file, range, durable_size, zeros: about_bytes(violation) })
}
