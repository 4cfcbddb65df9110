//! The schedule of a storm that a script led, as one that needs no script.
//!
//! Between two of its steps the conductor of a script passes points of its own. Without it, whoever
//! it let go on next goes on at once; where it evicted folios, an actor of its own does. What is
//! taken from the trace is only who passed which place after whom; a switch that says what the
//! default rule says anyway does no harm, and is gone from the recording of the case.

use crate::call::Call;
use crate::case;
use crate::director;
use crate::scenario::plan::{Action, Moment, Plan, Switch, Who};
use crate::stage::CALL;
use sim::world::Passage;
use stormfs::op::Op;

/// What a script did, in the words of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scripted {
    /// The folios that it evicted, each as a call of an actor that comes after all others.
    pub evictions: Vec<Call>,
    /// Who went on after whom.
    pub switches: Vec<Switch>,
}

/// Reads the trace of a storm of `plan`, which has a script.
pub fn scripted(plan: &Plan, trace: &[Passage]) -> Scripted {
    let reader = Reader { plan, actors: crate::storm::actors(plan), before: before(plan, trace) };
    let evictions = plan.script.iter().filter_map(|step| eviction(&step.action));
    let evictions = (1..).zip(evictions);
    let evictions = evictions.map(|(number, (file, op))| Call::plain(number, file, op)).collect();
    let passed = trace.iter().filter_map(|passage| reader.read(passage));
    let places: Vec<Moment> = std::iter::once(reader.gate(trace)).chain(passed).collect();
    let mut switches: Vec<Switch> = Vec::new();
    for pair in places.windows(2) {
        let (at, to) = (&pair[0], pair[1].who);
        if at.who != to && switches.iter().all(|switch| switch.at != *at) {
            switches.push(Switch { at: at.clone(), to });
        }
    }
    Scripted { evictions, switches }
}

fn eviction(action: &Action) -> Option<(usize, Op)> {
    let Action::Evict { file, range } = action else { return None };
    Some((*file, Op::Evict(*range)))
}

/// Operations that the conductor began before its first step.
fn before(plan: &Plan, trace: &[Passage]) -> u64 {
    let runs = |action: &Action| matches!(action, Action::Run { .. });
    let first = (1..).zip(&plan.script).find(|(_, step)| runs(&step.action));
    let released = trace.iter().find(|passage| passage.site.name == director::LED);
    let (Some((step, _)), Some(passage)) = (first, released) else { return u64::MAX };
    passage.operation - step
}

struct Reader<'a> {
    plan: &'a Plan,
    actors: usize,
    /// Operations of the conductor before the first step.
    before: u64,
}

impl Reader<'_> {
    /// Where the conductor waits for the actors once it has opened the gate.
    fn gate(&self, trace: &[Passage]) -> Moment {
        let last = trace.iter().rfind(|at| at.task == 0 && at.operation == self.before);
        let point = last.map_or(0, |passage| passage.point) + 1;
        let (operation, site) = (self.before, "actors".to_owned());
        Moment { who: Who::Conductor, operation, point, site }
    }

    /// The place of a passage after the gate was opened, if there is one without a script.
    fn read(&self, passage: &Passage) -> Option<Moment> {
        let who = case::who(passage.task, self.actors);
        let (operation, point) = (passage.operation, passage.point);
        let here = Moment { who, operation, point, site: passage.site.name.to_owned() };
        match who {
            Who::Conductor => self.evicts(here),
            Who::Actor(actor) if passage.site.name == director::RETURNED => {
                Some(self.returned(actor, &here))
            }
            Who::Actor(_) | Who::Disk(_) => Some(here),
        }
    }

    /// An actor has returned and was held there: what comes next is its next call, or its end.
    fn returned(&self, actor: usize, here: &Moment) -> Moment {
        let lists = self.plan.actors.iter().flat_map(|one| one.names().map(|_| &one.does));
        let mut calls = lists.skip(actor).take(1).flatten();
        let next = calls.find(|call| here.operation < call.number).map(|call| call.number);
        let site = if next.is_some() { CALL } else { "end" }.to_owned();
        let operation = next.unwrap_or(here.operation + 1);
        Moment { who: here.who, operation, point: 1, site }
    }

    /// The conductor evicts in a step of its own; or it goes on after such a step, and whoever
    /// evicted comes to its next call or to its end.
    fn evicts(&self, here: Moment) -> Option<Moment> {
        let step = usize::try_from(here.operation.checked_sub(self.before + 1)?).ok()?;
        let who = Who::Actor(self.actors);
        let is_eviction = |step: usize| eviction(&self.plan.script.get(step)?.action);
        let all = (0..self.plan.script.len()).filter(|step| is_eviction(*step).is_some());
        let begun = all.clone().filter(|other| *other <= step).count();
        let operation = u64::try_from(begun).ok()?;
        if is_eviction(step).is_some() {
            // A call begins with a point that the conductor does not pass.
            return Some(Moment { who, operation, point: here.point + 1, ..here });
        }
        is_eviction(step.checked_sub(1)?)?;
        let site = if begun < all.count() { CALL } else { "end" }.to_owned();
        Some(Moment { who, operation: operation + 1, point: 1, site })
    }
}
