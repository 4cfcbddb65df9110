//! `replay --target`: scripts and cases of the model are led through a real filesystem, as far as its
//! kernel can be led. What threads have left, there or elsewhere, is run on it again.

use super::super::{lacking, outcome};
use super::told::Told;
use super::{Case, again};
use crate::cli::ReplayArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::{NoGround, venue};
use crate::interrupt::Interrupts;
use crate::real::script::Followed;
use crate::real::{Host, Real, storm};
use crate::scenario::plan::{FilePlan, Layout, Plan};
use crate::scenario::{self, Report};
use crate::storm::{Orders, Storm};
use crate::{onlooker::Look, retold, vocabulary};
use mounted::{Refusal, Venue};
use oracle::outside::UNMOUNTED;
use report::record::{LedStep, hit};
use serde_json::{Value, json};
use sim::chance::Seed;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Steps of one file that are told of.
const SHOWN: usize = 12;

/// What is led through the target: its steps, and what they are about.
struct LedPlan {
    file: String,
    plan: Plan,
    /// What of its schedule has no sentence.
    lost: Vec<String>,
}

/// What one file becomes on the target.
enum Taken {
    /// It is led through.
    Led(LedPlan),
    /// It is run as often as one wants.
    Again(Case),
}

/// What came of one.
struct Ended {
    line: String,
    exit: Exit,
    /// What a person wants to see besides.
    details: Vec<String>,
    json: Value,
}

/// Leads every file through the target, one after the other on one filesystem.
pub(super) fn replay(args: &ReplayArgs, target: &str, console: Console) -> Exit {
    let tell = |report: Report| console.raw(&report.render(console.styled));
    let read = |file: &Path| read(file, args, target).map_err(tell).ok();
    let all: Vec<_> = args.files.iter().map(|file| read(file)).collect();
    let Some(all) = all.into_iter().collect::<Option<Vec<_>>>() else { return Exit::Usage };
    if let (Some(_), Some(Taken::Led(led))) = (args.times, all.iter().find(|one| one.is_led())) {
        console
            .warn(&format!("{}: it is led, once; --times is for what threads have left", led.file));
        return Exit::Usage;
    }
    lacking::tell(all.iter().map(Taken::plan), console);
    let interrupts = Interrupts::catch();
    let mut came = Vec::new();
    let mut hosts = Hosts::default();
    let refused = through((&all, args.times), &interrupts, &mut hosts, &mut came);
    for refusal in refused.iter().map(ToString::to_string).collect::<BTreeSet<_>>() {
        console.warn(&refusal);
    }
    let caught = interrupts.caught().unwrap_or(Exit::Ok);
    let given_up = refused.iter().map(NoGround::exit).fold(caught, Exit::max);
    if came.len() == refused.len() {
        return given_up;
    }
    let mut lines: String = came.iter().map(|one| one.line.clone() + "\n").collect();
    lines += &hosts.checked;
    lines += &sum(&came);
    let json: Vec<_> = came.iter().map(|one| &one.json).collect();
    let json = serde_json::to_string_pretty(&json).expect("text and numbers are JSON") + "\n";
    let delivered = outcome::deliver(&lines, &json, args.json.as_deref(), console);
    for line in came.iter().flat_map(|one| &one.details) {
        console.say(line);
    }
    came.iter().map(|one| one.exit).fold(delivered.max(given_up), Exit::max)
}

/// How many there were, if there were several.
fn sum(came: &[Ended]) -> String {
    let hit = came.iter().filter(|one| one.json["hit"] == true).count();
    let led = came.iter().filter(|one| one.json["hit"].is_boolean()).count();
    if led < 2 { String::new() } else { format!("{hit} of {led} hit\n") }
}

impl Taken {
    fn is_led(&self) -> bool {
        matches!(self, Taken::Led(_))
    }

    fn plan(&self) -> &Plan {
        let (Taken::Led(LedPlan { plan, .. }) | Taken::Again(Case { plan, .. })) = self;
        plan
    }

    /// Whether it is led through the same filesystem.
    fn takes_place_with(&self, other: &LedPlan) -> bool {
        let venue = |led: &LedPlan| venue(&led.plan, Seed(led.plan.seed));
        matches!(self, Taken::Led(led) if venue(led) == venue(other))
    }
}

