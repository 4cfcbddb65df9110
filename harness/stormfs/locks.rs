//! The lock order, outermost first. Nothing else in this crate defines a rank.

use sim::Rank;

/// A class of locks.
///
/// The user buffer of a write is faulted in while the writer holds `i_rwsem` and nothing below
/// it: the buffer may be a mapping of the same file, and the fault takes `invalidate_lock` shared
/// and folio locks. That is why a buffered write cannot hold `invalidate_lock` from its mapping to
/// its end, and why it must revalidate the mapping under the folio lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// `i_rwsem`: sizes and contents. Exclusive for whatever changes them by system call, shared
    /// for reads.
    InodeRwsem,
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
    /// What a write took from a mapping: harness state beside the user's buffer. A leaf.
    UserCopy,
}

impl Lock {
    /// Every class, outermost first.
    pub const ALL: [Lock; 9] = [
        Lock::InodeRwsem,
        Lock::Invalidate,
        Lock::Folio,
        Lock::Extents,
        Lock::Space,
        Lock::PageTree,
        Lock::PageTable,
        Lock::WritebackError,
        Lock::UserCopy,
    ];

    /// The rank of this class.
    pub fn rank(self) -> &'static Rank {
        static INODE_RWSEM: Rank = Rank::new(1, "i_rwsem");
        static INVALIDATE: Rank = Rank::new(2, "invalidate_lock");
        static FOLIO: Rank = Rank::new(3, "folio lock");
        static EXTENTS: Rank = Rank::new(4, "ILOCK");
        static SPACE: Rank = Rank::leaf(6, "space lock");
        static PAGE_TREE: Rank = Rank::leaf(7, "xa_lock");
        static PAGE_TABLE: Rank = Rank::leaf(8, "PTE lock");
        static WRITEBACK_ERROR: Rank = Rank::leaf(9, "wb_err lock");
        static USER_COPY: Rank = Rank::leaf(10, "user copy");
        match self {
            Lock::InodeRwsem => &INODE_RWSEM,
            Lock::Invalidate => &INVALIDATE,
            Lock::Folio => &FOLIO,
            Lock::Extents => &EXTENTS,
            Lock::Space => &SPACE,
            Lock::PageTree => &PAGE_TREE,
            Lock::PageTable => &PAGE_TABLE,
            Lock::WritebackError => &WRITEBACK_ERROR,
            Lock::UserCopy => &USER_COPY,
        }
    }
}
