//! Bytes, blocks and pages, and the only places where one becomes the other.

use std::fmt;
use std::ops::{Add, Sub};

/// Bytes of a page: the unit of mappings, and the smallest folio.
pub const PAGE: u64 = 4096;

/// No file grows beyond this many bytes.
pub const MAX_SIZE: u64 = 1 << 46;

/// A block of a file, counted from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileBlock(pub u64);

/// A block of the device, counted from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskBlock(pub u64);

impl Add<u64> for FileBlock {
    type Output = FileBlock;

    fn add(self, blocks: u64) -> FileBlock {
        FileBlock(self.0 + blocks)
    }
}

impl Sub for FileBlock {
    type Output = u64;

    fn sub(self, earlier: FileBlock) -> u64 {
        self.0 - earlier.0
    }
}

impl Add<u64> for DiskBlock {
    type Output = DiskBlock;

    fn add(self, blocks: u64) -> DiskBlock {
        DiskBlock(self.0 + blocks)
    }
}

/// The half-open range of bytes `[start, end)` of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl ByteRange {
    /// From the first byte and the byte after the last.
    pub fn new(start: u64, end: u64) -> ByteRange {
        ByteRange { start, end }
    }

    /// From the first byte and the length.
    pub fn at(start: u64, len: u64) -> ByteRange {
        ByteRange { start, end: start + len }
    }

    /// Bytes in the range; 0 if it is empty or ends before it starts.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte is in the range.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The bytes that are in both; empty if none are.
    #[must_use]
    pub fn intersection(self, other: ByteRange) -> ByteRange {
        ByteRange { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// Whether some byte is in both.
    pub fn overlaps(self, other: ByteRange) -> bool {
        !self.intersection(other).is_empty()
    }
}

impl fmt::Debug for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:#x}, {:#x})", self.start, self.end)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}

/// The half-open range of file blocks `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockRange {
    /// The first block.
    pub start: FileBlock,
    /// The block after the last.
    pub end: FileBlock,
}

impl BlockRange {
    /// Blocks in the range; 0 if it is empty or ends before it starts.
    pub fn len(self) -> u64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether no block is in the range.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Block and folio sizes of one filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    block_bits: u32,
    max_folio: u64,
}

impl Geometry {
    /// `block_size` is a power of two from 512 to 65536; `max_folio`, a power of two from one page
    /// to 65536, is raised to the block size if it is smaller.
    pub fn new(block_size: u64, max_folio: u64) -> Geometry {
        assert!(block_size.is_power_of_two() && (512..=65536).contains(&block_size));
        assert!(max_folio.is_power_of_two() && (PAGE..=65536).contains(&max_folio));
        Geometry { block_bits: block_size.trailing_zeros(), max_folio: max_folio.max(block_size) }
    }

    /// Bytes of a block.
    pub fn block_size(self) -> u64 {
        1 << self.block_bits
    }

    /// Bytes of the smallest folio: a page, or a block if that is larger.
    pub fn min_folio(self) -> u64 {
        self.block_size().max(PAGE)
    }

    /// Bytes of the largest folio.
    pub fn max_folio(self) -> u64 {
        self.max_folio
    }

    /// The block that holds the byte at `pos`.
    pub fn block_of(self, pos: u64) -> FileBlock {
        FileBlock(pos >> self.block_bits)
    }

    /// The first block that starts at or after `pos`.
    pub fn block_from(self, pos: u64) -> FileBlock {
        FileBlock((pos + self.block_size() - 1) >> self.block_bits)
    }

    /// The first byte of `block`.
    pub fn pos_of(self, block: FileBlock) -> u64 {
        block.0 << self.block_bits
    }

    /// The device offset of `block`.
    pub fn offset_of(self, block: DiskBlock) -> u64 {
        block.0 << self.block_bits
    }

    /// `pos` rounded down to a block.
    pub fn down(self, pos: u64) -> u64 {
        self.pos_of(self.block_of(pos))
    }

    /// `pos` rounded up to a block.
    pub fn up(self, pos: u64) -> u64 {
        self.pos_of(self.block_from(pos))
    }

    /// Every block that has a byte in `range`.
    pub fn blocks_touching(self, range: ByteRange) -> BlockRange {
        BlockRange { start: self.block_of(range.start), end: self.block_from(range.end) }
    }

    /// Every block that lies wholly in `range`.
    pub fn blocks_within(self, range: ByteRange) -> BlockRange {
        BlockRange { start: self.block_from(range.start), end: self.block_of(range.end) }
    }

    /// `range` rounded outward to whole folios of the largest size.
    pub fn folios_touching(self, range: ByteRange) -> ByteRange {
        let start = range.start & !(self.max_folio - 1);
        ByteRange { start, end: range.end.next_multiple_of(self.max_folio) }
    }

    /// The bytes of `blocks`.
    pub fn bytes_of(self, blocks: BlockRange) -> ByteRange {
        ByteRange { start: self.pos_of(blocks.start), end: self.pos_of(blocks.end) }
    }
}

/// `pos` rounded up to a page.
pub fn page_up(pos: u64) -> u64 {
    pos.next_multiple_of(PAGE)
}

/// A length in memory as a file quantity.
#[inline]
pub fn wide(len: usize) -> u64 {
    u64::try_from(len).expect("memory lengths fit 64 bits")
}

/// A file quantity that is known to fit memory.
#[inline]
pub fn narrow(len: u64) -> usize {
    usize::try_from(len).expect("a length within one folio or buffer")
}
