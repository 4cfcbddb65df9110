//! Records to test with: one for each verdict, plus the ones that hold hostile text.

use std::collections::BTreeMap;

use report::latency::{Class, Latency};
use report::record::{
    ByteRange, Clock, Counts, Deviation, Device, DeviceKind, Environment, Explored, FaultCount,
    FaultWindow, Filesystem, Jump, Lacking, Level, Measure, Mounted, Outcome, Record, Scenario,
    Seed, Seeds, Story, Timing, Tool, Varied, Verdict, VerdictKind, Violation, World,
};
use report::timeline::{EndedOperation, Timeline};

/// A run that ended with `kind`, as the driver would tell it.
pub(crate) fn record(kind: VerdictKind) -> Record {
    let mut record = clean();
    let (sentence, as_expected) = match kind {
        VerdictKind::Clean => ("812,345 operations over 2,000 seeds; every check held.", true),
        VerdictKind::Caught => {
            ("mapping_check deviated 214 times and content_matches spoke.", true)
        }
        VerdictKind::Violated => ("A dirty block had no backing, in 2 of 2,000 seeds.", false),
        VerdictKind::Missed => ("mapping_check deviated 214 times and no invariant spoke.", false),
        VerdictKind::NotProvoked => ("mapping_check was set to never and never deviated.", false),
        VerdictKind::Hung => ("Nobody could go on: writer-0 holds i_rwsem and waits.", false),
        VerdictKind::Panicked => ("The filesystem panicked in write_end.", false),
        VerdictKind::NothingRan => ("No operation ended: the actors have no weight.", false),
        VerdictKind::Interrupted => ("SIGTERM ended the run after 1,204 of 2,000 seeds.", false),
        VerdictKind::Environment => ("There is no loop device; run as root or use ram.", false),
        VerdictKind::NotDeterministic => ("Seed 0x2a ran twice and gave two traces.", false),
        VerdictKind::HarnessFailed => ("The harness failed: writer-0 panicked at a.rs:1:2.", false),
    };
    if matches!(kind, VerdictKind::Caught | VerdictKind::Missed | VerdictKind::NotProvoked) {
        record.filesystem.preset = Some("v5.19".to_owned());
        let (decision, value) = ("mapping_check".to_owned(), "never".to_owned());
        record.filesystem.bugs = vec!["stale-iomap-write".to_owned()];
        record.filesystem.deviations = vec![Deviation { decision, value }];
        record.counts.deviations = if kind == VerdictKind::NotProvoked { 0 } else { 214 };
        record.verdict.expected = String::from("caught by content_matches");
    }
    if matches!(kind, VerdictKind::Caught | VerdictKind::Violated | VerdictKind::Hung) {
        record.violations = vec![lost_backing(), size_off()];
        record.violations[0].story = Some(Box::new(story()));
        let values = ["512", "1KiB"].map(str::to_owned).to_vec();
        record.scenario.varied = vec![Varied { path: "filesystem.block_size".to_owned(), values }];
    }
    if matches!(kind, VerdictKind::NothingRan | VerdictKind::Environment) {
        record.counts = Counts::default();
        record.latency = Latency::new(Clock::Steps).to_record();
    }
    if matches!(kind, VerdictKind::NotProvoked | VerdictKind::Interrupted) {
        let complete = kind == VerdictKind::NotProvoked;
        record.explored = Some(explored(complete));
    }
    let expected = record.verdict.expected;
    record.verdict = Verdict { kind, expected, as_expected, sentence: sentence.to_owned() };
    record
}

/// Three combinations, tried out with up to one preemption and one fault.
fn explored(complete: bool) -> Explored {
    let level = |preemptions, faults, schedules, complete, about| Level {
        preemptions,
        faults,
        schedules,
        complete,
        about,
    };
    let last = if complete { 41_250 } else { 1_900 };
    let levels = vec![
        level(0, 0, 6, true, 6),
        level(0, 1, 74, true, 74),
        level(1, 0, 310, true, 310),
        level(1, 1, last, complete, 41_250),
    ];
    Explored { combinations: 3, complete, schedules: 390 + last, levels }
}

