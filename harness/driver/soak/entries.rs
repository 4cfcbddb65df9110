//! What a night runs: every scenario that was given, in every world in which that makes sense.

use super::{night, seeds};
use crate::record;
use crate::scenario::plan::{Expectation, FaultPlan, Plan, TargetPlan, WorldKind};
use crate::scenario::{self, Report};
use crate::vocabulary;
use report::record::LeftOut;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use stormfs::quantity::wide;

/// One scenario in one world.
#[derive(Debug)]
pub struct Entry {
    /// Its file, as it was given.
    pub file: String,
    /// The hash of its text.
    pub text_hash: u64,
    /// What it means in that world.
    pub plan: Plan,
    /// What it acts on, if the command line says so.
    pub target: Option<String>,
    /// Whether it is the same under every seed, so that once is enough.
    pub once: bool,
    /// After how many iterations what it expects must have been seen.
    pub enough: u64,
}

impl Entry {
    /// The invariant that it expects to be violated.
    pub fn expects(&self) -> Option<&str> {
        match &self.plan.expect {
            Expectation::Clean => None,
            Expectation::Caught { by, .. } => Some(by),
        }
    }
}

/// What was found where one was told to look.
#[derive(Debug, Default)]
pub struct Given {
    /// What can be soaked.
    pub entries: Vec<Entry>,
    /// What cannot, and why.
    pub left_out: Vec<LeftOut>,
}

/// Where to look, and in which worlds.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Files and directories.
    pub files: &'a [PathBuf],
    /// A directory that is left out wherever it lies.
    pub except: Option<&'a Path>,
    /// The only world, if there is only one.
    pub world: Option<WorldKind>,
    /// What all of them act on, whatever they say themselves, as the command line takes it.
    pub target: Option<&'a str>,
    /// How long a slice of threads is, as a scenario says it.
    pub slice: &'a str,
}

/// Reads all scenarios.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn read(wanted: &Wanted<'_>) -> Result<Given, Vec<String>> {
    let (mut given, mut wrong) = (Given::default(), Vec::new());
    let except = wanted.except.and_then(|dir| fs::canonicalize(dir).ok());
    let mut seen = BTreeSet::new();
    for root in wanted.files {
        let files = match files_below(root, except.as_deref()) {
            Ok(files) => files,
            Err(error) => {
                wrong.push(format!(
                    "{}: {error}; name scenarios or directories of them\n",
                    root.display()
                ));
                continue;
            }
        };
        for file in files {
            if let Err(report) = add(&file, wanted, &mut seen, &mut given) {
                wrong.push(report.render(false));
            }
        }
    }
    if wrong.is_empty() { Ok(given) } else { Err(wrong) }
}

/// A file itself; of a directory all scenarios in and below it, by their names.
///
/// # Errors
///
/// It cannot be read.
pub fn files_below(root: &Path, except: Option<&Path>) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(root)?.is_dir() {
        return Ok(vec![root.to_owned()]);
    }
    if except.is_some() && fs::canonicalize(root).ok().as_deref() == except {
        return Ok(Vec::new());
    }
    let entries: Vec<_> = fs::read_dir(root)?.collect::<Result<_, _>>()?;
    let mut paths: Vec<_> = entries.iter().map(|entry| (entry.path(), entry.file_type())).collect();
    paths.sort_by(|one, other| one.0.cmp(&other.0));
    let mut files = Vec::new();
    for (path, kind) in paths {
        let is_scenario = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        // A link to a directory could lead in circles.
        if kind?.is_dir() {
            files.extend(files_below(&path, except)?);
        } else if is_scenario {
            files.push(path);
        }
    }
    Ok(files)
}

fn add(
    path: &Path,
    wanted: &Wanted<'_>,
    seen: &mut BTreeSet<(String, u64)>,
    given: &mut Given,
) -> Result<(), Report> {
    let text = scenario::text_of(path)?;
    let file = path.display().to_string();
    let own = scenario::parse(&file, &text, &vocabulary::known(), &[])?;
    // The same text on another target is another scenario.
    let text_hash = seeds::hash(&(text.clone() + wanted.target.unwrap_or_default()));
    let mut leave_out = |why: String| given.left_out.push(LeftOut::because(file.clone(), why));
    if !seen.insert((own.name.clone(), text_hash)) {
        leave_out("the same text was given before".to_owned());
        return Ok(());
    }
    if own.exhaustive().is_some() {
        leave_out("it tries everything out and has no seeds: `pagestorm run` does that".to_owned());
        return Ok(());
    }
    if own.recorded.is_some() && !own.is_explicit() {
        leave_out("threads have left it: `pagestorm replay` looks for the failure".to_owned());
        return Ok(());
    }
    if !own.faults.is_empty() && own.faults.iter().all(is_late) {
        leave_out(
            "its faults begin later than a slice ends: `pagestorm run` comes to them".to_owned(),
        );
        return Ok(());
    }
    if let Some(why) = wanted.target.and_then(|_| of_the_model(&own)) {
        leave_out(why.to_owned());
        return Ok(());
    }
    let once = own.is_without_seeds();
    if once && wanted.target.is_some() {
        leave_out("it is no storm but a case or a script: `pagestorm replay --target`".to_owned());
        return Ok(());
    }
    let is_real = own.target != TargetPlan::Model;
    let only_own = once || is_real || own.expect != Expectation::Clean;
    for world in [WorldKind::Simulated, WorldKind::Threads] {
        let is_wanted = match wanted.target {
            Some(_) => world == WorldKind::Threads,
            None => {
                wanted.world.is_none_or(|wanted| wanted == world)
                    && !(only_own && world != own.world)
            }
        };
        if !is_wanted {
            continue;
        }
        match scenario::parse(&file, &text, &vocabulary::known(), &changes(world, wanted)) {
            Ok(plan) if !plan.missing.is_empty() => {
                let missing = plan.missing.join("`, `");
                let why = format!("what it is about the target has not: `{missing}`");
                given.left_out.push(LeftOut::because(file.clone(), why));
            }
            Ok(plan) => {
                let file = file.clone();
                let enough = enough(&own, &plan, once);
                let target = wanted.target.map(str::to_owned);
                given.entries.push(Entry { file, text_hash, plan, target, once, enough });
            }
            Err(report) if wanted.target.is_some() => {
                let why = reason(&report);
                given.left_out.push(LeftOut::because(file.clone(), why));
            }
            Err(_) if world != own.world => {
                let why = format!("it makes no sense in the {} world", world.name());
                given.left_out.push(LeftOut::because(file.clone(), why));
            }
            Err(report) => return Err(report),
        }
    }
    Ok(())
}

