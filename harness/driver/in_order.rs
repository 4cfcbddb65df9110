//! Calls of threads in the order in which other threads made them: each begins once every call has ended
//! that had ended before it began then. Calls that overlapped may overlap again, in any way.

use crate::case::places;
use crate::scenario::plan::{Plan, Recorded};
use sim::{Mutex, Rank, Site, WaitQueue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A call, by the number of its actor and its own.
type CallId = (usize, u64);

/// See the module.
#[derive(Debug)]
pub struct InOrder {
    /// How many calls had ended when each began.
    before: BTreeMap<CallId, usize>,
    /// In which order they ended.
    ends: Vec<CallId>,
    ended: Mutex<BTreeSet<CallId>>,
    /// How many of `ends` have ended, from the first one on.
    first: AtomicUsize,
    changed: WaitQueue,
}

static ENDED: Rank = Rank::leaf(12, "calls in order");

impl InOrder {
    /// The order that `case` has recorded, if it has.
    pub fn of(case: &Plan) -> Option<InOrder> {
        let Recorded { order, .. } = case.recorded.as_ref()?;
        if order.is_empty() {
            return None;
        }
        let (mut before, mut ends) = (BTreeMap::new(), Vec::new());
        // A turn of a call that was taken out is nothing to wait for.
        let listed = places(case);
        for turn in order {
            let place = (turn.actor, turn.operation);
            if !listed.contains(&place) {
                continue;
            }
            if turn.begins_on.is_some() {
                before.insert(place, ends.len());
            } else if before.contains_key(&place) {
                ends.push(place);
            }
        }
        let ended = sim::sync::mutex(&ENDED, 0, BTreeSet::new());
        Some(InOrder { before, ends, ended, first: AtomicUsize::new(0), changed: WaitQueue::new() })
    }

    /// Waits until it is this call's turn, or `is_over`.
    pub fn wait(&self, actor: usize, number: u64, is_over: impl Fn() -> bool) {
        let Some(before) = self.before.get(&(actor, number)) else { return };
        let site = Site::point("turn", 0x97, 0);
        let is_due = || *before <= self.first.load(Ordering::SeqCst);
        self.changed.wait_until(site, || is_due() || is_over());
    }

    /// A call has ended.
    pub fn ends(&self, actor: usize, number: u64) {
        let mut ended = self.ended.lock();
        ended.insert((actor, number));
        let mut first = self.first.load(Ordering::SeqCst);
        while self.ends.get(first).is_some_and(|place| ended.contains(place)) {
            first += 1;
        }
        self.first.store(first, Ordering::SeqCst);
        drop(ended);
        self.changed.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    const CASE: &str = "
actors:
  - {name: a, does: [fsync, fsync]}
  - {name: b, does: [fsync]}
schedule: []
recorded:
  {version: x, from: y, seed: 1, trace: 1, points: 1, order: [ORDER]}
";

    fn parsed(turns: &str) -> Plan {
        let text = CASE.replace("ORDER", turns);
        parse("a.yaml", &text, &Known::default(), &[]).unwrap()
    }

    /// Whether it is the turn of that call.
    fn is_due(order: &InOrder, (actor, number): CallId) -> bool {
        let asked = std::cell::Cell::new(false);
        // Whoever is not due asks whether all is over.
        order.wait(actor, number, || {
            asked.set(true);
            true
        });
        !asked.get()
    }

    #[test]
    fn a_call_begins_once_those_have_ended_that_had_ended_before() {
        let turns =
            "a 1 begins on 0, b 1 begins on 0, b 1 ends, a 1 ends, a 2 begins on 0, a 2 ends";
        let order = InOrder::of(&parsed(turns)).unwrap();
        assert!(is_due(&order, (0, 1)) && is_due(&order, (1, 1)), "they overlapped");
        assert!(!is_due(&order, (0, 2)));
        order.ends(0, 1);
        assert!(!is_due(&order, (0, 2)), "the other has not ended");
        order.ends(1, 1);
        assert!(is_due(&order, (0, 2)), "in whichever order they ended");
    }

    #[test]
    fn nobody_waits_for_calls_that_were_taken_out() {
        let turns = "b 1 begins on 0, b 1 ends, a 1 begins on 0, a 1 ends";
        let mut plan = parsed(turns);
        assert!(!is_due(&InOrder::of(&plan).unwrap(), (0, 1)));
        plan.actors[1].does.clear();
        assert!(is_due(&InOrder::of(&plan).unwrap(), (0, 1)));
    }
}
