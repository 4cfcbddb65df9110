//! What an actor may ask of the filesystem, as data, and what it gets back.

use crate::errno::Errno;
use crate::quantity::ByteRange;
use std::fmt;

/// Names one operation of a run: which actor issued it, and its number among that actor's.
///
/// The id is stable under removal of other operations and other actors, and it is what the
/// 64-bit tag in written bytes decodes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// The actor's number, in the order of the scenario. Below [`OpId::ACTORS`].
    pub actor: u16,
    /// Counts from 1 within the actor. Below 2^48.
    pub number: u64,
}

impl OpId {
    /// Actor numbers lie below this.
    pub const ACTORS: u16 = 0xff00;

    /// The id as one word: actor in the upper 16 bits, number in the lower 48.
    pub fn packed(self) -> u64 {
        u64::from(self.actor) << 48 | self.number
    }

    /// The inverse of [`OpId::packed`].
    pub fn unpacked(word: u64) -> OpId {
        let actor = u16::try_from(word >> 48).expect("16 bits are left");
        OpId { actor, number: word & ((1 << 48) - 1) }
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.actor, self.number)
    }
}

/// One operation on one file. Positions and lengths are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `pread(2)`.
    Read(ByteRange),
    /// `pwrite(2)` from anonymous memory.
    Write(ByteRange),
    /// `write(2)` of so many bytes on a descriptor opened with `O_APPEND`.
    Append(u64),
    /// `pwrite(2)` whose source is a shared mapping of the same file.
    WriteFromMmap {
        /// Where to.
        pos: u64,
        /// Where from.
        source: ByteRange,
    },
    /// Loads through a shared mapping.
    MmapLoad(ByteRange),
    /// Stores through a shared mapping.
    MmapStore(ByteRange),
    /// `ftruncate(2)` to this size.
    Truncate(u64),
    /// `fallocate(2)` with `PUNCH_HOLE | KEEP_SIZE`.
    Punch(ByteRange),
    /// `fallocate(2)` with `ZERO_RANGE`.
    ZeroRange {
        /// What to zero.
        range: ByteRange,
        /// Whether `KEEP_SIZE` is given.
        keep_size: bool,
    },
    /// Plain `fallocate(2)`.
    Fallocate {
        /// What to allocate.
        range: ByteRange,
        /// Whether `KEEP_SIZE` is given.
        keep_size: bool,
    },
    /// `fsync(2)`.
    Fsync,
    /// `sync(2)`: every file of the filesystem.
    Sync,
    /// Background writeback of a range; starts I/O and does not wait for it.
    Writeback(ByteRange),
    /// Memory reclaim of the clean folios of a range.
    Evict(ByteRange),
    /// The last `close(2)`: speculative preallocation is given back.
    Release,
    /// `pread(2)` with `O_DIRECT`.
    DirectRead(ByteRange),
    /// `pwrite(2)` with `O_DIRECT`.
    DirectWrite(ByteRange),
    /// `copy_file_range(2)`.
    CopyRange(Transfer),
    /// `FICLONERANGE`.
    Reflink(Transfer),
    /// `fallocate(2)` with `COLLAPSE_RANGE`: what lies behind moves down.
    Collapse(ByteRange),
    /// `fallocate(2)` with `INSERT_RANGE`: what lies at its start and behind moves up.
    Insert(ByteRange),
    /// `fdatasync(2)`.
    Fdatasync,
    /// `sync_file_range(2)`.
    SyncRange {
        /// What to write back.
        range: ByteRange,
        /// Whether it waits, before and after: `SYNC_FILE_RANGE_WAIT_BEFORE` and `WAIT_AFTER`.
        wait: bool,
    },
    /// `msync(2)` with `MS_SYNC`.
    Msync(ByteRange),
    /// `posix_fadvise(2)` with `DONTNEED`.
    DontNeed(ByteRange),
    /// `madvise(2)` with `MADV_PAGEOUT`.
    PageOut(ByteRange),
}

/// Bytes of one file that go to another, or elsewhere in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The number of the file that they come from.
    pub from: usize,
    /// Where they are there.
    pub source: ByteRange,
    /// Where they go.
    pub pos: u64,
}

impl Transfer {
    /// What it writes over.
    pub fn target(&self) -> ByteRange {
        ByteRange::at(self.pos, self.source.len())
    }
}

