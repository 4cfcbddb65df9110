//! A scenario taken to a real filesystem: what is about the model is dropped.
//!
//! Only if the command line asks for the target, and only what the file says: a key that the command
//! line itself gives stays, and is a mistake if it does not fit.

use super::node::{Entry, Node, Value};
use super::other_world::drop_where;
use super::suggest::did_you_mean;
use super::varied::{self, drop_varied, first_key, is_command_line};
use mounted::Kind;
use std::collections::BTreeSet;
use std::path::Path;

/// What stands before the kind of a filesystem that is made for the run.
const KERNEL: &str = "kernel:";

/// Keys of a scenario that are about the filesystem model, or about what its simulations left.
pub(super) const OF_THE_MODEL: &[&str] =
    &["device", "filesystem", "bugs", "schedule", "strikes", "step_budget", "judge"];

/// A target as the command line takes it: `kernel:` and a filesystem that can be made, or a directory.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn target(text: &str) -> Result<String, String> {
    match likely(text) {
        Some(meant) => {
            Err(format!("did you mean `{meant}`? Write ./{text} for a directory of that name"))
        }
        None => overrides_for(text).map(|_| text.to_owned()),
    }
}

/// What somebody may have meant who wrote this, if it looks like no path.
fn likely(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let kernel = |name: &str| Kind::named(name).map(|kind| format!("{KERNEL}{}", kind.name()));
    if let Some(meant) = kernel(&lower) {
        return Some(meant);
    }
    let (key, _) = lower.split_once(':')?;
    // Letters may change their length with their case, but no colon does.
    let (_, value) = text.split_once(':')?;
    let value = value.trim_start();
    match key {
        "kernel" => {
            let any = || (!text.starts_with(KERNEL)).then(|| format!("{KERNEL}xfs"));
            kernel(&value.to_lowercase()).or_else(any).filter(|meant| text != meant)
        }
        "directory" if value.is_empty() => Some("PATH".to_owned()),
        "directory" => Some(value.to_owned()),
        _ => None,
    }
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

/// The directory that a target of the command line is, unless it is a filesystem to be made.
pub fn directory_of(target: &str) -> Option<&Path> {
    (!target.starts_with(KERNEL)).then(|| Path::new(target))
}

/// A path as a YAML scalar.
fn quoted(path: &str) -> String {
    serde_json::to_string(path).expect("text is JSON")
}

/// What was dropped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    /// Each by the path of its key; a bug by its id.
    pub(super) keys: Vec<String>,
    /// Of these, what the scenario is about: all its faults, or what leads to what was to be caught.
    pub(super) missing: Vec<String>,
}

/// Drops what has no meaning on a real filesystem, if the command line asks for one, and says what there
/// was.
pub(super) fn drop_keys(root: &mut Node) -> Dropped {
    let mut dropped = Dropped::default();
    if !is_asked_for(root) {
        return dropped;
    }
    let has_disk = has_disk(root);
    let Value::Mapping(entries) = &mut root.value else { return dropped };
    let Dropped { keys, missing } = &mut dropped;
    for name in OF_THE_MODEL {
        let parts = parts(entries, name);
        if drop_where(entries, |key| key == *name) {
            keys.extend(parts);
        }
        if drop_varied(entries, |path| first_key(path) == *name) {
            keys.push(format!("vary.{name}"));
        }
    }
    let about =
        |key: &&String| ["bugs", "vary.bugs", "strikes"].iter().any(|name| key.starts_with(name));
    missing.extend(keys.iter().filter(about).cloned());
    let (faults, all) = drop_faults(entries, has_disk);
    missing.extend(faults.iter().filter(|_| all).cloned());
    keys.extend(faults);
    keys.extend(drop_abandoned(entries).map(str::to_owned));
    keys.extend(drop_recorded(entries).map(str::to_owned));
    if let Some(expect) = drop_expectation(entries) {
        let decides = |key: &&String| {
            let geometry = ["filesystem.block_size", "filesystem.max_folio"];
            key.starts_with("filesystem.") && !geometry.contains(&key.as_str())
        };
        missing.extend(keys.iter().filter(decides).cloned());
        if missing.is_empty() {
            missing.push(expect.to_owned());
        }
        keys.push(expect.to_owned());
    }
    dropped
}

