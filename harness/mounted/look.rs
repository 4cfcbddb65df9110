//! Looking at a file from outside: its blocks, its page cache, its size.

use crate::memory::offset;
use nix::errno::Errno;
use nix::libc;
use nix::sys::stat::fstat;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};

/// A piece of a file as `FIEMAP` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of the file.
    pub start: u64,
    /// How many.
    pub len: u64,
    /// Where on the device; 0 where it has no blocks yet.
    pub disk: u64,
    /// Whether its blocks are only promised.
    pub is_delalloc: bool,
    /// Whether it reads as zero until it is written.
    pub is_unwritten: bool,
    /// Whether its bytes lie among the metadata, so that no page is written back for them.
    pub is_inline: bool,
}

/// What of a range is in the page cache, in pages, as `cachestat(2)` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cached {
    /// All that is there.
    pub pages: u64,
    /// Of those, what is to be written back.
    pub dirty: u64,
    /// Of those, what is being written back.
    pub writeback: u64,
}

/// The size of a file, and the bytes of its blocks.
pub fn size_and_space(file: impl AsFd) -> Result<(u64, u64), Errno> {
    let stat = fstat(file)?;
    let unsigned = |count: i64| u64::try_from(count).expect("sizes are not negative");
    Ok((unsigned(stat.st_size), unsigned(stat.st_blocks) * 512))
}

/// The extents of `range`, in order. Nothing is written back for it.
pub fn extents(file: impl AsFd, range: Range<u64>) -> Result<Vec<Extent>, Errno> {
    gathered(range, |part| {
        let map = fiemap::asked(&file, part.start, part.end - part.start)?;
        let count = usize::try_from(map.mapped).expect("at most what there is room for");
        let found = map.extents[..count].iter().map(|found| Extent {
            start: found.logical,
            len: found.length,
            disk: found.physical,
            is_delalloc: found.flags & fiemap::DELALLOC != 0,
            is_unwritten: found.flags & fiemap::UNWRITTEN != 0,
            is_inline: found.flags & fiemap::INLINE != 0,
        });
        let is_last = count != 0 && map.extents[count - 1].flags & fiemap::LAST != 0;
        Ok((found.collect(), is_last))
    })
}

/// All that `ask` tells of a range, which tells a few extents at once, and whether there are no more.
fn gathered(
    range: Range<u64>,
    mut ask: impl FnMut(Range<u64>) -> Result<(Vec<Extent>, bool), Errno>,
) -> Result<Vec<Extent>, Errno> {
    let mut extents = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let (found, is_last) = ask(start..range.end)?;
        let end = found.last().map(|last| last.start.saturating_add(last.len));
        extents.extend(found);
        match end.filter(|end| start < *end && !is_last) {
            Some(end) => start = end,
            None => break,
        }
    }
    Ok(extents)
}

/// The number of `cachestat(2)`, which is the same everywhere but on alpha.
const CACHESTAT: libc::c_long = 451;

/// What is cached of `range`.
pub fn cached(file: impl AsFd, range: Range<u64>) -> Result<Cached, Errno> {
    if range.is_empty() {
        // The kernel takes no bytes for all bytes there are.
        return Ok(Cached::default());
    }
    let asked = [range.start, range.end - range.start];
    // Pages in the cache, dirty, in writeback, evicted, and evicted lately.
    let mut told = [0_u64; 5];
    // SAFETY: the kernel reads two words and writes five, from and to memory of that size.
    #[expect(unsafe_code, reason = "a system call that has no wrapper")]
    let done = unsafe {
        let fd = file.as_fd().as_raw_fd();
        libc::syscall(CACHESTAT, fd, asked.as_ptr(), told.as_mut_ptr(), 0)
    };
    if done != 0 {
        return Err(Errno::last());
    }
    Ok(Cached { pages: told[0], dirty: told[1], writeback: told[2] })
}

