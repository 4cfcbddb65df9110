//! A script: sentences that say who goes on, and how far.

use super::explicit::{SCRIPT, refuse_chance};
use super::fields::Given;
use super::format::{MOST_ACTORS, ONLY_FILE};
use super::plan::Step;
use super::problem::{Problem, Problems};
use super::raw::RawScenario;
use super::sentence::{Cast, DISK, Reader};
use super::target::RawTarget;
use super::wording::report;

/// The most steps of a script.
pub(super) const MOST_STEPS: usize = 1000;

/// The steps of a script; none without one. `None`: something is wrong with it, or with those whom
/// it could name.
pub(super) fn plan(raw: &RawScenario, problems: &Problems) -> Option<Vec<Step>> {
    let sentences = raw.script.as_ref()?;
    if sentences.is_empty() {
        return Some(Vec::new());
    }
    refuse_chance(raw, SCRIPT, problems);
    refuse_disk(raw, problems);
    let cast = cast(raw)?;
    let mut reader = Reader::new(&cast);
    let mut steps = Vec::new();
    let numbered = (1..).zip(sentences).filter_map(|(number, read)| Some((number, read.as_ref()?)));
    for (number, Given { value: text, place }) in numbered {
        match reader.step(number, text) {
            Ok(step) => steps.push(step),
            Err(flaws) => report(problems, *place, text, flaws),
        }
    }
    (steps.len() == sentences.len()).then_some(steps)
}

/// An actor cannot be named as the device is.
fn refuse_disk(raw: &RawScenario, problems: &Problems) {
    for actor in raw.actors.iter().flatten() {
        if let Some(name) = actor.name.as_ref().filter(|name| name.value == DISK) {
            let help = "rename it: in a script this is the device";
            let message = "an actor of a script cannot be named `disk`";
            problems.add(Problem::at(name.place, message).help(help));
        }
    }
}

/// Who can be named. `None`: some name was wrong, and has been reported.
fn cast(raw: &RawScenario) -> Option<Cast> {
    let (mut actors, mut lists) = (Vec::new(), Vec::new());
    for actor in raw.actors.as_ref()? {
        let calls = actor.listed();
        let (name, count) = (&actor.name.as_ref()?.value, actor.count?.value);
        let members = (0..count.min(MOST_ACTORS)).map(|nth| numbered(name, nth, count));
        for member in members {
            actors.push(member);
            lists.push(calls.clone());
        }
    }
    let files = raw.files.as_ref()?.iter().map(|file| Some(file.name.as_ref()?.value.clone()));
    let mut files: Vec<String> = files.collect::<Option<_>>()?;
    if files.is_empty() {
        files.push(ONLY_FILE.to_owned());
    }
    let is_real = raw.target.as_ref().is_some_and(RawTarget::is_real);
    Some(Cast { actors, lists, files, is_real })
}

fn numbered(group: &str, nth: u64, count: u64) -> String {
    if count == 1 { group.to_owned() } else { format!("{group}-{nth}") }
}