/// What stands behind a key that is about the model: the keys below `filesystem`, the ids of `bugs`.
fn parts(entries: &[Entry], name: &str) -> Vec<String> {
    let Some(entry) = entries.iter().find(|entry| entry.key.word() == name) else {
        return Vec::new();
    };
    if let (Value::Mapping(keys), "filesystem") = (&entry.value.value, name) {
        keys.iter().map(|entry| format!("filesystem.{}", entry.key.word())).collect()
    } else if let (Value::List(bugs), "bugs") = (&entry.value.value, name) {
        bugs.iter().map(|bug| format!("bugs: {}", bug.word())).collect()
    } else {
        vec![name.to_owned()]
    }
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

/// Faults that only the model has, and whether there are no others.
fn drop_faults(entries: &mut Vec<Entry>, has_disk: bool) -> (Vec<String>, bool) {
    let is_of_disk = |fault: &Node| {
        let error = fault.entry("io_error").map(|entry| &entry.value);
        let flushes = |error: &Node| error.entry("on").is_some_and(|on| on.value.word() == "flush");
        fault.entry("latency").is_some() || error.is_some_and(|error| !flushes(error))
    };
    let stays = |fault: &Node| {
        let is_of_source = fault.entry("short_copy").is_some();
        is_of_source || has_disk && is_of_disk(fault) || is_command_line(fault)
    };
    let (mut dropped, mut names, mut all) = (BTreeSet::new(), Vec::new(), false);
    let faults = entries.iter_mut().find(|entry| entry.key.word() == "faults");
    if let Some(Value::List(faults)) = faults.map(|entry| &mut entry.value.value) {
        for (item, fault) in faults.iter().enumerate().filter(|(_, fault)| !stays(fault)) {
            dropped.insert(item);
            names.push(format!("faults[{item}].{}", varied::kind(fault)));
        }
        faults.retain(stays);
        all = faults.is_empty();
    }
    let gone = varied::drop_faults(entries, stays, &dropped);
    names.extend(gone.into_iter().map(|path| format!("vary.{path}")));
    (names, all)
}

/// Stores that are to give up at their fault: nobody can make a kernel do that to a thread that lives on.
fn drop_abandoned(entries: &mut [Entry]) -> Option<&'static str> {
    let mut any = false;
    let actors = entries.iter_mut().find(|entry| entry.key.word() == "actors")?;
    for actor in items(&mut actors.value) {
        let Value::Mapping(keys) = &mut actor.value else { continue };
        let Some(does) = keys.iter_mut().find(|key| key.key.word() == "does") else { continue };
        for call in items(&mut does.value) {
            let Value::Mapping(named) = &mut call.value else { continue };
            for Entry { value, .. } in named {
                let Value::Mapping(keys) = &mut value.value else { continue };
                any |= drop_where(keys, |key| key == "abandoned");
            }
        }
    }
    any.then_some("abandoned")
}