/// A clean run of real threads on a loop device.
pub(crate) fn threads() -> Record {
    let mut record = clean();
    record.world = World::Threads;
    record.seed.count = 1;
    record.device = Device {
        kind: DeviceKind::Loop,
        size: 64 << 20,
        detail: "auto: /dev/loop7 over an image on /dev/shm, O_DIRECT".to_owned(),
        mounted: None,
    };
    record.scenario.name = String::from("smoke");
    record.scenario.file = String::from("scenarios/smoke.yaml");
    let sentence = "812,345 operations in 2.00 s of real threads; every check held.";
    record.verdict.sentence = String::from(sentence);
    record.counts.seeds_done = 1;
    record.counts.strategies = BTreeMap::new();
    record.counts.scheduling_points = 0;
    record.counts.switches = 0;
    record.latency = latencies(Clock::Wall);
    record.timeline = Some(timeline());
    record.trace_hash = None;
    record.timing.oracle_share = Some(0.384);
    record
}

/// A run of real threads whose actors have a rate, with one stall of a second.
pub(crate) fn rated() -> Record {
    let mut record = threads();
    let mut latency = Latency::new(Clock::Wall);
    let mut timeline = Timeline::default();
    let mut state = 7;
    // 2000 operations a second; one takes a second, and those behind it catch up.
    let (mut free_at, mut stalled) = (0, false);
    for n in 0..16_000_u64 {
        state = state_after(state);
        let intended = n * 500_000;
        let start = intended.max(free_at);
        let stall = !stalled && start > 3_000_000_000;
        stalled |= stall;
        let service = 30_000 + (state >> 40) % 60_000 + if stall { 1_000_000_000 } else { 0 };
        free_at = start + service;
        let class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: stall };
        let kind = if state >> 62 == 0 { "fsync" } else { "write" };
        latency.record(kind, class, service);
        let response = free_at - intended;
        latency.record(kind, Class { measure: Measure::Response, ..class }, response);
        latency.record_lag(start - intended);
        let at_ms = free_at / 1_000_000;
        let (bytes, response) = (4_096, Some(response));
        timeline.operation(EndedOperation { at_ms, bytes, oracle_ns: 9_000, service, response });
        if stall {
            timeline.fault("delay", start / 1_000_000, at_ms);
        }
    }
    record.latency = latency.to_record();
    (0..7).for_each(|n| timeline.halt(1_000 * (n + 1), 1_000 * (n + 1) + 44));
    record.timeline = Some(report::record::Timeline {
        actors: 1,
        workers: 2,
        halted_ms: 312,
        overdue: 3,
        ..timeline.to_record()
    });
    record.scenario.name = String::from("latency");
    record
}

/// A run of ten seconds, with faults for a part of it.
fn timeline() -> report::record::Timeline {
    let mut timeline = Timeline::default();
    let mut state = 3;
    for n in 0..40_000_u64 {
        state = state_after(state);
        let at_ms = n / 4;
        let spike = (4_000..5_500).contains(&at_ms) && n % 9 == 0;
        let service = 2_000 + (state >> 45) % 30_000 + if spike { 20_000_000 } else { 0 };
        let ended = EndedOperation {
            at_ms,
            bytes: 900 + n % 5_000,
            oracle_ns: 700,
            service,
            response: None,
        };
        timeline.operation(ended);
        if spike {
            timeline.fault("latency", at_ms.saturating_sub(20), at_ms);
        }
        if n % 700 == 0 {
            timeline.fault("short_copy_transient", at_ms, at_ms);
        }
    }
    let record = timeline.to_record();
    report::record::Timeline { actors: 9, workers: 2, halted_ms: 1_250, ..record }
}

