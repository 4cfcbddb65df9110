//! Growing a file over what a mapping has stored beyond its end.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "eof-pollution-on-extend",
        what: "What mappings have stored beyond the end of the file, in its last page, is not \
               zeroed when the file grows over it, whatever makes it grow.",
        fixed_by: &[commit(
            "52aecaee1c26",
            "v6.13",
            "mm: zero range of eof folio exposed by inode size extension",
        )],
        fstest: &["generic/363"],
        sets: &[("extension", "leave_exposed")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("eof-pollution-on-extend"),
    },
    Bug {
        id: "eof-pollution-on-write",
        what: "A variant of eof-pollution-on-extend: only a write beyond the end leaves what it \
               grows over as it is.",
        fixed_by: &[],
        fstest: &["generic/363"],
        sets: &[("extension", "not_by_write")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("eof-pollution-on-write"),
    },
    Bug {
        id: "eof-pollution-on-truncate",
        what: "A variant of eof-pollution-on-extend: only a truncate that grows the file leaves \
               what it grows over as it is.",
        fixed_by: &[],
        fstest: &["generic/363"],
        sets: &[("extension", "not_by_truncate")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("eof-pollution-on-truncate"),
    },
    Bug {
        id: "eof-pollution-on-fallocate",
        what: "A variant of eof-pollution-on-extend: only plain fallocate leaves what it grows \
               over as it is.",
        fixed_by: &[],
        fstest: &["generic/363"],
        sets: &[("extension", "not_by_fallocate")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("eof-pollution-on-fallocate"),
    },
    Bug {
        id: "eof-pollution-on-zero-range",
        what: "A variant of eof-pollution-on-extend: only zero range leaves what it grows over, \
               before its own range, as it is.",
        fixed_by: &[],
        fstest: &["generic/363"],
        sets: &[("extension", "not_by_zero_range")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("eof-pollution-on-zero-range"),
    },
    Bug {
        id: "isize-extend-no-mkclean",
        what: "When a file grows, the page that straddled its end keeps its writable PTEs. A \
               store through one needs no fault, and reaches blocks that nobody has reserved.",
        fixed_by: &[commit(
            "90a8020278",
            "v3.18",
            "vfs: fix data corruption when blocksize < pagesize for mmaped data",
        )],
        fstest: &["generic/029", "generic/030"],
        sets: &[("extension_protect", "leaves_writable")],
        caught_by: "folio_modified_block_is_dirty",
        scenario: scenario!("isize-extend-no-mkclean"),
    },
];
