//! The size of a file, in memory and on disk.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "append-ioend-padding",
        what: "A completed I/O raises the size on disk to the end of its last block, or to the size \
           that the file has by then. Bytes that another append has put into that block meanwhile \
           are inside the file on disk, and were never written.",
        fixed_by: &[
            commit(
                "b44679c63e4d",
                "v6.13",
                "iomap: pass byte granular end position to iomap_add_to_ioend",
            ),
            commit(
                "51d20d1dacbe",
                "v6.13",
                "iomap: fix zero padding data issue in concurrent append writes",
            ),
        ],
        fstest: &[],
        sets: &[("size_disk", "whole_blocks")],
        caught_by: "size_on_disk_covers_only_completed_io",
        scenario: scenario!("append-ioend-padding"),
    },
    Bug {
        id: "size-published-after-unlock",
        what: "A variant of a growing write that publishes i_size after it has unlocked the folio. \
               Writeback comes in between, takes the new bytes for what lies beyond the end of the \
               file, and zeroes them.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("size_update", "after_unlock")],
        caught_by: "data_matches_model",
        scenario: scenario!("size-published-after-unlock"),
    },
    Bug {
        id: "size-published-at-mapping",
        what: "A variant of a growing write that publishes i_size when it has its mapping, before \
               anything was copied. If the copy then fails the file stays as long as it would have \
               become.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("size_update", "at_mapping")],
        caught_by: "size_matches_model",
        scenario: scenario!("size-published-at-mapping"),
    },
];
