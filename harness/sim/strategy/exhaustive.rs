//! Every schedule within bounds, and every choice of what goes wrong, each once.
//!
//! A run is named by the answers in which it departs from what is answered by default. An
//! [`Explorer`] hands out the run without any; each run tells which questions it was asked after
//! its last departure, and each other answer to one of these makes another run. So no run comes up
//! twice and none is left out, and nothing has to be kept but the departures.
//!
//! To go on with another task where the current one cannot go on costs nothing; a preemption costs
//! one, and so does a fault. Cheap runs come first: a failure is found with the fewest preemptions
//! and faults that it needs. What is left when the limit on runs cuts a level short is estimated
//! (Knuth, 1975), from runs that were drawn evenly from that level.

mod coverage;
mod level;
mod walk;

use crate::schedule::Key;
use crate::strategy::{Candidates, Decision};
use level::{Level, Start};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use coverage::{Coverage, Covered};
pub use walk::Walk;

/// Runs that may be made at the same time. A constant, so that the result is the same on however
/// many threads.
const BATCH: usize = 64;

/// What is explored.
#[derive(Clone)]
pub struct Bounds {
    /// At most so many preemptions in a run.
    pub preemptions: u32,
    /// At most so many answers other than 0 to [`crate::choice`] in a run.
    pub faults: u32,
    /// At most so many runs.
    pub limit: u64,
    /// Who may go on instead of the default at a decision.
    pub alternatives: Alternatives,
    /// Whether runs are explored from their start; if not, then from where they say so by
    /// [`crate::explore`].
    pub at_once: bool,
}

impl Bounds {
    /// All runs with so many preemptions, and at all places.
    pub fn new(preemptions: u32) -> Bounds {
        let alternatives = Alternatives::everybody();
        Bounds { preemptions, faults: 0, limit: u64::MAX, alternatives, at_once: true }
    }
}

/// Who may go on instead of the default at a decision: a part of the candidates.
#[derive(Clone)]
pub struct Alternatives(Arc<Choose>);

type Choose = dyn Fn(&Decision<'_>, Key) -> Candidates + Send + Sync;

impl Alternatives {
    /// Every candidate.
    pub fn everybody() -> Alternatives {
        Alternatives::of(|decision, _| decision.candidates)
    }

    /// Those that `choose` gives. It must depend on the decision and its place only.
    pub fn of(
        choose: impl Fn(&Decision<'_>, Key) -> Candidates + Send + Sync + 'static,
    ) -> Alternatives {
        Alternatives(Arc::new(choose))
    }

    pub(super) fn at(&self, decision: &Decision<'_>, key: Key) -> Candidates {
        let others =
            |task: &usize| *task != decision.default && decision.candidates.contains(*task);
        self.0(decision, key).only(others)
    }
}

impl fmt::Debug for Alternatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alternatives(..)")
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { preemptions, faults, limit, .. } = self;
        write!(f, "Bounds({preemptions} preemptions, {faults} faults, {limit} runs)")
    }
}

/// What a run, or what follows from it, may cost and has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cost {
    pub(crate) preemptions: u32,
    pub(crate) faults: u32,
}

impl Cost {
    /// Where it comes in the order: by the sum.
    fn rank(self) -> (u32, Cost) {
        (self.preemptions + self.faults, self)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Explorer {
    bounds: Bounds,
    levels: BTreeMap<(u32, Cost), Level>,
    begun: u64,
}

impl Explorer {
    /// Nothing has run.
    pub fn new(bounds: Bounds) -> Explorer {
        let mut first = Level::default();
        first.add_root(Start::default(), bounds.limit);
        let levels = BTreeMap::from([(Cost::default().rank(), first)]);
        Explorer { bounds, levels, begun: 0 }
    }

    /// The next runs, in order; none if all have been made, or as many as the limit allows. All of
    /// them are to be made, on any threads, and then told to [`Explorer::learn`] in this order.
    pub fn batch(&mut self) -> Vec<Walk> {
        let left = self.bounds.limit - self.begun;
        let room = usize::try_from(left).map_or(BATCH, |left| left.min(BATCH));
        let next = self.levels.iter_mut().find(|(_, level)| level.has_work());
        let Some(((_, cost), level)) = next else { return Vec::new() };
        let starts = level.take(room, left);
        self.begun += u64::try_from(starts.len()).expect("a short list");
        let walk = |start| Walk::new(start, *cost, &self.bounds);
        starts.into_iter().map(walk).collect()
    }

    /// Takes in what a run was asked. A run that was not made is as if it had been asked nothing.
    pub fn learn(&mut self, walk: Walk) {
        let (cost, limit) = (walk.cost(), self.bounds.limit);
        let (start, openings) = walk.into_openings();
        let level = self.levels.get_mut(&cost.rank()).expect("its run came from there");
        level.learn(&start, openings.iter().filter(|opening| opening.cost == cost));
        for opening in openings.iter().filter(|opening| opening.cost != cost) {
            let level = self.levels.entry(opening.cost.rank()).or_default();
            for answer in &opening.answers {
                level.add_root(start.then(opening.at, *answer), limit);
            }
        }
    }

    /// How much has been explored.
    pub fn coverage(&self) -> Coverage {
        let mut levels = Vec::new();
        for ((_, cost), level) in &self.levels {
            levels.push(level.covered(*cost));
            if levels.last().is_some_and(|level| !level.complete) {
                break;
            }
        }
        Coverage { runs: levels.iter().map(|level| level.runs).sum(), levels }
    }
}
