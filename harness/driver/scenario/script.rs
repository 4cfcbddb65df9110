//! A script: sentences that say who goes on, and how far; both stages.

use super::fields::{Fields, Given, Read};
use super::format::{MOST_ACTORS, ONLY_FILE};
use super::node::{Node, Place, Value};
use super::plan::{Layout, Step, WorldKind};
use super::problem::{Problem, Problems};
use super::raw::RawScenario;
use super::sentence::{Cast, DISK, Flaw, Reader};

/// The most steps of a script.
pub(super) const MOST_STEPS: usize = 1000;

/// The sentences as written, `None` for what is none; an empty list without a script.
pub(super) fn sentences(fields: &Fields<'_>) -> Option<Vec<Read<String>>> {
    let items = fields.items("script", 1, MOST_STEPS)?;
    let sentence = |node: &Node| {
        let Value::Text(text) = &node.value else {
            let message = format!("a step is a sentence, and this is {}", node.kind());
            let help = "write one like `run writer until write.mapped`";
            fields.report(Problem::at(node.place, message).help(help));
            return None;
        };
        Some(Given { value: text.clone(), place: node.place })
    };
    Some(items.iter().map(sentence).collect())
}

/// A script has one order of events, and nothing to draw.
pub(super) fn refuse_variations(root: &Node, problems: &Problems) {
    if let (Some(_), Some(vary)) = (root.entry("script"), root.entry("vary")) {
        let problem = Problem::at(vary.key.place, "`vary` has no meaning beside `script`");
        problems.add(problem.help("remove it: `--set` changes a value for one run"));
    }
}

/// Where a step stands, counted from 1.
pub(super) fn place(root: &Node, step: usize) -> Option<Place> {
    let Value::List(steps) = &root.entry("script")?.value.value else { return None };
    steps.get(step.checked_sub(1)?).map(|step| step.place)
}

/// The steps of a script; none without one. `None`: something is wrong with it, or with those whom
/// it could name.
pub(super) fn plan(raw: &RawScenario, problems: &Problems) -> Option<Vec<Step>> {
    let sentences = raw.script.as_ref()?;
    if sentences.is_empty() {
        return Some(Vec::new());
    }
    refuse_chance(raw, problems);
    let cast = cast(raw)?;
    let mut reader = Reader::new(&cast);
    let mut steps = Vec::new();
    let numbered = (1..).zip(sentences).filter_map(|(number, read)| Some((number, read.as_ref()?)));
    for (number, Given { value: text, place }) in numbered {
        match reader.step(number, text) {
            Ok(step) => steps.push(step),
            Err(flaws) => {
                for Flaw { bytes, message, help } in flaws {
                    problems.add(Problem::at(*place, message).part(text, bytes).help(help));
                }
            }
        }
    }
    (steps.len() == sentences.len()).then_some(steps)
}

/// Reports what a script leaves nothing to decide.
fn refuse_chance(raw: &RawScenario, problems: &Problems) {
    let refuse = |place: Place, message: &str, help: &str| {
        problems.add(Problem::at(place, message).help(help));
    };
    if let Some(Given { value: WorldKind::Threads, place }) = raw.world {
        let help = "let `world` be `simulated`: threads are scheduled by the kernel";
        refuse(place, "a script runs in the simulated world only", help);
    } else {
        if let Some(Given { value: Some(_), place }) = raw.seeds {
            let help = "remove it: a script runs once, because it leaves nothing to chance";
            refuse(place, "`seeds` has no meaning beside `script`", help);
        }
        if let Some(Given { value: Some(_), place }) = raw.strategy {
            let help = "remove one of the two: the script says who goes on";
            refuse(place, "`strategy` has no meaning beside `script`", help);
        }
        if let Some(Given { value: Some(_), place }) = raw.swarm {
            let help = "remove it: a script leaves nothing to draw";
            refuse(place, "`swarm` has no meaning beside `script`", help);
        }
        for layout in raw.files.iter().flatten().filter_map(|file| file.layout) {
            if layout.value == Layout::Any {
                let help = "write another one: a script leaves nothing to draw";
                refuse(layout.place, "`any` has no meaning beside `script`", help);
            }
        }
    }
    for actor in raw.actors.iter().flatten() {
        if let Some(place) = actor.draws {
            let help = "list what it does: `does: [write: {at: 0, size: 4KiB}]`";
            refuse(place, "an actor of a script cannot draw its operations", help);
        }
        if let Some(name) = actor.name.as_ref().filter(|name| name.value == DISK) {
            let help = "rename it: in a script this is the device";
            refuse(name.place, "an actor of a script cannot be named `disk`", help);
        }
    }
}

/// Who can be named. `None`: some name was wrong, and has been reported.
fn cast(raw: &RawScenario) -> Option<Cast> {
    let mut actors = Vec::new();
    for actor in raw.actors.as_ref()? {
        let (name, count) = (&actor.name.as_ref()?.value, actor.count?.value);
        actors.extend((0..count.min(MOST_ACTORS)).map(|nth| numbered(name, nth, count)));
    }
    let files = raw.files.as_ref()?.iter().map(|file| Some(file.name.as_ref()?.value.clone()));
    let mut files: Vec<String> = files.collect::<Option<_>>()?;
    if files.is_empty() {
        files.push(ONLY_FILE.to_owned());
    }
    Some(Cast { actors, files })
}

fn numbered(group: &str, nth: u64, count: u64) -> String {
    if count == 1 { group.to_owned() } else { format!("{group}-{nth}") }
}
