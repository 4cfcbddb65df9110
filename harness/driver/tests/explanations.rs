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

/// The pages are tested with this story, too.
#[test]
fn a_story_is_recorded_as_it_was() {
    let told = explained("mapping-outlives-conversion", &[("mapping_check", "never")]);
    let story = told.expect("it fails every time").recorded();
    let text = serde_json::to_string_pretty(&story).expect("a story is plain data") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/samples/story.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).expect("the sample can be written");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let line = known.lines().zip(text.lines()).find(|(known, now)| known != now);
    assert!(known == text, "it differs, first in {line:?}; UPDATE=1 writes it anew");
}

#[test]
fn bytes_that_break_the_model_are_wrong_when_it_fails_and_right_before() {
    for (script, sets, _) in TABLE {
        let told = explained(script, sets).unwrap_or_else(|why| panic!("{script}: {why:?}"));
        let story = told.recorded();
        let Some(strips) = &story.strips else { continue };
        let (first, last) = (&strips.strips[0], strips.strips.last().expect("one is before"));
        assert!(first.wrong.is_empty() && first.row == 0, "{script}: {first:?}");
        if told.headline.invariant.starts_with("data_") {
            assert!(!last.wrong.is_empty(), "{script}: {last:?}");
        }
        let width = last.extents.chars().count();
        for strip in &strips.strips {
            for line in [&strip.model, &strip.cache, &strip.folios, &strip.disk] {
                assert_eq!(line.chars().count(), width, "{script}: {strip:?}");
            }
            assert!(strip.row <= u64::try_from(story.lanes.rows.len()).unwrap(), "{script}");
        }
        let steps: Vec<u64> = strips.strips.iter().map(|strip| strip.row).collect();
        assert!(steps.is_sorted(), "{script}: {steps:?}");
        let chain = &story.provenance.as_ref().expect("it is about bytes").links;
        let end = &chain.last().expect("it has an end").text;
        assert!(end.starts_with(&told.headline.invariant), "{script}: {end}");
        assert!(chain.is_sorted_by_key(|link| link.step), "{script}: {chain:?}");
    }
}

#[test]
fn what_a_task_holds_is_told_where_it_changes() {
    let told = explained("mapping-outlives-conversion", &[("mapping_check", "never")]);
    let rows = told.expect("it fails every time").lanes.rows;
    let stopped = rows.iter().find(|row| row.kind == Kind::Stops).expect("W stops");
    assert_eq!(stopped.holds, ["i_rwsem"]);
    let returned = rows.iter().find(|row| row.kind == Kind::Returns).expect("P returns");
    assert!(returned.holds.is_empty(), "{returned:?}");
}

#[test]
fn what_passes_is_refused() {
    for (script, ..) in TABLE {
        assert!(matches!(explained(script, &[]), Err(Refusal::Passes)), "{script}");
    }
}
