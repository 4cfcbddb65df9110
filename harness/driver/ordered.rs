//! Calls begin in an order that is given, and overlap only where they overlapped there. Whatever
//! that leaves open is drawn.

use crate::scenario::plan::{Plan, Turn};
use crate::stage::CALL;
use sim::chance::Stream;
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub struct Ordered {
    chance: Stream,
    actors: usize,
    /// In the order in which they begin.
    calls: Vec<Turned>,
    /// By actor: the operation that it was last seen in.
    seen: Vec<u64>,
    /// By actor and operation: which of the calls it is.
    places: BTreeMap<(usize, u64), usize>,
}

/// One call of the order.
#[derive(Debug)]
struct Turned {
    began: usize,
    ended: Option<usize>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Waits,
    Acts,
    Over,
}

impl Ordered {
    /// Follows the order of `plan`, whose actors have lists.
    pub fn new(plan: &Plan, order: &[Turn], chance: Stream) -> Ordered {
        let actors = crate::storm::actors(plan);
        let mut calls: Vec<Turned> = Vec::new();
        let mut places = BTreeMap::new();
        for (at, turn) in order.iter().enumerate() {
            let key = (turn.actor, turn.operation);
            match (turn.begins_on, places.get(&key)) {
                (Some(_), None) => {
                    places.insert(key, calls.len());
                    calls.push(Turned { began: at, ended: None, state: State::Waits });
                }
                (None, Some(place)) => calls[*place].ended = Some(at),
                _ => {}
            }
        }
        Ordered { chance, actors, calls, seen: vec![0; actors], places }
    }

    /// Notes where the task is that was just stopped.
    fn look(&mut self, actor: usize, operation: u64, begins: bool) {
        self.seen[actor] = operation;
        let of_actor = self.places.range((actor, 0)..=(actor, operation));
        for ((_, number), place) in of_actor {
            let state = match (*number == operation, begins) {
                (false, _) => State::Over,
                (true, false) => State::Acts,
                (true, true) => State::Waits,
            };
            let call = &mut self.calls[*place];
            call.state = call.state.max(state);
        }
    }

    /// Whether the actor's call may begin now; what is not in the order may.
    fn may_begin(&self, actor: usize) -> bool {
        let Some(place) = self.places.get(&(actor, self.seen[actor])) else { return true };
        let began = self.calls[*place].began;
        let first = self.calls[..*place].iter().all(|before| before.state != State::Waits);
        let is_over = |other: &Turned| other.state == State::Over;
        let ended = |other: &&Turned| other.ended.is_some_and(|ended| ended < began);
        first && self.calls.iter().filter(ended).all(is_over)
    }
}

impl Strategy for Ordered {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        let actors = self.actors;
        let actor = |task: usize| task.checked_sub(1).filter(|actor| *actor < actors);
        let at_call = |task: &usize| decision.pending(*task).name == CALL;
        if let Some(current) = actor(decision.current) {
            self.look(current, key.operation, decision.stays && decision.site.name == CALL);
        }
        let may = |task: &usize| match actor(*task) {
            Some(actor) if at_call(task) => self.may_begin(actor),
            _ => true,
        };
        let open = decision.candidates.only(may);
        let from = if open.count() == 0 { decision.candidates } else { open };
        let nth = self.chance.below(from.count().into());
        let chosen = from.nth(u32::try_from(nth).expect("below 64"));
        if let Some(actor) = actor(chosen).filter(|_| at_call(&chosen)) {
            self.look(actor, self.seen[actor], false);
        }
        chosen
    }
}
