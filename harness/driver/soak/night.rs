//! What follows from the parts of a night: totals, signatures and the verdict.

use super::sums::{add_counts, add_hash, add_latency};
use crate::exit::Exit;
use crate::scenario::overrides_for;
use report::number::{self, counted};
use report::record::{
    FaultCount, FirstMet, Night, NightFailure, NightVerdict, Part, Regression, ScenarioTotal,
    ShardState, Signature, Soaked, World,
};
use report::reproduce;
use std::collections::BTreeMap;

/// How long a slice of threads is, as the command line takes it.
pub const SLICE: &str = "2s";

/// The night with everything that follows from its parts, and how a command ends because of it.
///
/// # Errors
///
/// A part has latencies that cannot be read.
pub fn concluded(mut night: Night) -> Result<(Night, Exit), String> {
    night.scenarios = totals(&night.parts)?;
    let is_share = is_share(&night);
    for total in &mut night.scenarios {
        let mut own = Reasons { is_share, ..Reasons::default() };
        of_scenario(total, &mut own);
        total.wrong = own.all;
    }
    night.signatures = signatures(&night.parts);
    let (verdict, exit) = verdict(&night);
    night.verdict = verdict;
    night.verdict.sentence = sentence(&night);
    Ok((night, exit))
}

/// Puts parts in the order in which a night has them.
pub fn sort(parts: &mut [Part]) {
    parts.sort_by(|one, other| {
        let of = |part: &Part| (part.shard, part.campaign.clone());
        scenario_of(one).cmp(&scenario_of(other)).then_with(|| of(one).cmp(&of(other)))
    });
}

/// What a scenario is in a night: its name, its world, and the hash of its text.
fn scenario_of(part: &Part) -> (&str, &'static str, &str) {
    (&part.name, part.world.name(), &part.text_hash)
}

fn by_scenario(parts: &[Part]) -> Vec<Vec<&Part>> {
    let mut all: BTreeMap<_, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        all.entry(scenario_of(part)).or_default().push(part);
    }
    all.into_values().collect()
}

fn totals(parts: &[Part]) -> Result<Vec<ScenarioTotal>, String> {
    by_scenario(parts).iter().map(|parts| total(parts)).collect()
}

fn total(parts: &[&Part]) -> Result<ScenarioTotal, String> {
    let first = parts[0];
    // Who shared the work may have found the files in different places.
    let file = parts.iter().map(|part| &part.file).min().expect("there is one part");
    let mut total = ScenarioTotal {
        name: first.name.clone(),
        file: file.clone(),
        world: first.world,
        target: first.target.clone(),
        own_target: first.own_target.clone(),
        expected: first.expected.clone(),
        iterations: 0,
        enough: 0,
        caught: 0,
        failed: 0,
        wrong: Vec::new(),
        counts: first.counts.clone(),
        latency: first.latency.clone(),
        trace_hash: first.trace_hash.clone(),
    };
    for (nth, part) in parts.iter().enumerate() {
        total.iterations = total.iterations.saturating_add(part.done);
        total.enough = total.enough.max(part.enough);
        for failure in &part.failures {
            let is_expected = part.expects.as_ref() == Some(&failure.invariant);
            let count = if is_expected { &mut total.caught } else { &mut total.failed };
            *count = count.saturating_add(failure.count);
        }
        if 0 < nth {
            add_counts(&mut total.counts, &part.counts);
            add_hash(&mut total.trace_hash, part.trace_hash.as_ref());
            add_latency(&mut total.latency, &part.latency)
                .map_err(|error| format!("{} ({} world): {error}", part.name, part.world.name()))?;
        }
    }
    for row in total.latency.kinds.iter_mut().chain(&mut total.latency.lag) {
        row.histogram = None;
    }
    Ok(total)
}

/// A failure of one scenario in one world, over all of its parts.
struct Met<'a> {
    part: &'a Part,
    first: &'a NightFailure,
    count: u64,
}

impl Met<'_> {
    fn order(&self) -> (u64, (&str, &str, &str), &str) {
        (self.first.iteration, scenario_of(self.part), &self.first.failure)
    }

    fn place(&self) -> String {
        place(self.part)
    }
}

fn signatures(parts: &[Part]) -> Vec<Signature> {
    let mut all: BTreeMap<&str, Vec<Met<'_>>> = BTreeMap::new();
    for met in by_scenario(parts).iter().flat_map(|parts| met(parts)) {
        all.entry(&met.first.signature).or_default().push(met);
    }
    let mut groups: Vec<_> = all.into_values().collect();
    for group in &mut groups {
        group.sort_by(|one, other| one.order().cmp(&other.order()));
    }
    groups.sort_by(|one, other| one[0].order().cmp(&other[0].order()));
    let names = groups.iter().map(|group| group[0].first.signature.as_str());
    let places = Night::places(names);
    groups.iter().zip(places).map(|(group, place)| signature(group, place)).collect()
}

