//! A case run again: whether it fails as it did, and if it does not, where it went another way.

use crate::case;
use crate::following::{Drift, Misfit};
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::scenario::plan::{Expectation, Moment, Plan, Strike, Switch};
use crate::storm::{self, Orders, Storm};
use oracle::Violation;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sim::Passage;
use sim::chance::Seed;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What came of running a case several times.
#[derive(Debug)]
pub struct Replay {
    /// The first run.
    pub first: Ran,
    /// How often it was run.
    pub runs: u64,
    /// How many of these runs were equal: the first, and those that were as it was.
    pub equal: u64,
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What was violated.
    pub violation: Option<Violation>,
    /// The hash of what happened, in its order.
    pub trace_hash: u64,
    /// Scheduling points that were passed.
    pub points: u64,
    /// Whether a switch met another place than it names, or somebody who could not go on.
    pub misfits: bool,
}

/// How a run compares with what the case says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same violation, or none as expected. Its trace is the recorded one, if one is recorded.
    Same,
    /// The same violation, or none as expected, with another trace.
    OtherTrace,
    /// Another violation than the expected one, or one where none is expected.
    OtherViolation,
    /// Nothing is violated any more.
    Vanished,
}

impl Replay {
    /// Runs `case` so many times, at least once, on the threads of the current rayon pool.
    ///
    /// # Errors
    ///
    /// The system has no memory for a device.
    pub fn of(case: &Plan, times: u64, interrupted: &Arc<AtomicBool>) -> Result<Replay, NoGround> {
        let ran = || {
            let storm = run(case, Look::default(), interrupted)?;
            let Storm { violation, end, drifts, .. } = storm;
            let misfits = drifts.iter().any(|drift| drift.why != Misfit::NeverReached);
            Ok(Ran { violation, trace_hash: end.trace_hash, points: end.points, misfits })
        };
        let first = ran()?;
        let again = (1..times).into_par_iter().map(|_| Ok(u64::from(ran()? == first)));
        let equal = again.try_reduce(|| 0, |one, other| Ok(one + other))?;
        Ok(Replay { first, runs: times.max(1), equal: equal + 1 })
    }

    /// How the first run compares with what `case` says of itself.
    pub fn verdict(&self, case: &Plan) -> Verdict {
        let found = self.first.violation.as_ref().map(|violation| violation.invariant);
        let expected = match &case.expect {
            Expectation::Clean => None,
            Expectation::Caught { by, .. } => Some(by.as_str()),
        };
        let recorded = case.recorded.as_ref().map(|recorded| recorded.trace_hash);
        match found {
            None if expected.is_some() => Verdict::Vanished,
            _ if found != expected => Verdict::OtherViolation,
            _ if recorded.is_some_and(|hash| hash != self.first.trace_hash) => Verdict::OtherTrace,
            _ => Verdict::Same,
        }
    }
}

/// Runs a case once.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn run(case: &Plan, look: Look<'_>, interrupted: &Arc<AtomicBool>) -> Result<Storm, NoGround> {
    let seed = Seed(case.seed);
    storm::run(Orders { plan: case, seed, record: true, judged: true, look, interrupted })
}

/// A switch or a strike of a case that did not fit a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which of the two lists it is in.
    pub list: List,
    /// Its place in the list, from 0.
    pub item: usize,
    /// What was found instead.
    pub why: String,
}

/// A list of a case whose items have places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `schedule`.
    Schedule,
    /// `strikes`.
    Strikes,
}

