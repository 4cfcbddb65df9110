//! What a night leaves beside its record: made again of it, put in order where a night was before, and
//! told to engines.

use crate::soak::{FAILING, night, stand};
use crate::stand::{CLEAN, Ran, Stand};
use std::collections::BTreeMap;
use std::fs;

const SOAK: &str = "soak --seeds 40 --world simulated --quiet";

/// The files of a night, cases and all.
fn contents(stand: &Stand, dir: &str) -> BTreeMap<String, Vec<u8>> {
    let below = |dir: &str| -> Vec<(String, Vec<u8>)> {
        let names = stand.names(dir).into_iter().map(|name| format!("{dir}/{name}"));
        let files = names.filter(|name| stand.path(name).is_file());
        files.map(|name| (name.clone(), fs::read(stand.path(&name)).unwrap())).collect()
    };
    let all = below(dir).into_iter().chain(below(&format!("{dir}/failures")));
    all.map(|(name, bytes)| (name[dir.len()..].to_owned(), bytes)).collect()
}

#[test]
fn every_file_of_a_night_is_made_again_of_its_record() {
    let stand = stand();
    stand.run(&format!("{SOAK} --seed 7 --out night"));
    let made = contents(&stand, "night");
    assert!(made.keys().any(|name| name.starts_with("/failures/")), "{:?}", made.keys());
    assert!(made.contains_key("/junit.xml") && !made.contains_key("/latency.hlog"));
    for given in ["night", "night/night.json"] {
        let again = stand.run(&format!("report {given} -o elsewhere"));
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!(again.err, "report: elsewhere/report.html\n");
        assert_eq!(contents(&stand, "elsewhere"), made);
    }
    for name in made.keys().filter(|name| *name != "/night.json") {
        stand.write(&format!("night{name}"), "old");
    }
    assert_eq!(stand.run("report night").code, Some(0));
    assert_eq!(contents(&stand, "night"), made);
    stand.write("night/night.json", "{");
    let damaged = stand.run("report night");
    assert_eq!(damaged.code, Some(2), "{damaged:?}");
    assert!(damaged.err.contains("night/night.json: not the record of a night"), "{damaged:?}");
}

#[test]
fn the_page_of_a_night_tells_why() {
    let stand = stand();
    stand.run(&format!("{SOAK} --seed 7 --out night"));
    let night = night(&stand, "night");
    let told = night.signatures.iter().filter(|one| night.story_of(one).is_some());
    assert_eq!(told.count(), night.signatures.len(), "{:?}", night.signatures);
    let page = fs::read_to_string(stand.path("night/report.html")).unwrap();
    assert!(page.contains("<div class=\"why\">") && page.contains("<li id=\"f1-1\""));
    assert!(page.len() <= 2_000_000, "{} bytes", page.len());
    // The same as `explain` and a run tell of that case.
    let first = &night.signatures[0];
    let case = first.file.as_ref().unwrap();
    let explained = stand.run(&format!("explain night/{case}"));
    let story = night.story_of(first).unwrap();
    assert!(explained.out.contains(&story.expected), "{explained:?}\n{story:?}");
    stand.run(&format!("{SOAK} --seed 7 --out untold --shrink 0s"));
    let page = fs::read_to_string(stand.path("untold/report.html")).unwrap();
    assert!(page.contains("Nobody has looked into it"), "why there is no story is told");
}

