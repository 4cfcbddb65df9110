//! The table of exit statuses, and what stands on which stream.

use crate::stand::{CLEAN, Stand, project};
use report::record::VerdictKind;

/// Changes that make [`mixed`] fail at its first seeds.
const WRONG: &str = "--ops 40 --set filesystem.mapping_check=never";

fn mixed() -> String {
    project("scenarios/mixed.yaml").display().to_string()
}

/// An expectation in one word of a command line.
fn caught_by(invariant: &str) -> String {
    format!(r#"expect={{"caught":{{"by":"{invariant}"}}}}"#)
}

#[test]
fn every_way_to_end_has_its_status() {
    let mixed = mixed();
    let catching = |by: &str| format!("{WRONG} --set {}", caught_by(by));
    let caught = Stand::new().run(&format!("run {mixed} {WRONG} --json -")).record();
    let by = &caught.violations[0].invariant;
    let table = [
        (0, "run a.yaml".to_owned()),
        (0, "run a.yaml --world threads --ops 200 --device image".to_owned()),
        (0, format!("run {mixed} {}", catching(by))),
        (1, format!("run {mixed} {WRONG}")),
        (1, format!("run {mixed} {}", catching("data_matches_model"))),
        (1, format!("run a.yaml --set {}", caught_by("data_matches_model"))),
        (1, format!("run a.yaml {mixed} {WRONG}")),
        (2, "run".to_owned()),
        (2, "run b.yaml".to_owned()),
        (2, "run a.yaml b.yaml".to_owned()),
        (2, "run a.yaml --jobs 0".to_owned()),
        (2, "run a.yaml --seeds 0".to_owned()),
        (2, "run a.yaml --time 0".to_owned()),
        (2, "run a.yaml --world nowhere".to_owned()),
        (2, "run a.yaml --set seeds".to_owned()),
        (2, "run a.yaml a.yaml --json x.json".to_owned()),
        (2, "storm a.yaml".to_owned()),
        (2, "list nowhere".to_owned()),
        (5, "run a.yaml --reports a.yaml/reports".to_owned()),
        (5, "run a.yaml --json nowhere/x.json".to_owned()),
    ];
    for (code, words) in table {
        let stand = Stand::with(CLEAN);
        let ran = stand.run(&words);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        assert!(!ran.err.contains("panicked at"), "{words}: {ran:?}");
        if code == 2 {
            assert!(
                !ran.err.is_empty() && ran.out.is_empty() || words.starts_with("list"),
                "{ran:?}"
            );
            assert_eq!(stand.names("reports"), [""; 0], "{words} ran something");
        }
    }
}

#[test]
fn verdicts_tell_what_a_wrong_decision_came_to() {
    let quiet = Stand::with(CLEAN);
    let ran = quiet.run(&format!("run a.yaml --set {} --json -", caught_by("data_matches_model")));
    assert_eq!(ran.record().verdict.kind, VerdictKind::NotProvoked);
    let failed = Stand::new().run(&format!("run {} {WRONG} --json -", mixed()));
    let record = failed.record();
    assert_eq!(record.verdict.kind, VerdictKind::Violated);
    assert!(0 < record.counts.deviations);
    assert_eq!(record.filesystem.deviations[0].decision, "mapping_check");
}

#[test]
fn the_summary_goes_to_stdout_and_all_else_to_stderr() {
    let stand = Stand::with(CLEAN);
    let ran = stand.run("run a.yaml");
    assert!(ran.out.starts_with("clean: clean, as expected\n"), "{ran:?}");
    let first = ran.err.lines().next().unwrap();
    assert!(first.starts_with("clean: simulated world, 6 seeds from 0x1; ram: "), "{first}");
    assert!(ran.err.contains("report: reports/clean-0x1/report.html\n"), "{ran:?}");
    let quiet = stand.run("run a.yaml --quiet");
    assert_eq!((quiet.err.as_str(), &quiet.out[..6]), ("", &ran.out[..6]));
    let json = stand.run("run a.yaml --json -");
    assert_eq!(json.record().scenario.text, CLEAN);
    let both = stand.run("run a.yaml --json x.json");
    assert!(both.out.starts_with("clean: "), "{both:?}");
    assert_eq!(std::fs::read_to_string(stand.path("x.json")).unwrap(), {
        let path = stand.path("reports/clean-0x1/result.json");
        std::fs::read_to_string(path).unwrap()
    });
}

#[test]
fn several_scenarios_run_in_turn() {
    let stand = Stand::with(CLEAN);
    stand.write("b.yaml", CLEAN.replace("name: clean", "name: other"));
    let ran = stand.run("run a.yaml b.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(stand.names("reports"), ["clean-0x1", "other-0x1"]);
    assert_eq!(stand.names("reports/other-0x1"), ["junit.xml", "report.html", "result.json"]);
}

#[test]
fn a_scenario_goes_to_the_other_world() {
    let stand = Stand::with(CLEAN);
    let ran = stand.run("run a.yaml --world threads --time 100ms --device image");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("dropped for the world threads: `seeds`, `ops`"), "{ran:?}");
    let smoke = project("scenarios/smoke.yaml");
    let ran = stand.run(&format!("run {} --world simulated --seeds 2 --ops 100", smoke.display()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("dropped for the world simulated: `time`"), "{ran:?}");
}
