//! The state of the files at one moment, and what differs between two moments.

use super::content::{Content, Sampled};
use std::collections::BTreeMap;
use stormfs::Filesystem;
use stormfs::extent_map::{Extent, State};
use stormfs::folio::Folio;
use stormfs::quantity::{BlockRange, ByteRange, FileBlock, Geometry};
use stormfs::view::View;

/// What lies under a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// Nothing.
    Hole,
    /// A reservation.
    Delalloc,
    /// Blocks that read as zeros.
    Unwritten,
    /// Blocks with data.
    Mapped,
}

impl Lies {
    fn of(state: Option<State>) -> Lies {
        match state {
            None => Lies::Hole,
            Some(State::Delalloc) => Lies::Delalloc,
            Some(State::Unwritten(_)) => Lies::Unwritten,
            Some(State::Mapped(_)) => Lies::Mapped,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Lies::Hole => "a hole",
            Lies::Delalloc => "delalloc",
            Lies::Unwritten => "unwritten",
            Lies::Mapped => "mapped",
        }
    }
}

/// A folio as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    range: ByteRange,
    blocks: u32,
    uptodate: u128,
    dirty: bool,
    dirty_blocks: u128,
    writeback: bool,
    writable: bool,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// `i_size`.
    pub size: u64,
    /// `di_size`.
    pub size_disk: u64,
    /// The sequence counter of the extent map.
    pub sequence: u64,
    extents: Vec<Extent>,
    folios: BTreeMap<u64, Cached>,
    geometry: Geometry,
    /// What is at the place that is watched, if it is in this file.
    pub content: Option<Content>,
}

impl FileState {
    /// A file as it is.
    pub fn of(view: View<'_>, watched: Option<&Sampled<'_>>) -> FileState {
        let mut folios = BTreeMap::new();
        let mut rest = ByteRange::new(0, u64::MAX >> 8);
        while let Some(folio) = view.first_folio(rest) {
            rest.start = folio.range().end;
            folios.insert(folio.range().start, cached(view, &folio));
        }
        let (extents, size_disk) =
            view.fork(|fork| (fork.extents.iter().collect(), fork.size_disk));
        let content = watched.filter(|watched| watched.file == view.file());
        FileState {
            size: view.size(),
            size_disk,
            sequence: view.sequence(),
            extents,
            folios,
            geometry: view.geometry(),
            content: content.map(|watched| Content::at(view, watched)),
        }
    }

    /// Block and folio sizes.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The extents under the blocks of `range`, one character each.
    pub fn extent_letters(&self, range: ByteRange) -> String {
        let blocks = self.geometry.blocks_within(range);
        let letter = |block| match self.lies(block) {
            Lies::Hole => '.',
            Lies::Delalloc => 'd',
            Lies::Unwritten => 'u',
            Lies::Mapped => 'M',
        };
        (blocks.start.0..blocks.end.0).map(letter).collect()
    }

    /// The folios over the blocks of `range`, one character a block.
    pub fn folio_letters(&self, range: ByteRange) -> String {
        let blocks = self.geometry.blocks_within(range);
        (blocks.start.0..blocks.end.0).map(|block| self.folio_letter(FileBlock(block))).collect()
    }

    fn folio_letter(&self, block: FileBlock) -> char {
        let pos = self.geometry.pos_of(block);
        let before = self.folios.range(..=pos).next_back().map(|(_, folio)| folio);
        let Some(folio) = before.filter(|folio| pos < folio.range.end) else { return '-' };
        let bit = (pos - folio.range.start) / self.geometry.block_size();
        let has = |bits: u128| bits >> bit & 1 == 1;
        match () {
            () if !has(folio.uptodate) => '.',
            () if has(folio.dirty_blocks) => 'D',
            () if folio.writeback => 'W',
            () => 'c',
        }
    }

    fn lies(&self, block: u64) -> Lies {
        let holds = |it: &&Extent| it.blocks.start.0 <= block && block < it.blocks.end.0;
        Lies::of(self.extents.iter().find(holds).and_then(|it| it.state))
    }
}

fn cached(view: View<'_>, folio: &Folio) -> Cached {
    Cached {
        range: folio.range(),
        blocks: folio.blocks(),
        uptodate: folio.uptodate(),
        dirty: folio.is_dirty(),
        dirty_blocks: folio.dirty_blocks(),
        writeback: folio.is_writeback(),
        writable: view.is_writable(folio),
    }
}

/// Every file of a filesystem as it is.
pub fn of(filesystem: &Filesystem, watched: Option<&Sampled<'_>>) -> Vec<FileState> {
    filesystem.views().map(|view| FileState::of(view, watched)).collect()
}

/// Something of a file that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub file: usize,
    /// The bytes concerned, if it is about bytes.
    pub range: Option<ByteRange>,
    /// What was changed.
    pub what: What,
}

