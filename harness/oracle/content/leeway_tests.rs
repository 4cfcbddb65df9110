//! What each leeway allows, and that nothing of it is allowed without.

use super::{Applied, Content, Effect, Fill, Initial, Ticket};
use crate::leeway::{Leeway, Leeways};
use stormfs::op::OpId;

const A: OpId = OpId { actor: 1, number: 5 };
const B: OpId = OpId { actor: 2, number: 6 };

/// A file of 100 bytes, on a filesystem that makes use of `leeway` or not.
fn file(leeway: Leeway, has: bool) -> Content {
    let leeways = if has { Leeways::of(&[leeway]) } else { Leeways::NONE };
    Content::new(100, Initial::Zeroes).with(leeways)
}

fn store(content: &mut Content, range: std::ops::Range<u64>) {
    let fill = Fill::tag(A);
    let ticket = content.begin(A, Effect::Store { range: range.clone(), fill: fill.clone() });
    content.end(ticket, Applied::Wrote { range, fill }).unwrap();
}

fn resize(content: &mut Content, to: u64) {
    let ticket = content.begin(B, Effect::Resize { to });
    content.end(ticket, Applied::Resized { to }).unwrap();
}

/// How often each leeway was needed.
fn used(content: &Content) -> Vec<u64> {
    content.leeways_used().values().copied().collect()
}

fn bytes(len: usize, pos: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Fill::tag(A).put(pos, &mut bytes);
    bytes
}

#[test]
fn a_failed_write_may_move_the_end_to_where_it_was_to_begin() {
    for has in [false, true] {
        let mut content = file(Leeway::FailedWriteMovesEof, has);
        let write = |content: &mut Content| -> Ticket {
            content.begin(A, Effect::Write { range: 300..310, fill: Fill::tag(A) })
        };
        let ticket = write(&mut content);
        assert_eq!(content.check_size(300).is_ok(), has, "while it tries");
        content.end(ticket, Applied::CopiedNothing).unwrap();
        assert!(content.check_size(100).is_ok());
        assert!(content.check_size(301).is_err());
        assert_eq!(used(&content), [], "nobody has seen it");
        assert_eq!(content.quiet_settle_size(300).is_ok(), has);
        assert_eq!(used(&content), if has { vec![1] } else { vec![] });
        assert_eq!(content.size(), if has { 300 } else { 100 });
    }
}

#[test]
fn only_a_write_that_failed_at_its_first_byte_moves_the_end() {
    let write = |applied: Applied<'_>, found| {
        let mut content = file(Leeway::FailedWriteMovesEof, true);
        let ticket = content.begin(A, Effect::Write { range: 300..310, fill: Fill::tag(A) });
        content.end(ticket, applied).unwrap();
        (content.quiet_settle_size(found).is_ok(), used(&content))
    };
    assert_eq!(write(Applied::CopiedNothing, 300), (true, vec![1]));
    assert_eq!(write(Applied::CopiedNothing, 100), (true, vec![]), "it need not");
    assert_eq!(write(Applied::CopiedNothing, 299), (false, vec![]));
    assert_eq!(write(Applied::Nothing, 300), (false, vec![]), "it never came to its bytes");
    let part = || Applied::Wrote { range: 300..304, fill: Fill::tag(A) };
    assert_eq!(write(part(), 304), (true, vec![]));
    assert_eq!(write(part(), 300), (false, vec![]), "what it wrote is in the file");
}

#[test]
fn the_end_that_a_failed_write_may_have_moved_is_moved_no_further() {
    for (to, found, needs) in [(400, 400, false), (200, 300, true), (200, 200, false)] {
        let mut content = file(Leeway::FailedWriteMovesEof, true);
        let ticket = content.begin(A, Effect::Write { range: 300..310, fill: Fill::tag(A) });
        content.end(ticket, Applied::CopiedNothing).unwrap();
        let ticket = content.begin(B, Effect::Grow { to });
        content.end(ticket, Applied::Grew { to }).unwrap();
        assert!(content.quiet_settle_size(found).is_ok(), "{to}, {found}");
        assert_eq!(used(&content), if needs { vec![1] } else { vec![] }, "{to}, {found}");
    }
    let mut content = file(Leeway::FailedWriteMovesEof, true);
    let ticket = content.begin(A, Effect::Write { range: 300..310, fill: Fill::tag(A) });
    content.end(ticket, Applied::CopiedNothing).unwrap();
    resize(&mut content, 300);
    assert!(content.quiet_settle_size(300).is_ok());
    assert_eq!(used(&content), [], "a truncate says so");
}

