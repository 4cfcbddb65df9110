//! A night as suites: one for each scenario and world, one for its signatures, one for its
//! regressions, and one for what it was as a whole.

use std::collections::BTreeSet;

use super::{Case, ERROR, EXPECTATION, FAILURE, SKIPPED, Suite, document};
use crate::number;
use crate::record::{Night, NightFailure, PROVISIONAL, Regression, ScenarioTotal, Signature};

/// A night as one document: the `junit.xml` beside its `night.json`.
pub fn night(night: &Night) -> String {
    let mut suites = vec![whole(night)];
    suites.extend(night.scenarios.iter().map(|total| scenario(night, total)));
    suites.push(plain("signatures", night.signatures.iter().map(signature).collect()));
    suites.push(plain("regressions", night.regressions.iter().map(regression).collect()));
    document(&suites)
}

fn plain(name: &str, cases: Vec<Case>) -> Suite {
    Suite { name: name.to_owned(), file: None, time: 0, properties: Vec::new(), cases }
}

/// The night as a whole. It fails if anything does, so its text says what.
fn whole(night: &Night) -> Suite {
    let verdict = &night.verdict;
    let time = number::sum(night.shards.iter().map(|state| state.elapsed_ms));
    let lines: Vec<String> = verdict.reasons.iter().chain(&verdict.remarks).cloned().collect();
    // Those of failures and of gates are what tests are for; the others say that it was no night.
    let element = if verdict.exit == 1 { FAILURE } else { ERROR };
    let wrong = (!verdict.good)
        .then(|| (element, format!("exit status {}", verdict.exit), verdict.sentence.clone()));
    let case = Case { name: EXPECTATION.to_owned(), time, wrong, text: block(&lines) };
    let mut properties = vec![("version", night.tool.version.clone())];
    for campaign in &night.campaigns {
        properties.push(("seed", campaign.seed.to_string()));
        properties.extend(campaign.date.clone().map(|date| ("date", date)));
        properties.extend(campaign.commit.clone().map(|commit| ("commit", commit)));
    }
    Suite { name: "night".to_owned(), file: None, time, properties, cases: vec![case] }
}

fn block(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// A scenario in one world, as a run of it would be told.
fn scenario(night: &Night, total: &ScenarioTotal) -> Suite {
    let place = place(total);
    let parts = night.parts_of(total);
    let failures: Vec<&NightFailure> = parts.iter().flat_map(|part| &part.failures).collect();
    let found = failures.iter().map(|failure| failure.invariant.as_str());
    let names: BTreeSet<_> =
        total.counts.invariants.keys().map(String::as_str).chain(found).collect();
    let invariants = names.into_iter().map(|name| invariant(total, &failures, name));
    let cases = std::iter::once(expectation(total, &failures)).chain(invariants).collect();
    let properties = vec![
        ("world", total.setting().to_owned()),
        ("expected", total.expected.clone()),
        ("iterations", total.iterations.to_string()),
    ];
    Suite { name: place, file: Some(total.file.clone()), time: 0, properties, cases }
}

fn place(total: &ScenarioTotal) -> String {
    format!("{} ({})", total.name, total.setting())
}

fn expectation(total: &ScenarioTotal, failures: &[&NightFailure]) -> Case {
    let unexpected = failures.iter().filter(|failure| !failure.excused);
    let count = number::sum(unexpected.map(|failure| failure.count));
    let mut lines = total.wrong.clone();
    if count != 0 {
        lines.push(format!("{} failed", number::counted(count, "iteration")));
    }
    let wrong = (!lines.is_empty()).then(|| {
        let expected = format!("not as expected: {}", total.expected);
        (FAILURE, "expectation".to_owned(), expected)
    });
    let text = if lines.is_empty() { String::new() } else { block(&lines) };
    Case { name: EXPECTATION.to_owned(), time: 0, wrong, text }
}

fn invariant(total: &ScenarioTotal, failures: &[&NightFailure], name: &str) -> Case {
    let found: Vec<_> = failures.iter().filter(|failure| failure.invariant == name).collect();
    let checked = total.counts.invariants.get(name).copied().unwrap_or(0);
    let wrong = match found.iter().find(|failure| !failure.excused) {
        Some(failure) => Some((FAILURE, failure.signature.clone(), failure.sentence.clone())),
        None if found.is_empty() && checked == 0 => {
            Some((SKIPPED, "never".to_owned(), "never checked in this night".to_owned()))
        }
        None => None,
    };
    let told = |failure: &&&NightFailure| {
        let seeds = number::counted(failure.count, "seed");
        format!("{}: {seeds}, first {}", failure.failure, failure.seed)
    };
    let lines: Vec<_> = found.iter().map(told).collect();
    Case { name: name.to_owned(), time: 0, wrong, text: block(&lines) }
}

fn signature(one: &Signature) -> Case {
    let first = &one.first;
    let rate = match one.rate.runs {
        0 => "not tried again".to_owned(),
        runs => format!("fails in {} of {runs} runs", one.rate.failed),
    };
    let mut lines = vec![
        format!("must hold: {}", one.sentence),
        format!("{} in {}; {rate}", number::counted(one.count, "seed"), one.scenarios.join(", ")),
        format!("first: iteration {} of {}, seed {}", first.iteration, first.scenario, first.seed),
        format!("the whole seed: {}", one.reproduce),
    ];
    lines.extend(one.provisional.then(|| PROVISIONAL.to_owned()));
    lines.extend(one.file.as_ref().map(|file| format!("reproduce with: pagestorm replay {file}")));
    let wrong = Some((FAILURE, one.invariant.clone(), one.sentence.clone()));
    Case { name: one.signature.clone(), time: 0, wrong, text: block(&lines) }
}

fn regression(one: &Regression) -> Case {
    let Regression { file, expected, found, as_expected, unfit, deterministic } = one;
    let found = found.as_deref().unwrap_or("nothing");
    let wrong = match (deterministic, as_expected) {
        (false, _) => {
            let message = "run twice, it did not do the same";
            Some((ERROR, "not deterministic".to_owned(), message.to_owned()))
        }
        (true, false) => {
            let message = format!("{expected} is expected, and it violates {found}");
            Some((FAILURE, found.to_owned(), message))
        }
        (true, true) => None,
    };
    Case { name: file.clone(), time: 0, wrong, text: block(unfit) }
}
