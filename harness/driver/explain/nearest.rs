//! What would have prevented it: the schedules one swap away, and the case without one of its parts.

use super::cast::{Cast, ordinal};
use super::watcher::{Event, Frame};
use crate::case;
use crate::onlooker::Look;
use crate::scenario::plan::{ActorPlan, Plan, Switch, Who};
use crate::storm::{self, Orders};
use serde::Serialize;
use sim::Passage;
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stormfs::choices::Choices;

/// How far a switch is moved, in points of its operation.
const FARTHEST: u32 = 8;

/// At most so many schedules are tried, and fewer of long runs: so many points in all.
const MOST: usize = 600;
const POINTS: usize = 1_000_000;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nearest {
    /// How often the schedule leaves the default rule.
    pub switches: usize,
    /// Schedules one swap away that were tried.
    pub tried: usize,
    /// Those of them under which it fails the same way.
    pub failing: usize,
    /// Swaps of which one is enough, the nearest first: "if ..., nothing breaks".
    pub swaps: Vec<String>,
    /// Two swaps that are enough together, if no single one is.
    pub pair: Option<(String, String)>,
    /// What of the case was left out, or set right.
    pub without: Vec<Part>,
}

/// A part of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What kind of part it is.
    pub kind: PartKind,
    /// Which.
    pub what: String,
    /// Whether nothing breaks without it.
    pub needed: bool,
}

/// Kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A call.
    Call,
    /// A fault.
    Fault,
    /// A decision that is not that of the correct filesystem.
    Decision,
}

/// A schedule beside another, one switch away. Of a long schedule there are thousands, so it is made
/// only when it is tried.
struct Neighbour {
    /// Which switch differs.
    at: usize,
    /// What stands in its place, if anything does.
    switch: Option<Switch>,
    /// The condition: what follows `if`.
    words: String,
    /// How far it is away.
    distance: u32,
}

impl Neighbour {
    /// The schedule, beside `of`.
    fn schedule(&self, of: &[Switch]) -> Vec<Switch> {
        let mut schedule = of.to_vec();
        schedule.splice(self.at..=self.at, self.switch.clone());
        schedule
    }
}

/// Tries the neighbours of `plan`, a case that ends with the violation of `invariant`.
pub fn nearest(
    (plan, cast): (&Plan, &Cast),
    frames: &[Frame],
    invariant: &str,
    interrupted: &Arc<AtomicBool>,
) -> Nearest {
    let trial = Trial { plan, invariant, interrupted };
    let most = MOST.min(POINTS / frames.len().max(1)).max(1);
    let schedule = plan.schedule.clone().unwrap_or_default();
    let mut neighbours: Vec<Neighbour> =
        (0..schedule.len()).flat_map(|at| around(cast, frames, &schedule, at)).collect();
    neighbours.sort_by_key(|it| it.distance);
    neighbours.truncate(most);
    let ends: Vec<Ending> =
        neighbours.iter().map(|it| trial.under(&it.schedule(&schedule))).collect();
    let passing = neighbours.iter().zip(&ends).filter(|(_, end)| **end == Ending::Passes);
    let swaps: Vec<String> = passing.map(|(it, _)| it.words.clone()).collect();
    let pair = if swaps.is_empty() {
        trial.pair((cast, frames), &schedule, &neighbours, most)
    } else {
        None
    };
    Nearest {
        switches: schedule.len(),
        tried: neighbours.len(),
        failing: ends.iter().filter(|end| **end == Ending::Same).count(),
        swaps,
        pair,
        without: trial.without(cast, most),
    }
}

/// How a neighbour ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Without a violation.
    Passes,
    /// With the same.
    Same,
    /// With another, or not at all.
    Other,
}

struct Trial<'a> {
    plan: &'a Plan,
    invariant: &'a str,
    interrupted: &'a Arc<AtomicBool>,
}

