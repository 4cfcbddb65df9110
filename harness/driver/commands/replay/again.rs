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

/// Runs it, and says how often it failed, and how. Whatever ends it early, what was counted by then stays.
/// Before each run it calls `look`, which may see a signal.
pub(super) fn told(
    case: &Case,
    times: Option<u32>,
    interrupted: &Arc<AtomicBool>,
    look: impl Fn(),
) -> Result<Told, NoGround> {
    let wanted = times.unwrap_or(TIMES);
    let mut counted = Counted::default();
    while counted.runs < wanted {
        look();
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        match reproducer::run(&case.plan, interrupted) {
            // A run that was cut short says nothing.
            Ok(_) if interrupted.load(Ordering::Relaxed) => break,
            Ok(storm) => counted.take(storm.violation.map(|violation| violation.invariant)),
            Err(refused) if counted.runs == 0 => return Err(refused),
            Err(refused) => {
                counted.refused = Some(refused);
                break;
            }
        }
    }
    let (line, verdict, exit) = counted.told(&case.plan.expect, wanted);
    let (failed, runs) = (counted.failed(&case.plan.expect), counted.runs);
    let json = json!({ "file": case.file, "verdict": verdict, "failed": failed, "runs": runs });
    Ok(Told::counted(&case.file, format!("{}: {line}", case.file), exit, json))
}

/// What came of the runs.
#[derive(Default)]
struct Counted {
    runs: u32,
    found: BTreeMap<&'static str, u32>,
    /// Why there could be no more.
    refused: Option<NoGround>,
}

impl Counted {
    fn take(&mut self, found: Option<&'static str>) {
        self.runs += 1;
        if let Some(invariant) = found {
            *self.found.entry(invariant).or_default() += 1;
        }
    }

    /// Runs that failed as is expected, or at all where nothing is.
    fn failed(&self, expect: &Expectation) -> u32 {
        match by(expect) {
            Some(by) => self.found.get(by).copied().unwrap_or(0),
            None => self.found.values().sum(),
        }
    }

    /// The result in words, the verdict, and how the command ends because of it.
    fn told(&self, expect: &Expectation, wanted: u32) -> (String, &'static str, Exit) {
        let Counted { runs, found, refused } = self;
        if *runs == 0 {
            return ("ended before a run of it had".to_owned(), "not run", Exit::NothingRan);
        }
        let (expected, failed) = (by(expect), self.failed(expect));
        let what = expected.map(|by| format!(", {by}")).unwrap_or_default();
        let others = found.iter().filter(|(by, _)| Some(**by) != expected);
        let others: Vec<_> = others.map(|(by, count)| format!("; {by} {count} times")).collect();
        let others = others.concat();
        let end = match refused {
            Some(refused) => format!("; ended before all {wanted}: {refused}"),
            None if *runs < wanted => format!("; ended before all {wanted}"),
            None => String::new(),
        };
        let as_expected = (failed != 0) == expected.is_some();
        let verdict = if as_expected { "same" } else { "vanished" };
        let exit = if as_expected { Exit::Ok } else { Exit::Failed };
        let exit = refused.as_ref().map_or(exit, |refused| exit.max(refused.exit()));
        (format!("fails in {failed} of {runs} runs{what}{others}{end}"), verdict, exit)
    }
}

/// The invariant that is to be violated.
fn by(expect: &Expectation) -> Option<&str> {
    match expect {
        Expectation::Caught { by, .. } => Some(by.as_str()),
        Expectation::Clean => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_however_it_ended() {
        let by = "size_matches_model";
        let caught = Expectation::Caught { by: by.to_owned(), bug: None };
        let told = |found: &[Option<&'static str>], expect: &Expectation| {
            let mut counted = Counted::default();
            for one in found {
                counted.take(*one);
            }
            counted.told(expect, 4)
        };
        let part = "fails in 1 of 2 runs, size_matches_model; ended before all 4";
        assert_eq!(told(&[Some(by), None], &caught), (part.to_owned(), "same", Exit::Ok));
        let other = "fails in 0 of 1 runs, size_matches_model; other 1 times; ended before all 4";
        let other = (other.to_owned(), "vanished", Exit::Failed);
        assert_eq!(told(&[Some("other")], &caught), other);
        let all = ("fails in 0 of 4 runs".to_owned(), "same", Exit::Ok);
        assert_eq!(told(&[None; 4], &Expectation::Clean), all);
        assert_eq!(told(&[], &caught).1, "not run");
    }
}
