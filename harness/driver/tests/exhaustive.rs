//! Trying everything out: which calls are enough for which bug, the result on any number of threads,
//! and that what is found has a case.

use driver::campaign::{Campaign, Mission};
use driver::exploration::{self, Tried};
use driver::progress::Progress;
use driver::scenario::parse;
use driver::vocabulary;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A bug, and the calls that are enough for it.
struct Row {
    bug: &'static str,
    /// Keys of the scenario that matter, each on a line.
    setting: &'static str,
    /// What each actor does.
    does: &'static [&'static str],
    /// What may go wrong, once at most.
    faults: &'static str,
    /// The invariant that speaks.
    by: &'static str,
}

const SMALL: &str = "filesystem: {block_size: 4KiB, max_folio: 4KiB}\n";

const BACKING: &str = "folio_dirty_block_has_backing";
const MAPPING: &str = "extents_agree_with_validated_mapping";
const MODEL: &str = "data_matches_model";

const TABLE: &[Row] = &[
    Row {
        bug: "punch-truncates-pagecache",
        setting: "files: [{name: a, size: 16KiB, layout: hole}]",
        does: &["write: {at: 0, size: 16KiB}", "mmap_store: {at: 8KiB, size: 8}"],
        faults: "short_copy: {chance: 1%}",
        by: MODEL,
    },
    Row {
        bug: "punch-truncates-pagecache-locked",
        setting: "files: [{name: a, size: 16KiB, layout: hole}]",
        does: &["write: {at: 0, size: 16KiB}", "mmap_store: {at: 8KiB, size: 8}"],
        faults: "short_copy: {chance: 1%}",
        by: MODEL,
    },
    Row {
        bug: "punch-without-invalidate-lock",
        setting: "files: [{name: a, size: 16KiB, layout: hole}]",
        does: &["write: {at: 0, size: 16KiB}", "mmap_store: {at: 8KiB, size: 8}"],
        faults: "short_copy: {chance: 1%}",
        by: BACKING,
    },
    Row {
        bug: "rfc-new-stale-skip",
        setting: "files: [{name: a, size: 16KiB, layout: hole}]",
        does: &["write: {at: 0, size: 8KiB}", "mmap_store: {at: 8KiB, size: 1}"],
        faults: "short_copy: {chance: 1%}",
        by: "extents_delalloc_is_flushable",
    },
    Row {
        bug: "rfc-new-stale-carried",
        setting: "files: [{name: a, size: 16KiB, layout: hole}]",
        does: &[
            "write: {at: 0, size: 8KiB}",
            "mmap_store: {at: 4KiB, size: 8}, mmap_store: {at: 8KiB, size: 8}",
        ],
        faults: "short_copy: {chance: 1%}",
        by: MODEL,
    },
    Row {
        bug: "punch-keeps-post-eof-dirty",
        setting: "files: [{name: a, size: 1KiB, layout: hole}]\n\
                  filesystem: {block_size: 1KiB, max_folio: 4KiB}",
        does: &["mmap_store: {at: 0, size: 64}", "write: {at: 2KiB, size: 1KiB}"],
        faults: "short_copy: {chance: 1%}",
        by: "extents_delalloc_beyond_eof_is_tagged",
    },
    Row {
        bug: "scan-offset-wrap",
        setting: "files: [{name: a, size: 1088KiB, layout: hole}]\nstep_budget: 5000",
        does: &["read: {at: 1MiB, size: 4KiB}", "write: {at: 1MiB, size: 16KiB}"],
        faults: "short_copy: {chance: 1%}",
        by: "progress_is_made",
    },
    Row {
        bug: "mkwrite-runs-iomap-end",
        setting: "files: [{name: a, size: 4KiB, layout: hole}]",
        does: &["mmap_store: {at: 0, size: 8}"],
        faults: "abandoned_fault: {chance: 1%}",
        by: "progress_keeps_the_lock_order",
    },
    Row {
        bug: "zero-punch-self-deadlock",
        setting: "files: [{name: a, size: 16KiB, layout: delalloc}]",
        does: &["punch: {at: 2KiB, size: 4KiB}", "writeback: {at: 8KiB, size: 8KiB}"],
        faults: "",
        by: "progress_keeps_the_lock_order",
    },
    Row {
        bug: "lockless-buffered-writes",
        setting: "files: [{name: a, size: 4KiB, layout: hole}]\n\
                  filesystem: {block_size: 1KiB, max_folio: 4KiB}",
        does: &["write: {at: 0, size: 4KiB}", "write: {at: 0, size: 4KiB}"],
        faults: "short_copy: {chance: 1%}",
        by: BACKING,
    },
    Row {
        bug: "both-mappings-zero",
        setting: "files: [{name: a, size: 8KiB, layout: hole}]\njudge: bytes",
        does: &["write: {at: 0, size: 4608}", "write: {at: 4608, size: 512}, fsync, evict"],
        faults: "",
        by: MODEL,
    },
    Row {
        bug: "stale-iomap-write",
        setting: "files: [{name: a, size: 8KiB, layout: delalloc}]",
        does: &["write: {at: 0, size: 8KiB}", "writeback"],
        faults: "",
        by: MAPPING,
    },
    Row {
        bug: "stale-iomap-zeroes-data",
        setting: "files: [{name: a, size: 16KiB, layout: unwritten}]\njudge: bytes",
        does: &["write: {at: 0x2200, size: 512}, fsync, evict", "write: {at: 0x200, size: 0x1f00}"],
        faults: "",
        by: MODEL,
    },
    Row {
        bug: "stale-iomap-first-folio-only",
        setting: "files: [{name: a, size: 8KiB, layout: delalloc}]",
        does: &["write: {at: 0, size: 8KiB}", "writeback: {at: 4KiB, size: 4KiB}"],
        faults: "",
        by: MAPPING,
    },
    Row {
        bug: "stale-iomap-checked-before-lock",
        setting: "files: [{name: a, size: 8KiB, layout: delalloc}]",
        does: &["write: {at: 0, size: 8KiB}", "writeback"],
        faults: "",
        by: MAPPING,
    },
    Row {
        bug: "stale-iomap-no-bump-on-conversion",
        setting: "files: [{name: a, size: 16KiB, layout: unwritten}]",
        does: &["write: {at: 0x2200, size: 512}, fsync", "write: {at: 0x200, size: 12KiB}"],
        faults: "",
        by: MAPPING,
    },
    Row {
        bug: "stale-iomap-no-bump-on-allocation",
        setting: "files: [{name: a, size: 8KiB, layout: delalloc}]",
        does: &["write: {at: 0, size: 8KiB}", "writeback"],
        faults: "",
        by: MAPPING,
    },
    Row {
        bug: "unwritten-not-new",
        setting: "files: [{name: a, size: 4KiB, layout: unwritten}]",
        does: &["write: {at: 512, size: 512}"],
        faults: "",
        by: "data_is_never_poison",
    },
];

