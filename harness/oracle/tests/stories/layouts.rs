//! What operations leave behind, drawn: extents above, folios below, one character a block from the
//! start of the file. Each story is judged to its end, too: synced, dropped, read again, released.
//!
//! ```text
//! extents  . hole     d delalloc         u unwritten   M mapped
//! folios   - absent   . not uptodate     c clean       D dirty
//! ```

use crate::scene::{Scene, Setting, play};
use oracle::strip::strip;
use stormfs::errno::Errno;
use stormfs::op::Outcome;
use stormfs::quantity::ByteRange;

/// What happens, with which blocks and folios, and what is left: size, extents, folios. Holes and
/// absent folios at the end are not drawn.
type Row = (&'static str, Sizes, Story, u64, &'static str, &'static str);

type Story = fn(&Scene) -> Outcome;

/// Bytes of a block, bytes of the largest folio, blocks of the device.
type Sizes = (u64, u64, u64);

const HALF: Sizes = (512, 4096, 256);
const SMALL: Sizes = (1024, 4096, 256);
const WIDE: Sizes = (1024, 16384, 256);
const PAGE: Sizes = (4096, 4096, 256);
const FOLIO: Sizes = (4096, 16384, 256);
const LARGE: Sizes = (16384, 16384, 256);
const HUGE: Sizes = (65536, 65536, 256);
const TINY_DEVICE: Sizes = (4096, 4096, 8);
const SMALL_DEVICE: Sizes = (4096, 4096, 40);

#[rustfmt::skip]
const WRITES: &[Row] = &[
    ("a write into a hole reserves", SMALL, |s| s.write(0, 3000), 3000, "ddd", "DDD."),
    ("of half a kilobyte", HALF, |s| s.write(100, 600), 700, "dd", "DD......"),
    ("into one large folio", FOLIO, |s| s.write(0, 16384), 16384, "dddd", "DDDD"),
    ("into folios as they are aligned", FOLIO, |s| s.write(4096, 20480), 24576, ".ddddd", "-DDDDD"),
    ("of a block above a page", LARGE, |s| s.write(100, 10), 110, "d", "D"),
    ("of the largest block", HUGE, |s| s.write(70000, 10), 70010, ".d", "-D"),
    ("of small blocks in a large folio", WIDE, |s| s.write(0, 16384), 16384, "dddddddddddddddd", "DDDDDDDDDDDDDDDD"),
    ("sync maps what was reserved", SMALL, |s| { s.write(0, 3000)?; s.fs.sync() }, 3000, "MMM", "ccc."),
    ("sync of the largest block", HUGE, |s| { s.write(0, 100)?; s.fs.sync() }, 100, "M", "c"),
    ("an overwrite dirties its blocks", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.write(100, 10) }, 4096, "MMMM", "Dccc"),
    ("across the edge of a block", SMALL, |s| { s.write(0, 8192)?; s.fs.sync()?; s.write(1000, 100) }, 8192, "MMMMMMMM", "DDcccccc"),
    ("of what is not cached", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.evict()?; s.write(1000, 100) }, 4096, "MMMM", "DD.."),
    ("a write into the middle of a hole", SMALL, |s| { s.truncate(16384)?; s.write(5000, 1000) }, 16384, "....dd", "----DD.."),
    ("beyond an empty file's end", SMALL, |s| s.write(5000, 100), 5100, "....d", "----D..."),
    ("beyond the end: the last block is zeroed", SMALL, |s| { s.write(0, 1000)?; s.fs.sync()?; s.write(5000, 1000) }, 6000, "M...dd", "D...DD.."),
    ("into what fallocate took", SMALL, |s| { s.reserve(0, 4096)?; s.write(0, 1000)?; s.fs.sync() }, 1000, "Muuu", "c..."),
    ("in the middle of what fallocate took", SMALL, |s| { s.reserve(0, 4096)?; s.write(1024, 1024)?; s.fs.sync() }, 2048, "uMuu", ".c.."),
    ("a write of what is not read in first", PAGE, |s| { s.write(0, 8192)?; s.fs.sync()?; s.evict()?; s.write(0, 4096) }, 8192, "MM", "D"),
];

