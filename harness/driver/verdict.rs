//! The verdict on a campaign: what happened, held against what the scenario expected.

use crate::campaign::Campaign;
use crate::exit::Exit;
use crate::exploration::Tried;
use crate::real::script::{Followed, How};
use crate::scenario::plan::{Expectation, Plan, TargetPlan, WorldKind};
use crate::tally::Tally;
use report::record::{Seed, Verdict, VerdictKind};
use std::collections::BTreeMap;

/// Judges a campaign that ran. `interrupted` says that a signal ended it early.
pub fn verdict(plan: &Plan, campaign: &Campaign, interrupted: bool) -> Verdict {
    let kind = kind(plan, campaign, interrupted);
    let wanted = match plan.expect {
        Expectation::Clean => VerdictKind::Clean,
        Expectation::Caught { .. } => VerdictKind::Caught,
    };
    Verdict {
        kind,
        expected: expected(plan),
        as_expected: kind == wanted,
        sentence: sentence(plan, campaign, kind),
    }
}

/// The verdict on a run that could not begin.
pub fn impossible(plan: &Plan, why: String) -> Verdict {
    let kind = VerdictKind::Environment;
    Verdict { kind, expected: expected(plan), as_expected: false, sentence: why }
}

/// How the command ends after such a verdict, if no signal ended it.
pub fn exit(verdict: &Verdict) -> Exit {
    match verdict.kind {
        _ if verdict.as_expected => Exit::Ok,
        VerdictKind::NotDeterministic | VerdictKind::HarnessFailed => Exit::Harness,
        VerdictKind::Environment => Exit::Environment,
        VerdictKind::NothingRan => Exit::NothingRan,
        VerdictKind::Clean
        | VerdictKind::Caught
        | VerdictKind::Violated
        | VerdictKind::Missed
        | VerdictKind::NotProvoked
        | VerdictKind::Hung
        | VerdictKind::Panicked
        | VerdictKind::Interrupted => Exit::Failed,
    }
}

fn kind(plan: &Plan, campaign: &Campaign, interrupted: bool) -> VerdictKind {
    let Campaign { tally, found, deterministic, harness_failed, .. } = campaign;
    let caught_by = match &plan.expect {
        Expectation::Clean => None,
        Expectation::Caught { by, .. } => Some(by.as_str()),
    };
    match found {
        _ if harness_failed.is_some() => VerdictKind::HarnessFailed,
        _ if !deterministic => VerdictKind::NotDeterministic,
        Some(found) if caught_by == Some(found.violation.invariant) => VerdictKind::Caught,
        Some(found) => match found.violation.invariant {
            "progress_is_made" => VerdictKind::Hung,
            "progress_without_panic" => VerdictKind::Panicked,
            _ => VerdictKind::Violated,
        },
        None if interrupted => VerdictKind::Interrupted,
        None if tally.total_operations() == 0 => VerdictKind::NothingRan,
        // The wrong answers were noticed, and did no harm that a user would.
        None if !tally.passed_over.is_empty() => VerdictKind::Clean,
        None if tally.deviations != 0 => VerdictKind::Missed,
        None if caught_by.is_some() || !unsteered(campaign).is_empty() => VerdictKind::NotProvoked,
        None if !plan.missing.is_empty() => VerdictKind::NotProvoked,
        None => VerdictKind::Clean,
    }
}

/// What a scenario expects, in words.
pub(crate) fn expected(plan: &Plan) -> String {
    match &plan.expect {
        Expectation::Clean => "clean".to_owned(),
        Expectation::Caught { by, bug: None } => format!("caught by {by}"),
        Expectation::Caught { by, bug: Some(bug) } => format!("{bug} caught by {by}"),
    }
}

/// Names with how often, in a row.
fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    let row: Vec<_> = counts.iter().map(|(name, n)| format!("{name} ({n})")).collect();
    row.join(", ")
}

