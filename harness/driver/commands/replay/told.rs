//! What is said of one case that was replayed.

use super::Case;
use crate::console::Console;
use crate::exit::Exit;
use crate::explain::cast::Cast;
use crate::ground::NoGround;
use crate::replay::{self, List, Replay, Unfit, Verdict};
use crate::scenario::plan::Expectation;
use crate::scenario::{self, Report};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Switches and strikes that are shown where they stand.
const SHOWN: usize = 3;

/// See the module.
pub(super) struct Told {
    /// The result, on one line.
    pub(super) line: String,
    /// How the command ends because of it.
    pub(super) exit: Exit,
    /// Whether it holds although a signal ended the command.
    pub(super) stands: bool,
    file: String,
    violation: Option<(String, String)>,
    /// What no longer fits, where it stands in the file; only if the run was not the same.
    reports: Vec<Report>,
    /// The same, for programs.
    pub(super) json: Value,
}

impl Told {
    /// What there is to say. Looks for what no longer fits if the run was not the same.
    pub(super) fn of(
        case: &Case,
        replay: &Replay,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Told, NoGround> {
        let verdict = replay.verdict(&case.plan);
        let unfit = if verdict == Verdict::Same && !replay.first.misfits {
            Vec::new()
        } else {
            replay::unfit(&case.plan, interrupted)?
        };
        let deterministic = replay.equal == replay.runs;
        let exit = match verdict {
            _ if !deterministic => Exit::Harness,
            Verdict::Same => Exit::Ok,
            Verdict::OtherTrace | Verdict::OtherViolation | Verdict::Vanished => Exit::Failed,
        };
        let words = if deterministic { words(case, replay, verdict) } else { astray(replay) };
        let line = format!("{}: {} of {}: {words}", case.file, replay.equal, replay.runs);
        let (violation, names) = (replay.first.violation.as_ref(), Cast::of(&case.plan));
        Ok(Told {
            line,
            exit,
            stands: false,
            file: case.file.clone(),
            json: as_json(case, replay, (verdict, &words), &unfit),
            violation: violation.map(|found| (names.violation(found), found.strip.clone())),
            reports: reports(case, &unfit),
        })
    }

    /// What came of a search.
    pub(super) fn searched(file: &str, line: String, exit: Exit, json: Value) -> Told {
        let (file, violation, reports) = (file.to_owned(), None, Vec::new());
        Told { line, exit, stands: false, file, violation, reports, json }
    }

    /// What was counted, however far it came.
    pub(super) fn counted(file: &str, line: String, exit: Exit, json: Value) -> Told {
        Told { stands: true, ..Told::searched(file, line, exit, json) }
    }

    /// What a person wants to see besides the result.
    pub(super) fn details(&self, console: Console) {
        if let Some((violation, strip)) = &self.violation {
            console.say(&format!("{}: {violation}", self.file));
            for line in strip.lines() {
                console.say(&format!("  {line}"));
            }
        }
        for report in &self.reports {
            if self.exit == Exit::Ok {
                report.lines().for_each(|line| console.say(&line));
            } else if !console.quiet {
                console.raw(&report.render(console.styled));
            }
        }
    }
}

/// The verdict as words.
fn words(case: &Case, replay: &Replay, verdict: Verdict) -> String {
    let found = replay.first.violation.as_ref().map(|violation| violation.invariant);
    let expected = match &case.plan.expect {
        Expectation::Clean => "none",
        Expectation::Caught { by, .. } => by,
    };
    let result = if found.is_some() { "the same violation" } else { "no violation, as expected" };
    match (verdict, &case.plan.recorded) {
        (Verdict::Same, Some(_)) => format!("{result}, the same trace"),
        (Verdict::Same, None) => format!("{result}; no trace is recorded"),
        (Verdict::OtherTrace, Some(recorded)) => format!(
            "{result}, another trace: {:#x} of {} points, and {:#x} of {} is recorded",
            replay.first.trace_hash, replay.first.points, recorded.trace_hash, recorded.points
        ),
        (Verdict::OtherTrace, None) => unreachable!("a trace differs from a recorded one"),
        (Verdict::OtherViolation, _) if case.plan.expect == Expectation::Clean => {
            let what = recorded_again(case, replay).unwrap_or_default();
            format!("{what}it violates {}, and nothing should be violated", found.unwrap_or("none"))
        }
        (Verdict::OtherViolation, _) => {
            format!("another violation: {}, and {expected} is expected", found.unwrap_or("none"))
        }
        (Verdict::Vanished, _) => {
            format!("it no longer fails: nothing is violated, and {expected} is expected")
        }
    }
}

/// Says of a regression, which must be clean, that it still does what it was recorded to do.
fn recorded_again(case: &Case, replay: &Replay) -> Option<&'static str> {
    let recorded = case.plan.recorded.as_ref()?;
    let same = recorded.trace_hash == replay.first.trace_hash;
    Some(if same {
        "the same violation, the same trace; "
    } else {
        "another trace than the recorded one; "
    })
}

fn astray(replay: &Replay) -> String {
    let others = replay.runs - replay.equal;
    format!(
        "not deterministic: {others} went another way than the first; this is a bug of pagestorm"
    )
}

/// The first few that no longer fit, where they stand.
fn reports(case: &Case, unfit: &[Unfit]) -> Vec<Report> {
    let report = |unfit: &Unfit| {
        let (key, message) = told_of(unfit.list);
        let help = match unfit.list {
            List::Schedule => "what happens is shown by `pagestorm replay --trace`",
            List::Strikes => {
                "remove it, or correct its place: `pagestorm replay --trace` shows them"
            }
        };
        let told = (message.to_owned(), vec![unfit.why.clone()], help.to_owned());
        scenario::at_item(&case.file, &case.text, &case.sets, (key, unfit.item), told)
    };
    unfit.iter().take(SHOWN).map(report).collect()
}

fn told_of(list: List) -> (&'static str, &'static str) {
    match list {
        List::Schedule => ("schedule", "this switch does not fit the run"),
        List::Strikes => ("strikes", "this strike does not strike"),
    }
}

fn as_json(
    case: &Case,
    replay: &Replay,
    (verdict, words): (Verdict, &str),
    unfit: &[Unfit],
) -> Value {
    let unfit = unfit.iter().zip(reports(case, unfit)).map(|(unfit, report)| {
        let line = report.lines().next();
        json!({ "list": told_of(unfit.list).0, "item": unfit.item, "why": unfit.why, "at": line })
    });
    let hash = |hash: u64| format!("{hash:#x}");
    json!({
        "file": case.file,
        "verdict": match verdict {
            _ if replay.equal != replay.runs => "not deterministic",
            Verdict::Same => "same",
            Verdict::OtherTrace => "other trace",
            Verdict::OtherViolation => "other violation",
            Verdict::Vanished => "vanished",
        },
        "told": words,
        "runs": replay.runs,
        "equal": replay.equal,
        "violation": replay.first.violation.as_ref().map(|found| json!({
            "invariant": found.invariant, "told": found.to_string(), "strip": found.strip,
        })),
        "trace": hash(replay.first.trace_hash),
        "points": replay.first.points,
        "recorded": case.plan.recorded.as_ref().map(|recorded| json!({
            "trace": hash(recorded.trace_hash), "points": recorded.points,
        })),
        "unfit": unfit.collect::<Vec<_>>(),
    })
}

/// Everything, one item for each file.
pub(super) fn json(told: &[&Told]) -> String {
    let all: Vec<_> = told.iter().map(|one| &one.json).collect();
    serde_json::to_string_pretty(&all).expect("text and numbers are JSON") + "\n"
}
