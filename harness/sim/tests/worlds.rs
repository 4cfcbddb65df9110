//! The same programs in both worlds, and what only the simulated one can promise.

use rayon::prelude::*;
use sim::chance::Seed;
use sim::schedule::Schedule;
use sim::strategy::{Pct, Random, Replay, Strategy};
use sim::sync::{mutex, rw_lock};
use sim::world::{Record, Settings};
use sim::{End, Failure, Lock, Mutex, Outcome, Rank, Ranked, Site, State, WaitQueue, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static OUTER: Rank = Rank::new(1, "outer");
static INNER: Rank = Rank::new(2, "inner");

fn simulated(strategy: Box<dyn Strategy>) -> World {
    World::simulated(Settings { record: Record::Schedule, ..Settings::new(strategy, 100_000) })
}

fn random(seed: u64) -> World {
    simulated(Box::new(Random::new(Seed(seed).schedule())))
}

fn both_worlds() -> Vec<World> {
    let pct = Box::new(Pct::new(Seed(5).schedule(), 3, 1000));
    vec![World::threads(Duration::from_secs(20)), random(4), simulated(pct)]
}

/// Four tasks, each adding to a counter in two steps that a lock must join.
fn counting(mut world: World, counter: &Arc<Mutex<u64>>) -> End {
    for task in 0..4 {
        let counter = Arc::clone(counter);
        world.spawn(&format!("adder-{task}"), move || {
            for operation in 1..=100 {
                sim::begin_operation(operation);
                let mut value = counter.lock();
                let seen = *value;
                sim::point(Site::point("between", 1, 0));
                *value = seen + 1;
            }
        });
    }
    world.run()
}

fn finished(end: &End) {
    assert!(matches!(end.outcome, Outcome::Finished), "{:?}", end.outcome);
}

#[test]
fn a_mutex_excludes_in_both_worlds() {
    for world in both_worlds() {
        let counter = Arc::new(mutex(&OUTER, 0, 0));
        finished(&counting(world, &counter));
        assert_eq!(*counter.lock(), 400);
    }
}

#[test]
fn a_lock_with_rules_of_its_own_keeps_them_in_both_worlds() {
    for mut world in both_worlds() {
        let pool = Arc::new((Ranked::new(&OUTER, 0), AtomicU64::new(2), AtomicU64::new(0)));
        for task in 0..4 {
            let pool = Arc::clone(&pool);
            world.spawn(&format!("user-{task}"), move || {
                let (place, left, inside) = &*pool;
                for operation in 1..=100 {
                    sim::begin_operation(operation);
                    let take = |left: u64| left.checked_sub(1);
                    let ordering = Ordering::SeqCst;
                    place.take(|| left.fetch_update(ordering, ordering, take).is_ok());
                    assert!(inside.fetch_add(1, ordering) < 2);
                    sim::point(Site::point("inside", 1, 0));
                    inside.fetch_sub(1, ordering);
                    left.fetch_add(1, ordering);
                    place.give();
                }
            });
        }
        finished(&world.run());
    }
}

#[test]
fn one_seed_has_one_hash_a_thousand_times_on_one_and_two_cores() {
    let hash = |_| counting(random(7), &Arc::new(mutex(&OUTER, 0, 0))).trace_hash;
    let first = hash(0);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for threads in [1, 2] {
        let equal = pool(threads)
            .install(|| (0..500).into_par_iter().filter(|run| hash(*run) == first).count());
        assert_eq!(equal, 500);
    }
    let other = counting(random(8), &Arc::new(mutex(&OUTER, 0, 0))).trace_hash;
    assert_ne!(first, other);
}

#[test]
fn a_recorded_schedule_replays_to_the_same_hash() {
    for seed in 0..50 {
        let first = counting(random(seed), &Arc::new(mutex(&OUTER, 0, 0)));
        let replay = simulated(Box::new(Replay::new(&first.schedule)));
        let again = counting(replay, &Arc::new(mutex(&OUTER, 0, 0)));
        assert_eq!(again.trace_hash, first.trace_hash, "seed {seed}");
        assert_eq!(again.schedule, first.schedule, "seed {seed}");
    }
}

#[test]
fn readers_share_and_a_writer_excludes() {
    for mut world in both_worlds() {
        let value = Arc::new(rw_lock(&OUTER, 0, (0_u64, 0_u64)));
        for task in 0..4 {
            let value = Arc::clone(&value);
            world.spawn(&format!("task-{task}"), move || {
                for _ in 0..100 {
                    if task == 0 {
                        let mut pair = value.write();
                        pair.0 += 1;
                        sim::point(Site::point("torn", 2, 0));
                        pair.1 += 1;
                    } else {
                        let pair = value.read();
                        assert_eq!(pair.0, pair.1);
                    }
                }
            });
        }
        finished(&world.run());
        assert_eq!(*value.read(), (100, 100));
    }
}

#[test]
fn a_deadlock_names_who_waits_for_what() {
    let mut found = 0;
    for seed in 0..50 {
        let locks = Arc::new([Lock::new(&INNER, 1), Lock::new(&INNER, 2)]);
        let mut world = random(seed);
        for task in 0..2 {
            let locks = Arc::clone(&locks);
            world.spawn(&format!("task-{task}"), move || {
                locks[task].lock();
                sim::point(Site::point("one held", 3, 0));
                let got = WaitQueue::new();
                // A bare wait stands in for the second lock, whose rank would stop the run first.
                got.wait_until(Site::point("other lock", 4, 0), || locks[1 - task].try_lock());
                locks[1 - task].unlock();
                locks[task].unlock();
            });
        }
        if let Outcome::Failed(failure) = world.run().outcome {
            let text = failure.to_string();
            assert!(matches!(failure, Failure::Deadlock(_) | Failure::LostWakeUp(_)), "{text}");
            assert!(text.contains("other lock"), "{text}");
            found += 1;
        }
    }
    assert!((5..50).contains(&found), "{found} of 50 seeds");
}

#[test]
fn locks_out_of_order_stop_the_run_in_both_worlds() {
    for mut world in both_worlds() {
        let locks = Arc::new((Lock::new(&OUTER, 0), Lock::new(&INNER, 0)));
        world.spawn("inverted", move || {
            locks.1.lock();
            locks.0.lock();
        });
        let Outcome::Failed(Failure::Panicked { panic, .. }) = world.run().outcome else {
            panic!("the inversion passed");
        };
        assert!(panic.message.contains("outer (rank 1) taken while"), "{}", panic.message);
    }
}

/// A flag that is raised, with and without the wake-up that belongs to it.
fn flag(mut world: World, rings: bool) -> End {
    let flag = Arc::new((AtomicU64::new(0), WaitQueue::new()));
    let raiser = Arc::clone(&flag);
    world.spawn("waiter", move || {
        let site = Site::point("flag", 5, 0);
        flag.1.wait_until(site, || flag.0.load(Ordering::SeqCst) == 1);
    });
    world.spawn("raiser", move || {
        sim::sleep(Duration::from_millis(5));
        raiser.0.store(1, Ordering::SeqCst);
        if rings {
            raiser.1.wake_all();
        }
    });
    world.run()
}

#[test]
fn a_lost_wake_up_is_told_in_both_worlds() {
    for world in both_worlds() {
        finished(&flag(world, true));
    }
    let simulated = simulated(Box::new(Replay::new(&sim::schedule::Schedule::default())));
    for world in [simulated, World::threads(Duration::from_secs(20))] {
        let end = flag(world, false);
        let Outcome::Failed(Failure::LostWakeUp(wait)) = end.outcome else {
            panic!("{:?}", end.outcome);
        };
        assert_eq!(wait.task, "waiter");
    }
}

#[test]
fn a_hung_task_ends_the_threads_world() {
    let mut world = World::threads(Duration::from_millis(300));
    world.spawn("forever", || {
        WaitQueue::new().wait_until(Site::point("never", 6, 0), || false);
    });
    let end = world.run();
    let Outcome::Failed(Failure::Hung(blocked)) = end.outcome else { panic!("{:?}", end.outcome) };
    assert_eq!(blocked[0].to_string(), "forever (operation 0) waits for never(0x0)");
}

#[test]
fn an_operation_that_spins_exceeds_its_budget() {
    let mut world = random(1);
    world.spawn("spinner", || {
        sim::begin_operation(3);
        loop {
            sim::pause();
        }
    });
    let end = world.run();
    let Outcome::Failed(Failure::OutOfSteps { operation: 3, .. }) = end.outcome else {
        panic!("{:?}", end.outcome);
    };
}

#[test]
fn a_sleeper_can_overtake_running_work_and_sleepers_keep_their_order() {
    let mut overtaken = 0;
    for seed in 0..100 {
        let log = Arc::new(mutex(&INNER, 0, Vec::new()));
        let mut world = random(seed);
        for (name, millis) in [("late", 9), ("early", 3)] {
            let log = Arc::clone(&log);
            world.spawn(name, move || {
                sim::sleep(Duration::from_millis(millis));
                assert!(Duration::from_millis(millis) <= sim::now());
                log.lock().push(name);
            });
        }
        let worker = Arc::clone(&log);
        world.spawn("worker", move || {
            for _ in 0..10 {
                sim::point(Site::point("work", 7, 0));
            }
            worker.lock().push("worker");
        });
        finished(&world.run());
        let log = log.lock();
        let place = |name| log.iter().position(|entry| *entry == name).unwrap();
        overtaken += usize::from(place("early") < place("worker"));
    }
    assert!((10..100).contains(&overtaken), "{overtaken} of 100 seeds");
}

#[test]
fn abandoned_tasks_give_back_what_they_own() {
    let owned = Arc::new(());
    for seed in 0..200 {
        let mut world = random(seed);
        for task in 0..3 {
            let mine = Arc::clone(&owned);
            world.spawn(&format!("task-{task}"), move || {
                let _kept = (mine, vec![0_u8; 4096]);
                sim::point(Site::point("step", 8, 0));
                sim::point(Site::point("step", 8, 1));
                sim::stop("enough");
            });
        }
        assert!(matches!(world.run().outcome, Outcome::Failed(Failure::Stopped(_))));
        assert_eq!(Arc::strong_count(&owned), 1);
    }
}

#[test]
fn a_task_sees_where_the_others_stand() {
    let lock = Arc::new(mutex(&OUTER, 7, 0));
    let mut world = simulated(Box::new(Replay::new(&Schedule::default())));
    let (held, wanted) = (Arc::clone(&lock), lock);
    world.spawn("holder", move || {
        sim::begin_operation(3);
        let guard = held.lock();
        sim::sleep(Duration::from_millis(1));
        assert_eq!(sim::tasks()[1].holders, [0]);
        let stands: Vec<_> = sim::tasks().into_iter().map(|stand| stand.state).collect();
        let [State::CanRun, State::Waits(site), State::Ended, State::CanRun] = stands[..] else {
            panic!("{stands:?}");
        };
        assert_eq!((site.name, site.object), ("outer", 7));
        assert_eq!((sim::tasks()[0].operation, sim::tasks()[1].task.as_str()), (3, "waiter"));
        drop(guard);
    });
    world.spawn("waiter", move || *wanted.lock() += 1);
    world.spawn("brief", || {});
    world.spawn("sleeper", || sim::sleep(Duration::from_secs(1)));
    finished(&world.run());
    assert_eq!(sim::tasks(), []);
}

#[test]
fn a_panic_after_a_simulation_is_printed_like_any_other() {
    let printed = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panics_after_a_simulation", "--nocapture"])
        .env("PANIC_AFTER", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&printed.stderr);
    assert!(text.contains("seen by everybody"), "{text}");
}

#[test]
fn panics_after_a_simulation() {
    // Tasks that end in another order than they began, so that none can restore what it found.
    let mut world = random(3);
    for task in 0..4 {
        world.spawn(&format!("task-{task}"), move || {
            for _ in 0..10 - task {
                sim::point(Site::point("step", 9, 0));
            }
        });
    }
    finished(&world.run());
    assert!(std::env::var("PANIC_AFTER").is_err(), "seen by everybody");
}
