//! Copies from user memory that end early.

use super::{Bug, commit, scenario, undated};

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
    Bug {
        id: "short-copy-retry-livelock",
        what: "A copy that ended early and was not kept is tried again with as many bytes as \
               before. Where the source cannot be read it ends at the same byte again, and the \
               write never does. LTP writev07 shows it.",
        fixed_by: &[commit("3ac974796e5d", "v6.6", "iomap: fix short copy in iomap_write_iter()")],
        fstest: &[],
        sets: &[("short_copy_retry", "full_count")],
        caught_by: "progress_is_made",
        scenario: scenario!("short-copy-retry-livelock"),
    },
    Bug {
        id: "zero-length-dirty-range",
        what: "A copy of no bytes into an uptodate folio runs the helper that marks a range dirty. \
               Its last block is that of the byte before the first: at the start of the folio the \
               number wraps and marks everything, at the start of a block it marks nothing, and \
               the folio's own flag is set in each case.",
        fixed_by: &[commit(
            "9c7d8f7c8994",
            "v7.2",
            "iomap: fix out-of-bounds bitmap_set() with zero-length range",
        )],
        fstest: &[],
        sets: &[("empty_copy", "marks_last_block")],
        caught_by: "folio_bits_are_consistent",
        scenario: scenario!("zero-length-dirty-range"),
    },
];