/// Where the next byte of data at or behind `pos` is; none behind the last.
pub fn next_data(file: impl AsFd, pos: u64) -> Result<Option<u64>, Errno> {
    match nix::unistd::lseek(file, offset(pos)?, nix::unistd::Whence::SeekData) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the next hole at or behind `pos` is: the end of the file is one.
pub fn next_hole(file: impl AsFd, pos: u64) -> Result<Option<u64>, Errno> {
    match nix::unistd::lseek(file, offset(pos)?, nix::unistd::Whence::SeekHole) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The kernel's interface, as in `linux/fiemap.h`.
mod fiemap {
    use super::{AsFd, AsRawFd, Errno};

    pub(super) const LAST: u32 = 1;
    pub(super) const DELALLOC: u32 = 4;
    pub(super) const INLINE: u32 = 0x200;
    pub(super) const UNWRITTEN: u32 = 0x800;

    /// Extents asked for at once.
    const ROOM: usize = 64;

    /// `struct fiemap_extent`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub(super) struct Found {
        pub(super) logical: u64,
        pub(super) physical: u64,
        pub(super) length: u64,
        reserved: [u64; 2],
        pub(super) flags: u32,
        reserved_too: [u32; 3],
    }

    /// `struct fiemap` with its extents.
    #[repr(C)]
    pub(super) struct Map {
        start: u64,
        length: u64,
        flags: u32,
        pub(super) mapped: u32,
        room: u32,
        reserved: u32,
        pub(super) extents: [Found; ROOM],
    }

    const _: () = assert!(size_of::<Found>() == 56 && size_of::<Map>() == 32 + ROOM * 56);

    /// `_IOWR('f', 11, struct fiemap)`: the size is that of the head alone.
    const FIEMAP: u64 = nix::request_code_readwrite!(b'f', 11, 32);

    mod raw {
        nix::ioctl_readwrite_bad!(fiemap, super::FIEMAP, super::Map);
    }

    #[expect(unsafe_code, reason = "an ioctl")]
    pub(super) fn asked(file: &impl AsFd, start: u64, length: u64) -> Result<Map, Errno> {
        let extents = [Found::default(); ROOM];
        let room = u32::try_from(ROOM).expect("a few");
        let mut map = Map { start, length, flags: 0, mapped: 0, room, reserved: 0, extents };
        // SAFETY: the kernel writes at most `room` extents, of which every bit pattern is valid, behind
        // the head, to memory that is exclusively ours.
        unsafe { raw::fiemap(file.as_fd().as_raw_fd(), &raw mut map) }?;
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed::is_allowed;
    use crate::file::Bytes;
    use crate::{File, Kind, Spec, Venue, Volume};
    use nix::fcntl::FallocateFlags;
    use nix::sys::uio::pwrite;

    const BLOCK: u64 = 4096;

    fn file(kind: Kind) -> Option<(File, Volume)> {
        if !is_allowed("looking at files", &[]) {
            return None;
        }
        let volume = Volume::open(&Venue::Made(Spec::plain(kind))).unwrap();
        Some((volume.create("a").and_then(File::open).unwrap(), volume))
    }

    fn write(file: &File, block: u64) {
        let bytes = [7; 4096];
        assert_eq!(file.write(block * BLOCK, Bytes::Whole(&bytes, &[])), Ok(BLOCK));
    }

    #[test]
    fn blocks_are_promised_then_there_and_dirty_until_they_are_written() {
        for kind in [Kind::Xfs, Kind::Ext4] {
            let Some((file, _volume)) = file(kind) else { return };
            file.truncate(16 * BLOCK).unwrap();
            write(&file, 2);
            let range = 0..16 * BLOCK;
            let seen = extents(&file, range.clone()).unwrap();
            assert!(seen.iter().any(|it| it.is_delalloc && it.start == 2 * BLOCK), "{seen:?}");
            let dirty = Cached { pages: 1, dirty: 1, writeback: 0 };
            assert_eq!(cached(&file, range.clone()), Ok(dirty), "{kind:?}");
            assert_eq!(cached(&file, 0..2 * BLOCK), Ok(Cached::default()), "{kind:?}");
            file.sync().unwrap();
            file.allocate(FallocateFlags::empty(), 8 * BLOCK..9 * BLOCK).unwrap();
            let seen = extents(&file, range.clone()).unwrap();
            let told = |it: &Extent| (it.start, it.len, it.is_delalloc, it.is_unwritten);
            let expected = [(2 * BLOCK, BLOCK, false, false), (8 * BLOCK, BLOCK, false, true)];
            assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), expected, "{kind:?}");
            assert!(seen.iter().all(|it| it.disk != 0), "{seen:?}");
            assert_eq!(cached(&file, range), Ok(Cached { dirty: 0, ..dirty }), "{kind:?}");
            assert_eq!(size_and_space(&file), Ok((16 * BLOCK, 2 * BLOCK)), "{kind:?}");
        }
    }

    #[test]
    fn more_extents_than_are_asked_for_at_once_come_all_and_in_order() {
        let Some((file, _volume)) = file(Kind::Ext4) else { return };
        (0..150).for_each(|nth| write(&file, 2 * nth));
        file.sync().unwrap();
        let starts = |range| {
            let seen = extents(&file, range).unwrap();
            seen.iter().map(|it| it.start / BLOCK).collect::<Vec<_>>()
        };
        assert_eq!(starts(0..300 * BLOCK), (0..150).map(|nth| 2 * nth).collect::<Vec<_>>());
        assert_eq!(starts(4 * BLOCK..7 * BLOCK), [4, 6]);
    }

    #[test]
    fn data_and_holes_are_found_and_behind_the_end_there_is_none() {
        let Some((file, _volume)) = file(Kind::Tmpfs) else { return };
        file.truncate(8 * BLOCK).unwrap();
        write(&file, 2);
        for (pos, data, hole) in
            [(0, Some(2), Some(0)), (2, Some(2), Some(3)), (3, None, Some(3)), (8, None, None)]
        {
            let blocks = |found: Option<u64>| found.map(|pos| pos / BLOCK);
            assert_eq!(next_data(&file, pos * BLOCK).map(blocks), Ok(data), "{pos}");
            assert_eq!(next_hole(&file, pos * BLOCK).map(blocks), Ok(hole), "{pos}");
        }
    }

    fn extent(start: u64, len: u64) -> Extent {
        Extent { start, len, disk: 0, is_delalloc: false, is_unwritten: false, is_inline: false }
    }

    #[test]
    fn extents_are_gathered_until_there_are_no_more_or_nothing_goes_on() {
        let told = |all: &[Extent], most: usize| {
            let mut asked = 0;
            let ask = |part: Range<u64>| {
                asked += 1;
                assert!(asked < 100, "it never ends");
                let behind = all.iter().filter(|it| part.start < it.start + it.len || it.len == 0);
                let found: Vec<_> = behind.take(most).copied().collect();
                let is_last = found.last() == all.last() && found.iter().all(|it| it.len != 0);
                Ok((found, is_last))
            };
            gathered(0..1 << 20, ask).unwrap()
        };
        let many: Vec<_> = (0..50).map(|at| extent(at * 8192, 4096)).collect();
        assert_eq!(told(&many, 64), many);
        assert_eq!(told(&many, 7), many);
        assert_eq!(told(&[], 7), []);
        let empty = [extent(0, 0)];
        assert_eq!(told(&empty, 7), empty, "an extent of no bytes leads nowhere");
        assert_eq!(gathered(5..5, |_| Err(Errno::EIO)), Ok(vec![]), "nothing to ask");
    }

    #[test]
    fn nothing_of_an_empty_range_is_cached() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(pwrite(&file, &[1; 9000], 0), Ok(9000));
        let Ok(all) = cached(&file, 0..9000) else {
            eprintln!("skipped: what is cached: needs cachestat");
            return;
        };
        assert_eq!(all.pages, 3);
        for empty in [0..0, 4096..4096, 9000..9000] {
            assert_eq!(cached(&file, empty), Ok(Cached::default()));
        }
    }
}
