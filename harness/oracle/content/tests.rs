//! Single situations, step by step: what may be seen, what may not, and how it is told.

use super::*;
use crate::pattern::{self, DEVICE_POISON, FOLIO_POISON, Origin};

const BASE: OpId = OpId { actor: 9, number: 1 };
const A: OpId = OpId { actor: 1, number: 5 };
const B: OpId = OpId { actor: 2, number: 6 };
const C: OpId = OpId { actor: 3, number: 7 };

fn file(size: u64) -> Content {
    Content::new(size, Initial::Pattern(BASE))
}

fn bytes(op: OpId, range: Range<u64>) -> Vec<u8> {
    let mut bytes = vec![0; dense::length(&range)];
    pattern::fill(op, range.start, &mut bytes);
    bytes
}

fn write(op: OpId, range: Range<u64>) -> Effect {
    Effect::Write { range, fill: Fill::tag(op) }
}

fn store(op: OpId, range: Range<u64>) -> Effect {
    Effect::Store { range, fill: Fill::tag(op) }
}

fn wrote(op: OpId, range: Range<u64>) -> Applied<'static> {
    Applied::Wrote { range, fill: Fill::tag(op) }
}

/// A write with nothing else going on.
fn write_whole(content: &mut Content, op: OpId, range: Range<u64>) {
    let ticket = content.begin(op, write(op, range.clone()));
    content.end(ticket, wrote(op, range)).unwrap();
}

