//! The extent map of one file: holes, delayed allocations, unwritten and mapped extents.
//!
//! Records are sorted, disjoint and merged where they continue each other; what no record covers
//! is a hole. Every change advances the sequence counter, which is what makes a cached mapping
//! recognisably stale (XFS: `if_seq`).

use crate::quantity::{BlockRange, DiskBlock, FileBlock};
use std::collections::BTreeMap;

/// The state of an extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Space is promised and no block chosen.
    Delalloc,
    /// Blocks from this one on are allocated, and read as zeros.
    Unwritten(DiskBlock),
    /// Blocks from this one on hold the data.
    Mapped(DiskBlock),
}

impl State {
    /// The state `blocks` further into the extent.
    fn advanced(self, blocks: u64) -> State {
        match self {
            State::Delalloc => State::Delalloc,
            State::Unwritten(disk) => State::Unwritten(disk + blocks),
            State::Mapped(disk) => State::Mapped(disk + blocks),
        }
    }

    /// The first allocated block, if one is.
    pub fn disk(self) -> Option<DiskBlock> {
        match self {
            State::Delalloc => None,
            State::Unwritten(disk) | State::Mapped(disk) => Some(disk),
        }
    }
}

/// A run of blocks in one state; `None` is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The blocks.
    pub blocks: BlockRange,
    /// Their state.
    pub state: Option<State>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct ExtentMap {
    records: BTreeMap<u64, (u64, State)>,
    sequence: u64,
    delalloc: u64,
}

/// Holes beyond the last record end here.
const END: u64 = u64::MAX >> 16;

