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
}

macro_rules! op_kinds {
    ($($(#[doc = $about:literal])* $variant:ident = $name:literal,)*) => {
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
        }
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
            | Op::Evict(range) => write!(f, "{name} {range}"),
            Op::Append(len) => write!(f, "{name} {len} bytes"),
            Op::WriteFromMmap { pos, source } => write!(f, "{name} at {pos} from {source}"),
            Op::Truncate(size) => write!(f, "{name} to {size}"),
            Op::ZeroRange { range, keep_size } | Op::Fallocate { range, keep_size } => {
                write!(f, "{name} {range}{}", keep(keep_size))
            }
            Op::Fsync | Op::Sync | Op::Release => f.write_str(name),
        }
    }
}
