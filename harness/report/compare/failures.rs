//! Failures of two runs by signature: those that came, stayed and went.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::record::Record;

/// Signatures, sorted. What a scenario expects is no failure; a run that is not as expected and has
/// found nothing fails by the name of its verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// Only in the second run.
    pub new: Vec<String>,
    /// In both.
    pub ongoing: Vec<String>,
    /// Only in the first.
    pub resolved: Vec<String>,
}

pub(super) fn failures(a: &Record, b: &Record) -> Failures {
    let of = |record: &Record| -> BTreeSet<String> {
        let found = record.violations.iter().map(|violation| violation.signature.clone());
        match (record.verdict.as_expected, record.violations.is_empty()) {
            (true, _) => BTreeSet::new(),
            (false, true) => BTreeSet::from([record.verdict.kind.name().to_owned()]),
            (false, false) => found.collect(),
        }
    };
    let (a, b) = (of(a), of(b));
    Failures {
        new: b.difference(&a).cloned().collect(),
        ongoing: a.intersection(&b).cloned().collect(),
        resolved: a.difference(&b).cloned().collect(),
    }
}
