//! What a filesystem can do: tried once, at the start, on a file of its own.

use crate::clone::clone_range;
use crate::direct::{self, Aligned};
use crate::file::{Bytes, File};
use crate::look;
use crate::mapping::Mapping;
use crate::mm::Mm;
use crate::volume::Volume;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, copy_file_range};
use nix::sys::statvfs::fstatvfs;
use std::collections::BTreeMap;

/// Something that not every filesystem can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// `mmap(2)` with `MAP_SHARED`.
    Mmap,
    /// `fallocate(2)`.
    Fallocate,
    /// `fallocate(2)` with `PUNCH_HOLE`.
    Punch,
    /// `fallocate(2)` with `ZERO_RANGE`.
    ZeroRange,
    /// `fallocate(2)` with `COLLAPSE_RANGE`.
    Collapse,
    /// `fallocate(2)` with `INSERT_RANGE`.
    Insert,
    /// `FICLONERANGE`.
    Reflink,
    /// `copy_file_range(2)`.
    CopyRange,
    /// `O_DIRECT`.
    Direct,
    /// `FIEMAP`.
    Fiemap,
    /// `lseek(2)` with `SEEK_DATA` and `SEEK_HOLE`.
    SeekData,
    /// `cachestat(2)`, of the kernel since 6.5.
    Cachestat,
}

impl Ability {
    /// Every ability, in the order of reports.
    pub const ALL: [Ability; 12] = [
        Ability::Mmap,
        Ability::Fallocate,
        Ability::Punch,
        Ability::ZeroRange,
        Ability::Collapse,
        Ability::Insert,
        Ability::Reflink,
        Ability::CopyRange,
        Ability::Direct,
        Ability::Fiemap,
        Ability::SeekData,
        Ability::Cachestat,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Ability::Mmap => "mmap",
            Ability::Fallocate => "fallocate",
            Ability::Punch => "punch",
            Ability::ZeroRange => "zero_range",
            Ability::Collapse => "collapse",
            Ability::Insert => "insert",
            Ability::Reflink => "reflink",
            Ability::CopyRange => "copy_range",
            Ability::Direct => "direct",
            Ability::Fiemap => "fiemap",
            Ability::SeekData => "seek_data",
            Ability::Cachestat => "cachestat",
        }
    }
}

/// What one filesystem can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// Bytes of its block.
    pub block_size: u64,
    /// Direct reads and writes begin and end at multiples of it.
    pub direct_unit: u64,
    /// What it cannot do, and what it answers.
    pub missing: BTreeMap<Ability, Errno>,
}

impl Abilities {
    /// Tries everything on `volume`. What fails otherwise than for want of an ability is told, with what
    /// was tried.
    pub fn of(volume: &Volume) -> Result<Abilities, (&'static str, Errno)> {
        let space = fstatvfs(volume.root()).map_err(|errno| ("fstatvfs", errno))?;
        // `f_bsize` is what it likes to transfer; blocks are counted in units of `f_frsize`.
        let block_size = space.fragment_size().max(512);
        let trial =
            Trial::new(volume, block_size).map_err(|errno| ("a file of eight blocks", errno))?;
        let mut missing = BTreeMap::new();
        for ability in Ability::ALL {
            match trial.attempt(ability) {
                Ok(()) => {}
                Err(errno) if ABSENT.contains(&errno) => drop(missing.insert(ability, errno)),
                Err(errno) => return Err((ability.name(), errno)),
            }
        }
        let direct_unit = direct::alignment(&trial.one).unwrap_or(block_size);
        Ok(Abilities { block_size, direct_unit, missing })
    }

    /// Whether it can do that.
    pub fn has(&self, ability: Ability) -> bool {
        !self.missing.contains_key(&ability)
    }
}

/// What filesystems and kernels answer that do not know a call, or that have been told not to take it.
/// Everything else says that a call was tried and went wrong.
const ABSENT: &[Errno] = &[
    Errno::EOPNOTSUPP,
    Errno::ENOSYS,
    Errno::ENOTTY,
    Errno::EINVAL,
    Errno::ENODEV,
    Errno::EPERM,
    Errno::EXDEV,
];

/// Two files to try things on: eight blocks of one and the other.
struct Trial {
    one: File,
    other: File,
    block: u64,
}

const BLOCKS: u64 = 8;

