//! Partial order sampling (Yuan, Yang, Gu, CAV 2018).
//!
//! Whatever each task is about to do has a random priority, and the highest goes on. What a task
//! does next gets a new one, and so does whatever raced with what has just been done: who is about
//! to take the same lock, and not both shared. The order of two acquisitions of one lock is thereby
//! drawn once for each pair, and not once for each point in between. Named points race with nothing.

use super::{Decision, Strategy};
use crate::chance::Stream;
use crate::schedule::Key;

/// See the module.
#[derive(Debug)]
pub struct Pos {
    chance: Stream,
    /// By task; the larger goes first. Drawn priorities lie above [`FLOOR`], demoted ones below.
    priorities: [u64; 64],
    /// What the next task to be demoted gets; it only ever shrinks.
    floor: u64,
}

const FLOOR: u64 = u64::MAX / 2;

impl Pos {
    /// A walk that depends on `chance` alone.
    pub fn new(mut chance: Stream) -> Pos {
        let priorities = std::array::from_fn(|_| drawn(&mut chance));
        Pos { chance, priorities, floor: FLOOR }
    }
}

impl Strategy for Pos {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let chosen = decision.candidates.highest(&self.priorities);
        let done = decision.pending(chosen);
        for task in decision.candidates.iter() {
            if task == chosen || done.conflicts(decision.pending(task)) {
                self.priorities[task] = drawn(&mut self.chance);
            }
        }
        chosen
    }

    fn demote(&mut self, task: usize) {
        self.floor -= 1;
        self.priorities[task] = self.floor;
    }
}

fn drawn(chance: &mut Stream) -> u64 {
    chance.next_u64() | (FLOOR + 1)
}