fn items(list: &mut Node) -> &mut [Node] {
    if let Value::List(items) = &mut list.value { items } else { &mut [] }
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
faults: [{short_copy: {chance: 5%}}, {evict: {chance: 1%}}]
actors: [{name: a, ops: {write: 1}}]
expect: {caught: {by: data_matches_model}}
";

    #[test]
    fn a_scenario_of_the_model_goes_to_a_real_filesystem() {
        let known = Known { invariants: &["data_matches_model"], bugs: &[] };
        let overrides = overrides_for("kernel:ext4").unwrap();
        let plan = parse("a.yaml", OF_A_MODEL, &known, &overrides).unwrap();
        let of_file = ["seeds", "device", "filesystem.block_size", "vary.filesystem"];
        assert_eq!(plan.dropped, [&of_file[..], &["faults[1].evict", "expect"]].concat());
        assert_eq!((plan.world, plan.faults.len()), (WorldKind::Threads, 1));
        assert_eq!(plan.missing, ["expect"]);
        assert_eq!(plan.expect, Expectation::Clean);
        let TargetPlan::Kernel(spec) = plan.target else { panic!("{:?}", plan.target) };
        assert_eq!(spec.kind, Kind::Ext4);
    }

    #[test]
    fn what_varies_goes_with_what_it_is_about() {
        const VARIED: &str = "\
files: [{name: a, size: 64KiB}]
actors: [{name: a, does: [{mmap_store: {at: 0, size: 9, abandoned: true}}, fsync]}]
faults: [{evict: {chance: 1%}}, {short_copy: {chance: 5%}}]
vary:
  filesystem.block_size: [1KiB, 4KiB]
  files[0].size: [1KiB, 4KiB]
  faults[0].evict.chance: [1%, 2%]
  faults[1].short_copy.chance: [3%, 4%]
  skip:
    - {filesystem.block_size: 1KiB, 'files[0].size': 1KiB}
    - {'files[0].size': 4KiB, 'faults[1].short_copy.chance': [3%]}
";
        let plan = read(VARIED, "kernel:btrfs", &[]).unwrap();
        assert_eq!(
            plan.dropped,
            ["vary.filesystem", "faults[0].evict", "vary.faults[0].evict.chance", "abandoned"]
        );
        let drawn: Vec<_> = plan.variants().into_iter().map(|plan| plan.drawn.clone()).collect();
        let expected = [["1KiB", "3%"], ["1KiB", "4%"], ["4KiB", "4%"]];
        assert_eq!(drawn.len(), expected.len(), "{drawn:?}");
        for (drawn, [size, chance]) in drawn.iter().zip(expected) {
            let put = |path: &str, value: &str| (path.to_owned(), value.to_owned());
            let chance = put("faults[0].short_copy.chance", chance);
            assert_eq!(*drawn, [put("files[0].size", size), chance]);
        }
    }

    #[test]
    fn lists_of_faults_that_vary_keep_what_a_real_filesystem_meets() {
        const VARIED: &str = "\
actors: [{name: a, ops: {write: 1}}]
vary:
  faults:
    - []
    - [{evict: {chance: 1%}}, {io_error: {on: flush, chance: 1%}}]
    - [{short_copy: {chance: 5%}}, {delay: {at: write.mapped, chance: 5%, for: 1ms}}]
  ops: [10, 20]
  skip: {faults: [[]], ops: 10}
";
        let plan = read(VARIED, "/tmp", &[("world", "threads")]).unwrap();
        let kinds =
            ["delay", "evict", "io_error on flush"].map(|kind| format!("vary.faults: {kind}"));
        assert_eq!(plan.dropped, [&["ops".to_owned()], &kinds[..]].concat());
        let faults: Vec<_> = plan.variants().iter().map(|plan| plan.faults.len()).collect();
        assert_eq!(faults, [0, 1]);
        let only = "actors: [{name: a, ops: {write: 1}}]\nvary: {device.size: [16MiB, 1MiB], skip: {device.size: 1MiB}}\n";
        assert!(read(only, "/tmp", &[]).unwrap().variations.is_none());
    }

    #[test]
    fn what_a_scenario_is_about_is_missed_if_all_of_it_is_dropped() {
        let (copy, evict) = ("{short_copy: {chance: 5%}}", "{evict: {chance: 5%}}");
        let error = |on| format!("{{io_error: {{on: {on}, chance: 5%}}}}");
        let (write, flush) = (error("write"), error("flush"));
        for (target, faults, dropped, missing) in [
            ("kernel:xfs", [evict, &flush], &["[0].evict", "[1].io_error"][..], true),
            ("kernel:xfs", [copy, &flush], &["[1].io_error"], false),
            ("kernel:xfs", [evict, &write], &["[0].evict"], false),
            ("kernel:tmpfs", [evict, &write], &["[0].evict", "[1].io_error"], true),
            ("/there", [&write, copy], &["[0].io_error"], false),
            ("kernel:xfs", [copy, &write], &[], false),
        ] {
            let [one, other] = faults;
            let text =
                format!("faults: [{one}, {other}]\nactors: [{{name: a, ops: {{write: 1}}}}]\n");
            let plan = read(&text, target, &[]).unwrap();
            let dropped: Vec<_> = dropped.iter().map(|name| format!("faults{name}")).collect();
            assert_eq!(plan.dropped, dropped, "{text}");
            assert_eq!(plan.missing, if missing { dropped } else { vec![] }, "{text}");
        }
        let known = Known { invariants: &["data_matches_model"], bugs: &[] };
        let text = "filesystem: {block_size: 1KiB, write_lock: shared}\n\
                    actors: [{name: a, ops: {write: 1}}]\nexpect: {caught: {by: data_matches_model}}\n";
        let overrides = overrides_for("/there").unwrap();
        let plan = parse("a.yaml", text, &known, &overrides).unwrap();
        assert_eq!(plan.missing, ["filesystem.write_lock"]);
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
        assert_eq!(refused, "did you mean `kernel:xfs`? Write ./xfs for a directory of that name");
        for (text, meant) in [
            ("EXT4", "kernel:ext4"),
            ("KERNEL:XFS", "kernel:xfs"),
            ("kernel:Btrfs", "kernel:btrfs"),
            ("directory:/tmp", "/tmp"),
            ("Directory: a", "a"),
            ("directory:", "PATH"),
            ("Kernel:xsf", "kernel:xfs"),
        ] {
            let refused = target(text).unwrap_err();
            assert!(refused.starts_with(&format!("did you mean `{meant}`?")), "{text}: {refused}");
        }
        for path in ["./xfs", "a:b", "/directory:a", "kernel:xfs"] {
            assert_eq!(target(path).as_deref(), Ok(path));
        }
        assert_eq!(overrides_for("").unwrap_err(), "name a directory, or `kernel:xfs`");
    }
}