impl Trial {
    fn new(volume: &Volume, block: u64) -> Result<Trial, Errno> {
        let file = |name| {
            let file = volume.create(name)?;
            let opened = File::open(&file)?;
            volume.forget(name)?;
            Ok(opened)
        };
        let trial = Trial { one: file("trial-1")?, other: file("trial-2")?, block };
        let bytes = vec![1; usize::try_from(block * BLOCKS).map_err(|_| Errno::EINVAL)?];
        if trial.one.write(0, Bytes::Whole(&bytes, &[]))? < block * BLOCKS {
            return Err(Errno::ENOSPC);
        }
        trial.one.sync()?;
        Ok(trial)
    }

    fn attempt(&self, ability: Ability) -> Result<(), Errno> {
        let Trial { one, other, block } = self;
        let second = *block..2 * block;
        let allocate = |how| one.allocate(how, second.clone());
        let keep = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        match ability {
            Ability::Mmap => Mapping::new(&Mm::ours(), one, 4096, 4096)?.store(0, &[1]).map(drop),
            Ability::Fallocate => allocate(FallocateFlags::empty()),
            Ability::Punch => allocate(FallocateFlags::FALLOC_FL_PUNCH_HOLE | keep),
            Ability::ZeroRange => allocate(FallocateFlags::FALLOC_FL_ZERO_RANGE | keep),
            Ability::Collapse => allocate(FallocateFlags::FALLOC_FL_COLLAPSE_RANGE),
            Ability::Insert => allocate(FallocateFlags::FALLOC_FL_INSERT_RANGE),
            Ability::Reflink => clone_range(one, 0..*block, other, 0),
            Ability::CopyRange => {
                let len = usize::try_from(*block).map_err(|_| Errno::EINVAL)?;
                copy_file_range(one, Some(&mut 0), other, Some(&mut 0), len).map(drop)
            }
            Ability::Direct => {
                let file = one.direct().ok_or(Errno::EINVAL)?;
                let mut block = vec![0; usize::try_from(*block).map_err(|_| Errno::EINVAL)?];
                Aligned::new(block.len())?.read(file, 0, &mut block).map(drop)
            }
            Ability::Fiemap => look::extents(one, 0..*block).map(drop),
            Ability::SeekData => look::next_data(one, 0).map(drop),
            Ability::Cachestat => look::cached(one, 0..*block).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use crate::kind::Kind;
    use crate::volume::{Spec, Venue};

    #[test]
    fn only_who_does_not_know_a_call_lacks_it() {
        for (errno, is_absent) in [
            (Errno::EOPNOTSUPP, true),
            (Errno::EINVAL, true),
            (Errno::EXDEV, true),
            (Errno::EIO, false),
            (Errno::ENOSPC, false),
            (Errno::EFAULT, false),
        ] {
            assert_eq!(ABSENT.contains(&errno), is_absent, "{errno:?}");
        }
        if !is_allowed("a filesystem without room for what is tried", &[]) {
            return;
        }
        let spec = Spec { size: 16 << 10, ..Spec::plain(Kind::Tmpfs) };
        let volume = Volume::open(&Venue::Made(spec)).unwrap();
        assert_eq!(Abilities::of(&volume), Err(("a file of eight blocks", Errno::ENOSPC)));
    }

    #[test]
    fn what_the_kernels_filesystems_lack_is_known() {
        if !is_allowed("what filesystems lack", &[]) {
            return;
        }
        let table: [(Kind, &[Ability]); 4] = [
            (Kind::Xfs, &[]),
            (Kind::Ext4, &[Ability::Reflink]),
            (Kind::Btrfs, &[Ability::Collapse, Ability::Insert]),
            (
                Kind::Tmpfs,
                &[
                    Ability::ZeroRange,
                    Ability::Collapse,
                    Ability::Insert,
                    Ability::Reflink,
                    Ability::Fiemap,
                ],
            ),
        ];
        for (kind, lacks) in table {
            let volume = Volume::open(&Venue::Made(Spec::plain(kind))).unwrap();
            let abilities = Abilities::of(&volume).unwrap();
            let missing: Vec<_> = abilities.missing.keys().copied().collect();
            assert_eq!(missing, lacks, "{kind:?}: {abilities:?}");
            assert_eq!(abilities.block_size, 4096, "{kind:?}");
        }
    }
}
