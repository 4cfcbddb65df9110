//! Nights to test with: one that failed, and one in which every text is hostile.

use std::sync::LazyLock;

use report::record::{
    ByteRange, FirstMet, LeftOut, Night, NightFailure, NightVerdict, Part, Rate, Record,
    Regression, ScenarioTotal, Seed, Seen, Shard, ShardEnd, ShardState, Signature, Soaked, Tool,
    VerdictKind, World,
};

use crate::samples::{rated, record, story, threads};

/// Its histograms take a while.
static NIGHT: LazyLock<Night> = LazyLock::new(made);

/// A night of two shards that found a failure in the simulated world and one on threads.
pub(crate) fn night() -> Night {
    NIGHT.clone()
}

fn made() -> Night {
    let campaign = campaign(7);
    let shards = [1, 2].map(|index| Shard { index, of: 2 });
    let simulated = record(VerdictKind::Violated);
    let (steady, paced) = (threads(), rated());
    let mut parts = Vec::new();
    for shard in shards {
        parts.push(part(&simulated, shard));
        parts.push(part(&steady, shard));
        parts.push(part(&paced, shard));
    }
    parts[0].failures = vec![failure("dirty_block_has_backing", true)];
    parts[1].failures = vec![failure("content_matches", false)];
    let totals = [&simulated, &steady, &paced].map(total);
    let states = shards.map(|shard| state(&simulated, shard));
    let signatures = [&parts[0], &parts[1]].map(|part| signature(part, &part.failures[0]));
    Night {
        schema: Night::SCHEMA_VERSION,
        tool: Tool { name: "pagestorm".to_owned(), version: "0.1.0".to_owned() },
        campaigns: vec![campaign.clone()],
        campaign,
        verdict: verdict(&signatures),
        signatures: signatures.to_vec(),
        scenarios: totals.to_vec(),
        left_out: vec![LeftOut {
            file: "scenarios/small/write.yaml".to_owned(),
            why: "it tries everything out and has no seeds".to_owned(),
            refused: false,
            harness_failed: false,
        }],
        regressions: vec![regression(true), regression(false)],
        shards: states.to_vec(),
        parts,
    }
}

