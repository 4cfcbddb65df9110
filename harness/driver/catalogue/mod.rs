//! The catalogue of bugs: what filesystems got wrong, each as the decisions that bring it back.
//!
//! A row joins what its neighbours must not know of each other: the decisions of the filesystem,
//! the invariant of the oracle that must notice, and the scenario in which both meet.

mod cleanup;
mod shared;
mod folio;
mod growth;
mod removal;
mod short_copy;
mod write;
mod size;
mod writeback;
mod zeroing;

use crate::scenario::Plan;
use crate::vocabulary;

/// One bug.
#[derive(Debug, Clone, Copy)]
pub struct Bug {
    /// Its id under `bugs:` in a scenario.
    pub id: &'static str,
    /// What the filesystem does, as facts.
    pub what: &'static str,
    /// The commits that ended it; none for a variant that no released filesystem is known by.
    pub fixed_by: &'static [Commit],
    /// The tests of fstests that exercise the same thing.
    pub fstest: &'static [&'static str],
    /// The decisions that it is made of, each with its value: first the one that it is about. The
    /// others let it show. Without the first its scenario finds nothing under the same seeds, though
    /// they may do harm of their own elsewhere.
    pub sets: &'static [(&'static str, &'static str)],
    /// The invariant that must notice it.
    pub caught_by: &'static str,
    /// The text of the scenario that shows it.
    pub scenario: &'static str,
}

/// A commit of the Linux kernel.
#[derive(Debug, Clone, Copy)]
pub struct Commit {
    /// Its abbreviated hash in the mainline repository.
    pub hash: &'static str,
    /// The first release that has it, where that is known.
    pub version: Option<&'static str>,
    /// Its subject.
    pub subject: &'static str,
}

impl Bug {
    /// Where the scenario lies in the project.
    pub fn file(&self) -> String {
        format!("scenarios/bugs/{}.yaml", self.id)
    }

    /// What the scenario means.
    pub fn plan(&self) -> Plan {
        crate::scenario::parse(&self.file(), self.scenario, &vocabulary::known(), &[])
            .unwrap_or_else(|report| panic!("the catalogue's own scenario: {report}"))
    }
}

/// Every bug, by subject.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    [
        write::BUGS,
        cleanup::BUGS,
        short_copy::BUGS,
        shared::BUGS,
        zeroing::BUGS,
        size::BUGS,
        growth::BUGS,
        removal::BUGS,
        folio::BUGS,
        writeback::BUGS,
    ]
    .into_iter()
    .flatten()
}

/// The bug of that id.
pub fn named(id: &str) -> Option<&'static Bug> {
    all().find(|bug| bug.id == id)
}

/// The text of a bug's scenario: it lies under the bug's id.
macro_rules! scenario {
    ($id:literal) => {
        include_str!(concat!("../../../scenarios/bugs/", $id, ".yaml"))
    };
}

const fn commit(hash: &'static str, version: &'static str, subject: &'static str) -> Commit {
    Commit { hash, version: Some(version), subject }
}

const fn undated(hash: &'static str, subject: &'static str) -> Commit {
    Commit { hash, version: None, subject }
}

use scenario;
