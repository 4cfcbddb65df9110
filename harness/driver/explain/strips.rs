//! The state around the bytes in question after each turn that matters, one character a block.

use super::cast::Cast;
use super::content::Whose;
use super::state::FileState;
use super::turns::Turn;
use super::watcher::{Focus, Frame};
use serde::Serialize;
use std::collections::BTreeSet;
use stormfs::op::OpId;
use stormfs::quantity::ByteRange;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strips {
    /// The file.
    pub file: String,
    /// The first block that is shown.
    pub first_block: u64,
    /// Bytes of a block.
    pub block_size: u64,
    /// Which of the blocks shown the violation is about: from, and to.
    pub marked: (u64, u64),
    /// What the letters of cache and disk mean.
    pub legend: Vec<(char, String)>,
    /// In the order of time.
    pub strips: Vec<Strip>,
}

/// The blocks at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strip {
    /// When.
    pub caption: String,
    /// Whose bytes the page cache holds, as far as they are uptodate.
    pub cache: String,
    /// The folios: `-` none, `.` not uptodate, `c` clean, `D` dirty, `W` in writeback.
    pub folios: String,
    /// The extents: `.` hole, `d` delalloc, `u` unwritten, `M` mapped.
    pub extents: String,
    /// Whose bytes the device holds, where the extents say that it holds some.
    pub disk: String,
    /// `i_size`.
    pub size: u64,
}

/// The strips before the first turn and after each of those that `matter`. A turn that leaves all as
/// it was has none.
pub fn strips(
    cast: &Cast,
    frames: &[Frame],
    (turns, matter): (&[Turn], &[usize]),
    focus: Focus,
    marked: ByteRange,
) -> Option<Strips> {
    let first = turns[*matter.first()?].frames.start;
    let geometry = frames[first].files.get(focus.file)?.geometry();
    let block = geometry.block_size();
    let mut letters = Letters { given: Vec::new() };
    let mut strips: Vec<Strip> = Vec::new();
    let before = frames[..first].iter().rev().find(|frame| frame.whose.is_some());
    let after = matter.iter().map(|at| {
        let turn = &turns[*at];
        let last = frames[turn.frames.clone()].iter().rev().find(|it| it.whose.is_some());
        (cast.task(turn.task), last)
    });
    let numbered =
        (1..).zip(after).map(|(number, (name, last))| (format!("{number} {name}"), last));
    let moments = std::iter::once(("before".to_owned(), before)).chain(numbered);
    for (caption, frame) in moments {
        let Some(frame) = frame else { continue };
        let strip = letters.strip(caption, frame, focus);
        let same = |last: &Strip| Strip { caption: strip.caption.clone(), ..last.clone() } == strip;
        if !strips.last().is_some_and(same) {
            strips.push(strip);
        }
    }
    let legend = letters.legend(cast, &strips);
    let number = |pos: u64| pos / block - focus.shown.start / block;
    Some(Strips {
        file: cast.file(focus.file).to_owned(),
        first_block: focus.shown.start / block,
        block_size: block,
        marked: (
            number(marked.start.max(focus.shown.start)),
            number(geometry.up(marked.end).min(focus.shown.end)),
        ),
        legend,
        strips,
    })
}

/// The letters that operations were given, in the order in which they were met.
struct Letters {
    given: Vec<OpId>,
}

const ZEROS: char = '0';
const POISON: char = '?';
const MIXED: char = '*';

impl Letters {
    fn strip(&mut self, caption: String, frame: &Frame, focus: Focus) -> Strip {
        let file: &FileState = &frame.files[focus.file];
        let whose = frame.whose.as_deref().map(Vec::as_slice).unwrap_or_default();
        Strip {
            caption,
            cache: whose.iter().map(|(cached, _)| self.letter(*cached)).collect(),
            folios: file.folio_letters(focus.shown),
            extents: file.extent_letters(focus.shown),
            disk: whose.iter().map(|(_, disk)| self.letter(*disk)).collect(),
            size: file.size,
        }
    }

    fn letter(&mut self, whose: Whose) -> char {
        match whose {
            Whose::Nothing => '-',
            Whose::Zeros => ZEROS,
            Whose::Poison => POISON,
            Whose::Mixed => MIXED,
            Whose::Op(op) => self.given(op).to_ascii_uppercase(),
            Whose::Part(op) => self.given(op),
        }
    }

    fn given(&mut self, op: OpId) -> char {
        let place = self.given.iter().position(|known| *known == op).unwrap_or_else(|| {
            self.given.push(op);
            self.given.len() - 1
        });
        let letters = b"abcefghijklmnopqrstvwxyz";
        letters.get(place).copied().map_or('#', char::from)
    }

    fn legend(&mut self, cast: &Cast, strips: &[Strip]) -> Vec<(char, String)> {
        let shown = strips.iter().flat_map(|strip| strip.cache.chars().chain(strip.disk.chars()));
        let shown: BTreeSet<char> = shown.collect();
        let mut legend = Vec::new();
        for op in self.given.clone() {
            let letter = self.given(op);
            let whole = letter.to_ascii_uppercase();
            if shown.contains(&whole) {
                legend.push((whole, format!("the bytes of {}", cast.operation(op))));
            }
            if shown.contains(&letter) {
                legend.push((letter, format!("in part the bytes of {}", cast.operation(op))));
            }
        }
        let others = [
            (ZEROS, "zeros"),
            (POISON, "memory or blocks that nobody wrote"),
            (MIXED, "a mix"),
            ('#', "bytes of some other operation"),
            ('-', "nothing"),
        ];
        let others = others.into_iter().filter(|(letter, _)| shown.contains(letter));
        legend.extend(others.map(|(letter, about)| (letter, about.to_owned())));
        legend
    }
}