#[test]
fn a_truncate_meanwhile_may_come_before_it() {
    let mut content = file(Leeway::FailedWriteMovesEof, true);
    let write = content.begin(A, Effect::Write { range: 60..70, fill: Fill::tag(A) });
    let truncate = content.begin(B, Effect::Resize { to: 10 });
    content.end(write, Applied::CopiedNothing).unwrap();
    content.end(truncate, Applied::Resized { to: 10 }).unwrap();
    assert!(content.check_size(10).is_ok() && content.check_size(60).is_ok());
    assert!(content.check_size(100).is_err());
}

#[test]
fn growth_may_show_sizes_on_the_way_and_stop_at_one() {
    for has in [false, true] {
        let mut content = file(Leeway::GrowthInSteps, has);
        let ticket = content.begin(A, Effect::Grow { to: 9000 });
        assert_eq!(content.check_size(4096).is_ok(), has, "on its way");
        content.end(ticket, Applied::Perhaps).unwrap();
        assert_eq!(used(&content), []);
        assert_eq!(content.quiet_settle_size(8192).is_ok(), has);
        assert_eq!(used(&content), if has { vec![1] } else { vec![] });
        assert!(content.check_size(9001).is_err());
        resize(&mut content, 50);
        assert!(content.check_size(8192).is_err(), "a truncate ends it");
    }
}

#[test]
fn what_was_stored_behind_the_end_may_show_when_the_file_grows() {
    for has in [false, true] {
        let mut content = file(Leeway::StoresBeyondEofStay, has);
        store(&mut content, 90..120);
        resize(&mut content, 130);
        assert!(content.check(90, &bytes(10, 90)).is_ok());
        assert!(content.check(100, &[0; 30]).is_ok());
        assert_eq!(content.check(100, &bytes(20, 100)).is_ok(), has);
        assert!(content.check(120, &bytes(5, 120)).is_err(), "nobody stored there");
        assert_eq!(content.quiet_settle(100, &[0; 30]), Ok(()));
        assert_eq!(used(&content), [], "zeroes are right everywhere");
    }
}

#[test]
fn who_sees_what_was_stored_behind_the_end_is_counted() {
    let range = || 100..120;
    let seen = |by_read: bool| {
        let mut content = file(Leeway::StoresBeyondEofStay, true);
        store(&mut content, 90..120);
        resize(&mut content, 130);
        if by_read {
            let ticket = content.begin(B, Effect::Read { range: range() });
            content.end(ticket, Applied::Read { pos: 100, bytes: &bytes(20, 100) }).unwrap();
        } else {
            content.quiet_settle(100, &bytes(20, 100)).unwrap();
            content.quiet_settle(100, &bytes(20, 100)).unwrap();
        }
        used(&content)
    };
    assert_eq!(seen(true), [1]);
    assert_eq!(seen(false), [1], "it is known afterwards");
}

/// The calls that grow a file of 100 bytes to 310: what they may do, and what they have done.
fn growers() -> Vec<(Effect, Applied<'static>)> {
    let (range, fill) = (300..310, Fill::tag(B));
    let zeroed = Applied::Zeroed { range: range.clone(), grew_to: Some(310) };
    vec![
        (
            Effect::Write { range: range.clone(), fill: fill.clone() },
            Applied::Wrote { range: range.clone(), fill: fill.clone() },
        ),
        (Effect::Grow { to: 310 }, Applied::Grew { to: 310 }),
        (Effect::Zero { range: range.clone(), grows_to: Some(310) }, zeroed),
        (Effect::Resize { to: 310 }, Applied::Resized { to: 310 }),
        (
            Effect::Direct { range: range.clone(), fill: fill.clone() },
            Applied::Wrote { range, fill },
        ),
    ]
}

