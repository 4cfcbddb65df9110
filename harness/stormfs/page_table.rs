//! Shared mappings of one file: page tables, and the reverse map that takes rights from them.
//!
//! A load or store goes through a PTE and holds the PTE lock while it happens, which stands in for
//! the TLB: once a PTE has lost write access, no store by way of it is still to land.

use crate::folio::Folio;
use crate::locks::Lock;
use crate::quantity::{ByteRange, PAGE, wide};
use sim::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A page table entry.
struct Pte {
    folio: Arc<Folio>,
    writable: bool,
}

/// One task's shared mapping of a file, from its start, as large as the file may become.
pub struct PageTable {
    entries: Mutex<BTreeMap<u64, Pte>>,
}

/// Every mapping of a file: `i_mmap`.
#[derive(Default)]
pub(crate) struct Mappings {
    tables: Vec<PageTable>,
}

/// Whether a page can be accessed, or what has to be done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It was.
    Done,
    /// There is no PTE, or none that permits it: fault.
    Faults,
}

impl PageTable {
    fn new(object: u64) -> PageTable {
        PageTable { entries: sim::sync::mutex(Lock::PageTable.rank(), object, BTreeMap::new()) }
    }

    /// Loads `to.len()` bytes from `pos`, within one page.
    pub(crate) fn load(&self, pos: u64, to: &mut [u8]) -> Access {
        let entries = self.entries.lock();
        let Some(pte) = entries.get(&(pos / PAGE)) else { return Access::Faults };
        pte.folio.read(pos, to);
        Access::Done
    }

    /// Stores `from` at `pos`, within one page.
    pub(crate) fn store(&self, pos: u64, from: &[u8]) -> Access {
        let entries = self.entries.lock();
        match entries.get(&(pos / PAGE)).filter(|pte| pte.writable) {
            Some(pte) => {
                pte.folio.write(pos, from);
                Access::Done
            }
            None => Access::Faults,
        }
    }

    /// Maps the page at `pos` to `folio`, whose lock must be held.
    pub(crate) fn map(&self, pos: u64, folio: &Arc<Folio>, writable: bool) {
        assert!(folio.lock.is_locked() && folio.is_attached() && folio.is_uptodate());
        assert!(!writable || folio.is_dirty(), "a writable PTE needs a dirty folio");
        let pte = Pte { folio: Arc::clone(folio), writable };
        folio.map_count.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = self.entries.lock().insert(pos / PAGE, pte) {
            old.folio.map_count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether a PTE of this table can write to `folio`.
    fn can_write(&self, folio: &Folio) -> bool {
        let entries = self.entries.lock();
        let mut pages = entries.range(pages(folio.range()));
        pages.any(|(_, pte)| pte.writable && std::ptr::eq(&raw const *pte.folio, folio))
    }

    /// The pages that PTEs map, each with whether the folio is still in the cache.
    fn mapped(&self) -> Vec<(u64, bool)> {
        let entries = self.entries.lock();
        entries.iter().map(|(page, pte)| (page * PAGE, pte.folio.is_attached())).collect()
    }
}

fn pages(range: ByteRange) -> std::ops::Range<u64> {
    range.start / PAGE..range.end.div_ceil(PAGE)
}

impl Mappings {
    pub(crate) fn new(mappers: usize, object: u64) -> Mappings {
        let table = |index| PageTable::new(object << 16 | wide(index));
        Mappings { tables: (0..mappers).map(table).collect() }
    }

    pub(crate) fn table(&self, mapper: usize) -> &PageTable {
        &self.tables[mapper]
    }

    /// Takes write access to `folio` from every PTE. Its lock must be held.
    pub(crate) fn protect(&self, folio: &Folio) {
        assert!(folio.lock.is_locked());
        if !folio.is_mapped() {
            return;
        }
        for table in &self.tables {
            for (_, pte) in table.entries.lock().range_mut(pages(folio.range())) {
                pte.writable = false;
            }
        }
    }

    /// Removes every PTE that maps `folio`. Its lock must be held.
    pub(crate) fn unmap(&self, folio: &Folio) {
        assert!(folio.lock.is_locked());
        if !folio.is_mapped() {
            return;
        }
        for table in &self.tables {
            let mut entries = table.entries.lock();
            for page in pages(folio.range()) {
                if entries.remove(&page).is_some() {
                    folio.map_count.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Whether any PTE can write to `folio`.
    pub(crate) fn can_write(&self, folio: &Folio) -> bool {
        folio.is_mapped() && self.tables.iter().any(|table| table.can_write(folio))
    }

    /// Every mapped page, with whether its folio is still in the cache.
    pub(crate) fn mapped(&self) -> Vec<(u64, bool)> {
        self.tables.iter().flat_map(PageTable::mapped).collect()
    }
}
