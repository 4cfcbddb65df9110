//! Soaking: the same seeds leave the same night, however many machines shared it and however often
//! they were killed.

use crate::allowed::is_allowed;
use crate::stand::{CLEAN, Ran, Stand};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report::record::{Night, Shard, ShardEnd};
use serde_json::Value;
use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

/// Fails now and then, and should not.
pub(crate) const FAILING: &str = "\
name: failing
ops: 120
filesystem: {block_size: 4KiB, max_folio: 4KiB}
files: [{name: a, size: 16KiB, layout: delalloc}]
actors:
  - {name: a, count: 3, ops: {write: 3, writeback: 3, punch: 1, read: 2}, size: {max: 16KiB}, within: 20KiB}
faults: [{evict: {chance: 30%}}]
bugs: [stale-iomap-write]
";

/// Shows a bug, as it should.
pub(crate) const CAUGHT: &str = "expect: {caught: {by: extents_agree_with_validated_mapping}}\n";

pub(crate) fn stand() -> Stand {
    let stand = Stand::new();
    fs::create_dir(stand.path("scenarios")).unwrap();
    stand.write("scenarios/clean.yaml", CLEAN);
    stand.write("scenarios/failing.yaml", FAILING);
    let caught = FAILING.replace("name: failing", "name: caught") + CAUGHT;
    stand.write("scenarios/caught.yaml", caught);
    stand
}

pub(crate) fn night(stand: &Stand, dir: &str) -> Night {
    let path = stand.path(dir).join("night.json");
    Night::from_json(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The night without who did what.
fn essence(night: &Night) -> String {
    Night { shards: Vec::new(), parts: Vec::new(), ..night.clone() }.to_json()
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if what() {
            return;
        }
        sim::sleep(Duration::from_millis(10));
    }
    panic!("it did not come about in 20 s");
}

#[test]
fn three_shards_leave_what_one_process_does() {
    let stand = stand();
    let soak = "soak --seed 7 --seeds 50 --world simulated --quiet";
    let whole = stand.run(&format!("{soak} --out whole"));
    assert_eq!(whole.code, Some(1), "{whole:?}");
    for shard in 1..=3 {
        stand.run(&format!("{soak} --shard {shard}/3 --out part-{shard}"));
    }
    let merged = stand.run("merge part-1 part-2 part-3 -o merged/report.html");
    assert_eq!(merged.code, Some(1), "{merged:?}");
    let (one, three) = (night(&stand, "whole"), night(&stand, "merged"));
    assert_eq!(essence(&one), essence(&three));
    assert!(one.signatures.iter().all(|signature| signature.rate.failed == 3), "{one:?}");
    assert_eq!(stand.names("whole/failures"), stand.names("merged/failures"));
    let caught = one.scenarios.iter().find(|total| total.name == "caught").unwrap();
    assert_eq!((caught.iterations, caught.caught != 0), (50, true));

    // In any order, in any nesting, and as often as one likes.
    stand.run("merge part-3 part-1 -o two");
    stand.run("merge part-2 two part-1 merged -o nested --quiet");
    for file in ["night.json", "report.html", "junit.xml"] {
        let bytes = |dir: &str| fs::read(stand.path(dir).join(file)).unwrap();
        assert_eq!(bytes("nested"), bytes("merged"), "{file}");
    }

    // A file that a person can keep: it fails for as long as the cause is there.
    fs::create_dir(stand.path("regressions")).unwrap();
    let file = one.signatures[0].file.clone().unwrap();
    fs::copy(stand.path("whole").join(&file), stand.path("regressions/kept.yaml")).unwrap();
    let kept = stand.run("run regressions/kept.yaml --quiet");
    assert_eq!(kept.code, Some(1), "{kept:?}");
    let again = stand.run("soak scenarios/clean.yaml --seeds 5 --world simulated --regressions regressions --out again");
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.out.contains("regressions/kept.yaml: clean is expected"), "{again:?}");
    assert!(!night(&stand, "again").regressions[0].as_expected);

    // The whole seed comes back, too.
    let words = one.signatures[0].reproduce.strip_prefix("pagestorm ").unwrap();
    let again = stand.run(&format!("{words} --shrink 0s --json -"));
    assert_eq!(again.record().violations[0].invariant, one.signatures[0].invariant);
}

