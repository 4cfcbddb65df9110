//! What threads left on a real filesystem, run again: no run is certain to be like another.

use super::Case;
use super::told::Told;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::reproducer;
use crate::scenario::plan::Expectation;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often, where nobody says.
const TIMES: u32 = 20;

/// Runs it, and says how often it failed, and how.
pub(super) fn told(
    case: &Case,
    times: Option<u32>,
    interrupted: &Arc<AtomicBool>,
) -> Result<Told, NoGround> {
    let (mut runs, mut found) = (0_u32, BTreeMap::<&str, u32>::new());
    while runs < times.unwrap_or(TIMES) && !interrupted.load(Ordering::Relaxed) {
        let storm = reproducer::run(&case.plan, interrupted)?;
        runs += 1;
        if let Some(violation) = storm.violation {
            *found.entry(violation.invariant).or_default() += 1;
        }
    }
    let expected = match &case.plan.expect {
        Expectation::Caught { by, .. } => Some(by.as_str()),
        Expectation::Clean => None,
    };
    let failed: u32 = match expected {
        Some(by) => found.get(by).copied().unwrap_or(0),
        None => found.values().sum(),
    };
    let others = found.iter().filter(|(by, _)| Some(**by) != expected);
    let others: Vec<_> = others.map(|(by, count)| format!("; {by} {count} times")).collect();
    let others = others.concat();
    let as_expected = if expected.is_some() { failed != 0 } else { failed == 0 };
    let what = expected.map(|by| format!(", {by}")).unwrap_or_default();
    let line = format!("{}: fails in {failed} of {runs} runs{what}{others}", case.file);
    let verdict = if as_expected { "same" } else { "vanished" };
    let json = json!({ "file": case.file, "verdict": verdict, "failed": failed, "runs": runs });
    let exit = if as_expected { Exit::Ok } else { Exit::Failed };
    Ok(Told::searched(&case.file, line, exit, json))
}
