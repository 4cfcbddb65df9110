//! Results: the same on every machine and with any number of threads, and reproduced by one line.

use crate::stand::{CLEAN, Ran, Stand, project};
use oracle::outside::is_of_the_model;
use report::record::{Environment, Record, Timing, VerdictKind, Violation};
use std::collections::BTreeSet;

/// Fails, but not at its first seed.
pub(crate) const LATE: &str =
    "--ops 30 --seed 7 --seeds 300 --set filesystem.mapping_check=never --set swarm=false";

/// Expects what a correct filesystem does not do.
const EXPECTING: &str = r#"--set expect={"caught":{"by":"data_matches_model"}}"#;

/// Writeback takes the right to write from a mapping too late.
const UNPROTECTED: &str = "\
seeds: 100
ops: 200
filesystem: {block_size: 1KiB, max_folio: 16KiB, clean_order: clear_then_protect}
files: [{name: a, size: 32KiB, layout: written}]
actors:
  - name: anybody
    count: 4
    ops: {mmap_store: 4, writeback: 3, punch: 1, read: 2}
    size: {min: 64, max: 8KiB}
    within: 32KiB
faults: [{evict: {chance: 10%}}]
";

/// The JSON without what may differ between machines.
fn portable(ran: &Ran) -> String {
    let record = ran.record();
    let (environment, timing) = (Environment::default(), Timing::default());
    Record { environment, timing, ..record }.to_json()
}

#[test]
fn results_do_not_depend_on_the_number_of_jobs() {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let pct = r#"--set strategy={"pct":{"depth":3}}"#;
    for words in [
        "a.yaml --seeds 70".to_owned(),
        format!("{mixed} --ops 100"),
        format!("{mixed} --ops 100 --seeds 8 {pct}"),
        format!("{mixed} {LATE}"),
        format!("{mixed} {LATE} --fail-fast"),
        format!("{mixed} --ops 200 --set filesystem.preset=v5.19"),
        format!("{mixed} --ops 200 --set swarm=false"),
    ] {
        let stand = Stand::with(CLEAN);
        let of = |jobs| stand.run(&format!("run {words} --json - --jobs {jobs}"));
        let (one, two, three) = (of(1), of(2), of(3));
        assert_eq!(portable(&one), portable(&two), "{words}");
        assert_eq!(portable(&one), portable(&three), "{words}");
        assert_eq!(one.code, two.code, "{words}");
    }
}

#[test]
fn the_last_line_of_a_failing_run_shows_the_same_violation() {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let vary = "vary={filesystem.block_size: [512, 1KiB, 4KiB], device.size: [2MiB, 4MiB], \
                strategy: [random, {pct: {depth: 3}}]}";
    for (set, drawn) in [("strategy=random", 0), ("strategy={pct: {depth: 3}}", 0), (vary, 3)] {
        let stand = Stand::new();
        let mut command = stand.command(&format!("run {mixed} {LATE} --fail-fast --json -"));
        let first = Ran::of(command.args(["--set", set]).output().unwrap());
        assert_eq!(first.code, Some(1), "{first:?}");
        let record = first.record();
        let violation = &record.violations[0];
        assert_ne!(record.counts.seeds_done, 1, "the first seed failed already");
        let line = first.err.lines().last().unwrap();
        let words = line.strip_prefix("reproduce with: pagestorm ").expect(line);
        let replayed = stand.run(words);
        assert_eq!(replayed.code, Some(0), "{replayed:?}");
        let alone = format!("--seed {} --seeds 1", violation.seed);
        let alone = LATE.replace("--seed 7 --seeds 300", &alone);
        let mut command = stand.command(&format!("run {mixed} {alone} --json -"));
        let again = Ran::of(command.args(["--set", set]).output().unwrap());
        assert_eq!(again.code, Some(1), "{again:?}");
        let same = |found: &Violation| (found.invariant.clone(), found.range, found.drawn.clone());
        assert_eq!(same(&again.record().violations[0]), same(violation));
        assert_eq!(first.record().violations[0].drawn.len(), drawn);
        assert_eq!(again.record().counts.seeds_done, 1);
    }
}

#[test]
fn a_run_goes_on_for_failures_of_other_invariants() {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let stand = Stand::new();
    let of = |more: &str| {
        let set = "--set filesystem.preset=v5.19";
        stand.run(&format!("run {mixed} --ops 200 --seeds 60 {set} --json - {more}"))
    };
    let (all, first) = (of(""), of("--fail-fast"));
    assert_eq!((all.code, first.code), (Some(1), Some(1)));
    let (all, first) = (all.record(), first.record());
    let names: BTreeSet<_> = all.violations.iter().map(|one| &one.invariant).collect();
    assert!(2 <= names.len() && names.len() == all.violations.len(), "{names:?}");
    assert!(names.len() == 8 || all.counts.seeds_done == 60);
    assert_eq!(first.violations, all.violations[..1]);
    assert!(first.counts.seeds_done < all.counts.seeds_done);
    assert!(all.verdict.sentence.contains(&all.violations[1].invariant));
}

