//! Each script shows what it is there for: clean by itself, and ended by the invariant of this table
//! under the decisions that it is about.

use driver::onlooker::Look;
use driver::scenario::load;
use driver::storm::{Orders, Storm, run};
use driver::vocabulary;
use sim::chance::Seed;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A script, the decisions that are set for it, and the invariant that ends it then; none where the
/// decisions do no harm.
type Row = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>);

const MAPPED: Option<&str> = Some("extents_agree_with_validated_mapping");
const BACKED: Option<&str> = Some("folio_dirty_block_has_backing");
const DATA: Option<&str> = Some("data_matches_model");
const DISK_TAIL: Option<&str> = Some("data_beyond_eof_on_disk_is_zero");

const TABLE: &[Row] = &[
    ("mapping-outlives-conversion", &[("mapping_check", "never")], MAPPED),
    ("mapping-outlives-conversion", &[("mapping_check", "first_folio")], MAPPED),
    ("mapping-outlives-conversion", &[("cookie", "no_conversions")], MAPPED),
    (
        "stale-write-leaves-unflushable-delalloc",
        &[("write_cleanup", "skip_if_stale")],
        Some("extents_delalloc_is_flushable"),
    ),
    (
        "stale-write-leaves-unflushable-delalloc",
        &[("write_cleanup", "skip_if_stale_carry_new")],
        Some("extents_delalloc_is_flushable"),
    ),
    ("cleanup-punches-data-of-others", &[("write_cleanup", "whole_range")], DATA),
    ("cleanup-punches-data-of-others", &[("write_cleanup", "whole_range_locked")], DATA),
    ("both-mappings-zero", &[("mapping_check", "never")], None),
    ("both-mappings-zero", &[("mapping_check", "never"), ("write_range", "unlocked")], MAPPED),
    (
        "fault-runs-the-end-hook",
        &[("fault_ops", "buffered_write")],
        Some("progress_keeps_the_lock_order"),
    ),
    ("fault-behind-the-walk", &[("write_cleanup", "cache_walk_unlocked")], BACKED),
    ("store-before-a-write-fails", &[("write_cleanup", "whole_range")], DATA),
    ("store-before-a-write-fails", &[("write_cleanup", "whole_range_locked")], DATA),
    ("store-before-a-write-fails", &[("write_cleanup", "skip_if_stale")], DATA),
    ("fault-behind-the-walk", &[("write_cleanup", "whole_range_locked")], None),
    ("writer-behind-the-walk", &[("write_range", "unlocked")], BACKED),
    ("failed-extender-drops-a-neighbour", &[("write_range", "unlocked")], BACKED),
    (
        "writers-make-each-other-stale",
        &[("stale_retries", "unbounded")],
        Some("progress_despite_stale_mappings"),
    ),
    ("truncate-skips-an-unwritten-tail", &[("zero_range", "skips_unwritten")], DISK_TAIL),
    (
        "truncate-skips-an-unwritten-tail",
        &[("zero_range", "skips_unwritten"), ("truncate_eof", "flushes_first")],
        None,
    ),
    (
        "store-beyond-eof-before-growth",
        &[("zero_range", "skips_unwritten")],
        Some("data_exposed_by_growth_is_zero"),
    ),
    (
        "growth-under-a-writable-page",
        &[("extension_protect", "leaves_writable")],
        Some("folio_modified_block_is_dirty"),
    ),
    (
        "completion-sees-a-later-size",
        &[("size_disk", "whole_blocks")],
        Some("size_on_disk_covers_only_completed_io"),
    ),
    (
        "truncate-under-io",
        &[("truncate_order", "size_free_cache_flush")],
        Some("extents_agree_with_submitted_io"),
    ),
    ("short-write-after-its-allocation", &[], None),
    ("store-behind-the-zeros-of-a-truncate", &[], None),
    ("dirty-cache-over-unwritten", &[("zero_range", "skips_unwritten")], None),
    ("dirtiness-asked-after-the-lookup", &[("zero_range", "samples_after_lookup")], DISK_TAIL),
];

#[test]
fn each_script_is_clean_and_shows_what_it_is_about() {
    for (script, sets, by) in TABLE {
        assert_eq!(ended_by(script, &[]), None, "{script}");
        assert_eq!(ended_by(script, sets), *by, "{script} under {sets:?}");
    }
}

#[test]
fn the_table_knows_every_script() {
    let entries = std::fs::read_dir(folder()).expect("scripts are in the tree");
    let files = entries.map(|entry| entry.expect("a readable folder").path());
    let found: BTreeSet<String> = files.map(|path| name(&path)).collect();
    let listed: BTreeSet<String> = TABLE.iter().map(|(script, ..)| (*script).to_owned()).collect();
    assert_eq!(found, listed);
}

/// The invariant that ends `script` when `sets` are decided.
fn ended_by(script: &str, sets: &[(&str, &str)]) -> Option<&'static str> {
    let set =
        |(decision, value): &(&str, &str)| (format!("filesystem.{decision}"), (*value).to_owned());
    let sets: Vec<_> = sets.iter().map(set).collect();
    let path = folder().join(format!("{script}.yaml"));
    let plan = load(&path, &vocabulary::known(), &sets).unwrap_or_else(|report| panic!("{report}"));
    let orders = Orders {
        plan: &plan,
        seed: Seed(plan.seed),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted: &Arc::new(AtomicBool::new(false)),
    };
    let Storm { violation, misfire, .. } = run(orders).expect("memory can be had");
    assert_eq!(misfire, None, "{script} under {sets:?}");
    violation.map(|violation| violation.invariant)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/scripts")
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}
