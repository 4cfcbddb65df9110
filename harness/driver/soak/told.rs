//! A night in lines for a terminal.

use report::record::PROVISIONAL;
use report::record::{Night, ScenarioTotal, Signature};
use report::visible;
use std::fmt::Write;

/// Reasons and remarks that are shown; the page has all of them.
const LINES: usize = 20;

/// What came of the night: every scenario on a line, then what failed, the verdict at the end.
pub fn told(night: &Night) -> String {
    let mut text = String::new();
    let mut line = |content: &str| {
        writeln!(text, "{}", visible::line(content).trim_end()).expect("memory takes every byte");
    };
    line(&format!(
        "{:<48}{:<16}{:>11}{:>14}{:>14}",
        "scenario", "world or target", "iterations", "operations", "faults fired"
    ));
    night.scenarios.iter().for_each(|total| line(&of_scenario(total)));
    line("");
    for one in &night.signatures {
        for text in of_signature(night, one) {
            line(&text);
        }
    }
    for left in night.left_out.iter().filter(|left| left.refused) {
        line(&format!("left out: {}: {}", left.file, left.why));
    }
    let mut some = |what: &str, lines: &[String]| {
        for reason in lines.iter().take(LINES) {
            line(&format!("{what}: {reason}"));
        }
        if let Some(more @ 1..) = lines.len().checked_sub(LINES) {
            line(&format!("{what}: {more} more in the report"));
        }
    };
    some("remark", &night.verdict.remarks);
    some("not good", &night.verdict.reasons);
    line(&night.verdict.sentence);
    text
}

fn of_scenario(total: &ScenarioTotal) -> String {
    let fired = total.counts.faults.values().fold(0_u64, |sum, one| sum.saturating_add(one.fired));
    let failed = match (total.failed, total.caught) {
        (0, 0) => String::new(),
        (failed, 0) => format!("  {failed} FAILED"),
        (0, caught) => format!("  {caught} caught"),
        (others, caught) => format!("  {caught} caught, {others} otherwise"),
    };
    let operations = total.counts.operations;
    let (file, world) = (short(&total.file, 47), short(total.setting(), 15));
    format!("{file:<48}{world:<16}{:>11}{operations:>14}{fired:>14}{failed}", total.iterations)
}

/// A path that fits: its end behind dots if it is too long.
fn short(path: &str, width: usize) -> String {
    const CUT: &str = "...";
    let length = path.chars().count();
    if length <= width {
        return path.to_owned();
    }
    let end = path.chars().skip(length + CUT.len() - width);
    CUT.chars().chain(end).collect()
}

fn of_signature(night: &Night, one: &Signature) -> Vec<String> {
    let first = &one.first;
    let rate = match one.rate.runs {
        0 => "not tried again".to_owned(),
        runs => format!("fails in {} of {runs} runs", one.rate.failed),
    };
    let mut lines = vec![format!("FAILED {}", one.signature), format!("  {}", one.sentence)];
    let seen = night.met_first(one).and_then(|(_, failure)| failure.seen.as_ref());
    let facts = seen.iter().flat_map(|seen| seen.facts());
    lines.extend(facts.map(|(name, value)| format!("  {name}: {value}")));
    lines.extend(one.provisional.then(|| format!("  {PROVISIONAL}")));
    lines.extend([
        format!("  {} seeds in {}; {rate}", one.count, one.scenarios.join(", ")),
        format!(
            "  first: iteration {} of {}, seed {}",
            first.iteration, first.scenario, first.seed
        ),
        format!("  the whole seed: {}", one.reproduce),
    ]);
    lines.extend(one.file.as_ref().map(|file| format!("  case: {file}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_path_that_is_cut_says_so() {
        let fits = "a/".repeat(23) + "b";
        assert_eq!(short(&fits, 47), fits);
        let cut = short(&format!("x{fits}"), 47);
        assert_eq!((cut.chars().count(), &cut[..5]), (47, ".../a"));
        assert!(cut.ends_with("a/b"), "{cut}");
    }
}