#[test]
fn time_ends_a_simulation_too() {
    let stand = Stand::with(CLEAN);
    let record = stand.run("run a.yaml --time 1ms --json -").record();
    assert!((1..10_000_000).contains(&record.counts.seeds_done), "{:?}", record.counts.seeds_done);
    assert!(record.verdict.sentence.ends_with(" until the time was up."), "{:?}", record.verdict);
    let both = stand.run("run a.yaml --time 1h --seeds 3 --json -").record();
    assert_eq!(both.counts.seeds_done, 3);
    assert!(!both.verdict.sentence.contains("time"), "{:?}", both.verdict);
}

#[test]
fn where_bytes_are_judged_a_run_goes_on_past_wrong_state_to_the_loss_of_data() {
    let stand = Stand::with(UNPROTECTED);
    let of = |judge| stand.run(&format!("run a.yaml --json - --set judge={judge}")).record();
    let (everything, bytes) = (of("everything"), of("bytes"));
    assert_eq!(everything.violations[0].invariant, "folio_clean_means_write_protected");
    assert!(everything.counts.passed_over.is_empty());
    assert_eq!(bytes.violations[0].invariant, "data_matches_model");
    assert!(bytes.counts.passed_over.contains_key("folio_clean_means_write_protected"));
}

#[test]
fn a_run_that_missed_is_reproduced_as_a_whole() {
    let stand = Stand::with(CLEAN);
    let ran = stand.run(&format!("run a.yaml --seeds 3 --seed 4 {EXPECTING} --json -"));
    assert_eq!(ran.record().verdict.kind, VerdictKind::NotProvoked);
    let line = ran.err.lines().last().unwrap();
    assert!(line.contains("run a.yaml --seed 0x4 --set seeds=3 --set 'expect="), "{line}");
}

#[test]
fn a_violation_carries_its_evidence() {
    let mixed = project("scenarios/mixed.yaml").display().to_string();
    let ran = Stand::new().run(&format!("run {mixed} {LATE} --json -"));
    let record = ran.record();
    let violation = &record.violations[0];
    assert!(violation.strip.contains("\nextents  "), "{violation:?}");
    assert!(ran.err.contains("  extents  "), "{ran:?}");
    assert!(violation.file.is_some() && violation.range.is_some(), "{violation:?}");
    assert!(violation.details[0].starts_with("the schedule left the default rule "));
    assert!(violation.details[1].starts_with("switch "), "{violation:?}");
    assert!(violation.details.len() <= 201);
    assert!(0 < violation.step);
    assert!(!violation.sentence.is_empty() && !violation.sentence.contains('\n'));
}

#[test]
fn everything_that_can_be_counted_is_listed() {
    let faults = r#"[{"io_error":{"on":"read","chance":0}},{"latency":{"chance":0,"for":"1us"}}]"#;
    let ran = Stand::with(CLEAN).run(&format!("run a.yaml --set faults={faults} --json -"));
    let counts = ran.record().counts;
    assert_eq!(counts.points.len(), stormfs::points::Point::ALL.len());
    let of_the_model = |invariant: &&oracle::Invariant| is_of_the_model(invariant.name);
    assert_eq!(counts.invariants.len(), oracle::Invariant::all().filter(of_the_model).count());
    assert_eq!(counts.operations, 360);
    assert_eq!(counts.seeds_done, 6);
    assert_eq!(counts.operations, counts.operations_by_kind.values().sum::<u64>());
    let fired: Vec<_> =
        counts.faults.iter().map(|(kind, fault)| (kind.as_str(), fault.fired)).collect();
    assert_eq!(fired, [("io_error_read", 0), ("latency", 0)]);
}

#[test]
fn a_clean_record_says_where_and_how_long() {
    let record = Stand::with(CLEAN).run("run a.yaml --seed 0xff --json -").record();
    assert_eq!(record.verdict.kind, VerdictKind::Clean);
    assert_eq!(record.seed.first.to_string(), "0xff");
    assert!(record.environment.kernel.unwrap().starts_with("Linux "));
    assert!(0 < record.environment.cores.unwrap());
    assert!(record.environment.rustc.unwrap().starts_with("rustc "));
    assert_eq!(record.trace_hash.unwrap().len(), 16);
}
