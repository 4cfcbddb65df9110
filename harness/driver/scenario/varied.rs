//! What varies of keys that a scenario loses when it is taken elsewhere.

use super::node::{Entry, Node, Place, Value};
use std::collections::BTreeSet;

/// The key beside the paths of `vary` that leaves combinations out.
const SKIP: &str = "skip";

/// The key whose items may be dropped one by one.
const FAULTS: &str = "faults";

/// Whether the command line says it.
pub(super) fn is_command_line(node: &Node) -> bool {
    matches!(node.place, Place::Set { .. })
}

/// Drops what varies below such paths, but for what the command line says, and with it the combinations
/// that are skipped because of it: there are none of these left. Says whether there was anything.
pub(super) fn drop_varied(entries: &mut Vec<Entry>, is_dropped: impl Fn(&str) -> bool) -> bool {
    !drop_paths(entries, is_dropped).is_empty()
}

/// The same, and says which paths there were.
fn drop_paths(entries: &mut Vec<Entry>, is_dropped: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut gone = BTreeSet::new();
    let Some(paths) = paths(entries) else { return gone };
    paths.retain(|path| {
        let word = path.key.word();
        let stays = word == SKIP || !is_dropped(&word) || is_command_line(&path.value);
        if !stays {
            gone.insert(word);
        }
        stays
    });
    if gone.is_empty() {
        return gone;
    }
    keep_skips(paths, |skip| {
        !matches!(&skip.value, Value::Mapping(parts)
            if parts.iter().any(|part| gone.contains(&part.key.word())))
    });
    drop_empty(entries);
    gone
}

/// The first key of a path.
pub(super) fn first_key(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Drops faults that vary, unless `stays` says otherwise, and what varies within the items of `faults` that
/// are `dropped`; the others are counted anew. Says what there was: paths, and kinds of faults behind those
/// whose other faults stay.
pub(super) fn drop_faults(
    entries: &mut Vec<Entry>,
    stays: impl Fn(&Node) -> bool,
    dropped: &BTreeSet<usize>,
) -> BTreeSet<String> {
    let within = |path: &str| item_of(path).is_some_and(|(item, _)| dropped.contains(&item));
    let mut gone = drop_paths(entries, within);
    let Some(paths) = paths(entries) else { return gone };
    for path in paths.iter_mut() {
        if path.key.word() == SKIP {
            each_skip(&mut path.value, &|part| {
                renumber(&mut part.key, dropped);
                keep_faults(part, &stays);
            });
        } else {
            let before = path.key.word();
            renumber(&mut path.key, dropped);
            let kinds = keep_faults(path, &stays).into_iter();
            gone.extend(kinds.map(|kind| format!("{before}: {kind}")));
        }
    }
    gone
}

/// The kind of a fault.
pub(super) fn kind(fault: &Node) -> String {
    if let Value::Mapping(keys) = &fault.value {
        keys.first().map(|entry| entry.key.word()).unwrap_or_default()
    } else {
        fault.word()
    }
}

/// Of a path with lists of faults, or with faults, keeps those that stay. Says of which kinds the others are.
fn keep_faults(path: &mut Entry, stays: &impl Fn(&Node) -> bool) -> BTreeSet<String> {
    let (word, mut gone) = (path.key.word(), BTreeSet::new());
    let Value::List(values) = &mut path.value.value else { return gone };
    let mut keeps = |fault: &Node| {
        let stays = stays(fault);
        if !stays {
            let error = fault.entry("io_error").and_then(|entry| entry.value.entry("on"));
            let on = error.map(|on| format!(" on {}", on.value.word())).unwrap_or_default();
            gone.insert(kind(fault) + &on);
        }
        stays
    };
    if word == FAULTS {
        for value in values.iter_mut() {
            if let Value::List(faults) = &mut value.value {
                faults.retain(&mut keeps);
            } else if matches!(value.value, Value::Mapping(_)) && !keeps(value) {
                // An item of `skip` may name the one fault that is all of the list.
                value.value = Value::List(Vec::new());
            }
        }
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.flow()));
    } else if item_of(&word).is_some_and(|(_, rest)| rest.is_empty()) {
        values.retain(&mut keeps);
    }
    gone
}

/// The item of `faults` that a path leads through, and what stands behind it.
fn item_of(path: &str) -> Option<(usize, &str)> {
    let rest = path.strip_prefix(FAULTS)?.strip_prefix(['[', '.'])?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (item, rest) = rest.split_at(digits);
    Some((item.parse().ok()?, rest.strip_prefix(']').unwrap_or(rest)))
}

/// Writes a path as it is once some items of `faults` are gone.
fn renumber(key: &mut Node, dropped: &BTreeSet<usize>) {
    let word = key.word();
    let Some((item, rest)) = item_of(&word) else { return };
    let before = dropped.range(..item).count();
    if before != 0 {
        key.value = Value::Text(format!("{FAULTS}[{}]{rest}", item - before));
    }
}

/// The paths of `vary`, with what they skip.
fn paths(entries: &mut [Entry]) -> Option<&mut Vec<Entry>> {
    let vary = entries.iter_mut().find(|entry| entry.key.word() == "vary")?;
    let Value::Mapping(paths) = &mut vary.value.value else { return None };
    Some(paths)
}

/// Keeps the combinations that are skipped for other reasons.
fn keep_skips(paths: &mut Vec<Entry>, stays: impl Fn(&Node) -> bool) {
    paths.retain_mut(|path| {
        if path.key.word() != SKIP {
            return true;
        }
        let Value::List(items) = &mut path.value.value else { return stays(&path.value) };
        items.retain(&stays);
        !items.is_empty()
    });
}

/// Every path that is named by what is skipped.
fn each_skip(skipped: &mut Node, change: &dyn Fn(&mut Entry)) {
    if let Value::List(items) = &mut skipped.value {
        for item in items {
            each_skip(item, change);
        }
    } else if let Value::Mapping(parts) = &mut skipped.value {
        parts.iter_mut().for_each(change);
    }
}

/// Drops a `vary` in which nothing varies any more.
fn drop_empty(entries: &mut Vec<Entry>) {
    entries.retain(|entry| {
        let Value::Mapping(paths) = &entry.value.value else { return true };
        entry.key.word() != "vary" || paths.iter().any(|path| path.key.word() != SKIP)
    });
}