#[rustfmt::skip]
const SHORT_WRITES: &[Row] = &[
    ("nothing is copied: nothing is kept", SMALL, |s| { s.truncate(8192)?; fault(s.write_cut(0, 8192, 0)) }, 8192, "", ""),
    ("nothing into an empty file", SMALL, |s| fault(s.write_cut(3000, 8192, 0)), 0, "", ""),
    ("a copy ends in a block", SMALL, |s| { s.truncate(16384)?; only(3000, s.write_cut(0, 8192, 3000)) }, 16384, "ddd", "DDD."),
    ("a copy ends with a block", SMALL, |s| { s.truncate(16384)?; only(2048, s.write_cut(0, 8192, 2048)) }, 16384, "dd", "DD.."),
    ("a copy ends with a page", SMALL, |s| { s.truncate(16384)?; only(4096, s.write_cut(0, 8192, 4096)) }, 16384, "dddd", "DDDD"),
    ("a copy ends after one byte", SMALL, |s| { s.truncate(16384)?; only(1, s.write_cut(1023, 8192, 1)) }, 16384, "d", "D..."),
    ("a copy ends in the second folio", FOLIO, |s| { s.truncate(65536)?; only(20000, s.write_cut(0, 32768, 20000)) }, 65536, "ddddd", "DDDDD..."),
    ("a copy ends in a large folio", FOLIO, |s| { s.truncate(32768)?; only(5000, s.write_cut(0, 16384, 5000)) }, 32768, "dd", "DD.."),
    ("a copy ends in the largest block", HUGE, |s| { s.truncate(262_144)?; only(5000, s.write_cut(0, 131_072, 5000)) }, 262_144, "d", "D"),
    ("an append falls short", SMALL, |s| { s.write(0, 1024)?; only(100, s.write_cut(1024, 8192, 100)) }, 1124, "dd", "DD.."),
    ("a stale mapping, then nothing to copy", SMALL, |s| { s.truncate(1000)?; fault(s.write_vanishing(5000, 100, &|| s.store_meanwhile(0, 8))) }, 1000, "d", "Dccc"),
    ("what was reserved before stays", SMALL, |s| { s.truncate(16384)?; s.store(0, 8192)?; only(1000, s.write_cut(0, 8192, 1000)) }, 16384, "dddddddd", "DDDDDDDD"),
    ("what was reserved beside it stays", SMALL, |s| { s.truncate(16384)?; s.store(4096, 1)?; fault(s.write_cut(0, 16384, 0)) }, 16384, "....dddd", "----DDDD"),
    ("what fallocate took stays", SMALL, |s| { s.reserve(0, 4096)?; fault(s.write_cut(0, 4096, 0)) }, 0, "uuuu", ""),
    ("what a mapping stored meanwhile stays", SMALL, |s| {
        s.truncate(16384)?;
        fault(s.write_while(0, 16384, 0, &|| s.store_meanwhile(4096, 10)))
    }, 16384, "....dddd", "----DDDD"),
    ("and the rest of its page goes beyond the end", SMALL, |s| {
        s.truncate(5000)?;
        fault(s.write_while(0, 16384, 0, &|| s.store_meanwhile(4096, 10)))
    }, 5000, "....d", "----Dccc"),
    ("stored in the first and the last page", SMALL, |s| {
        s.truncate(16384)?;
        fault(s.write_while(1000, 15000, 0, &|| { s.store_meanwhile(0, 1); s.store_meanwhile(16383, 1) }))
    }, 16384, "dddd........dddd", "DDDD--------DDDD"),
    ("stored and written back meanwhile", SMALL, |s| {
        s.truncate(16384)?;
        fault(s.write_while(0, 16384, 0, &|| { s.store_meanwhile(4096, 10); s.sync_meanwhile(); }))
    }, 16384, "uuuuMMMMuuuuuuuu", "----cccc"),
];

