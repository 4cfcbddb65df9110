//! Measures what the harness itself costs. Every figure is the median of several runs, and figures
//! that are compared come from runs that took turns.

use crate::clock::Stopwatch;
use crate::onlooker::Look;
use crate::scenario::{Known, Plan, parse};
use crate::storm::{self, Orders};
use sim::chance::Seed;
use sim::strategy::{Random, Strategy};
use sim::sync::mutex;
use sim::world::Settings;
use sim::{Rank, World};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Times each figure is taken; the median counts.
const RUNS: usize = 5;

/// Operations of up to 4 KiB of every kind, two actors, one file laid out on the device. WITHIN is
/// what they use of it, besides the surroundings of its end.
const MIX: &str = "
ops: 100000
strategy: random
swarm: false
step_budget: 100000000
device: {size: 4GiB}
files: [{name: a, size: SIZE, layout: written}]
actors:
  - {name: worker, count: 2, within: WITHIN, size: {max: 4KiB},
     ops: {read: 300, write: 300, append: 1, mmap_load: 150, mmap_store: 150, writeback: 20,
           evict: 20, punch: 5, zero_range: 5, fallocate: 5, fsync: 1}}
";

/// One measured figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// The median.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What is aimed at, as text.
    pub goal: &'static str,
    /// Whether it is reached.
    pub reached: bool,
}

/// Takes every figure. `tell` hears what is being measured.
pub fn measure(mut tell: impl FnMut(&str)) -> Vec<Figure> {
    tell("scheduling points: four tasks at one lock");
    let points = median((0..RUNS).map(|_| lock_ping_pong()).collect());
    tell("checked and unchecked operations, 1 MiB file");
    let small = plan("1MiB", "1MiB");
    let (mut judged, mut unjudged) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        judged.push(seconds_an_operation(&small, true));
        unjudged.push(seconds_an_operation(&small, false));
    }
    let (judged, unjudged) = (median(judged), median(unjudged));
    tell("checked operations, 1 GiB file");
    let (large, wide) = (plan("1GiB", "1MiB"), plan("1GiB", "1GiB"));
    let (mut at_small, mut at_large, mut at_wide) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        at_small.push(seconds_an_operation(&small, true));
        at_large.push(seconds_an_operation(&large, true));
        at_wide.push(seconds_an_operation(&wide, true));
    }
    let small_again = median(at_small);
    let (growth, cold) = (median(at_large) / small_again, median(at_wide) / small_again);
    let figure = |what, value, unit, goal, reached| Figure { what, value, unit, goal, reached };
    let share = 100.0 * (judged - unjudged) / judged;
    let rate = 1e-3 / judged;
    vec![
        figure("scheduling points", points / 1e6, "M/s", ">= 10", 10.0 <= points / 1e6),
        figure("checked operations of up to 4 KiB", rate, "k/s", ">= 200", 200.0 <= rate),
        figure("the oracle's share of a run", share, "%", "<= 50", share <= 50.0),
        figure("cost, 1 GiB / 1 MiB file, 1 MiB in use", growth, "x", "<= 1.5", growth <= 1.5),
        figure("the same, all of it in use, uncached", cold, "x", "none", true),
    ]
}

/// The figures as a table.
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    for Figure { what, value, unit, goal, reached } in figures {
        let mark = if *reached { "reached" } else { "MISSED" };
        writeln!(text, "{what:40} {value:10.2} {unit:4}  goal {goal:7} {mark}")
            .expect("writing to memory");
    }
    text
}

fn plan(size: &str, within: &str) -> Plan {
    let text = MIX.replace("SIZE", size).replace("WITHIN", within);
    match parse("bench", &text, &Known::default(), &[]) {
        Ok(plan) => plan,
        Err(report) => panic!("the built-in scenario is valid: {report}"),
    }
}

/// Wall-clock seconds that one operation takes, without laying out and the last checks.
fn seconds_an_operation(plan: &Plan, judged: bool) -> f64 {
    let interrupted = Arc::new(AtomicBool::new(false));
    let orders = Orders {
        plan,
        seed: Seed(plan.seed),
        record: false,
        judged,
        look: Look::default(),
        interrupted: &interrupted,
    };
    let storm = storm::run(orders).expect("memory is always to be had");
    assert!(storm.violation.is_none(), "the benchmark found {:?}", storm.violation);
    let operations = u32::try_from(storm.tally.total_operations()).expect("a benchmark's length");
    storm.acted.as_secs_f64() / f64::from(operations)
}

static PING_PONG: Rank = Rank::new(1, "ping-pong");

/// Points a second, one core, four tasks that take one lock in turn.
fn lock_ping_pong() -> f64 {
    let strategy: Box<dyn Strategy> = Box::new(Random::new(Seed(1).schedule()));
    let mut world = World::simulated(Settings::new(strategy, u32::MAX));
    let counter = Arc::new(mutex(&PING_PONG, 0, 0_u64));
    for task in 0..4 {
        let counter = Arc::clone(&counter);
        world.spawn(&format!("task-{task}"), move || {
            for _ in 0..1_000_000 {
                *counter.lock() += 1;
            }
        });
    }
    let started = Stopwatch::start();
    let end = world.run();
    let points = u32::try_from(end.points).expect("a few million");
    f64::from(points) / started.elapsed().as_secs_f64()
}

/// The one in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