/// The failures of one scenario, each with the first seed of all parts.
fn met<'a>(parts: &[&'a Part]) -> Vec<Met<'a>> {
    let mut all: BTreeMap<&str, Met<'a>> = BTreeMap::new();
    for part in parts {
        for first in part.failures.iter().filter(|failure| !failure.excused) {
            let met = all.entry(&first.failure).or_insert(Met { part, first, count: 0 });
            met.count = met.count.saturating_add(first.count);
            if first.iteration < met.first.iteration {
                (met.part, met.first) = (part, first);
            }
        }
    }
    all.into_values().collect()
}

fn signature(group: &[Met<'_>], place: String) -> Signature {
    let Met { part, first, .. } = group[0];
    let mut scenarios: Vec<_> = group.iter().map(Met::place).collect();
    scenarios.sort();
    scenarios.dedup();
    let mut changes = match part.world {
        World::Simulated => vec!["world=simulated".to_owned(), "seeds=1".to_owned()],
        World::Threads => vec!["world=threads".to_owned(), format!("time={SLICE}")],
    };
    let target = part.target.as_deref().and_then(|target| overrides_for(target).ok());
    let target = target.into_iter().flatten().filter(|(path, _)| path == "target");
    changes.extend(target.map(|(path, value)| format!("{path}={value}")));
    let seed = first.seed.to_string();
    Signature {
        signature: first.signature.clone(),
        invariant: first.invariant.clone(),
        sentence: first.sentence.clone(),
        count: group.iter().fold(0, |sum, met| met.count.saturating_add(sum)),
        scenarios,
        first: FirstMet {
            scenario: part.name.clone(),
            world: part.world,
            iteration: first.iteration,
            seed: first.seed,
        },
        rate: first.rate,
        minimal: first.minimal,
        provisional: !first.minimal,
        file: first.case.as_ref().map(|_| place),
        reproduce: reproduce::command("pagestorm", &part.file, Some(&seed), &changes),
    }
}

/// Whether this is one shard of several: what it has not seen, another may have, and whoever merges
/// them will know.
fn is_share(night: &Night) -> bool {
    matches!(night.shards.as_slice(), [only] if 1 < only.shard.of)
}

/// Whether there are fewer seeds than shards, and none of them is this shard's.
fn has_no_share(night: &Night) -> bool {
    let share = |state: &ShardState| state.seeds.map(|all| state.shard.share(all));
    is_share(night) && night.shards.first().and_then(share) == Some(0)
}

fn verdict(night: &Night) -> (NightVerdict, Exit) {
    let is_share = is_share(night);
    let mut reasons = Reasons { is_share, ..Reasons::default() };
    for part in night.parts.iter().filter(|part| !part.deterministic) {
        let what = format!("{}: a seed that failed did not do the same again", place(part));
        reasons.add(Exit::Harness, what);
    }
    for one in &night.signatures {
        let times = counted(one.count, "seed");
        reasons.add(
            Exit::Failed,
            format!("{}: {times}, in {}", one.signature, one.scenarios.join(", ")),
        );
    }
    for regression in &night.regressions {
        of_regression(regression, &mut reasons);
    }
    for total in &night.scenarios {
        of_scenario(total, &mut reasons);
    }
    mixed(night, &mut reasons);
    for left in night.left_out.iter().filter(|left| left.refused) {
        let exit = if left.harness_failed { Exit::Harness } else { Exit::Environment };
        reasons.add(exit, format!("{}: {}", left.file, left.why));
    }
    if night.regressions.is_empty() {
        idle(night, &mut reasons);
    }
    never_reached(night, &mut reasons);
    let Reasons { exit, all: reasons, remarks, is_share: _ } = reasons;
    let good = exit == Exit::Ok;
    let sentence = String::new();
    (NightVerdict { good, exit: exit.code(), sentence, reasons, remarks }, exit)
}

/// Adds that nothing ran, and why. There is nothing to soak for a shard if there are fewer seeds than
/// shards.
fn idle(night: &Night, reasons: &mut Reasons) {
    let nothing = match (night.scenarios.is_empty(), reasons.is_share) {
        (true, _) => "there was nothing to soak",
        (false, true) if night.scenarios.iter().all(is_idle) => {
            "not a single operation ended in this shard"
        }
        _ => return,
    };
    if has_no_share(night) {
        reasons.remarks.push("of fewer seeds than shards, none is this shard's".to_owned());
    } else {
        reasons.add(Exit::NothingRan, nothing.to_owned());
    }
}

struct Reasons {
    exit: Exit,
    all: Vec<String>,
    remarks: Vec<String>,
    is_share: bool,
}

impl Default for Reasons {
    fn default() -> Reasons {
        Reasons { exit: Exit::Ok, all: Vec::new(), remarks: Vec::new(), is_share: false }
    }
}

impl Reasons {
    fn add(&mut self, exit: Exit, reason: String) {
        self.exit = self.exit.max(exit);
        self.all.push(reason);
    }

    /// Adds that something was not seen that should have been.
    fn lack(&mut self, exit: Exit, reason: String) {
        if self.is_share {
            self.remarks.push(reason);
        } else {
            self.add(exit, reason);
        }
    }
}

/// Campaigns that are named.
const NAMED: usize = 12;

/// Says that a night is none, but several together.
fn mixed(night: &Night, reasons: &mut Reasons) {
    if night.campaigns.len() < 2 {
        return;
    }
    let named = |campaign: &Soaked| {
        let known = [&campaign.date, &campaign.commit].into_iter().flatten();
        let known: Vec<_> = known.map(String::as_str).collect();
        let known = if known.is_empty() { "as given".to_owned() } else { known.join(", ") };
        format!("{} ({known})", campaign.seed)
    };
    let mut all: Vec<_> = night.campaigns.iter().take(NAMED).map(named).collect();
    if let Some(rest @ 1..) = night.campaigns.len().checked_sub(NAMED) {
        all.push(format!("{rest} more"));
    }
    let (count, all) = (night.campaigns.len(), all.join("; "));
    reasons.remarks.push(format!("these are {count} campaigns together: {all}"));
}

fn of_regression(regression: &Regression, reasons: &mut Reasons) {
    let Regression { file, expected, found, as_expected, unfit, deterministic } = regression;
    let found = found.as_deref().unwrap_or("nothing");
    if !deterministic {
        reasons.add(Exit::Harness, format!("{file}: run twice, it did not do the same"));
    } else if !as_expected {
        reasons
            .add(Exit::Failed, format!("{file}: {expected} is expected, and it violates {found}"));
    }
    if !unfit.is_empty() {
        let what =
            format!("{file} no longer fits the code, so it says little: {}", unfit.join("; "));
        reasons.remarks.push(what);
    }
}

fn of_scenario(total: &ScenarioTotal, reasons: &mut Reasons) {
    let name = format!("{} ({})", total.file, total.setting());
    let counts = &total.counts;
    if is_idle(total) {
        let what = format!("{name}: not a single operation ended");
        if total.iterations == 0 {
            reasons.lack(Exit::NothingRan, what);
        } else {
            reasons.add(Exit::NothingRan, what);
        }
        return;
    }
    of_faults(&name, total, reasons);
    let deviations = counted(counts.deviations, "time");
    let is_silent = total.caught == 0 && total.failed == 0 && counts.passed_over.is_empty();
    if total.expected == "clean" {
        if is_silent && counts.deviations != 0 {
            let what = "the filesystem decided wrongly";
            reasons.add(
                Exit::Failed,
                format!("{name}: {what} {deviations}, and no invariant noticed"),
            );
        }
    } else if total.caught == 0 {
        let what = format!("{} is expected, and was not seen", total.expected);
        let how = format!("{what}; the filesystem decided wrongly {deviations}");
        let (done, enough) = (total.iterations, counted(total.enough, "iteration"));
        if done < total.enough {
            let why = format!("{done} of {enough}: the night was too short to say");
            reasons.remarks.push(format!("{name}: {how}, in {why}"));
        } else {
            reasons.lack(Exit::Failed, format!("{name}: {how}"));
        }
    } else if total.failed != 0 {
        let others = counted(total.failed, "seed");
        reasons.remarks.push(format!("{name}: under {others} another invariant spoke first"));
    }
}

fn is_idle(total: &ScenarioTotal) -> bool {
    total.counts.operations == 0 && total.caught == 0 && total.failed == 0
}

/// A fault that could strike so often and never did has no excuse.
const OFTEN: u64 = 1_000;

/// By its chance a fault should have struck so often, in millionths: that it never does happens once in a
/// million nights.
const SURELY: u64 = 14_000_000;

/// Faults that never struck. One that had few chances, or none, is a failure only if no other struck
/// either, and a bug that was caught needed none. On a real filesystem, where each slice draws what goes
/// wrong, it is one only where no chance explains it.
fn of_faults(name: &str, total: &ScenarioTotal, reasons: &mut Reasons) {
    let counts = &total.counts;
    let none = counts.faults.values().all(|count| count.fired == 0) && total.caught == 0;
    for (fault, count) in counts.faults.iter().filter(|(_, count)| count.fired == 0) {
        let told = match count.armed {
            0 if none => format!("{name}: {fault} was never armed, and no fault ever fired"),
            0 => format!("{name}: {fault} was never armed"),
            armed => {
                format!("{name}: {fault} was armed {} and never fired", counted(armed, "time"))
            }
        };
        if is_inexcusable(*count, (none, total.enough <= total.iterations)) {
            reasons.lack(Exit::Failed, told);
        } else {
            reasons.remarks.push(told);
        }
    }
}

/// Whether nothing explains that a fault never struck, where there may have been `none` at all, in
/// iterations that may have been `enough` for all that some of them draw.
fn is_inexcusable(count: FaultCount, (none, enough): (bool, bool)) -> bool {
    match (count.armed, count.due_ppm) {
        (0, None) => none,
        (0, Some(_)) => none && enough,
        (armed, None) => none || OFTEN <= armed,
        // When it begins its chance begins, and nobody knows how often it could strike since then.
        (armed, Some(0)) => OFTEN <= armed,
        (_, Some(due)) => SURELY <= due,
    }
}

/// Points and invariants that no scenario came to.
fn never_reached(night: &Night, reasons: &mut Reasons) {
    let Some(first) = night.scenarios.first() else { return };
    let mut all = first.counts.clone();
    night.scenarios.iter().skip(1).for_each(|total| add_counts(&mut all, &total.counts));
    for (what, counts) in
        [("points never passed", &all.points), ("invariants never checked", &all.invariants)]
    {
        let names: Vec<_> =
            counts.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            reasons.remarks.push(format!("{what} all night: {}", names.join(", ")));
        }
    }
}