/// Why a scenario is of no use on a real filesystem, although it could be taken there.
fn of_the_model(own: &Plan) -> Option<&'static str> {
    if !own.bugs.is_empty() {
        return Some("it is about a bug that is switched on in the filesystem model");
    }
    let expects = own.target == TargetPlan::Model && own.expect != Expectation::Clean;
    expects.then_some("it expects what a wrong decision of the filesystem model leads to")
}

/// The first of its mistakes, without its file, which is named beside it.
fn reason(report: &Report) -> String {
    let first = report.diagnostics().first();
    let told = first.map_or("it cannot be read", |first| first.message.as_str());
    let line = first.and_then(|first| first.span.as_ref()).filter(|at| at.from_override.is_none());
    let line = line.map(|at| format!("line {}: ", at.line)).unwrap_or_default();
    format!("it does not fit the target: {line}{told}")
}

/// As many iterations as a run of the scenario by itself has, and on a real filesystem as many as it takes
/// to draw everything that goes wrong.
fn enough(own: &Plan, plan: &Plan, once: bool) -> u64 {
    let alone = of_a_run(own, plan, once);
    if once || plan.target == TargetPlan::Model { alone } else { alone.max(until_drawn(plan)) }
}

/// Iterations after which every fault was drawn, but for one night in a million.
fn until_drawn(plan: &Plan) -> u64 {
    const MILLION: u128 = 1_000_000;
    let faults = |plan: &Plan| plan.faults.iter().flat_map(record::kinds).collect::<BTreeSet<_>>();
    let drawn: Vec<_> = plan.variants().into_iter().map(faults).collect();
    let has = |fault| drawn.iter().filter(|faults| faults.contains(fault)).count();
    let Some(rarest) = drawn.iter().flatten().map(has).min() else { return 1 };
    let (all, without) = (u128::from(wide(drawn.len())), u128::from(wide(drawn.len() - rarest)));
    let (mut iterations, mut missed) = (0, MILLION * MILLION);
    while MILLION <= missed {
        (iterations, missed) = (iterations + 1, missed * without / all);
    }
    iterations
}

/// One that only a time ends has none of its own.
fn of_a_run(own: &Plan, plan: &Plan, once: bool) -> u64 {
    match (plan.world, own.time, plan.time) {
        _ if once => 1,
        (WorldKind::Simulated, None, _) => own.seeds,
        (WorldKind::Threads, Some(whole), Some(slice)) if !slice.is_zero() => {
            u64::try_from(whole.as_nanos().div_ceil(slice.as_nanos())).unwrap_or(u64::MAX)
        }
        _ => 1,
    }
}

/// Whether a fault can strike only after the end of a slice.
fn is_late(fault: &FaultPlan) -> bool {
    let slice = scenario::time(night::SLICE).expect("it is a time");
    match fault {
        FaultPlan::Delay { limit, .. } | FaultPlan::Latency { limit, .. } => {
            limit.after.is_some_and(|after| slice <= after)
        }
        FaultPlan::ShortCopy { .. }
        | FaultPlan::AbandonedFault { .. }
        | FaultPlan::IoError { .. }
        | FaultPlan::Evict { .. } => false,
    }
}

/// What is said to a scenario so that it runs in a world, and on the target.
fn changes(world: WorldKind, wanted: &Wanted<'_>) -> Vec<(String, String)> {
    let mut changes = vec![("world".to_owned(), world.name().to_owned())];
    changes.extend(
        wanted.target.and_then(|target| scenario::overrides_for(target).ok()).unwrap_or_default(),
    );
    if world == WorldKind::Threads {
        changes.push(("time".to_owned(), wanted.slice.to_owned()));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_real_filesystem_a_night_is_long_enough_once_every_fault_was_drawn() {
        for (faults, enough) in [
            ("time: 9s", 5),
            ("vary: {faults: [[{short_copy: {chance: 1%}}]]}", 5),
            ("vary: {faults: [[], [{short_copy: {chance: 1%}}]]}", 20),
            ("vary: {faults: [[], [], [], [{latency: {chance: 1%, for: 1ms}}]]}", 49),
        ] {
            let time = if faults.starts_with("time") { "" } else { "time: 9s\n" };
            let text = format!(
                "world: threads\n{time}{faults}\ntarget: {{kernel: ext4}}\nactors: [{{name: w, ops: {{write: 1}}}}]\n"
            );
            let read = |sets: &[(String, String)]| {
                scenario::parse("a", &text, &vocabulary::known(), sets).unwrap()
            };
            let (own, plan) = (read(&[]), read(&[("time".to_owned(), "2s".to_owned())]));
            assert_eq!(super::enough(&own, &plan, false), enough, "{text}");
        }
    }
}
