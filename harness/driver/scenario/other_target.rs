//! A scenario taken to a real filesystem: what is about the model is dropped.
//!
//! Only if the command line asks for the target, and only what the file says: a key that the command
//! line itself gives stays, and is a mistake if it does not fit.

use super::node::{Entry, Node, Value};
use super::other_world::{drop_varied, drop_where, is_command_line};
use super::suggest::did_you_mean;
use mounted::Kind;

/// What stands before the kind of a filesystem that is made for the run.
const KERNEL: &str = "kernel:";

/// Keys that are about the model, or about what its simulations left.
const OF_THE_MODEL: &[&str] =
    &["device", "filesystem", "bugs", "schedule", "strikes", "step_budget", "judge"];

/// A target as the command line takes it: `kernel:` and a filesystem that can be made, or a directory.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn target(text: &str) -> Result<String, String> {
    if Kind::named(text).is_some() {
        return Err(format!("write {KERNEL}{text}, or ./{text} for a directory of that name"));
    }
    overrides_for(text).map(|_| text.to_owned())
}

/// What `--target kernel:xfs` or `--target PATH` changes in a scenario: paths, and what is put there.
///
/// # Errors
///
/// There is no filesystem of that name, and what to write instead.
pub fn overrides_for(target: &str) -> Result<Vec<(String, String)>, String> {
    let value = match target.strip_prefix(KERNEL) {
        None if target.is_empty() => return Err("name a directory, or `kernel:xfs`".to_owned()),
        None => format!("{{directory: {}}}", quoted(target)),
        Some(name) if Kind::named(name).is_some() => format!("{{kernel: {name}}}"),
        Some(name) => {
            let help = did_you_mean(name, &Kind::ALL.map(Kind::name));
            return Err(format!("no filesystem `{name}` is known; {help}"));
        }
    };
    let own = |path: &str, value: &str| (path.to_owned(), value.to_owned());
    Ok(vec![own("target", &value), own("world", "threads")])
}

/// A path as a YAML scalar.
fn quoted(path: &str) -> String {
    serde_json::to_string(path).expect("text is JSON")
}

/// Drops what has no meaning on a real filesystem, if the command line asks for one, and says which
/// keys there were.
pub(super) fn drop_keys(root: &mut Node) -> Vec<&'static str> {
    if !is_asked_for(root) {
        return Vec::new();
    }
    let has_disk = has_disk(root);
    let Value::Mapping(entries) = &mut root.value else { return Vec::new() };
    let mut dropped = Vec::new();
    for name in OF_THE_MODEL {
        let there = drop_where(entries, |key| key == *name);
        if drop_varied(entries, name) || there {
            dropped.push(*name);
        }
    }
    let is_empty =
        |entry: &Entry| matches!(&entry.value.value, Value::Mapping(all) if all.is_empty());
    entries.retain(|entry| entry.key.word() != "vary" || !is_empty(entry));
    dropped.extend(drop_faults(entries, has_disk));
    dropped.extend(drop_recorded(entries));
    dropped.extend(drop_expectation(entries));
    dropped
}

/// Whether the target is a real one, and comes from the command line.
fn is_asked_for(root: &Node) -> bool {
    let target = root.entry("target").map(|entry| &entry.value);
    target.is_some_and(|target| {
        let names = |key| target.entry(key).is_some();
        is_command_line(target) && (names("kernel") || names("directory"))
    })
}

/// Whether the target is made on an image, which can be slow.
fn has_disk(root: &Node) -> bool {
    let kernel = root.entry("target").and_then(|target| target.value.entry("kernel"));
    let Some(Value::Text(name)) = kernel.map(|kernel| &kernel.value.value) else { return false };
    Kind::named(name).is_some_and(|kind| kind.mkfs().is_some())
}

