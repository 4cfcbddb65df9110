//! Two runs side by side: gates, figures that say too little, what is not comparable, failures.

mod samples;

use report::compare::{Gate, compare, differences, text};
use report::latency::{Class, Latency};
use report::record::{self, Clock, Measure, Outcome, Record, VerdictKind, World};
use report::timeline::{EndedOperation, Timeline};

const OK: Class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: false };

/// A run of threads in which every operation takes `scale` percent of what it takes in others.
fn scaled(scale: u64, n: u64) -> Record {
    let mut latency = Latency::new(Clock::Wall);
    let mut state = 1_u64;
    for _ in 0..n {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let typical = 20_000 + (state >> 40) % 10_000;
        latency.record("write", OK, typical * scale / 100);
        latency.record("read", OK, 500 + (state >> 50) % 100);
    }
    let mut record = samples::threads();
    record.latency = latency.to_record();
    record
}

fn gated(a: &Record, b: &Record, gate: &str) -> (usize, Vec<String>) {
    let gate = Gate::parse(gate).expect("it is a gate");
    let judged = compare(a, b, &[gate]).gates.remove(0);
    (judged.judged, judged.missed)
}

#[test]
fn a_gate_is_missed_only_beyond_doubt() {
    let (before, slower) = (scaled(100, 20_000), scaled(130, 20_000));
    for (gate, missed) in [
        ("p99=+20%", true),
        ("p99=+29%", true),
        ("p99=+30%", false),
        ("p99=+40%", false),
        ("p50=+20%", true),
    ] {
        let (judged, by) = gated(&before, &slower, gate);
        assert_eq!(judged, 2, "{gate}");
        assert_eq!(by, if missed { vec!["write"] } else { vec![] }, "{gate}");
    }
    // Faster is no reason to miss a ceiling, and is one for a floor.
    assert_eq!(gated(&slower, &before, "p99=+20%").1, Vec::<String>::new());
    assert_eq!(gated(&slower, &before, "p99=-10%").1, ["write"]);
}

/// A run of so many milliseconds, in which somewhat more or less than `percent` of what others do ends
/// in each of them.
fn paced(percent: u64, seed: u64, milliseconds: u64) -> Record {
    let (mut timeline, mut state) = (Timeline::default(), seed);
    for at_ms in 0..milliseconds {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..(10 + (state >> 60)) * percent / 100 {
            let (bytes, oracle_ns, service, response) = (512, 100, 9_000, None);
            timeline.operation(EndedOperation { at_ms, bytes, oracle_ns, service, response });
        }
    }
    let mut record = samples::threads();
    record.timeline = Some(record::Timeline { actors: 1, workers: 2, ..timeline.to_record() });
    record
}

#[test]
fn throughput_that_fell_misses_its_gate_and_that_of_a_run_alike_does_not() {
    let (before, alike) = (paced(100, 1, 8_000), paced(100, 2, 8_000));
    let (less, more) = (paced(80, 3, 8_000), paced(130, 4, 8_000));
    for (other, gate, missed) in [
        (&alike, "throughput=-5%", false),
        (&alike, "throughput=+5%", false),
        (&less, "throughput=-10%", true),
        (&less, "throughput=-25%", false),
        (&less, "throughput=+5%", false),
        (&more, "throughput=-5%", false),
        (&more, "throughput=+20%", true),
    ] {
        let by = if missed { vec!["all".to_owned()] } else { vec![] };
        assert_eq!(gated(&before, other, gate), (1, by), "{gate}");
    }
    let line = |other: &Record| {
        let told = text(&compare(&before, other, &[]));
        told.lines().find(|line| line.starts_with("throughput: ")).unwrap().to_owned()
    };
    let same = line(&alike);
    assert!(same.contains(" %, 95 % CI ") && same.ends_with("; may be none)"), "{same}");
    let fell = line(&less);
    assert!(fell.contains(" (-") && !fell.contains("may be none"), "{fell}");
}

#[test]
fn too_few_operations_are_not_judged() {
    let (before, slower) = (scaled(100, 900), scaled(200, 900));
    assert_eq!(gated(&before, &slower, "p99=+20%"), (0, vec![]));
    assert_eq!(gated(&before, &slower, "p90=+20%"), (2, vec!["write".to_owned()]));
    let short = paced(100, 1, 500);
    assert_eq!(gated(&short, &short, "throughput=-10%"), (0, vec![]));
    let told = text(&compare(&short, &short, &[]));
    assert!(told.contains(" operations/s (0 %, no interval known)\n"), "{told}");
    let told = text(&compare(&before, &slower, &[Gate::parse("p99=+20%").unwrap()]));
    assert!(told.contains("gate p99=+20%: NOT JUDGED, "), "{told}");
}

