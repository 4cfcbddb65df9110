//! The state around the bytes in question after each turn that matters, one character a block.

use super::cast::Cast;
use super::content::{Block, Whose};
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
    /// Whose bytes the model expects: `~` where several answers are right.
    pub model: String,
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
    /// Which characters of cache and disk are wrong by then, of those that the violation is about.
    pub wrong: Vec<(Layer, u64)>,
    /// The moment.
    #[serde(skip)]
    pub at: usize,
}

/// Lines of a strip in which something can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The bytes in memory.
    Cache,
    /// The bytes on the device.
    Disk,
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
    let after = (1..).zip(matter).filter_map(|(number, at)| {
        let turn = &turns[*at];
        Some((format!("{number} {}", cast.task(turn.task)), turn.frames.end.checked_sub(1)?))
    });
    at_moments(cast, frames, (first, after), (focus, marked))
}

/// The strips before the `first` of some moments and after each of the others. One that leaves all as
/// it was has none.
pub fn at_moments(
    cast: &Cast,
    frames: &[Frame],
    (first, after): (usize, impl Iterator<Item = (String, usize)>),
    (focus, marked): (Focus, ByteRange),
) -> Option<Strips> {
    let geometry = frames.get(first)?.files.get(focus.file)?.geometry();
    let block = geometry.block_size();
    let number = |pos: u64| pos / block - focus.shown.start / block;
    let marked = (
        number(marked.start.max(focus.shown.start)),
        number(geometry.up(marked.end).min(focus.shown.end)),
    );
    let mut letters = Letters { given: Vec::new() };
    let mut strips: Vec<Strip> = Vec::new();
    let before = first.checked_sub(1).map(|at| ("before".to_owned(), at));
    for (caption, at) in before.into_iter().chain(after) {
        let looked = frames[..=at].iter().rposition(|frame| frame.whose.is_some());
        let Some(looked) = looked else { continue };
        let strip = letters.strip((caption, at), &frames[looked], focus, marked);
        let same =
            |last: &Strip| Strip { caption: strip.caption.clone(), at, ..last.clone() } == strip;
        if !strips.last().is_some_and(same) {
            strips.push(strip);
        }
    }
    let legend = letters.legend(cast, &strips);
    Some(Strips {
        file: cast.file(focus.file).to_owned(),
        first_block: focus.shown.start / block,
        block_size: block,
        marked,
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
const OPEN: char = '~';

impl Letters {
    fn strip(
        &mut self,
        (caption, at): (String, usize),
        frame: &Frame,
        focus: Focus,
        (from, to): (u64, u64),
    ) -> Strip {
        let file: &FileState = &frame.files[focus.file];
        let blocks = frame.whose.as_deref().map(Vec::as_slice).unwrap_or_default();
        // Who is met first in the cache has the first letter.
        let cache = blocks.iter().map(|block| self.letter(block.cache)).collect();
        let disk = blocks.iter().map(|block| self.letter(block.disk)).collect();
        let model = blocks.iter().map(|block| self.letter(block.model)).collect();
        let wrong = |(number, block): (u64, &Block)| {
            let cache = block.cache_is_wrong.then_some((Layer::Cache, number));
            cache.into_iter().chain(block.disk_is_wrong.then_some((Layer::Disk, number)))
        };
        let marked = (0..).zip(blocks).filter(|(number, _)| from <= *number && *number < to);
        Strip {
            caption,
            model,
            cache,
            folios: file.folio_letters(focus.shown),
            extents: file.extent_letters(focus.shown),
            disk,
            size: file.size,
            wrong: marked.flat_map(wrong).collect(),
            at,
        }
    }

    fn letter(&mut self, whose: Whose) -> char {
        match whose {
            Whose::Nothing => '-',
            Whose::Zeros => ZEROS,
            Whose::Poison => POISON,
            Whose::Mixed => MIXED,
            Whose::Open => OPEN,
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
        let lines = |strip: &Strip| [&strip.model, &strip.cache, &strip.disk].map(String::clone);
        let shown = strips.iter().flat_map(lines);
        let shown = shown.flat_map(|line| line.chars().collect::<Vec<_>>());
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
            (OPEN, "several answers are right"),
            ('#', "bytes of some other operation"),
            ('-', "nothing"),
        ];
        let others = others.into_iter().filter(|(letter, _)| shown.contains(letter));
        legend.extend(others.map(|(letter, about)| (letter, about.to_owned())));
        legend
    }
}