/// The switches and strikes that did not fit: those whose place was reached in the order of the run,
/// and then those that nobody came to.
///
/// # Errors
///
/// The system has no memory for a device.
pub fn unfit(case: &Plan, interrupted: &Arc<AtomicBool>) -> Result<Vec<Unfit>, NoGround> {
    let look = Look { trace: true, ..Look::default() };
    let storm = run(case, look, interrupted)?;
    let map = Map { case, actors: storm::actors(case), trace: &storm.end.trace };
    let switches = case.schedule.as_deref().unwrap_or_default();
    let of_drift = |drift: &Drift| Unfit {
        list: List::Schedule,
        item: drift.switch,
        why: map.switch(&switches[drift.switch], &drift.why),
    };
    let is_late = |drift: &&Drift| drift.why == Misfit::NeverReached;
    let (late, reached): (Vec<_>, Vec<_>) = storm.drifts.iter().partition(is_late);
    let struck = storm.recording.map(|recording| recording.strikes).unwrap_or_default();
    let strikes = map.unstruck(&struck);
    Ok(reached
        .into_iter()
        .map(of_drift)
        .chain(strikes)
        .chain(late.into_iter().map(of_drift))
        .collect())
}

/// Where everybody came in a run of a case.
struct Map<'a> {
    case: &'a Plan,
    actors: usize,
    trace: &'a [Passage],
}

impl Map<'_> {
    fn switch(&self, switch: &Switch, why: &Misfit) -> String {
        let who = case::name(self.case, switch.at.who);
        match why {
            Misfit::OtherSite(site) => format!("`{who}` stood at `{site}` there"),
            Misfit::NeverReached => self.never(&switch.at),
            Misfit::CannotRun => {
                let to = case::name(self.case, switch.to);
                let reason = self.stands(&switch.at, case::task(switch.to, self.actors));
                format!("`{to}` could not go on: {reason}")
            }
        }
    }

    /// Why nobody came to a place.
    fn never(&self, at: &Moment) -> String {
        let who = case::name(self.case, at.who);
        let task = case::task(at.who, self.actors);
        let operation = at.operation;
        let points = self.trace.iter().filter(|one| (one.task, one.operation) == (task, operation));
        match points.map(|passage| passage.point).max() {
            None => format!("`{who}` never came to its operation {operation}"),
            Some(most) => format!("`{who}` passed {most} points in its operation {operation}"),
        }
    }

    /// What `task` did when somebody came to that place.
    fn stands(&self, at: &Moment, task: usize) -> String {
        let before = self.trace.iter().position(|passage| self.is_at(passage, at));
        let before = &self.trace[..before.unwrap_or(self.trace.len())];
        match before.iter().rfind(|passage| passage.task == task) {
            Some(last) if last.site.name == "end" => "it had come to its end".to_owned(),
            Some(last) => format!("it waited at `{}`", last.site.name),
            None => "it had not begun".to_owned(),
        }
    }

    fn is_at(&self, passage: &Passage, at: &Moment) -> bool {
        let task = case::task(at.who, self.actors);
        (passage.task, passage.operation, passage.point) == (task, at.operation, at.point)
    }

    /// The strikes that did not strike.
    fn unstruck(&self, struck: &[Strike]) -> Vec<Unfit> {
        let struck: BTreeSet<String> = struck.iter().map(essence).collect();
        let strikes = self.case.strikes.iter().enumerate();
        let missed = strikes.filter(|(_, strike)| !struck.contains(&essence(strike)));
        let why = |strike: &Strike| match strike.moment() {
            None => "there was no such request".to_owned(),
            Some(at) => match self.trace.iter().find(|passage| self.is_at(passage, at)) {
                None => self.never(at),
                Some(found) if found.site.name != at.site => {
                    let who = case::name(self.case, at.who);
                    format!("`{who}` stood at `{}` there", found.site.name)
                }
                Some(_) => "there was nothing to take, or it is no named point".to_owned(),
            },
        };
        let unfit = |(item, strike): (usize, &Strike)| Unfit {
            list: List::Strikes,
            item,
            why: why(strike),
        };
        missed.map(unfit).collect()
    }
}

/// What makes a strike the same, whatever its place is called.
fn essence(strike: &Strike) -> String {
    let mut strike = strike.clone();
    if let Some(at) = strike.moment_mut() {
        at.site.clear();
    }
    format!("{strike:?}")
}
