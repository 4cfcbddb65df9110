//! A schedule: sentences that say who goes on where the default rule says otherwise; how they are
//! read and written.

use super::fields::Read;
use super::node::Place;
use super::plan::{Switch, Who};
use super::problem::{Problem, Problems};
use super::tasks::{Names, Tasks};
use super::wording::{Flaw, Sentence, report};
use std::collections::BTreeMap;

/// The most switches of a schedule.
pub(super) const MOST_SWITCHES: usize = 1_000_000;

/// The sentences, each with what it means.
pub(super) static SWITCHES: &[(&str, &str)] = &[(
    "TASK OPERATION.POINT SITE -> TASK",
    "At that point of that operation of the first task the second goes on. An operation of an actor is a \
     call, by its `number`; points count from 1 within it. The site is what the place is called, and \
     must be the same: a lock, a wait, or a named point.",
)];

/// The switches that the sentences mean. `None`: some are wrong.
pub(super) fn plan(
    sentences: &[Read<String>],
    tasks: &Tasks,
    problems: &Problems,
) -> Option<Vec<Switch>> {
    let mut switches = Vec::new();
    let mut places = BTreeMap::new();
    for given in sentences.iter().flatten() {
        match switch(&given.value, tasks) {
            Err(flaws) => report(problems, given.place, &given.value, flaws),
            Ok(switch) => {
                let key = (switch.at.who, switch.at.operation, switch.at.point);
                if let Some(first) = places.insert(key, given.place) {
                    problems.add(twice(given.place, first));
                }
                switches.push(switch);
            }
        }
    }
    let good = switches.len() == sentences.len() && places.len() == switches.len();
    good.then_some(switches)
}

/// A switch as a sentence.
pub(super) fn sentence(names: &Names<'_>, switch: &Switch) -> String {
    names.at(&switch.at, names.who(switch.to))
}

/// Two different things cannot happen at one place.
pub(super) fn twice(later: Place, first: Place) -> Problem {
    let message = "something happens at this place already";
    let help = "remove one of the two, or correct the place";
    Problem::at(later, message).help(help).second(first, "the first")
}

fn switch(text: &str, tasks: &Tasks) -> Result<Switch, Vec<Flaw>> {
    let mut sentence = Sentence::new("switch", text);
    let at = tasks.moment(&mut sentence);
    let to: Option<Who> = at.as_ref().and_then(|_| tasks.who(&mut sentence));
    if sentence.flaws.is_empty() {
        sentence.end();
    }
    match (at, to) {
        (Some(at), Some(to)) if sentence.flaws.is_empty() => Ok(Switch { at, to }),
        _ => Err(sentence.flaws),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tasks::tests::tasks;
    use super::*;

    #[test]
    fn flaws_are_marked_where_they_stand() {
        for (text, marked, message) in [
            ("", "", "this switch is empty"),
            ("writr 1.2 x -> W", "writr", "there is no task `writr`"),
            ("many 1.2 x -> W", "many", "there is no task `many`"),
            ("W", "W", "there is no place behind `W`"),
            ("W 3 x -> M", "3", "this is no place: `3`"),
            ("W 3.x x -> M", "3.x", "this is no place: `3.x`"),
            ("W 3.99999999999 x -> M", "3.99999999999", "this is no place: `3.99999999999`"),
            ("W 4.1 x -> M", "4.1", "`W` has no such operation: `4.1`"),
            ("W 3.1 -> M", "->", "there is no name of a place before `->`"),
            ("W 3.1 folio lock", "lock", "there is no arrow behind `lock`"),
            ("W 3.1 x ->", "->", "there is no task behind `->`"),
            ("W 3.1 x -> disk-2", "disk-2", "there is no task `disk-2`"),
            ("W 3.1 x -> many-1 now", "now", "this cannot follow here: `now`"),
        ] {
            let flaws = switch(text, &tasks()).unwrap_err();
            let [flaw] = &flaws[..] else { panic!("{text}: {flaws:?}") };
            assert_eq!((&text[flaw.bytes.clone()], flaw.message.as_str()), (marked, message));
        }
        assert_eq!(switch("X 4 x -> Y", &tasks()).unwrap_err().len(), 2);
    }
}
