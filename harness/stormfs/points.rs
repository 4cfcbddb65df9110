//! The named points: places where a scenario may delay an actor or hold it.
//!
//! In the simulated world each is a scheduling point; in the threads world it costs one counter.
//! A point is named `<operation>.<what has just happened>`, unless the name says `before`.

macro_rules! points {
    ($($(#[doc = $about:literal])* $variant:ident = $name:literal,)*) => {
        /// A named point.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Point { $($(#[doc = $about])* $variant,)* }

        impl Point {
            /// Every point, in the order of the operations they belong to.
            pub const ALL: &'static [Point] = &[$(Point::$variant,)*];

            /// The name in scenarios, traces and reports.
            pub fn name(self) -> &'static str {
                match self { $(Point::$variant => $name,)* }
            }

            /// Where the actor stands, in one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Point::$variant => concat!($($about),*).trim_ascii(),)* }
            }

            /// The point's place in [`Point::ALL`].
            #[inline]
            #[expect(clippy::as_conversions, reason = "the discriminant of a fieldless enum")]
            pub fn code(self) -> u16 {
                self as u16
            }

            /// The point of that name.
            pub fn named(name: &str) -> Option<Point> {
                Point::ALL.iter().copied().find(|point| point.name() == name)
            }
        }
    };
}

points! {
    /// A buffered read has locked the folio it copies from.
    ReadFolioLocked = "read.folio_locked",
    /// A buffered write holds `i_rwsem` and has passed its size checks.
    WriteLocked = "write.locked",
    /// The write has its mapping cached and its delalloc reserved; no folio is locked.
    WriteMapped = "write.mapped",
    /// The source buffer has been faulted in; no folio is locked.
    WriteFaultedIn = "write.faulted_in",
    /// The write has locked the folio and not yet compared the cookie.
    WriteFolioLocked = "write.folio_locked",
    /// The cookie was found current.
    WriteValidated = "write.validated",
    /// Bytes have been copied into the folio, and not yet accepted.
    WriteCopied = "write.copied",
    /// The bytes are accepted and the folio is dirty, still locked.
    WriteAccepted = "write.accepted",
    /// `i_size` covers the accepted bytes; the folio is still locked.
    WriteSizePublished = "write.size_published",
    /// The folio is unlocked; here writers that dirty too much are made to wait.
    WriteUnlocked = "write.unlocked",
    /// The end hook is about to look for what the write did not use.
    WriteEndBeforeWalk = "write_end.before_walk",
    /// The page-cache walk has found a folio and not yet locked it.
    WriteEndScan = "write_end.scan",
    /// The end hook is about to punch a range of delalloc.
    WriteEndBeforePunch = "write_end.before_punch",
    /// A page fault is about to take `invalidate_lock`.
    FaultEntered = "fault.entered",
    /// A write fault has the folio locked and its size check behind it.
    FaultFolioLocked = "fault.folio_locked",
    /// The write fault has its blocks reserved, and the folio is not yet dirty.
    FaultBeforeDirty = "fault.before_dirty",
    /// The PTE is writable; the folio is still locked.
    FaultPteWritable = "fault.pte_writable",
    /// Writeback has locked a dirty folio.
    WritebackFolioLocked = "writeback.folio_locked",
    /// PTEs are write-protected and the folio's dirty flag is not yet cleared.
    WritebackProtected = "writeback.protected",
    /// The folio's dirty flag is cleared and PTEs are write-protected.
    WritebackDirtyCleared = "writeback.dirty_cleared",
    /// A run of dirty blocks has its mapping.
    WritebackMapped = "writeback.mapped",
    /// The folio's dirty blocks have been read into I/O, and its dirty bits are clear.
    WritebackRead = "writeback.read",
    /// An ioend is about to be handed to the device.
    WritebackBeforeSubmit = "writeback.before_submit",
    /// I/O is done and its unwritten extents are not yet converted.
    IoendBeforeConvert = "ioend.before_convert",
    /// Extents are converted and the writeback bit is still set.
    IoendConverted = "ioend.converted",
    /// Truncate holds its locks and has changed nothing.
    TruncateLocked = "truncate.locked",
    /// The tail of the new last block, or the gap up to the new size, is zero.
    TruncateZeroed = "truncate.zeroed",
    /// `i_size` has its new value; folios and extents beyond it still exist.
    TruncateSizeSet = "truncate.size_set",
    /// No folio lies beyond the new size; extents beyond it still exist.
    TruncateCacheDropped = "truncate.cache_dropped",
    /// A punch or zero range has written back and dropped the cache of its range.
    PunchUnmapped = "punch.unmapped",
    /// The whole blocks of the range are holes; the edges are not yet zeroed.
    PunchExtentsFreed = "punch.extents_freed",
    /// Zeroing is about to look up a mapping.
    ZeroBeforeMap = "zero.before_map",
    /// Zeroing has its mapping and has done nothing about it.
    ZeroMapped = "zero.mapped",
    /// Zeroing has locked the folio.
    ZeroFolioLocked = "zero.folio_locked",
    /// Fallocate has allocated an extent.
    FallocateAllocated = "fallocate.allocated",
    /// Reclaim has a clean folio locked and is about to remove it.
    EvictFolioLocked = "evict.folio_locked",
    /// fsync has written everything back and has not yet flushed the device.
    FsyncBeforeFlush = "fsync.before_flush",
}
