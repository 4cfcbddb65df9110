//! What calls return when the device fails, when there is nothing to do, and when there is too much.

use crate::stage::{Stage, options, perform, spec};
use stormfs::errno::Errno;
use stormfs::op::Outcome;
use stormfs::quantity::{ByteRange, MAX_SIZE, wide};

/// The kind of request that always fails until the device is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Nothing,
    Reads,
    Writes,
    Flushes,
}

use Failing::{Flushes, Nothing, Reads, Writes};

/// The story, and what its calls return. Blocks are pages.
type Row = (&'static str, Failing, fn(&Stage) -> Vec<Outcome>, &'static [Outcome]);

const OK: Outcome = Ok(0);
const EIO: Outcome = Err(Errno::Io);
const INVALID: Outcome = Err(Errno::Invalid);
const TOO_BIG: Outcome = Err(Errno::TooBig);
const BUS: Outcome = Err(Errno::Bus);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("fsync reports an error once", Writes, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), s.fs.fsync(0)], &[Ok(9), EIO, OK]),
    ("also that of an earlier sync", Writes, |s| vec![s.write(0, 9, 1), s.fs.sync(), s.fs.fsync(0), s.fs.fsync(0)], &[Ok(9), OK, EIO, OK]),
    ("and of background writeback", Writes, |s| {
        vec![s.write(0, 9, 1), s.fs.writeback(0, everything()), s.fs.fsync(0), s.fs.fsync(0)]
    }, &[Ok(9), OK, EIO, OK]),
    ("of several errors too", Writes, |s| {
        vec![s.write(0, 9, 1), s.write(90_000, 9, 1), s.fs.fsync(0), s.fs.fsync(0), s.write(5, 1, 2), s.fs.fsync(0), s.fs.fsync(0)]
    }, &[Ok(9), Ok(9), EIO, OK, Ok(1), EIO, OK]),
    ("nothing dirty, nothing to fail", Writes, |s| vec![s.truncate(9000), s.fs.fsync(0)], &[OK, OK]),
    ("what failed is read from the cache", Writes, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), count(s, 0, 9, 1)], &[Ok(9), EIO, Ok(9)]),
    ("and is zero once it was dropped", Writes, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), s.evict(), count(s, 0, 9, 0)], &[Ok(9), EIO, Ok(1), Ok(9)]),
    ("written once more it is safe", Writes, |s| {
        let first = [s.write(0, 9, 1), s.fs.fsync(0)];
        s.device.heal();
        [first, [s.write(0, 9, 2), s.fs.fsync(0)], [s.evict(), count(s, 0, 9, 2)]].concat()
    }, &[Ok(9), EIO, Ok(9), OK, Ok(1), Ok(9)]),
    ("punch has to write back first", Writes, |s| vec![s.write(0, 9, 1), s.punch(0, 9), s.fs.fsync(0)], &[Ok(9), EIO, EIO]),
    ("a failed flush is reported", Flushes, |s| vec![s.write(0, 9, 1), s.fs.fsync(0)], &[Ok(9), EIO]),
    ("a read that fails at once", Reads, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), s.evict(), count(s, 0, 9, 1)], &[Ok(9), OK, Ok(1), EIO]),
    ("a read that fails later is short", Reads, |s| {
        vec![s.write(0, 8192, 1), s.fs.fsync(0), s.fs.evict(0, ByteRange::new(4096, 8192)), count(s, 0, 8192, 1)]
    }, &[Ok(8192), OK, Ok(1), Ok(4096)]),
    ("a write that has to read first", Reads, |s| {
        vec![s.write(0, 4096, 1), s.fs.fsync(0), s.evict(), s.write(5, 9, 2), s.write(0, 4096, 2)]
    }, &[Ok(4096), OK, Ok(1), EIO, Ok(4096)]),
    ("a load that cannot be filled", Reads, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), s.evict(), s.load(0, 9)], &[Ok(9), OK, Ok(1), BUS]),
    ("a store that cannot be filled", Reads, |s| vec![s.write(0, 9, 1), s.fs.fsync(0), s.evict(), s.store(0, 9, 2)], &[Ok(9), OK, Ok(1), BUS]),
    ("reads end with the file", Nothing, |s| {
        vec![count(s, 0, 9, 0), s.write(0, 100, 1), count(s, 90, 90, 1), count(s, 100, 1, 1), count(s, MAX_SIZE, 1, 1), count(s, 5, 0, 1)]
    }, &[OK, Ok(100), Ok(10), OK, OK, OK]),
    ("loads and stores end with the last page", Nothing, |s| {
        vec![s.load(0, 1), s.write(0, 100, 1), s.load(4000, 200), s.load(4096, 1), s.store(4000, 200, 2), s.store(5000, 1, 2)]
    }, &[BUS, Ok(100), Ok(96), BUS, Ok(96), BUS]),
    ("a killed store has reserved and dirtied", Nothing, |s| {
        let killed = [s.truncate(8192), s.store_killed(0, 9, 7), Ok(reserved(s)), count(s, 0, 9, 0)];
        [killed, [s.fs.fsync(0), Ok(reserved(s)), s.evict(), count(s, 0, 9, 0)]].concat()
    }, &[OK, BUS, Ok(1), Ok(9), OK, Ok(0), Ok(1), Ok(9)]),
    ("and ends at its first fault", Nothing, |s| {
        vec![s.truncate(8192), s.store(0, 9, 1), s.store_killed(0, 5000, 7), count(s, 0, 4096, 7), count(s, 4096, 4096, 0)]
    }, &[OK, Ok(9), Ok(4096), Ok(4096), Ok(4096)]),
    ("nothing to do", Nothing, |s| {
        vec![s.write(0, 0, 1), s.append(0, 1), s.punch(5, 0), s.zero(5, 0, true), s.allocate(5, 0, false), s.store(0, 0, 1)]
    }, &[INVALID, INVALID, INVALID, INVALID, INVALID, OK]),
    ("too far away", Nothing, |s| {
        vec![s.write(MAX_SIZE, 1, 1), s.write(MAX_SIZE - 1, 2, 1), s.truncate(MAX_SIZE), s.punch(MAX_SIZE, 1), s.allocate(MAX_SIZE - 1, 2, true), s.zero(MAX_SIZE, 9, false)]
    }, &[TOO_BIG, TOO_BIG, TOO_BIG, TOO_BIG, TOO_BIG, TOO_BIG]),
];

#[test]
fn calls_return_what_the_table_says() {
    for (about, failing, story, expected) in ROWS {
        let mut device = spec(4096);
        let always = 1_000_000;
        match failing {
            Nothing => {}
            Reads => device.faults.read_error_ppm = always,
            Writes => device.faults.write_error_ppm = always,
            Flushes => device.faults.flush_error_ppm = always,
        }
        let story = move |stage: &Stage| assert_eq!(story(stage), *expected, "{about}");
        perform(&device, options(4096, 4096), 1, vec![Box::new(story)]);
    }
}

/// Reads, and counts the bytes if every one is `byte`.
fn count(stage: &Stage, pos: u64, len: u64, byte: u8) -> Outcome {
    let found = stage.read(pos, len)?;
    assert!(found.iter().all(|found| *found == byte), "{found:?}");
    Ok(wide(found.len()))
}

/// Blocks that are promised to delayed allocations.
fn reserved(stage: &Stage) -> u64 {
    stage.fs.shared().space.counts().reserved
}

fn everything() -> ByteRange {
    ByteRange::new(0, MAX_SIZE)
}