impl Row {
    fn scenario(&self, bug: bool) -> String {
        let mut text = format!("{}\ndevice: {{size: 4MiB}}\n", self.setting);
        if !self.setting.contains("filesystem") {
            text += SMALL;
        }
        text += "strategy: {exhaustive: {preemptions: 2, faults: 1, limit: 100000}}\nactors:\n";
        for (name, does) in ["A", "B", "C"].iter().zip(self.does) {
            text += &[&format!("  - {{name: {name}, does: ["), *does, "]}\n"].concat();
        }
        if !self.faults.is_empty() {
            text += &["faults: [{", self.faults, "}]\n"].concat();
        }
        if bug {
            text += &["bugs: [", self.bug, "]\n"].concat();
        }
        text
    }
}

/// What comes of trying everything out.
fn tried(scenario: &str) -> Campaign {
    let parsed = parse("tried.yaml", scenario, &vocabulary::known(), &[]);
    let plan = parsed.unwrap_or_else(|report| panic!("{report}"));
    let bounds = plan.exhaustive().expect("the scenario says so");
    let (progress, interrupted) = (Progress::default(), Arc::default());
    let mission =
        Mission { plan: &plan, interrupted: &interrupted, progress: &progress, fail_fast: true };
    exploration::run(mission, bounds).expect("a simulation has a device in memory")
}

#[test]
fn every_bug_of_the_write_path_is_found_by_a_few_calls() {
    for row in TABLE {
        let campaign = tried(&row.scenario(true));
        let schedules = campaign.tried.as_ref().map(Tried::schedules);
        let by = campaign.found.as_ref().map(|found| found.violation.invariant);
        println!("{}: {by:?} after {schedules:?} schedules", row.bug);
        assert_eq!(by, Some(row.by), "{}", row.bug);
        assert!(campaign.deterministic, "{}", row.bug);
        let case = campaign.found.and_then(|found| found.case);
        assert!(case.is_some_and(|case| case.is_explicit()), "{}", row.bug);
    }
}

#[test]
fn the_same_calls_do_no_harm_to_the_correct_filesystem() {
    for row in TABLE.iter().filter(|row| row.faults.is_empty()) {
        let campaign = tried(&row.scenario(false).replace("preemptions: 2", "preemptions: 1"));
        let found = campaign.found.map(|found| found.violation);
        assert!(found.is_none(), "{}: {found:?}", row.bug);
        assert!(campaign.tried.is_some_and(|tried| tried.complete), "{}", row.bug);
    }
}

#[test]
fn the_table_names_the_whole_family() {
    // Eight mappings in a row must go stale: more preemptions than anybody tries out.
    const NOT_HERE: &str = "shared-writes-remap-for-ever";
    let listed: BTreeSet<&str> = TABLE.iter().map(|row| row.bug).chain([NOT_HERE]).collect();
    let family = ["cleanup", "shared", "write"].map(|file| {
        let path = format!("{}/catalogue/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("a file of the catalogue")
    });
    let family = family.concat();
    let ids =
        family.lines().filter_map(|line| line.trim().strip_prefix("id: \"")?.strip_suffix("\","));
    assert_eq!(ids.collect::<BTreeSet<_>>(), listed);
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let row = TABLE.iter().find(|row| row.bug == "stale-iomap-zeroes-data").unwrap();
    let limited = row.scenario(false).replace("limit: 100000", "limit: 700");
    for scenario in [row.scenario(true), limited] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let campaign = pool.install(|| tried(&scenario));
            let tried = campaign.tried.expect("everything was to be");
            (campaign.tally.trace_hash, campaign.found.map(|found| found.details), tried.levels)
        };
        assert_eq!(on(1), on(3));
    }
}

#[test]
fn what_a_limit_cuts_is_told() {
    let row = TABLE.iter().find(|row| row.bug == "both-mappings-zero").unwrap();
    let campaign = tried(&row.scenario(false).replace("limit: 100000", "limit: 300"));
    let tried = campaign.tried.as_ref().unwrap();
    assert_eq!((tried.schedules(), tried.complete), (300, false));
    let last = tried.levels.last().unwrap();
    assert!(!last.complete && last.runs < last.about, "{last:?}");
    assert!(tried.levels.iter().rev().skip(1).all(|level| level.complete));
}