impl ExtentMap {
    /// Advances with every change of a record.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Blocks in delayed allocations.
    pub fn delalloc(&self) -> u64 {
        self.delalloc
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the whole file is a hole.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record or hole that holds `block`, whole.
    pub fn lookup(&self, block: FileBlock) -> Extent {
        let before = self.records.range(..=block.0).next_back();
        let start = match before {
            Some((&start, &(len, state))) if block.0 < start + len => {
                return extent(start, start + len, Some(state));
            }
            Some((&start, &(len, _))) => start + len,
            None => 0,
        };
        let after = self.records.range(block.0..).next();
        extent(start, after.map_or(END, |(&start, _)| start), None)
    }

    /// The block after the last record; 0 for an empty map.
    pub fn end(&self) -> FileBlock {
        let last = self.records.iter().next_back();
        FileBlock(last.map_or(0, |(start, (len, _))| start + len))
    }

    /// The records and holes of `range`, cut to it, in order.
    pub fn pieces(&self, range: BlockRange) -> impl Iterator<Item = Extent> {
        let mut next = range.start;
        std::iter::from_fn(move || {
            (next < range.end).then(|| {
                let piece = cut(self.lookup(next), BlockRange { start: next, end: range.end });
                next = piece.blocks.end;
                piece
            })
        })
    }

    /// Every record, in order.
    pub fn iter(&self) -> impl Iterator<Item = Extent> {
        self.records.iter().map(|(start, (len, state))| extent(*start, start + len, Some(*state)))
    }

    /// Puts `state` over `blocks`, which must be a hole.
    pub fn insert(&mut self, blocks: BlockRange, state: State) {
        let hole = self.lookup(blocks.start);
        assert!(hole.state.is_none() && blocks.end <= hole.blocks.end, "{blocks:?} is no hole");
        self.put(blocks.start.0, blocks.len(), state);
        self.sequence += 1;
    }

    /// Makes a hole of `blocks`. Returns the records that were there, cut to `blocks`.
    pub fn remove(&mut self, blocks: BlockRange) -> Vec<Extent> {
        self.take(blocks, |_| true)
    }

    /// Makes a hole of the delayed allocations in `blocks`. Returns how many blocks they held.
    pub fn remove_delalloc(&mut self, blocks: BlockRange) -> u64 {
        let taken = self.take(blocks, |state| state == State::Delalloc);
        taken.iter().map(|extent| extent.blocks.len()).sum()
    }

    /// Gives the delayed allocation `blocks` its device blocks, unwritten. The sequence counter
    /// moves if it `advances`, as it must wherever a mapping may be cached.
    pub fn convert_delalloc(&mut self, blocks: BlockRange, disk: DiskBlock, advances: bool) {
        let before = self.sequence;
        let taken = self.take(blocks, |state| state == State::Delalloc);
        let held: u64 = taken.iter().map(|extent| extent.blocks.len()).sum();
        assert_eq!(held, blocks.len(), "{blocks:?} is not wholly delayed");
        self.put(blocks.start.0, blocks.len(), State::Unwritten(disk));
        if !advances {
            self.sequence = before;
        }
    }

    /// Marks the unwritten extents in `blocks` as written. The sequence counter moves if it
    /// `advances`, as it must wherever a mapping may be cached.
    pub fn mark_written(&mut self, blocks: BlockRange, advances: bool) {
        let before = self.sequence;
        for extent in self.take(blocks, |state| matches!(state, State::Unwritten(_))) {
            let disk = extent.state.and_then(State::disk).expect("unwritten extents have blocks");
            self.put(extent.blocks.start.0, extent.blocks.len(), State::Mapped(disk));
        }
        if !advances {
            self.sequence = before;
        }
    }

    /// Removes the records in `blocks` that `picks` chooses, cut to `blocks`.
    fn take(&mut self, blocks: BlockRange, picks: impl Fn(State) -> bool) -> Vec<Extent> {
        let picked = |piece: &Extent| piece.state.is_some_and(&picks);
        let taken: Vec<Extent> = self.pieces(blocks).filter(picked).collect();
        for piece in &taken {
            self.cut_out(piece.blocks);
        }
        if !taken.is_empty() {
            self.sequence += 1;
        }
        taken
    }

    /// Removes `blocks`, which lie within one record.
    fn cut_out(&mut self, blocks: BlockRange) {
        let whole = self.lookup(blocks.start);
        let state = whole.state.expect("only records are cut");
        self.records.remove(&whole.blocks.start.0);
        if state == State::Delalloc {
            self.delalloc -= blocks.len();
        }
        let (start, end) = (whole.blocks.start, whole.blocks.end);
        if start < blocks.start {
            self.records.insert(start.0, (blocks.start - start, state));
        }
        if blocks.end < end {
            let rest = state.advanced(blocks.end - start);
            self.records.insert(blocks.end.0, (end - blocks.end, rest));
        }
    }

    /// Adds a record over a hole and merges it with neighbours that it continues.
    fn put(&mut self, mut start: u64, mut len: u64, mut state: State) {
        if state == State::Delalloc {
            self.delalloc += len;
        }
        if let Some((&before, &(run, kind))) = self.records.range(..start).next_back()
            && before + run == start
            && kind.advanced(run) == state
        {
            self.records.remove(&before);
            (start, len, state) = (before, run + len, kind);
        }
        if let Some(&(run, kind)) = self.records.get(&(start + len))
            && state.advanced(len) == kind
        {
            self.records.remove(&(start + len));
            len += run;
        }
        self.records.insert(start, (len, state));
    }
}

fn extent(start: u64, end: u64, state: Option<State>) -> Extent {
    Extent { blocks: BlockRange { start: FileBlock(start), end: FileBlock(end) }, state }
}

/// The part of `whole` that lies in `range`.
fn cut(whole: Extent, range: BlockRange) -> Extent {
    let start = whole.blocks.start.max(range.start);
    let end = whole.blocks.end.min(range.end);
    let skipped = start - whole.blocks.start;
    let state = whole.state.map(|state| state.advanced(skipped));
    Extent { blocks: BlockRange { start, end }, state }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(start: u64, end: u64) -> BlockRange {
        BlockRange { start: FileBlock(start), end: FileBlock(end) }
    }

    /// One character a block: `.` hole, `d` delalloc, `u` unwritten, `M` mapped.
    fn drawn(map: &ExtentMap) -> String {
        let letter = |piece: Extent| match piece.state {
            None => ".",
            Some(State::Delalloc) => "d",
            Some(State::Unwritten(_)) => "u",
            Some(State::Mapped(_)) => "M",
        };
        let runs = map.pieces(blocks(0, 12));
        runs.map(|p| letter(p).repeat(usize::try_from(p.blocks.len()).unwrap())).collect()
    }

    #[test]
    fn a_delayed_allocation_goes_through_its_life() {
        let mut map = ExtentMap::default();
        map.insert(blocks(2, 6), State::Delalloc);
        map.insert(blocks(6, 10), State::Delalloc);
        assert_eq!((drawn(&map).as_str(), map.len(), map.delalloc()), ("..dddddddd..", 1, 8));
        map.convert_delalloc(blocks(2, 8), DiskBlock(40), true);
        assert_eq!((drawn(&map).as_str(), map.delalloc()), ("..uuuuuudd..", 2));
        map.mark_written(blocks(3, 5), true);
        assert_eq!(drawn(&map), "..uMMuuudd..");
        assert_eq!(map.lookup(FileBlock(4)).state, Some(State::Mapped(DiskBlock(41))));
        map.mark_written(blocks(0, 12), true);
        assert_eq!((drawn(&map).as_str(), map.len()), ("..MMMMMMdd..", 2));
        assert_eq!(map.remove_delalloc(blocks(0, 9)), 1);
        let gone = map.remove(blocks(4, 12));
        assert_eq!(gone[0], extent(4, 8, Some(State::Mapped(DiskBlock(42)))));
        assert_eq!((drawn(&map).as_str(), gone.len(), map.delalloc()), ("..MM........", 2, 0));
    }

    #[test]
    fn every_change_advances_the_sequence_and_nothing_else_does() {
        let mut map = ExtentMap::default();
        let mut last = map.sequence();
        let mut moved = |map: &ExtentMap| std::mem::replace(&mut last, map.sequence()) != last;
        map.insert(blocks(0, 4), State::Delalloc);
        assert!(moved(&map));
        map.convert_delalloc(blocks(0, 4), DiskBlock(0), true);
        assert!(moved(&map));
        map.mark_written(blocks(0, 2), true);
        assert!(moved(&map));
        map.mark_written(blocks(0, 2), true);
        assert!(!moved(&map));
        map.mark_written(blocks(2, 4), false);
        assert!(!moved(&map));
        map.remove(blocks(8, 9));
        assert!(!moved(&map));
        map.remove(blocks(3, 4));
        assert!(moved(&map));
    }

    #[test]
    fn extents_merge_only_where_their_blocks_continue() {
        let mut map = ExtentMap::default();
        map.insert(blocks(0, 2), State::Mapped(DiskBlock(10)));
        map.insert(blocks(4, 6), State::Mapped(DiskBlock(14)));
        map.insert(blocks(2, 4), State::Mapped(DiskBlock(12)));
        assert_eq!(map.len(), 1);
        map.insert(blocks(6, 7), State::Mapped(DiskBlock(30)));
        assert_eq!(map.len(), 2);
    }
}
