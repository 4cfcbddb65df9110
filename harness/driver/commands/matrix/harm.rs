//! What a breach costs, in two words: the table from invariants to cells.

use oracle::pattern::Origin;
use oracle::{Invariant, Scope, Violation};

/// What became of a scenario, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Harm {
    /// Folios or extents contradict one another.
    WrongState,
    /// Space is promised or held for nobody.
    LeaksSpace,
    /// A file has a size that no order of the operations explains.
    WrongSize,
    /// A call returns what it has no reason for, or keeps an error to itself.
    WrongResult,
    /// Operations keep each other from getting on, for as long as they take turns.
    MayHang,
    /// An operation does not end.
    Hangs,
    /// The filesystem stops at an assertion of its own.
    Panics,
    /// Memory that nobody initialised became contents of a file.
    LeaksMemory,
    /// A block's or a page's old contents became contents of a file.
    Exposes,
    /// A file has bytes that no order of the operations explains.
    LosesData,
}

impl Harm {
    /// Every harm, in the order of the legend.
    pub(super) const ALL: [Harm; 10] = [
        Harm::LosesData,
        Harm::Exposes,
        Harm::LeaksMemory,
        Harm::WrongSize,
        Harm::WrongResult,
        Harm::Hangs,
        Harm::MayHang,
        Harm::Panics,
        Harm::LeaksSpace,
        Harm::WrongState,
    ];

    /// The words of a cell.
    pub(super) fn name(self) -> &'static str {
        match self {
            Harm::WrongState => "wrong state",
            Harm::LeaksSpace => "leaks space",
            Harm::WrongSize => "wrong size",
            Harm::WrongResult => "wrong result",
            Harm::MayHang => "may hang",
            Harm::Hangs => "hangs",
            Harm::Panics => "panics",
            Harm::LeaksMemory => "leaks memory",
            Harm::Exposes => "exposes",
            Harm::LosesData => "loses data",
        }
    }

    /// What the words mean.
    pub(super) fn about(self) -> &'static str {
        match self {
            Harm::WrongState => "page cache and extents contradict each other; no user noticed",
            Harm::LeaksSpace => "space stays promised or allocated for nobody; no user noticed",
            Harm::WrongSize => "a size that no order of the operations explains",
            Harm::WrongResult => "a call returned what it has no reason for",
            Harm::MayHang => "operations undo each other's progress for as long as they take turns",
            Harm::Hangs => "an operation waits for ever, or for a lock that it holds itself",
            Harm::Panics => "the filesystem stopped at an assertion of its own",
            Harm::LeaksMemory => "memory that nobody initialised is read from a file",
            Harm::Exposes => {
                "old contents of a block, or bytes beyond the end, are read from a file"
            }
            Harm::LosesData => "lost or wrong bytes are read from a file",
        }
    }

    /// What that violation is.
    pub(super) fn of(violation: &Violation) -> Harm {
        let named = HARMS.iter().find(|(name, _)| *name == violation.invariant);
        let invariant = Invariant::named(violation.invariant);
        let by_a_user = invariant.is_some_and(|invariant| invariant.scope == Scope::User);
        let harm = match named {
            Some((_, harm)) => *harm,
            None if by_a_user => Harm::LosesData,
            None => Harm::WrongState,
        };
        // Wherever a wrong byte was noticed, it may say that it was never anybody's data.
        let shows = |origin: Origin| violation.found.contains(&origin.to_string());
        if harm < Harm::LeaksMemory {
            harm
        } else if shows(Origin::FolioPoison) {
            Harm::LeaksMemory
        } else if shows(Origin::DevicePoison) {
            Harm::Exposes
        } else {
            harm
        }
    }
}

/// Invariants whose breach is neither loss of data, if a user notices it, nor wrong state, if not.
const HARMS: &[(&str, Harm)] = &[
    ("data_exposed_by_growth_is_zero", Harm::Exposes),
    ("data_is_never_poison", Harm::Exposes),
    ("size_matches_model", Harm::WrongSize),
    ("extents_delalloc_is_flushable", Harm::LeaksSpace),
    ("extents_delalloc_beyond_eof_is_tagged", Harm::LeaksSpace),
    ("extents_below_eof_are_allocated_after_sync", Harm::LeaksSpace),
    ("extents_beyond_eof_were_asked_for", Harm::LeaksSpace),
    ("space_adds_up", Harm::LeaksSpace),
    ("space_promised_is_there", Harm::LeaksSpace),
    ("results_are_justified", Harm::WrongResult),
    ("results_report_writeback_errors", Harm::WrongResult),
    ("progress_is_made", Harm::Hangs),
    ("progress_despite_stale_mappings", Harm::MayHang),
    ("progress_keeps_the_lock_order", Harm::Hangs),
    ("progress_without_panic", Harm::Panics),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(invariant: &'static str, found: &str) -> Violation {
        let (expected, strip) = (String::new(), String::new());
        let (file, range, operation) = (None, None, None);
        Violation { invariant, file, range, expected, found: found.to_owned(), operation, strip }
    }

    #[test]
    fn the_table_names_invariants_that_exist_and_each_once() {
        for (at, (name, _)) in HARMS.iter().enumerate() {
            assert!(Invariant::named(name).is_some(), "{name}");
            assert!(HARMS[..at].iter().all(|(other, _)| other != name), "{name} stands twice");
        }
    }

    #[test]
    fn a_breach_is_named_after_what_it_costs() {
        for (invariant, found, harm) in [
            ("data_matches_model", "0x41, written by 1.2 (lost)", Harm::LosesData),
            ("data_survives_eviction", "0x00, zero (lost)", Harm::LosesData),
            (
                "data_is_never_poison",
                "0xa5, uninitialised folio memory (garbage)",
                Harm::LeaksMemory,
            ),
            ("data_survives_eviction", "0x5a, a device block never written", Harm::Exposes),
            ("folio_dirty_block_has_backing", "a hole", Harm::WrongState),
            ("space_adds_up", "3 blocks", Harm::LeaksSpace),
        ] {
            assert_eq!(Harm::of(&violation(invariant, found)), harm, "{invariant}: {found}");
        }
    }
}
