//! `replay --target`: scripts and cases of the model are led through a real filesystem, as far as its
//! kernel can be led.

use super::super::outcome;
use crate::cli::ReplayArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::ground::place;
use crate::interrupt::Interrupts;
use crate::real::script::{Followed, How, counted};
use crate::real::{Host, Real, storm};
use crate::scenario::plan::Plan;
use crate::scenario::{self, Report};
use crate::storm::{Orders, Storm};
use crate::{onlooker::Look, retold, vocabulary};
use mounted::{Place, Refusal};
use serde_json::{Value, json};
use sim::chance::Seed;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Steps of one file that are told of.
const SHOWN: usize = 12;

/// What is led through the target: its steps, and what they are about.
struct Led {
    file: String,
    plan: Plan,
    /// What of its schedule has no sentence.
    lost: Vec<String>,
}

/// What came of one.
struct Came {
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
    let interrupts = Interrupts::catch();
    let mut came = Vec::new();
    let refused = through(&all, &interrupts, &mut came);
    if let Some(refusal) = &refused {
        console.warn(&refusal.to_string());
    }
    if let Some(caught) = interrupts.caught() {
        return caught;
    }
    let given_up = if refused.is_some() { Exit::Environment } else { Exit::Ok };
    if came.is_empty() {
        return given_up;
    }
    let mut lines: String = came.iter().map(|one| one.line.clone() + "\n").collect();
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
fn sum(came: &[Came]) -> String {
    let hit = came.iter().filter(|one| one.json["hit"] == true).count();
    if came.len() < 2 { String::new() } else { format!("{hit} of {} hit\n", came.len()) }
}

fn read(file: &Path, args: &ReplayArgs, target: &str) -> Result<Led, Report> {
    let text = scenario::text_of(file)?;
    let file = file.display().to_string();
    let known = vocabulary::known();
    let model = scenario::parse(&file, &text, &known, &args.sets)?;
    if model.script.is_empty() && model.schedule.is_none() {
        return Err(scenario::not_a_case(&file, &text));
    }
    let elsewhere = scenario::overrides_for(target).expect("it was read before");
    let overrides: Vec<_> = elsewhere.into_iter().chain(args.sets.iter().cloned()).collect();
    let plan = scenario::parse(&file, &text, &known, &overrides)?;
    if !plan.script.is_empty() {
        return Ok(Led { file, plan, lost: Vec::new() });
    }
    let retold = retold::steps(&model);
    Ok(Led { file, plan: Plan { script: retold.steps, ..plan }, lost: retold.lost })
}

/// One filesystem for all of them, and another for those that hold its disk. Returns why some could not be
/// led at all.
fn through(all: &[Led], interrupts: &Interrupts, came: &mut Vec<Came>) -> Option<Refusal> {
    let (mut hosts, mut refused) = (Vec::new(), None);
    for led in all {
        if interrupts.caught().is_some() {
            break;
        }
        let plan = &led.plan;
        let real = host(&mut hosts, plan).and_then(|host| Real::on(plan, host));
        let real = match real {
            Ok(real) => real,
            Err(refusal) => {
                refused = Some(refusal);
                continue;
            }
        };
        let flag = Arc::clone(interrupts.flag());
        let (seed, look) = (Seed(plan.seed), Look::default());
        let orders = Orders { plan, seed, record: false, judged: true, look, interrupted: &flag };
        let storm = storm::run(orders, real, &Arc::default());
        interrupts.look();
        came.push(told(led, &storm));
    }
    refused
}

/// The filesystem that `plan` asks for, made when it is the first that does.
fn host(hosts: &mut Vec<(Place, Arc<Host>)>, plan: &Plan) -> Result<Arc<Host>, Refusal> {
    let place = place(plan).expect("`--target` names a filesystem");
    if let Some((_, host)) = hosts.iter().find(|(other, _)| *other == place) {
        return Ok(Arc::clone(host));
    }
    let host = Host::open(&place)?;
    hosts.push((place, Arc::clone(&host)));
    Ok(host)
}

fn told(led: &Led, storm: &Storm) -> Came {
    let (steered, nearby, missed) = counted(&storm.followed);
    let all = led.plan.script.len() + led.lost.len();
    let hit = missed.is_empty() && steered == all;
    let took = storm.acted;
    let words = match (hit, nearby) {
        (true, 0) => format!("hit: all {steered} steps"),
        (true, nearby) => format!("hit: all {steered} steps, {nearby} of them nearby"),
        (false, _) if missed.is_empty() && led.lost.is_empty() => {
            format!("ended after {steered} of {all} steps")
        }
        (false, _) => {
            format!("not provoked: {} of {all} steps could not be steered", all - steered)
        }
    };
    let violation = storm.violation.as_ref();
    let found = violation.map_or("nothing is violated".to_owned(), |found| {
        format!("it violates {}", found.invariant)
    });
    let line = format!("{}: {words}, in {}; {found}", led.file, milliseconds(took));
    let mut details: Vec<_> =
        storm.followed.iter().filter_map(|step| detail(&led.file, step)).collect();
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
        "steps": storm.followed.iter().map(step).collect::<Vec<_>>(),
        "lost": led.lost,
    });
    Came { line, exit, details, json }
}

/// A step that did something else than it says.
fn detail(file: &str, followed: &Followed) -> Option<String> {
    let Followed { step, text, how } = followed;
    match how {
        How::Steered(None) => None,
        How::Steered(Some(what)) => Some(format!("{file}: step {step}, {text}: {what}")),
        How::Nearby(what) => Some(format!("{file}: step {step}, {text}: nearby; {what}")),
        How::Not(why) => Some(format!("{file}: step {step}, {text}: not steered; {why}")),
    }
}

fn step(followed: &Followed) -> Value {
    let Followed { step, text, how } = followed;
    let (how, why) = match how {
        How::Steered(what) => ("steered", what.as_ref()),
        How::Nearby(what) => ("nearby", Some(what)),
        How::Not(why) => ("not steered", Some(why)),
    };
    json!({ "step": step, "text": text, "how": how, "why": why })
}

fn milliseconds(took: Duration) -> String {
    format!("{}.{} ms", took.as_micros() / 1000, took.as_micros() / 100 % 10)
}
