//! Zeroing, and what it takes for zero already.

use super::{Bug, commit, scenario};

/// See the module.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        id: "zero-skips-dirty-unwritten",
        what: "Zeroing takes every hole and every unwritten extent for zero, and does not ask \
               whether the page cache over it is dirty: what was stored there stays.",
        fixed_by: &[
            commit(
                "c5c810b94cfd",
                "v6.12",
                "iomap: fix handling of dirty folios over unwritten extents",
            ),
            commit(
                "7d9b474ee4cc",
                "v6.12",
                "iomap: make zero range flush conditional on unwritten mappings",
            ),
        ],
        fstest: &["generic/363"],
        sets: &[("zero_range", "skips_unwritten")],
        caught_by: "data_exposed_by_growth_is_zero",
        scenario: scenario!("zero-skips-dirty-unwritten"),
    },
    Bug {
        id: "zero-dirty-check-after-lookup",
        what: "A variant of zeroing that asks for dirty cache after it has looked the extent up. \
               Writeback may complete between the two: the lookup says unwritten, the cache says \
               clean, and what has just been written is taken for zero.",
        fixed_by: &[],
        fstest: &[],
        sets: &[("zero_range", "samples_after_lookup")],
        caught_by: "data_beyond_eof_on_disk_is_zero",
        scenario: scenario!("zero-dirty-check-after-lookup"),
    },
    Bug {
        id: "truncate-down-unwritten-eof",
        what: "A truncate that shrinks finds the new last block unwritten while its data is dirty \
               or in I/O, and leaves its tail alone. Writeback then puts the old tail on disk, \
               beyond the end of the file. The fix wrote the block back first, which is \
               truncate_eof: flushes_first.",
        fixed_by: &[commit(
            "869ae85dae64",
            "v5.10",
            "xfs: flush new eof page on truncate to avoid post-eof corruption",
        )],
        fstest: &[],
        sets: &[("zero_range", "skips_unwritten"), ("truncate_eof", "zeroes")],
        caught_by: "data_beyond_eof_on_disk_is_zero",
        scenario: scenario!("truncate-down-unwritten-eof"),
    },
    Bug {
        id: "zero-posteof-delalloc-via-cache",
        what: "Zeroing over a delayed allocation beyond the last block of the file goes through the \
               page cache. Writeback skips folios beyond the end and cleans them: when the file \
               has grown over them, nothing is left that would turn the reservation into blocks.",
        fixed_by: &[commit(
            "5ce5674187c3",
            "v6.10",
            "xfs: convert delayed extents to unwritten when zeroing post eof blocks",
        )],
        fstest: &[],
        sets: &[("posteof_delalloc", "zeroed_in_cache")],
        caught_by: "extents_delalloc_is_flushable",
        scenario: scenario!("zero-posteof-delalloc-via-cache"),
    },
    Bug {
        id: "zero-bumps-isize",
        what: "Zeroing ends like a write, and raises the size of the file to where the zeros end. A \
               write beyond the end whose copy then fails has grown the file.",
        fixed_by: &[commit(
            "602f09f4029c",
            "v6.11",
            "iomap: don't increase i_size in iomap_write_end()",
        )],
        fstest: &[],
        sets: &[("zero_extends", "grows_size")],
        caught_by: "size_matches_model",
        scenario: scenario!("zero-bumps-isize"),
    },
];