impl Trial<'_> {
    fn of(&self, plan: &Plan) -> Ending {
        let (seed, interrupted) = (Seed(plan.seed), self.interrupted);
        let look = Look::default();
        let orders = Orders { plan, seed, record: false, judged: true, look, interrupted };
        match storm::run(orders).map(|storm| storm.violation) {
            Ok(None) => Ending::Passes,
            Ok(Some(violation)) if violation.invariant == self.invariant => Ending::Same,
            Ok(Some(_)) | Err(_) => Ending::Other,
        }
    }

    fn under(&self, schedule: &[Switch]) -> Ending {
        self.of(&Plan { schedule: Some(schedule.to_vec()), ..self.plan.clone() })
    }

    /// Two swaps of different switches that are enough together.
    fn pair(
        &self,
        (cast, frames): (&Cast, &[Frame]),
        schedule: &[Switch],
        neighbours: &[Neighbour],
        most: usize,
    ) -> Option<(String, String)> {
        let mut tried = 0;
        for one in neighbours {
            let schedule = one.schedule(schedule);
            for at in 0..schedule.len() {
                for other in around(cast, frames, &schedule, at) {
                    tried += 1;
                    if most < tried {
                        return None;
                    }
                    if self.under(&other.schedule(&schedule)) == Ending::Passes {
                        return Some((one.words.clone(), other.words));
                    }
                }
            }
        }
        None
    }

    /// Each part of the case, and whether it is needed; of more than `most` only the decisions.
    fn without(&self, cast: &Cast, most: usize) -> Vec<Part> {
        let mut out = Vec::new();
        let calls: usize = self.plan.actors.iter().map(|actor| actor.does.len()).sum();
        let tried =
            if calls + self.plan.strikes.len() <= most { &self.plan.actors[..] } else { &[] };
        for (actor, player) in tried.iter().enumerate() {
            for (place, call) in player.does.iter().enumerate() {
                let mut less = self.plan.clone();
                less.actors[actor].does.remove(place);
                if less.actors[actor].does.is_empty() && 1 < less.actors.len() {
                    case::remove_actor(&mut less, actor);
                }
                let named = cast.call_of(1 + actor, call);
                out.push(self.part(PartKind::Call, named.clone(), &less));
                if call.gap.is_some() || call.abandoned {
                    let mut whole = self.plan.clone();
                    let call = &mut whole.actors[actor].does[place];
                    (call.gap, call.abandoned) = (None, false);
                    let what = format!("what cuts short {named}");
                    out.push(self.part(PartKind::Fault, what, &whole));
                }
            }
        }
        let strikes = if tried.is_empty() { &[] } else { &self.plan.strikes[..] };
        for (place, strike) in strikes.iter().enumerate() {
            let mut less = self.plan.clone();
            less.strikes.remove(place);
            let what = super::lanes::strike(strike, cast);
            out.push(self.part(PartKind::Fault, what, &less));
        }
        for (name, value) in self.plan.filesystem.choices.departures() {
            let mut less = self.plan.clone();
            let right = Choices::DECISIONS.iter().find(|decision| decision.name == name);
            let right = right.map_or("", |decision| decision.values[0].0);
            if less.filesystem.choices.set(name, right) {
                let what = format!("`{name}: {value}` (`{right}` in its place)");
                out.push(self.part(PartKind::Decision, what, &less));
            }
        }
        out
    }

    fn part(&self, kind: PartKind, what: String, less: &Plan) -> Part {
        let has_calls = less.actors.iter().any(|it: &ActorPlan| !it.does.is_empty());
        Part { kind, what, needed: !has_calls || self.of(less) == Ending::Passes }
    }
}

/// The schedules that differ from `schedule` in one switch.
fn around(cast: &Cast, frames: &[Frame], schedule: &[Switch], at: usize) -> Vec<Neighbour> {
    let mut all = Vec::new();
    let switch = &schedule[at];
    // What the conductor does is no part of the story: it lays files out, and waits.
    if switch.at.who == Who::Conductor {
        return all;
    }
    let actors = cast.actors();
    let key = case::key(&switch.at, actors);
    let task = usize::from(key.task);
    let who = cast.task(task);
    let to = cast.task(
        acts_next(frames, (task, key.operation, key.point))
            .unwrap_or_else(|| case::task(switch.to, actors)),
    );
    let all_own =
        || passages(frames).filter(move |it| (it.task, it.operation) == (task, key.operation));
    // A lock is taken several times in an operation.
    let place = |site: &str, point: u32| {
        let same: Vec<u32> =
            all_own().filter(|it| it.site.name == site).map(|it| it.point).collect();
        let nth = same.iter().filter(|other| **other <= point).count();
        if same.len() == 1 { site.to_owned() } else { format!("its {} {site}", ordinal(nth)) }
    };
    let here = place(&switch.at.site, key.point);
    let own = here.strip_prefix("its ").unwrap_or(&here);
    for passage in all_own().filter(|it| it.point != key.point) {
        let distance = passage.point.abs_diff(key.point);
        if FARTHEST < distance {
            continue;
        }
        let mut moved = switch.clone();
        moved.at.point = passage.point;
        passage.site.name.clone_into(&mut moved.at.site);
        let there = place(passage.site.name, passage.point);
        let words = if passage.point < key.point {
            format!("{to} goes on already when {who} comes to {there}, not at {here}")
        } else {
            format!("{to} goes on only when {who} has come to {there}, not at {here}")
        };
        all.push(Neighbour { at, switch: Some(moved), words, distance });
    }
    for other in 1..=actors {
        let other_who = Who::Actor(other - 1);
        let name = cast.task(other);
        if other_who != switch.to && other != task && name != to {
            let led = Switch { to: other_who, ..switch.clone() };
            let words = format!("{name} goes on at {who}'s {own}, not {to}");
            all.push(Neighbour { at, switch: Some(led), words, distance: 2 * FARTHEST });
        }
    }
    let words = format!("{to} does not go on at {who}'s {own}");
    all.push(Neighbour { at, switch: None, words, distance: 3 * FARTHEST });
    all
}

/// Who does something after the task has stopped at a place: whoever is only about to wait again does not.
pub fn acts_next(frames: &[Frame], (task, operation, point): (usize, u64, u32)) -> Option<usize> {
    let stopped = |frame: &Frame| {
        let here = frame.passage().map(|at| (at.task, at.operation, at.point));
        here == Some((task, operation, point))
    };
    let after = &frames[frames.iter().position(stopped)? + 1..];
    let files = &after.first()?.files;
    let acts = |frame: &&Frame| matches!(frame.event, Event::Begins) || frame.files != *files;
    after.iter().find(acts).map(|frame| frame.task)
}

fn passages(frames: &[Frame]) -> impl Iterator<Item = &Passage> {
    frames.iter().filter_map(Frame::passage)
}
