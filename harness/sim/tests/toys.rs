//! Races of known shape, and in how many runs each strategy meets them.
//!
//! An update is lost if another falls between its reading and its writing (depth 2). Where the
//! other must fall apart as well, into the gap and beyond its end, the depth is 3. *Aligned*: both
//! updates are at the same place of their tasks; *skewed*: one is early, the other late. *Hot*: all
//! that the tasks do takes one lock, as `i_rwsem` would be.

use sim::chance::Seed;
use sim::profile::Profile;
use sim::strategy::{Pct, Pos, Random, Strategy, Surw};
use sim::sync::mutex;
use sim::{End, Mutex, Rank, Record, Settings, Site, World};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static OWN: Rank = Rank::new(1, "own");
static SHARED: Rank = Rank::new(2, "shared");

/// A race among tasks that take locks `length` times each.
#[derive(Clone, Copy)]
struct Toy {
    tasks: u64,
    length: u64,
    depth: u64,
    skewed: bool,
    hot: bool,
}

/// What the first two tasks race for: a step of each, counted, and who went in between.
#[derive(Default)]
struct Race {
    clock: AtomicU64,
    at: [AtomicU64; 4],
}

impl Race {
    fn mark(&self, which: usize) {
        self.at[which].store(1 + self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether the marks were made in this order.
    fn went(&self, order: &[usize]) -> bool {
        let marks = order.iter().map(|which| self.at[*which].load(Ordering::Relaxed));
        marks.is_sorted()
    }
}

struct Ground {
    own: Vec<Mutex<()>>,
    one: Mutex<()>,
    value: Mutex<()>,
    race: Race,
}

/// Runs `toy`. Whether the update of the first task was lost.
fn run(toy: Toy, strategy: Box<dyn Strategy>, record: Record) -> (End, bool) {
    let mut world = World::simulated(Settings { record, ..Settings::new(strategy, 100_000) });
    let ground = Arc::new(Ground {
        own: (0..toy.tasks).map(|task| mutex(&OWN, 1 + task, ())).collect(),
        one: mutex(&OWN, 0, ()),
        value: mutex(&SHARED, 0, ()),
        race: Race::default(),
    });
    for task in 0..toy.tasks {
        let ground = Arc::clone(&ground);
        world.spawn(&format!("task-{task}"), move || play(toy, task, &ground));
    }
    let end = world.run();
    let order = if toy.depth == 2 { &[0, 2, 1][..] } else { &[0, 2, 1, 3] };
    (end, ground.race.went(order))
}

fn play(toy: Toy, task: u64, ground: &Ground) {
    let place = if task == 1 && toy.skewed { toy.length - 2 } else { 1 };
    for step in 0..toy.length {
        sim::begin_operation(step + 1);
        if task < 2 && step == place {
            let first = if task == 0 { 0 } else { 2 };
            access(ground, first);
            access(ground, first + 1);
        }
        let lock = if toy.hot { &ground.one } else { &ground.own[place_of(task)] };
        sim::point(Site::point("step", 1, task));
        drop(lock.lock());
    }
}

fn access(ground: &Ground, which: usize) {
    let _held = ground.value.lock();
    ground.race.mark(which);
}

fn place_of(task: u64) -> usize {
    usize::try_from(task).expect("a few tasks")
}

const NAMES: [&str; 6] = ["random", "pct 2", "pct 3", "pct 5", "pos", "surw"];

fn strategy(which: usize, seed: u64, profile: &Profile) -> Box<dyn Strategy> {
    let chance = Seed(seed).schedule();
    let pct = |depth| Box::new(Pct::new(Seed(seed).schedule(), depth, profile.explored));
    match which {
        0 => Box::new(Random::new(chance)),
        1 => pct(2),
        2 => pct(3),
        3 => pct(5),
        4 => Box::new(Pos::new(chance)),
        _ => Box::new(Surw::new(chance, profile)),
    }
}

fn profile(toy: Toy) -> Profile {
    run(toy, Box::new(Random::new(Seed(0).schedule())), Record::Profile).0.profile
}

const fn toy(tasks: u64, length: u64, depth: u64, skewed: bool) -> Toy {
    Toy { tasks, length, depth, skewed, hot: false }
}

const fn hot(tasks: u64, length: u64, depth: u64, skewed: bool) -> Toy {
    Toy { hot: true, ..toy(tasks, length, depth, skewed) }
}

/// A race, and by strategy the number of runs of which at least one must meet it; 0 if none of the
/// first 300 does, which is why one strategy is not enough.
type Row = (&'static str, Toy, [u64; 6]);

const TABLE: [Row; 6] = [
    //                                                    random pct 2  pct 3  pct 5   pos  surw
    ("depth 2, aligned", toy(2, 20, 2, false), [/*  */ 50, 1000, 600, 400, 80, 50]),
    ("depth 2, skewed", toy(4, 100, 2, true), [/*   */ 0, 8000, 8000, 3000, 2000, 60]),
    ("depth 3, aligned", toy(4, 20, 3, false), [/*  */ 100, 0, 9000, 9000, 250, 100]),
    ("depth 3, skewed", toy(4, 20, 3, true), [/*    */ 0, 0, 0, 60_000, 800, 150]),
    ("hot, depth 2, skewed", hot(4, 100, 2, true), [0, 8000, 8000, 3000, 1000, 60]),
    ("hot, depth 3, skewed", hot(4, 20, 3, true), [/**/ 0, 0, 0, 60_000, 500, 150]),
];

/// The first run of at most `runs` that loses the update.
fn first_hit(toy: Toy, which: usize, runs: u64) -> Option<u64> {
    let profile = profile(toy);
    (1..=runs).find(|seed| run(toy, strategy(which, *seed, &profile), Record::Nothing).1)
}

#[test]
fn strategies_meet_races_as_often_as_they_should() {
    for (name, toy, bounds) in TABLE {
        for (which, bound) in bounds.into_iter().enumerate() {
            let hit = first_hit(toy, which, if bound == 0 { 300 } else { bound });
            println!("{name}, {}: {hit:?}", NAMES[which]);
            assert_eq!(hit.is_some(), bound != 0, "{name}, {}: {hit:?}", NAMES[which]);
        }
    }
}

#[test]
fn one_seed_has_one_hash_under_every_strategy() {
    let toy = Toy { tasks: 4, length: 20, depth: 2, skewed: true, hot: true };
    let profile = profile(toy);
    for (which, name) in NAMES.into_iter().enumerate() {
        let hash = |seed| run(toy, strategy(which, seed, &profile), Record::Nothing).0.trace_hash;
        let hashes: BTreeSet<u64> = (0..20).map(hash).collect();
        assert!((0..20).all(|seed| hashes.contains(&hash(seed))), "{name}");
        assert!(10 < hashes.len(), "{name}: {hashes:?}");
    }
}
