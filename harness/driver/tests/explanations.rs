//! What is explained: scripts under decisions that make them fail. What is told must name what was decided
//! and what failed.

use driver::explain::{Explanation, Kind, PartKind, Refusal, explain};
use driver::scenario::load;
use driver::vocabulary;
use std::path::Path;
use std::sync::Arc;

/// A script, the decisions that are set for it, and those of them that the story must tell of.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const TABLE: &[Row] = &[
    ("mapping-outlives-conversion", &[("mapping_check", "never")], &["mapping_check: never"]),
    ("mapping-outlives-conversion", &[("cookie", "no_conversions")], &["cookie: no_conversions"]),
    (
        "stale-write-leaves-unflushable-delalloc",
        &[("write_cleanup", "skip_if_stale")],
        &["write_cleanup: skip_if_stale"],
    ),
    (
        "cleanup-punches-data-of-others",
        &[("write_cleanup", "whole_range")],
        &["write_cleanup: whole_range"],
    ),
    (
        "both-mappings-zero",
        &[("mapping_check", "never"), ("write_range", "unlocked")],
        &["mapping_check: never", "write_range: unlocked"],
    ),
    ("fault-runs-the-end-hook", &[("fault_ops", "buffered_write")], &["fault_ops: buffered_write"]),
    (
        "fault-behind-the-walk",
        &[("write_cleanup", "cache_walk_unlocked")],
        &["write_cleanup: cache_walk_unlocked"],
    ),
    ("writer-behind-the-walk", &[("write_range", "unlocked")], &["write_range: unlocked"]),
    (
        "truncate-skips-an-unwritten-tail",
        &[("zero_range", "skips_unwritten")],
        &["zero_range: skips_unwritten"],
    ),
    (
        "growth-under-a-writable-page",
        &[("extension_protect", "leaves_writable")],
        &["extension_protect: leaves_writable"],
    ),
    (
        "completion-sees-a-later-size",
        &[("size_disk", "whole_blocks")],
        &["size_disk: whole_blocks"],
    ),
    (
        "truncate-under-io",
        &[("truncate_order", "size_free_cache_flush")],
        &["truncate_order: size_free_cache_flush"],
    ),
    (
        "dirtiness-asked-after-the-lookup",
        &[("zero_range", "samples_after_lookup")],
        &["zero_range: samples_after_lookup"],
    ),
];

fn explained(script: &str, sets: &[(&'static str, &'static str)]) -> Result<Explanation, Refusal> {
    let set = |(name, value): &(&str, &str)| (format!("filesystem.{name}"), (*value).to_owned());
    let sets: Vec<_> = sets.iter().map(set).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/scripts");
    let path = folder.join(format!("{script}.yaml"));
    let plan = load(&path, &vocabulary::known(), &sets).unwrap_or_else(|report| panic!("{report}"));
    explain(&plan, &Arc::default())
}

#[test]
fn stories_tell_what_was_decided_and_what_failed() {
    for (script, sets, decided) in TABLE {
        let told = explained(script, sets).unwrap_or_else(|why| panic!("{script}: {why:?}"));
        let names: Vec<_> = told.headline.decisions.iter().map(|it| it.name.as_str()).collect();
        for (name, _) in *sets {
            assert!(names.contains(name), "{script}: {names:?}");
        }
        let story = told.story.join(" ");
        for decision in *decided {
            assert!(story.contains(decision), "{script}: {decision}: {story}");
        }
        let last = told.story.last().expect("a story has an end");
        assert!(last.contains(&format!("{} fails", told.headline.invariant)), "{script}: {last}");
        assert_eq!(told.lanes.rows.last().map(|row| row.kind), Some(Kind::Fails), "{script}");
        let nearest = told.nearest.as_ref().expect("a script has a case");
        let parts = nearest.without.iter().filter(|part| part.kind == PartKind::Decision);
        assert!(parts.clone().count() >= decided.len(), "{script}");
        for part in parts.filter(|part| decided.iter().any(|it| part.what.contains(it))) {
            assert!(part.needed, "{script} fails without {}", part.what);
        }
    }
}

#[test]
fn a_story_is_the_same_every_time() {
    let (script, sets, _) = TABLE[4];
    let once = || explained(script, sets).expect("it fails every time");
    assert_eq!(once(), once());
}

#[test]
fn what_passes_is_refused() {
    for (script, ..) in TABLE {
        assert!(matches!(explained(script, &[]), Err(Refusal::Passes)), "{script}");
    }
}
