//! What POSIX leaves open, provoked on each filesystem of this kernel: who shows a behaviour has the
//! leeway for it, and nobody else. `--nocapture` prints who shows what.

#[path = "command/allowed.rs"]
mod allowed;

use allowed::is_allowed;
use driver::real::leeway;
use mounted::file::Bytes;
use mounted::gate::Chances;
use mounted::source::Source;
use mounted::{File, Hole, Kind, Mapping, Mm, Spec, Venue, Volume, Way};
use nix::errno::Errno;
use nix::fcntl::FallocateFlags;
use oracle::invariant::Checks;
use oracle::results::{Readable, results_count_every_readable_byte};
use oracle::{Leeway, pattern};
use std::sync::atomic::{AtomicBool, Ordering};
use stormfs::op::OpId;
use stormfs::quantity::wide;

const PAGE: u64 = 4096;

#[test]
fn whoever_makes_use_of_what_posix_leaves_open_is_known_to() {
    if !is_allowed("leeways of filesystems that are made", &[]) {
        return;
    }
    for kind in Kind::ALL {
        let volume = match Volume::open(&Venue::Made(Spec::plain(kind))) {
            Ok(volume) => volume,
            Err(refusal) => {
                eprintln!("{}: not tried: {refusal}", kind.name());
                continue;
            }
        };
        let leeways = leeway::of(volume.root());
        for leeway in Leeway::ALL {
            let name = leeway.name();
            if leeway == Leeway::GrowthShowsStores && rayon::current_num_threads() < 2 {
                eprintln!("{} {name}: not tried: it needs two processors", kind.name());
                continue;
            }
            let file = File::open(volume.create(name).unwrap()).unwrap();
            let shown = if leeway == Leeway::FailedTruncateFallsBack {
                failed_truncate_falls_back(kind).unwrap()
            } else {
                Some(shows(&file, leeway, leeways.has(leeway)).unwrap())
            };
            let Some(shown) = shown else { continue };
            println!("{} {name}: {}", kind.name(), if shown { "shown" } else { "not shown" });
            assert_eq!(shown, leeways.has(leeway), "{}: {name}, as it is known", kind.name());
        }
    }
}

/// Whether the file shows it. Who is `known` to is given the time that it may take.
fn shows(file: &File, leeway: Leeway, known: bool) -> Result<bool, Errno> {
    match leeway {
        Leeway::GrowthInSteps => growth_in_steps(file),
        Leeway::FailedWriteMovesEof => {
            let written = write_up_to(file, 5 * PAGE, 0);
            assert_eq!(written, Err(Errno::EFAULT));
            Ok(file.size()? != 0)
        }
        Leeway::StoresBeyondEofStay => {
            file.write(0, Bytes::Whole(&[1; 100], &[]))?;
            let mapping = Mapping::new(&Mm::ours(), file, 4096, 4096)?;
            assert_eq!(mapping.store(200, &[2; 8]), Ok(8));
            file.truncate(PAGE)?;
            let mut seen = [0; 8];
            file.read(200, &mut seen, &[])?;
            Ok(seen != [0; 8])
        }
        Leeway::GrowthShowsStores => growth_shows_stores(file, if known { 100_000 } else { 2000 }),
        Leeway::ShortCountsAreRounded => Ok(write_up_to(file, 100, 5000)? != 5000),
        Leeway::FailedTruncateFallsBack => unreachable!("it needs a disk of its own"),
    }
}

