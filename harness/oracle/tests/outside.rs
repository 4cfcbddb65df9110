//! What calls leave that stormfs does not model: right bytes pass, and those of a call with another
//! effect are told.

use oracle::Leeways;
use oracle::outside::{Came, Flight, Outside, Seen};
use oracle::pattern;
use stormfs::op::{Op, OpId, Transfer};
use stormfs::quantity::{ByteRange, narrow, wide};

const FIRST: OpId = OpId { actor: 1, number: 1 };
const SECOND: OpId = OpId { actor: 1, number: 2 };
const OTHER: OpId = OpId { actor: 2, number: 1 };

fn written(op: OpId, range: ByteRange) -> Vec<u8> {
    let mut bytes = vec![0; narrow(range.len())];
    pattern::fill(op, range.start, &mut bytes);
    bytes
}

fn begins(oracle: &Outside, file: usize, id: OpId, op: &Op) -> Flight {
    oracle.begins(file, id, op).expect("content can tell")
}

fn performed(oracle: &Outside, file: usize, id: OpId, op: &Op, came: Came<'_>) {
    let flight = begins(oracle, file, id, op);
    oracle.ends(file, flight, op, came);
}

/// Two files of 24 KiB; the bytes of the first are those of [`FIRST`].
fn files() -> (Outside, Vec<u8>) {
    let (oracle, all) = (Outside::new(2, Leeways::NONE), ByteRange::at(0, 24 << 10));
    performed(&oracle, 0, FIRST, &Op::Write(all), Came::AsAsked);
    performed(&oracle, 1, OTHER, &Op::Truncate(24 << 10), Came::AsAsked);
    (oracle, written(FIRST, all))
}

/// Whether a file may be exactly that.
fn may_be(oracle: &Outside, file: usize, bytes: &[u8]) -> bool {
    let instant = oracle.instant(file);
    oracle.saw_size(file, None, (instant, wide(bytes.len())));
    oracle.saw(file, 0, bytes, Seen::Standing);
    oracle.violation().is_none()
}

#[test]
fn a_collapse_takes_exactly_its_range_out() {
    for (from, to, right) in [(4096, 8192, true), (4096, 8191, false), (4095, 8191, false)] {
        let (oracle, mut bytes) = files();
        let op = Op::Collapse(ByteRange::new(4096, 8192));
        performed(&oracle, 0, SECOND, &op, Came::AsAsked);
        bytes.drain(from..to);
        assert_eq!(may_be(&oracle, 0, &bytes), right, "{from}..{to}");
    }
}

#[test]
fn an_insert_puts_zeroes_exactly_there() {
    for (at, len, right) in [(4096, 4096, true), (4097, 4096, false), (4096, 4097, false)] {
        let (oracle, mut bytes) = files();
        let op = Op::Insert(ByteRange::new(4096, 8192));
        performed(&oracle, 0, SECOND, &op, Came::AsAsked);
        bytes.splice(at..at, vec![0; len]);
        assert_eq!(may_be(&oracle, 0, &bytes), right, "{len} at {at}");
    }
}

#[test]
fn what_moved_is_told_by_the_name_of_who_wrote_it() {
    let (oracle, mut bytes) = files();
    let op = Op::Collapse(ByteRange::new(0, 4096));
    performed(&oracle, 0, SECOND, &op, Came::AsAsked);
    bytes.drain(..4096);
    bytes[5000] ^= 1;
    oracle.saw(0, 0, &bytes, Seen::Standing);
    let violation = oracle.violation().expect("a bit is wrong");
    assert_eq!(violation.range.map(|range| range.start), Some(5000));
}

#[test]
fn who_reads_beside_a_shift_may_see_anything_behind_its_start_and_nothing_else_before() {
    for (wrong, right) in [(4095, false), (4096, true), (9000, true)] {
        let (oracle, mut bytes) = files();
        let read = Op::Read(ByteRange::at(0, 24 << 10));
        let reader = begins(&oracle, 0, OTHER, &read);
        let op = Op::Collapse(ByteRange::new(4096, 8192));
        performed(&oracle, 0, SECOND, &op, Came::AsAsked);
        bytes[wrong] ^= 1;
        oracle.ends(0, reader, &read, Came::Saw { pos: 0, bytes: &bytes });
        assert_eq!(oracle.violation().is_none(), right, "at {wrong}");
    }
}

