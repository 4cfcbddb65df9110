//! What happens to operations beside their own work: faults that strike them, and time that the
//! oracle takes.

use crate::haunts;
use crate::scenario::plan::{Plan, WorldKind};
use crate::strikes;
use crate::tally::Fault;
use block::{Aftermath, BioOp, EndedBio};
use report::timeline::Timeline;
use sim::{Mutex, Rank};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stormfs::op::Op;
use stormfs::quantity::{ByteRange, narrow};

/// See the module. Every task notes what happens to it, and actors ask what happened since.
pub struct Incidents {
    /// When the actors began, in nanoseconds of the world's time.
    began: AtomicU64,
    tasks: Vec<Noted>,
    /// How many requests were struck.
    struck: AtomicU64,
    requests: Mutex<VecDeque<Request>>,
    /// When faults struck, where time is real.
    windows: Option<Mutex<Timeline>>,
    max_folio: u64,
}

/// What happened to one task so far.
#[derive(Default)]
struct Noted {
    /// Nanoseconds that the oracle took.
    oracle: AtomicU64,
    /// Delays at points.
    delays: AtomicU64,
}

/// A request that failed or was delayed, and is over.
#[derive(Debug, Clone, Copy)]
struct Request {
    op: BioOp,
    file: usize,
    range: ByteRange,
}

/// How things stood when an operation began.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    oracle: u64,
    delays: u64,
    struck: u64,
}

/// Requests that are remembered: far more than can end while one operation waits for them.
const REMEMBERED: usize = 256;

/// The actors have not begun.
const NEVER: u64 = u64::MAX;

static REQUESTS: Rank = Rank::leaf(12, "struck requests");
static WINDOWS: Rank = Rank::leaf(12, "fault windows");

impl Incidents {
    /// Nothing has happened yet in a storm of `plan`.
    pub fn new(plan: &Plan) -> Incidents {
        // The conductor, the actors, and the workers of the device.
        let tasks = 1 + crate::storm::actors(plan) + plan.device.workers;
        let windows = || sim::sync::mutex(&WINDOWS, 0, Timeline::default());
        Incidents {
            began: AtomicU64::new(NEVER),
            tasks: (0..tasks).map(|_| Noted::default()).collect(),
            struck: AtomicU64::new(0),
            requests: sim::sync::mutex(&REQUESTS, 0, VecDeque::new()),
            windows: (plan.world == WorldKind::Threads).then(windows),
            max_folio: plan.filesystem.max_folio,
        }
    }

    /// The actors begin now.
    pub fn begin(&self) {
        self.began.store(nanoseconds(sim::now()), Ordering::SeqCst);
    }

    /// Milliseconds from when the actors began until `time`; none before.
    pub fn since_began(&self, time: Duration) -> Option<u64> {
        let began = self.began.load(Ordering::SeqCst);
        Some(nanoseconds(time).checked_sub(began)? / 1_000_000)
    }

    /// The current task stands still at a point for `time`.
    pub fn delays(&self, time: Duration) {
        if let Some(me) = self.me() {
            me.delays.fetch_add(1, Ordering::Relaxed);
        }
        let now = sim::now();
        self.strikes(Fault::Delay, (now, now + time));
    }

    /// A fault struck now.
    pub fn strikes_now(&self, fault: Fault) {
        let now = sim::now();
        self.strikes(fault, (now, now));
    }

    fn strikes(&self, fault: Fault, (from, to): (Duration, Duration)) {
        let Some(windows) = &self.windows else { return };
        if let Some((from, to)) = self.since_began(from).zip(self.since_began(to)) {
            windows.lock().fault(fault.name(), from, to);
        }
    }

    /// All actors were halted from `since` until `until`.
    pub fn halted(&self, since: Duration, until: Duration) {
        let Some(windows) = &self.windows else { return };
        if let Some((from, to)) = self.since_began(since).zip(self.since_began(until)) {
            windows.lock().halt(from, to);
        }
    }

    /// When faults struck so far; none where time is virtual.
    pub fn windows(&self) -> Option<Timeline> {
        self.windows.as_ref().map(|windows| windows.lock().clone())
    }

    /// Counts what the oracle takes of the current task until the answer is dropped.
    pub fn oracle(&self) -> OracleTime<'_> {
        OracleTime { of: self.me(), since: sim::now() }
    }

    /// How things stand with the current task now.
    pub fn mark(&self) -> Mark {
        let struck = self.struck.load(Ordering::SeqCst);
        let Some(me) = self.me() else { return Mark { oracle: 0, delays: 0, struck } };
        let (oracle, delays) = (&me.oracle, &me.delays);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Mark { oracle: read(oracle), delays: read(delays), struck }
    }

    /// What the oracle took of the current task between two moments.
    pub fn oracle_between(before: Mark, after: Mark) -> Duration {
        Duration::from_nanos(after.oracle.saturating_sub(before.oracle))
    }

    /// Whether an operation between two moments on `file`, which was `size` long, was delayed, or met
    /// a request that was struck: one for bytes of its folios, that ended meanwhile.
    pub fn met(&self, (mark, now): (Mark, Mark), (file, op, size): (usize, &Op, u64)) -> bool {
        if now.delays != mark.delays {
            return true;
        }
        if now.struck == mark.struck {
            return false;
        }
        let folios = haunts::place(op, size).map(|range| self.folios(op, range));
        let requests = self.requests.lock();
        // The count moves under this lock: what ended since `now` stands at the back.
        let later = self.struck.load(Ordering::SeqCst) - now.struck;
        let meanwhile = requests.iter().rev().skip(narrow(later));
        let mut meanwhile = meanwhile.take(narrow(now.struck - mark.struck));
        meanwhile.any(|request| meets(op, file, folios, *request))
    }

    /// Whole folios around what an operation touches.
    fn folios(&self, op: &Op, range: ByteRange) -> ByteRange {
        let start = range.start - range.start % self.max_folio;
        let end = range.end.div_ceil(self.max_folio).saturating_mul(self.max_folio);
        // What lies beyond the new end is removed.
        let end = if matches!(op, Op::Truncate(_)) { u64::MAX } else { end };
        ByteRange::new(start, end)
    }

    fn me(&self) -> Option<&Noted> {
        self.tasks.get(sim::current_task())
    }
}