/// A run in which every text that a user or a filesystem could choose is `text`.
pub(crate) fn hostile(text: &str) -> Record {
    let mut record = record(VerdictKind::Violated);
    let own = || text.to_owned();
    let mut latency = Latency::new(Clock::Steps);
    let class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: false };
    for steps in 0..50 {
        latency.record(text, class, steps);
        latency.record(text, Class { measure: Measure::Response, ..class }, steps + 9);
        latency.record(text, Class { faulted: true, ..class }, steps + 5);
    }
    record.latency = latency.to_record();
    let window = FaultWindow { kind: own(), from_ms: 0, to_ms: 900, count: 3 };
    record.timeline = Some(report::record::Timeline { faults: vec![window], ..timeline() });
    record.tool = Tool { name: own(), version: own() };
    record.scenario = Scenario {
        name: own(),
        file: own(),
        about: own(),
        text: own(),
        script: vec![own()],
        scheduled: false,
        overrides: vec![own()],
        varied: vec![Varied { path: own(), values: vec![own()] }],
        drawn: vec![own()],
        dropped: vec![own()],
    };
    record.device.detail = own();
    record.device.mounted = Some(hostile_mount(&own));
    record.filesystem.preset = Some(own());
    record.filesystem.bugs = vec![own()];
    record.filesystem.deviations = vec![Deviation { decision: own(), value: own() }];
    record.counts.failed_operations = BTreeMap::from([(own(), 1)]);
    record.counts.operations_by_kind = BTreeMap::from([(own(), 1)]);
    record.counts.faults = BTreeMap::from([(own(), FaultCount::default())]);
    record.counts.points = BTreeMap::from([(own(), 0)]);
    record.counts.invariants = BTreeMap::from([(own(), 2)]);
    record.counts.passed_over = BTreeMap::from([(own(), 3)]);
    record.counts.left_out = BTreeMap::from([(own(), Lacking { count: 2, reason: own() })]);
    record.verdict.expected = own();
    record.verdict.sentence = own();
    record.violations = vec![Violation {
        invariant: own(),
        sentence: own(),
        file: Some(own()),
        expected: own(),
        found: own(),
        signature: own(),
        drawn: vec![own()],
        strategy: Some(own()),
        operation: own(),
        replay: Some(own()),
        strip: own(),
        details: vec![own()],
        story: Some(Box::new(hostile_story(text))),
        ..lost_backing()
    }];
    record.trace_hash = Some(own());
    let some = Some(own());
    record.environment = Environment {
        kernel: some.clone(),
        cpu: some.clone(),
        cores: None,
        clock_source: some.clone(),
        clock_resolution_ns: None,
        governor: some.clone(),
        rustc: some.clone(),
        commit: some,
    };
    record
}

/// The story of a case that really fails.
pub(crate) fn story() -> Story {
    let mut story: Story =
        serde_json::from_str(include_str!("story.json")).expect("the driver writes it");
    let measured = story.inevitability.as_mut().expect("it was measured");
    let (from, to) = (measured.steps[3], measured.steps[4]);
    measured.jump = Some(Jump { from, to });
    story
}

