//! Latency is what it says: a stall delays everything that is due behind it, and is the service time
//! of one operation.

use driver::onlooker::Look;
use driver::scenario::plan::Plan;
use driver::scenario::{Known, parse};
use driver::storm::{Orders, Storm, run};
use report::record::{LatencyRow, Measure};
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const MILLISECOND: u64 = 1_000_000;

/// One operation in ten milliseconds would be enough for this machine; the stall is a hundred times that.
const STALL: &str = "
world: threads
time: 4s
device: {kind: ram}
files: [{name: a, size: 64KiB, layout: written}]
actors: [{name: writer, ops: {write: 1}, size: {max: 512}, within: 64KiB, rate: 500/s}]
faults: [{delay: {at: write.mapped, chance: 100%, for: 1s, after: 1s, times: 1}}]
";

fn plan(text: &str) -> Plan {
    parse("latency.yaml", text, &Known::default(), &[]).unwrap_or_else(|report| panic!("{report}"))
}

fn storm(plan: &Plan) -> Storm {
    let interrupted = Arc::new(AtomicBool::new(false));
    let orders = Orders {
        plan,
        seed: Seed(plan.seed),
        record: false,
        judged: true,
        look: Look::default(),
        interrupted: &interrupted,
    };
    let storm = run(orders).expect("memory is always to be had");
    assert!(storm.violation.is_none(), "{:?}", storm.violation);
    storm
}

fn row(rows: &[LatencyRow], measure: Measure, faulted: bool) -> &LatencyRow {
    let is_it = |row: &&LatencyRow| row.measure == measure && row.faulted == faulted;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("no {measure:?}, {faulted}, in {rows:?}"))
}

#[test]
fn a_stall_shows_in_response_times_and_is_the_service_time_of_one_operation() {
    let storm = storm(&plan(STALL));
    let latency = storm.tally.journal.latency.to_record();
    let rows = &latency.kinds;
    // The one operation that stood still.
    let struck = row(rows, Measure::Service, true);
    assert_eq!(struck.n, 1);
    assert!((1000..1500).contains(&(struck.max / MILLISECOND)), "{} ns", struck.max);
    // All others were as fast as ever, and late.
    let service = row(rows, Measure::Service, false);
    assert!(1200 < service.n, "{} operations in four seconds at 500 a second", service.n);
    let of_service = service.p99.expect("there are enough of them");
    assert!(of_service < 50 * MILLISECOND, "p99 of the service time: {of_service} ns");
    let response = row(rows, Measure::Response, false);
    assert_eq!(response.n, service.n);
    let of_responses = response.p99.expect("there are enough of them");
    assert!(700 * MILLISECOND < of_responses, "p99 of the response time: {of_responses} ns");
    let of_responses = response.p90.expect("there are enough of them");
    assert!(200 * MILLISECOND < of_responses, "p90 of the response time: {of_responses} ns");
    let lag = latency.lag.expect("there is a schedule");
    assert_eq!(lag.n, service.n + 1);
    assert!(800 * MILLISECOND < lag.max, "the largest lag: {} ns", lag.max);
    let timeline = storm.tally.journal.timeline.expect("time is real").to_record();
    let windows: Vec<_> = timeline.faults.iter().filter(|one| one.kind == "delay").collect();
    assert_eq!(windows.iter().map(|window| window.count).sum::<u64>(), 1);
    assert!(windows[0].from_ms < 1500 && 1900 < windows[0].to_ms, "{windows:?}");
}

#[test]
fn without_a_rate_there_is_service_time_only() {
    let text = STALL.replace(", rate: 500/s", "").replace("time: 4s", "time: 300ms");
    let storm = storm(&plan(&text));
    let latency = storm.tally.journal.latency.to_record();
    assert!(latency.kinds.iter().all(|row| row.measure == Measure::Service));
    assert_eq!(latency.lag, None);
    let share = storm.tally.journal.oracle_share().expect("time is real");
    assert!((0.0..1.0).contains(&share) && share != 0.0, "the oracle's share is {share}");
}

#[test]
fn what_fails_at_the_device_strikes_the_operations_that_wait_for_it() {
    let text = "
world: threads
time: 500ms
device: {kind: ram}
files: [{name: a, size: 64KiB, layout: written}]
actors:
  - {name: writer, ops: {write: 4, fsync: 1}, size: {max: 4KiB}, within: 64KiB}
faults: [{latency: {chance: 100%, for: 20ms, times: 3}}]
";
    let storm = storm(&plan(text));
    let rows = storm.tally.journal.latency.to_record().kinds;
    let struck: Vec<_> = rows.iter().filter(|row| row.faulted).collect();
    assert!(!struck.is_empty(), "{rows:?}");
    assert!(struck.iter().any(|row| 15 * MILLISECOND < row.max), "{struck:?}");
    let n: u64 = struck.iter().map(|row| row.n).sum();
    assert!(n <= 6, "three requests struck {n} operations of one actor");
}

#[test]
fn simulated_time_has_no_timeline_and_its_limits_repeat_themselves() {
    let text = STALL
        .replace("world: threads\ntime: 4s", "ops: 200\nseeds: 1")
        .replace(", rate: 500/s", ", count: 2")
        .replace("after: 1s, times: 1", "times: 3");
    let plan = plan(&text);
    let (first, again) = (storm(&plan), storm(&plan));
    assert_eq!(first.end.trace_hash, again.end.trace_hash);
    assert!(first.tally.journal.timeline.is_none());
    let latency = |storm: &Storm| storm.tally.journal.latency.to_record();
    assert_eq!(latency(&first), latency(&again));
    let struck =
        latency(&first).kinds.iter().filter(|row| row.faulted).map(|row| row.n).sum::<u64>();
    assert_eq!(struck, 3);
    let delays = first.tally.faults.iter().find(|(fault, _)| fault.name() == "delay");
    assert_eq!(delays.map(|(_, count)| count.fired), Some(3));
}