#[test]
fn what_is_missing_or_does_not_belong_together_is_refused() {
    let stand = Stand::new();
    stand.write("a.yaml", CLEAN);
    let soak = |words: &str| stand.run(&format!("soak a.yaml --world simulated --quiet {words}"));
    soak("--seed 1 --seeds 30 --shard 1/3 --out one");
    soak("--seed 1 --seeds 30 --shard 3/3 --out three");
    soak("--seed 2 --seeds 30 --shard 2/3 --out other");
    soak("--seed 1 --seeds 30 --shard 1/2 --out cut");
    let merge = |words: &str| stand.run(&format!("merge {words}"));
    let missing = merge("one three -o merged");
    assert_eq!(missing.code, Some(5), "{missing:?}");
    assert!(missing.out.contains("shard 2/3 is missing, 10 seeds"), "{missing:?}");
    let page = fs::read_to_string(stand.path("merged/report.html")).unwrap();
    assert!(page.contains("2/3"), "the page does not name the shard");
    assert_eq!(merge("one three --allow-missing").code, Some(0));
    let twice = merge("one three one --allow-missing");
    assert!(twice.err.contains("shard 1/3 is there more than once"), "{twice:?}");
    for (words, told) in [
        ("one other", "the seed is 0x1 and 0x2"),
        ("one cut", "iterations were shared out in two ways"),
        ("one nowhere", "nowhere/night.json"),
        ("one -o one", "cannot be where the result goes"),
    ] {
        let refused = merge(words);
        assert_eq!(refused.code, Some(2), "{words}: {refused:?}");
        assert!(refused.err.contains(told), "{words}: {refused:?}");
    }
    // A machine that computes otherwise.
    fs::create_dir(stand.path("liar")).unwrap();
    let text = fs::read_to_string(stand.path("one/night.json")).unwrap();
    let operations = night(&stand, "one").parts[0].counts.operations;
    let lie = text.replace(&format!("\"operations\": {operations}"), "\"operations\": 3");
    stand.write("liar/night.json", lie);
    let differs = merge("one liar three --allow-missing");
    assert_eq!(differs.code, Some(70), "{differs:?}");
    assert!(differs.err.contains("same seeds, different results: clean"), "{differs:?}");
    stand.write("liar/night.json", &text[..text.len() / 2]);
    let damaged = merge("one liar");
    assert_eq!(damaged.code, Some(2), "{damaged:?}");
    assert!(damaged.err.contains("cut short"), "{damaged:?}");
}

