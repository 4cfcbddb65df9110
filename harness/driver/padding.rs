//! A case among calls that have nothing to do with it: where a bug is needs to be found, too.
//!
//! The calls are for a file of their own, so that they change no size, no extent and no folio that
//! the case depends on. They share with it the actors, the device and its workers.

use crate::call::Call;
use crate::case;
use crate::scenario::plan::{ActorPlan, FilePlan, Layout, Plan};
use std::time::Duration;
use stormfs::op::{Op, Transfer};
use stormfs::quantity::{ByteRange, PAGE, narrow};

/// Actors beside the case, which read.
const READERS: usize = 2;

/// Calls of a case have lower numbers until they are numbered anew.
const UNUSED: u64 = 1 << 40;

/// Pages of the file that padding is for.
const PAGES: u64 = 16;

/// `case` with `calls` calls before those of each actor and as many after, of the kinds of its own,
/// and with two actors beside that read as often.
pub fn padded(case: &Plan, calls: u16) -> Plan {
    let mut padded = case.clone();
    let file = padded.files.len();
    let (name, size) = ("padding".to_owned(), PAGES * PAGE);
    padded.files.push(FilePlan { name, size, layout: Layout::Hole });
    for actor in &mut padded.actors {
        let own: Vec<Op> = actor.does.iter().map(|call| call.op.clone()).collect();
        let pad = |nth: u64| {
            let op = moved(&own[narrow(nth) % own.len()], file, nth);
            Call::plain(UNUSED + nth, file, op)
        };
        let count = u64::from(calls);
        let middle = std::mem::take(&mut actor.does);
        actor.does.extend((0..count).map(pad));
        actor.does.extend(middle);
        actor.does.extend((count..2 * count).map(pad));
    }
    for _ in 0..READERS {
        let read = |nth| Call::plain(UNUSED + nth, file, Op::Read(page(nth)));
        let does = (0..2 * u64::from(calls)).map(read).collect();
        padded.actors.push(ActorPlan::listed("reader".to_owned(), does, Duration::ZERO));
    }
    case::name_apart(&mut padded.actors);
    case::renumber(&mut padded);
    padded
}

fn page(nth: u64) -> ByteRange {
    let start = nth % PAGES * PAGE;
    ByteRange::new(start, start + PAGE)
}

/// The `nth` call of the kind of `op`.
fn moved(op: &Op, file: usize, nth: u64) -> Op {
    let range = page(nth);
    let from_beside = |nth| Transfer { from: file, source: page(nth + 1), pos: page(nth).start };
    match *op {
        Op::Read(_) => Op::Read(range),
        Op::Write(_) => Op::Write(range),
        Op::Append(_) => Op::Append(PAGE),
        Op::WriteFromMmap { .. } => Op::WriteFromMmap { pos: range.start, source: page(nth + 1) },
        Op::MmapLoad(_) => Op::MmapLoad(range),
        Op::MmapStore(_) => Op::MmapStore(range),
        Op::Truncate(_) => Op::Truncate(range.end),
        Op::Punch(_) => Op::Punch(range),
        Op::ZeroRange { keep_size, .. } => Op::ZeroRange { range, keep_size },
        Op::Fallocate { keep_size, .. } => Op::Fallocate { range, keep_size },
        Op::Writeback(_) => Op::Writeback(range),
        Op::Evict(_) => Op::Evict(range),
        Op::Release => Op::Release,
        Op::DirectRead(_) => Op::DirectRead(range),
        Op::DirectWrite(_) => Op::DirectWrite(range),
        Op::CopyRange(_) => Op::CopyRange(from_beside(nth)),
        Op::Reflink(_) => Op::Reflink(from_beside(nth)),
        Op::Collapse(_) => Op::Collapse(range),
        Op::Insert(_) => Op::Insert(range),
        Op::Fdatasync => Op::Fdatasync,
        Op::SyncRange { wait, .. } => Op::SyncRange { range, wait },
        Op::Msync(_) => Op::Msync(range),
        Op::DontNeed(_) => Op::DontNeed(range),
        Op::PageOut(_) => Op::PageOut(range),
        // All other files are the case's.
        Op::Fsync | Op::Sync => Op::Fsync,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::{Moment, Strike, Who};
    use crate::scenario::{Known, parse};

    #[test]
    fn calls_are_put_around_those_of_the_case_whose_places_move_with_them() {
        let text = "
files: [{name: a, size: 4KiB}]
actors:
  - {name: a, does: [sync, fsync]}
  - {name: b, does: [fsync]}
";
        let mut case = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let site = "fsync.before_flush".to_owned();
        let at = Moment { who: Who::Actor(0), operation: 2, point: 1, site };
        case.strikes = vec![Strike::Evict { at, file: 0, pos: 0 }];
        let padded = padded(&case, 3);
        let calls: Vec<_> = padded.actors.iter().map(|actor| actor.does.len()).collect();
        assert_eq!(calls, [8, 7, 6, 6]);
        for actor in &padded.actors {
            let numbers = actor.does.iter().map(|call| call.number);
            assert!(numbers.eq(1..=u64::try_from(actor.does.len()).unwrap()), "{actor:?}");
        }
        let of_the_case = |actor: &ActorPlan| {
            let own = actor.does.iter().filter(|call| call.file == 0);
            own.map(|call| (call.number, call.op.clone())).collect::<Vec<_>>()
        };
        assert_eq!(of_the_case(&padded.actors[0]), [(4, Op::Sync), (5, Op::Fsync)]);
        assert_eq!(of_the_case(&padded.actors[1]), [(4, Op::Fsync)]);
        assert_eq!(padded.strikes[0].moment().map(|at| at.operation), Some(5));
    }
}
