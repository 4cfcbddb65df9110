//! A case: a plan in which everything is explicit. Every operation is listed, every fault has its
//! place, and the schedule says who goes on where the default rule says otherwise.
//!
//! The case of a storm passes the same points in the same order, whatever the seed, and so has the
//! same trace hash, if every actor had begun to act. It can be edited: keys name a place by task,
//! operation and point, so that taking something out leaves the rest in its place.

use crate::call::Call;
use crate::recording::Recording;
use crate::scenario::is_reserved;
use crate::scenario::plan::{ActorPlan, DeviceKind, DevicePlan, Moment, Plan, Switch, Who};
use crate::scenario::plan::{StrategyPlan, WorldKind};
use sim::chance::Seed;
use sim::schedule::{Deviation, Key};
use std::collections::BTreeSet;
use std::time::Duration;

/// The actor that evicts what the conductor of a script did.
const RECLAIM: &str = "reclaim";

/// The case of a simulated storm of `plan` under `seed`. Actors that began no operation are left out.
pub fn of(plan: &Plan, seed: Seed, recording: &Recording) -> Plan {
    let drawn = plan.under(seed);
    let names = drawn.actors.iter().flat_map(|actor| actor.names().map(|name| (name, actor.pause)));
    let reclaim = std::iter::once((RECLAIM.to_owned(), Duration::ZERO));
    let all = names.chain(reclaim).zip(&recording.calls);
    let actors = all.map(|((name, pause), calls)| ActorPlan::listed(name, calls.clone(), pause));
    let mut case = Plan {
        world: WorldKind::Simulated,
        seed: 1,
        seeds: 1,
        ops: None,
        time: None,
        strategy: StrategyPlan::Random,
        device: DevicePlan {
            kind: DeviceKind::Auto,
            latency_max: drawn.device.latency_min,
            ..drawn.device
        },
        actors: actors.collect(),
        script: Vec::new(),
        schedule: Some(recording.switches.clone()),
        faults: Vec::new(),
        strikes: recording.strikes.clone(),
        drawn: Vec::new(),
        variations: None,
        dropped: Vec::new(),
        missing: Vec::new(),
        ..Plan::clone(&drawn)
    };
    name_apart(&mut case.actors);
    for idle in (0..case.actors.len()).rev() {
        if case.actors[idle].does.is_empty() {
            remove_actor(&mut case, idle);
        }
    }
    case
}

/// Gives actors other names where sentences could not tell them from another task: those of a group
/// with many members have names that a group of its own may have, too.
pub fn name_apart(actors: &mut [ActorPlan]) {
    const LONGEST: usize = 64;
    let mut taken = BTreeSet::new();
    for actor in actors {
        let mut name = actor.name.clone();
        let mut nth = 1;
        while is_reserved(&name) || LONGEST < name.len() || taken.contains(&name) {
            nth += 1;
            let ending = format!("_{nth}");
            let room = actor.name.len().min(LONGEST - ending.len());
            name = format!("{}{ending}", &actor.name[..room]);
        }
        taken.insert(name.clone());
        actor.name = name;
    }
}

/// Takes the `number`-th actor out of a case, with every switch and strike that names it.
pub fn remove_actor(case: &mut Plan, number: usize) {
    case.actors.remove(number);
    let moved = |who: &mut Who| match who {
        Who::Actor(other) if *other == number => false,
        Who::Actor(other) => {
            *other -= usize::from(number < *other);
            true
        }
        Who::Conductor | Who::Disk(_) => true,
    };
    if let Some(schedule) = &mut case.schedule {
        schedule.retain_mut(|switch| moved(&mut switch.at.who) && moved(&mut switch.to));
    }
    case.strikes.retain_mut(|strike| strike.moment_mut().is_none_or(|at| moved(&mut at.who)));
    if let Some(recorded) = &mut case.recorded {
        recorded.order.retain_mut(|turn| {
            let stays = turn.actor != number;
            turn.actor -= usize::from(number < turn.actor);
            stays
        });
    }
}

/// Takes the turns of calls that are not listed out of a recorded order.
pub fn prune_order(case: &mut Plan) {
    if case.recorded.is_none() {
        return;
    }
    let listed = places(case);
    if let Some(recorded) = &mut case.recorded {
        recorded.order.retain(|turn| listed.contains(&(turn.actor, turn.operation)));
    }
}

/// Every call that is listed, by the number of its actor and its own.
pub fn places(case: &Plan) -> BTreeSet<(usize, u64)> {
    let actors = case.actors.iter().enumerate();
    let calls =
        actors.flat_map(|(actor, its)| its.does.iter().map(move |call| (actor, call.number)));
    calls.collect()
}

