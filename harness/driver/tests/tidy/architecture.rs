//! The generated parts of `harness/ARCHITECTURE.md`: files, lock order, invariants, counts.
//!
//! Between `<!-- name -->` and `<!-- /name -->` stands what the code says. `UPDATE=1` rewrites it.

use crate::code;
use crate::tree::{Source, none, read, root, sources};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use stormfs::choices::Choices;
use stormfs::locks::Lock;
use stormfs::op::OpKind;
use stormfs::points::Point;

const PATH: &str = "harness/ARCHITECTURE.md";

/// The crates in reading order.
const CRATES: &[&str] = &["sim", "block", "stormfs", "oracle", "report", "driver"];

#[test]
fn architecture_says_what_the_code_says() {
    let mut page = read(PATH);
    let before = page.clone();
    let sources = sources();
    for (name, text) in [
        ("files", files(&sources)),
        ("locks", locks(&sources)),
        ("invariants", invariants()),
        ("counts", counts()),
    ] {
        page = with_section(&page, name, &text);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(root().join(PATH), page).expect("ARCHITECTURE.md can be written");
        return;
    }
    let different = page.lines().zip(before.lines()).find(|(new, old)| new != old);
    let (new, old) = different.unwrap_or_default();
    assert!(
        page == before,
        "{PATH} is older than the code: UPDATE=1 cargo test -p driver --test tidy\n  says: {old}\n  code: {new}"
    );
}

#[test]
fn architecture_names_only_files_that_exist() {
    let page = read(PATH);
    let named = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains(".rs") || word.contains(".yaml"));
    let concrete = named.filter(|word| !word.contains(['<', '*', ' ']));
    let missing = concrete.filter(|path| {
        let top = root();
        !top.join(path).exists() && !top.join("harness").join(path).exists()
    });
    none(
        "paths in ARCHITECTURE.md lead somewhere",
        &missing.map(str::to_owned).collect::<Vec<_>>(),
    );
}

/// `page` with `text` between the markers of `name`.
fn with_section(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let parts =
        page.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) =
        parts.unwrap_or_else(|| panic!("{PATH}: no section between {begin} and {end}"));
    format!("{head}{begin}\n{text}\n{end}{tail}")
}