/// A night in which every text that a user or a filesystem could choose is `text`.
pub(crate) fn hostile(text: &str) -> Night {
    /// Words of these are one of a few, or numbers.
    const KEPT: [&str; 11] = [
        "kind",
        "layer",
        "world",
        "ended",
        "clock",
        "measure",
        "outcome",
        "seed",
        "histogram",
        "trace_hash",
        "expected",
    ];
    fn spoil(value: &mut serde_json::Value, text: &str) {
        use serde_json::Value;
        match value {
            Value::String(word) => text.clone_into(word),
            Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, text)),
            Value::Object(fields) => {
                let free = fields.iter_mut().filter(|(name, _)| !KEPT.contains(&name.as_str()));
                free.for_each(|(_, field)| spoil(field, text));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(night()).expect("a night is plain data");
    spoil(&mut value, text);
    let mut night: Night = serde_json::from_value(value).expect("texts are still texts");
    for total in &mut night.scenarios {
        text.clone_into(&mut total.expected);
        let counts = total.counts.clone();
        total.counts.points = [(text.to_owned(), 0)].into();
        total.counts.invariants = [(text.to_owned(), 0)].into();
        total.counts.faults =
            counts.faults.into_values().map(|count| (text.to_owned(), count)).collect();
    }
    night
}

fn campaign(seed: u64) -> Soaked {
    let (date, commit) = (Some("2026-01-31".to_owned()), Some("0123abcd".repeat(5)));
    Soaked { seed: Seed(seed), date, commit }
}

fn part(record: &Record, shard: Shard) -> Part {
    Part {
        campaign: campaign(7),
        name: record.scenario.name.clone(),
        file: record.scenario.file.clone(),
        text_hash: "00000000000000aa".to_owned(),
        world: record.world,
        target: None,
        own_target: None,
        expected: "clean".to_owned(),
        expects: None,
        enough: 1,
        shard,
        done: 1_000,
        counts: record.counts.clone(),
        latency: record.latency.clone(),
        trace_hash: record.trace_hash.clone(),
        marks: Vec::new(),
        failures: Vec::new(),
        deterministic: true,
    }
}

fn failure(invariant: &str, is_told: bool) -> NightFailure {
    let runs = if is_told { 3 } else { 0 };
    NightFailure {
        failure: format!("{invariant}: in a file"),
        invariant: invariant.to_owned(),
        sentence: "What must hold, as a sentence.".to_owned(),
        count: 12,
        excused: false,
        iteration: 40,
        seed: Seed(if is_told { 0x2a } else { 0x51 }),
        signature: format!("{invariant}-mmap_store-write-short_copy"),
        minimal: is_told,
        rate: Rate { failed: runs, runs },
        case: Some("name: case\nexpect: clean\n".to_owned()),
        story: is_told.then(|| Box::new(story())),
        seen: (!is_told).then(|| {
            Box::new(Seen {
                target: Some("kernel:ext4".to_owned()),
                file: Some("log".to_owned()),
                range: Some(ByteRange { start: 4096, end: 5000 }),
                expected: "zeroes".to_owned(),
                found: "bytes of writer-1".to_owned(),
                operation: "reader-0, operation 12".to_owned(),
            })
        }),
    }
}

fn signature(part: &Part, failure: &NightFailure) -> Signature {
    Signature {
        signature: failure.signature.clone(),
        invariant: failure.invariant.clone(),
        sentence: failure.sentence.clone(),
        count: failure.count,
        scenarios: vec![format!("{} ({})", part.name, part.world.name())],
        first: FirstMet {
            scenario: part.name.clone(),
            world: part.world,
            iteration: failure.iteration,
            seed: failure.seed,
        },
        rate: failure.rate,
        minimal: failure.minimal,
        provisional: !failure.minimal,
        file: Some(format!("failures/{}.yaml", failure.signature)),
        reproduce: format!("pagestorm run {} --seed {}", part.file, failure.seed),
    }
}

fn total(record: &Record) -> ScenarioTotal {
    ScenarioTotal {
        name: record.scenario.name.clone(),
        file: record.scenario.file.clone(),
        world: record.world,
        target: None,
        own_target: None,
        expected: "clean".to_owned(),
        iterations: 2_000,
        enough: 1,
        caught: 0,
        failed: if record.world == World::Simulated { 12 } else { 0 },
        wrong: vec!["a.yaml (simulated): evict was armed 4000 times and never fired".to_owned()],
        counts: record.counts.clone(),
        latency: record.latency.clone(),
        trace_hash: record.trace_hash.clone(),
    }
}

fn regression(as_expected: bool) -> Regression {
    Regression {
        file: format!("scenarios/regressions/{as_expected}.yaml"),
        expected: "clean".to_owned(),
        found: (!as_expected).then(|| "content_matches".to_owned()),
        as_expected,
        unfit: vec!["there is no point of that name".to_owned()],
        deterministic: true,
    }
}

fn state(record: &Record, shard: Shard) -> ShardState {
    ShardState {
        campaign: campaign(7),
        shard,
        ended: ShardEnd::Complete,
        seeds: Some(2_000),
        time_ms: None,
        elapsed_ms: 90_000,
        starts: 1,
        environment: record.environment.clone(),
    }
}

fn verdict(signatures: &[Signature]) -> NightVerdict {
    let mut reasons: Vec<_> = signatures
        .iter()
        .map(|one| format!("{}: 12 seeds, in {}", one.signature, one.scenarios.join(", ")))
        .collect();
    reasons.push("scenarios/smoke.yaml (threads): not a single operation ended".to_owned());
    NightVerdict {
        good: false,
        exit: 1,
        sentence: "Failures of 2 signatures in 812,345 operations.".to_owned(),
        reasons,
        remarks: vec!["points never passed all night: zero.before_map".to_owned()],
    }
}
