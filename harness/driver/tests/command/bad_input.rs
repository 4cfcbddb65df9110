//! Input that nobody should give: each is refused with 2 and a place, and nothing runs.

use crate::stand::{Ran, Stand, project};
use std::fs;

/// The broken scenarios, each with the `--set` lines in it.
fn broken() -> Vec<(String, Vec<String>)> {
    let folder = project("harness/driver/tests/broken");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    let with_sets = |path: &std::path::PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let sets = text.lines().filter_map(|line| line.strip_prefix("# --set "));
        (path.display().to_string(), sets.map(str::to_owned).collect())
    };
    files.iter().map(with_sets).collect()
}

fn refused(what: &str, stand: &Stand, ran: &Ran) {
    assert_eq!(ran.code, Some(2), "{what}: {ran:?}");
    assert!(ran.err.starts_with("error: "), "{what}: {ran:?}");
    assert!(!ran.err.contains("panicked"), "{what}: {ran:?}");
    assert_eq!(ran.out, "", "{what}");
    assert_eq!(stand.names("reports"), [""; 0], "{what}");
}

#[test]
fn broken_scenarios_do_not_run() {
    let broken = broken();
    assert!(40 <= broken.len());
    let stand = Stand::new();
    for (file, sets) in broken {
        let mut command = stand.command("run");
        command.arg(&file);
        for set in &sets {
            command.args(["--set", set]);
        }
        let ran = Ran::of(command.output().unwrap());
        refused(&file, &stand, &ran);
        assert!(ran.err.contains("-->") && ran.err.contains("help: "), "{file}: {}", ran.err);
    }
}

#[test]
fn files_that_are_no_scenario_do_not_run() {
    let stand = Stand::new();
    stand.write("empty.yaml", "");
    stand.write("binary.yaml", [0, 159, 146, 150, 255]);
    stand.write("large.yaml", vec![b'#'; 17 << 20]);
    stand.write("deep.yaml", "[".repeat(100_000));
    fs::create_dir(stand.path("folder.yaml")).unwrap();
    for name in ["empty", "binary", "large", "deep", "folder", "missing"] {
        let ran = stand.run(&format!("run {name}.yaml"));
        refused(name, &stand, &ran);
        assert!(ran.err.contains(&format!("{name}.yaml")), "{name}: {ran:?}");
        let checked = stand.run(&format!("check {name}.yaml"));
        assert_eq!((checked.code, checked.err), (Some(2), ran.err), "{name}");
    }
    let ran = stand.run("run /dev/zero");
    refused("/dev/zero", &stand, &ran);
}

#[test]
fn one_broken_scenario_stops_those_beside_it() {
    let stand = Stand::with(crate::stand::CLEAN);
    stand.write("b.yaml", "seeds: many\n");
    let ran = stand.run("run a.yaml b.yaml");
    refused("a and b", &stand, &ran);
    assert!(ran.err.contains("b.yaml:1:8"), "{ran:?}");
}