/// Whether an operation waits for a request such as this, or sees that it failed.
fn meets(op: &Op, file: usize, folios: Option<ByteRange>, request: Request) -> bool {
    let same = request.file == file || matches!(op, Op::Sync);
    let overlap = folios
        .is_none_or(|folios| request.range.start < folios.end && folios.start < request.range.end);
    let concerned = match request.op {
        BioOp::Flush => matches!(op, Op::Fsync | Op::Sync),
        BioOp::Read => overlap && !matches!(op, Op::Fsync | Op::Sync),
        // Who reads what is in the page cache does not wait for its writeback.
        BioOp::Write => overlap && !matches!(op, Op::Read(_) | Op::MmapLoad(_)),
    };
    same && concerned
}

impl Aftermath for Incidents {
    fn over(&self, ended: EndedBio) {
        let EndedBio { place, bytes, failed, delayed, from } = ended;
        if delayed {
            self.strikes(Fault::Latency, (from, sim::now()));
        }
        if failed {
            self.strikes_now(match place.op {
                BioOp::Read => Fault::ReadError,
                BioOp::Write => Fault::WriteError,
                BioOp::Flush => Fault::FlushError,
            });
        }
        let (file, pos) = strikes::place(place.cause);
        let mut requests = self.requests.lock();
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(Request { op: place.op, file, range: ByteRange::at(pos, bytes) });
        self.struck.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts what the oracle takes of a task.
pub struct OracleTime<'a> {
    of: Option<&'a Noted>,
    since: Duration,
}

impl Drop for OracleTime<'_> {
    fn drop(&mut self) {
        if let Some(noted) = self.of {
            let taken = nanoseconds(sim::now().saturating_sub(self.since));
            noted.oracle.fetch_add(taken, Ordering::Relaxed);
        }
    }
}

/// A time in nanoseconds.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use block::BioPlace;

    #[test]
    fn an_operation_meets_requests_of_its_own_folios_that_end_meanwhile() {
        let text = "filesystem: {max_folio: 16KiB}\nactors: [{name: a, ops: {write: 1}}]";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let incidents = Incidents::new(&plan);
        let over = |op, file: u64, pos| {
            let place = BioPlace { op, cause: file << 48 | pos, nth: 0 };
            let from = Duration::ZERO;
            incidents.over(EndedBio { place, bytes: 4096, failed: true, delayed: false, from });
        };
        over(BioOp::Write, 1, 0);
        let near = ByteRange::at(20_000, 10);
        let far = ByteRange::at(70_000, 10);
        let table: [(BioOp, u64, u64, Op, bool); 10] = [
            (BioOp::Read, 1, 16_384, Op::Read(near), true),
            (BioOp::Read, 1, 16_384, Op::Read(far), false),
            (BioOp::Read, 2, 16_384, Op::Read(near), false),
            (BioOp::Write, 1, 16_384, Op::Read(near), false),
            (BioOp::Write, 1, 16_384, Op::Write(near), true),
            (BioOp::Write, 1, 16_384, Op::Fsync, true),
            (BioOp::Write, 2, 16_384, Op::Fsync, false),
            (BioOp::Write, 2, 16_384, Op::Sync, true),
            (BioOp::Flush, 1, 0, Op::Write(near), false),
            (BioOp::Write, 1, 1 << 30, Op::Truncate(20_000), true),
        ];
        for (on, file, pos, op, expected) in table {
            let mark = incidents.mark();
            assert!(
                !incidents.met((mark, incidents.mark()), (1, &op, 0)),
                "nothing happened to {op:?} yet"
            );
            over(on, file, pos);
            assert_eq!(
                incidents.met((mark, incidents.mark()), (1, &op, 0)),
                expected,
                "{on} of {file}, {op:?}"
            );
        }
        // What ends behind an operation hides nothing that ended before, and is none of its own.
        let (mark, now) = (incidents.mark(), {
            over(BioOp::Write, 1, 16_384);
            incidents.mark()
        });
        over(BioOp::Read, 2, 16_384);
        assert!(incidents.met((mark, now), (1, &Op::Fsync, 0)));
        assert!(!incidents.met((mark, now), (2, &Op::Read(near), 0)));
        let mark = incidents.mark();
        (0..10_000).for_each(|_| over(BioOp::Flush, 1, 0));
        assert!(incidents.met((mark, incidents.mark()), (1, &Op::Fsync, 0)));
        assert_eq!(incidents.requests.lock().len(), REMEMBERED);
    }
}
