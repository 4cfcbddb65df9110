//! Buffered writes that go on with a mapping which is no longer true.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[Bug {
    id: "stale-iomap-write",
    what: "A buffered write uses its mapping for as long as it covers the range. Writeback converts \
           blocks and reclaim drops their folio meanwhile; the write then takes blocks that hold \
           data for reserved or unwritten ones, and fills with zeros what it should have read.",
    fixed_by: &[
        commit("d7b64041164c", "v6.2", "iomap: write iomap validity checks"),
        commit("304a68b9c63b", "v6.2", "xfs: use iomap_valid method to detect stale cached iomaps"),
    ],
    fstest: &["xfs/559"],
    sets: &[("mapping_check", "never")],
    caught_by: "extents_agree_with_validated_mapping",
    scenario: scenario!("stale-iomap-write"),
}];
