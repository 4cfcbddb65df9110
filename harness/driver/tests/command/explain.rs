//! `explain`: what it says of three scripts under a wrong decision each, and what it says where there is
//! nothing to explain. With `UPDATE=1` the texts are written anew; read them before committing them.

use crate::stand::{Ran, Stand, project};
use std::path::{Path, PathBuf};

/// A script, and the decision under which it fails.
const STORIES: [(&str, &str); 3] = [
    ("mapping-outlives-conversion", "mapping_check=never"),
    ("cleanup-punches-data-of-others", "write_cleanup=whole_range"),
    ("truncate-under-io", "truncate_order=size_free_cache_flush"),
];

fn explained(script: &str, decision: Option<&str>, options: &str) -> Ran {
    let stand = Stand::new();
    let mut command = stand.command(&format!("explain {options}"));
    command.arg(project(&format!("scenarios/scripts/{script}.yaml")));
    if let Some(decision) = decision {
        command.args(["--set", &format!("filesystem.{decision}")]);
    }
    Ran::of(command.output().unwrap())
}

fn told(script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/explained");
    folder.join(format!("{script}.txt"))
}

#[test]
fn stories_are_told_as_they_were() {
    for (script, decision) in STORIES {
        let ran = explained(script, Some(decision), "");
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{script}");
        assert!(ran.out.is_ascii() && !ran.out.contains('\x1b'), "{script}: plain text");
        let wide = |line: &&str| 80 < line.len();
        assert_eq!(ran.out.lines().find(wide), None, "{script}");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(told(script), &ran.out).unwrap();
        }
        let expected = std::fs::read_to_string(told(script)).unwrap_or_default();
        assert_eq!(ran.out, expected, "{script}: UPDATE=1 writes it anew");
    }
}

#[test]
fn a_story_is_the_same_every_time_and_as_data() {
    let (script, decision) = STORIES[0];
    let once = || explained(script, Some(decision), "--json -").out;
    let text = once();
    assert_eq!(text, once());
    let data: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(data["headline"]["invariant"], "extents_agree_with_validated_mapping");
    assert_eq!(data["headline"]["decisions"][0]["value"], "never");
    for key in ["story", "without"] {
        let list = if key == "story" { &data[key] } else { &data["nearest"][key] };
        assert!(!list.as_array().unwrap().is_empty(), "{key}");
    }
    let rows = data["lanes"]["rows"].as_array().unwrap();
    assert_eq!(rows.last().unwrap()["kind"], "fails");
    assert_eq!(rows.iter().filter(|row| row["kind"] == "fails").count(), 1);
    let strips = data["strips"]["strips"].as_array().unwrap();
    assert_eq!(strips[0]["caption"], "before");
}

#[test]
fn what_does_not_fail_is_not_explained() {
    let ran = explained("mapping-outlives-conversion", None, "");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("nothing fails, so there is nothing to explain"), "{ran:?}");
}

#[test]
fn what_is_no_case_is_not_explained() {
    let chance = "seeds: 2\nactors:\n  - name: w\n    ops: {write: 1}\n";
    let ran = Stand::with(chance).run("explain a.yaml");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("a.yaml:4:10"), "{ran:?}");
    assert!(ran.err.contains("no case"), "{ran:?}");
}

#[test]
fn a_hostile_name_of_a_file_steers_no_terminal() {
    let stand = Stand::new();
    let name = "a\u{1b}[31m.yaml";
    stand.write(name, "actors: [{name: a, does: [fsync]}]\nscript: [run a]\n");
    let ran = Ran::of(stand.command("explain").arg(name).output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.err.contains('\u{1b}') && ran.err.contains("nothing fails"), "{ran:?}");
}