#[test]
fn a_night_that_is_killed_goes_on_and_loses_nothing() {
    let stand = stand();
    // So many that no machine is through with them before it is killed.
    let soak = "soak --seed 9 --seeds 3000 --world simulated --shrink-runs 200";
    let undisturbed = stand.run(&format!("{soak} --out whole"));
    assert_eq!(undisturbed.code, Some(1), "{undisturbed:?}");
    let refused = stand.run(&format!("{soak} --out whole"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--resume goes on"), "{refused:?}");
    for _ in 0..2 {
        let mut child = stand.start(&format!("{soak} --out killed --resume"));
        wait_for(|| stand.path("killed/night.json").exists());
        sim::sleep(Duration::from_millis(200));
        send(&child, Signal::SIGKILL);
        child.wait().unwrap();
        assert_eq!(night(&stand, "killed").shards[0].ended, ShardEnd::Running);
    }
    let merged = stand.run("merge killed");
    assert!(merged.out.contains("shard 1/1 did not end"), "{merged:?}");
    // A signal that can be caught writes everything down.
    let child = stand.start(&format!("{soak} --out killed --resume"));
    sim::sleep(Duration::from_millis(500));
    send(&child, Signal::SIGTERM);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{ran:?}");
    let interrupted = night(&stand, "killed");
    assert_eq!(interrupted.shards[0].ended, ShardEnd::Interrupted);
    assert!(interrupted.scenarios.iter().any(|total| 0 < total.iterations), "{ran:?}");

    let ended = stand.run(&format!("{soak} --out killed --resume"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let (whole, killed) = (night(&stand, "whole"), night(&stand, "killed"));
    assert_eq!((killed.shards[0].starts, killed.shards[0].ended), (4, ShardEnd::Complete));
    assert_eq!(essence(&whole), essence(&killed));
    assert_eq!(whole.parts, killed.parts);
}

#[test]
fn what_was_found_and_not_looked_at_is_looked_at_later() {
    let stand = stand();
    let soak = "soak --seed 7 --seeds 50 --world simulated --quiet";
    stand.run(&format!("{soak} --out whole"));
    stand.run(&format!("{soak} --out later --shrink 0s"));
    let found = night(&stand, "later");
    assert!(found.signatures.iter().all(|one| !one.minimal && one.rate.runs == 0), "{found:?}");
    stand.run(&format!("{soak} --out later --resume"));
    assert_eq!(essence(&night(&stand, "later")), essence(&night(&stand, "whole")));
    assert_eq!(stand.names("later/failures"), stand.names("whole/failures"));
}

#[test]
fn a_shard_whose_time_was_up_is_a_gap() {
    let stand = Stand::with(CLEAN);
    let soak = "soak a.yaml --seed 1 --world simulated --quiet --out short";
    let short = stand.run(&format!("{soak} --seeds 1000000000 --time 300ms"));
    assert_eq!(short.code, Some(0), "{short:?}");
    let merged = stand.run("merge short");
    assert_eq!(merged.code, Some(5), "{merged:?}");
    let told = "shard 1/1 had no time for all of its seeds";
    assert!(merged.out.contains(told), "{merged:?}");
    assert_eq!(stand.run("merge short --allow-missing").code, Some(0));
    let done = night(&stand, "short").scenarios[0].iterations;
    // As many as are done: now nothing is missing, however short the time.
    let whole = stand.run(&format!("{soak} --resume --seeds {done} --time 300ms"));
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert_eq!(night(&stand, "short").shards[0].ended, ShardEnd::Complete);
    assert_eq!(stand.run("merge short").code, Some(0));
}

#[test]
fn two_commits_under_one_seed_are_two_nights() {
    let stand = Stand::with(CLEAN);
    let soak = |commit: &str, words: &str| {
        let words = format!("soak a.yaml --seed 1 --seeds 10 --world simulated --quiet {words}");
        let mut command = stand.command(&words);
        Ran::of(command.env("GITHUB_SHA", commit.repeat(20)).output().unwrap())
    };
    assert_eq!(soak("ab", "--shard 1/2 --out one").code, Some(0));
    assert_eq!(soak("cd", "--shard 2/2 --out two").code, Some(0));
    let commit = night(&stand, "one").campaign.commit;
    assert_eq!(commit, Some("ab".repeat(20)));
    let resumed = soak("cd", "--shard 1/2 --out one --resume");
    assert_eq!(resumed.code, Some(2), "{resumed:?}");
    assert!(resumed.err.contains("it began at commit abab"), "{resumed:?}");
    let merged = stand.run("merge one two");
    assert_eq!(merged.code, Some(2), "{merged:?}");
    assert!(merged.err.contains("the commit is abab"), "{merged:?}");
}

#[test]
fn what_nobody_could_look_at_is_looked_at_later() {
    let stand = stand();
    let soak = "soak --seed 7 --seeds 50 --world simulated --quiet";
    stand.run(&format!("{soak} --out whole"));
    stand.run(&format!("{soak} --out later --shrink 0s"));
    // As if there had been no memory for a case.
    let mut found = night(&stand, "later");
    let parts = found.parts.iter_mut();
    parts.flat_map(|part| &mut part.failures).for_each(|failure| failure.case = None);
    stand.write("later/night.json", found.to_json());
    stand.run(&format!("{soak} --out later --resume"));
    assert_eq!(night(&stand, "later").parts, night(&stand, "whole").parts);
}

#[test]
fn a_failure_that_was_being_made_smaller_is_so_later() {
    let stand = Stand::with(&FAILING.replace("ops: 120", "ops: 200"));
    let soak = "soak a.yaml --seed 7 --seeds 20 --world simulated --quiet";
    stand.run(&format!("{soak} --out whole"));
    let child = stand.start(&format!("{soak} --out cut"));
    wait_for(|| stand.path("cut/failures").exists());
    sim::sleep(Duration::from_millis(50));
    send(&child, Signal::SIGTERM);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(143), "{ran:?}");
    stand.run(&format!("{soak} --out cut --resume"));
    assert_eq!(night(&stand, "whole").parts, night(&stand, "cut").parts);
}

#[test]
fn a_full_disk_keeps_what_it_has_and_gets_the_rest_later() {
    let stand = Stand::new();
    stand.write("a.yaml", CLEAN);
    fs::create_dir(stand.path("disk")).unwrap();
    let disk = stand.path("disk");
    let mount = |words: &[&str]| Command::new(words[0]).args(&words[1..]).arg(&disk).status();
    let mounted = is_allowed("a full disk", &[])
        && mount(&["mount", "-t", "tmpfs", "-o", "size=2m", "none"]).is_ok_and(|end| end.success());
    if !mounted {
        eprintln!("a full disk is not tried: only root may mount one, and not everywhere");
        return;
    }
    let soak = "soak a.yaml --seed 3 --world simulated --out disk/night";
    stand.run(&format!("{soak} --seeds 20"));
    let before = fs::read(disk.join("night/night.json")).unwrap();
    let stuff = || drop(fs::write(disk.join("filler"), vec![7; 4 << 20]));
    stuff();
    let full = stand.run(&format!("{soak} --seeds 40 --resume"));
    let after = fs::read(disk.join("night/night.json")).unwrap();
    let child = stand.start(&format!("{soak} --seeds 60 --resume"));
    sim::sleep(Duration::from_millis(1_500));
    fs::remove_file(disk.join("filler")).unwrap();
    let later = Ran::of(child.wait_with_output().unwrap());
    let night = night(&stand, "disk/night");
    mount(&["umount"]).unwrap();
    assert_eq!(full.code, Some(5), "{full:?}");
    assert!(full.err.contains("results cannot be written"), "{full:?}");
    assert_eq!(before, after, "a full disk lost what was there");
    assert_eq!(later.code, Some(0), "{later:?}");
    assert!(later.err.contains("results can be written again"), "{later:?}");
    assert_eq!(night.scenarios[0].iterations, 60);
}

#[test]
fn a_soak_that_shows_nothing_is_a_failure() {
    let never = CLEAN.replace("short_copy: {chance: 5%}", "io_error: {on: read, chance: 0.0001%}");
    let table = [
        (format!("{CLEAN}{CAUGHT}"), "is expected, and was not seen"),
        (never, "io_error_read was armed"),
        (
            CLEAN.replace("chance: 5%", "chance: 0%"),
            "short_copy_transient was never armed, and no fault",
        ),
    ];
    for (scenario, told) in table {
        let stand = Stand::with(&scenario);
        let ran = stand.run("soak a.yaml --seeds 10 --world simulated --out night");
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.out.contains(told), "{ran:?}");
        assert!(ran.out.contains("not good: a.yaml (simulated)"), "{ran:?}");
    }
    let stand = Stand::new();
    fs::create_dir(stand.path("empty")).unwrap();
    assert_eq!(stand.run("soak empty --seeds 1").code, Some(4));

    // A share of a night that is too small for all cannot say.
    stand.write("a.yaml", format!("{FAILING}{CAUGHT}").replace("ops: 120", "ops: 2\nseeds: 2"));
    for shard in 1..=3 {
        let soak = "soak a.yaml --seed 3 --seeds 2 --world simulated --quiet";
        let ran = stand.run(&format!("{soak} --shard {shard}/3 --out part-{shard}"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let merged = stand.run("merge part-1 part-2 part-3");
    assert_eq!(merged.code, Some(1), "{merged:?}");
    assert!(merged.out.contains("is expected, and was not seen"), "{merged:?}");
}

#[test]
fn threads_have_slices_and_the_engine_says_which_shard() {
    let stand = Stand::with(CLEAN);
    let mut command = stand.command("soak a.yaml --seeds 1 --seed 5 --world threads --shard auto");
    command.envs([("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "4")]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("shard 1/4 (from JOB_COMPLETION_INDEX)"), "{ran:?}");
    let night = night(&stand, "reports/night-0x5-shard-001-of-004");
    assert_eq!(night.shards[0].shard, Shard { index: 1, of: 4 });
    assert_eq!(night.scenarios[0].iterations, 1);
    assert!(100 < night.scenarios[0].counts.operations, "{ran:?}");
    let none = stand.run("soak a.yaml --seeds 1 --shard auto");
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("set PAGESTORM_SHARD=I/N"), "{none:?}");
}

#[test]
fn names_in_a_record_are_text_and_lead_nowhere() {
    let stand = Stand::with(FAILING);
    stand.run("soak a.yaml --seeds 30 --seed 5 --world simulated --shrink 0s --out night");
    let mut hostile = night(&stand, "night");
    let evil = "../../</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J";
    hostile.tool.name = evil.to_owned();
    hostile.campaign.date = Some(evil.to_owned());
    for part in &mut hostile.parts {
        (part.name, part.file) = (evil.to_owned(), evil.to_owned());
        for failure in &mut part.failures {
            (failure.signature, failure.sentence) = (evil.to_owned(), evil.to_owned());
        }
    }
    fs::create_dir(stand.path("evil")).unwrap();
    stand.write("evil/night.json", hostile.to_json());
    let ran = stand.run("merge evil -o out");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{ran:?}");
    let page = fs::read_to_string(stand.path("out/report.html")).unwrap();
    assert!(!page.contains("<img") && !page.contains("</script"), "markup came through");
    assert_eq!(stand.names("out"), ["failures", "junit.xml", "night.json", "report.html"]);
    assert_eq!(stand.names("out/failures").len(), 1);
    assert_eq!(stand.names("."), ["a.yaml", "evil", "night", "out"]);
}

#[test]
fn the_schema_describes_every_field_of_a_night() {
    let stand = stand();
    stand.run("soak --seed 7 --seeds 20 --world simulated --quiet --out night");
    let schema: Value = serde_json::from_str(Night::JSON_SCHEMA).unwrap();
    assert_eq!(stand.run("schema --night").out, Night::JSON_SCHEMA);
    refers_to_itself(&schema, &schema);
    let results: Value = serde_json::from_str(report::record::Record::JSON_SCHEMA).unwrap();
    for (name, shared) in schema["$defs"].as_object().unwrap() {
        let there = match name.as_str() {
            "story" => "/properties/violations/items/properties/story".to_owned(),
            name => format!("/properties/{name}"),
        };
        assert_eq!(Some(shared), results.pointer(&there), "{name} is that of results");
    }
    let night = serde_json::to_value(night(&stand, "night")).unwrap();
    described(&schema, &night, "night");
}

/// Every `$ref` names something in the same file.
fn refers_to_itself(whole: &Value, part: &Value) {
    if let Some(name) = part.get("$ref") {
        let place = name.as_str().and_then(|name| name.strip_prefix('#'));
        assert!(place.and_then(|place| whole.pointer(place)).is_some(), "{name}");
    }
    let fields = part.as_object().into_iter().flat_map(|fields| fields.values());
    let items = part.as_array().into_iter().flatten();
    fields.chain(items).for_each(|part| refers_to_itself(whole, part));
}

/// Holds a value against its description. What the schema of results describes is tested there.
fn described(schema: &Value, value: &Value, path: &str) {
    assert!(schema["description"].is_string(), "{path} has no description");
    match value {
        Value::Object(fields) if schema["$ref"].is_null() => {
            let properties = schema["properties"].as_object().unwrap();
            let known: Vec<_> = properties.keys().collect();
            assert_eq!(fields.keys().collect::<Vec<_>>(), known, "{path}");
            for (name, field) in fields {
                described(&properties[name], field, &format!("{path}.{name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                described(&schema["items"], item, &format!("{path}[]"));
            }
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
