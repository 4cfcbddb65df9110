//! What the model does with a call inside a window.
//!
//! Where a named point or the completion of a write is the window, a script leads there and lets nobody else
//! go on. A read in flight is at no point: there the read takes an hour, the strategy lets everybody
//! else go on first, and the trace tells who returned within that hour.

use super::Answer;
use super::windows::Window;
use crate::onlooker::Look;
use crate::scenario::plan::Plan;
use crate::scenario::{Known, parse};
use crate::storm::{self, Orders, Storm};
use sim::Passage;
use sim::chance::Seed;
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What came of an operation, or why it could not be tried.
pub(super) fn came(window: Window, operation: &str) -> Answer {
    let opening = window.opening();
    let plan = match parse("conform", &opening.scenario(operation), &Known::default(), &[]) {
        Ok(plan) => plan,
        Err(report) => return Answer::Failed(report.render(false)),
    };
    let came = if opening.steps.is_empty() { in_the_hour(&plan) } else { by_script(&plan) };
    came.unwrap_or_else(Answer::Failed)
}

fn by_script(plan: &Plan) -> Result<Answer, String> {
    let storm = ran(plan, None)?;
    let Some(misfire) = storm.misfire else { return Ok(Answer::Runs) };
    if misfire.step != plan.script.len() {
        return Err(format!("step {}: {}", misfire.step, misfire.message));
    }
    let waits = misfire.stands.iter().find_map(|stand| stand.strip_prefix("`O` waits for "));
    let site = waits.and_then(|rest| rest.split(['(', ',', ' ']).next());
    site.map(|site| Answer::Blocks(site.to_owned())).ok_or(misfire.message)
}

/// The tasks by number: the conductor is the first.
const CALLER: usize = 2;
const DISK: usize = 3;

fn in_the_hour(plan: &Plan) -> Result<Answer, String> {
    let trace = ran(plan, Some(Box::new(LastOfAll::default())))?.end.trace;
    let sleeps = |passage: &Passage| passage.site.name == SLEEP && DISK <= passage.task;
    let begins = trace.iter().position(sleeps).ok_or("nobody read from the device")?;
    let hour = &trace[begins..];
    let ends = hour.iter().position(|passage| passage.to == hour[0].task).unwrap_or(hour.len() - 1);
    let last = hour[..=ends].iter().rev().find(|passage| passage.task == CALLER);
    match last {
        Some(last) if last.site.name == END => Ok(Answer::Runs),
        Some(last) if last.waits => Ok(Answer::Blocks(last.site.name.to_owned())),
        _ => Err("the call was not made while the read was in flight".to_owned()),
    }
}

const SLEEP: &str = "sleep";
const END: &str = "end";

/// The one who calls goes on as soon as the device has begun to read, and the device goes on when nobody else
/// can.
#[derive(Default)]
struct LastOfAll {
    reads: Option<usize>,
}

impl Strategy for LastOfAll {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        if decision.site.name == SLEEP && DISK <= decision.current {
            self.reads = Some(decision.current);
        }
        let candidates = decision.candidates;
        if self.reads.is_some() && candidates.contains(CALLER) {
            return CALLER;
        }
        let last = self.reads.unwrap_or(CALLER);
        candidates.iter().find(|task| *task != last).unwrap_or(decision.default)
    }
}

fn ran(plan: &Plan, strategy: Option<Box<dyn Strategy>>) -> Result<Storm, String> {
    let orders = Orders {
        plan,
        seed: Seed(plan.seed),
        record: false,
        judged: true,
        look: Look { trace: strategy.is_some(), ..Look::default() },
        interrupted: &Arc::new(AtomicBool::new(false)),
    };
    let storm = match strategy {
        Some(strategy) => storm::run_under(orders, strategy),
        None => storm::run(orders),
    };
    let storm = storm.map_err(|refused| refused.cause())?;
    match &storm.violation {
        Some(violation) => Err(format!("{}: {}", violation.invariant, violation.found)),
        None => Ok(storm),
    }
}
