//! What a simulation keeps of itself, and where it can be stopped to be looked at.

use sim::chance::Seed;
use sim::schedule::{Deviation, Key};
use sim::strategy::Random;
use sim::sync::{mutex, rw_lock};
use sim::{End, Failure, Hold, Outcome, Passage, Rank, Record, Settings, Site, State, World};
use std::sync::Arc;
use std::time::Duration;

static OUTER: Rank = Rank::new(1, "outer");
static INNER: Rank = Rank::new(2, "inner");

/// Three tasks that read, sleep, poll and write.
fn run(seed: u64, record: Record, until: Option<u64>) -> End {
    let strategy = Box::new(Random::new(Seed(seed).schedule()));
    let mut world = World::simulated(Settings { record, until, ..Settings::new(strategy, 1000) });
    let shared = Arc::new((rw_lock(&OUTER, 5, 0_u64), mutex(&INNER, 6, 0_u64)));
    for task in 0..3 {
        let shared = Arc::clone(&shared);
        world.spawn(&format!("task-{task}"), move || {
            for operation in 1..=10 {
                sim::begin_operation(operation);
                let read = shared.0.read();
                sim::sleep(Duration::from_micros(task));
                *shared.1.lock() += *read;
                drop(read);
                sim::pause();
                *shared.0.write() += 1;
            }
        });
    }
    world.run()
}

#[test]
fn a_run_is_the_same_whatever_is_kept_of_it() {
    for seed in 0..50 {
        let plain = run(seed, Record::Nothing, None);
        for record in [Record::Schedule, Record::Profile, Record::Everything] {
            let kept = run(seed, record, None);
            assert_eq!((kept.trace_hash, kept.points), (plain.trace_hash, plain.points));
            assert_eq!(kept.profile.decisions, plain.profile.decisions);
        }
        assert!(plain.trace.is_empty() && plain.schedule.deviations.is_empty());
        assert!(plain.profile.shared().is_empty() && plain.stands.is_empty());
    }
}

#[test]
fn a_trace_has_every_point_once_and_every_choice() {
    for seed in 0..50 {
        let end = run(seed, Record::Everything, None);
        let uncounted = ["start", "end"];
        let points = end.trace.iter().filter(|at| !uncounted.contains(&at.site.name));
        let steps: Vec<u64> = points.map(|passage| passage.step).collect();
        assert_eq!(steps, (1..=end.points).collect::<Vec<_>>());
        let chosen = end.trace.iter().filter(|passage| passage.to != passage.default);
        let deviations: Vec<Deviation> = chosen.map(deviation).collect();
        assert_eq!(deviations, end.schedule.deviations);
        for pair in end.trace.windows(2) {
            assert_eq!(pair[0].to, pair[1].task, "{pair:?}");
            assert!(pair[0].now <= pair[1].now && pair[0].step <= pair[1].step, "{pair:?}");
        }
        let sleeps = |passage: &&Passage| passage.site.name == "sleep";
        assert!(end.trace.iter().filter(sleeps).all(|passage| passage.waits));
    }
}

fn deviation(passage: &Passage) -> Deviation {
    let Passage { task, operation, point, site, to, .. } = *passage;
    let key = Key { task: u8::try_from(task).expect("a few tasks"), operation, point };
    Deviation { key, to: u8::try_from(to).expect("a few tasks"), site: site.name }
}

#[test]
fn a_profile_counts_what_each_task_passed() {
    let end = run(3, Record::Profile, None);
    assert_eq!(end.profile.shared(), ["inner", "outer", "pause", "sleep"]);
    assert_eq!(end.profile.of_site("pause"), [10, 10, 10]);
    assert_eq!(end.profile.of_site("nowhere"), [0, 0, 0]);
    assert!(end.profile.of_site("outer").iter().all(|count| 20 <= *count));
    assert!(0 < end.profile.decisions && end.profile.decisions <= end.points);
}

#[test]
fn a_run_stops_right_before_the_step_that_was_named() {
    let whole = run(1, Record::Everything, None);
    for step in 0..whole.points {
        let part = run(1, Record::Everything, Some(step));
        assert!(matches!(part.outcome, Outcome::Failed(Failure::Until(at)) if at == step));
        assert_eq!(part.points, step);
        let count = part.trace.len();
        assert_eq!(part.trace, whole.trace[..count]);
        let next = &whole.trace[count..].iter().find(|at| at.site.name != "end").unwrap();
        assert_eq!(part.stands[next.task].at, next.site, "who was about to pass stands there");
    }
    let after = run(1, Record::Everything, Some(whole.points));
    assert!(matches!(after.outcome, Outcome::Finished));
}

#[test]
fn where_a_run_stops_each_task_tells_what_it_holds_and_who_holds_what_it_wants() {
    let lock = Arc::new((rw_lock(&OUTER, 5, 0), mutex(&INNER, 6, 0)));
    let strategy = Box::new(sim::strategy::Replay::new(&sim::schedule::Schedule::default()));
    let mut world = World::simulated(Settings::new(strategy, 1000));
    for name in ["first", "second"] {
        let lock = Arc::clone(&lock);
        world.spawn(name, move || {
            sim::begin_operation(4);
            let _outer = lock.0.read();
            let _inner = lock.1.lock();
            sim::sleep(Duration::from_millis(1));
            sim::stop("enough");
        });
    }
    let end = world.run();
    let [first, second] = &end.stands[..] else { panic!("{:?}", end.stands) };
    let outer = Hold { name: "outer", object: Some(5) };
    assert_eq!(first.holds, [outer, Hold { name: "inner", object: Some(6) }]);
    assert_eq!((first.state, first.at.name, first.operation), (State::CanRun, "sleep", 4));
    assert_eq!(second.holds, [outer]);
    assert_eq!(second.holders, [0]);
    let State::Waits(Site { name: "inner", object: 6, shared: false, .. }) = second.state else {
        panic!("{second:?}");
    };
}
