//! Cases that failed once, run again before anything else.

use super::entries::files_below;
use crate::ground::NoGround;
use crate::replay::{self, List, Replay, Unfit};
use crate::scenario::plan::{Expectation, Plan};
use crate::{scenario, verdict, vocabulary};
use report::record::{LeftOut, Regression, Shard};
use std::path::Path;
use std::sync::Arc;

/// Each runs so often, so that one that is not deterministic is noticed.
const RUNS: u64 = 2;

/// Things that do not fit, which are told of one case.
const TOLD: usize = 3;

/// The cases of a shard.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    cases: Vec<(String, Plan)>,
    /// What is no case, and why.
    pub left_out: Vec<LeftOut>,
}

/// Reads the cases below `dir` that are this shard's, by their place in the order of names.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn read(dir: &Path, shard: Shard) -> Result<Cases, Vec<String>> {
    let files = files_below(dir, None).map_err(|error| {
        vec![format!("{}: {error}; name a directory of cases with --regressions\n", dir.display())]
    })?;
    let (mut cases, mut wrong) = (Cases::default(), Vec::new());
    for (place, path) in (0..).zip(files) {
        if place % shard.of != shard.index - 1 {
            continue;
        }
        let file = path.display().to_string();
        let plan = scenario::text_of(&path)
            .and_then(|text| scenario::parse(&file, &text, &vocabulary::known(), &[]));
        match plan {
            Ok(plan) if plan.is_explicit() => cases.cases.push((file, plan)),
            Ok(_) => {
                let why = "it is no case: it has no `schedule`; soak it as a scenario".to_owned();
                cases.left_out.push(LeftOut::because(file, why));
            }
            Err(report) => wrong.push(report.render(false)),
        }
    }
    if wrong.is_empty() { Ok(cases) } else { Err(wrong) }
}

impl Cases {
    /// Runs all of them.
    ///
    /// # Errors
    ///
    /// The system has no memory for a device.
    pub fn run(&self) -> Result<Vec<Regression>, NoGround> {
        self.cases.iter().map(|(file, plan)| run(file, plan)).collect()
    }
}

fn run(file: &str, plan: &Plan) -> Result<Regression, NoGround> {
    let interrupted = Arc::default();
    let replay = Replay::of(plan, RUNS, &interrupted)?;
    let found = replay.first.violation.as_ref().map(|violation| violation.invariant.to_owned());
    let expected = match &plan.expect {
        Expectation::Clean => None,
        Expectation::Caught { by, .. } => Some(by),
    };
    let misfits = replay.first.misfits;
    let unfit = if misfits { replay::unfit(plan, &interrupted)? } else { Vec::new() };
    Ok(Regression {
        file: file.to_owned(),
        expected: verdict::expected(plan),
        as_expected: found.as_ref() == expected,
        found,
        unfit: unfit.iter().take(TOLD).map(told).collect(),
        deterministic: replay.equal == replay.runs,
    })
}

fn told(unfit: &Unfit) -> String {
    let list = match unfit.list {
        List::Schedule => "schedule",
        List::Strikes => "strikes",
    };
    format!("{list}[{}]: {}", unfit.item, unfit.why)
}
