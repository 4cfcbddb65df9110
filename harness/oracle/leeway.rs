//! What POSIX leaves open, where filesystems differ: each point by itself, with its evidence. A
//! filesystem gets the leeways that it is known to use, and is held to the strict answer in all else.

/// A point that POSIX leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leeway {
    /// See [`Leeway::about`].
    GrowthInSteps,
    /// See [`Leeway::about`].
    FailedWriteMovesEof,
    /// See [`Leeway::about`].
    StoresBeyondEofStay,
    /// See [`Leeway::about`].
    GrowthShowsStores,
    /// See [`Leeway::about`].
    ShortCountsAreRounded,
    /// See [`Leeway::about`].
    FailedTruncateFallsBack,
}

impl Leeway {
    /// Every one.
    pub const ALL: [Leeway; 6] = [
        Leeway::GrowthInSteps,
        Leeway::FailedWriteMovesEof,
        Leeway::StoresBeyondEofStay,
        Leeway::GrowthShowsStores,
        Leeway::ShortCountsAreRounded,
        Leeway::FailedTruncateFallsBack,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Leeway::GrowthInSteps => "growth_in_steps",
            Leeway::FailedWriteMovesEof => "failed_write_moves_eof",
            Leeway::StoresBeyondEofStay => "stores_beyond_eof_stay",
            Leeway::GrowthShowsStores => "growth_shows_stores",
            Leeway::ShortCountsAreRounded => "short_counts_are_rounded",
            Leeway::FailedTruncateFallsBack => "failed_truncate_falls_back",
        }
    }

    /// What may happen, and where the room for it comes from.
    pub fn about(self) -> &'static str {
        match self {
            Leeway::GrowthInSteps => {
                "A fallocate that grows a file shows sizes on the way, and one that fails may leave one. \
                 ext4 and btrfs publish the size after each extent that they have allocated \
                 (`ext4_alloc_file_blocks`, `__btrfs_prealloc_file_range`). Neither POSIX nor `fallocate(2)` says that it is one step."
            }
            Leeway::FailedWriteMovesEof => {
                "A write beyond the end that fails before it has copied a byte, or that is still trying, \
                 leaves or shows the end where it was to begin, with zeros before it: `write_end` \
                 of ext4 and tmpfs raises the size to where the copy began, also when nothing was copied. \
                 POSIX (XSH 2.3): when an error is \
                 detected, what was asked for may have been done in part, unless it says otherwise."
            }
            Leeway::StoresBeyondEofStay => {
                "What is stored through a mapping behind the end of the file, in its last page, shows \
                 when the file grows over it. tmpfs has no writeback that would clear it (`mmap(2)`, \
                 BUGS); POSIX leaves open what such a store does."
            }
            Leeway::GrowthShowsStores => {
                "A read beside a write or a fallocate that grows the file shows what was stored through a \
                 mapping behind the end, in its last page; a read that begins when that call has returned does \
                 not. ext4 publishes the size before it zeroes what lay behind the old one \
                 (`ext4_da_do_write_end`, `ext4_alloc_file_blocks`). `mmap(2)`, BUGS, and POSIX leave \
                 open what becomes of such a store."
            }
            Leeway::ShortCountsAreRounded => {
                "A write whose source ends early ends at the last whole page of the file before that byte, \
                 or fails with EFAULT if there is none. btrfs and FUSE fault the source in for one page of the file after the other, \
                 and give a page up that they cannot have all of (`copy_one_range`, `fuse_fill_write_pages`). A kernel whose \
                 btrfs takes several pages at once, which is tried at the start, may end at any whole page before. \
                 POSIX allows a write to end early."
            }
            Leeway::FailedTruncateFallsBack => {
                "A truncate that fails since writes of the file have failed leaves the size that is on \
                 the device. btrfs waits for these writes, and if it cannot go on takes that size \
                 (`btrfs_setsize`). Nobody sees which size that is: one that the file has had since all of it was on the device, \
                 or a place where an extent can end. Each of these is \
                 allowed until the size is looked at while nobody acts. POSIX (XSH 2.3): when an error is detected, what was asked for may \
                 have been done in part, unless it says otherwise."
            }
        }
    }
}

/// The leeways of a filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leeways(u8);

impl Leeways {
    /// None: the strict answer everywhere.
    pub const NONE: Leeways = Leeways(0);

    /// These.
    pub fn of(leeways: &[Leeway]) -> Leeways {
        Leeways(leeways.iter().fold(0, |all, leeway| all | leeway.bit()))
    }

    /// Whether that is one of them.
    pub fn has(self, leeway: Leeway) -> bool {
        self.0 & leeway.bit() != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Leeway> {
        Leeway::ALL.into_iter().filter(move |leeway| self.has(*leeway))
    }
}

impl Leeway {
    fn bit(self) -> u8 {
        match self {
            Leeway::GrowthInSteps => 1,
            Leeway::FailedWriteMovesEof => 2,
            Leeway::StoresBeyondEofStay => 4,
            Leeway::ShortCountsAreRounded => 8,
            Leeway::FailedTruncateFallsBack => 16,
            Leeway::GrowthShowsStores => 32,
        }
    }
}