/// The second half of a file is not on the device yet, and cannot be written to it. None: it cannot be
/// tried here.
fn failed_truncate_falls_back(kind: Kind) -> Result<Option<bool>, Errno> {
    const HALF: u64 = 16 * PAGE;
    // What lies in memory only never fails to be written.
    if kind.mkfs().is_none() {
        return Ok(Some(false));
    }
    if !is_allowed("a truncate after writes that fail", &["/dev/fuse"]) {
        return Ok(None);
    }
    let spec = Spec { gated: true, ..Spec::plain(kind) };
    let volume = Volume::open(&Venue::Made(spec)).expect("the plain one was made");
    let gate = volume.gate().expect("it was asked for");
    let file = File::open(volume.create("a")?)?;
    let write = |pos| {
        let mut bytes = vec![0; 16 * 4096];
        pattern::fill(OpId { actor: 1, number: 1 }, pos, &mut bytes);
        file.write(pos, Bytes::Whole(&bytes, &[]))
    };
    write(0)?;
    file.sync()?;
    write(HALF)?;
    let stride = pattern::STRIDE;
    gate.chances(1, Chances { write_error_ppm: 1_000_000, stride, ..Chances::default() })?;
    let to = HALF + 100;
    let truncated = file.truncate(to);
    gate.heal()?;
    let size = file.size()?;
    assert!(truncated.is_err() || size == to, "{}: {size}", kind.name());
    Ok(Some(![to, 2 * HALF].contains(&size)))
}

/// A write of two pages, the source of which ends at that byte.
fn write_up_to(file: &File, pos: u64, at: usize) -> Result<u64, Errno> {
    write_pieces(file, pos, (8192, at), &[])
}

/// The same, of so many bytes, cut into pieces.
fn write_pieces(
    file: &File,
    pos: u64,
    (len, at): (usize, usize),
    cuts: &[usize],
) -> Result<u64, Errno> {
    let bytes = vec![7; len];
    let mut source = Source::new(bytes.len())?;
    let armed = source.with_hole(&bytes, Hole { at, way: Way::Protected })?;
    file.write(pos, Bytes::Holed(&armed, cuts))
}

#[test]
fn every_count_of_a_short_write_is_exact_or_rounded_as_it_is_known_to_be() {
    if !is_allowed("counts of short writes", &[]) {
        return;
    }
    for kind in Kind::ALL {
        let Ok(volume) = Volume::open(&Venue::Made(Spec::plain(kind))) else { continue };
        let rounds = leeway::of(volume.root()).has(Leeway::ShortCountsAreRounded);
        let rounding = rounds.then(|| leeway::rounding(&volume).unwrap());
        let file = File::open(volume.create("a").unwrap()).unwrap();
        let (checks, mut rounded, mut number) = (Checks::default(), 0, 0_usize);
        for pos in [0, 1, 100, 4095, 4096, 4097, 5000, 8192, 70_001] {
            for len in [1, 2, 4095, 4096, 4097, 9000, 70_000, 300_000] {
                for at in [0, 1, 95, 4000, 4095, 4096, 4097, 8999, 69_999, 299_999] {
                    if len <= at {
                        continue;
                    }
                    number += 1;
                    // What is there already: nothing, pages of the cache, or blocks that are not cached.
                    file.truncate(0).unwrap();
                    if number % 3 != 0 {
                        file.write(0, Bytes::Whole(&vec![3; 80_000], &[])).unwrap();
                    }
                    if number % 3 == 2 {
                        file.sync().unwrap();
                        file.drop_cache(0..80_000).unwrap();
                    }
                    let cuts = [len / 3, len / 2];
                    let cuts = if number % 2 == 0 { &cuts[..] } else { &[] };
                    let counted = match write_pieces(&file, pos, (len, at), cuts) {
                        Err(Errno::EFAULT) => 0,
                        counted => counted.unwrap(),
                    };
                    let bytes = u64::try_from(at).unwrap();
                    let source = Readable { bytes, pos: Some(pos) };
                    let right =
                        results_count_every_readable_byte(&checks, source, counted, rounding);
                    assert_eq!(right, Ok(()), "{}: {len} at {pos}, cut at {cuts:?}", kind.name());
                    rounded += u32::from(counted != bytes);
                }
            }
        }
        println!("{}: {rounded} of {number} rounded, {rounding:?}", kind.name());
        assert_eq!(0 < rounded, rounds, "{}", kind.name());
    }
}