/// The verdict as one sentence, as it follows from everything else.
pub fn sentence(night: &Night) -> String {
    let sum = |of: fn(&ScenarioTotal) -> u64| {
        night.scenarios.iter().fold(0_u64, |sum, total| sum.saturating_add(of(total)))
    };
    let operations = counted(sum(|total| total.counts.operations), "operation");
    let iterations = counted(sum(|total| total.iterations), "iteration");
    let done = format!("{operations} in {iterations}");
    let (failed, back) = (night.signatures.len(), returned(night));
    if night.verdict.good {
        return format!("Everything was as expected in {done}.");
    }
    let failures = counted(number::wide(failed), "signature");
    let known = failed + back.len();
    let otherwise = match night.verdict.reasons.len().saturating_sub(known) {
        0 => "",
        1 => "; and one thing went wrong otherwise",
        _ => "; and some things went wrong otherwise",
    };
    match (failed, back.as_slice()) {
        (0, []) => {
            format!("No invariant was violated that should hold, in {done}{otherwise}.")
        }
        (0, back) => format!(
            "{}. No other invariant was violated that should hold, in {done}{otherwise}.",
            came_back(back)
        ),
        (_, []) => format!("Failures of {failures} in {done}."),
        (_, back) => format!("Failures of {failures} in {done}. {}.", came_back(back)),
    }
}

