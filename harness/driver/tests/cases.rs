//! The case of a storm is that storm, without chance: the same trace, and the same violation.

use driver::case;
use driver::onlooker::Look;
use driver::reproducer;
use driver::scenario::plan::{Plan, WorldKind};
use driver::scenario::{MAX_BYTES, load, parse, write};
use driver::storm::{Orders, Storm, run};
use driver::vocabulary;
use sim::chance::Seed;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stormfs::points::Point;

/// Seeds of each scenario.
const SEEDS: u64 = 4;

/// Those that draw something.
fn scenarios() -> Vec<(PathBuf, Plan)> {
    let mut plans = every_scenario();
    plans.retain(|(_, plan)| plan.world == WorldKind::Simulated && plan.script.is_empty());
    plans
}

fn every_scenario() -> Vec<(PathBuf, Plan)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let folders = [root.clone(), root.join("bugs"), root.join("scripts")];
    let open = |folder: &PathBuf| std::fs::read_dir(folder).expect("scenarios are in the tree");
    let files = folders.iter().flat_map(open);
    let files = files.map(|entry| entry.expect("a readable folder").path());
    let yaml = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let read = |path: PathBuf| {
        let plan =
            load(&path, &vocabulary::known(), &[]).unwrap_or_else(|report| panic!("{report}"));
        (path, plan)
    };
    yaml.map(read).collect()
}

fn storm(plan: &Plan, seed: Seed) -> Storm {
    let interrupted = Arc::default();
    let orders = Orders {
        plan,
        seed,
        record: true,
        judged: true,
        look: Look::default(),
        interrupted: &interrupted,
    };
    run(orders).expect("a simulation has a device in memory")
}

#[test]
fn the_case_of_a_storm_does_the_same() {
    let mut violations = 0;
    for (path, plan) in scenarios() {
        for nth in 0..SEEDS {
            let seed = Seed(plan.seed).nth(nth);
            let told = format!("{}, seed {nth}", path.display());
            let first = storm(&plan, seed);
            let case = case::of(&plan, seed, first.recording.as_ref().unwrap());
            assert!(case.is_explicit(), "{told}");
            let again = storm(&case, Seed(0));
            let found = |storm: &Storm| storm.violation.clone().map(|found| found.invariant);
            assert_eq!(found(&again), found(&first), "{told}");
            let began = first.recording.as_ref().unwrap().calls.iter().all(|did| !did.is_empty());
            if began {
                assert_eq!(again.drifts, [], "{told}");
                assert_eq!(again.end.trace_hash, first.end.trace_hash, "{told}");
                assert_eq!(again.recording, first.recording, "{told}");
            }
            violations += u64::from(first.violation.is_some());
        }
    }
    assert!(20 < violations, "only {violations} storms found something");
}

#[test]
fn the_case_of_a_script_needs_no_script() {
    let mut scripts = 0;
    for (path, plan) in every_scenario() {
        if plan.script.is_empty() {
            continue;
        }
        let seed = Seed(plan.seed);
        let first = storm(&plan, seed);
        let case = case::of(&plan, seed, first.recording.as_ref().unwrap());
        let again = storm(&case, seed);
        let found = |storm: &Storm| storm.violation.clone().map(|found| found.to_string());
        assert_eq!(found(&again), found(&first), "{}", path.display());
        // Whatever the conductor evicted, somebody evicts at the same place.
        let evicted =
            |storm: &Storm| storm.tally.points[usize::from(Point::EvictFolioLocked.code())];
        assert_eq!(evicted(&again), evicted(&first), "{}", path.display());
        // What it really did is without what the default rule says anyway.
        let followed = case::of(&case, seed, again.recording.as_ref().unwrap());
        let third = storm(&followed, seed);
        assert_eq!(third.drifts, [], "{}", path.display());
        assert_eq!(third.end.trace_hash, again.end.trace_hash, "{}", path.display());
        scripts += 1;
    }
    assert!(15 < scripts, "only {scripts} scripts");
}

#[test]
fn a_case_is_written_as_a_scenario_that_reads_back() {
    let (mut longest, mut violations) = (0, 0);
    for (path, plan) in every_scenario() {
        if plan.world == WorldKind::Threads {
            continue;
        }
        for nth in 0..SEEDS {
            let seed = Seed(plan.seed).nth(nth);
            let told = format!("{}, seed {nth}", path.display());
            let first = storm(&plan, seed);
            let mut case = case::of(&plan, seed, first.recording.as_ref().unwrap());
            reproducer::stamp(&mut case, &first, ("scenarios/\u{1f409}: #1 {x}.yaml", seed));
            let text = write(&case);
            let again = parse("case.yaml", &text, &vocabulary::known(), &[])
                .unwrap_or_else(|report| panic!("{told}: {report}"));
            assert_eq!(format!("{again:?}"), format!("{case:?}"), "{told}");
            assert_eq!(write(&again), text, "{told}");
            let ran = (storm(&again, Seed(3)), storm(&case, Seed(4)));
            assert_eq!(ran.0.end.trace_hash, ran.1.end.trace_hash, "{told}");
            assert_eq!(ran.0.drifts, ran.1.drifts, "{told}");
            longest = longest.max(text.len());
            violations += u64::from(first.violation.is_some());
        }
    }
    assert!(20 < violations, "only {violations} storms found something");
    assert!(longest < MAX_BYTES / 4, "the longest case has {longest} bytes");
    println!("the longest case has {longest} bytes");
}

#[test]
fn what_is_said_of_a_target_reads_back() {
    for target in [
        "{kernel: xfs, mkfs: [-mreflink=1], mount: noatime, size: 512MiB, image: /var/tmp, descriptors: 3, mm: own}",
        "{kernel: tmpfs}",
        "{directory: /srv, descriptors: 2, mm: own}",
    ] {
        let text = format!(
            "name: a\nworld: threads\ntarget: {target}\nactors: [{{name: w, does: [fsync]}}]\n"
        );
        let read = |text: &str| {
            let read = parse("a.yaml", text, &vocabulary::known(), &[]);
            read.unwrap_or_else(|report| panic!("{report}"))
        };
        let plan = read(&text);
        let written = write(&plan);
        let again = read(&written);
        assert_eq!(
            (&again.target, again.descriptors, again.mm),
            (&plan.target, plan.descriptors, plan.mm)
        );
        assert_eq!(
            written.matches("mm: own").count(),
            target.matches("mm: own").count(),
            "{written}"
        );
    }
}