/// Numbers the calls of every actor 1, 2, 3 and so on, and every switch and strike with them. Those
/// of operations that are not listed, and cannot be reached, are taken out.
pub fn renumber(case: &mut Plan) {
    let renumbered = |calls: &[Call]| -> Vec<(u64, u64)> {
        calls.iter().map(|call| call.number).zip(1..).collect()
    };
    let tables: Vec<Vec<(u64, u64)>> =
        case.actors.iter().map(|actor| renumbered(&actor.does)).collect();
    let renumber = |at: &mut Moment| {
        let Who::Actor(actor) = at.who else { return true };
        let table = &tables[actor];
        // After its last call an actor passes a few more points, in an operation of their own.
        let after = table.last().map(|(old, new)| (old + 1, new + 1));
        let mut all = table.iter().copied().chain(after).chain([(0, 0)]);
        let found = all.find(|(old, _)| *old == at.operation);
        found.map(|(_, new)| at.operation = new).is_some()
    };
    if let Some(schedule) = &mut case.schedule {
        schedule.retain_mut(|switch| renumber(&mut switch.at));
    }
    case.strikes.retain_mut(|strike| strike.moment_mut().is_none_or(renumber));
    for actor in &mut case.actors {
        for (call, number) in actor.does.iter_mut().zip(1..) {
            call.number = number;
        }
    }
}

/// Who the `task`-th task of a simulation of so many actors is.
pub fn who(task: usize, actors: usize) -> Who {
    match task.checked_sub(1) {
        None => Who::Conductor,
        Some(actor) if actor < actors => Who::Actor(actor),
        Some(other) => Who::Disk(other - actors),
    }
}

/// The number of the task in a simulation of so many actors.
pub fn task(who: Who, actors: usize) -> usize {
    match who {
        Who::Conductor => 0,
        Who::Actor(actor) => 1 + actor,
        Who::Disk(disk) => 1 + actors + disk,
    }
}

/// The name of the task in a simulation of `plan`.
pub fn name(plan: &Plan, who: Who) -> String {
    match who {
        Who::Conductor => "conductor".to_owned(),
        Who::Disk(disk) => format!("disk-{disk}"),
        Who::Actor(actor) => {
            let mut names = plan.actors.iter().flat_map(ActorPlan::names);
            names.nth(actor).unwrap_or_else(|| format!("actor {actor}"))
        }
    }
}

/// A deviation in the words of a plan.
pub fn switch(deviation: &Deviation, actors: usize) -> Switch {
    let Deviation { key: Key { task, operation, point }, to, site } = *deviation;
    let who = |task: u8| who(usize::from(task), actors);
    let at = Moment { who: who(task), operation, point, site: site.to_owned() };
    Switch { at, to: who(to) }
}

/// The key of a place in a simulation of so many actors.
pub fn key(at: &Moment, actors: usize) -> Key {
    let task = u8::try_from(task(at.who, actors)).unwrap_or(u8::MAX);
    Key { task, operation: at.operation, point: at.point }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::Strike;
    use crate::scenario::{Known, parse};

    const TEXT: &str = "
actors:
  - {name: a, does: [fsync]}
  - {name: b, does: [fsync, sync, fsync]}
  - {name: c, does: [fsync, sync]}
";

    fn at(who: Who, operation: u64) -> Moment {
        Moment { who, operation, point: 1, site: "fsync.before_flush".to_owned() }
    }

    fn case() -> Plan {
        let mut case = parse("a.yaml", TEXT, &Known::default(), &[]).unwrap();
        let (b, c, disk) = (Who::Actor(1), Who::Actor(2), Who::Disk(0));
        let switch = |at: Moment, to: Who| Switch { at, to };
        case.schedule = Some(vec![
            switch(at(Who::Actor(0), 1), b),
            switch(at(b, 3), c),
            switch(at(c, 1), disk),
            switch(at(b, 4), c),
        ]);
        case.strikes = vec![
            Strike::Delay(at(Who::Actor(0), 1), Duration::ZERO),
            Strike::Delay(at(b, 2), Duration::ZERO),
            Strike::Delay(at(b, 3), Duration::ZERO),
        ];
        case
    }

    fn places(case: &Plan) -> Vec<(Who, u64, Who)> {
        let switches = case.schedule.iter().flatten();
        switches.map(|switch| (switch.at.who, switch.at.operation, switch.to)).collect()
    }

    #[test]
    fn without_an_actor_the_others_move_up_and_nobody_names_it() {
        let mut case = case();
        remove_actor(&mut case, 0);
        let (b, c) = (Who::Actor(0), Who::Actor(1));
        assert_eq!(places(&case), [(b, 3, c), (c, 1, Who::Disk(0)), (b, 4, c)]);
        assert_eq!(case.strikes.len(), 2);
        assert_eq!(case.strikes[0].moment().map(|at| at.who), Some(b));
    }

    #[test]
    fn numbers_close_up_and_places_of_calls_that_are_gone_go() {
        let mut case = case();
        case.actors[1].does.remove(1);
        renumber(&mut case);
        let numbers: Vec<_> = case.actors[1].does.iter().map(|call| call.number).collect();
        assert_eq!(numbers, [1, 2]);
        let (a, b, c) = (Who::Actor(0), Who::Actor(1), Who::Actor(2));
        let expected = [(a, 1, b), (b, 2, c), (c, 1, Who::Disk(0)), (b, 3, c)];
        assert_eq!(places(&case), expected);
        let struck: Vec<_> = case.strikes.iter().filter_map(Strike::moment).collect();
        assert_eq!(struck, [&at(a, 1), &at(b, 2)]);
    }
}
