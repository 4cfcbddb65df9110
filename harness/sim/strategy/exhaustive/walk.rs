//! One run of an exploration: follows its departures, and tells what it was asked beyond them.

use super::level::{Start, Turn};
use super::{Alternatives, Bounds, Cost};
use crate::schedule::Key;
use crate::strategy::{Decision, Strategy};
use std::sync::{Arc, OnceLock};

/// A question that was answered by default after the last departure, and how else it may be.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) at: u32,
    pub(crate) answers: Vec<u32>,
    /// What a run costs that answers otherwise here.
    pub(crate) cost: Cost,
}

/// A run that is to be made.
#[derive(Debug)]
pub struct Walk {
    start: Start,
    cost: Cost,
    bounds: Bounds,
    asked: Arc<OnceLock<Vec<Opening>>>,
}

impl Walk {
    pub(crate) fn new(start: Start, cost: Cost, bounds: &Bounds) -> Walk {
        Walk { start, cost, bounds: bounds.clone(), asked: Arc::default() }
    }

    /// Who goes on in this run. It tells what it was asked when it is dropped, the first time.
    pub fn strategy(&self) -> Box<dyn Strategy> {
        Box::new(Walker {
            turns: self.start.turns(),
            cost: self.cost,
            bounds: self.bounds.clone(),
            exploring: self.bounds.at_once,
            asked: 0,
            openings: Vec::new(),
            told: Arc::clone(&self.asked),
        })
    }

    /// The same run, to be made once more.
    #[must_use]
    pub fn again(&self) -> Walk {
        Walk::new(self.start.clone(), self.cost, &self.bounds)
    }

    /// Preemptions of this run.
    pub fn preemptions(&self) -> u32 {
        self.cost.preemptions
    }

    /// Faults of this run.
    pub fn faults(&self) -> u32 {
        self.cost.faults
    }

    pub(crate) fn cost(&self) -> Cost {
        self.cost
    }

    pub(crate) fn into_openings(self) -> (Start, Vec<Opening>) {
        let asked = Arc::into_inner(self.asked).and_then(OnceLock::into_inner);
        (self.start, asked.unwrap_or_default())
    }
}

struct Walker {
    turns: Vec<Turn>,
    cost: Cost,
    bounds: Bounds,
    exploring: bool,
    /// Questions so far.
    asked: u32,
    openings: Vec<Opening>,
    told: Arc<OnceLock<Vec<Opening>>>,
}

impl Walker {
    /// The answer to the next question, if it is one in which the run departs, and else its number.
    fn departs(&mut self) -> Result<u32, u32> {
        let at = self.asked;
        self.asked += 1;
        match self.turns.first() {
            Some(turn) if turn.at == at => Ok(self.turns.remove(0).answer),
            Some(_) | None => Err(at),
        }
    }

    /// Notes how else a question may be answered, if the run has departed for the last time and the
    /// bounds allow what that costs.
    fn open(&mut self, at: u32, cost: Cost, answers: impl FnOnce(&Alternatives) -> Vec<u32>) {
        let Bounds { preemptions, faults, .. } = self.bounds;
        let closed = !self.exploring || !self.turns.is_empty();
        if closed || preemptions < cost.preemptions || faults < cost.faults {
            return;
        }
        let answers = answers(&self.bounds.alternatives);
        if !answers.is_empty() {
            self.openings.push(Opening { at, answers, cost });
        }
    }
}

impl Strategy for Walker {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        let at = match self.departs() {
            Ok(answer) => return usize::try_from(answer).expect("below 64"),
            Err(at) => at,
        };
        let preemptions = self.cost.preemptions + u32::from(decision.stays);
        let cost = Cost { preemptions, ..self.cost };
        self.open(at, cost, |alternatives| {
            let others = alternatives.at(decision, key).iter();
            others.map(|task| u32::try_from(task).expect("below 64")).collect()
        });
        decision.default
    }

    fn explore(&mut self, on: bool) {
        self.exploring = on;
    }

    fn choose(&mut self, options: u32) -> u32 {
        let at = match self.departs() {
            Ok(answer) => return answer,
            Err(at) => at,
        };
        let cost = Cost { faults: self.cost.faults + 1, ..self.cost };
        self.open(at, cost, |_| (1..options).collect());
        0
    }
}

impl Drop for Walker {
    fn drop(&mut self) {
        // A run that is made a second time has nothing new to tell.
        let _ = self.told.set(std::mem::take(&mut self.openings));
    }
}