/// Every file in reading order, with the first sentence of its first paragraph.
fn files(sources: &[Source]) -> String {
    let by_path: BTreeMap<_, _> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let mut out = String::new();
    for name in CRATES {
        let lib = by_path[format!("{name}/lib.rs").as_str()];
        let _ = writeln!(out, "**{name}**: {}\n\n```text", sentence(&lib.text));
        let mut listed = Vec::new();
        for start in ["lib.rs", "main.rs"] {
            list(&by_path, &format!("{name}/{start}"), &mut listed);
        }
        let tests = format!("{name}/tests/");
        let story = |path: &&&str| path.starts_with(&tests) && is_target(&path[tests.len()..]);
        listed.extend(by_path.keys().filter(story).map(|path| (*path).to_owned()));
        for path in &listed {
            let within = &path[name.len() + 1..];
            let _ = writeln!(out, "{within:<28} {}", sentence(&by_path[path.as_str()].text));
        }
        out.push_str("```\n\n");
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// Puts a file into the list, and then the files it declares, in its order.
fn list(by_path: &BTreeMap<&str, &Source>, path: &str, listed: &mut Vec<String>) {
    let Some(source) = by_path.get(path) else { return };
    listed.push(path.to_owned());
    let (folder, name) = path.rsplit_once('/').expect("a source lies in a crate");
    let below = match name.trim_end_matches(".rs") {
        "lib" | "main" | "mod" => folder.to_owned(),
        stem => format!("{folder}/{stem}"),
    };
    for (module, _) in code::modules(&source.code()) {
        list(by_path, &format!("{below}/{module}.rs"), listed);
        list(by_path, &format!("{below}/{module}/mod.rs"), listed);
    }
}

/// Whether a path below `tests/` is a test program of its own.
fn is_target(path: &str) -> bool {
    !path.contains('/') || path.ends_with("/main.rs")
}

/// The first sentence of a file's own documentation, on one line.
fn sentence(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph = lines.take_while(|line| !line.is_empty()).collect::<String>();
    first_sentence(&paragraph).replace("[`", "`").replace("`]", "`")
}

fn first_sentence(text: &str) -> String {
    let text = text.trim();
    let end =
        text.match_indices(". ").map(|(at, _)| at + 1).find(|end| !text[..*end].ends_with("al."));
    text[..end.unwrap_or(text.len())].trim_end_matches('.').to_owned()
}

/// One lock of the order.
struct Row {
    order: u8,
    name: String,
    leaf: bool,
    about: String,
}

/// Every rank of the project, outermost first.
fn locks(sources: &[Source]) -> String {
    let own = |lock: &Lock| {
        let rank = lock.rank();
        let about = variant_about(sources, &format!("{lock:?}"));
        Row { order: rank.order, name: rank.name.to_owned(), leaf: rank.leaf, about }
    };
    let mut rows: Vec<_> = Lock::ALL.iter().map(own).collect();
    assert!(rows.is_sorted_by_key(|row| row.order), "Lock::ALL is in the order of the ranks");
    // The measured lock is alone in its world; those of stormfs are in the list already.
    let elsewhere = ["driver/bench.rs", "stormfs/locks.rs"];
    let others = sources.iter().filter(|source| !elsewhere.contains(&source.path.as_str()));
    rows.extend(others.filter(|source| !source.test_only).flat_map(ranks_in));
    rows.sort_by_key(|row| row.order);
    let mut out =
        "| rank | lock | held across a stop | what it is |\n|---|---|---|---|\n".to_owned();
    for Row { order, name, leaf, about } in rows {
        let _ = writeln!(
            out,
            "| {order} | {name} | {} | {about} |",
            if leaf { "never" } else { "may be" }
        );
    }
    out
}

/// What the documentation of a variant of `Lock` says.
fn variant_about(sources: &[Source], variant: &str) -> String {
    let file = sources.iter().find(|source| source.path == "stormfs/locks.rs").expect("stormfs");
    let (before, _) =
        file.text.split_once(&format!("\n    {variant},")).expect("a variant of Lock");
    let mut lines: Vec<_> =
        before.lines().rev().map_while(|line| line.trim().strip_prefix("///")).collect();
    lines.reverse();
    lines.concat().trim().to_owned()
}

/// The ranks that a file beside the lock order defines.
fn ranks_in(source: &Source) -> Vec<Row> {
    let text = code::blank(&source.text, code::Without::Comments);
    let mut rows = Vec::new();
    for (marker, leaf) in [("Rank = Rank::new(", false), ("Rank = Rank::leaf(", true)] {
        for rest in text.split(marker).skip(1) {
            let (order, rest) = rest.split_once(", \"").expect("a rank is a number and a name");
            let (name, _) = rest.split_once('"').expect("a name ends");
            let order = order.parse().expect("a rank is a number");
            rows.push(Row {
                order,
                name: name.to_owned(),
                leaf,
                about: format!("`{}`", source.path),
            });
        }
    }
    rows
}

/// Every invariant, with what it says and when it holds.
fn invariants() -> String {
    let mut out = "| invariant | holds | why |\n|---|---|---|\n".to_owned();
    for invariant in oracle::Invariant::all() {
        let about = invariant.about.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            invariant.name,
            format!("{:?}", invariant.when).to_lowercase(),
            first_sentence(&about)
        );
    }
    out
}

/// How much of each registry there is.
fn counts() -> String {
    format!(
        "{} kinds of operation, {} named points, {} decisions, {} invariants.\n",
        OpKind::ALL.len(),
        Point::ALL.len(),
        Choices::DECISIONS.len(),
        oracle::Invariant::all().count(),
    )
}
