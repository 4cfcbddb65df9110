//! How a night ends: with which exit status, and with which last sentence.

use crate::soak::{CAUGHT, FAILING, night};
use crate::stand::{CLEAN, Ran, Stand, project};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const FEW: &str = "--seeds 40 --seed 7 --world simulated --shrink 0s --quiet";

#[test]
fn a_finding_that_is_nowhere_on_disk_is_no_plain_failure() {
    let stand = Stand::with(FAILING);
    fs::create_dir(stand.path("night")).unwrap();
    // In the way of the cases, so that it is met only when something fails.
    stand.write("night/failures", "");
    let lost = stand.run(&format!("soak a.yaml {FEW} --out night"));
    assert_eq!(lost.code, Some(5), "{lost:?}");
    assert!(lost.err.contains("the night was not written: "), "{lost:?}");
    assert!(!lost.err.contains("free"), "there is space: {lost:?}");
    let kept = stand.run(&format!("soak a.yaml {FEW} --out kept"));
    assert_eq!(kept.code, Some(1), "{kept:?}");
    let lost = stand.run("merge kept -o a.yaml/night");
    assert_eq!(lost.code, Some(5), "{lost:?}");
    assert!(lost.err.contains("name another place") && !lost.err.contains("free"), "{lost:?}");
    assert_eq!(stand.run("merge kept -o merged").code, Some(1));
}

#[test]
fn a_night_that_could_never_be_written_does_not_begin() {
    let stand = Stand::with(FAILING);
    for place in ["a.yaml/night", "/proc/nowhere/night"] {
        let ran = stand.run(&format!("soak a.yaml {FEW} --out {place}"));
        assert_eq!((ran.code, &*ran.out), (Some(5), ""), "{place}: {ran:?}");
        assert!(ran.err.contains("the night cannot be written: "), "{ran:?}");
        assert!(ran.err.contains("; name another place") && !ran.err.contains("free"), "{ran:?}");
    }
}

#[test]
fn a_regression_that_came_back_is_the_sentence() {
    let stand = Stand::with(FAILING);
    stand.write("clean.yaml", CLEAN);
    stand.run(&format!("soak a.yaml {FEW} --out first"));
    fs::create_dir(stand.path("kept")).unwrap();
    let first = &night(&stand, "first").signatures[0];
    let case = stand.path("first").join(first.file.as_ref().unwrap());
    fs::copy(case, stand.path("kept/case.yaml")).unwrap();
    let soak = |what: &str, dir: &str| {
        let ran = stand.run(&format!("soak {what} {FEW} --regressions kept --out {dir}"));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        night(&stand, dir).verdict.sentence
    };
    let back = format!("A regression came back: kept/case.yaml violates {}.", first.invariant);
    let alone = soak("clean.yaml", "alone");
    assert!(alone.starts_with(&format!("{back} No other invariant")), "{alone}");
    assert!(!alone.contains("otherwise"), "{alone}");
    let tests = fs::read_to_string(stand.path("alone/junit.xml")).unwrap();
    assert!(tests.contains(back.trim_end_matches('.')), "{tests}");
    let both = soak("a.yaml", "both");
    assert!(both.starts_with("Failures of ") && both.ends_with(&back), "{both}");
    an_issue_is_opened(&stand, "alone", "kept/case.yaml");
}

