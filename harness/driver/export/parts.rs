//! The parts that a program is put together from: those that its calls need, and what these need.

use crate::real::leeway;
use oracle::{Leeway, Leeways};
use std::collections::BTreeSet;

/// A part: its name, its text, and what it needs besides. In a text, lines between `//- if NAME` and
/// `//- end` are there if that part is.
type Part = (&'static str, &'static str, &'static [&'static str]);

/// In an order in which each comes behind what it uses. Some are nothing but the lines of others.
const PARTS: &[Part] = &[
    ("told", "", &[]),
    ("copies", "", &[]),
    ("weak", "", &[]),
    ("pieces", "#include <sys/uio.h>\n", &[]),
    ("collides", "", &["weak"]),
    ("clone", "#include <linux/fs.h>\n#include <sys/ioctl.h>\n", &[]),
    ("must", include_str!("c/must.c"), &["told"]),
    ("begins", include_str!("c/begins.c"), &["told"]),
    ("ended", include_str!("c/ended.c"), &["begins"]),
    ("refuses", "", &["ended"]),
    ("effects", include_str!("c/effects.c"), &["begins"]),
    ("moves", include_str!("c/moves.c"), &["effects", "copies"]),
    ("copied", include_str!("c/copied.c"), &["ended"]),
    ("write", include_str!("c/write.c"), &["ended"]),
    ("append", include_str!("c/append.c"), &["write"]),
    ("bytes", include_str!("c/bytes.c"), &[]),
    ("userfaultfd", include_str!("c/userfaultfd.c"), &[]),
    ("poison", include_str!("c/poison.c"), &["userfaultfd"]),
    ("lose", include_str!("c/lose.c"), &[]),
    ("apart", include_str!("c/apart.c"), &[]),
    ("hole", include_str!("c/hole.c"), &["lose", "apart"]),
    ("direct", include_str!("c/direct.c"), &[]),
    ("look", include_str!("c/look.c"), &["told"]),
    ("map", include_str!("c/map.c"), &[]),
    ("store", include_str!("c/store.c"), &["map", "ended"]),
    ("load", include_str!("c/load.c"), &["map", "look"]),
    ("thread", include_str!("c/thread.c"), &[]),
    ("window", include_str!("c/window.c"), &["thread", "lose", "apart", "userfaultfd"]),
    ("ahead", include_str!("c/ahead.c"), &["window"]),
    ("stands", include_str!("c/stands.c"), &["window"]),
    ("delalloc", include_str!("c/delalloc.c"), &[]),
    ("growth", include_str!("c/growth.c"), &[]),
    ("leave", include_str!("c/leave.c"), &["thread"]),
];

/// What every program begins with.
const BASE: &str = include_str!("c/base.c");

/// Where in that the names of the files go.
const NAMES: &str = "//- names\n";

/// Where in that the filesystems go that are known.
const FILESYSTEMS: &str = "//- filesystems\n";

/// The parts of these names, and all that they need.
pub(super) fn needed(wanted: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    let mut all = wanted.clone();
    for (name, _, needs) in PARTS.iter().rev() {
        if all.contains(name) {
            all.extend(*needs);
        }
    }
    all
}

/// The parts in one text, with `names` where those of the files go. What they include comes first.
pub(super) fn together(parts: &BTreeSet<&'static str>, names: &str) -> String {
    let used = PARTS.iter().filter(|(name, ..)| parts.contains(name)).map(|(_, text, _)| *text);
    let all: String = std::iter::once(BASE).chain(used).collect();
    let all = selected(&all, parts);
    let is_include = |line: &&str| line.starts_with("#include");
    let includes: BTreeSet<&str> = all.lines().filter(is_include).collect();
    let includes: String = includes.iter().flat_map(|line| [*line, "\n"]).collect();
    let mut text = format!("#define _GNU_SOURCE\n{includes}");
    let mut is_blank = false;
    for line in all.lines().filter(|line| !is_include(line)) {
        if !(is_blank && line.is_empty()) {
            text += line;
            text += "\n";
        }
        is_blank = line.is_empty();
    }
    text.replace(NAMES, names).replace(FILESYSTEMS, &filesystems())
}

/// The filesystems that are known, and what becomes of stores behind the end of their files.
fn filesystems() -> String {
    let line = |(name, magic, leeways): (&str, u64, Leeways)| {
        let stays = leeways.has(Leeway::StoresBeyondEofStay);
        let passes = !stays && leeways.has(Leeway::GrowthShowsStores);
        format!("\t{{ {magic:#x}, {}, {} }},\t/* {name} */\n", u8::from(stays), u8::from(passes))
    };
    leeway::known().map(line).collect()
}

/// The lines that are there if these parts are.
fn selected(text: &str, parts: &BTreeSet<&'static str>) -> String {
    let (mut kept, mut open) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(part) = line.strip_prefix("//- if ") {
            open.push(parts.contains(part));
        } else if line == "//- end" {
            open.pop();
        } else if open.iter().all(|is_there| *is_there) {
            kept += line;
            kept += "\n";
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_behind_what_they_need() {
        for (nth, (name, text, needs)) in PARTS.iter().enumerate() {
            let before: Vec<_> = PARTS[..nth].iter().map(|(name, ..)| *name).collect();
            assert!(needs.iter().all(|need| before.contains(need)), "{name} needs {needs:?}");
            let ends = text.matches("//- end\n").count();
            assert_eq!(text.matches("//- if ").count(), ends, "{name}");
        }
        let wanted = BTreeSet::from(["append"]);
        assert_eq!(needed(&wanted), BTreeSet::from(["append", "begins", "ended", "told", "write"]));
    }

    #[test]
    fn lines_are_there_for_the_parts_that_want_them() {
        let text = "1\n//- if a\n2\n//- if b\n3\n//- end\n4\n//- end\n5\n";
        let of = |parts: &[&'static str]| selected(text, &parts.iter().copied().collect());
        assert_eq!(of(&["b"]), "1\n5\n");
        assert_eq!(of(&["a"]), "1\n2\n4\n5\n");
        assert_eq!(of(&["a", "b"]), "1\n2\n3\n4\n5\n");
    }
}
