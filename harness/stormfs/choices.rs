//! The choices the filesystem makes, one field per decision.
//!
//! `Choices::default()` is the correct filesystem: the one its authors wish they had. A historic
//! bug is another value of one field, or of a few. Algorithms never name a bug; they ask [`crate::rules`].

/// One decision: its name under `filesystem:` in a scenario, and the values it takes.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    /// The key in a scenario.
    pub name: &'static str,
    /// The question that is decided.
    pub about: &'static str,
    /// The values, the default first, each with one sentence.
    pub values: &'static [(&'static str, &'static str)],
    /// Those besides the default that are correct, too.
    pub also_right: &'static [&'static str],
}

impl Decision {
    /// The values that lose data, leak space or hang, or break a promise on which others build.
    pub fn wrong_values(&self) -> impl Iterator<Item = &'static str> {
        let names = self.values[1..].iter().map(|(name, _)| *name);
        names.filter(|name| !self.also_right.contains(name))
    }
}

/// A value of a decision.
pub trait Chosen: Copy {
    /// The name of the decision.
    const DECISION: &'static str;
}

macro_rules! choices {
    ($($(#[doc = $about:literal])* $field:ident: $type:ident {
        $($(#[doc = $value_about:literal])* $variant:ident = $name:literal $($right:ident)?,)*
    })*) => {
        $(
            $(#[doc = $about])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub enum $type { $($(#[doc = $value_about])* $variant,)* }

            impl $type {
                const ALL: &'static [$type] = &[$($type::$variant,)*];

                /// The value's name in a scenario.
                pub fn name(self) -> &'static str {
                    match self { $($type::$variant => $name,)* }
                }
            }

            impl Default for $type {
                fn default() -> Self { $type::ALL[0] }
            }

            impl Chosen for $type {
                const DECISION: &'static str = stringify!($field);
            }
        )*

        /// Every decision with its value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct Choices { $($(#[doc = $about])* pub $field: $type,)* }

        impl Choices {
            /// Every decision.
            pub const DECISIONS: &'static [Decision] = &[$(Decision {
                name: stringify!($field),
                about: concat!($($about),*).trim_ascii(),
                values: &[$(($name, concat!($($value_about),*).trim_ascii()),)*],
                also_right: &[$($(choices!(@$right $name),)?)*],
            },)*];

            /// Sets the decision of that name. False if there is no such decision or value.
            #[must_use]
            pub fn set(&mut self, decision: &str, value: &str) -> bool {
                $(if decision == stringify!($field) {
                    let found = $type::ALL.iter().find(|known| known.name() == value);
                    if let Some(found) = found { self.$field = *found; }
                    return found.is_some();
                })*
                false
            }

            /// The decisions that differ from the correct filesystem, as name and value.
            pub fn departures(&self) -> Vec<(&'static str, &'static str)> {
                let mut list = Vec::new();
                $(if self.$field != $type::default() {
                    list.push((stringify!($field), self.$field.name()));
                })*
                list
            }
        }
    };
    (@right $name:literal) => { $name };
}