#[test]
fn copied_and_shared_bytes_are_those_of_the_source() {
    let transfer = Transfer { from: 0, source: ByteRange::at(8192, 4096), pos: 4096 };
    for op in [Op::CopyRange(transfer), Op::Reflink(transfer)] {
        for (start, right) in [(8192, true), (8191, false), (0, false)] {
            let (oracle, source) = files();
            performed(&oracle, 1, SECOND, &op, Came::Wrote(transfer.target()));
            let mut bytes = vec![0; 24 << 10];
            bytes[4096..8192].copy_from_slice(&source[start..start + 4096]);
            assert_eq!(may_be(&oracle, 1, &bytes), right, "{op} from {start}");
        }
    }
}

#[test]
fn a_copy_that_was_short_left_the_rest() {
    let transfer = Transfer { from: 0, source: ByteRange::at(0, 8192), pos: 0 };
    for (copied, right) in [(4096, true), (4097, false), (4095, false)] {
        let (oracle, source) = files();
        let came = Came::Wrote(ByteRange::at(0, 4096));
        performed(&oracle, 1, SECOND, &Op::CopyRange(transfer), came);
        let mut bytes = vec![0; 24 << 10];
        bytes[..copied].copy_from_slice(&source[..copied]);
        assert_eq!(may_be(&oracle, 1, &bytes), right, "{copied} bytes");
    }
}

#[test]
fn a_copy_of_what_was_changed_meanwhile_may_be_anything() {
    let transfer = Transfer { from: 0, source: ByteRange::at(0, 4096), pos: 0 };
    let op = Op::CopyRange(transfer);
    let (oracle, _) = files();
    let flight = begins(&oracle, 1, SECOND, &op);
    performed(&oracle, 0, OTHER, &Op::Write(ByteRange::at(100, 8)), Came::AsAsked);
    oracle.ends(1, flight, &op, Came::Wrote(transfer.target()));
    let mut bytes = vec![0; 24 << 10];
    bytes[..4096].fill(9);
    assert!(may_be(&oracle, 1, &bytes));
}

#[test]
fn a_direct_write_alone_is_what_the_file_holds() {
    let range = ByteRange::at(4096, 4096);
    for (by, right) in [(SECOND, true), (FIRST, false)] {
        let (oracle, mut bytes) = files();
        performed(&oracle, 0, SECOND, &Op::DirectWrite(range), Came::Wrote(range));
        bytes[4096..8192].copy_from_slice(&written(by, range));
        assert_eq!(may_be(&oracle, 0, &bytes), right, "{by}");
    }
}

#[test]
fn beside_a_direct_write_the_cache_may_keep_what_was_there_until_it_is_dropped() {
    let range = ByteRange::at(4096, 4096);
    let (oracle, old) = files();
    let read = Op::Read(ByteRange::at(0, 4096));
    let reader = begins(&oracle, 0, OTHER, &read);
    performed(&oracle, 0, SECOND, &Op::DirectWrite(range), Came::Wrote(range));
    oracle.ends(0, reader, &read, Came::Saw { pos: 0, bytes: &old[..4096] });
    let mut new = old.clone();
    new[4096..8192].copy_from_slice(&written(SECOND, range));
    // What is seen in the cache says nothing about the disk.
    for bytes in [&old, &new, &old] {
        oracle.saw(0, 0, bytes, Seen::Standing);
        assert_eq!(oracle.violation(), None);
    }
    oracle.saw(0, 0, &new, Seen::Reread);
    assert_eq!(oracle.violation(), None);
    assert!(!may_be(&oracle, 0, &old), "it was on the disk");
}

#[test]
fn a_direct_read_sees_what_was_written() {
    for (wrong, right) in [(None, true), (Some(77), false)] {
        let (oracle, mut bytes) = files();
        if let Some(at) = wrong {
            bytes[at] ^= 1;
        }
        let op = Op::DirectRead(ByteRange::at(0, 4096));
        performed(&oracle, 0, SECOND, &op, Came::Saw { pos: 0, bytes: &bytes[..4096] });
        assert_eq!(oracle.violation().is_none(), right);
    }
}