/// A story with `text` wherever there is text.
fn hostile_story(text: &str) -> Story {
    fn spoil(value: &mut serde_json::Value, text: &str) {
        use serde_json::Value;
        match value {
            Value::String(word) => text.clone_into(word),
            Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, text)),
            // The words of these are no text, but one of a few.
            Value::Object(fields) => {
                let free =
                    fields.iter_mut().filter(|(name, _)| *name != "kind" && *name != "layer");
                free.for_each(|(_, field)| spoil(field, text));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(story()).expect("a story is plain data");
    spoil(&mut value, text);
    serde_json::from_value(value).expect("texts are still texts")
}

/// Counts from a table of names and numbers.
fn counted<const N: usize>(table: [(&str, u64); N]) -> BTreeMap<String, u64> {
    table.into_iter().map(|(name, n)| (name.to_owned(), n)).collect()
}

fn clean() -> Record {
    Record {
        schema: Record::SCHEMA_VERSION,
        tool: Tool { name: "pagestorm".to_owned(), version: "0.1.0".to_owned() },
        scenario: Scenario {
            name: "short-copies-under-mmap".to_owned(),
            file: "scenarios/short-copies-under-mmap.yaml".to_owned(),
            about: "A short write gives its delalloc back while a page fault dirties the same \
                    range: what the fault has dirtied has to keep its reservation."
                .to_owned(),
            text: include_str!("scenario.yaml").to_owned(),
            script: Vec::new(),
            scheduled: false,
            overrides: vec!["actors[0].count=2".to_owned()],
            varied: vec![],
            drawn: vec![],
            dropped: vec![],
        },
        world: World::Simulated,
        seed: Seeds { first: Seed(0x9e37_79b9), count: 2_000 },
        device: Device {
            kind: DeviceKind::Ram,
            size: 64 << 20,
            detail: "auto: the world is simulated".to_owned(),
            mounted: None,
        },
        filesystem: Filesystem {
            block_size: 1 << 10,
            max_folio: 16 << 10,
            preset: None,
            bugs: vec![],
            deviations: vec![],
        },
        counts: counts(),
        explored: None,
        led: vec![],
        verdict: Verdict {
            kind: VerdictKind::Clean,
            expected: "clean".to_owned(),
            as_expected: true,
            sentence: String::new(),
        },
        violations: vec![],
        latency: latencies(Clock::Steps),
        timeline: None,
        trace_hash: Some("6f1c0a7be2d94358".to_owned()),
        environment: Environment {
            kernel: Some("Linux 6.12.9".to_owned()),
            cpu: Some("Example CPU 3 GHz".to_owned()),
            cores: Some(8),
            clock_source: Some("tsc".to_owned()),
            clock_resolution_ns: Some(1),
            governor: Some("performance".to_owned()),
            rustc: Some("rustc 1.95.0".to_owned()),
            commit: Some("0123abcd".to_owned()),
        },
        timing: Timing { elapsed_ms: 2_004, operations_per_second: 405_361, oracle_share: None },
    }
}

fn counts() -> Counts {
    let fault =
        |kind: &str, armed, fired| (kind.to_owned(), FaultCount { armed, fired, due_ppm: None });
    Counts {
        seeds_done: 2_000,
        strategies: counted([("pct", 480), ("pos", 702), ("random", 310), ("surw", 508)]),
        operations: 812_345,
        verified_operations: 812_345,
        failed_operations: counted([("EFAULT", 3_021), ("EIO", 312)]),
        operations_by_kind: counted([
            ("append", 40_011),
            ("evict", 80_456),
            ("fsync", 40_302),
            ("mmap_store", 161_230),
            ("truncate", 60_102),
            ("write", 349_870),
            ("writeback", 80_374),
        ]),
        bytes_written: 3_912_345_678,
        bytes_read: 1_204_567_890,
        faults: BTreeMap::from([
            fault("evict", 400_120, 80_456),
            fault("io_error", 80_374, 0),
            fault("short_copy", 17_493, 17_490),
        ]),
        points: counted([
            ("write.mapped", 392_881),
            ("write.folio_locked", 910_223),
            ("write.copied", 904_120),
            ("write_end.before_punch", 17_204),
            ("fault.before_dirty", 161_230),
            ("writeback.mapped", 120_044),
            ("ioend.before_convert", 60_210),
            ("truncate.size_set", 60_102),
            ("fallocate.allocated", 0),
            ("zero.before_map", 0),
        ]),
        invariants: counted([
            ("content_matches", 812_345),
            ("dirty_block_has_backing", 2_410_998),
            ("extents_do_not_overlap", 812_345),
            ("eof_tail_is_zero", 812_345),
            ("size_is_linear", 812_345),
            ("synced_data_survives", 0),
        ]),
        passed_over: counted([]),
        left_out: BTreeMap::new(),
        unconfirmed: counted([]),
        memory: counted([]),
        unchecked: BTreeMap::new(),
        leeways: counted([]),
        deviations: 0,
        scheduling_points: 24_370_119,
        switches: 9_120_334,
    }
}

/// A real filesystem with such names.
fn hostile_mount(own: &dyn Fn() -> String) -> Mounted {
    Mounted {
        filesystem: own(),
        mkfs: vec![own()],
        mount: own(),
        image: own(),
        block_size: 1,
        direct_unit: 1,
        lacks: BTreeMap::from([(own(), own())]),
        memory: Some(1),
    }
}

/// Long-tailed figures that do not depend on any library's random numbers.
fn latencies(clock: Clock) -> report::record::LatencyRecord {
    let mut latency = Latency::new(clock);
    let class = Class { measure: Measure::Service, outcome: Outcome::Ok, faulted: false };
    let kinds = [
        ("write", 120_000_u64, 1_700),
        ("mmap_store", 60_000, 420),
        ("writeback", 20_000, 9_000),
        ("fsync", 12_000, 41_000),
        ("truncate", 9_000, 3_100),
        ("append", 900, 1_900),
        ("evict", 15, 800),
    ];
    for (kind, n, typical) in kinds {
        let mut state = typical;
        for _ in 0..n {
            state = state_after(state);
            let rarity = (state >> 33).max(1);
            // One in a thousand meets a lock, one in ten thousand a flush.
            let wait = if rarity % 9_973 == 0 {
                400
            } else if rarity % 997 == 0 {
                30
            } else {
                0
            };
            let nanoseconds = typical + rarity % typical + wait * (typical + rarity % 5_000);
            let value = if clock == Clock::Wall { nanoseconds } else { 4 + nanoseconds / 400 };
            let faulted = clock == Clock::Wall && rarity % 331 == 0;
            let value = if faulted { value * 40 } else { value };
            latency.record(kind, Class { faulted, ..class }, value);
        }
    }
    let failed = Class { outcome: Outcome::Error, ..class };
    (0..150).for_each(|n| latency.record("write", failed, 700 + n * 3));
    latency.to_record()
}

/// A linear congruential step, Knuth's constants.
fn state_after(state: u64) -> u64 {
    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

fn lost_backing() -> Violation {
    Violation {
        invariant: "dirty_block_has_backing".to_owned(),
        sentence: "A block that is dirty in the page cache has delalloc, unwritten or mapped \
                   extents under it."
            .to_owned(),
        file: Some("a".to_owned()),
        range: Some(ByteRange { start: 69_632, end: 71_168 }),
        expected: "delalloc, unwritten or mapped under block 68".to_owned(),
        found: "a hole; the block was dirtied by mapper-0#112".to_owned(),
        signature: "F-3b1c".to_owned(),
        seed: Seed(0x2a),
        drawn: vec![],
        strategy: None,
        operation: "writer-0#97: write 4096 bytes at 69632, short after 1536".to_owned(),
        step: 14_203,
        replay: Some("reports/short-copies/failures/F-3b1c.yaml".to_owned()),
        again: None,
        strip: "          64      68      72      76\nextents   MMMM....uuuudddd\n\
                folios    ccccDD--DDDDDDDD\nfound         ^^"
            .to_owned(),
        details: vec![
            "writer-0 reserved blocks 68..72 and copied 1536 of 4096 bytes (fault short_copy)."
                .to_owned(),
            "mapper-0 dirtied block 68 between the walk and the punch.".to_owned(),
            "writer-0 punched blocks 68..72.".to_owned(),
        ],
        story: None,
    }
}

fn size_off() -> Violation {
    Violation {
        invariant: "size_is_linear".to_owned(),
        sentence: "After each operation the size is one that some order of the operations in \
                   flight gives."
            .to_owned(),
        file: Some("b".to_owned()),
        range: None,
        expected: "70000 or 65536".to_owned(),
        found: "69632".to_owned(),
        signature: "F-90aa".to_owned(),
        seed: Seed(0x51),
        drawn: vec!["filesystem.block_size=512".to_owned(), "files[1].layout=hole".to_owned()],
        strategy: Some("pct, depth 3".to_owned()),
        operation: "truncater-0#12: truncate to 65536".to_owned(),
        step: 911,
        replay: None,
        again: None,
        strip: String::new(),
        details: vec![],
        story: None,
    }
}