fn read(file: &Path, args: &ReplayArgs, target: &str) -> Result<Taken, Report> {
    let text = scenario::text_of(file)?;
    let file = file.display().to_string();
    let known = vocabulary::known();
    let elsewhere = scenario::overrides_for(target).expect("it was read before");
    let overrides: Vec<_> = elsewhere.into_iter().chain(args.sets.iter().cloned()).collect();
    let own = match scenario::parse(&file, &text, &known, &args.sets) {
        Ok(own) => own,
        Err(report) => {
            // Without a target it may not be what the model can do, and need not be.
            let there = scenario::parse(&file, &text, &known, &overrides);
            return match there {
                Ok(plan) if !plan.script.is_empty() => {
                    Ok(Taken::Led(LedPlan { file, plan, lost: Vec::new() }))
                }
                Ok(_) | Err(_) => Err(report),
            };
        }
    };
    let is_led = !own.script.is_empty() || own.schedule.is_some();
    let has_order = own.recorded.as_ref().is_some_and(|recorded| !recorded.order.is_empty());
    if !is_led && !own.is_real_case() && !has_order {
        let command = scenario::Command::ReplayElsewhere;
        return Err(scenario::not_for(command, (&file, &text), &own));
    }
    let plan = scenario::parse(&file, &text, &known, &overrides)?;
    if !is_led {
        let plan = left_there(plan, &own);
        return Ok(Taken::Again(Case { file, text, sets: overrides, plan }));
    }
    if !plan.script.is_empty() {
        return Ok(Taken::Led(LedPlan { file, plan, lost: Vec::new() }));
    }
    let retold = retold::steps(&own);
    Ok(Taken::Led(LedPlan { file, plan: Plan { script: retold.steps, ..plan }, lost: retold.lost }))
}

/// What threads have left, as if they had left it on the target: it is to fail as it did, and files of
/// which only the sizes are known are written.
fn left_there(plan: Plan, own: &Plan) -> Plan {
    let written = |file: &FilePlan| {
        let layout = if file.layout == Layout::Any { Layout::Written } else { file.layout };
        FilePlan { layout, ..file.clone() }
    };
    let files = plan.files.iter().map(written).collect();
    Plan { files, expect: own.expect.clone(), ..plan }
}

/// The filesystems that are in use, and what is told of those that are not any more.
#[derive(Default)]
struct Hosts {
    all: Vec<(Venue, Arc<Host>)>,
    checked: String,
}

/// One filesystem for all that are led, and another for those that hold its disk, each taken down and checked
/// after the last of its own; one for each run of what is run again. Returns why some could not be run at
/// all, once for each of them.
fn through(
    (all, times): (&[Taken], Option<u32>),
    interrupts: &Interrupts,
    hosts: &mut Hosts,
    came: &mut Vec<Ended>,
) -> Vec<NoGround> {
    let mut refused = Vec::new();
    let flag = Arc::clone(interrupts.flag());
    for (number, taken) in all.iter().enumerate() {
        if interrupts.caught().is_some() {
            break;
        }
        let ended = match taken {
            Taken::Led(led) => {
                let later = &all[number + 1..];
                let is_last = !later.iter().any(|later| later.takes_place_with(led));
                led_through((led, is_last), hosts, &flag)
            }
            Taken::Again(left) => {
                let look = || {
                    interrupts.look();
                };
                again::told(left, times, &flag, look).map(Ended::again)
            }
        };
        interrupts.look();
        match ended {
            Ok(one) => came.push(one),
            Err(refusal) => {
                came.push(Ended::refused(taken, &refusal));
                refused.push(refusal);
            }
        }
    }
    refused
}

fn led_through(
    (led, is_last): (&LedPlan, bool),
    hosts: &mut Hosts,
    interrupted: &Arc<AtomicBool>,
) -> Result<Ended, NoGround> {
    let plan = &*led.plan.under(Seed(led.plan.seed));
    let host = hosts.host(plan).map_err(NoGround::Real)?;
    if is_last {
        // Who has it alone takes it down, and looks at what lies on its device.
        hosts.all.retain(|(_, other)| !Arc::ptr_eq(other, &host));
    }
    let real = Real::on(plan, host).map_err(NoGround::Real)?;
    let detail = real.detail().to_owned();
    let (seed, look) = (Seed(plan.seed), Look::default());
    let orders = Orders { plan, seed, record: false, judged: true, look, interrupted };
    let storm = storm::run(orders, real, &Arc::default()).map_err(NoGround::Real)?.or_failed()?;
    if UNMOUNTED.iter().any(|name| storm.tally.invariants.get(name).is_some_and(|n| 0 < *n)) {
        hosts.checked.extend([&detail, ": unmounted, and looked at by its own check\n"]);
    }
    Ok(told(led, &storm))
}

