//! Truncate and punch: what is removed, in which order, and who may come in between.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "truncate-flush-before-cache-drop",
        what: "A truncate that shrinks writes the new last block back before it drops the page \
               cache beyond the new end: the tail goes to disk as it was, and is zeroed in the \
               cache only.",
        fixed_by: &[commit(
            "350976ae2187",
            "v4.15",
            "xfs: truncate pagecache before writeback in xfs_setattr_size()",
        )],
        fstest: &["generic/469"],
        sets: &[("truncate_order", "flush_size_cache_free"), ("zero_range", "skips_unwritten")],
        caught_by: "data_beyond_eof_on_disk_is_zero",
        scenario: scenario!("truncate-flush-before-cache-drop"),
    },
    Bug {
        id: "truncate-frees-before-cache-drop",
        what: "A variant of truncate that frees extents before it has dropped the page cache over \
               them and waited for its I/O: writeback goes on into blocks that are free.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("truncate_order", "size_free_cache_flush")],
        caught_by: "extents_agree_with_submitted_io",
        scenario: scenario!("truncate-frees-before-cache-drop"),
    },
    Bug {
        id: "partial-punch-keeps-writable-pte",
        what: "A punch zeroes in place the page of which it frees a block, and leaves its PTEs \
               writable. The next store through one needs no fault, and reaches a block that has \
               no backing.",
        fixed_by: &[commit(
            "17207d0bb209",
            "v6.14",
            "ext4: remove writable userspace mappings before truncating page cache",
        )],
        fstest: &["generic/567", "generic/758"],
        sets: &[("partial_punch", "keeps_pte")],
        caught_by: "folio_modified_block_is_dirty",
        scenario: scenario!("partial-punch-keeps-writable-pte"),
    },
    Bug {
        id: "zero-range-eof-folio-stale",
        what: "A punch or zero range up to the end of the file zeroes its range in the last page, and \
               leaves the page where it is, mapped and unwritten: what mappings have stored behind \
               the end stays to be seen. xfs_free_file_space writes the page back for this \
               reason.",
        fixed_by: &[],
        fstest: &["generic/127"],
        sets: &[("punch_eof", "left_in_place")],
        caught_by: "data_beyond_eof_is_zero_after_zeroing",
        scenario: scenario!("zero-range-eof-folio-stale"),
    },
    Bug {
        id: "read-instantiation-vs-punch",
        what: "Page faults bring folios into the cache without invalidate_lock. A punch has \
               dropped the cache of its range and not yet freed the blocks: a fault reads one of \
               them back, and its old contents stay in the cache over the hole.",
        fixed_by: &[commit(
            "730633f0b7f9",
            "v5.15",
            "mm: Protect operations adding pages to page cache with invalidate_lock",
        )],
        fstest: &[],
        sets: &[("fault_lock", "none")],
        caught_by: "data_matches_model",
        scenario: scenario!("read-instantiation-vs-punch"),
    },
];
