//! The arrows inside stormfs: a file uses only files that stand before it in `lib.rs`.
//!
//! Where files use one another in a circle, the circle is listed here; it is no larger than the
//! code asks for, and shrinks or goes when the code does.

use crate::code;
use crate::tree::{Source, none, sources};
use std::collections::{BTreeMap, BTreeSet};

/// Files that use one another, each circle with its reason.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["iomap", "witness", "view", "inode", "prealloc"],
        "an inode knows its observer, who is shown the inode; making a mapping looks at both",
    ),
    (
        &["truncate", "zero_range", "extend", "write_cleanup", "buffered_write"],
        "zeroing prepares folios as a write does, and a write that fails drops folios as truncate does",
    ),
];

#[test]
fn a_file_uses_only_what_stands_before_it() {
    let order = reading_order();
    let place = |name: &str| order.iter().position(|listed| listed == name);
    let mut breaches = Vec::new();
    for (user, used) in uses() {
        let Some(at) = place(&user) else {
            breaches.push(format!("{user}.rs is not in lib.rs"));
            continue;
        };
        for name in used {
            match place(&name) {
                None => breaches.push(format!("{user}.rs: `crate::{name}` names no file")),
                Some(of) if of < at || same_circle(&user, &name) => {}
                Some(_) => {
                    breaches.push(format!("{user}.rs uses {name}.rs, which stands after it"));
                }
            }
        }
    }
    none("stormfs/lib.rs lists files so that each uses only those before it", &breaches);
}

#[test]
fn circles_are_no_larger_than_the_code_asks_for() {
    let order = reading_order();
    let uses = uses();
    let mut breaches = Vec::new();
    for (circle, reason) in CIRCLES {
        let together = order.windows(circle.len()).any(|run| run == *circle);
        if !together {
            breaches.push(format!("{circle:?} do not stand together in lib.rs, in this order"));
        }
        for name in *circle {
            let reached = reach(name, circle, &uses);
            let lost = circle.iter().filter(|other| !reached.contains(**other));
            breaches
                .extend(lost.map(|other| format!("{name} no longer leads to {other} ({reason})")));
        }
    }
    none("a circle is as small as can be", &breaches);
}

/// The files of stormfs as `lib.rs` lists them.
fn reading_order() -> Vec<String> {
    let sources = sources();
    let lib = sources.iter().find(|source| source.path == "stormfs/lib.rs").expect("stormfs");
    let listed = code::modules(&lib.code()).into_iter();
    listed.filter(|(_, test_only)| !test_only).map(|(name, _)| name).collect()
}

/// Which files each file of stormfs uses. A folder counts as the file it belongs to.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let mut map = BTreeMap::<_, BTreeSet<String>>::new();
    for source in sources().iter().filter(|source| source.member() == "stormfs") {
        let name = module(source);
        if name != "lib" && !source.test_only {
            let used = roots(&source.shipped()).into_iter().filter(|used| *used != name);
            map.entry(name.clone()).or_default().extend(used);
        }
    }
    map
}

fn module(source: &Source) -> String {
    let within = source.path.split('/').nth(1).expect("a source lies in a crate");
    within.trim_end_matches(".rs").to_owned()
}

/// The first names after every `crate::`, those in braces included.
fn roots(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(first_name(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && !c.is_whitespace() => {
                    names.insert(first_name(&list[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn first_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn same_circle(one: &str, other: &str) -> bool {
    CIRCLES.iter().any(|(circle, _)| circle.contains(&one) && circle.contains(&other))
}

/// The files of `circle` that `from` leads to without leaving it.
fn reach(
    from: &str,
    circle: &[&str],
    uses: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([from.to_owned()]);
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        let arrows = uses.get(&name).into_iter().flatten();
        for next in arrows.filter(|next| circle.contains(&next.as_str())) {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

#[test]
fn roots_are_read() {
    let rows: [(&str, &[&str]); 4] = [
        ("use crate::a::B;", &["a"]),
        ("use crate::{a, b::{c, d}, e::F};", &["a", "b", "e"]),
        ("x.and_then(crate::a::b)", &["a"]),
        ("use crate::{\n    a,\n    b::c,\n};", &["a", "b"]),
    ];
    for (code, expected) in rows {
        assert_eq!(roots(code), expected.iter().map(|name| (*name).to_owned()).collect());
    }
}