#[rustfmt::skip]
const SIZES_AND_HOLES: &[Row] = &[
    ("truncate makes a hole", SMALL, |s| s.truncate(10000), 10000, "", ""),
    ("truncate to nothing", SMALL, |s| { s.write(0, 9000)?; s.fs.sync()?; s.write(100, 5000)?; s.truncate(0) }, 0, "", ""),
    ("truncate within a block zeroes its tail", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.truncate(1500) }, 1500, "MM", "cDcc"),
    ("truncate within the largest block", HUGE, |s| { s.write(0, 131_072)?; s.fs.sync()?; s.truncate(70000) }, 70000, "MM", "cD"),
    ("truncate writes what the new size covers", SMALL, |s| { s.write(0, 8192)?; s.truncate(1500) }, 1500, "MM", "cccc"),
    ("truncate at a block", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.truncate(2048) }, 2048, "MM", "cccc"),
    ("truncate up from within a block", SMALL, |s| { s.write(0, 1500)?; s.fs.sync()?; s.truncate(3000) }, 3000, "MM", "cD.."),
    ("truncate down and up", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.truncate(1500)?; s.truncate(4096) }, 4096, "MM", "cccc"),
    ("fallocate takes blocks", SMALL, |s| s.reserve(0, 4000), 0, "uuuu", ""),
    ("fallocate that grows", SMALL, |s| s.allocate(1000, 4000), 5000, "uuuuu", ""),
    ("fallocate over a reservation", SMALL, |s| { s.write(0, 1024)?; s.reserve(0, 2048) }, 1024, "uu", "D..."),
    ("fallocate between extents", SMALL, |s| { s.write(0, 1024)?; s.write(3072, 1024)?; s.fs.sync()?; s.reserve(0, 4096) }, 4096, "MuuM", "c..c"),
    ("punch frees whole blocks", SMALL, |s| { s.write(0, 8192)?; s.fs.sync()?; s.punch(1024, 2048) }, 8192, "M..MMMMM", "----cccc"),
    ("punch zeroes cut blocks", SMALL, |s| { s.write(0, 8192)?; s.fs.sync()?; s.punch(1500, 1000) }, 8192, "MMMMMMMM", ".DD.cccc"),
    ("punch does both", SMALL, |s| { s.write(0, 8192)?; s.fs.sync()?; s.punch(500, 3000) }, 8192, "M..MMMMM", "D..Dcccc"),
    ("punch in the largest block", HUGE, |s| { s.write(0, 131_072)?; s.fs.sync()?; s.punch(100, 200) }, 131_072, "MM", "Dc"),
    ("punch in the last block writes it", HUGE, |s| { s.write(0, 65536)?; s.fs.sync()?; s.punch(100, 200) }, 65536, "M", "c"),
    ("punch of what was never written back", SMALL, |s| { s.write(0, 4096)?; s.punch(0, 4096) }, 4096, "", ""),
    ("punch beside what was never written back", SMALL, |s| { s.write(0, 8192)?; s.punch(4096, 1024) }, 8192, "uuuu.MMM", "DDDD"),
    ("punch in a hole", SMALL, |s| { s.truncate(8192)?; s.punch(100, 5000) }, 8192, "", ""),
    ("punch of the last block", SMALL, |s| { s.write(0, 3000)?; s.fs.sync()?; s.punch(2500, 4000) }, 3000, "MMM", "..c."),
    ("zero range leaves unwritten blocks", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.zero(1024, 2048) }, 4096, "MuuM", ""),
    ("zero range that cuts blocks", SMALL, |s| { s.write(0, 4096)?; s.fs.sync()?; s.zero(1000, 2000) }, 4096, "MuMM", "D.D."),
    ("zero range that grows", SMALL, |s| s.zero(0, 5000), 5000, "uuuuu", ""),
    ("appends take blocks in advance", PAGE, |s| { s.write(0, 65536)?; s.write(65536, 4096) }, 69632, "ddddddddddddddddddddddddddddddddd", "DDDDDDDDDDDDDDDDD"),
    ("which sync leaves unwritten", PAGE, |s| { s.write(0, 65536)?; s.write(65536, 4096)?; s.fs.sync() }, 69632, "MMMMMMMMMMMMMMMMMuuuuuuuuuuuuuuuu", "ccccccccccccccccc"),
    ("and release gives back", PAGE, |s| { s.write(0, 65536)?; s.write(65536, 4096)?; s.fs.sync()?; s.fs.release(0) }, 69632, "MMMMMMMMMMMMMMMMM", "ccccccccccccccccc"),
    ("or before they were anything", PAGE, |s| { s.write(0, 65536)?; s.write(65536, 4096)?; s.fs.release(0) }, 69632, "ddddddddddddddddd", "DDDDDDDDDDDDDDDDD"),
];

#[rustfmt::skip]
const MAPPINGS: &[Row] = &[
    ("a read reserves nothing", SMALL, |s| { s.truncate(8192)?; s.read(0, 8192) }, 8192, "", "cccccccc"),
    ("nor does one of what fallocate took", FOLIO, |s| { s.allocate(0, 32768)?; s.read(100, 10) }, 32768, "uuuuuuuu", "c"),
    ("a read fills the rest of a folio", SMALL, |s| { s.truncate(8192)?; s.write(5000, 1000)?; s.read(4096, 4096) }, 8192, "....dd", "----DDcc"),
    ("a load reserves nothing", SMALL, |s| { s.truncate(8192)?; s.load(0, 10) }, 8192, "", "cccc"),
    ("a store reserves its page", SMALL, |s| { s.truncate(8192)?; s.store(5000, 10) }, 8192, "....dddd", "----DDDD"),
    ("but nothing beyond the end", SMALL, |s| { s.write(0, 1000)?; s.store(1000, 3000) }, 1000, "d", "Dccc"),
    ("a block above the page whole", LARGE, |s| { s.truncate(40000)?; s.store(20000, 10) }, 40000, ".d", "-D"),
    ("a large folio whole", WIDE, |s| { s.write(0, 16384)?; s.fs.sync()?; s.store(5000, 10) }, 16384, "MMMMMMMMMMMMMMMM", "DDDDDDDDDDDDDDDD"),
    ("what was stored beyond the end is not exposed", SMALL, |s| { s.write(0, 1000)?; s.store(1000, 3000)?; s.truncate(8192) }, 8192, "M", "cccc"),
    ("nor by a write", SMALL, |s| { s.write(0, 1000)?; s.store(1000, 3000)?; s.write(6000, 10) }, 6010, "M....d", "cccc.D.."),
    ("a page beyond the end has nothing behind it", SMALL, |s| { s.write(0, 1000)?; fails(Errno::Bus, s.store(4096, 1)) }, 1000, "d", "D..."),
];

