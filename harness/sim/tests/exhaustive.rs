//! Exhaustive exploration: counts that can be worked out by hand, the outcomes that trying
//! everything gives, and the same result on any number of threads.

use rayon::prelude::*;
use sim::schedule::Key;
use sim::strategy::exhaustive::{Alternatives, Bounds, Coverage, Explorer};
use sim::strategy::{Candidates, Decision, Strategy};
use sim::sync::mutex;
use sim::{Rank, Settings, Site, World};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

static VALUE: Rank = Rank::new(1, "value");

/// A program: what its run came to.
type Program = fn(Box<dyn Strategy>) -> String;

/// What exploring `program` came to, in the order of the runs, and how much that was.
fn explore(bounds: Bounds, program: Program) -> (Vec<String>, Coverage) {
    let mut explorer = Explorer::new(bounds);
    let mut all = Vec::new();
    loop {
        let walks = explorer.batch();
        if walks.is_empty() {
            return (all, explorer.coverage());
        }
        let run = walks.into_par_iter().map(|walk| (program(walk.strategy()), walk));
        for (outcome, walk) in run.collect::<Vec<_>>() {
            all.push(outcome);
            explorer.learn(walk);
        }
    }
}

/// Of two tasks without points there are two runs, and the second is known once the first was made.
#[test]
fn runs_that_nobody_made_are_missing() {
    let mut explorer = Explorer::new(Bounds::new(0));
    for (made, about) in [(0, 1), (1, 2)] {
        let mut walks = explorer.batch();
        let walk = walks.pop().expect("one run at a time");
        assert!(walks.is_empty() && !explorer.coverage().is_complete());
        assert_eq!((explorer.coverage().runs, explorer.coverage().levels[0].about), (made, about));
        steps(walk.strategy(), &[0, 0]);
        explorer.learn(walk);
    }
    assert!(explorer.coverage().is_complete());
}

fn world(strategy: Box<dyn Strategy>) -> World {
    World::simulated(Settings::new(strategy, 1000))
}

/// Tasks that pass `points` points each and write down their numbers in between. The outcome is the
/// order of their steps.
fn steps(strategy: Box<dyn Strategy>, points: &[u64]) -> String {
    let order = Arc::new(mutex(&ORDER, 0, String::new()));
    let mut world = world(strategy);
    for (task, points) in points.iter().copied().enumerate() {
        let order = Arc::clone(&order);
        world.spawn(&format!("task-{task}"), move || {
            order.lock().push_str(&task.to_string());
            for step in 0..points {
                sim::point(Site::point("step", 1, step));
                order.lock().push_str(&task.to_string());
            }
        });
    }
    world.run();
    let order = order.lock();
    order.clone()
}

static ORDER: Rank = Rank::leaf(9, "order");

fn three_and_three(strategy: Box<dyn Strategy>) -> String {
    steps(strategy, &[3, 3])
}

fn three_tasks(strategy: Box<dyn Strategy>) -> String {
    steps(strategy, &[1, 1, 1])
}

#[test]
fn every_order_comes_up_once() {
    // Two tasks of four steps each: 8! / (4! 4!).
    let (orders, coverage) = explore(Bounds::new(u32::MAX), three_and_three);
    assert_eq!((orders.len(), coverage.to_string().as_str()), (70, "complete: 70 schedules"));
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 70);
    // Three of two: 6! / (2! 2! 2!).
    let (orders, _) = explore(Bounds::new(u32::MAX), three_tasks);
    assert_eq!((orders.len(), orders.iter().collect::<BTreeSet<_>>().len()), (90, 90));
}

#[test]
fn preemptions_are_counted_and_the_fewest_come_first() {
    // In i pieces of one task and j of the other, |i - j| <= 1, there are i + j - 2 preemptions, and
    // C(3, i-1) C(3, j-1) ways to cut; twice that if i = j, since either may begin.
    for (preemptions, known) in [(0, 2), (1, 2 + 6), (2, 8 + 18), (3, 26 + 18), (4, 44 + 18)] {
        let (orders, coverage) = explore(Bounds::new(preemptions), three_and_three);
        assert_eq!(orders.len(), known, "{preemptions}");
        assert!(coverage.is_complete());
        let cost = |order: &String| {
            let switches = order.as_bytes().windows(2).filter(|pair| pair[0] != pair[1]).count();
            switches - 1
        };
        assert!(orders.iter().map(cost).is_sorted(), "{orders:?}");
    }
}

