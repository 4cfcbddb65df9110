//! Where a reproducer comes from, and what it did there.

use super::fields::{Fields, Given, Read};
use super::format::key;
use super::keys::{Fallback, Kind, Shape};
use super::plan::{Recorded, Turn, Who};
use super::problem::{Problem, Problems};
use super::tasks::{Names, Tasks, bytes};
use super::values;
use super::wording::{Flaw, Sentence, report};

/// The keys of `recorded`.
pub(super) static RECORDED: Shape = Shape {
    what: "`recorded`",
    decisions: false,
    keys: &[
        key("version", "The version of Pagestorm that ran it.", Fallback::Required, Kind::Prose),
        key("from", "The scenario that it was found with.", Fallback::Required, Kind::Prose),
        key("seed", "The seed under which it was found.", Fallback::Required, Kind::Seed),
        key(
            "trace",
            "The hash of what happened, in its order.",
            Fallback::Rule("none, of threads"),
            Kind::Seed,
        ),
        key(
            "points",
            "How many scheduling points were passed.",
            Fallback::Rule("none, of threads"),
            Kind::Number { min: 0, max: u64::MAX },
        ),
        key(
            "order",
            "In which order the calls of threads began, each with the size of its file then, and ended. \
             `pagestorm replay` looks for the failure in the simulated world, around that order.",
            Fallback::Rule("none, of a simulation"),
            Kind::Sentences {
                what: "turn",
                example: "writer 3 begins on 4096",
                pattern: r"^\s*\S+\s+[0-9]+\s+(ends|begins\s+on\s+\S+)\s*$",
                min: 1,
                max: MOST_TURNS,
            },
        ),
    ],
};

/// The most turns of an order.
const MOST_TURNS: usize = 100_000;

/// What is recorded, as written.
#[derive(Clone)]
pub(super) struct RawRecorded {
    recorded: Recorded,
    order: Vec<Read<String>>,
}

/// Reads it, if it is there.
pub(super) fn recorded(fields: &Fields<'_>) -> Read<Option<RawRecorded>> {
    if fields.given("recorded").is_none() {
        return Some(Given { value: None, place: fields.place });
    }
    let keys = fields.mapping("recorded")?;
    let (version, from) = (keys.read("version", values::prose), keys.read("from", values::prose));
    let (seed, order) = (keys.read("seed", values::seed), keys.sentences("order"));
    let (trace, points) = (keys.maybe("trace", values::seed), keys.maybe("points", values::number));
    if keys.given("order").is_none() {
        for name in ["trace", "points"].into_iter().filter(|name| keys.given(name).is_none()) {
            let message = format!("`recorded` of a simulation has no `{name}`");
            let help = "add it, or remove `recorded`: then only what is expected is compared";
            keys.report(Problem::at(keys.place, message).help(help));
        }
    }
    let recorded = Recorded {
        version: version?.value,
        from: from?.value,
        seed: seed?.value,
        trace_hash: trace?.value.unwrap_or(0),
        points: points?.value.unwrap_or(0),
        order: Vec::new(),
    };
    let value = Some(RawRecorded { recorded, order: order? });
    Some(Given { value, place: keys.place })
}

/// What is recorded, with its order among these tasks. `None`: some of it is wrong.
pub(super) fn plan(raw: RawRecorded, tasks: &Tasks, problems: &Problems) -> Option<Recorded> {
    let RawRecorded { recorded, order } = raw;
    let turn = |given: &Read<String>| {
        let Given { value: text, place } = given.as_ref()?;
        let turn = turn(text, tasks);
        turn.map_err(|flaws| report(problems, *place, text, flaws)).ok()
    };
    let turns: Vec<_> = order.iter().map(turn).collect();
    Some(Recorded { order: turns.into_iter().collect::<Option<_>>()?, ..recorded })
}

fn turn(text: &str, tasks: &Tasks) -> Result<Turn, Vec<Flaw>> {
    let mut sentence = Sentence::new("turn", text);
    let turn = read(&mut sentence, tasks);
    if sentence.flaws.is_empty() {
        sentence.end();
    }
    turn.filter(|_| sentence.flaws.is_empty()).ok_or(sentence.flaws)
}

fn read(sentence: &mut Sentence<'_>, tasks: &Tasks) -> Option<Turn> {
    let (actor, operation) = tasks.call(sentence)?;
    let word = sentence.next("something is missing behind", "`ends`, or `begins on BYTES`")?;
    let begins_on = match word.text {
        "ends" => None,
        "begins" => {
            sentence.expect("on", "say how large the file is: `begins on 4096`")?;
            Some(bytes(sentence)?)
        }
        _ => {
            let help = "it `ends`, or it `begins on BYTES`".to_owned();
            return sentence.flaw(&word, "no call does that:", help);
        }
    };
    Some(Turn { actor, operation, begins_on })
}

/// A turn as a sentence.
pub(super) fn sentence(names: &Names<'_>, turn: &Turn) -> String {
    let Turn { actor, operation, begins_on } = *turn;
    let who = names.who(Who::Actor(actor));
    match begins_on {
        None => format!("{who} {operation} ends"),
        Some(size) => format!("{who} {operation} begins on {size}"),
    }
}
