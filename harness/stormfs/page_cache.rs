//! The page cache of one file: folios by position, with the tags that writeback searches by.

use crate::folio::Folio;
use crate::locks::Lock;
use crate::quantity::{ByteRange, Geometry};
use sim::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A tag under which folios can be found without looking at all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The folio's dirty flag is set.
    Dirty,
    /// I/O on the folio is in flight.
    Writeback,
}

/// See the module. Positions are bytes; folios never overlap and are aligned to their size.
pub struct PageCache {
    geometry: Geometry,
    tree: Mutex<Tree>,
}

#[derive(Default)]
struct Tree {
    /// By the first byte.
    folios: BTreeMap<u64, Arc<Folio>>,
    dirty: BTreeSet<u64>,
    writeback: BTreeSet<u64>,
}

impl PageCache {
    /// An empty cache; `object` names the file in lock reports.
    pub(crate) fn new(geometry: Geometry, object: u64) -> PageCache {
        let tree = sim::sync::mutex(Lock::PageTree.rank(), object, Tree::default());
        PageCache { geometry, tree }
    }

    /// The folio that holds the byte at `pos`.
    pub fn lookup(&self, pos: u64) -> Option<Arc<Folio>> {
        self.tree.lock().lookup(pos).cloned()
    }

    /// The first folio that holds a byte in `range`.
    pub fn first_in(&self, range: ByteRange) -> Option<Arc<Folio>> {
        self.tree.lock().first_in(range).cloned()
    }

    /// How many folios are cached.
    pub fn len(&self) -> usize {
        self.tree.lock().folios.len()
    }

    /// Whether no folio is cached.
    pub fn is_empty(&self) -> bool {
        self.tree.lock().folios.is_empty()
    }

    /// The folio that holds the byte at `pos`; if there is none, a new one as large as an access of
    /// `len` bytes can use and its neighbours leave room for.
    pub(crate) fn get_or_create(&self, pos: u64, len: u64) -> Arc<Folio> {
        let mut tree = self.tree.lock();
        if let Some(folio) = tree.lookup(pos) {
            return Arc::clone(folio);
        }
        let mut size = self.geometry.max_folio();
        let range = loop {
            let start = pos & !(size - 1);
            let range = ByteRange::at(start, size);
            let smallest = size == self.geometry.min_folio();
            let useful = start == pos && size <= len;
            if smallest || useful && tree.first_in(range).is_none() {
                break range;
            }
            size /= 2;
        };
        let folio = Arc::new(Folio::new(range, self.geometry));
        tree.folios.insert(range.start, Arc::clone(&folio));
        folio
    }

    /// Takes a folio out: nobody will find it here again. Its lock must be held.
    pub(crate) fn remove(&self, folio: &Folio) {
        assert!(folio.lock.is_locked() && folio.is_attached());
        folio.set_detached();
        let mut tree = self.tree.lock();
        let start = folio.range().start;
        tree.folios.remove(&start).expect("attached folios are in the tree");
        tree.dirty.remove(&start);
        tree.writeback.remove(&start);
    }

    pub(crate) fn tag(&self, folio: &Folio, tag: Tag) {
        self.tree.lock().tagged(tag).insert(folio.range().start);
    }

    pub(crate) fn untag(&self, folio: &Folio, tag: Tag) {
        self.tree.lock().tagged(tag).remove(&folio.range().start);
    }

    /// Takes the writeback tag from a folio whose last I/O has ended, unless more has begun since.
    pub(crate) fn untag_if_idle(&self, folio: &Folio) {
        let mut tree = self.tree.lock();
        let start = folio.range().start;
        // Once its last I/O has ended anybody may remove the folio: another one may stand there,
        // whose tag is its own.
        let here =
            tree.folios.get(&start).is_some_and(|found| std::ptr::eq(&raw const **found, folio));
        if here && !folio.is_writeback() {
            tree.writeback.remove(&start);
        }
    }

    /// The first folio that has `tag` and a byte in `range`.
    pub fn first_tagged(&self, tag: Tag, range: ByteRange) -> Option<Arc<Folio>> {
        let tree = self.tree.lock();
        // A folio that starts before the range may reach into it.
        let from = range.start & !(self.geometry.max_folio() - 1);
        let starts = tree.tags(tag).range(from..range.end.max(from));
        let mut folios = starts.filter_map(|start| tree.folios.get(start));
        folios.find(|folio| folio.range().overlaps(range)).cloned()
    }

    /// Whether any folio with a byte in `range` is dirty or in I/O.
    pub(crate) fn any_dirty_or_writeback(&self, range: ByteRange) -> bool {
        self.first_tagged(Tag::Dirty, range).is_some()
            || self.first_tagged(Tag::Writeback, range).is_some()
    }
}

impl Tree {
    fn lookup(&self, pos: u64) -> Option<&Arc<Folio>> {
        let before = self.folios.range(..=pos).next_back();
        before.map(|(_, folio)| folio).filter(|folio| pos < folio.range().end)
    }

    fn first_in(&self, range: ByteRange) -> Option<&Arc<Folio>> {
        let after = || self.folios.range(range.start..range.end).next().map(|(_, folio)| folio);
        if range.is_empty() { None } else { self.lookup(range.start).or_else(after) }
    }

    fn tagged(&mut self, tag: Tag) -> &mut BTreeSet<u64> {
        match tag {
            Tag::Dirty => &mut self.dirty,
            Tag::Writeback => &mut self.writeback,
        }
    }

    fn tags(&self, tag: Tag) -> &BTreeSet<u64> {
        match tag {
            Tag::Dirty => &self.dirty,
            Tag::Writeback => &self.writeback,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_the_folio_that_stands_there() {
        let cache = PageCache::new(Geometry::new(4096, 4096), 0);
        let gone = cache.get_or_create(0, 4096);
        cache.tag(&gone, Tag::Writeback);
        gone.lock.lock();
        cache.remove(&gone);
        gone.lock.unlock();
        assert!(cache.first_tagged(Tag::Writeback, ByteRange::at(0, 1)).is_none());
        let here = cache.get_or_create(0, 4096);
        here.begin_writeback();
        cache.tag(&here, Tag::Writeback);
        cache.untag_if_idle(&gone);
        assert!(cache.first_tagged(Tag::Writeback, ByteRange::at(0, 1)).is_some());
        here.end_writeback();
        cache.untag_if_idle(&here);
        assert!(cache.first_tagged(Tag::Writeback, ByteRange::at(0, 1)).is_none());
    }
}