#[test]
fn what_lies_where_a_night_goes_is_put_aside_or_kept() {
    let stand = stand();
    stand.run(&format!("{SOAK} --seed 7 --out one"));
    stand.write("clean.yaml", CLEAN);
    stand.run("soak clean.yaml --seed 7 --seeds 5 --world simulated --quiet --out two");
    stand.run("merge one -o merged --quiet");
    let cases = stand.names("merged/failures");
    assert!(!cases.is_empty());
    let ran = stand.run("merge two -o merged");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("put aside: "), "{ran:?}");
    assert_eq!(stand.names("merged/failures"), Vec::<String>::new());
    assert_eq!(stand.names("merged/failures.before"), cases);
    stand.run("report one -o merged");
    assert_eq!(stand.names("merged/failures"), cases);
    // A run's page is no place for a night.
    let run = stand.run("run clean.yaml --seeds 1 --reports runs --quiet");
    assert_eq!(run.code, Some(0), "{run:?}");
    for words in ["merge one -o runs/clean-0x1", "report one -o runs/clean-0x1"] {
        let refused = stand.run(words);
        assert_eq!(refused.code, Some(2), "{words}: {refused:?}");
        assert!(refused.err.contains("holds a run"), "{words}: {refused:?}");
    }
    let refused = stand.run("soak clean.yaml --seeds 1 --out runs/clean-0x1");
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[test]
fn nights_that_were_mixed_name_every_campaign() {
    let stand = Stand::with(CLEAN);
    let soak = |seed: u64, shard: &str, dir: &str| {
        let words = format!("soak a.yaml --seeds 20 --world simulated --quiet --shard {shard}");
        stand.run(&format!("{words} --seed {seed} --out {dir}"))
    };
    soak(1, "1/1", "one");
    soak(2, "1/2", "two");
    let mixed = stand.run("merge two one --allow-mixed --allow-missing -o mixed");
    assert_eq!(mixed.code, Some(0), "{mixed:?}");
    let night = night(&stand, "mixed");
    let seeds: Vec<_> = night.campaigns.iter().map(|campaign| campaign.seed.0).collect();
    assert_eq!((seeds, night.shards.len()), (vec![1, 2], 2));
    assert_eq!(night.scenarios[0].iterations, 30);
    let page = fs::read_to_string(stand.path("mixed/report.html")).unwrap();
    for text in ["Soaks of 2 campaigns", "<code>0x1</code>", "<code>0x2</code>", "2/2 of 0x2"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(mixed.out.contains("remark: these are 2 campaigns together: 0x1 ("), "{mixed:?}");
    assert!(mixed.out.contains("shard 2/2 of 0x2 is missing, 10 seeds"), "{mixed:?}");
    // What is mixed stays so, in any order.
    stand.run("merge one mixed two --allow-mixed --allow-missing -o again --quiet");
    let bytes = |dir: &str| fs::read(stand.path(dir).join("night.json")).unwrap();
    assert_eq!(bytes("again"), bytes("mixed"));
    let refused = stand.run("merge mixed one");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("the campaigns are 2 and 1"), "{refused:?}");
}

#[test]
fn engines_are_told_of_a_night() {
    let stand = Stand::with(FAILING);
    stand.write("summary.md", "before\n");
    let run = |words: &str| {
        let mut command = stand.command(words);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", stand.path("."));
        Ran::of(command.env("GITHUB_STEP_SUMMARY", stand.path("summary.md")).output().unwrap())
    };
    let soak = "soak a.yaml --seeds 40 --seed 7 --world simulated --shrink 0s";
    let ran = run(&format!("{soak} --out night --junit all.xml"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let count = night(&stand, "night").signatures.len();
    let errors = |ran: &Ran| ran.err.lines().filter(|line| line.starts_with("::error ")).count();
    assert!(0 < count && errors(&ran) == count, "{ran:?}");
    assert!(ran.err.contains("::error file=a.yaml,line="), "{ran:?}");
    assert!(ran.err.contains("%0Areproduce with: pagestorm replay night/failures/"), "{ran:?}");
    let page = fs::read_to_string(stand.path("summary.md")).unwrap();
    assert!(page.starts_with("before\n## Pagestorm soak: "), "{page}");
    let tests = fs::read(stand.path("all.xml")).unwrap();
    assert_eq!(tests, fs::read(stand.path("night/junit.xml")).unwrap());
    let plain = run("merge night --format plain");
    assert_eq!((plain.code, errors(&plain)), (Some(1), 0), "{plain:?}");
    let merged = stand.run("merge night --format github --junit merged.xml");
    assert_eq!(errors(&merged), count, "{merged:?}");
    assert_eq!(fs::read(stand.path("merged.xml")).unwrap(), tests);
}

#[test]
fn slices_of_threads_leave_their_latencies() {
    let stand = Stand::with(CLEAN);
    stand.run("soak a.yaml --seeds 1 --seed 5 --world threads --quiet --out night");
    let log = fs::read_to_string(stand.path("night/latency.hlog")).unwrap();
    assert!(log.contains("\nTag=clean.write.service.ok,"), "{log}");
    let page = fs::read_to_string(stand.path("night/report.html")).unwrap();
    assert!(page.contains("id=\"latency\"") && page.contains("clean: "));
}