#[test]
fn a_write_that_copied_something_ends_the_file_where_it_says() {
    if !is_allowed("the end of a file behind short writes", &[]) {
        return;
    }
    for kind in Kind::ALL {
        let Ok(volume) = Volume::open(&Venue::Made(Spec::plain(kind))) else { continue };
        let moves = leeway::of(volume.root()).has(Leeway::FailedWriteMovesEof);
        let file = File::open(volume.create("a").unwrap()).unwrap();
        for pos in [PAGE, 5 * PAGE, 5 * PAGE + 100] {
            for at in [0, 1, 100, 4096, 5000, 8191] {
                file.truncate(1000).unwrap();
                let end = match write_up_to(&file, pos, at) {
                    Ok(counted) => pos + counted,
                    Err(errno) => {
                        assert_eq!(errno, Errno::EFAULT);
                        if moves { pos } else { 1000 }
                    }
                };
                assert_eq!(file.size(), Ok(end), "{}: {at} of them at {pos}", kind.name());
            }
        }
    }
}

/// Whether somebody who reads while a write grows the file sees what was stored behind its end, and nobody
/// does afterwards.
fn growth_shows_stores(file: &File, rounds: usize) -> Result<bool, Errno> {
    const STORED: usize = 3800;
    let is_there = |seen: &mut [u8]| -> Result<bool, Errno> {
        file.read(wide(STORED), seen, &[])?;
        Ok(seen.contains(&2))
    };
    let ended = AtomicBool::new(false);
    let seen = AtomicBool::new(false);
    let grow = || {
        // Nobody may look at the moment: it is tried often.
        for _ in 0..rounds {
            file.truncate(0)?;
            file.write(0, Bytes::Whole(&[1; 100], &[]))?;
            let mapping = Mapping::new(&Mm::ours(), file, 4096, 4096)?;
            assert_eq!(mapping.store(STORED, &[2; 290]), Ok(290));
            file.write(PAGE + 100, Bytes::Whole(&[1; 100], &[]))?;
            // Who keeps it has another leeway.
            if is_there(&mut [0; 290])? {
                return Ok(false);
            }
            if seen.load(Ordering::Acquire) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let grow = || {
        let shown = grow();
        ended.store(true, Ordering::Release);
        shown
    };
    let look = || {
        let mut bytes = [0; 290];
        while !ended.load(Ordering::Acquire) {
            if is_there(&mut bytes)? {
                seen.store(true, Ordering::Release);
            }
        }
        Ok(())
    };
    let (shown, looked) = rayon::join(grow, look);
    looked.and(shown)
}

/// The way is long where every other block has been allocated before.
fn growth_in_steps(file: &File) -> Result<bool, Errno> {
    const BLOCKS: u64 = 2048;
    // Nobody may look while it is on its way: it is tried often.
    for _ in 0..200 {
        file.truncate(0)?;
        for block in (0..BLOCKS).step_by(2) {
            let range = block * PAGE..(block + 1) * PAGE;
            match file.allocate(FallocateFlags::FALLOC_FL_KEEP_SIZE, range) {
                Err(Errno::EOPNOTSUPP) => return Ok(false),
                done => done?,
            }
        }
        let ended = AtomicBool::new(false);
        let grow = || {
            let grown = file.allocate(FallocateFlags::empty(), 0..BLOCKS * PAGE);
            ended.store(true, Ordering::Release);
            grown
        };
        let look = || {
            let mut on_the_way = false;
            while !ended.load(Ordering::Acquire) {
                let between = |size| 0 < size && size < BLOCKS * PAGE;
                on_the_way |= file.size().is_ok_and(between);
            }
            on_the_way
        };
        let (grown, seen) = rayon::join(grow, look);
        grown?;
        if seen {
            return Ok(true);
        }
    }
    Ok(false)
}