fn sentence(plan: &Plan, campaign: &Campaign, kind: VerdictKind) -> String {
    let done = extent(plan, campaign);
    let deviations = campaign.tally.deviations;
    let found = campaign.found.as_ref().map(|found| match &campaign.tried {
        Some(_) => found.violation.invariant.to_owned(),
        // No seed makes threads of a kernel do the same again.
        _ if plan.is_without_seeds() || plan.target != TargetPlan::Model => {
            found.violation.invariant.to_owned()
        }
        None => format!("{} under seed {}", found.violation.invariant, Seed(found.seed.0)),
    });
    let found = found.unwrap_or_default();
    match kind {
        VerdictKind::Clean if !campaign.tally.passed_over.is_empty() => {
            let passed = listed(&campaign.tally.passed_over);
            format!("No wrong byte, size or result in {done}. Breaches passed over: {passed}.")
        }
        VerdictKind::Clean => {
            let Tally { leeways, unconfirmed, .. } = &campaign.tally;
            let mut text = format!("Every invariant held in {done}.");
            if !leeways.is_empty() {
                let used = listed(leeways);
                text.extend([" Seen and allowed, as POSIX leaves it open: ", &used, "."]);
            }
            for (why, files) in unconfirmed {
                let (file, was) = if *files == 1 { ("file", "was") } else { ("files", "were") };
                let told = format!("{files} {file} {was} not read again from the device: {why}");
                text.extend([" ", &told, "."]);
            }
            text
        }
        VerdictKind::Caught | VerdictKind::Violated => {
            let others = campaign.others.iter().map(|found| found.violation.invariant);
            let others: Vec<_> = others.collect();
            match others.as_slice() {
                [] => format!("After {done}: {found} does not hold."),
                [other] => format!("After {done}: {found} does not hold, nor does {other}."),
                several => {
                    let several = several.join(", ");
                    format!("After {done}: {found} does not hold, nor do {several}.")
                }
            }
        }
        VerdictKind::Hung => format!("After {done}: an operation did not end ({found})."),
        VerdictKind::Panicked => format!("After {done}: the filesystem panicked ({found})."),
        VerdictKind::Missed => format!(
            "The filesystem decided wrongly {deviations} times in {done}, and no invariant noticed."
        ),
        VerdictKind::NotProvoked if !unsteered(campaign).is_empty() => {
            let steps = unsteered(campaign).join("; ");
            format!("In {done} this filesystem could not be led as the script says: {steps}.")
        }
        VerdictKind::NotProvoked if !plan.missing.is_empty() => format!(
            "Every invariant held in {done}, but what the scenario is about this target has not: `{}`.",
            plan.missing.join("`, `")
        ),
        VerdictKind::NotProvoked => {
            format!("In {done} the filesystem never decided otherwise than a correct one.")
        }
        VerdictKind::NothingRan => "Not a single operation ended.".to_owned(),
        VerdictKind::Interrupted => {
            format!("A signal ended the run; every invariant held in {done} until then.")
        }
        VerdictKind::Environment => "The run could not begin.".to_owned(),
        VerdictKind::NotDeterministic => {
            format!("The seed of {found} did something else when it ran again.")
        }
        VerdictKind::HarnessFailed => {
            let panicked = campaign.harness_failed.as_deref().unwrap_or_default();
            format!("After {done} the harness itself failed, a bug of pagestorm: {panicked}.")
        }
    }
}

/// The steps of a script that a real filesystem could not be led through.
fn unsteered(campaign: &Campaign) -> Vec<String> {
    let told = |step: &Followed| match &step.how {
        How::Not(why) => Some(format!("step {}, {}: {why}", step.step, step.text)),
        How::Steered(_) | How::Nearby(_) => None,
    };
    campaign.followed.iter().filter_map(told).collect()
}

/// How much was done, in words.
fn extent(plan: &Plan, campaign: &Campaign) -> String {
    let operations = campaign.tally.total_operations();
    let operations = format!("{operations} operation{}", plural(operations));
    match plan.world {
        _ if !plan.script.is_empty() => format!("{operations} of a script"),
        WorldKind::Threads => operations,
        WorldKind::Simulated => {
            if let Some(tried) = &campaign.tried {
                return format!("{operations} in {}", schedules(tried));
            }
            if plan.schedule.is_some() {
                return format!("{operations} of a schedule");
            }
            let seeds = campaign.tally.seeds;
            let until = if campaign.timed_out { " until the time was up" } else { "" };
            format!("{operations} under {seeds} seed{}{until}", plural(seeds))
        }
    }
}

