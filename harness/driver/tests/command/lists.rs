//! The commands that only tell.

use crate::stand::{CLEAN, Stand, project};
use report::record::Record;
use serde_json::Value;

#[test]
fn without_words_three_commands_are_shown() {
    let ran = Stand::new().run("");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("pagestorm ")).count(), 3);
}

#[test]
fn lists_are_complete() {
    let stand = Stand::new();
    let invariants = stand.run("invariants").out;
    for invariant in oracle::Invariant::all() {
        assert!(invariants.contains(&format!("{} (", invariant.name)), "{}", invariant.name);
    }
    let points = stand.run("points").out;
    assert_eq!(points.lines().count(), stormfs::points::Point::ALL.len());
    let ran = stand.run(&format!("list {}", project("scenarios").display()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for word in ["smoke.yaml", "write_from_mmap", "short_copy", "mapping_check", "each_folio"] {
        assert!(ran.out.contains(&format!(" {word}")), "{word}: {}", ran.out);
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
}

#[test]
fn bugs_are_listed_and_shown() {
    let stand = Stand::new();
    let list = stand.run("bugs").out;
    for bug in driver::catalogue::all() {
        assert!(list.contains(&format!("{}\n    what ", bug.id)), "{}", bug.id);
        assert!(list.contains(&format!("    scenario   {}\n", bug.file())), "{}", bug.id);
        let one = stand.run(&format!("bugs {}", bug.id));
        assert_eq!((one.code, one.err.as_str()), (Some(0), ""), "{one:?}");
        for text in [bug.id, bug.caught_by, "    pagestorm bugs --run ", "    | about:"] {
            assert!(one.out.contains(text), "{text}: {}", one.out);
        }
    }
    let json: Value = serde_json::from_str(&stand.run("bugs --json -").out).unwrap();
    assert_eq!(json.as_array().unwrap().len(), driver::catalogue::all().count());
    let ran = stand.run("bugs --json bugs.json");
    assert_eq!((ran.code, ran.out), (Some(0), list));
    assert!(stand.path("bugs.json").exists());
}

#[test]
fn bugs_are_hunted_wherever_the_command_stands() {
    let stand = Stand::new();
    let words = "bugs --run clear-dirty-before-mkclean stale-iomap-write --masters 2";
    let ran = stand.run(words);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out.matches(" caught 2/2 ").count(), 2, "{ran:?}");
    assert!(ran.err.contains("2 of 2: "), "{ran:?}");
    let json: Value = serde_json::from_str(&stand.run(&format!("{words} --json -")).out).unwrap();
    assert_eq!(json[0]["id"], "clear-dirty-before-mkclean");
    assert_eq!(json[1]["hunts"][1]["verdict"], "caught");
    assert_eq!(json[1]["hunts"][1]["invariant"], json[1]["caught_by"]);
}

#[test]
fn a_bug_that_is_not_known_has_a_neighbour() {
    let ran = Stand::new().run("bugs stale-iomap-wriet nothing-like-it");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("did you mean `stale-iomap-write`?"), "{ran:?}");
    assert!(ran.err.contains("; `pagestorm bugs` lists them"), "{ran:?}");
    assert_eq!(ran.err.lines().count(), 2, "{ran:?}");
    assert_eq!(Stand::new().run("bugs --masters 3").code, Some(2));
}

#[test]
fn a_list_tells_which_scenario_has_mistakes() {
    let stand = Stand::with(CLEAN);
    stand.write("b.yaml", "world: \u{1b}[31m\n");
    let ran = stand.run("list .");
    assert!(ran.out.contains("a.yaml") && ran.out.contains("b.yaml"), "{ran:?}");
    assert!(ran.out.contains("has mistakes") && !ran.out.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn schemas_are_json() {
    let stand = Stand::new();
    let of = |words| -> Value { serde_json::from_str(&stand.run(words).out).unwrap() };
    assert_eq!(of("schema")["title"], "A Pagestorm scenario");
    let result: Value = serde_json::from_str(Record::JSON_SCHEMA).unwrap();
    assert_eq!(of("schema --result"), result);
}

#[test]
fn every_scenario_of_the_project_is_well() {
    let folder = project("scenarios");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    let words: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    let ran = Stand::new().run(&format!("check {}", words.join(" ")));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.out.lines().count(), files.len());
}

#[test]
fn the_readme_names_every_invariant_and_its_scenario_is_well() {
    let readme = std::fs::read_to_string(project("README.md")).unwrap();
    for invariant in oracle::Invariant::all() {
        assert!(readme.contains(&format!("`{}`", invariant.name)), "{}", invariant.name);
    }
    let (_, scenario) = readme.split_once("```yaml\n").unwrap();
    let (scenario, _) = scenario.split_once("```").unwrap();
    let stand = Stand::with(scenario);
    assert_eq!(stand.run("check a.yaml").code, Some(0));
    assert_eq!(stand.run("run a.yaml --seeds 3").code, Some(0));
}