impl Ended {
    /// It could not be run at all.
    fn refused(taken: &Taken, why: &NoGround) -> Ended {
        let (Taken::Led(LedPlan { file, .. }) | Taken::Again(Case { file, .. })) = taken;
        let hit = taken.is_led().then_some(false);
        let json = json!({ "file": file, "hit": hit, "refused": why.to_string() });
        let line = format!("{file}: it could not be run: {why}");
        Ended { line, exit: why.exit(), details: Vec::new(), json }
    }

    fn again(told: Told) -> Ended {
        Ended { line: told.line, exit: told.exit, details: Vec::new(), json: told.json }
    }
}

impl Hosts {
    /// The filesystem that `plan` asks for, made when it is the first that does.
    fn host(&mut self, plan: &Plan) -> Result<Arc<Host>, Refusal> {
        let venue = venue(plan, Seed(plan.seed)).expect("`--target` names a filesystem");
        if let Some((_, host)) = self.all.iter().find(|(other, _)| *other == venue) {
            return Ok(Arc::clone(host));
        }
        let host = Host::open(&venue)?;
        self.all.push((venue, Arc::clone(&host)));
        Ok(host)
    }
}

fn told(led: &LedPlan, storm: &Storm) -> Ended {
    let steps: Vec<LedStep> = storm.followed.iter().map(Followed::recorded).collect();
    let (hit, words) = hit(&steps, led.plan.script.len(), led.lost.len());
    let took = storm.acted;
    let violation = storm.violation.as_ref();
    let found = violation.map_or("nothing is violated".to_owned(), |found| {
        format!("it violates {}", found.invariant)
    });
    let line = format!("{}: {words}, in {}; {found}", led.file, milliseconds(took));
    let remarks = steps.iter().filter_map(LedStep::remark);
    let mut details: Vec<_> = remarks.map(|told| format!("{}: {told}", led.file)).collect();
    details.extend(led.lost.iter().map(|lost| format!("{}: {lost}", led.file)));
    if SHOWN < details.len() {
        let more = details.split_off(SHOWN).len();
        details.push(format!("{}: and {more} more, which --json tells", led.file));
    }
    if let Some(found) = violation {
        details.push(format!("{}: {found}", led.file));
        details.extend(found.strip.lines().map(|line| format!("  {line}")));
    }
    let exit = if hit && violation.is_none() { Exit::Ok } else { Exit::Failed };
    let json = json!({
        "file": led.file,
        "hit": hit,
        "told": words,
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "violation": violation.map(|found| json!({
            "invariant": found.invariant, "told": found.to_string(), "strip": found.strip,
        })),
        "steps": steps,
        "lost": led.lost,
    });
    Ended { line, exit, details, json }
}

fn milliseconds(took: Duration) -> String {
    format!("{}.{} ms", took.as_micros() / 1000, took.as_micros() / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_run_is_told_with_its_own_reason() {
        let text = "world: threads\nops: 9\ntarget: {directory: /not/used}\n\
                    files: [{name: a}]\nactors: [{name: w, ops: {write: 1}}]\n";
        let Ok(plan) = scenario::parse("a.yaml", text, &vocabulary::known(), &[]) else {
            panic!("{text}")
        };
        let taken = Taken::Led(LedPlan { file: "a.yaml".to_owned(), plan, lost: Vec::new() });
        let why = NoGround::Real(Refusal::told("a disk", "it is not there", "bring one"));
        let ended = Ended::refused(&taken, &why);
        assert_eq!(ended.exit, Exit::Environment);
        assert!(ended.line.starts_with("a.yaml: it could not be run: "), "{}", ended.line);
        assert!(ended.line.ends_with("a disk: it is not there; bring one"), "{}", ended.line);
        assert_eq!((&ended.json["file"], &ended.json["hit"]), (&json!("a.yaml"), &json!(false)));
        assert_eq!(sum(&[ended]), "");
    }
}
