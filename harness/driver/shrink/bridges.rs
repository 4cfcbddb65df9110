//! Schedules around what is taken out: who went on from there goes on from where it was entered.
//!
//! A run is a row of slices, each begun by a switch. Where a slice goes, the switch that began it
//! leads to where the slice led; where only the end of a slice goes, it ends at the next call.

use crate::call::Call;
use crate::case;
use crate::scenario::plan::{Moment, Plan, Switch, Who};
use crate::stage::CALL;
use std::collections::{BTreeMap, BTreeSet};

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

/// The case without those calls, each given by its actor and number, and without actors of which
/// no call is left. None if nobody is left.
pub(super) fn without_calls(case: &Plan, gone: &BTreeSet<(usize, u64)>) -> Option<Plan> {
    let mut rest = case.clone();
    for (actor, plan) in rest.actors.iter_mut().enumerate() {
        plan.does.retain(|call| !gone.contains(&(actor, call.number)));
    }
    let is_gone = |at: &Moment| match at.who {
        Who::Actor(actor) => gone.contains(&(actor, at.operation)),
        Who::Conductor | Who::Disk(_) => false,
    };
    let next = |at: &Moment| {
        let Who::Actor(actor) = at.who else { return None };
        let mut left = rest.actors[actor].does.iter();
        left.find(|call| at.operation < call.number).map(|call| call.number)
    };
    rest.schedule = Some(without(case, is_gone, next));
    for actor in (0..rest.actors.len()).rev() {
        if rest.actors[actor].does.is_empty() {
            case::remove_actor(&mut rest, actor);
        }
    }
    (!rest.actors.is_empty()).then_some(rest)
}

/// The switches of a run without what happened at places that are `gone`. `next` is the call that
/// the same actor makes after that, if it makes one.
fn without(
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
    let mut rest = without(case, gone, |_| None);
    rest.retain(|switch| switch.to != Who::Actor(actor));
    rest
}

/// The case in which actor `one` also does what `other` did, in the order of `calls`, which are given
/// by actor and number.
pub(super) fn merged(case: &Plan, calls: &[(usize, u64)], (one, other): (usize, usize)) -> Plan {
    let of_both = calls.iter().filter(|(actor, _)| [one, other].contains(actor));
    let numbers: BTreeMap<(usize, u64), u64> = of_both.copied().zip(1..).collect();
    let mut merged = case.clone();
    let taken = std::mem::take(&mut merged.actors[other].does).into_iter();
    let mut does: Vec<Call> = std::mem::take(&mut merged.actors[one].does)
        .into_iter()
        .map(|call| (one, call))
        .chain(taken.map(|call| (other, call)))
        .filter_map(|(actor, call)| {
            let number = *numbers.get(&(actor, call.number))?;
            Some(Call { number, ..call })
        })
        .collect();
    does.sort_by_key(|call| call.number);
    merged.actors[one].does = does;
    let moved = |at: &mut Moment| {
        let Who::Actor(actor) = at.who else { return true };
        if actor != one && actor != other {
            return true;
        }
        at.who = Who::Actor(one);
        let number = numbers.get(&(actor, at.operation));
        number.map(|number| at.operation = *number).is_some()
    };
    if let Some(schedule) = &mut merged.schedule {
        schedule.retain_mut(|switch| {
            if switch.to == Who::Actor(other) {
                switch.to = Who::Actor(one);
            }
            moved(&mut switch.at) && switch.at.who != switch.to
        });
    }
    merged.strikes.retain_mut(|strike| strike.moment_mut().is_none_or(moved));
    case::remove_actor(&mut merged, other);
    merged
}
