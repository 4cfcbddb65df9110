//! What broke, in words.

use super::cast::Cast;
use super::lanes;
use crate::case;
use crate::scenario::plan::{Moment, Plan, Strike};
use oracle::{Invariant, Scope, Violation};
use serde::Serialize;
use stormfs::choices::Choices;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// The name of the invariant that does not hold.
    pub invariant: String,
    /// What should hold.
    pub sentence: String,
    /// Whether a user of the file can notice it.
    pub noticed_by_users: bool,
    /// The file, if it is about one.
    pub file: Option<String>,
    /// The bytes concerned, from and to, if it is about bytes.
    pub bytes: Option<(u64, u64)>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// The operation that was being judged.
    pub operation: Option<String>,
    /// The decisions in which the filesystem differs from the correct one.
    pub decisions: Vec<Decision>,
    /// The faults that strike.
    pub faults: Vec<String>,
    /// What brought what was found to where it was found, if that was seen.
    pub origin: Option<String>,
}

/// A decision, and what its value means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its name.
    pub name: String,
    /// The question.
    pub about: String,
    /// The value.
    pub value: String,
    /// What the value means.
    pub means: String,
    /// The value that the correct filesystem has.
    pub right: String,
    /// What that means.
    pub right_means: String,
}

impl Headline {
    /// The headline of a violation.
    pub fn of(plan: &Plan, cast: &Cast, violation: &Violation) -> Headline {
        let departures = plan.filesystem.choices.departures();
        let invariant = Invariant::named(violation.invariant);
        let about = invariant.map_or("", |invariant| invariant.about);
        Headline {
            invariant: violation.invariant.to_owned(),
            sentence: first_sentence(about),
            noticed_by_users: invariant.is_some_and(|invariant| invariant.scope == Scope::User),
            file: violation.file.map(|file| cast.file(file).to_owned()),
            bytes: violation.range.map(|range| (range.start, range.end)),
            expected: cast.named(&violation.expected),
            found: cast.named(&violation.found),
            operation: violation.operation.map(|op| cast.operation(op)),
            decisions: departures.into_iter().filter_map(decision).collect(),
            faults: plan.strikes.iter().map(|it| fault(it, cast)).collect(),
            origin: None,
        }
    }
}

/// A fault, and where it strikes if that is a place in the run.
fn fault(strike: &Strike, cast: &Cast) -> String {
    let text = lanes::strike(strike, cast);
    match strike.moment() {
        None => text,
        Some(Moment { who, operation, site, .. }) => {
            let task = cast.task(case::task(*who, cast.actors()));
            format!("{task}, in its operation {operation} at {site}: {text}")
        }
    }
}

/// A decision by its name and the name of its value.
pub fn decision((name, value): (&str, &str)) -> Option<Decision> {
    let decision = Choices::DECISIONS.iter().find(|decision| decision.name == name)?;
    let (_, means) = decision.values.iter().find(|(known, _)| *known == value)?;
    let (right, right_means) = decision.values.first()?;
    Some(Decision {
        name: name.to_owned(),
        about: decision.about.to_owned(),
        value: value.to_owned(),
        means: (*means).to_owned(),
        right: (*right).to_owned(),
        right_means: (*right_means).to_owned(),
    })
}

/// Up to the first full stop that ends a sentence, on one line.
fn first_sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}