/// Whether a read of what was stored behind the end is right, and how often that needed the leeway: it
/// begins and ends before, in or after a call that grows the file.
fn read_beside(
    (effect, applied): (Effect, Applied<'_>),
    (begins, ends): (usize, usize),
    has: bool,
) -> (bool, Vec<u64>) {
    let mut content = file(Leeway::GrowthShowsStores, has);
    store(&mut content, 90..120);
    let (mut effect, mut applied) = (Some(effect), Some(applied));
    let (mut grower, mut reader, mut right) = (None, None, true);
    for instant in 0..3 {
        if instant == begins {
            reader = Some(content.begin(A, Effect::Read { range: 95..125 }));
        }
        if instant == ends {
            let read = Applied::Read { pos: 95, bytes: &bytes(25, 95) };
            right = content.end(reader.take().unwrap(), read).is_ok();
        }
        match instant {
            0 => grower = Some(content.begin(B, effect.take().unwrap())),
            1 => content.end(grower.take().unwrap(), applied.take().unwrap()).unwrap(),
            _ => {}
        }
    }
    (right, used(&content))
}

#[test]
fn growth_shows_what_was_stored_behind_the_end_until_it_has_returned() {
    for has in [false, true] {
        for (number, grower) in growers().into_iter().enumerate() {
            for instants in [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
                let shows = has && number < 3 && instants.0 < 2;
                let right = (shows, if shows { vec![1] } else { vec![] });
                let told = format!("{grower:?}, {instants:?}, {has}");
                assert_eq!(read_beside(grower.clone(), instants, has), right, "{told}");
            }
        }
    }
}

#[test]
fn growth_shows_nothing_else_and_to_nobody_else() {
    let [write, ..] = &growers()[..] else { unreachable!("there are five") };
    let grown = |by: &dyn Fn(&mut Content) -> bool| {
        let mut content = file(Leeway::GrowthShowsStores, true);
        store(&mut content, 90..120);
        store(&mut content, 130..140);
        let _grower = content.begin(B, write.0.clone());
        by(&mut content)
    };
    let read = |content: &mut Content, pos: u64, bytes: &[u8]| {
        let ticket = content.begin(A, Effect::Read { range: pos..pos + 10 });
        content.end(ticket, Applied::Read { pos, bytes }).is_ok()
    };
    assert!(grown(&|content| read(content, 110, &bytes(10, 110))));
    assert!(grown(&|content| read(content, 110, &[0; 10])));
    assert!(!grown(&|content| read(content, 110, &[0xee; 10])), "nobody stored that");
    assert!(!grown(&|content| read(content, 120, &bytes(10, 120))), "nobody stored there");
    let mut content = file(Leeway::GrowthShowsStores, true);
    store(&mut content, 90..120);
    resize(&mut content, 80);
    let _grower = content.begin(B, write.0.clone());
    assert!(!read(&mut content, 110, &bytes(10, 110)), "a truncate has cleared it");
}

#[test]
fn only_what_allocates_shows_sizes_on_the_way() {
    let perhaps = |effect: Effect| {
        let mut content = file(Leeway::GrowthInSteps, true);
        let ticket = content.begin(A, effect);
        content.end(ticket, Applied::Perhaps).unwrap();
        content.check_size(4096).is_ok()
    };
    let range = || 0..9000;
    assert!(perhaps(Effect::Zero { range: range(), grows_to: Some(9000) }));
    assert!(!perhaps(Effect::Direct { range: range(), fill: Fill::tag(A) }));
}

#[test]
fn a_truncate_below_clears_what_was_stored_behind_the_end() {
    let mut content = file(Leeway::StoresBeyondEofStay, true);
    store(&mut content, 90..120);
    resize(&mut content, 80);
    resize(&mut content, 130);
    assert!(content.check(100, &bytes(20, 100)).is_err());
}

#[test]
fn many_stores_behind_the_end_are_not_told_apart() {
    let mut content = file(Leeway::StoresBeyondEofStay, true);
    for at in 0..500 {
        store(&mut content, 101 + at..102 + at);
    }
    resize(&mut content, 1000);
    assert!(content.check(101, &[0xee; 300]).is_ok());
    assert!(content.check(700, &[0xee; 8]).is_err());
}