/// How many schedules were tried out, and whether these were all.
fn schedules(tried: &Tried) -> String {
    let count = tried.schedules();
    let schedules = format!("{count} schedule{}", plural(count));
    if tried.complete {
        return format!("all {schedules}");
    }
    let cut = tried.levels.iter().find(|level| !level.complete && tried.failed.is_none());
    match cut {
        Some(level) => format!(
            "{schedules}, of those with {} in {} of about {}",
            level.cost(),
            level.runs,
            level.about
        ),
        None => schedules,
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Found;
    use crate::scenario::{Known, parse};
    use oracle::Violation;
    use std::collections::BTreeMap;
    use stormfs::op::OpKind;

    fn plan(expect: &str) -> Plan {
        let text = format!("actors: [{{name: a, ops: {{write: 1}}}}]\nexpect: {expect}\n");
        let known = Known { invariants: &["data_matches_model", "progress_is_made"], bugs: &[] };
        parse("a.yaml", &text, &known, &[]).unwrap()
    }

    fn campaign(operations: u64, deviations: u64, invariant: Option<&'static str>) -> Campaign {
        let mut campaign = Campaign::new(WorldKind::Simulated);
        campaign.tally.operations = BTreeMap::from([(OpKind::Fsync, operations)]);
        campaign.tally.deviations = deviations;
        campaign.found = invariant.map(|invariant| Found {
            seed: sim::chance::Seed(7),
            strategy: None,
            step: 1,
            details: Vec::new(),
            case: None,
            kept: None,
            again: None,
            story: None,
            violation: Violation {
                invariant,
                file: None,
                range: None,
                expected: String::new(),
                found: String::new(),
                operation: None,
                strip: String::new(),
            },
        });
        campaign
    }

    #[test]
    fn every_end_has_its_verdict_and_its_exit() {
        use VerdictKind as K;
        let caught = "{caught: {by: data_matches_model}}";
        let (data, size) = (Some("data_matches_model"), Some("size_matches_model"));
        let (hung, panicked) = (Some("progress_is_made"), Some("progress_without_panic"));
        let table = [
            ("clean", 9, 0, None, K::Clean, 0),
            ("clean", 9, 5, None, K::Missed, 1),
            ("clean", 0, 0, None, K::NothingRan, 4),
            ("clean", 9, 0, data, K::Violated, 1),
            ("clean", 9, 5, data, K::Violated, 1),
            ("clean", 0, 0, data, K::Violated, 1),
            ("clean", 9, 0, hung, K::Hung, 1),
            ("clean", 9, 0, panicked, K::Panicked, 1),
            (caught, 9, 5, data, K::Caught, 0),
            (caught, 9, 5, size, K::Violated, 1),
            (caught, 9, 5, hung, K::Hung, 1),
            (caught, 9, 5, None, K::Missed, 1),
            (caught, 9, 0, None, K::NotProvoked, 1),
            (caught, 0, 0, None, K::NothingRan, 4),
            ("{caught: {by: progress_is_made}}", 9, 1, hung, K::Caught, 0),
        ];
        for (expect, operations, deviations, invariant, kind, code) in table {
            let campaign = campaign(operations, deviations, invariant);
            let verdict = verdict(&plan(expect), &campaign, false);
            let row = format!("{expect}, {operations} operations, {deviations}, {invariant:?}");
            assert_eq!((verdict.kind, exit(&verdict).code()), (kind, code), "{row}");
            assert!(verdict.sentence.ends_with('.'), "{}", verdict.sentence);
        }
    }

    #[test]
    fn breaches_that_were_passed_over_are_told_and_are_no_harm() {
        let mut campaign = campaign(9, 5, None);
        campaign.tally.passed_over = BTreeMap::from([("extents_delalloc_is_flushable", 4)]);
        let verdict = verdict(&plan("clean"), &campaign, false);
        assert_eq!(verdict.kind, VerdictKind::Clean);
        assert!(verdict.sentence.ends_with(": extents_delalloc_is_flushable (4)."));
    }

    #[test]
    fn a_script_that_a_kernel_did_not_follow_is_not_clean() {
        let step = |step, how| Followed { step, text: "run T until zero.mapped".to_owned(), how };
        let mut campaign = campaign(9, 0, None);
        campaign.followed =
            vec![step(1, How::Steered(None)), step(2, How::Nearby("behind it".to_owned()))];
        assert_eq!(verdict(&plan("clean"), &campaign, false).kind, VerdictKind::Clean);
        campaign.followed.push(step(3, How::Not("`T` ended".to_owned())));
        let verdict = verdict(&plan("clean"), &campaign, false);
        assert_eq!((verdict.kind, exit(&verdict).code()), (VerdictKind::NotProvoked, 1));
        let told = ": step 3, run T until zero.mapped: `T` ended.";
        assert!(verdict.sentence.ends_with(told), "{}", verdict.sentence);
    }

    #[test]
    fn nothing_is_clean_without_what_it_is_about() {
        let mut plan = plan("clean");
        plan.missing = vec!["faults[0].evict".to_owned(), "bugs: some".to_owned()];
        let found = verdict(&plan, &campaign(9, 0, Some("data_matches_model")), false);
        assert_eq!(found.kind, VerdictKind::Violated);
        let verdict = verdict(&plan, &campaign(9, 0, None), false);
        assert_eq!((verdict.kind, exit(&verdict).code()), (VerdictKind::NotProvoked, 1));
        let told = "has not: `faults[0].evict`, `bugs: some`.";
        assert!(verdict.sentence.ends_with(told), "{}", verdict.sentence);
    }

    #[test]
    fn a_signal_hides_no_violation_and_a_second_run_that_differs_hides_everything() {
        let plan = plan("clean");
        let interrupted = verdict(&plan, &campaign(3, 0, None), true);
        assert_eq!(interrupted.kind, VerdictKind::Interrupted);
        let found = verdict(&plan, &campaign(3, 0, Some("data_matches_model")), true);
        assert_eq!(found.kind, VerdictKind::Violated);
        let mut campaign = campaign(3, 0, Some("data_matches_model"));
        campaign.deterministic = false;
        let differing = verdict(&plan, &campaign, false);
        assert_eq!(exit(&differing), Exit::Harness);
        campaign.harness_failed = Some("a panicked at b.rs:1:2: c".to_owned());
        let failed = verdict(&plan, &campaign, true);
        assert_eq!((failed.kind, exit(&failed)), (VerdictKind::HarnessFailed, Exit::Harness));
        let told = "After 3 operations under 0 seeds the harness itself failed, a bug of pagestorm: \
                    a panicked at b.rs:1:2: c.";
        assert_eq!(failed.sentence, told);
        assert_eq!(exit(&impossible(&plan, String::new())), Exit::Environment);
    }
}
