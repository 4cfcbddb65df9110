//! Buffered writes that hold `i_rwsem` shared.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "lockless-buffered-writes",
        what: "Buffered writes run beside each other, and nothing keeps two apart that touch the \
               same blocks: one that falls short gives back the reservation over which another has \
               put data.",
        fixed_by: &[commit("e3e694094091", "v6.11", "bcachefs: Revert lockless buffered IO path")],
        fstest: &[],
        sets: &[("write_range", "unlocked"), ("write_lock", "shared")],
        caught_by: "folio_dirty_block_has_backing",
        scenario: scenario!("lockless-buffered-writes"),
    },
    Bug {
        id: "both-mappings-zero",
        what: "A variant of stale-iomap-write between two writers: both hold mappings of one block \
               that is reserved, and each fills with zeros what it does not cover. Who reserved it \
               makes no difference: what was true when a mapping was sampled need not be when its \
               turn comes, and nothing compares it again.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("mapping_check", "never"), ("write_lock", "shared"), ("write_range", "unlocked")],
        caught_by: "data_matches_model",
        scenario: scenario!("both-mappings-zero"),
    },
    Bug {
        id: "shared-writes-remap-for-ever",
        what: "A variant of writes under a shared i_rwsem: each reservation and each clean-up makes \
               the mappings of all other writes stale, and a write maps again as often as that \
               happens. Several tiny ones keep each other from accepting a single byte.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("stale_retries", "unbounded"), ("write_lock", "shared")],
        caught_by: "progress_despite_stale_mappings",
        scenario: scenario!("shared-writes-remap-for-ever"),
    },
];
