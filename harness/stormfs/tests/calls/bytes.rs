//! Whatever the sizes of blocks and folios, a file reads as the calls before have left it: at once,
//! and again when it comes from the device.

use crate::stage::{Stage, options, perform, spec};
use stormfs::op::Outcome;
use stormfs::quantity::{PAGE, narrow, page_up, wide};

/// One call. Positions, lengths and sizes are in sixteenths of the unit: a block, or a page if that
/// is larger.
#[derive(Debug, Clone, Copy)]
enum Step {
    Write(u64, u64),
    Append(u64),
    /// Stores beyond the end reach the last page only, and are none of the file's business.
    Store(u64, u64),
    Truncate(u64),
    Punch(u64, u64),
    Zero(u64, u64, bool),
    Allocate(u64, u64, bool),
    Sync,
    Evict,
}

use Step::{Allocate, Append, Evict, Punch, Store, Sync, Truncate, Write, Zero};

#[rustfmt::skip]
const STORIES: &[(&str, &[Step])] = &[
    ("a hole reads as zero", &[Truncate(50), Evict, Write(20, 3)]),
    ("what fallocate took reads as zero", &[Allocate(0, 64, false), Write(20, 3), Sync, Evict, Write(21, 30)]),
    ("and is not seen beyond the end", &[Write(0, 5), Allocate(0, 64, true), Sync, Truncate(40)]),
    ("overwrites at every edge", &[Write(0, 64), Sync, Evict, Write(15, 1), Write(16, 1), Write(31, 2), Write(47, 16)]),
    ("appends", &[Append(3), Append(13), Append(1), Sync, Append(20), Evict, Append(27)]),
    ("a gap between the end and a write", &[Write(0, 5), Sync, Write(40, 5), Evict, Write(70, 1)]),
    ("truncate down and up in a block", &[Write(0, 40), Sync, Truncate(20), Truncate(40), Truncate(37), Write(38, 1)]),
    ("truncate of what was never written back", &[Write(0, 40), Truncate(20), Truncate(64), Truncate(1), Truncate(2)]),
    ("stores beyond the end, then growth by truncate", &[Write(0, 5), Store(3, 13), Truncate(40)]),
    ("growth by a write behind", &[Write(0, 5), Store(3, 13), Write(30, 5)]),
    ("growth by a write in the same block", &[Write(0, 5), Store(3, 13), Write(9, 2)]),
    ("growth by an append", &[Write(0, 5), Store(3, 13), Sync, Append(2)]),
    ("growth by fallocate", &[Write(0, 5), Store(3, 13), Allocate(0, 16, false)]),
    ("growth by zero range", &[Write(0, 5), Store(3, 13), Zero(30, 10, false)]),
    ("stores over a hole and over data", &[Truncate(64), Store(17, 20), Sync, Evict, Store(16, 2), Write(15, 4)]),
    ("punch within, across and around blocks", &[Write(0, 80), Sync, Punch(3, 5), Punch(30, 20), Punch(48, 16), Punch(79, 9)]),
    ("punch of what was never written back", &[Write(0, 80), Punch(3, 5), Punch(30, 20), Write(40, 2), Punch(0, 80)]),
    ("punch beyond the end", &[Write(0, 20), Punch(20, 20), Punch(10, 90), Truncate(40)]),
    ("zero range, with and without growth", &[Write(0, 40), Sync, Zero(7, 20, true), Zero(33, 20, true), Zero(33, 20, false)]),
    ("a write into what zero range left", &[Write(0, 64), Sync, Zero(5, 50, true), Write(20, 1), Sync, Evict, Write(8, 4)]),
];

#[test]
fn a_file_reads_as_it_was_left() {
    for block_size in [512, 1024, 4096, 16384, 65536] {
        for max_folio in [4096, 16384, 65536] {
            for (about, steps) in STORIES {
                let about = format!("{about}: blocks of {block_size}, folios to {max_folio}");
                let unit = block_size.max(PAGE);
                let story = move |stage: &Stage| follow(stage, unit, steps, &about);
                perform(
                    &spec(block_size),
                    options(block_size, max_folio),
                    1,
                    vec![Box::new(story)],
                );
            }
        }
    }
}

fn follow(stage: &Stage, unit: u64, steps: &[Step], about: &str) {
    let mut model = Vec::new();
    for (step, byte) in steps.iter().zip(1..) {
        let done = take(stage, unit, *step, byte);
        assert!(done.is_ok(), "{about}: {step:?}: {done:?}");
        foresee(&mut model, unit, *step, byte);
        compare(stage, &model, &format!("{about}: after {step:?}"));
    }
    assert_eq!(stage.fs.sync(), Ok(0));
    stage.evict().expect("reclaim never fails");
    compare(stage, &model, &format!("{about}: from the device"));
}

fn take(stage: &Stage, unit: u64, step: Step, byte: u8) -> Outcome {
    let at = |sixteenths: u64| sixteenths * unit / 16;
    match step {
        Write(pos, len) => stage.write(at(pos), at(len), byte),
        Append(len) => stage.append(at(len), byte),
        Store(pos, len) => {
            let end = page_up(stage.fs.view(0).size()).min(at(pos + len));
            stage.store(at(pos), end - at(pos), byte)
        }
        Truncate(size) => stage.truncate(at(size)),
        Punch(pos, len) => stage.punch(at(pos), at(len)),
        Zero(pos, len, keep_size) => stage.zero(at(pos), at(len), keep_size),
        Allocate(pos, len, keep_size) => stage.allocate(at(pos), at(len), keep_size),
        Sync => stage.fs.sync(),
        Evict => stage.evict(),
    }
}

/// What `step` makes of the bytes of the file.
fn foresee(model: &mut Vec<u8>, unit: u64, step: Step, byte: u8) {
    let at = |sixteenths: u64| narrow(sixteenths * unit / 16);
    let size = model.len();
    let grow = |model: &mut Vec<u8>, to: usize| model.resize(size.max(to), 0);
    match step {
        Write(pos, len) => {
            grow(model, at(pos + len));
            model[at(pos)..at(pos + len)].fill(byte);
        }
        Append(len) => model.resize(size + at(len), byte),
        Store(pos, len) => model[at(pos)..at(pos + len).min(size)].fill(byte),
        Truncate(to) => model.resize(at(to), 0),
        Punch(pos, len) | Zero(pos, len, _) => {
            model[at(pos).min(size)..at(pos + len).min(size)].fill(0);
            if matches!(step, Zero(_, _, false)) {
                grow(model, at(pos + len));
            }
        }
        Allocate(pos, len, false) => grow(model, at(pos + len)),
        Allocate(_, _, true) | Sync | Evict => {}
    }
}

fn compare(stage: &Stage, model: &[u8], about: &str) {
    assert_eq!(stage.fs.view(0).size(), wide(model.len()), "{about}: size");
    // Asked for more than there is: a read ends with the file.
    let found = stage.read(0, wide(model.len()) + 100).expect("a device that never fails");
    let differs = found.iter().zip(model).position(|(found, expected)| found != expected);
    assert_eq!((differs, found.len()), (None, model.len()), "{about}");
}