macro_rules! op_kinds {
    (@is_modelled) => { true };
    (@is_modelled real) => { false };
    ($($(#[doc = $about:literal])* $variant:ident = $name:literal $($real:ident)?,)*) => {
        /// The kind of an operation: what scenarios weigh and reports count.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OpKind { $($(#[doc = $about])* $variant,)* }

        impl OpKind {
            /// Every kind, in the order in which reports list them.
            pub const ALL: &'static [OpKind] = &[$(OpKind::$variant,)*];

            /// The name in scenarios and reports.
            pub fn name(self) -> &'static str {
                match self { $(OpKind::$variant => $name,)* }
            }

            /// One sentence for listings.
            pub fn about(self) -> &'static str {
                match self { $(OpKind::$variant => concat!($($about),*).trim_ascii(),)* }
            }

            /// Whether stormfs does it. Those that are marked `real` are for filesystems of the kernel.
            pub fn is_modelled(self) -> bool {
                match self { $(OpKind::$variant => op_kinds!(@is_modelled $($real)?),)* }
            }

            /// The kind of that name.
            pub fn named(name: &str) -> Option<OpKind> {
                OpKind::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

op_kinds! {
    /// `pread(2)`.
    Read = "read",
    /// `pwrite(2)` from anonymous memory.
    Write = "write",
    /// `write(2)` with `O_APPEND`.
    Append = "append",
    /// `pwrite(2)` whose source is a mapping of the same file.
    WriteFromMmap = "write_from_mmap",
    /// Loads through a shared mapping.
    MmapLoad = "mmap_load",
    /// Stores through a shared mapping.
    MmapStore = "mmap_store",
    /// `ftruncate(2)`, up or down.
    Truncate = "truncate",
    /// `fallocate(2)` with `PUNCH_HOLE`.
    Punch = "punch",
    /// `fallocate(2)` with `ZERO_RANGE`.
    ZeroRange = "zero_range",
    /// Plain `fallocate(2)`, with and without `KEEP_SIZE`.
    Fallocate = "fallocate",
    /// `fsync(2)`.
    Fsync = "fsync",
    /// `sync(2)`.
    Sync = "sync",
    /// Background writeback of a range.
    Writeback = "writeback",
    /// Memory reclaim of a range.
    Evict = "evict",
    /// The last `close(2)`, which frees speculative preallocation.
    Release = "release",
    /// `pread(2)` with `O_DIRECT`; `target` only.
    DirectRead = "direct_read" real,
    /// `pwrite(2)` with `O_DIRECT`; `target` only.
    DirectWrite = "direct_write" real,
    /// `copy_file_range(2)`, also from another file; `target` only.
    CopyRange = "copy_file_range" real,
    /// `FICLONERANGE`, also from another file; `target` only.
    Reflink = "reflink" real,
    /// `fallocate(2)` with `COLLAPSE_RANGE`, while nobody else changes the file; `target` only.
    Collapse = "collapse_range" real,
    /// `fallocate(2)` with `INSERT_RANGE`, while nobody else changes the file; `target` only.
    Insert = "insert_range" real,
    /// `fdatasync(2)`; `target` only.
    Fdatasync = "fdatasync" real,
    /// `sync_file_range(2)`, waiting or not; `target` only.
    SyncRange = "sync_file_range" real,
    /// `msync(2)` with `MS_SYNC`; `target` only.
    Msync = "msync" real,
    /// `posix_fadvise(2)` with `DONTNEED`, which leaves what is mapped; `target` only.
    DontNeed = "dontneed" real,
    /// `madvise(2)` with `MADV_PAGEOUT`; `target` only.
    PageOut = "page_out" real,
}

impl Op {
    /// The kind of this operation.
    pub fn kind(&self) -> OpKind {
        match self {
            Op::Read(_) => OpKind::Read,
            Op::Write(_) => OpKind::Write,
            Op::Append(_) => OpKind::Append,
            Op::WriteFromMmap { .. } => OpKind::WriteFromMmap,
            Op::MmapLoad(_) => OpKind::MmapLoad,
            Op::MmapStore(_) => OpKind::MmapStore,
            Op::Truncate(_) => OpKind::Truncate,
            Op::Punch(_) => OpKind::Punch,
            Op::ZeroRange { .. } => OpKind::ZeroRange,
            Op::Fallocate { .. } => OpKind::Fallocate,
            Op::Fsync => OpKind::Fsync,
            Op::Sync => OpKind::Sync,
            Op::Writeback(_) => OpKind::Writeback,
            Op::Evict(_) => OpKind::Evict,
            Op::Release => OpKind::Release,
            Op::DirectRead(_) => OpKind::DirectRead,
            Op::DirectWrite(_) => OpKind::DirectWrite,
            Op::CopyRange(_) => OpKind::CopyRange,
            Op::Reflink(_) => OpKind::Reflink,
            Op::Collapse(_) => OpKind::Collapse,
            Op::Insert(_) => OpKind::Insert,
            Op::Fdatasync => OpKind::Fdatasync,
            Op::SyncRange { .. } => OpKind::SyncRange,
            Op::Msync(_) => OpKind::Msync,
            Op::DontNeed(_) => OpKind::DontNeed,
            Op::PageOut(_) => OpKind::PageOut,
        }
    }
}

impl Op {
    /// The file that its bytes come from, if that can be another than its own.
    pub fn source_file(&mut self) -> Option<&mut usize> {
        let (Op::CopyRange(transfer) | Op::Reflink(transfer)) = self else { return None };
        Some(&mut transfer.from)
    }
}

/// What an operation returned: a byte count where the system call has one, else 0; or an error.
pub type Outcome = Result<u64, Errno>;

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind().name();
        let keep = |keep_size: &bool| if *keep_size { " keep_size" } else { "" };
        match self {
            Op::Read(range)
            | Op::Write(range)
            | Op::MmapLoad(range)
            | Op::MmapStore(range)
            | Op::Punch(range)
            | Op::Writeback(range)
            | Op::Evict(range)
            | Op::DirectRead(range)
            | Op::DirectWrite(range)
            | Op::Collapse(range)
            | Op::Insert(range)
            | Op::Msync(range)
            | Op::DontNeed(range)
            | Op::PageOut(range) => write!(f, "{name} {range}"),
            Op::SyncRange { range, wait } => {
                write!(f, "{name} {range}{}", if *wait { " wait" } else { "" })
            }
            Op::CopyRange(Transfer { from, source, pos })
            | Op::Reflink(Transfer { from, source, pos }) => {
                write!(f, "{name} at {pos} from {source} of file {from}")
            }
            Op::Append(len) => write!(f, "{name} {len} bytes"),
            Op::WriteFromMmap { pos, source } => write!(f, "{name} at {pos} from {source}"),
            Op::Truncate(size) => write!(f, "{name} to {size}"),
            Op::ZeroRange { range, keep_size } | Op::Fallocate { range, keep_size } => {
                write!(f, "{name} {range}{}", keep(keep_size))
            }
            Op::Fsync | Op::Sync | Op::Release | Op::Fdatasync => f.write_str(name),
        }
    }
}
