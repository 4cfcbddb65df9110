//! A scenario taken to the other world: what has no meaning there is dropped.
//!
//! Only if the command line asks for the world, and only what the file says: a key that the
//! command line itself gives stays, and is a mistake if it does not fit.

use super::node::{Entry, Node, Value};
use super::varied::{drop_varied, first_key, is_command_line};

/// Keys of simulations, and with them the operations of one seed, which are too few for threads. A
/// `script` is not dropped: what is left of its scenario would be judged by what the script does.
const OF_SIMULATIONS: &[&str] = &["seeds", "strategy", "swarm", "ops"];

/// Keys of threads.
const OF_THREADS: &[&str] = &["time"];

/// The world that a file names, whether there is such a world or not.
pub(super) fn named_in(root: &Node) -> String {
    let Value::Mapping(entries) = &root.value else { return String::new() };
    let world = entries.iter().find(|entry| entry.key.word() == "world");
    world.map_or_else(|| "simulated".to_owned(), |entry| entry.value.word())
}

/// Drops what had a meaning in the world `before` only, and says which keys there were.
pub(super) fn drop_keys(root: &mut Node, before: &str) -> Vec<&'static str> {
    let now = named_in(root);
    let Value::Mapping(entries) = &mut root.value else { return Vec::new() };
    let names = match (before, now.as_str()) {
        ("simulated", "threads") => OF_SIMULATIONS,
        ("threads", "simulated") => OF_THREADS,
        _ => return Vec::new(),
    };
    let mut dropped = Vec::new();
    for name in names {
        let before = entries.len();
        entries.retain(|entry| entry.key.word() != *name || is_command_line(&entry.value));
        if entries.len() != before || drop_varied(entries, |path| first_key(path) == *name) {
            dropped.push(*name);
        }
    }
    if now == "simulated" {
        dropped.extend(drop_device(entries));
        dropped.extend(drop_rates(entries));
    }
    dropped
}

/// A device that takes real time, which simulations do not have.
fn drop_device(entries: &mut [Entry]) -> Option<&'static str> {
    let device = entries.iter_mut().find(|entry| entry.key.word() == "device")?;
    let Value::Mapping(keys) = &mut device.value.value else { return None };
    let before = keys.len();
    keys.retain(|entry| {
        let real = matches!(entry.value.word().as_str(), "loop" | "image");
        entry.key.word() != "kind" || !real || is_command_line(&entry.value)
    });
    (keys.len() != before).then_some("device.kind")
}

/// The rates of actors, and what varies of them.
fn drop_rates(entries: &mut Vec<Entry>) -> Option<&'static str> {
    let is_rate =
        |path: &str| first_key(path) == "actors" && path.rsplit('.').next() == Some("rate");
    let mut any = drop_varied(entries, is_rate);
    let actors = entries.iter_mut().find(|entry| entry.key.word() == "actors");
    if let Some(Value::List(actors)) = actors.map(|entry| &mut entry.value.value) {
        for actor in actors {
            let Value::Mapping(keys) = &mut actor.value else { continue };
            any |= drop_where(keys, |key| key == "rate");
        }
    }
    any.then_some("actors.rate")
}

/// Drops entries of such keys, but for those of the command line. Says whether there were any.
pub(super) fn drop_where(entries: &mut Vec<Entry>, is_one: impl Fn(&str) -> bool) -> bool {
    let before = entries.len();
    entries.retain(|entry| !is_one(&entry.key.word()) || is_command_line(&entry.value));
    entries.len() != before
}

#[cfg(test)]
mod tests {
    use crate::scenario::plan::WorldKind;
    use crate::scenario::{Known, Plan, Report, parse};
    use std::time::Duration;

    const ACTORS: &str = "actors: [{name: a, ops: {write: 1}}]";

    fn read(keys: &str, sets: &[(&str, &str)]) -> Result<Plan, Report> {
        let sets: Vec<_> =
            sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        parse("a.yaml", &format!("{keys}\n{ACTORS}\n"), &Known::default(), &sets)
    }

    #[test]
    fn a_scenario_goes_to_the_other_world_without_its_own_keys() {
        let simulated = "{seeds: 9, ops: 50, strategy: random}";
        let keys = simulated.trim_matches(['{', '}']).replace(", ", "\n");
        let plan = read(&keys, &[("world", "threads")]).unwrap();
        assert_eq!(plan.dropped, ["seeds", "strategy", "ops"]);
        assert_eq!((plan.ops, plan.time), (None, Some(Duration::from_secs(10))));
        let plan = read(&keys, &[("world", "threads"), ("ops", "7")]).unwrap();
        assert_eq!((plan.ops, plan.time), (Some(7), None));
        let plan =
            read("vary: {strategy: [random], ops: [5, 6]}", &[("world", "threads")]).unwrap();
        assert_eq!(plan.dropped, ["strategy", "ops"]);
        assert_eq!(plan.ops, None);
        let back = "world: threads\ntime: 5s\nops: 70\ndevice: {kind: loop}";
        let plan = read(back, &[("world", "simulated"), ("seeds", "3")]).unwrap();
        assert_eq!(plan.dropped, ["time", "device.kind"]);
        assert_eq!((plan.world, plan.seeds, plan.ops), (WorldKind::Simulated, 3, Some(70)));
        let rated = "world: threads\nfiles: [{name: f}]\nvary: {'actors[0].rate': [5, 6]}";
        let plan = read(rated, &[("world", "simulated")]).unwrap();
        assert_eq!(plan.dropped, ["actors.rate"]);
    }

    #[test]
    fn what_does_not_fit_and_was_asked_for_is_a_mistake() {
        assert!(read("seeds: 9", &[("world", "threads"), ("seeds", "3")]).is_err());
        assert!(read("script: [run a]", &[("world", "threads")]).is_err());
        assert!(read("world: threads\nseeds: 9", &[]).is_err());
        assert!(read("world: threads\nseeds: 9", &[("world", "threads")]).is_err());
        let same = read("world: threads\nops: 8", &[("world", "threads")]).unwrap();
        assert_eq!((same.ops, same.dropped.len()), (Some(8), 0));
    }
}
