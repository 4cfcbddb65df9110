//! Writeback and its completions.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "clear-dirty-before-mkclean",
        what: "Writeback clears a folio's dirty flag, and reads it for I/O, before it write-protects \
           the PTEs that map it. A store in between sets no flag: the folio is clean, and the \
           store is lost when it is dropped.",
        fixed_by: &[commit(
            "7658cc289288",
            "v2.6.20",
            "VM: Fix nasty and subtle race in shared mmap'ed page writeback",
        )],
        fstest: &[],
        sets: &[("clean_order", "clear_then_protect")],
        caught_by: "folio_clean_means_write_protected",
        scenario: scenario!("clear-dirty-before-mkclean"),
    },
    Bug {
        id: "wb-map-not-revalidated",
        what: "Writeback maps a long extent once, and uses the mapping for as long as it covers the \
               folios that follow. In between the file is truncated and written again: I/O goes to \
               blocks that the file no longer owns.",
        fixed_by: &[
            commit(
                "d9252d526ba6",
                "v5.1",
                "xfs: validate writeback mapping using data fork seq counter",
            ),
            commit(
                "c2b3164320b5",
                "v5.1",
                "xfs: use the latest extent at writeback delalloc conversion time",
            ),
        ],
        fstest: &["generic/464"],
        sets: &[("writeback_mapping", "while_it_covers")],
        caught_by: "extents_agree_with_submitted_io",
        scenario: scenario!("wb-map-not-revalidated"),
    },
    Bug {
        id: "delalloc-direct-to-written",
        what: "Writeback turns delayed allocations into written extents when it allocates them, \
               also where no I/O is about to go: those blocks read as what the device held before.",
        fixed_by: &[commit(
            "a5949d3faedf",
            "v5.8",
            "xfs: force writes to delalloc regions to unwritten",
        )],
        fstest: &["generic/042"],
        sets: &[("allocation", "written")],
        caught_by: "data_is_never_poison",
        scenario: scenario!("delalloc-direct-to-written"),
    },
];