/// Which of the operations' bytes, and zero, may be in `range`.
fn allowed(content: &Content, range: Range<u64>, ops: &[OpId]) -> String {
    let zeroes = vec![0; dense::length(&range)];
    let zero = content.check(range.start, &zeroes).is_ok().then(|| "0".to_string());
    let ops =
        ops.iter().filter(|op| content.check(range.start, &bytes(**op, range.clone())).is_ok());
    zero.into_iter().chain(ops.map(OpId::to_string)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_write_in_flight_allows_old_and_new_and_then_only_new() {
    let mut content = file(4096);
    let ticket = content.begin(A, write(A, 100..300));
    assert_eq!(allowed(&content, 100..300, &[BASE, A, B]), "9.1 1.5");
    assert_eq!(allowed(&content, 300..400, &[BASE, A]), "9.1");
    content.end(ticket, wrote(A, 100..200)).unwrap();
    assert_eq!(allowed(&content, 100..200, &[BASE, A]), "1.5");
    assert_eq!(allowed(&content, 200..300, &[BASE, A]), "9.1", "the write was short");
}

#[test]
fn the_last_writers_are_those_that_nobody_began_after() {
    // Who begins (lower case ends) in this order, all over the same bytes: what is allowed then.
    let cases = [
        ("AaBb", "2.6"),
        ("ABab", "1.5 2.6"),
        ("ABba", "1.5 2.6"),
        ("ABbCca", "1.5 3.7"),
        ("ABbCac", "1.5 3.7"),
        ("ABaCcb", "2.6 3.7"),
        ("ABabCc", "3.7"),
        ("ABCcba", "1.5 2.6 3.7"),
        ("AaB", "1.5 2.6"),
        ("ABb", "1.5 2.6"),
    ];
    for (order, expected) in cases {
        let mut content = file(64);
        let mut tickets = Vec::new();
        for letter in order.chars() {
            let op =
                [A, B, C][usize::from(u8::try_from(letter.to_ascii_lowercase()).unwrap() - b'a')];
            if letter.is_uppercase() {
                tickets.push((op, content.begin(op, write(op, 0..64))));
            } else {
                let place = tickets.iter().position(|(other, _)| *other == op).unwrap();
                content.end(tickets.remove(place).1, wrote(op, 0..64)).unwrap();
            }
        }
        assert_eq!(allowed(&content, 0..64, &[BASE, A, B, C]), expected, "{order}");
    }
}

#[test]
fn truncated_bytes_come_back_as_zero() {
    let mut content = file(100);
    let ticket = content.begin(A, Effect::Resize { to: 30 });
    assert_eq!(content.allowed_sizes(), [100..=100, 30..=30]);
    content.end(ticket, Applied::Resized { to: 30 }).unwrap();
    assert_eq!(content.allowed_sizes(), [30..=30]);
    let ticket = content.begin(B, Effect::Resize { to: 100 });
    content.end(ticket, Applied::Resized { to: 100 }).unwrap();
    assert_eq!(allowed(&content, 30..100, &[BASE]), "0");
    assert_eq!(allowed(&content, 0..30, &[BASE]), "9.1");
}

#[test]
fn a_store_beyond_eof_survives_only_beside_a_growing_operation() {
    // When the store begins and ends (S, s) around a truncate up (T, t).
    for (order, expected) in
        [("SsTt", "0"), ("STst", "0 1.5"), ("STts", "0 1.5"), ("TSst", "0 1.5"), ("TtSs", "1.5")]
    {
        let mut content = file(100);
        let (mut store_ticket, mut grow_ticket) = (None, None);
        for letter in order.chars() {
            match letter {
                'S' => store_ticket = Some(content.begin(A, store(A, 200..216))),
                's' => content.end(store_ticket.take().unwrap(), wrote(A, 200..216)).unwrap(),
                'T' => grow_ticket = Some(content.begin(B, Effect::Resize { to: 300 })),
                _ => {
                    let applied = Applied::Resized { to: 300 };
                    content.end(grow_ticket.take().unwrap(), applied).unwrap();
                }
            }
        }
        assert_eq!(allowed(&content, 200..216, &[A, B]), expected, "{order}");
        assert_eq!(allowed(&content, 100..200, &[A, B]), "0", "{order}");
    }
}

#[test]
fn a_growing_write_beside_another_does_not_zero_what_that_wrote() {
    let mut content = file(50);
    let near = content.begin(A, write(A, 60..80));
    let far = content.begin(B, write(B, 100..200));
    content.end(far, wrote(B, 100..200)).unwrap();
    content.end(near, wrote(A, 60..80)).unwrap();
    assert_eq!(allowed(&content, 60..80, &[A, B]), "1.5");
    assert_eq!(allowed(&content, 80..100, &[A, B]), "0");
    assert_eq!(content.allowed_sizes(), [200..=200]);
}

#[test]
fn a_hole_that_failed_beside_a_write_is_no_growth() {
    let mut content = file(50);
    let writer = content.begin(A, write(A, 60..80));
    let grower = content.begin(B, Effect::Grow { to: 100 });
    content.end(grower, Applied::Grew { to: 100 }).unwrap();
    let punch = content.begin(C, Effect::Zero { range: 60..80, grows_to: None });
    content.end(punch, Applied::Perhaps).unwrap();
    content.end(writer, wrote(A, 60..80)).unwrap();
    assert_eq!(allowed(&content, 60..80, &[A]), "0 1.5");
}

#[test]
fn an_append_may_have_come_before_the_truncate_that_ended_first() {
    let mut content = file(12);
    let cut = content.begin(A, Effect::Resize { to: 5 });
    let append = content.begin(B, Effect::Append { len: 3 });
    content.end(cut, Applied::Resized { to: 5 }).unwrap();
    write_whole(&mut content, C, 13..16);
    let landed = Applied::Wrote { range: 12..15, fill: Fill::Tag { op: B, shift: 12 } };
    content.end(append, landed).unwrap();
    assert_eq!(content.check(12, &[0]), Ok(()));
    assert_eq!(content.check(12, &bytes(B, 0..1)), Ok(()));
}

#[test]
fn a_store_that_may_have_missed_hides_no_truncate() {
    let mut content = file(15);
    let cut = content.begin(A, Effect::Resize { to: 0 });
    let writer = content.begin(B, write(B, 10..14));
    let grower = content.begin(C, Effect::Grow { to: 15 });
    content.end(grower, Applied::Grew { to: 15 }).unwrap();
    content.end(cut, Applied::Resized { to: 0 }).unwrap();
    let ticket = content.begin(A, store(A, 10..14));
    content.end(ticket, wrote(A, 10..14)).unwrap();
    write_whole(&mut content, C, 15..16);
    content.end(writer, wrote(B, 10..14)).unwrap();
    assert_eq!(allowed(&content, 10..14, &[A, B]), "0 1.5 2.6");
}

#[test]
fn a_write_cut_off_by_a_truncate_may_be_grown_over_after_a_lost_store() {
    let mut content = file(15);
    let writer = content.begin(A, write(A, 3..9));
    let cut = content.begin(C, Effect::Resize { to: 0 });
    content.end(cut, Applied::Resized { to: 0 }).unwrap();
    let behind = content.begin(C, write(C, 4..7));
    let lost = content.begin(B, store(B, 3..9));
    content.end(behind, wrote(C, 4..7)).unwrap();
    content.end(writer, wrote(A, 3..9)).unwrap();
    content.end(lost, wrote(B, 3..9)).unwrap();
    assert_eq!(allowed(&content, 3..4, &[A, B]), "0 1.5 2.6");
}

#[test]
fn a_store_may_have_missed_a_file_that_is_larger_by_now() {
    let mut content = file(15);
    let writer = content.begin(A, write(A, 0..8));
    let cut = content.begin(C, Effect::Resize { to: 2 });
    content.end(cut, Applied::Resized { to: 2 }).unwrap();
    let behind = content.begin(C, write(C, 6..16));
    let lost = content.begin(B, store(B, 4..6));
    content.end(behind, wrote(C, 6..16)).unwrap();
    content.end(lost, wrote(B, 4..6)).unwrap();
    content.end(writer, wrote(A, 0..8)).unwrap();
    assert_eq!(allowed(&content, 4..6, &[A, B]), "0 1.5 2.6");
}

#[test]
fn what_was_stored_beyond_eof_does_not_come_back() {
    let mut content = file(100);
    let ticket = content.begin(A, store(A, 200..216));
    content.end(ticket, wrote(A, 200..216)).unwrap();
    let near = content.begin(B, Effect::Grow { to: 210 });
    let far = content.begin(C, Effect::Grow { to: 300 });
    content.end(near, Applied::Grew { to: 210 }).unwrap();
    content.end(far, Applied::Grew { to: 300 }).unwrap();
    assert_eq!(allowed(&content, 200..210, &[A]), "0");
    assert_eq!(allowed(&content, 210..216, &[A]), "0");
}

#[test]
fn an_append_lands_where_it_says() {
    let mut content = file(50);
    let first = content.begin(A, Effect::Append { len: 10 });
    let second = content.begin(B, Effect::Append { len: 10 });
    for size in [50, 55, 60, 65, 70] {
        assert_eq!(content.check_size(size), Ok(()));
    }
    assert!(content.check_size(71).is_err());
    let landed = Applied::Wrote { range: 60..70, fill: Fill::Tag { op: A, shift: 60 } };
    content.end(first, landed).unwrap();
    let landed = Applied::Wrote { range: 50..60, fill: Fill::Tag { op: B, shift: 50 } };
    content.end(second, landed).unwrap();
    assert_eq!(content.allowed_sizes(), [70..=70]);
    assert_eq!(content.check(50, &bytes(B, 0..10)), Ok(()));
    assert_eq!(content.check(60, &bytes(A, 0..10)), Ok(()));
}

#[test]
fn a_read_may_see_whatever_was_there_meanwhile() {
    let mut content = file(64);
    let before = content.begin(C, Effect::Read { range: 0..64 });
    write_whole(&mut content, A, 0..64);
    let after = content.begin(C, Effect::Read { range: 0..64 });
    write_whole(&mut content, B, 0..32);
    let cases = [(BASE, 0..64, true, false), (A, 0..64, true, true), (B, 0..32, true, true)];
    for (op, range, early, late) in cases {
        let found = bytes(op, range);
        for (ticket, expected) in [(&before, early), (&after, late)] {
            let applied = Applied::Read { pos: 0, bytes: &found };
            let judged = content.clone().end(Ticket(ticket.0), applied);
            assert_eq!(judged.is_ok(), expected, "{op}: {judged:?}");
        }
    }
    let garbage = Applied::Read { pos: 0, bytes: &[0; 64] };
    assert!(content.end(before, garbage).is_err());
    content.end(after, Applied::Nothing).unwrap();
}

#[test]
fn a_read_may_see_what_a_short_write_gave_up() {
    let mut content = file(64);
    let read = content.begin(C, Effect::Read { range: 0..64 });
    let ticket = content.begin(A, write(A, 0..64));
    content.end(ticket, wrote(A, 0..32)).unwrap();
    content.end(read, Applied::Read { pos: 0, bytes: &bytes(A, 0..64) }).unwrap();
    assert_eq!(allowed(&content, 32..64, &[BASE, A]), "9.1");
}

#[test]
fn a_read_may_see_a_store_that_waits_for_the_file_to_grow() {
    let mut content = file(100);
    let grower = content.begin(C, Effect::Grow { to: 300 });
    let ticket = content.begin(A, store(A, 200..216));
    content.end(ticket, wrote(A, 200..216)).unwrap();
    let read = content.begin(C, Effect::Read { range: 200..216 });
    let ticket = content.begin(B, store(B, 200..216));
    content.end(ticket, wrote(B, 200..216)).unwrap();
    content.end(read, Applied::Read { pos: 200, bytes: &bytes(A, 200..216) }).unwrap();
    content.end(grower, Applied::Grew { to: 300 }).unwrap();
    assert_eq!(allowed(&content, 200..216, &[A, B]), "0 2.6");
}

#[test]
fn a_read_may_see_zeroes_that_a_growing_operation_shows() {
    let mut content = file(100);
    let cut = content.begin(A, Effect::Resize { to: 10 });
    content.end(cut, Applied::Perhaps).unwrap();
    // The file has 10 or 100 bytes, so that the store reached it or was lost.
    let ticket = content.begin(B, store(B, 50..60));
    content.end(ticket, wrote(B, 50..60)).unwrap();
    let grower = content.begin(C, Effect::Grow { to: 200 });
    let read = content.begin(A, Effect::Read { range: 50..60 });
    content.end(read, Applied::Read { pos: 50, bytes: &[0; 10] }).unwrap();
    content.end(grower, Applied::Grew { to: 200 }).unwrap();
    assert_eq!(allowed(&content, 50..60, &[BASE, B]), "0 9.1 2.6");
}

#[test]
fn a_read_ends_at_the_end_of_the_file() {
    let mut content = file(20);
    let read = content.begin(A, Effect::Read { range: 0..40 });
    let load = content.begin(A, Effect::Load { range: 0..40 });
    let mut found = bytes(BASE, 0..20);
    found.extend([1; 4]);
    let wrong = content.end(read, Applied::Read { pos: 0, bytes: &found }).unwrap_err();
    assert_eq!((wrong.class, wrong.pos), (Class::BeyondEof, 20));
    content.end(load, Applied::Read { pos: 0, bytes: &found }).unwrap();
    assert!(content.check_zero_beyond_eof(16, &bytes(BASE, 16..20)).is_ok());
    let wrong = content.check_zero_beyond_eof(16, &[0, 0, 0, 0, 0, 7]).unwrap_err();
    assert_eq!((wrong.class, wrong.pos), (Class::BeyondEof, 21));
}

#[test]
fn bytes_that_growth_exposes_are_told_from_lost_ones() {
    let zero = |range| Effect::Zero { range, grows_to: None };
    let mut content = file(20);
    let ticket = content.begin(B, store(B, 24..40));
    content.end(ticket, wrote(B, 24..40)).unwrap();
    let ticket = content.begin(C, Effect::Resize { to: 60 });
    content.end(ticket, Applied::Resized { to: 60 }).unwrap();
    let class = |content: &Content| content.check(24, &bytes(B, 24..40)).unwrap_err().class;
    assert_eq!(class(&content), Class::BeyondEof);
    let ticket = content.begin(C, zero(0..40));
    content.end(ticket, Applied::Zeroed { range: 0..40, grew_to: None }).unwrap();
    assert_eq!(class(&content), Class::Lost);
}

#[test]
fn a_source_that_is_not_known_yet_allows_anything_until_it_is() {
    let mut content = file(64);
    let effect = Effect::Write { range: 0..8, fill: Fill::Anything };
    let ticket = content.begin(A, effect);
    assert_eq!(content.check(0, &[77; 8]), Ok(()));
    let fill = Fill::bytes(0, &[1, 2, 3, 4, 5, 6, 7, 8]);
    content.end(ticket, Applied::Wrote { range: 0..8, fill }).unwrap();
    assert_eq!(content.check(0, &[1, 2, 3, 4, 5, 6, 7, 8]), Ok(()));
    assert!(content.check(0, &[77; 8]).is_err());
}

#[test]
fn failed_writeback_widens_until_a_write_or_a_settled_look() {
    let disk = bytes(BASE, 0..64);
    let mut content = file(64);
    write_whole(&mut content, A, 0..64);
    content.widen(0, &disk);
    assert_eq!(allowed(&content, 0..64, &[BASE, A]), "9.1 1.5");
    content.quiet_settle(0, &bytes(A, 0..64)).unwrap();
    assert_eq!(allowed(&content, 0..64, &[BASE, A]), "9.1 1.5", "a look is not enough");
    write_whole(&mut content, B, 0..16);
    assert_eq!(allowed(&content, 0..16, &[BASE, A, B]), "2.6");
    content.settle(16, &disk[16..32]).unwrap();
    assert_eq!(allowed(&content, 16..32, &[BASE, A]), "9.1");
    assert_eq!(allowed(&content, 32..64, &[BASE, A]), "9.1 1.5");
}

#[test]
fn failed_writeback_keeps_what_the_disk_holds_possible_where_the_cache_may_hold_something_else() {
    let mut content = file(64);
    write_whole(&mut content, A, 0..32);
    // It failed on the way: the cache may hold zeros, or what was written before.
    let zeroing = content.begin(B, Effect::Zero { range: 0..32, grows_to: None });
    content.end(zeroing, Applied::Perhaps).unwrap();
    content.widen(0, &bytes(A, 0..32));
    content.quiet_settle(0, &[0; 32]).unwrap();
    content.settle(0, &bytes(A, 0..32)).unwrap();
    assert!(content.check(0, &[0; 32]).is_err(), "read again from the disk, it is settled");
}

#[test]
fn writeback_may_fail_under_a_write_that_is_growing_the_file() {
    let mut content = file(8);
    let flying = content.begin(A, write(A, 8..64));
    content.widen(16, &[0; 16]);
    content.end(flying, wrote(A, 8..64)).unwrap();
    content.check(8, &bytes(A, 8..64)).unwrap();
    content.check(16, &[0; 16]).unwrap();
    assert!(content.check(32, &[0; 16]).is_err(), "that part of it was not in the failed I/O");
    write_whole(&mut content, B, 8..64);
    assert!(content.check(16, &[0; 16]).is_err(), "what failed is overwritten");
}

#[test]
fn growth_that_may_have_failed_leaves_two_sizes_until_a_look() {
    let mut content = file(64);
    let flying = content.begin(A, Effect::Zero { range: 0..8, grows_to: Some(128) });
    content.end(flying, Applied::Perhaps).unwrap();
    assert_eq!((content.least_size(), content.size()), (64, 128));
    content.quiet_settle_size(64).unwrap();
    assert_eq!((content.least_size(), content.size()), (64, 64));
}

#[test]
fn a_look_settles_what_nobody_is_changing() {
    let mut content = file(64);
    let a = content.begin(A, write(A, 0..64));
    let b = content.begin(B, write(B, 0..64));
    content.end(a, wrote(A, 0..64)).unwrap();
    content.end(b, wrote(B, 0..64)).unwrap();
    let flying = content.begin(C, write(C, 48..64));
    content.quiet_settle(0, &bytes(A, 0..64)).unwrap();
    assert_eq!(allowed(&content, 0..48, &[A, B, C]), "1.5");
    assert_eq!(allowed(&content, 48..64, &[A, B, C]), "1.5 2.6 3.7");
    assert!(content.quiet_settle(0, &bytes(B, 0..48)).is_err());
    content.end(flying, Applied::Nothing).unwrap();
}

#[test]
fn sizes_of_overlapping_operations_are_settled_by_a_look() {
    let mut content = file(100);
    let cut = content.begin(A, Effect::Resize { to: 10 });
    write_whole(&mut content, B, 90..120);
    content.end(cut, Applied::Resized { to: 10 }).unwrap();
    assert_eq!(content.allowed_sizes(), [10..=10, 120..=120]);
    assert!(content.check_size(100).is_err());
    let told = content.check_size(100).unwrap_err().to_string();
    assert_eq!(told, "size 100: expected 10 or 120");
    content.quiet_settle_size(10).unwrap();
    assert_eq!(content.allowed_sizes(), [10..=10]);
    write_whole(&mut content, C, 200..201);
    assert_eq!(allowed(&content, 10..200, &[B]), "0");
}

#[test]
fn what_failed_half_way_may_have_happened() {
    let mut content = file(64);
    let ticket = content.begin(A, Effect::Zero { range: 8..16, grows_to: None });
    content.end(ticket, Applied::Perhaps).unwrap();
    assert_eq!(allowed(&content, 8..16, &[BASE]), "0 9.1");
    let ticket = content.begin(B, Effect::Resize { to: 32 });
    content.end(ticket, Applied::Perhaps).unwrap();
    assert_eq!(content.allowed_sizes(), [32..=32, 64..=64]);
}

#[test]
fn wrong_bytes_are_told_with_their_kind() {
    let other = OpId { actor: 4, number: 44 };
    let folio = FOLIO_POISON.to_le_bytes();
    let device = DEVICE_POISON.to_le_bytes();
    let cases: [(&[u8], Class, Origin, &str); 6] = [
        (&[0; 8], Class::Lost, Origin::Zero, "zero"),
        (&bytes(BASE, 8..16), Class::Lost, Origin::Op(BASE), "written by 9.1"),
        (&bytes(other, 8..16), Class::Stale, Origin::Op(other), "written by 4.44"),
        (&folio, Class::Garbage, Origin::FolioPoison, "uninitialised folio memory"),
        (&device, Class::Garbage, Origin::DevicePoison, "a device block never written"),
        (b"plaintxt", Class::Garbage, Origin::Unknown, "written by nobody known"),
    ];
    let mut content = file(64);
    write_whole(&mut content, A, 0..32);
    for (found, class, origin, told) in cases {
        let mut seen = bytes(A, 0..32);
        seen[8..16].copy_from_slice(found);
        let wrong = content.check(0, &seen).unwrap_err();
        assert_eq!((wrong.pos, wrong.class, wrong.origin), (8, class, origin));
        let kind = class.name();
        let told =
            format!("{kind} at 8: expected the bytes of 1.5; found {:#04x}, {told}", found[0]);
        assert_eq!(wrong.to_string(), told);
    }
}

#[test]
fn memory_stays_flat_while_somebody_stalls() {
    let mut content = file(1 << 16);
    let stalled = content.begin(A, store(A, 0..1 << 16));
    let reader = content.begin(C, Effect::Read { range: 0..1 << 16 });
    for number in 1..20_000 {
        let op = OpId { actor: 2, number };
        let start = number * 7919 % (1 << 16);
        write_whole(&mut content, op, start..(start + 64).min(1 << 16));
    }
    let (segments, made) = content.segments.sizes();
    assert!(segments < 4096, "{segments} segments");
    assert!(made <= 2 * segments + 64, "{made} to forget");
    let beyond = content.begin(B, store(B, 1 << 20..1 << 21));
    content.end(beyond, wrote(B, 1 << 20..1 << 21)).unwrap();
    content.end(stalled, wrote(A, 0..1 << 16)).unwrap();
    content.end(reader, Applied::Nothing).unwrap();
    write_whole(&mut content, B, 0..1 << 16);
    assert_eq!(content.segments.sizes(), (0, 0));
}

#[test]
fn the_last_position_is_as_good_as_any() {
    let mut content = file(8);
    write_whole(&mut content, A, u64::MAX - 8..u64::MAX);
    assert_eq!(allowed(&content, u64::MAX - 8..u64::MAX, &[A]), "1.5");
    content.check(u64::MAX - 2, &[0; 9]).unwrap_err();
    let ticket = content.begin(B, Effect::Append { len: u64::MAX });
    content.end(ticket, Applied::Nothing).unwrap();
    let ticket = content.begin(B, Effect::Resize { to: u64::MAX });
    content.end(ticket, Applied::Resized { to: u64::MAX }).unwrap();
    let (start, end) = (9, 3);
    let ticket = content.begin(B, Effect::Read { range: start..end });
    content.end(ticket, Applied::Read { pos: u64::MAX, bytes: &[1] }).unwrap_err();
}
