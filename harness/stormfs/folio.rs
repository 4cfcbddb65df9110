//! A folio: some pages of a file in memory, with the state of each block in them.
//!
//! ```text
//!             fill, zero            mark_dirty             clear_dirty
//!   (absent) -----------> uptodate -----------> dirty ------------------> writeback
//!       ^                    |  ^                 ^                          |
//!       +---- detach --------+  +--- end of I/O --|--------------------------+
//!             (reclaim, truncate)                 +-- mark_dirty (redirtied)
//! ```
//!
//! Who may do what: the bytes and the uptodate and dirty bits change under the folio lock, except
//! that a store through a writable PTE changes bytes under the PTE lock alone. Bytes are relaxed
//! atomics, because stores race with writeback reading them, as they do on a real machine.

use crate::block_bits::BlockBits;
use crate::locks::Lock;
use crate::quantity::{BlockRange, ByteRange, Geometry, narrow, wide};
use sim::WaitQueue;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Fresh folios are filled with this word, so that memory which nobody initialised is recognised.
pub const POISON: u64 = 0xf01a_dead_f01a_dead;

static ZEROS: [u8; 65536] = [0; 65536];

/// See the module.
#[derive(Debug)]
pub struct Folio {
    range: ByteRange,
    geometry: Geometry,
    /// The folio lock.
    pub(crate) lock: sim::Lock,
    words: Box<[AtomicU64]>,
    uptodate: BlockBits,
    dirty_blocks: BlockBits,
    /// Blocks whose bytes were changed since writeback last read them. No algorithm looks at it:
    /// it is what the dirty bits are judged by.
    modified: BlockBits,
    dirty: AtomicBool,
    attached: AtomicBool,
    /// PTEs that map a page of the folio.
    pub(crate) map_count: AtomicU32,
    /// Parts of the folio that are in I/O, plus one while writeback is submitting them.
    writeback: AtomicU32,
    pub(crate) writeback_ended: WaitQueue,
}

impl Folio {
    /// A folio over `range`, holding poison, in the page cache.
    pub(crate) fn new(range: ByteRange, geometry: Geometry) -> Folio {
        let words = (0..range.len() / 8).map(|_| AtomicU64::new(POISON)).collect();
        Folio {
            range,
            geometry,
            lock: sim::Lock::new(Lock::Folio.rank(), range.start),
            words,
            uptodate: BlockBits::default(),
            dirty_blocks: BlockBits::default(),
            modified: BlockBits::default(),
            dirty: AtomicBool::new(false),
            attached: AtomicBool::new(true),
            map_count: AtomicU32::new(0),
            writeback: AtomicU32::new(0),
            writeback_ended: WaitQueue::new(),
        }
    }

    /// The bytes of the file that this folio holds.
    pub fn range(&self) -> ByteRange {
        self.range
    }

    /// How many blocks it holds; at least 1.
    pub fn blocks(&self) -> u32 {
        let blocks = self.range.len() / self.geometry.block_size();
        u32::try_from(blocks).expect("at most 128")
    }

    /// The bits of the blocks that have a byte in `range`, as a half-open range of bit numbers.
    pub fn touching(&self, range: ByteRange) -> (u32, u32) {
        self.bits(self.geometry.blocks_touching(range.intersection(self.range)))
    }

    /// The bits of the blocks that lie wholly in `range`.
    pub fn within(&self, range: ByteRange) -> (u32, u32) {
        self.bits(self.geometry.blocks_within(range.intersection(self.range)))
    }

    fn bits(&self, blocks: BlockRange) -> (u32, u32) {
        let first = self.geometry.block_of(self.range.start);
        let bit = |block: crate::quantity::FileBlock| {
            u32::try_from(block.0.saturating_sub(first.0)).expect("at most 128")
        };
        let from = bit(blocks.start).min(self.blocks());
        (from, bit(blocks.end).clamp(from, self.blocks()))
    }

