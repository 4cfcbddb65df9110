//! Schedules around what is taken out: who went on from there goes on from where it was entered.
//!
//! A run is a row of slices, each begun by a switch. Where a slice goes, the switch that began it
//! leads to where the slice led; where only the end of a slice goes, it ends at the next call.

use crate::scenario::plan::{Moment, Plan, Switch, Who};
use crate::stage::CALL;

/// The switches of a run without the `nth` slice. None if there is no such slice.
pub(super) fn without_slice(schedule: &[Switch], nth: usize) -> Option<Vec<Switch>> {
    let (entry, exit) = (schedule.get(nth)?, schedule.get(nth + 1)?);
    if entry.to != exit.at.who {
        return None;
    }
    let mut rest = schedule.to_vec();
    rest.remove(nth + 1);
    rest[nth].to = exit.to;
    if rest[nth].to == rest[nth].at.who {
        rest.remove(nth);
    }
    Some(rest)
}

/// The switches of a run without those calls whose places are `gone`. `next` is the call that the
/// same actor makes after it, if it makes one.
pub(super) fn without_calls(
    case: &Plan,
    gone: impl Fn(&Moment) -> bool,
    next: impl Fn(&Moment) -> Option<u64>,
) -> Vec<Switch> {
    let mut rest: Vec<Switch> = Vec::new();
    for switch in case.schedule.iter().flatten() {
        if !gone(&switch.at) {
            rest.push(switch.clone());
            continue;
        }
        match rest.last_mut().filter(|entry| entry.to == switch.at.who) {
            Some(entry) => {
                entry.to = switch.to;
                if entry.to == entry.at.who {
                    rest.pop();
                }
            }
            None => rest.extend(next(&switch.at).map(|operation| {
                let at = Moment { operation, point: 1, site: CALL.to_owned(), ..switch.at };
                Switch { at, to: switch.to }
            })),
        }
    }
    rest
}

/// The switches of a run in which `actor` never went on.
pub(super) fn without_actor(case: &Plan, actor: usize) -> Vec<Switch> {
    let gone = |at: &Moment| at.who == Who::Actor(actor);
    let mut rest = without_calls(case, gone, |_| None);
    rest.retain(|switch| switch.to != Who::Actor(actor));
    rest
}
