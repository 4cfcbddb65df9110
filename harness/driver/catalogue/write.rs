//! Buffered writes that go on with a mapping which is no longer true.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "stale-iomap-write",
        what: "A buffered write uses its mapping for as long as it covers the range. Writeback converts \
           blocks and reclaim drops their folio meanwhile; the write then takes blocks that hold \
           data for reserved or unwritten ones, and fills with zeros what it should have read.",
        fixed_by: &[
            commit("d7b64041164c", "v6.2", "iomap: write iomap validity checks"),
            commit(
                "304a68b9c63b",
                "v6.2",
                "xfs: use iomap_valid method to detect stale cached iomaps",
            ),
        ],
        fstest: &["xfs/559"],
        sets: &[("mapping_check", "never")],
        caught_by: "extents_agree_with_validated_mapping",
        scenario: scenario!("stale-iomap-write"),
    },
    Bug {
        id: "stale-iomap-zeroes-data",
        what: "The same decision as stale-iomap-write, followed to what a user sees: a write that \
               takes a block for unwritten, by a mapping that is no longer true, fills with zeros \
               what it does not cover, and an earlier write to the same block is lost.",
        fixed_by: &[
            commit("d7b64041164c", "v6.2", "iomap: write iomap validity checks"),
            commit(
                "304a68b9c63b",
                "v6.2",
                "xfs: use iomap_valid method to detect stale cached iomaps",
            ),
        ],
        fstest: &["xfs/559"],
        sets: &[("mapping_check", "never")],
        caught_by: "data_matches_model",
        scenario: scenario!("stale-iomap-zeroes-data"),
    },
    Bug {
        id: "stale-iomap-first-folio-only",
        what: "A variant of stale-iomap-write: the mapping is compared with the extent map for the \
               first folio that it is used for, and no other. It goes stale while that folio is \
               being filled.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("mapping_check", "first_folio")],
        caught_by: "extents_agree_with_validated_mapping",
        scenario: scenario!("stale-iomap-first-folio-only"),
    },
    Bug {
        id: "stale-iomap-checked-before-lock",
        what: "A variant of stale-iomap-write: the mapping is compared with the extent map before \
               the folio is locked rather than after. It goes stale while the write waits for \
               writeback to let go of the folio.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("mapping_check", "before_lock")],
        caught_by: "extents_agree_with_validated_mapping",
        scenario: scenario!("stale-iomap-checked-before-lock"),
    },
    Bug {
        id: "stale-iomap-no-bump-on-conversion",
        what: "A variant of stale-iomap-write: mappings are compared, and the completion of I/O \
               leaves the sequence counter as it is when it turns unwritten blocks into written \
               ones. Mappings that say unwritten stay valid.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("cookie", "no_conversions")],
        caught_by: "extents_agree_with_validated_mapping",
        scenario: scenario!("stale-iomap-no-bump-on-conversion"),
    },
    Bug {
        id: "stale-iomap-no-bump-on-allocation",
        what: "A variant of stale-iomap-write: mappings are compared, and writeback leaves the \
               sequence counter as it is when it gives delayed allocations their blocks. Mappings \
               that say delalloc stay valid.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("cookie", "no_allocations")],
        caught_by: "extents_agree_with_validated_mapping",
        scenario: scenario!("stale-iomap-no-bump-on-allocation"),
    },
    Bug {
        id: "unwritten-not-new",
        what: "A write into a part of an unwritten block, which was allocated before and does not \
               count as new, leaves the rest of the block unzeroed: whatever memory or the device \
               held becomes file data.",
        fixed_by: &[commit(
            "2cd8bdb5efc1",
            "v6.7",
            "ext4: mark buffer new if it is unwritten to avoid stale data exposure",
        )],
        fstest: &["generic/269"],
        sets: &[("zeroing", "new_only")],
        caught_by: "data_is_never_poison",
        scenario: scenario!("unwritten-not-new"),
    },
];
