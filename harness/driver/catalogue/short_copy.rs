//! Copies from user memory that end early.

use super::{Bug, scenario, undated};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "short-copy-accepted-nonuptodate",
        what: "All of a copy that ended early is kept, although it ended inside a block that was \
               not uptodate: the block becomes uptodate and dirty, and the rest of it is whatever \
               the folio's memory held.",
        fixed_by: &[undated("3b136499e906", "ext4: fix data corruption in data=journal mode")],
        fstest: &[],
        sets: &[("short_copy", "always")],
        caught_by: "data_is_never_poison",
        scenario: scenario!("short-copy-accepted-nonuptodate"),
    },
    Bug {
        id: "short-copy-leaves-bytes",
        what: "A variant of the rule for short copies: in a folio that is uptodate only in part, \
               nothing of a copy that ended early is kept, and nothing is undone. Until the write \
               tries again, a clean block that was uptodate holds bytes that nobody accepted.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("short_copy", "if_uptodate")],
        caught_by: "folio_modified_block_is_dirty",
        scenario: scenario!("short-copy-leaves-bytes"),
    },
];
