//! Folios of which only some blocks are known, dirty or cut.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "adjust-read-range",
        what: "A variant of reading the wrong blocks into a folio: from its first missing block to \
               its last, over blocks between them that are uptodate. Where those are dirty, what the \
               device holds replaces what was written.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("read_run", "first_to_last")],
        caught_by: "data_matches_model",
        scenario: scenario!("adjust-read-range"),
    },
    Bug {
        id: "partial-dirty-clear-range",
        what: "When a part of a folio is dropped, the dirty bits of all blocks that the part \
               touches are cleared, also of those that it covers only in part: what was written \
               before the cut is never written back.",
        fixed_by: &[commit(
            "88c265153131",
            "v7.2",
            "iomap: correct the range of a partial dirty clear",
        )],
        fstest: &[],
        sets: &[("partial_drop", "touched_blocks")],
        caught_by: "folio_modified_block_is_dirty",
        scenario: scenario!("partial-dirty-clear-range"),
    },
];