/// Two that add to a counter in two steps, one with a lock held and one without, and one that asks
/// what goes wrong.
fn mixed(strategy: Box<dyn Strategy>) -> String {
    let shared = Arc::new((mutex(&VALUE, 0, ()), AtomicU64::new(0), AtomicU64::new(0)));
    let mut world = world(strategy);
    for task in 0..2 {
        let shared = Arc::clone(&shared);
        world.spawn(&format!("adder-{task}"), move || {
            let (lock, value, _) = &*shared;
            let _guard = (task == 0).then(|| lock.lock());
            let seen = value.load(Ordering::Relaxed);
            sim::point(Site::point("between", 1, 0));
            let _second = (task == 1).then(|| lock.lock());
            value.store(seen + 1, Ordering::Relaxed);
        });
    }
    let last = Arc::clone(&shared);
    world.spawn("unlucky", move || {
        let (lock, value, read) = &*last;
        let twice = sim::choice(3);
        let _guard = lock.lock();
        let seen = value.load(Ordering::Relaxed) * 10 + u64::from(twice);
        read.store(seen * 10 + u64::from(sim::choice(2)), Ordering::Relaxed);
    });
    world.run();
    let (_, value, read) = &*shared;
    format!("{} {}", value.load(Ordering::Relaxed), read.load(Ordering::Relaxed))
}

/// Tries everything without knowing anything: counts through the answers to all questions.
fn brute_force(program: Program) -> (u64, BTreeSet<String>) {
    let (mut runs, mut outcomes, mut answers) = (0, BTreeSet::new(), Vec::new());
    loop {
        let asked = Arc::new(OnceLock::new());
        let counter = Counter { answers, asked: Vec::new(), told: Arc::clone(&asked) };
        outcomes.insert(program(Box::new(counter)));
        runs += 1;
        let mut asked: Vec<(u32, u32)> = asked.get().expect("told when dropped").clone();
        while asked.last().is_some_and(|(answer, options)| answer + 1 == *options) {
            asked.pop();
        }
        let Some((last, _)) = asked.last_mut() else { return (runs, outcomes) };
        *last += 1;
        answers = asked.into_iter().map(|(answer, _)| answer).collect();
    }
}

struct Counter {
    answers: Vec<u32>,
    asked: Vec<(u32, u32)>,
    told: Arc<OnceLock<Vec<(u32, u32)>>>,
}

impl Strategy for Counter {
    fn pick(&mut self, decision: &Decision<'_>, _key: Key) -> usize {
        let answer = self.choose(decision.candidates.count());
        decision.candidates.nth(answer)
    }

    fn choose(&mut self, options: u32) -> u32 {
        let answer = self.answers.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push((answer, options));
        answer
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let told = self.told.set(std::mem::take(&mut self.asked));
        told.expect("dropped once");
    }
}

#[test]
fn nothing_is_left_out() {
    for program in [mixed, three_and_three, three_tasks] {
        let (runs, outcomes) = brute_force(program);
        let bounds = Bounds { faults: u32::MAX, ..Bounds::new(u32::MAX) };
        let (all, coverage) = explore(bounds, program);
        assert_eq!((coverage.runs, coverage.is_complete()), (runs, true));
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), outcomes);
    }
}

#[test]
fn the_result_is_the_same_on_any_number_of_threads() {
    let bounds = Bounds { faults: 1, limit: 150, ..Bounds::new(2) };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| explore(bounds.clone(), mixed))
    };
    let (one, coverage) = on(1);
    assert_eq!(on(3), (one, coverage));
}

fn long(strategy: Box<dyn Strategy>) -> String {
    steps(strategy, &[20, 20, 20])
}

#[test]
fn a_limit_is_kept_and_what_it_leaves_out_is_estimated() {
    let (whole, coverage) = explore(Bounds::new(2), long);
    assert!(coverage.is_complete());
    let two = coverage.levels[2];
    for part in [5, 20] {
        let limit = u64::try_from(whole.len()).unwrap() / part;
        let (orders, cut) = explore(Bounds { limit, ..Bounds::new(2) }, long);
        assert_eq!(u64::try_from(orders.len()).unwrap(), limit);
        assert!(!cut.is_complete());
        let level = cut.levels[2];
        assert_eq!((level.preemptions, level.complete), (2, false));
        assert!(two.runs * 9 < level.about * 10 && level.about * 9 < two.runs * 10, "{cut}");
    }
}

#[test]
fn preemptions_happen_only_where_they_may() {
    let alternatives = Alternatives::of(|decision, _| {
        let may = decision.site.object == 1 || !decision.stays;
        if may { decision.candidates } else { Candidates::NONE }
    });
    let (orders, _) = explore(Bounds { alternatives, ..Bounds::new(u32::MAX) }, three_and_three);
    // Each falls into two halves: 4! / (2! 2!).
    let wanted = ["00001111", "00110011", "00111100", "11000011", "11001100", "11110000"];
    assert_eq!(orders.into_iter().collect::<BTreeSet<_>>(), wanted.map(String::from).into());
}