// A value marked `right` is as correct as the default, and its runs are clean.
choices! {
    /// How does a buffered write hold `i_rwsem`?
    write_lock: WriteLocking {
        /// Exclusively.
        Exclusive = "exclusive",
        /// Shared if it does not end beyond the end of the file, else exclusively.
        SharedNonextending = "shared_nonextending" right,
        /// Shared.
        Shared = "shared" right,
    }
    /// Where `i_rwsem` is shared, what keeps a write from others in its range?
    write_range: WriteRange {
        /// It locks the range, rounded outward to folios; up to infinity if it extends the file.
        Locked = "locked",
        /// Nothing: folio locks and the check of its mappings are all there is.
        Unlocked = "unlocked",
    }
    /// When is a cached mapping compared with the extent map?
    mapping_check: MappingCheck {
        /// Under the lock of every folio, before it is touched.
        EachFolio = "each_folio",
        /// Under the lock of the first folio that is used with it, and for the others not at all.
        FirstFolio = "first_folio",
        /// For every folio, before its lock is taken: the wait for the lock comes after.
        BeforeLock = "before_lock",
        /// Never: the mapping is used for as long as it covers the range.
        Never = "never",
    }
    /// Where `i_rwsem` is shared, how often does a write map again because its mapping was stale?
    stale_retries: StaleRetries {
        /// Twice in a row without a byte accepted; then it keeps other writes from mapping.
        Bounded = "bounded",
        /// As often as its mappings go stale.
        Unbounded = "unbounded",
    }
    /// Which blocks that are filled only in part get zeros, and are not read?
    zeroing: Zeroing {
        /// Those that are not mapped, or new, or beyond the end of the file.
        TypeNewEof = "type_new_eof",
        /// Those that are not mapped. Here that is the same: what a lookup reserves anew is never
        /// mapped, and no mapped block lies beyond the end of the file, as writeback stops there and
        /// truncate frees what is behind.
        TypeOnly = "type_only" right,
        /// Those that are new, or beyond the end of the file. Of the others, unwritten blocks are
        /// read from the device as if they held data, and delayed ones stay as the memory was.
        NewOnly = "new_only",
    }
    /// Which copies that ended early are kept?
    short_copy: ShortCopy {
        /// As much of them as ends at a block's end, or in a block that was uptodate before.
        WholeBlocks = "whole_blocks",
        /// All of them if the folio is wholly uptodate, else nothing: until the write tries again,
        /// bytes that nobody accepted may stand in a block that was uptodate.
        IfUptodate = "if_uptodate",
        /// All of them, also into a block whose other bytes were never filled.
        Always = "always",
    }
    /// How much is tried again of a copy that ended early and was not kept?
    short_copy_retry: ShortCopyRetry {
        /// As much as was copied: that can be copied again, and kept.
        CopiedCount = "copied_count",
        /// As much as before: where the source cannot be read, the copy ends there for ever.
        FullCount = "full_count",
    }
    /// What does a copy of no bytes leave in a folio that is uptodate?
    empty_copy: EmptyCopy {
        /// Nothing.
        MarksNothing = "marks_nothing",
        /// A dirty folio. Which of its blocks are dirty is computed from the copy's first byte to its
        /// last, which is the byte before: where the copy began within a block, that is this block;
        /// where it began a block, none; and at the start of the folio the number wraps around, and
        /// it is all of them.
        MarksLastBlock = "marks_last_block",
    }
    /// When does a write that grows the file publish its size?
    size_update: SizeUpdate {
        /// Under the lock of the folio it has filled, which writeback needs to see the bytes.
        UnderFolioLock = "under_folio_lock",
        /// When that lock is released: writeback may see the new bytes first, take them for what
        /// lies beyond the end, and cut them off.
        AfterUnlock = "after_unlock",
        /// When it has its mapping, before it copies: a copy that fails leaves the file too long.
        AtMapping = "at_mapping",
    }
    /// What does a write give back of the delalloc it reserved and did not fill?
    write_cleanup: WriteCleanup {
        /// Only the holes of the page cache, found by walking it under `invalidate_lock`.
        CacheWalk = "cache_walk",
        /// The same, without the lock: a fault can put data where the walk has found none.
        CacheWalkUnlocked = "cache_walk_unlocked",
        /// The whole range, after dropping its page cache under `invalidate_lock`.
        WholeRangeLocked = "whole_range_locked",
        /// The whole range, after dropping its page cache, without the lock.
        WholeRange = "whole_range",
        /// As `whole_range`, but nothing of a stale mapping: the one that replaces it will see to it.
        /// That one finds the reservation there, takes it for somebody else's, and keeps it.
        SkipIfStale = "skip_if_stale",
        /// As `skip_if_stale`, and the mapping that replaces the stale one counts as new, whatever
        /// it covers: what the stale one covered beyond it is nobody's, and what others reserved or
        /// wrote under it is dropped, or zeroed, as if it were the write's own.
        SkipIfStaleCarryNew = "skip_if_stale_carry_new",
    }
    /// Where does the walk of the page cache end?
    walk_end: WalkEnd {
        /// With the block that holds the end of the file.
        EndOfFile = "end_of_file",
        /// With the write: a dirty folio that straddles the end of the file keeps what was reserved
        /// under the rest of it, which no writeback will convert.
        EndOfWrite = "end_of_write",
    }
    /// How is the offset computed at which the walk of the page cache goes on?
    walk_index: WalkIndex {
        /// In as many bits as a position has.
        Full = "full",
        /// In a page index of 8 bits: from the first MiB on the walk starts again and again.
        Wraps = "wraps",
    }
    /// What does zeroing do when its mapping went stale or failed, and the rest is given back?
    zero_cleanup: ZeroCleanup {
        /// It goes on under the `invalidate_lock` that its caller holds.
        CallerHoldsLock = "caller_holds_lock",
        /// It takes `invalidate_lock`, as a write does.
        TakesLock = "takes_lock",
    }
    /// Whose operations does a write fault use to reserve its blocks?
    fault_ops: FaultOps {
        /// Its own, which have nothing to do in the end: what a fault reserves it also dirties.
        Own = "own",
        /// Those of a buffered write: a fault that gives up cleans up as a write does that has
        /// written nothing, under the lock of its folio and without `i_rwsem`.
        BufferedWrite = "buffered_write",
    }
    /// What happens to bytes beyond the end of the file when it grows over them?
    extension: Extension {
        /// They are zeroed, in the cache and on disk.
        ZeroExposed = "zero_exposed",
        /// A write beyond the end leaves them as they are.
        NotByWrite = "not_by_write",
        /// Truncate leaves them as they are.
        NotByTruncate = "not_by_truncate",
        /// Plain fallocate leaves them as they are.
        NotByFallocate = "not_by_fallocate",
        /// Zero range leaves them as they are where they lie before its range.
        NotByZeroRange = "not_by_zero_range",
        /// They are left as they are, whatever grows the file.
        LeaveExposed = "leave_exposed",
    }
    /// What happens to the PTEs of the folio that straddled the end, once the file has grown?
    extension_protect: ExtensionProtect {
        /// They lose write access: the next store faults, and reserves what the end has passed.
        Protects = "protects",
        /// They stay as they are: a store reaches blocks that nobody has reserved (90a8020278).
        LeavesWritable = "leaves_writable",
    }
    /// In which order does a truncate that shrinks do its work, once the tail is zeroed?
    truncate_order: TruncateOrder {
        /// It publishes the size, drops the cache, writes back up to the new end, frees extents.
        SizeCacheFlushFree = "size_cache_flush_free",
        /// It writes back first: the last folio still has the tail that it had, unless zeroing has
        /// dirtied it (350976ae2187).
        FlushSizeCacheFree = "flush_size_cache_free",
        /// It frees extents before it drops the cache: writeback goes on into blocks that are free.
        SizeFreeCacheFlush = "size_free_cache_flush",
    }
    /// In which order does writeback make a mapped folio clean?
    clean_order: CleanOrder {
        /// PTEs are write-protected, then the dirty flag is cleared.
        ProtectThenClear = "protect_then_clear",
        /// The dirty flag is cleared and the folio read for I/O, then PTEs are write-protected.
        ClearThenProtect = "clear_then_protect",
    }
    /// Which changes of the extent map does the cookie of a mapping notice?
    cookie: Cookie {
        /// Every change of a record.
        EveryChange = "every_change",
        /// All but the conversion of unwritten extents: a mapping sampled before stays valid, and
        /// what it takes for unwritten is filled with zeros.
        NoConversions = "no_conversions",
        /// All but the allocation of delayed extents: what a valid mapping takes for delayed is
        /// unwritten. A write fills both with zeros, so that no byte is lost by this alone.
        NoAllocations = "no_allocations",
    }
    /// What does zeroing do about dirty cache over holes and unwritten extents?
    zero_range: ZeroRange {
        /// It asks for dirty cache before the first lookup, and if there is any, writes it back and
        /// looks again.
        SamplesBeforeLookup = "samples_before_lookup",
        /// The same, but it asks after each lookup: what was written back and dropped in between is
        /// taken for zero.
        SamplesAfterLookup = "samples_after_lookup",
        /// Nothing: they are taken for zero.
        SkipsUnwritten = "skips_unwritten",
    }
    /// What does a truncate that shrinks do before it zeroes the tail of the new last block?
    truncate_eof: TruncateEof {
        /// Nothing: zeroing itself looks for dirty cache.
        Zeroes = "zeroes",
        /// It writes that block back (869ae85dae64, v5.10).
        FlushesFirst = "flushes_first" right,
    }
    /// How is a delayed allocation zeroed that lies beyond the last block of the file?
    posteof_delalloc: PosteofDelalloc {
        /// It becomes an unwritten extent.
        BecomesUnwritten = "becomes_unwritten",
        /// By zeros in the cache, which writeback skips and cleans as long as they lie beyond the end.
        ZeroedInCache = "zeroed_in_cache",
    }
    /// What does zeroing beyond the end of the file do to its size?
    zero_extends: ZeroExtends {
        /// Nothing.
        KeepsSize = "keeps_size",
        /// It raises the size to where the zeros end, as a write would.
        GrowsSize = "grows_size",
    }
    /// How far does a completed I/O raise the size on disk?
    size_disk: SizeDisk {
        /// To the last byte that it carried.
        BytesCarried = "bytes_carried",
        /// To the end of its last block, or to the size that the file has by then.
        WholeBlocks = "whole_blocks",
    }
    /// What is read into a folio of which some blocks are uptodate?
    read_run: ReadRun {
        /// The blocks that are not.
        OnlyMissing = "only_missing",
        /// Everything from the first that is not to the last, over what is uptodate, and perhaps
        /// dirty, between them.
        FirstToLast = "first_to_last",
    }
    /// Which blocks of a folio are clean after a truncate has cut it?
    partial_drop: PartialDrop {
        /// Those that lie wholly beyond the cut.
        WholeBlocks = "whole_blocks",
        /// The block that is cut, too: what was written before the cut is never written back.
        TouchedBlocks = "touched_blocks",
    }
    /// Does writeback compare its cached mapping with the extent map before it uses it again?
    writeback_mapping: WritebackMapping {
        /// Each time.
        Revalidated = "revalidated",
        /// Never: it is used as long as it covers the block.
        WhileItCovers = "while_it_covers",
    }
    /// What does a delayed allocation become when writeback gives it blocks?
    allocation: Allocation {
        /// Unwritten, all of it; the completion of I/O makes written what it has written.
        Unwritten = "unwritten",
        /// Written, also where no I/O is about to go: those blocks read as what they held before.
        Written = "written",
    }
    /// What do punch and zero range do with a folio that they cover only in part?
    partial_punch: PartialPunch {
        /// They write it back and take it from the cache and from every mapping.
        Unmapped = "unmapped",
        /// They zero it in place, and its PTEs stay: a store through one needs no fault, and
        /// reserves nothing where a block was freed (17207d0bb209).
        KeepsPte = "keeps_pte",
    }
    /// What do punch and zero range do with the folio that straddles the end of the file, if they
    /// reach the end?
    punch_eof: PunchEof {
        /// They take it from the cache, and write back what they dirty of it again: writeback zeroes
        /// what lies behind the end.
        WrittenBack = "written_back",
        /// They zero their range in it, and leave it where it is, mapped and unwritten: what mappings
        /// stored behind the end stays there.
        LeftInPlace = "left_in_place",
    }
    /// Under which lock do page faults bring folios into the cache?
    fault_lock: FaultLock {
        /// `invalidate_lock`, shared.
        InvalidateLock = "invalidate_lock",
        /// None: a folio is read from a block that a punch is about to free (730633f0b7f9).
        None = "none",
    }
}
