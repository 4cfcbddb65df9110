//! Bugs that are switched on: the decisions that they set, and who contradicts them.

use super::fields::Given;
use super::problem::{Problem, Problems};
use crate::catalogue::Bug;
use stormfs::choices::Choices;

/// `choices` with the decisions of every bug. `written` are the decisions of the scenario itself.
pub(super) fn throw(
    mut choices: Choices,
    written: &[(&str, Given<String>)],
    bugs: &[Given<&Bug>],
    problems: &Problems,
) -> Choices {
    for (nth, bug) in bugs.iter().enumerate() {
        for (decision, value) in bug.value.sets {
            let said = written.iter().find(|(name, said)| name == decision && said.value != *value);
            if let Some((_, said)) = said {
                problems.add(against_decision(bug, (decision, value), said));
            }
            for other in &bugs[..nth] {
                let set = other.value.sets.iter().find(|(name, _)| name == decision);
                if let Some((_, set)) = set.filter(|(_, set)| set != value) {
                    problems.add(against_bug(bug, other, &[decision, value, set]));
                }
            }
            assert!(choices.set(decision, value), "the catalogue knows the filesystem's decisions");
        }
    }
    choices
}

fn against_decision(
    bug: &Given<&Bug>,
    (decision, value): (&str, &str),
    said: &Given<String>,
) -> Problem {
    let id = bug.value.id;
    let message = format!("`{id}` sets `{decision}` to `{value}`, and `filesystem` to another");
    Problem::at(bug.place, message)
        .help(format!("remove `{decision}` from `filesystem`, or `{id}` from `bugs`"))
        .second(said.place, format!("`{decision}` is `{}` here", said.value))
}

fn against_bug(bug: &Given<&Bug>, other: &Given<&Bug>, names: &[&str; 3]) -> Problem {
    let (id, other_id) = (bug.value.id, other.value.id);
    let [decision, value, set] = names;
    let message = format!("`{id}` sets `{decision}` to `{value}`, and `{other_id}` to `{set}`");
    Problem::at(bug.place, message)
        .help("one filesystem decides one way: run the two after each other")
        .second(other.place, format!("`{other_id}` is switched on here"))
}