#[rustfmt::skip]
const SHORTAGES: &[Row] = &[
    ("a full device", TINY_DEVICE, |s| { s.write(0, 32768)?; fails(Errno::NoSpace, s.write(32768, 1)) }, 32768, "dddddddd", "DDDDDDDD"),
    ("a write larger than the device", TINY_DEVICE, |s| fails(Errno::NoSpace, s.write(0, 40960)), 0, "", ""),
    ("a full device takes overwrites", TINY_DEVICE, |s| { s.write(0, 32768)?; s.fs.sync()?; s.write(4000, 200) }, 32768, "MMMMMMMM", "DDcccccc"),
    ("a store finds no space", TINY_DEVICE, |s| { s.write(0, 32768)?; s.truncate(40000)?; fails(Errno::Bus, s.store(36000, 1)) }, 40000, "MMMMMMMM", "ccccccccc"),
    ("fallocate finds no space", TINY_DEVICE, |s| fails(Errno::NoSpace, s.reserve(0, 36864)), 0, "", ""),
    ("truncate gives space back", TINY_DEVICE, |s| { s.write(0, 32768)?; s.truncate(4096)?; s.write(8192, 4096) }, 12288, "M.d", "c-D"),
    ("punch gives space back", TINY_DEVICE, |s| { s.write(0, 32768)?; s.punch(0, 8192)?; s.write(40960, 8192) }, 49152, "..uuuuuu..dd", "--DDDDDD--DD"),
    ("what was taken in advance is given back", SMALL_DEVICE, |s| {
        s.write(0, 65536)?; s.write(65536, 4096)?;
        s.fill_other_file(65536)
    }, 69632, "ddddddddddddddddd", "DDDDDDDDDDDDDDDDD"),
];

#[test]
fn operations_leave_what_is_drawn() {
    let tables = [WRITES, SHORT_WRITES, SIZES_AND_HOLES, MAPPINGS, SHORTAGES];
    let wrong: Vec<String> = tables.concat().into_iter().filter_map(difference).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as the row says.
fn difference((about, sizes, story, size, extents, folios): Row) -> Option<String> {
    let (block_size, max_folio, blocks) = sizes;
    let setting = Setting { blocks, ..Setting::new(block_size, max_folio) };
    let violation = play(setting, move |scene| {
        story(scene).expect("the story goes as told");
        let expected = format!("{size}\n{extents}\n{folios}");
        assert_eq!(drawn(scene), expected, "{about}");
        finish(scene);
    });
    violation.map(|violation| format!("{about}: {violation}"))
}

/// Size, extents and folios of file 0.
fn drawn(scene: &Scene) -> String {
    let file = scene.file();
    let all = strip(file, ByteRange::new(0, 56 * file.geometry().block_size()));
    let line = |name, nothing| {
        let found = all.lines().find_map(|line| line.strip_prefix(name));
        found.expect("a strip has a line for each").trim().trim_end_matches(nothing).to_owned()
    };
    format!("{}\n{}\n{}", file.size(), line("extents", '.'), line("folios", '-'))
}

/// Judges everything that is judged at the end of a run.
fn finish(scene: &Scene) {
    scene.fs.sync().expect("a device that never fails");
    scene.oracle.judge_synced(&scene.files());
    for file in [0, 1] {
        scene.fs.evict(file, ByteRange::new(0, u64::MAX >> 8)).expect("reclaim never fails");
    }
    scene.oracle.judge_reread(&scene.files());
    for file in [0, 1] {
        scene.fs.release(file).expect("release never fails");
    }
    scene.oracle.judge_released(&scene.files());
}

/// The call was to fail so, and the story goes on.
fn fails(expected: Errno, outcome: Outcome) -> Outcome {
    if outcome == Err(expected) { Ok(0) } else { Err(expected) }
}

fn fault(outcome: Outcome) -> Outcome {
    fails(Errno::Fault, outcome)
}

/// The call was to move just so many bytes.
fn only(expected: u64, outcome: Outcome) -> Outcome {
    assert_eq!(outcome, Ok(expected));
    outcome
}