/// What was changed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `i_size`, from and to.
    Size(u64, u64),
    /// The size on disk, from and to.
    SizeDisk(u64, u64),
    /// Extents, from and to.
    Extents(BlockRange, Lies, Lies),
    /// A folio came into the cache.
    Cached,
    /// A folio left the cache; whether it was dirty.
    Dropped(bool),
    /// Blocks became uptodate.
    Filled,
    /// Blocks became dirty.
    Dirtied,
    /// Blocks became clean.
    Cleaned,
    /// The folio's dirty flag changed, and none of its blocks with it.
    Flag(bool),
    /// A folio is in writeback, or no longer.
    Writeback(bool),
    /// Some mapping can store to the folio without a fault, or no longer.
    Writable(bool),
    /// What is cached at the place that is watched.
    InCache(Content, Content),
    /// What the device holds of the place that is watched.
    OnDisk(Content, Content),
    /// The sequence counter, from and to.
    Sequence(u64, u64),
}

/// What differs between two moments.
pub fn changes(before: &[FileState], after: &[FileState]) -> Vec<Change> {
    let mut all = Vec::new();
    for (file, (before, after)) in before.iter().zip(after).enumerate() {
        let mut list = Changes { file, list: &mut all };
        list.extents(before, after);
        if before.sequence != after.sequence {
            list.add(None, What::Sequence(before.sequence, after.sequence));
        }
        list.folios(before, after);
        list.contents(before, after);
        if before.size != after.size {
            list.add(None, What::Size(before.size, after.size));
        }
        if before.size_disk != after.size_disk {
            list.add(None, What::SizeDisk(before.size_disk, after.size_disk));
        }
    }
    all
}

struct Changes<'a> {
    file: usize,
    list: &'a mut Vec<Change>,
}

impl Changes<'_> {
    fn add(&mut self, range: Option<ByteRange>, what: What) {
        self.list.push(Change { file: self.file, range, what });
    }

    fn extents(&mut self, before: &FileState, after: &FileState) {
        let edges = |it: &Extent| [it.blocks.start.0, it.blocks.end.0];
        let all = before.extents.iter().chain(&after.extents);
        let mut cuts: Vec<u64> = all.flat_map(edges).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut run: Option<(u64, u64, Lies, Lies)> = None;
        for pair in cuts.windows(2) {
            let (was, is) = (before.lies(pair[0]), after.lies(pair[0]));
            let goes_on =
                run.filter(|(_, end, from, to)| *end == pair[0] && (*from, *to) == (was, is));
            if let Some((start, ..)) = goes_on {
                run = Some((start, pair[1], was, is));
            } else {
                self.run(before.geometry, run);
                run = Some((pair[0], pair[1], was, is));
            }
        }
        self.run(before.geometry, run);
    }

    fn run(&mut self, geometry: Geometry, run: Option<(u64, u64, Lies, Lies)>) {
        if let Some((start, end, was, is)) = run.filter(|(_, _, was, is)| was != is) {
            let blocks = BlockRange { start: FileBlock(start), end: FileBlock(end) };
            self.add(Some(geometry.bytes_of(blocks)), What::Extents(blocks, was, is));
        }
    }

    fn folios(&mut self, before: &FileState, after: &FileState) {
        for (start, was) in &before.folios {
            let stays = after.folios.get(start).filter(|is| is.range == was.range);
            if stays.is_none() {
                self.add(Some(was.range), What::Dropped(was.dirty));
            }
        }
        for (start, is) in &after.folios {
            let was = before.folios.get(start).filter(|was| was.range == is.range);
            if was.is_none() {
                self.add(Some(is.range), What::Cached);
            }
            self.folio(was, is);
        }
    }

    fn folio(&mut self, was: Option<&Cached>, is: &Cached) {
        let fresh = Cached {
            uptodate: 0,
            dirty: false,
            dirty_blocks: 0,
            writeback: false,
            writable: false,
            ..*is
        };
        let was = was.unwrap_or(&fresh);
        self.bits(is, is.uptodate & !was.uptodate, What::Filled);
        self.bits(is, is.dirty_blocks & !was.dirty_blocks, What::Dirtied);
        self.bits(is, was.dirty_blocks & !is.dirty_blocks, What::Cleaned);
        if was.dirty != is.dirty && was.dirty_blocks == is.dirty_blocks {
            self.add(Some(is.range), What::Flag(is.dirty));
        }
        if was.writeback != is.writeback {
            self.add(Some(is.range), What::Writeback(is.writeback));
        }
        if was.writable != is.writable {
            self.add(Some(is.range), What::Writable(is.writable));
        }
    }

    /// Runs of set bits, as bytes of the folio.
    fn bits(&mut self, folio: &Cached, bits: u128, what: What) {
        let block = folio.range.len() / u64::from(folio.blocks);
        let mut next = 0;
        while next < folio.blocks && bits >> next != 0 {
            let first = next + (bits >> next).trailing_zeros();
            let end = first + (bits >> first).trailing_ones();
            let at = |bit: u32| folio.range.start + u64::from(bit) * block;
            self.add(Some(ByteRange::new(at(first), at(end))), what);
            next = end;
        }
    }

    fn contents(&mut self, before: &FileState, after: &FileState) {
        let (Some(was), Some(is)) = (before.content, after.content) else { return };
        let place = ByteRange::at(is.pos, 1);
        if was.cached != is.cached {
            self.add(Some(place), What::InCache(was, is));
        }
        if was.disk != is.disk {
            self.add(Some(place), What::OnDisk(was, is));
        }
    }
}
