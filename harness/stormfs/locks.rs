//! The lock order, outermost first. Nothing else in this crate defines a rank.

use sim::Rank;

/// A class of locks.
///
/// The user buffer of a write is faulted in while the writer holds `i_rwsem`, perhaps a range and
/// the remap lock, and nothing below them: the buffer may be a mapping of the same file, and the
/// fault takes `invalidate_lock` shared and folio locks. That is why a buffered write cannot hold `invalidate_lock` from its mapping to
/// its end, and why it must revalidate the mapping under the folio lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// `i_rwsem`: sizes and contents. Exclusive for whatever changes them by system call, shared
    /// for reads. Where `write_lock` says so, shared for writes too.
    InodeRwsem,
    /// The range lock of a file: what a write or a read covers of it while `i_rwsem` is shared.
    Range,
    /// The remap lock: shared by a write beside others while it has a mapping, exclusive by one
    /// whose mappings the others made stale too often.
    Remap,
    /// `invalidate_lock`: exclusive, the page cache gains no folios from reads and faults while a
    /// range is removed; shared, for those who add them.
    Invalidate,
    /// The folio lock: one folio's bytes and its uptodate and dirty bits, and its membership in
    /// the page cache. A task holds at most one.
    Folio,
    /// `ILOCK`: the extent map, its sequence counter and the on-disk size. Never held while
    /// waiting for I/O.
    Extents,
    /// The free-space map and the reservation counter. A leaf.
    Space,
    /// The page cache's tree with its tags: the `xa_lock`. A leaf.
    PageTree,
    /// One mapping's page table: the PTE lock. A leaf, held for each load and store.
    PageTable,
    /// The writeback error of a file: `wb_err`. A leaf.
    WritebackError,
    /// The list of claims inside a range lock. A leaf.
    RangeList,
    /// What a write took from a mapping: harness state beside the user's buffer. A leaf.
    UserCopy,
}

impl Lock {
    /// Every class, outermost first.
    pub const ALL: [Lock; 12] = [
        Lock::InodeRwsem,
        Lock::Range,
        Lock::Remap,
        Lock::Invalidate,
        Lock::Folio,
        Lock::Extents,
        Lock::Space,
        Lock::PageTree,
        Lock::PageTable,
        Lock::WritebackError,
        Lock::RangeList,
        Lock::UserCopy,
    ];

    /// The rank of this class.
    pub fn rank(self) -> &'static Rank {
        static INODE_RWSEM: Rank = Rank::new(1, "i_rwsem");
        static RANGE: Rank = Rank::new(2, "range lock");
        static REMAP: Rank = Rank::new(3, "remap lock");
        static INVALIDATE: Rank = Rank::new(4, "invalidate_lock");
        static FOLIO: Rank = Rank::new(5, "folio lock");
        static EXTENTS: Rank = Rank::new(6, "ILOCK");
        static SPACE: Rank = Rank::leaf(8, "space lock");
        static PAGE_TREE: Rank = Rank::leaf(9, "xa_lock");
        static PAGE_TABLE: Rank = Rank::leaf(10, "PTE lock");
        static WRITEBACK_ERROR: Rank = Rank::leaf(11, "wb_err lock");
        static RANGE_LIST: Rank = Rank::leaf(12, "range list");
        static USER_COPY: Rank = Rank::leaf(12, "user copy");
        match self {
            Lock::InodeRwsem => &INODE_RWSEM,
            Lock::Range => &RANGE,
            Lock::Remap => &REMAP,
            Lock::Invalidate => &INVALIDATE,
            Lock::Folio => &FOLIO,
            Lock::Extents => &EXTENTS,
            Lock::Space => &SPACE,
            Lock::PageTree => &PAGE_TREE,
            Lock::PageTable => &PAGE_TABLE,
            Lock::WritebackError => &WRITEBACK_ERROR,
            Lock::RangeList => &RANGE_LIST,
            Lock::UserCopy => &USER_COPY,
        }
    }
}
