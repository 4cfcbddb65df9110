//! A scenario whose every free text tries to become something else, from its file to all that is made
//! of it: `tests/hostile/scenario.yaml`, run from a file of a hostile name.

use crate::files::is_for_fsx;
use crate::stand::{PAGESTORM, Ran, Stand, project};
use report::record::Record;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Of a file and of a folder; what no file system takes is not in them.
const FILE: &str =
    "$(id)`id`;&|'\"><img src=x onerror=alert(1)>\n::error::x%0A\u{1b}[2J\u{202e}|*_[x](y).yaml";
const FOLDER: &str = "##[add-mask]x\r\n::stop-commands::y";

fn run(stand: &Stand, words: &[&str]) -> Ran {
    let mut command = Command::new(PAGESTORM);
    command.args(words).current_dir(stand.path(".")).env_remove("GITHUB_STEP_SUMMARY");
    Ran::of(command.env("GITHUB_ACTIONS", "true").output().unwrap())
}

fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || "\u{202e}\u{2066}\u{2028}\u{feff}".contains(c)
}

/// Every file below a directory, by its path.
fn files(dir: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
            all.push((path.file_name().unwrap().to_string_lossy().into_owned(), text));
        }
    }
    all
}

fn inert(name: &str, text: &str) {
    assert!(!text.contains(deceives), "{name}: {:?}", text.chars().find(|c| deceives(*c)));
    let lower = text.to_lowercase();
    match Path::new(name).extension().and_then(|end| end.to_str()).unwrap() {
        "html" => {
            for tag in ["<img", "<iframe", "<foreignobject", "<!--", "</textarea", "<base"] {
                assert!(!lower.contains(tag), "{name}: {tag}");
            }
            assert!(
                lower.matches("<script").count() <= 1 && !lower.contains(" onerror=\""),
                "{name}"
            );
        }
        "json" => drop(serde_json::from_str::<Value>(text).unwrap()),
        "xml" => {
            assert!(!lower.contains("<![cdata[") && !lower.contains("<!doctype"), "{name}");
        }
        "fsxops" => {
            let other = text.lines().find(|line| !line.starts_with('#') && !is_for_fsx(line));
            assert_eq!(other, None, "{name}");
        }
        "yaml" | "hlog" => {}
        other => panic!("{name}: what is {other}?"),
    }
}

/// What a runner would act on, beside the errors that it is told.
fn commands(ran: &Ran) -> Vec<String> {
    let lines = ran.out.lines().chain(ran.err.lines());
    let acts = |line: &&str| {
        (line.trim().starts_with("::") && !line.starts_with("::error ")) || line.contains("##[")
    };
    lines.filter(acts).map(str::to_owned).collect()
}

#[test]
fn nothing_of_it_becomes_anything_else() {
    let stand = Stand::new();
    let text = fs::read_to_string(project("harness/driver/tests/hostile/scenario.yaml")).unwrap();
    fs::create_dir(stand.path(FOLDER)).unwrap();
    let file = format!("{FOLDER}/{FILE}");
    stand.write(&file, &text);
    let before = stand.names(".");
    let ran = run(
        &stand,
        &["run", &file, "--reports", "out", "--set", "seeds=400", "--junit", "all.xml"],
    );
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let night =
        ["soak", &file, "--seeds", "60", "--seed", "3", "--world", "simulated", "--out", "night"];
    let soaked = run(&stand, &night);
    assert_eq!(soaked.code, Some(1), "{soaked:?}");
    let listed = run(&stand, &["list", FOLDER]);
    let checked = run(&stand, &["check", &file, "no\u{1b}[2Jwhere"]);
    let merged = run(&stand, &["merge", "night", "-o", "merged"]);
    for said in [&ran, &soaked, &listed, &checked, &merged] {
        for text in [&said.out, &said.err] {
            assert!(!text.contains(deceives), "{text:?}");
        }
        assert_eq!(commands(said), Vec::<String>::new());
    }
    let names: Vec<_> =
        [&before[..], &["all.xml", "merged", "night", "out"].map(str::to_owned)].concat();
    let mut names = names;
    names.sort();
    assert_eq!(stand.names("."), names, "a name led elsewhere");
    let mut all = files(&stand.path("out"));
    all.extend(files(&stand.path("night")));
    all.extend(files(&stand.path("merged")));
    for (name, text) in &all {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name:?}");
        inert(name, text);
    }
    let ends = |end: &str| all.iter().filter(|(name, _)| name.ends_with(end)).count();
    assert!(3 <= ends("report.html") && 3 <= ends("junit.xml"), "{ran:?}");
    for end in [".trace.json", ".fsxops", "result.json", "night.json"] {
        assert!(0 < ends(end), "{end}: {ran:?}");
    }
    // What was said is there, as text.
    let record = all.iter().find(|(name, _)| name == "result.json").unwrap();
    let record = Record::from_json(&record.1).unwrap();
    assert!(
        record.scenario.about.contains("<script>alert(1)</script>"),
        "{:?}",
        record.scenario.about
    );
    assert_eq!(record.scenario.file, file);
}
