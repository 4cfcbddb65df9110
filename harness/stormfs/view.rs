//! What an observer may see of a file: everything, and change nothing.
//!
//! No method passes a scheduling point, so observing a simulation does not change its schedule.

use crate::extent_map::{Extent, State};
use crate::folio::Folio;
use crate::inode::{Fork, Inode};
use crate::page_cache::Tag;
use crate::quantity::{BlockRange, ByteRange, DiskBlock, FileBlock, Geometry, narrow};
use crate::rules::Rules;
use crate::space::Counts;
use std::sync::Arc;

/// See the module.
#[derive(Clone, Copy)]
pub struct View<'a> {
    inode: &'a Inode,
}

impl<'a> View<'a> {
    pub(crate) fn of(inode: &'a Inode) -> View<'a> {
        View { inode }
    }

    /// The file's number, from 0.
    pub fn file(self) -> usize {
        narrow(self.inode.number())
    }

    /// `i_size`.
    pub fn size(self) -> u64 {
        self.inode.size()
    }

    /// Block and folio sizes.
    pub fn geometry(self) -> Geometry {
        self.inode.shared.geometry
    }

    /// The decisions in force, and what they made differ so far.
    pub fn rules(self) -> &'a Rules {
        self.inode.rules()
    }

    /// The extent map's sequence counter.
    pub fn sequence(self) -> u64 {
        self.inode.sequence()
    }

    /// The record or hole that holds `block`, whole.
    pub fn extent(self, block: FileBlock) -> Extent {
        self.inode.peek_fork(|fork| fork.extents.lookup(block))
    }

    /// The records and holes of `blocks`, cut to them.
    pub fn extents(self, blocks: BlockRange) -> Vec<Extent> {
        self.inode.peek_fork(|fork| fork.extents.pieces(blocks).collect())
    }

    /// The same, if the sequence counter is `sequence` at the moment of looking.
    pub fn extents_at(self, sequence: u64, blocks: BlockRange) -> Option<Vec<Extent>> {
        self.inode.peek_fork(|fork| {
            let same = fork.extents.sequence() == sequence;
            same.then(|| fork.extents.pieces(blocks).collect())
        })
    }

    /// Everything that `ILOCK` protects.
    pub fn fork<R>(self, look: impl FnOnce(&Fork) -> R) -> R {
        self.inode.peek_fork(look)
    }

    /// The folio that holds the byte at `pos`, if it is cached.
    pub fn folio(self, pos: u64) -> Option<Arc<Folio>> {
        self.inode.cache.lookup(pos)
    }

    /// The first cached folio that holds a byte in `range`.
    pub fn first_folio(self, range: ByteRange) -> Option<Arc<Folio>> {
        self.inode.cache.first_in(range)
    }

    /// Whether no folio is cached.
    pub fn is_uncached(self) -> bool {
        self.inode.cache.is_empty()
    }

    /// Whether writeback would find `folio` by its dirty tag.
    pub fn is_tagged_dirty(self, folio: &Folio) -> bool {
        let start = folio.range().start;
        self.inode.cache.first_tagged(Tag::Dirty, ByteRange::at(start, 1)).is_some()
    }

    /// Whether some mapping can store to `folio` without a fault.
    pub fn is_writable(self, folio: &Folio) -> bool {
        self.inode.mappings.can_write(folio)
    }

    /// Every page that a PTE maps, by its first byte, and whether its folio is still in the cache.
    pub fn mapped_pages(self) -> Vec<(u64, bool)> {
        self.inode.mappings.mapped()
    }

    /// The free-space counters.
    pub fn space(self) -> Counts {
        self.inode.shared.space.counts()
    }

    /// Whether any of the device's blocks is unallocated.
    pub fn any_unallocated(self, disk: DiskBlock, blocks: u64) -> bool {
        self.inode.shared.space.any_unallocated(disk, blocks)
    }

    /// What the device holds for the bytes of `range`, as the extents say now: zeros where they
    /// have no data. `false` if the machine failed to tell.
    pub fn on_disk(self, range: ByteRange, into: &mut [u8]) -> bool {
        let geometry = self.geometry();
        into.fill(0);
        for extent in self.extents(geometry.blocks_touching(range)) {
            let Some(State::Mapped(disk)) = extent.state else { continue };
            let bytes = geometry.bytes_of(extent.blocks);
            let part = bytes.intersection(range);
            let offset = geometry.offset_of(disk) + (part.start - bytes.start);
            let to = narrow(part.start - range.start)..narrow(part.end - range.start);
            if self.inode.shared.device.peek(offset, &mut into[to]).is_err() {
                return false;
            }
        }
        true
    }

    /// What a read of `range` would return now, whatever the size: cached bytes where they are
    /// uptodate, else what is on disk. `false` if the machine failed to tell.
    pub fn peek(self, range: ByteRange, into: &mut [u8]) -> bool {
        let mut rest = range;
        while !rest.is_empty() {
            let folio = self.inode.cache.lookup(rest.start);
            let limit = self.geometry().max_folio();
            let end = match &folio {
                Some(folio) => folio.range().end,
                None => (rest.start & !(limit - 1)) + limit,
            };
            let mut part = ByteRange::new(rest.start, end.min(rest.end));
            let uptodate = folio.filter(|folio| {
                let (first, last) = folio.touching(part);
                if folio.uptodate_in((first, last)) {
                    return true;
                }
                // One block at a time where a folio is uptodate only in part.
                part.end = folio.bytes_of(first, first + 1).end.min(part.end);
                folio.uptodate_in((first, first + 1))
            });
            let to = narrow(part.start - range.start)..narrow(part.end - range.start);
            match uptodate {
                Some(folio) => folio.read(part.start, &mut into[to]),
                None if !self.on_disk_uncached(&mut part, range, into) => return false,
                None => {}
            }
            rest.start = part.end;
        }
        true
    }

    /// What a read of `range` would return now, if all of it is cached and uptodate.
    pub fn peek_cached(self, range: ByteRange, into: &mut [u8]) -> bool {
        let mut rest = range;
        while !rest.is_empty() {
            let folio = self.inode.cache.lookup(rest.start);
            let Some(folio) = folio.filter(|folio| folio.is_uptodate()) else { return false };
            let part = rest.intersection(folio.range());
            let to = narrow(part.start - range.start)..narrow(part.end - range.start);
            folio.read(part.start, &mut into[to]);
            rest.start = part.end;
        }
        true
    }

    /// Reads from disk up to the next folio.
    fn on_disk_uncached(self, part: &mut ByteRange, base: ByteRange, into: &mut [u8]) -> bool {
        if let Some(next) = self.inode.cache.first_in(*part)
            && part.start < next.range().start
        {
            part.end = next.range().start;
        }
        let to = narrow(part.start - base.start)..narrow(part.end - base.start);
        self.on_disk(*part, &mut into[to])
    }
}