/// Faults that only the model has.
fn drop_faults(entries: &mut [Entry], has_disk: bool) -> Option<&'static str> {
    let faults = entries.iter_mut().find(|entry| entry.key.word() == "faults")?;
    let Value::List(faults) = &mut faults.value.value else { return None };
    let before = faults.len();
    let is_of_disk = |fault: &Node| {
        let error = fault.entry("io_error").map(|entry| &entry.value);
        let flushes = |error: &Node| error.entry("on").is_some_and(|on| on.value.word() == "flush");
        fault.entry("latency").is_some() || error.is_some_and(|error| !flushes(error))
    };
    let is_for_it = |fault: &Node| {
        let is_of_source = fault.entry("short_copy").is_some();
        is_of_source || has_disk && is_of_disk(fault) || is_command_line(fault)
    };
    faults.retain(is_for_it);
    (faults.len() != before).then_some("faults")
}

/// What a wrong decision of the model was to lead to.
fn drop_expectation(entries: &mut Vec<Entry>) -> Option<&'static str> {
    let before = entries.len();
    entries.retain(|entry| {
        let is_caught = entry.key.word() == "expect" && entry.value.entry("caught").is_some();
        !is_caught || is_command_line(&entry.value)
    });
    (entries.len() != before).then_some("expect")
}

/// What a simulation did. The order of calls is of use wherever they are made.
fn drop_recorded(entries: &mut Vec<Entry>) -> Option<&'static str> {
    let before = entries.len();
    entries.retain(|entry| {
        let stays = entry.value.entry("order").is_some() || is_command_line(&entry.value);
        entry.key.word() != "recorded" || stays
    });
    (entries.len() != before).then_some("recorded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::{Expectation, Plan, TargetPlan, WorldKind};
    use crate::scenario::{Known, Report, parse};

    fn read(text: &str, target: &str, sets: &[(&str, &str)]) -> Result<Plan, Report> {
        let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned()));
        let overrides: Vec<_> = overrides_for(target).unwrap().into_iter().chain(sets).collect();
        parse("a.yaml", text, &Known::default(), &overrides)
    }

    const OF_A_MODEL: &str = "\
device: {size: 64MiB}
filesystem: {block_size: 1KiB}
seeds: 7
vary: {filesystem.max_folio: [4KiB, 16KiB]}
faults: [{short_copy: {chance: 5%}}, {io_error: {on: write, chance: 1%}}]
actors: [{name: a, ops: {write: 1}}]
expect: {caught: {by: data_matches_model}}
";

    #[test]
    fn a_scenario_of_the_model_goes_to_a_real_filesystem() {
        let known = Known { invariants: &["data_matches_model"], bugs: &[] };
        let overrides = overrides_for("kernel:ext4").unwrap();
        let plan = parse("a.yaml", OF_A_MODEL, &known, &overrides).unwrap();
        assert_eq!(plan.dropped, ["seeds", "device", "filesystem", "faults", "expect"]);
        assert_eq!((plan.world, plan.faults.len()), (WorldKind::Threads, 1));
        assert_eq!(plan.expect, Expectation::Clean);
        let TargetPlan::Kernel(spec) = plan.target else { panic!("{:?}", plan.target) };
        assert_eq!(spec.kind, Kind::Ext4);
    }

    #[test]
    fn what_the_command_line_gives_is_not_dropped() {
        let actors = "actors: [{name: a, ops: {write: 1}}]\n";
        assert!(read(actors, "kernel:xfs", &[("device.size", "64MiB")]).is_err());
        let plan = read(actors, "/some: \"where", &[("ops", "7")]).unwrap();
        assert_eq!(plan.target, TargetPlan::Directory("/some: \"where".into()));
        assert_eq!((plan.ops, plan.dropped.len()), (Some(7), 0));
    }

    #[test]
    fn other_targets_are_refused_with_what_to_write() {
        let refused = overrides_for("kernel:xsf").unwrap_err();
        assert_eq!(refused, "no filesystem `xsf` is known; did you mean `xfs`?");
        let refused = target("xfs").unwrap_err();
        assert_eq!(refused, "write kernel:xfs, or ./xfs for a directory of that name");
        assert_eq!(target("./xfs").as_deref(), Ok("./xfs"));
        assert_eq!(overrides_for("").unwrap_err(), "name a directory, or `kernel:xfs`");
    }
}
