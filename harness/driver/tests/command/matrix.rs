//! The matrix: what it says of each cell, and that the README has what it says.

use crate::stand::{Stand, project};
use serde_json::Value;

/// Where the README has the matrix.
const MARKS: (&str, &str) = ("<!-- matrix -->\n", "<!-- /matrix -->");

/// A write whose mapping outlives writeback and reclaim.
const STALE: &str = "\
name: stale
filesystem: {block_size: 4KiB, max_folio: 4KiB}
files: [{name: a, size: 64KiB, layout: unwritten}]
actors:
  - {name: P, does: [write: {at: 0xc200, size: 3584}]}
  - {name: W, does: [write: {at: 0x200, size: 48KiB}]}
  - {name: WB, does: [writeback]}
script:
  - run P
  - run W until 12th write.faulted_in
  - run WB
  - evict 12
  - resume W
expect: {caught: {by: data_matches_model}}
";

/// A write that fails with nobody beside it.
const SHORT: &str = "\
name: short
filesystem: {block_size: 1KiB, max_folio: 16KiB}
seeds: 3
ops: 20
actors: [{name: w, ops: {write: 1, read: 1}, within: 64KiB}]
faults: [{short_copy: {chance: 50%}}]
";

#[test]
fn a_cell_says_what_became_of_the_scenario_under_that_value() {
    let stand = Stand::with(STALE);
    stand.write("b.yaml", SHORT);
    let across = "--across filesystem.mapping_check --across filesystem.block_size=4KiB,8KiB";
    let ran = stand.run(&format!("matrix a.yaml b.yaml {across} --json -"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let cell = |row: usize, value: &str| {
        let cells = json["rows"][row]["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["value"] == value).unwrap().clone()
    };
    let never = cell(0, "never");
    assert_eq!(never["outcome"], "loses data", "{never}");
    assert_eq!(never["first"]["invariant"], "extents_agree_with_validated_mapping");
    assert_eq!(never["noticed"]["invariant"], "data_matches_model");
    assert_eq!(cell(0, "each_folio")["outcome"], "ok");
    assert_eq!(cell(1, "never")["outcome"], "ok");
    let impossible = cell(0, "8KiB");
    assert_eq!(
        (&impossible["outcome"], &cell(1, "8KiB")["outcome"]),
        (&"n/a".into(), &"ok".into())
    );
    assert!(impossible["reason"].as_str().unwrap().contains("is smaller than one block"));
    let line = never["noticed"]["reproduce"].as_str().unwrap();
    let again = stand.run(&format!("{} --json -", line.strip_prefix("pagestorm ").unwrap()));
    assert_eq!(again.record().violations[0].invariant, "data_matches_model");
}

#[test]
fn tables_are_aligned_and_have_a_legend() {
    let stand = Stand::with(STALE);
    let ran = stand.run("matrix a.yaml");
    let lines: Vec<_> = ran.out.lines().collect();
    let column = lines[1].find("ideal").unwrap();
    assert_eq!(lines[0], "filesystem.preset");
    assert_eq!(&lines[2][column..], "ok", "{}", ran.out);
    for line in ["ok            every invariant held", "loses data    lost or wrong bytes"] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    let markdown = stand.run("matrix a.yaml --across filesystem.preset=v5.19,ideal --markdown").out;
    assert!(markdown.contains("| `filesystem.preset` | `v5.19` | `ideal` |\n|---|---|---|\n"));
    assert!(markdown.contains("| stale | loses data | ok |\n"), "{markdown}");
}

#[test]
fn what_cannot_be_set_anywhere_is_a_mistake() {
    let stand = Stand::with(STALE);
    for (words, told) in [
        ("a.yaml --across filesystem.presett", "did you mean `preset`?"),
        ("a.yaml --across device.size", "no words stand at `device.size`"),
        ("a.yaml --across filesystem.preset=v5.91", "did you mean `v5.19`?"),
        (
            "a.yaml --set name=b --across filesystem.preset=nope",
            " --> command line:1:28\n  |\n1 | --across filesystem.preset=nope\n\
             \x20 |                            ^^^^\n",
        ),
        ("b.yaml", "there is no such file"),
    ] {
        let ran = stand.run(&format!("matrix {words}"));
        assert_eq!(ran.code, Some(2), "{words}: {ran:?}");
        assert!(ran.err.contains(told) && ran.out.is_empty(), "{words}: {ran:?}");
    }
}

#[test]
fn the_readme_has_the_matrix_of_the_scripts() {
    let entries = std::fs::read_dir(project("scenarios/scripts")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    let words: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    let ran = Stand::new().run(&format!("matrix --markdown {}", words.join(" ")));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let path = project("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(MARKS.0).unwrap();
    let (_, after) = rest.split_once(MARKS.1).unwrap();
    let fresh = [before, MARKS.0, "\n", &ran.out, "\n", MARKS.1, after].concat();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, fresh).unwrap();
    } else {
        assert!(readme == fresh, "the matrix in README.md is old: run the tests with UPDATE=1");
    }
}
