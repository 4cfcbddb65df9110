//! In which order the calls of a case begin and end, and where one stands while others run.

use crate::call::Call;
use crate::case;
use crate::director::RETURNED;
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::real::spot::Spot;
use crate::replay;
use crate::scenario::plan::{Plan, Recorded, TargetPlan, Turn, Who, WorldKind};
use crate::stage::CALL;
use crate::storm;
use sim::Passage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::points::Point;

/// A call, by its actor and its place among the actor's.
pub(super) type CallAt = (usize, usize);

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A call begins, and others do before it ends if it does not stand alone.
    Begins(CallAt, Option<Stands>),
    /// It ends.
    Ends(CallAt),
}

/// Where a call stood while others ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stands {
    /// What the model calls the place.
    pub(super) at: &'static str,
    /// Where that is in a write, if one can be stopped near it.
    pub(super) spot: Option<Spot>,
}

/// The order of all calls, and whether anything is known of it.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) events: Vec<Event>,
    /// Whether the calls of each actor follow one another, and no more is known.
    pub(super) is_free: bool,
}

/// Finds it: threads have recorded it, and the model is run.
pub(super) fn of(case: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Order, NoGround> {
    if let Some(Recorded { order, .. }) = &case.recorded
        && !order.is_empty()
    {
        return Ok(Order { events: whole(case, recorded(case, order)), is_free: false });
    }
    let only = case.actors.len() == 1 && case.actors[0].count == 1;
    if case.is_without_seeds() {
        let look = Look { trace: true, ..Look::default() };
        // Where everybody stood is what the model knows, whatever else it is to run on.
        let (target, world) = (TargetPlan::Model, WorldKind::Simulated);
        let model = Plan { world, target, ..case.clone() };
        let storm = replay::run(&model, look, interrupted)?;
        let events = traced(case, &storm.end.trace);
        return Ok(Order { events: whole(case, events), is_free: false });
    }
    Ok(Order { events: whole(case, Vec::new()), is_free: !only })
}

fn recorded(case: &Plan, order: &[Turn]) -> Vec<Event> {
    let event = |turn: &Turn| {
        let calls = &case.actors.get(turn.actor)?.does;
        let call = calls.iter().position(|call| call.number == turn.operation)?;
        let place = (turn.actor, call);
        Some(match turn.begins_on {
            Some(_) => Event::Begins(place, None),
            None => Event::Ends(place),
        })
    };
    order.iter().filter_map(event).collect()
}

/// The events of a run of the model.
fn traced(case: &Plan, trace: &[Passage]) -> Vec<Event> {
    let actors = storm::actors(case);
    let mut calls: BTreeMap<(usize, u64), CallAt> = BTreeMap::new();
    let mut group = 0;
    for (nth, actor) in case.actors.iter().enumerate() {
        for member in 0..actor.names().count() {
            // Several of one name do the same: the first is written.
            if member == 0 {
                let task = case::task(Who::Actor(group), actors);
                let its = actor.does.iter().enumerate();
                calls.extend(its.map(|(at, call)| ((task, call.number), (nth, at))));
            }
            group += 1;
        }
    }
    let mut told = Told::default();
    for passage in trace {
        let now = calls.get(&(passage.task, passage.operation)).copied();
        told.passes(passage, now);
    }
    told.events
}

/// The events of a trace so far.
#[derive(Default)]
struct Told {
    events: Vec<Event>,
    /// Calls that stand before their beginning, by task.
    ready: BTreeMap<usize, CallAt>,
    /// Calls that are under way, by task.
    open: BTreeMap<usize, Open>,
}

impl Told {
    /// A task stands somewhere, in this call if it is one of the case.
    fn passes(&mut self, passage: &Passage, now: Option<CallAt>) {
        let site = passage.site.name;
        // Who stands where a call begins is between two calls, and this one begins when it goes on.
        if let Some(place) = self.ready.remove(&passage.task) {
            self.begins(passage.task, place);
        }
        let before = self.open.get(&passage.task).map(|open| open.place);
        let is_over = |place: &CallAt| Some(*place) != now || BETWEEN.contains(&site);
        if let Some(ended) = before.filter(is_over) {
            self.events.push(Event::Ends(ended));
            self.open.remove(&passage.task);
        }
        if let Some(next) = now.filter(|_| site == CALL && before != now) {
            self.ready.insert(passage.task, next);
        }
        if let Some(open) = self.open.get_mut(&passage.task) {
            open.at = site;
            *open.passed.entry(site).or_default() += 1;
        }
    }

    fn begins(&mut self, task: usize, place: CallAt) {
        for other in self.open.values() {
            if let Event::Begins(_, stands @ None) = &mut self.events[other.event] {
                *stands = Some(other.stands());
            }
        }
        let (event, passed) = (self.events.len(), BTreeMap::new());
        self.open.insert(task, Open { place, event, at: CALL, passed });
        self.events.push(Event::Begins(place, None));
    }
}

/// A call that is under way.
struct Open {
    place: CallAt,
    /// The number of the event with which it began.
    event: usize,
    /// Where it stands.
    at: &'static str,
    /// How often it has passed each place.
    passed: BTreeMap<&'static str, u64>,
}

impl Open {
    fn stands(&self) -> Stands {
        // Who waits for its folio has asked for its source last.
        let near = if self.at == FOLIO_LOCK { Point::WriteFaultedIn.name() } else { self.at };
        let passed = self.passed.get(near).copied().unwrap_or(0);
        let spot = Point::named(near).and_then(|point| Spot::of(point, passed));
        Stands { at: self.at, spot }
    }
}

/// The same, with calls that never began at its end, and ends for those that had none.
fn whole(case: &Plan, events: Vec<Event>) -> Vec<Event> {
    let mut begun: BTreeSet<CallAt> = BTreeSet::new();
    let mut open: Vec<CallAt> = Vec::new();
    let mut all = Vec::new();
    for event in events {
        match &event {
            Event::Begins(place, _) if begun.insert(*place) => open.push(*place),
            Event::Ends(place) if open.contains(place) => open.retain(|other| other != place),
            Event::Begins(..) | Event::Ends(_) => continue,
        }
        all.push(event);
    }
    all.extend(open.into_iter().map(Event::Ends));
    for (nth, actor) in case.actors.iter().enumerate() {
        for at in (0..actor.does.len()).filter(|at| !begun.contains(&(nth, *at))) {
            all.extend([Event::Begins((nth, at), None), Event::Ends((nth, at))]);
        }
    }
    all
}

/// The call at a place.
pub(super) fn call(case: &Plan, (actor, at): CallAt) -> &Call {
    &case.actors[actor].does[at]
}

/// Where a task stands whose call has returned.
const BETWEEN: [&str; 2] = [RETURNED, "end"];

/// What the place is called at which a write waits for its folio.
const FOLIO_LOCK: &str = "folio lock";
