//! The size of a file, in memory and on disk.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[Bug {
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
}];
