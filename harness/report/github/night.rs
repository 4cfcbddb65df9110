//! What GitHub Actions is told of a night: an error for each signature, and a summary of the job.

use super::annotations::{MOST, error};
use super::markdown::{block, cell, span};
use super::page::Page;
use crate::record::{Night, PROVISIONAL, ScenarioTotal, Signature};
use crate::{number, reproduce};
use std::path::Path;

/// Characters of a name and of a sentence.
const NAME: usize = 100;
const SENTENCE: usize = 300;

/// One error for each signature, and one for each other reason for which the night is not good. `path`
/// says where a scenario lies from the top of the repository, `line` on which line it says what it
/// expects, and `dir` where the night is, if it is anywhere.
pub fn night_annotations(
    night: &Night,
    path: impl Fn(&str) -> String,
    line: impl Fn(&str) -> Option<usize>,
    dir: Option<&Path>,
) -> String {
    let of_signature = |one: &Signature| {
        let file = night
            .met_first(one)
            .map(|(part, _)| (path(&part.file), line(&part.file).map(|line| line.to_string())));
        (file, one.signature.clone(), message(one, dir))
    };
    let of_reason = |reason: &String| (None, "soak".to_owned(), reason.clone());
    let failures = night.signatures.iter().map(of_signature);
    let all: Vec<_> = failures.chain(others(night).map(of_reason)).collect();
    let mut text = String::new();
    for (file, title, message) in all.iter().take(MOST) {
        let mut properties = Vec::new();
        if let Some((file, line)) = file {
            properties.push(("file", file.as_str()));
            properties.extend(line.as_deref().map(|line| ("line", line)));
        }
        properties.push(("title", title.as_str()));
        text.push_str(&error(&properties, message));
    }
    if let Some(more @ 1..) = all.len().checked_sub(MOST) {
        text.push_str(&error(&[("title", &format!("+{more} more"))], "the report has all of them"));
    }
    text
}

/// The reasons that are about no signature.
fn others(night: &Night) -> impl Iterator<Item = &String> {
    let told = |reason: &&String| {
        let about = |one: &Signature| {
            reason.strip_prefix(&one.signature).is_some_and(|rest| rest.starts_with(": "))
        };
        !night.signatures.iter().any(about)
    };
    night.verdict.reasons.iter().filter(told)
}

/// The command that shows a failure again, from where this one runs.
fn again(one: &Signature, dir: Option<&Path>) -> String {
    match (&one.file, dir) {
        (Some(file), Some(dir)) => {
            let file = dir.join(file);
            format!("pagestorm replay {}", reproduce::path_argument(&file.to_string_lossy()))
        }
        // There is no case, or it was written nowhere.
        (None, _) | (_, None) => one.reproduce.clone(),
    }
}

fn message(one: &Signature, dir: Option<&Path>) -> String {
    let seeds = number::counted(one.count, "seed");
    let again = again(one, dir);
    let places = one.scenarios.join(", ");
    let provisional = if one.provisional { format!("{PROVISIONAL}\n") } else { String::new() };
    format!("{}\n{provisional}{seeds} in {places}\nreproduce with: {again}", one.sentence)
}

/// A summary of a night in at most `room` bytes; none if there is not enough room for its first lines.
/// `dir` is where the night is, if it is anywhere.
pub fn night_summary(night: &Night, room: usize, dir: Option<&Path>) -> Option<String> {
    let mut page = Page::with(room)?;
    page.add(&heading(night));
    if page.is_cut() {
        return None;
    }
    for one in &night.signatures {
        page.add(&failure(one, dir));
    }
    let list = |title: &str, lines: &mut dyn Iterator<Item = &String>| {
        let lines: Vec<_> = lines.map(|line| format!("* {}\n", span(line, SENTENCE))).collect();
        let title = (!lines.is_empty()).then(|| format!("\n### {title}\n\n"));
        title.into_iter().chain(lines).collect::<Vec<_>>()
    };
    let wrong = list("Not good", &mut others(night));
    let remarks = list("Worth knowing", &mut night.verdict.remarks.iter());
    wrong.iter().chain(&remarks).for_each(|part| page.add(part));
    page.add(TABLE);
    // Of a table that has to be cut the lines that failed are wanted.
    for wanted in [false, true] {
        let is_good = |total: &&ScenarioTotal| total.wrong.is_empty() && !is_failing(total);
        for total in night.scenarios.iter().filter(|total| is_good(total) == wanted) {
            page.add(&row(total));
        }
    }
    Some(page.finished())
}

fn is_failing(total: &ScenarioTotal) -> bool {
    total.failed != 0 && total.expected == "clean"
}

const TABLE: &str = "\n### Scenarios\n\n\
     | scenario | world | iterations | operations | faults fired | failing |\n\
     |---|---|--:|--:|--:|--:|\n";

fn heading(night: &Night) -> String {
    let sum = |of: fn(&ScenarioTotal) -> u64| number::sum(night.scenarios.iter().map(of));
    let told = match (night.verdict.good, night.signatures.len()) {
        (true, _) => "as expected".to_owned(),
        (false, 0) => "not as expected".to_owned(),
        (false, n) => number::counted(number::wide(n), "signature") + " failed",
    };
    let seeds: Vec<_> =
        night.campaigns.iter().take(4).map(|campaign| campaign.seed.to_string()).collect();
    let iterations = number::counted(sum(|total| total.iterations), "iteration");
    let operations = number::counted(sum(|total| total.counts.operations), "operation");
    format!(
        "## Pagestorm soak: {told}\n\n{operations} in {iterations}, seed {}\n",
        span(&seeds.join(", "), NAME)
    )
}

fn failure(one: &Signature, dir: Option<&Path>) -> String {
    let again = again(one, dir);
    let provisional = if one.provisional { format!("({PROVISIONAL})\n\n") } else { String::new() };
    format!(
        "\n### {}\n\n{}: {} in {}\n\n{provisional}{}",
        span(&one.signature, NAME),
        span(&one.sentence, SENTENCE),
        number::counted(one.count, "seed"),
        span(&one.scenarios.join(", "), SENTENCE),
        block(&again),
    )
}

fn row(total: &ScenarioTotal) -> String {
    let fired = number::sum(total.counts.faults.values().map(|one| one.fired));
    let failing = match (total.failed, total.caught, total.wrong.is_empty()) {
        (0, 0, true) => "0".to_owned(),
        (0, 0, false) => "**not as expected**".to_owned(),
        (0, caught, _) => format!("{} caught", number::count(caught)),
        (failed, ..) => number::count(failed),
    };
    format!(
        "| {} | {} | {} | {} | {} | {failing} |\n",
        cell(&total.name, NAME),
        total.target.as_ref().map_or(total.world.name().to_owned(), |target| cell(target, NAME)),
        number::count(total.iterations),
        number::count(total.counts.operations),
        number::count(fired),
    )
}
