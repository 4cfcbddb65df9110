//! Writeback: dirty folios become I/O.
//!
//! For each dirty folio, under its lock:
//! 1. Clean it: write-protect its PTEs, then clear the dirty flag. The other order loses a store
//!    that lands between the two (7658cc289288, 2.6.20).
//! 2. Wholly beyond the end of the file: skip it, the truncate in progress will take it.
//!    Straddling the end: zero the tail, every time, as mappings can store there.
//! 3. For each run of dirty blocks below the end: map it, delayed allocations becoming unwritten
//!    extents first; a hole is skipped, and with it whatever the blocks held.
//! 4. Read the blocks into ioends; clear their dirty bits; unlock.
//!
//! Nothing but the folio lock and, from step 3 on, the folio's writeback state keeps others away:
//! no `i_rwsem`, no `invalidate_lock`. The cached mapping is compared with the sequence counter
//! before each use (745b3f76d1c8, d9252d526ba6, v5.1).
//!
//! Kernel: `iomap_writepages`, `xfs_map_blocks`, v6.12.

use crate::block_bits::runs;
use crate::delalloc;
use crate::errno::Errno;
use crate::folio::Folio;
use crate::inode::{Inode, LockedFolio};
use crate::ioend::{Ioend, end_writeback};
use crate::iomap::{self, Iomap, Kind};
use crate::page_cache::Tag;
use crate::points::Point;
use crate::quantity::{BlockRange, ByteRange, FileBlock};
use crate::rules::CleanStep;
use sim::Site;
use std::sync::Arc;

/// Whether to wait for I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Start it, and pass by folios that are in I/O already.
    Start,
    /// Write everything that was dirty when called and wait until it is on the device.
    Wait,
}

/// One pass of writeback over a file.
struct Pass<'a> {
    inode: &'a Arc<Inode>,
    map: Option<Iomap>,
    ioend: Option<Ioend>,
}

/// Writes back the dirty folios that have a byte in `range`. With [`Mode::Wait`], an error of any
/// writeback of the file since somebody waited last is returned; fsync will report it besides.
pub(crate) fn write_range(inode: &Inode, range: ByteRange, mode: Mode) -> Result<(), Errno> {
    let inode = inode.handle();
    let mut pass = Pass { inode: &inode, map: None, ioend: None };
    let mut rest = range;
    while let Some(folio) = inode.cache.first_tagged(Tag::Dirty, rest) {
        rest.start = folio.range().end;
        pass.write(folio, mode);
    }
    pass.submit();
    match mode {
        Mode::Start => Ok(()),
        Mode::Wait => wait_for_io(&inode, range),
    }
}

/// Waits until no folio with a byte in `range` is in I/O.
fn wait_for_io(inode: &Inode, range: ByteRange) -> Result<(), Errno> {
    let mut rest = range;
    while let Some(folio) = inode.cache.first_tagged(Tag::Writeback, rest) {
        wait_for(&folio);
        rest.start = folio.range().end;
    }
    if inode.take_error_flag() { Err(Errno::Io) } else { Ok(()) }
}

fn wait_for(folio: &Folio) {
    let site = Site::point("writeback", 0x81, folio.range().start);
    folio.writeback_ended.wait_until(site, || !folio.is_writeback());
}

impl Pass<'_> {
    /// Writes one folio.
    fn write(&mut self, folio: Arc<Folio>, mode: Mode) {
        if folio.is_writeback() {
            if mode == Mode::Start {
                return;
            }
            // What this pass holds back might be what the other side waits for.
            self.submit();
            wait_for(&folio);
        }
        let inode = self.inode;
        let Some(folio) = inode.lock_folio(folio) else { return };
        if folio.is_writeback() && mode == Mode::Wait {
            self.submit();
            wait_for(&folio);
        }
        if !folio.is_dirty() || folio.is_writeback() {
            return;
        }
        inode.at(Point::WritebackFolioLocked);
        // Held until every part has been added, so that an early completion does not end it.
        folio.begin_writeback();
        inode.cache.tag(&folio, Tag::Writeback);
        for step in inode.rules().clean_steps(inode.mappings.can_write(&folio)) {
            match step {
                CleanStep::Protect => {
                    inode.mappings.protect(&folio);
                    inode.at(Point::WritebackProtected);
                }
                CleanStep::ClearDirty => {
                    folio.clear_dirty_flag();
                    inode.cache.untag(&folio, Tag::Dirty);
                    inode.at(Point::WritebackDirtyCleared);
                }
                CleanStep::Submit => {
                    self.add_dirty_blocks(&folio);
                    inode.at(Point::WritebackRead);
                }
            }
        }
        end_writeback(inode, &folio);
    }

    /// Reads the dirty blocks of `folio` into ioends and makes them clean.
    fn add_dirty_blocks(&mut self, folio: &LockedFolio<'_>) {
        let inode = self.inode;
        let size = inode.size();
        if folio.range().start < size {
            folio.fill_zeros(ByteRange::new(size, folio.range().end));
            let (_, end) = folio.touching(ByteRange::new(folio.range().start, size));
            for (from, to) in runs(folio.dirty_blocks(), 0, end) {
                self.add_run(folio, folio.bytes_of(from, to), size);
            }
        }
        folio.clear_dirty_blocks((0, folio.blocks()));
        folio.clear_modified((0, folio.blocks()));
        inode.shared.witness.folio_cleaned(inode.view(), folio);
    }

    /// Adds the blocks of `range` to the ioend, or to a new one where they do not continue it.
    fn add_run(&mut self, folio: &LockedFolio<'_>, range: ByteRange, size: u64) {
        let geometry = self.inode.geometry();
        let blocks = geometry.blocks_touching(range);
        let mut next = blocks.start;
        while next < blocks.end {
            let map = self.map_block(next);
            let part = BlockRange { start: next, end: blocks.end.min(map.blocks.end) };
            next = part.end;
            let (Kind::Unwritten(_) | Kind::Mapped(_)) = map.kind else { continue };
            let disk = map.disk_of(part.start).expect("allocated");
            let converts = matches!(map.kind, Kind::Unwritten(_));
            if self.ioend.as_ref().is_some_and(|ioend| !ioend.continues(part, disk, converts)) {
                self.submit();
            }
            let ioend = self.ioend.get_or_insert_with(|| Ioend::new(part, disk, converts));
            ioend.add(folio.handle(), part, geometry.bytes_of(part), size);
        }
    }

    /// The mapping under `block`: never a delayed allocation, and never out of date.
    fn map_block(&mut self, block: FileBlock) -> Iomap {
        let inode = self.inode;
        let current = |map: &Iomap| {
            let covers = map.blocks.start <= block && block < map.blocks.end;
            covers && inode.rules().writeback_mapping_is_current(map.sequence, inode.sequence())
        };
        if let Some(map) = self.map.filter(current) {
            return map;
        }
        let pos = inode.geometry().pos_of(block);
        let mut map = iomap::begin_read(inode, pos);
        if map.kind == Kind::Delalloc {
            delalloc::convert_around(inode, block);
            map = iomap::begin_read(inode, pos);
        }
        assert!(map.kind != Kind::Delalloc, "the folio lock pins the reservation under it");
        inode.at(Point::WritebackMapped);
        self.map = Some(map);
        map
    }

    fn submit(&mut self) {
        if let Some(ioend) = self.ioend.take() {
            ioend.submit(self.inode);
        }
    }
}