#[test]
fn a_difference_has_an_interval_around_the_truth() {
    let told = text(&compare(&scaled(100, 20_000), &scaled(124, 20_000), &[]));
    let line = told.lines().find(|line| line.starts_with("p99 write: ")).unwrap();
    assert!(line.starts_with("p99 write: 29.9 \u{b5}s -> 37.1 \u{b5}s (+24 %, 95 % CI "), "{line}");
    assert!(!line.contains("may be none"), "{line}");
    let line = told.lines().find(|line| line.starts_with("p99 read: ")).unwrap();
    assert!(line.contains("(0 %, 95 % CI ") && line.ends_with("; may be none)"), "{line}");
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let kinds = VerdictKind::ALL.iter().map(|kind| samples::record(*kind));
    for record in kinds.chain([samples::threads(), scaled(100, 1_500), samples::hostile("a\n")]) {
        let same = compare(&record, &record, &[]);
        assert!(same.differences.is_empty() && same.totals.is_empty());
        let zero = |change: f64| change.abs() < 1e-9;
        assert!(same.latency.iter().all(|it| zero(it.change) && it.interval.unwrap().holds_zero()));
        assert!(same.throughput.iter().all(|it| zero(it.change)));
        assert!(same.failures.new.is_empty() && same.failures.resolved.is_empty());
        assert_eq!(same, compare(&record, &record, &[]), "chance is the same every time");
    }
}

#[test]
fn what_is_not_the_same_is_told() {
    let record = samples::threads();
    let with = |change: &dyn Fn(&mut Record)| {
        let mut other = record.clone();
        change(&mut other);
        let all = differences(&record, &other);
        assert_eq!(all.len(), 1, "{all:?}");
        (all[0].what, all[0].b.clone())
    };
    assert_eq!(with(&|it| it.environment.cpu = None), ("processor", "unknown".to_owned()));
    assert_eq!(with(&|it| it.environment.cores = Some(2)), ("processors", "2".to_owned()));
    let kernel = with(&|it| it.environment.kernel = Some("Linux 7".to_owned()));
    assert_eq!(kernel, ("kernel", "Linux 7".to_owned()));
    let (what, line) = with(&|it| it.scenario.text.insert_str(0, "# new\n"));
    assert_eq!((what, line.as_str()), ("scenario", "line 1: # new"));
    assert_eq!(with(&|it| it.scenario.text.clear()), ("scenario", "line 1: empty".to_owned()));
    let (what, line) = with(&|it| it.scenario.text.push('\n'));
    assert_eq!((what, line.ends_with(": empty")), ("scenario", true), "{line}");
    assert_eq!(with(&|it| it.world = World::Simulated), ("world", "simulated".to_owned()));
    let overrides = with(&|it| it.scenario.overrides.push("ops=3".to_owned()));
    assert_eq!(overrides, ("overrides", "actors[0].count=2, ops=3".to_owned()));
    // Another build, seed or time is what one compares.
    let mut other = record.clone();
    (other.environment.commit, other.timing.elapsed_ms) = (None, 7);
    assert!(differences(&record, &other).is_empty());
}

#[test]
fn failures_come_stay_and_go() {
    let [before, mut after] = [(); 2].map(|()| samples::record(VerdictKind::Violated));
    after.violations[0].signature = "F-new\u{1b}[2J".to_owned();
    let told = text(&compare(&before, &after, &[]));
    for line in [
        "new failure: F-new\\u{1b}[2J\n",
        "ongoing failure: F-90aa\n",
        "resolved failure: F-3b1c\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // What is expected is no failure, and a run can fail without a violation.
    let [caught, missed] = [VerdictKind::Caught, VerdictKind::Missed].map(samples::record);
    let told = text(&compare(&caught, &missed, &[]));
    assert!(told.contains("new failure: missed\n") && !told.contains("resolved"), "{told}");
    assert!(text(&compare(&missed, &caught, &[])).contains("resolved failure: missed\n"));
}

#[test]
fn simulated_runs_are_compared_by_what_they_did() {
    let (before, mut after) =
        (samples::record(VerdictKind::Clean), samples::record(VerdictKind::Clean));
    after.counts.switches += 1;
    after.counts.operations_by_kind.insert("read".to_owned(), 5);
    after.counts.faults.remove("evict");
    let both = compare(&before, &after, &[Gate::parse("p99=+20%").unwrap()]);
    assert!(both.latency.is_empty() && both.throughput.is_none());
    let told = text(&both);
    for line in [
        "switches: 9,120,334 -> 9,120,335\n",
        "read operations: 0 -> 5\n",
        "evict faults fired: 80,456 -> 0\n",
        "gate p99=+20%: NOT JUDGED, ",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(both.totals.len(), 3);
    assert!(text(&compare(&before, &before, &[])).starts_with("counts: no change\n"));
    let told = text(&compare(&before, &samples::threads(), &[]));
    assert!(told.contains("nothing that two worlds have in common"), "{told}");
    assert!(!told.contains("counts: no change"), "{told}");
}

#[test]
fn response_times_are_compared_with_response_times() {
    let rated = samples::rated();
    let same = compare(&rated, &rated, &[]);
    for name in ["write", "write (response)"] {
        let figures = same.latency.iter().filter(|it| it.operations.as_deref() == Some(name));
        assert!(figures.count() >= 3, "{name}: {:?}", same.latency);
    }
    assert!(same.latency.iter().all(|it| it.a == it.b));
}