    /// The bytes of the blocks with bits `[from, to)`.
    pub fn bytes_of(&self, from: u32, to: u32) -> ByteRange {
        let block = self.geometry.block_size();
        let start = self.range.start;
        ByteRange::new(start + u64::from(from) * block, start + u64::from(to) * block)
    }

    /// Whether the folio is in the page cache still.
    pub fn is_attached(&self) -> bool {
        self.attached.load(Ordering::Relaxed)
    }

    /// Whether every block holds what the file holds.
    pub fn is_uptodate(&self) -> bool {
        self.uptodate.all(0, self.blocks())
    }

    /// The uptodate bits.
    pub fn uptodate(&self) -> u128 {
        self.uptodate.get()
    }

    /// The folio's dirty flag: writeback will come for it.
    pub fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Relaxed)
    }

    /// The dirty bits of its blocks.
    pub fn dirty_blocks(&self) -> u128 {
        self.dirty_blocks.get()
    }

    /// The blocks changed since writeback last read them.
    pub fn modified(&self) -> u128 {
        self.modified.get()
    }

    /// Whether I/O on it is in flight.
    pub fn is_writeback(&self) -> bool {
        self.writeback.load(Ordering::SeqCst) != 0
    }

    /// Whether somebody has it locked.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Whether a PTE maps a page of it.
    pub fn is_mapped(&self) -> bool {
        self.map_count.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn set_detached(&self) {
        self.attached.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_uptodate(&self, (from, to): (u32, u32)) {
        self.uptodate.set(from, to);
    }

    pub(crate) fn uptodate_in(&self, (from, to): (u32, u32)) -> bool {
        self.uptodate.all(from, to)
    }

    /// Sets the dirty flag and the bits of some blocks. True if the flag was clear.
    pub(crate) fn set_dirty(&self, (from, to): (u32, u32)) -> bool {
        assert!(self.uptodate.all(from, to), "only uptodate blocks are made dirty");
        self.dirty_blocks.set(from, to);
        !self.dirty.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn clear_dirty_flag(&self) {
        self.dirty.store(false, Ordering::Relaxed);
    }

    pub(crate) fn clear_dirty_blocks(&self, (from, to): (u32, u32)) {
        self.dirty_blocks.clear(from, to);
    }

    pub(crate) fn clear_modified(&self, (from, to): (u32, u32)) {
        self.modified.clear(from, to);
    }

    /// One more part of the folio is in I/O, or being submitted.
    pub(crate) fn begin_writeback(&self) {
        self.writeback.fetch_add(1, Ordering::SeqCst);
    }

    /// One part less; true if it was the last.
    pub(crate) fn end_writeback(&self) -> bool {
        let last = self.writeback.fetch_sub(1, Ordering::SeqCst) == 1;
        if last {
            self.writeback_ended.wake_all();
        }
        last
    }

    /// Copies the file's bytes `[pos, pos + to.len())` out.
    pub fn read(&self, pos: u64, to: &mut [u8]) {
        let mut at = narrow(pos - self.range.start);
        let mut to = to;
        if !at.is_multiple_of(8) {
            let head = to.len().min(8 - at % 8);
            let word = self.words[at / 8].load(Ordering::Relaxed).to_le_bytes();
            to[..head].copy_from_slice(&word[at % 8..at % 8 + head]);
            to = &mut to[head..];
            at += head;
        }
        let (chunks, tail) = to.as_chunks_mut::<8>();
        let words = &self.words[at / 8..];
        for (chunk, word) in chunks.iter_mut().zip(words) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        if !tail.is_empty() {
            let word = words[chunks.len()].load(Ordering::Relaxed).to_le_bytes();
            let len = tail.len();
            tail.copy_from_slice(&word[..len]);
        }
    }

    /// Changes the bytes from `pos` on to `from`: a copy or a store, of a user or of zeros.
    pub(crate) fn write(&self, pos: u64, from: &[u8]) {
        let (first, last) = self.touching(ByteRange::at(pos, wide(from.len())));
        self.modified.set(first, last);
        self.put(pos, from);
    }

    /// Fills the bytes from `pos` on with what the device holds: the block is not modified by it.
    pub(crate) fn fill(&self, pos: u64, from: &[u8]) {
        self.put(pos, from);
    }

    /// Makes zeros of `range`, which lies within the folio.
    pub(crate) fn zero(&self, range: ByteRange) {
        if !range.is_empty() {
            self.write(range.start, &ZEROS[..narrow(range.len())]);
        }
    }

    /// Fills `range` with the zeros that a hole reads as: the blocks are not modified by it.
    pub(crate) fn fill_zeros(&self, range: ByteRange) {
        if !range.is_empty() {
            self.put(range.start, &ZEROS[..narrow(range.len())]);
        }
    }

    fn put(&self, pos: u64, from: &[u8]) {
        let mut at = narrow(pos - self.range.start);
        let mut from = from;
        if !at.is_multiple_of(8) {
            let head = from.len().min(8 - at % 8);
            self.merge(at / 8, at % 8, &from[..head]);
            from = &from[head..];
            at += head;
        }
        let (chunks, tail) = from.as_chunks::<8>();
        let words = &self.words[at / 8..];
        for (chunk, word) in chunks.iter().zip(words) {
            word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        }
        if !tail.is_empty() {
            self.merge(at / 8 + chunks.len(), 0, tail);
        }
    }

    /// Replaces some bytes of one word, leaving those that another store may be changing.
    fn merge(&self, word: usize, at: usize, bytes: &[u8]) {
        let mut value = [0; 8];
        let mut mask = [0; 8];
        value[at..at + bytes.len()].copy_from_slice(bytes);
        mask[at..at + bytes.len()].fill(0xff);
        let (value, mask) = (u64::from_le_bytes(value), u64::from_le_bytes(mask));
        let replace = |old| Some(old & !mask | value);
        let _ = self.words[word].fetch_update(Ordering::Relaxed, Ordering::Relaxed, replace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_in_and_come_out_at_any_alignment() {
        let folio = Folio::new(ByteRange::at(8192, 8192), Geometry::new(512, 8192));
        let mut expected = POISON.to_le_bytes().repeat(1024);
        for (round, (at, len)) in [(0, 8192), (3, 2), (5, 3), (7, 9), (4095, 2), (8191, 1), (6, 26)]
            .into_iter()
            .enumerate()
        {
            let bytes: Vec<u8> =
                (0..len).map(|i| u8::try_from((i + round) % 251).unwrap()).collect();
            folio.write(8192 + wide(at), &bytes);
            expected[at..at + len].copy_from_slice(&bytes);
            let mut seen = vec![0; 8192];
            folio.read(8192, &mut seen);
            assert_eq!(seen, expected, "after {at}+{len}");
            let mut part = vec![0; len];
            folio.read(8192 + wide(at), &mut part);
            assert_eq!(part, bytes);
        }
    }

    #[test]
    fn blocks_are_numbered_from_the_start_of_the_folio() {
        let folio = Folio::new(ByteRange::at(16384, 16384), Geometry::new(1024, 65536));
        assert_eq!(folio.blocks(), 16);
        assert_eq!(folio.touching(ByteRange::new(16385, 17409)), (0, 2));
        assert_eq!(folio.within(ByteRange::new(16385, 18432)), (1, 2));
        assert_eq!(folio.within(ByteRange::new(16385, 17000)), (1, 1));
        assert_eq!(folio.touching(ByteRange::new(0, 1 << 30)), (0, 16));
        assert_eq!(folio.bytes_of(1, 3), ByteRange::new(17408, 19456));
        folio.write(18000, &[1, 2, 3]);
        assert_eq!(folio.modified(), 0b10);
    }
}
