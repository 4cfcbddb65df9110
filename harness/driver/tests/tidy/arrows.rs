//! The arrows between crates, and who may speak of what.

use crate::manifest::{Manifest, members};
use crate::tree::{none, sources};

/// Every crate with those it may use, in the order in which they stand on one another.
const ARROWS: &[(&str, &[&str])] = &[
    ("sim", &[]),
    ("block", &["sim"]),
    ("stormfs", &["sim", "block"]),
    ("oracle", &["sim", "stormfs"]),
    ("report", &[]),
    ("mounted", &["sim", "block"]),
    ("driver", &["sim", "block", "stormfs", "oracle", "report", "mounted"]),
];

/// The modules of stormfs that are data, or that show it: all that the oracle may speak of.
const SHOWN: &[&str] = &[
    "block_bits",
    "errno",
    "extent_map",
    "folio",
    "inode",
    "iomap",
    "op",
    "quantity",
    "space",
    "view",
    "witness",
];

#[test]
fn manifests_hold_the_arrows_and_no_others() {
    let mut breaches = Vec::new();
    let names: Vec<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut listed = names.clone();
    listed.sort();
    if members() != listed {
        breaches.push(format!("harness/ holds {:?}", members()));
    }
    for (at, (name, arrows)) in ARROWS.iter().enumerate() {
        let manifest = Manifest::member(name);
        let ours = |table| -> Vec<_> {
            manifest
                .table(table)
                .into_iter()
                .filter(|used| names.iter().any(|name| name == used))
                .collect()
        };
        let mut used = ours("dependencies");
        used.sort_by_key(|used| names.iter().position(|name| name == used));
        if used != *arrows {
            breaches.push(format!("{}: uses {used:?} instead of {arrows:?}", manifest.path));
        }
        let upward = ours("dev-dependencies")
            .into_iter()
            .filter(|used| !names[..at].iter().any(|name| name == used));
        breaches.extend(
            upward.map(|used| format!("{}: tests use {used}, which stands above", manifest.path)),
        );
    }
    none("crates use one another as ARCHITECTURE.md draws it", &breaches);
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    let bare = members()
        .into_iter()
        .filter(|name| !Manifest::member(name).says("lints", "workspace = true"));
    none("every manifest has `[lints] workspace = true`", &bare.collect::<Vec<_>>());
}

#[test]
fn every_dependency_says_why() {
    let mut breaches = Vec::new();
    let members = members();
    let manifests = members.iter().map(|name| Manifest::member(name)).chain([Manifest::top()]);
    for manifest in manifests {
        for table in
            ["dependencies", "dev-dependencies", "build-dependencies", "workspace.dependencies"]
        {
            for dependency in manifest.dependencies(table) {
                let foreign =
                    !dependency.value.contains("path =") && !dependency.value.contains("workspace");
                let told = dependency.above.starts_with("# ");
                if foreign && !told {
                    breaches.push(format!("{}: {}", manifest.path, dependency.name));
                }
            }
        }
    }
    none("above every dependency a comment says why it is there", &breaches);
}

#[test]
fn the_oracle_sees_only_what_it_is_shown() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.member() == "oracle") {
        for rest in source.shipped().split("stormfs::").skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if !SHOWN.contains(&&rest[..end]) {
                let name = rest.lines().next().unwrap_or("");
                breaches.push(format!("{}: stormfs::{name}", source.path));
            }
        }
    }
    none("the oracle speaks of stormfs's data and view only, one module at a time", &breaches);
}

#[test]
fn the_filesystem_knows_neither_its_judge_nor_its_bugs() {
    const WORDS: &[&str] = &["oracle", "scenario", "verdict", "invariant_", "is_simulated"];
    const MAY_ASK: &[&str] = &["rules", "filesystem", "choices", "presets"];
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| ["block", "stormfs"].contains(&source.member()))
    {
        let code = source.shipped();
        let named = WORDS.iter().filter(|word| code.contains(**word));
        breaches.extend(named.map(|word| format!("{}: {word}", source.path)));
        // Choices are made in one file, and only the rules look at them.
        let asks = code.contains(".choices.") || code.contains("choices::");
        let may_ask = MAY_ASK.iter().any(|name| source.path == format!("stormfs/{name}.rs"))
            || source.path.starts_with("stormfs/rules/");
        if asks && !may_ask {
            breaches
                .push(format!("{}: looks at a choice instead of asking the rules", source.path));
        }
    }
    none("stormfs and block do not know who judges them, nor which choice is wrong", &breaches);
}