/// Cases that fail again, with the invariants.
fn returned(night: &Night) -> Vec<(&str, &str)> {
    let back = night.regressions.iter().filter(|one| one.deterministic && !one.as_expected);
    back.filter_map(|one| Some((one.file.as_str(), one.found.as_deref()?))).collect()
}

fn came_back(back: &[(&str, &str)]) -> String {
    let (file, invariant) = back[0];
    let first = format!("{file} violates {invariant}");
    match back.len() {
        1 => format!("A regression came back: {first}"),
        count => format!("{count} regressions came back, of which {first}"),
    }
}

fn place(part: &Part) -> String {
    format!("{} ({})", part.name, part.setting())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_never_struck_is_a_failure_where_no_chance_explains_it() {
        let real = |due: u64| Some(due * 1_000_000);
        for (armed, due_ppm, none, enough, fails) in [
            // Of the model.
            (0, None, true, false, true),
            (0, None, false, true, false),
            (7, None, true, true, true),
            (999, None, false, true, false),
            (1_000, None, false, true, true),
            // Of a real filesystem: one slice, which drew no faults, and as many as it takes.
            (0, real(0), true, false, false),
            (0, real(0), true, true, true),
            (0, real(0), false, true, false),
            // 0.2 % of 1,860 requests, and of 7,000.
            (1_860, Some(1_860 * 2_000), true, true, false),
            (7_000, Some(7_000 * 2_000), false, true, true),
            (13, real(13), true, true, false),
            (14, real(14), false, false, true),
            (1_000, real(0), false, false, true),
        ] {
            let count = FaultCount { armed, fired: 0, due_ppm };
            assert_eq!(is_inexcusable(count, (none, enough)), fails, "{count:?} {none} {enough}");
        }
    }
}
