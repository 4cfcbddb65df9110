//! Schedules that are drawn, to find out whether something simpler still fails under another one.

use sim::chance::{Seed, Stream, scramble};
use sim::schedule::Key;
use sim::strategy::{Decision, Pct, Pos, Random, Strategy};

/// The default rule, but for a few preemptions at random decisions, and some freedom where the
/// running task has to wait.
#[derive(Debug)]
pub(super) struct Roam {
    chance: Stream,
    /// At which decisions a task is preempted, the next one last.
    preempted: Vec<u64>,
    /// How often a free choice leaves the default rule, in a million.
    freedom: u32,
    asked: u64,
}

impl Roam {
    /// With at most so many preemptions, in a run of about so many decisions.
    pub(super) fn new(seed: Seed, preemptions: usize, decisions: u64) -> Roam {
        let mut chance = seed.schedule();
        let mut preempted: Vec<u64> =
            (0..preemptions).map(|_| chance.between(1, decisions.max(1))).collect();
        preempted.sort_unstable_by(|one, other| other.cmp(one));
        let freedom = [0, 100_000, 400_000][usize::try_from(chance.below(3)).expect("below 3")];
        Roam { chance, preempted, freedom, asked: 0 }
    }
}

impl Strategy for Roam {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        self.asked += 1;
        let leaves = if decision.stays {
            let due = self.preempted.last().is_some_and(|at| *at <= self.asked);
            if due {
                self.preempted.pop();
            }
            due
        } else {
            self.chance.chance(self.freedom)
        };
        if leaves { other(&mut self.chance, decision) } else { decision.default }
    }
}

/// Somebody else than the default rule says.
fn other(chance: &mut Stream, decision: &Decision<'_>) -> usize {
    let others = u64::from(decision.candidates.count() - 1);
    let nth = usize::try_from(chance.below(others)).expect("fewer than 64");
    let mut others = decision.candidates.iter().filter(|task| *task != decision.default);
    others.nth(nth).unwrap_or(decision.default)
}

/// Tasks take turns at places of some names, and go on elsewhere: they meet there again and again.
#[derive(Debug)]
struct Turns {
    chance: Stream,
    salt: u64,
}

/// Of so many names of places one is where tasks take turns.
const ONE_IN: u64 = 6;

impl Strategy for Turns {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let turns = scramble(self.salt ^ u64::from(decision.site.code)).is_multiple_of(ONE_IN);
        if turns || !decision.stays { other(&mut self.chance, decision) } else { decision.default }
    }
}

/// The `nth` of the schedules that are drawn without regard for preemptions, each of another kind
/// than the one before.
pub(super) fn storming(nth: u64, decisions: u64) -> Box<dyn Strategy> {
    let seed = Seed(0).nth(nth + 1);
    let mut chance = seed.schedule();
    match nth % 5 {
        0 => Box::new(Random::new(chance)),
        1 => Box::new(Turns { salt: chance.next_u64(), chance }),
        2 => Box::new(Pos::new(chance)),
        3 => Box::new(Roam::new(seed, 3, decisions)),
        _ => Box::new(Pct::new(chance, 4, decisions)),
    }
}
