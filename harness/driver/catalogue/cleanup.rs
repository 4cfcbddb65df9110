//! What a write does with the delayed allocation it reserved and did not fill.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "punch-truncates-pagecache",
        what: "A write that falls short gives its whole reservation back, and drops the page cache \
               over it first, without invalidate_lock: data that page faults have put there \
               before the drop is lost, and what they put there after it loses its reservation.",
        fixed_by: &[commit(
            "f43dc4dc3eff",
            "v6.2",
            "iomap: buffered write failure should not truncate the page cache",
        )],
        fstest: &["generic/344", "generic/346"],
        sets: &[("write_cleanup", "whole_range")],
        caught_by: "folio_dirty_block_has_backing",
        scenario: scenario!("punch-truncates-pagecache"),
    },
    Bug {
        id: "punch-truncates-pagecache-locked",
        what: "A variant of punch-truncates-pagecache that holds invalidate_lock exclusively: no \
               page fault comes in between, and what came before is lost all the same.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("write_cleanup", "whole_range_locked")],
        caught_by: "data_matches_model",
        scenario: scenario!("punch-truncates-pagecache-locked"),
    },
    Bug {
        id: "punch-without-invalidate-lock",
        what: "A write that falls short walks the page cache and punches what it finds clean, \
               without invalidate_lock. Between the look and the punch a page fault dirties the \
               block: dirty data is left without a reservation.",
        fixed_by: &[commit(
            "198dd8aedee6",
            "v6.2",
            "xfs: punching delalloc extents on write failure is racy",
        )],
        fstest: &[],
        sets: &[("write_cleanup", "cache_walk_unlocked")],
        caught_by: "folio_dirty_block_has_backing",
        scenario: scenario!("punch-without-invalidate-lock"),
    },
    Bug {
        id: "rfc-new-stale-skip",
        what: "A variant that a patch series of September 2022 had and that was never merged: a \
               new mapping that was found stale releases nothing, on the grounds that the write \
               maps the range again. If the write then ends there, the reservation stays without \
               dirty data, and nothing will ever convert it.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("write_cleanup", "skip_if_stale")],
        caught_by: "extents_delalloc_is_flushable",
        scenario: scenario!("rfc-new-stale-skip"),
    },
    Bug {
        id: "rfc-new-stale-carried",
        what: "A variant of rfc-new-stale-skip, of the same series: the mapping made after a stale \
               one counts as new whatever it covers, so that the write gives back reservations \
               that others made, and drops the data over them.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("write_cleanup", "skip_if_stale_carry_new")],
        caught_by: "data_matches_model",
        scenario: scenario!("rfc-new-stale-carried"),
    },
    Bug {
        id: "punch-keeps-post-eof-dirty",
        what: "A variant of the walk through the page cache: it looks for dirty data up to the end \
               of the write rather than of the file. A fault on the last folio has dirtied blocks \
               beyond the end of the file; the reservation under them is kept, and writeback will \
               never convert it.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("walk_end", "end_of_write")],
        caught_by: "extents_delalloc_beyond_eof_is_tagged",
        scenario: scenario!("punch-keeps-post-eof-dirty"),
    },
    Bug {
        id: "scan-offset-wrap",
        what: "The walk through the page cache computes the offset of the next folio in a type that \
               is too narrow, and beyond the wrap it begins again: at 4 GiB with 32 bits; here at \
               1 MiB, with an 8-bit page index.",
        fixed_by: &[
            commit(
                "eee2d2e6ea55",
                "v6.6",
                "iomap: Fix possible overflow condition in iomap_write_delalloc_scan",
            ),
            commit(
                "c13094b894de",
                "v6.13",
                "iomap: avoid avoid truncating 64-bit offset to 32 bits",
            ),
        ],
        fstest: &[],
        sets: &[("walk_index", "wraps")],
        caught_by: "progress_is_made",
        scenario: scenario!("scan-offset-wrap"),
    },
    Bug {
        id: "mkwrite-runs-iomap-end",
        what: "Page faults map their blocks with the operations of buffered writes. A write fault \
               that is given up once its blocks are reserved runs the end hook of a write, and that \
               drops the page cache over them: it waits for the lock of the folio that the fault \
               holds, or before that for invalidate_lock, if the clean-up takes it.",
        fixed_by: &[commit(
            "118e021b4b66",
            "v6.2",
            "xfs: write page faults in iomap are not buffered writes",
        )],
        fstest: &["generic/344", "generic/346"],
        sets: &[("fault_ops", "buffered_write")],
        caught_by: "progress_keeps_the_lock_order",
        scenario: scenario!("mkwrite-runs-iomap-end"),
    },
    Bug {
        id: "zero-punch-self-deadlock",
        what: "A variant of what XFS did over reservations in its COW fork: zeroing runs the end hook \
               of a write when its mapping has gone stale, and the hook takes invalidate_lock, which \
               whoever zeroes holds already. Zeroing reserves nothing here, so this one takes the \
               lock before it asks whose the reservation is.",
        fixed_by: &[
            commit(
                "b78495166264",
                "v6.12",
                "iomap: move locking out of iomap_write_delalloc_release",
            ),
            commit("acfbac776496", "v6.12", "xfs: take XFS_MMAPLOCK_EXCL xfs_file_write_zero_eof"),
            commit(
                "abd7d651ad2c",
                "v6.12",
                "xfs: IOMAP_ZERO and IOMAP_UNSHARE already hold invalidate_lock",
            ),
        ],
        fstest: &[],
        sets: &[("zero_cleanup", "takes_lock")],
        caught_by: "progress_keeps_the_lock_order",
        scenario: scenario!("zero-punch-self-deadlock"),
    },
];
