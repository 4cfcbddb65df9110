//! Writeback and its completions.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[Bug {
    id: "clear-dirty-before-mkclean",
    what: "Writeback clears a folio's dirty flag, and reads it for I/O, before it write-protects \
           the PTEs that map it. A store in between sets no flag: the folio is clean, and the \
           store is lost when it is dropped.",
    fixed_by: &[commit(
        "7658cc289288",
        "v2.6.20",
        "VM: Fix nasty and subtle race in shared mmap'ed page writeback",
    )],
    fstest: &[],
    sets: &[("clean_order", "clear_then_protect")],
    caught_by: "folio_clean_means_write_protected",
    scenario: scenario!("clear-dirty-before-mkclean"),
}];