/// Lets the recipe tell a `gh` that only notes what it is given.
#[expect(clippy::print_stderr, reason = "who tests wants to know what could not be tried")]
fn an_issue_is_opened(stand: &Stand, dir: &str, about: &str) {
    if !Command::new("jq").arg("--version").output().is_ok_and(|ran| ran.status.success()) {
        eprintln!("the recipe for issues is not tried: there is no jq");
        return;
    }
    let gh = "#!/bin/sh\necho \"$@\" >>gh.log\nif [ \"$2\" = create ]; then cat >>gh.log; fi\n";
    fs::create_dir(stand.path("bin")).unwrap();
    stand.write("bin/gh", gh);
    fs::set_permissions(stand.path("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", stand.path("bin").display(), std::env::var("PATH").unwrap());
    let mut recipe = Command::new(project("ci/github/issues"));
    let recipe = recipe.arg(dir).env("PATH", path).current_dir(stand.path("."));
    let ran = Ran::of(recipe.output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let log = fs::read_to_string(stand.path("gh.log")).unwrap();
    assert_eq!(log.matches("issue create --title").count(), 1, "{log}");
    assert!(log.contains(&format!("regression         {about}")), "{log}");
    assert!(log.contains("<!-- pagestorm-"), "{log}");
}

#[test]
fn a_bug_must_be_caught_only_if_there_was_time_to() {
    let stand = Stand::with(&format!("{CLEAN}{CAUGHT}"));
    let soak = |seeds: u64, more: &str| {
        let words =
            format!("soak a.yaml --seed 5 --world simulated --quiet --seeds {seeds} {more}");
        stand.run(&words)
    };
    let short = soak(5, "");
    assert_eq!(short.code, Some(0), "{short:?}");
    let told = "in 5 of 6 iterations: the night was too short to say";
    assert!(short.out.contains(told), "{short:?}");
    let enough = soak(6, "--out enough");
    assert_eq!(enough.code, Some(1), "{enough:?}");
    assert!(!enough.out.contains("too short"), "{enough:?}");
    for shard in ["1/2", "2/2"] {
        soak(6, &format!("--shard {shard} --out part-{}", &shard[..1]));
    }
    assert_eq!(stand.run("merge part-1 part-2").code, Some(1), "together they had time");
}

#[test]
fn a_night_in_which_nothing_ran_is_none() {
    let stand = Stand::with(CLEAN);
    for shard in ["1/1", "1/2"] {
        let ran = stand.run(&format!("soak a.yaml --time 0s --quiet --seed 1 --shard {shard}"));
        assert_eq!(ran.code, Some(4), "{shard}: {ran:?}");
        assert!(ran.out.contains("not a single operation ended"), "{ran:?}");
    }
    for date in ["2026-13-45", "2026-02-29", "2100-02-29", "2026-04-31", "2026-00-10", "2026-01-00"]
    {
        let refused = stand.run(&format!("soak a.yaml --seeds 1 --date {date}"));
        assert_eq!(refused.code, Some(2), "{date}: {refused:?}");
        assert!(refused.err.contains("there is no such day; write YEAR-MONTH-DAY"), "{refused:?}");
    }
    for date in ["2028-02-29", "2000-02-29", "2026-12-31"] {
        let words = format!("soak a.yaml --seeds 20 --world simulated --date {date}");
        assert_eq!(stand.run(&words).code, Some(0), "{date}");
    }
}

#[test]
fn what_another_shard_may_have_seen_fails_in_none_of_its_files() {
    let appends = "\
name: appends
ops: 40
actors: [{name: a, ops: {append: 1}}]
faults: [{io_error: {on: read, chance: 1%}}]
";
    let stand = Stand::with(appends);
    let soak = |more: &str| stand.run(&format!("soak a.yaml {FEW} {more}"));
    let tests = |dir: &str| fs::read_to_string(stand.path(dir).join("junit.xml")).unwrap();
    assert_eq!(soak("--out whole").code, Some(1));
    assert!(tests("whole").contains("<failure"), "{}", tests("whole"));
    let part = soak("--shard 1/2 --out part");
    assert_eq!(part.code, Some(0), "{part:?}");
    assert!(!tests("part").contains("<failure"), "{}", tests("part"));
    assert_eq!(night(&stand, "part").scenarios[0].wrong, [""; 0]);
}

#[test]
fn a_shard_of_nothing_is_no_night_and_one_without_seeds_is() {
    let stand = Stand::with(CLEAN);
    fs::create_dir(stand.path("empty")).unwrap();
    let nothing = stand.run("soak empty --seeds 4 --seed 1 --shard 1/2");
    assert_eq!(nothing.code, Some(4), "{nothing:?}");
    for (shard, code) in [("1/3", 0), ("3/3", 0)] {
        let words = format!("soak a.yaml --seeds 2 --seed 1 --world simulated --shard {shard}");
        let ran = stand.run(&format!("{words} --out part-{}", &shard[..1]));
        assert_eq!(ran.code, Some(code), "{shard}: {ran:?}");
    }
    let last = night(&stand, "part-3");
    let told = "of fewer seeds than shards, none is this shard's";
    assert!(last.verdict.remarks.iter().any(|remark| remark == told), "{:?}", last.verdict);
}

#[test]
fn shards_that_are_missing_are_counted_among_what_went_wrong() {
    let stand = Stand::with(&CLEAN.replace("chance: 5%", "chance: 0%"));
    stand.write("failing.yaml", FAILING);
    for shard in 1..=2 {
        let soak = |what: &str, dir: &str| {
            let words = format!("soak {what} {FEW} --shard {shard}/3 --out {dir}-{shard}");
            stand.run(&words)
        };
        soak("a.yaml", "idle");
        soak("failing.yaml", "failing");
    }
    let idle = stand.run("merge idle-1 idle-2 -o idle");
    assert_eq!(idle.code, Some(1), "{idle:?}");
    let verdict = night(&stand, "idle").verdict;
    assert!(verdict.sentence.ends_with("; and some things went wrong otherwise."), "{verdict:?}");
    // What failed in the rest is what is to be looked at.
    let failing = stand.run("merge failing-1 failing-2 -o failing");
    assert_eq!(failing.code, Some(1), "{failing:?}");
    assert!(failing.out.contains("shard 3/3 is missing"), "{failing:?}");
}
