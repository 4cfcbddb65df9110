//! Breaks a filesystem on purpose, so that those who judge it can be tested.

use crate::extent_map::State;
use crate::filesystem::Filesystem;
use crate::iomap;
use crate::page_cache::Tag;
use crate::quantity::{BlockRange, ByteRange, narrow};
use block::Bio;

/// What to break. Nothing else is adjusted to it: that is the damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Forgets the extents of these blocks.
    ForgetExtents(BlockRange),
    /// Reserves these blocks, which must be a hole, for nobody.
    ReserveForNobody(BlockRange),
    /// Frees the device blocks under these blocks, and keeps their extents.
    FreeUnderneath(BlockRange),
    /// Promises so many blocks to nobody.
    LeakReservation(u64),
    /// Promises so many blocks, even if there are fewer.
    Overpromise(u64),
    /// Sets `i_size`.
    Size(u64),
    /// Sets the on-disk size.
    SizeDisk(u64),
    /// Changes the cached byte at this position, and marks nothing.
    Scribble(u64),
    /// Changes the byte at this position, which must be mapped, on the device.
    ScribbleOnDisk(u64),
    /// Clears the dirty flag of the folio at this position, and keeps its dirty bits.
    ForgetDirty(u64),
    /// Cleans the folio at this position without writing it, and keeps its PTEs as they are.
    PretendClean(u64),
    /// Takes the folio at this position out of the cache, and keeps its PTEs.
    DetachMapped(u64),
    /// Puts an empty folio at this position into the cache.
    CacheNothing(u64),
    /// Marks blocks beyond the end of the file as speculative.
    CallSpeculative,
}

impl Filesystem {
    /// Does `damage` to a file. Nobody else may be using it.
    pub fn damage(&self, file: usize, damage: Damage) {
        let inode = self.inode(file);
        let _exclusive = inode.i_rwsem.write();
        let folio_at = |pos| {
            let folio = inode.cache.first_in(ByteRange::at(pos, 1)).expect("a cached position");
            inode.lock_folio(folio).expect("nobody else uses the file")
        };
        match damage {
            Damage::ForgetExtents(blocks) => {
                inode.change_fork(|fork| drop(fork.extents.remove(blocks)));
            }
            Damage::ReserveForNobody(blocks) => inode.change_fork(|fork| {
                self.shared().space.reserve(blocks.len()).expect("space");
                fork.extents.insert(blocks, State::Delalloc);
            }),
            Damage::FreeUnderneath(blocks) => inode.change_fork(|fork| {
                for extent in fork.extents.pieces(blocks) {
                    let disk = extent.state.and_then(State::disk).expect("allocated blocks");
                    self.shared().space.free(disk, extent.blocks.len());
                }
            }),
            Damage::LeakReservation(blocks) => {
                self.shared().space.reserve(blocks).expect("space");
            }
            Damage::Overpromise(blocks) => self.shared().space.promise_blindly(blocks),
            Damage::Size(size) => inode.set_size(size),
            Damage::SizeDisk(size) => inode.change_fork(|fork| fork.size_disk = size),
            Damage::Scribble(pos) => {
                let folio = folio_at(pos);
                let mut byte = [0];
                folio.read(pos, &mut byte);
                folio.fill(pos, &[!byte[0]]);
            }
            Damage::ScribbleOnDisk(pos) => self.scribble_on_disk(file, pos),
            Damage::ForgetDirty(pos) => folio_at(pos).clear_dirty_flag(),
            Damage::PretendClean(pos) => {
                let folio = folio_at(pos);
                folio.clear_dirty_flag();
                folio.clear_dirty_blocks((0, folio.blocks()));
                folio.clear_modified((0, folio.blocks()));
                inode.cache.untag(&folio, Tag::Dirty);
            }
            Damage::DetachMapped(pos) => inode.cache.remove(&folio_at(pos)),
            Damage::CacheNothing(pos) => drop(inode.grab_folio(pos, 1)),
            Damage::CallSpeculative => inode.change_fork(|fork| fork.speculative = true),
        }
    }

    fn scribble_on_disk(&self, file: usize, pos: u64) {
        let geometry = self.shared().geometry;
        let map = iomap::begin_read(self.inode(file), pos);
        let block = map.disk_of(geometry.block_of(pos)).expect("an allocated block");
        let offset = geometry.offset_of(block);
        let device = &self.shared().device;
        let (read, result) =
            device.submit_wait(Bio::read(offset, narrow(geometry.block_size()), 0));
        result.expect("a device that reads");
        let mut data = read.data;
        let within = narrow(pos - geometry.down(pos));
        data[within] = !data[within];
        let (_, result) = device.submit_wait(Bio::write(offset, data, 0));
        result.expect("a device that writes");
    }
}
