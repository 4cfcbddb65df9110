//! Who waits for a buffered write that has its mapping and no folio locked. The write holds
//! `i_rwsem`, perhaps shared and then with its range, and no lock from `invalidate_lock` on: page
//! faults, writeback and reclaim go on, and so does fsync; what takes `i_rwsem` waits, unless both
//! share it and their ranges are apart. XFS holds `i_rwsem` exclusively, and does the same where it
//! was watched.

use crate::stage::{Stage, options, perform, spec};
use sim::{Site, WaitQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stormfs::Options;
use stormfs::inode::Steer;
use stormfs::op::Outcome;
use stormfs::points::Point;
use stormfs::quantity::ByteRange;

/// What becomes of an operation while the write is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Runs,
    Blocks,
}

use Meanwhile::{Blocks, Runs};

/// What is expected with each value of `write_lock`, in its order.
type Row = (&'static str, fn(&Stage) -> Outcome, [Meanwhile; 3]);

const LOCKINGS: [&str; 3] = ["exclusive", "shared_nonextending", "shared"];

/// The file has 64 KiB: 16 KiB on the device and in the cache, a dirty page at 32 KiB, else holes.
/// The write covers its first 48 KiB, which are three folios of the largest size.
const ROWS: &[Row] = &[
    ("load from a page of the write", |s| s.load(0, 1), [Runs; 3]),
    ("load from a hole of the write", |s| s.load(20000, 1), [Runs; 3]),
    ("load from another page", |s| s.load(60000, 1), [Runs; 3]),
    ("store to a page of the write", |s| s.store(0, 1, 9), [Runs; 3]),
    ("store to a hole of the write", |s| s.store(20000, 1, 9), [Runs; 3]),
    ("store to another page", |s| s.store(60000, 1, 9), [Runs; 3]),
    ("writeback of a range", |s| s.fs.writeback(0, ByteRange::new(0, 65536)), [Runs; 3]),
    ("reclaim", Stage::evict, [Runs; 3]),
    ("fsync", |s| s.fs.fsync(0), [Runs; 3]),
    ("sync", |s| s.fs.sync(), [Runs; 3]),
    ("read", |s| s.read(0, 1).map(|_| 1), [Blocks; 3]),
    ("read of another page", |s| s.read(60000, 1).map(|_| 1), [Blocks, Runs, Runs]),
    ("read of both", |s| s.read(49151, 2).map(|_| 1), [Blocks; 3]),
    ("second write", |s| s.write(0, 1, 9), [Blocks; 3]),
    ("second write elsewhere", |s| s.write(60000, 1, 9), [Blocks, Runs, Runs]),
    ("second write to the next byte", |s| s.write(49152, 1, 9), [Blocks, Runs, Runs]),
    ("write over the end", |s| s.write(60000, 8192, 9), [Blocks, Blocks, Runs]),
    ("write beyond the end", |s| s.write(100_000, 1, 9), [Blocks, Blocks, Runs]),
    ("append", |s| s.append(1, 9), [Blocks, Blocks, Runs]),
    (
        "write from a mapping",
        |s| s.fs.write_from_mmap(0, s.next_id(), 1, source()),
        [Blocks, Runs, Runs],
    ),
    ("truncate down", |s| s.truncate(1), [Blocks; 3]),
    ("truncate up", |s| s.truncate(100_000), [Blocks; 3]),
    ("punch", |s| s.punch(0, 65536), [Blocks; 3]),
    ("zero range", |s| s.zero(60000, 1, true), [Blocks; 3]),
    ("fallocate", |s| s.allocate(0, 65536, true), [Blocks; 3]),
];

#[test]
fn a_write_in_its_window_holds_back_what_xfs_holds_back_or_less_where_it_shares() {
    for (about, operation, expected) in ROWS {
        for (locking, expected) in LOCKINGS.into_iter().zip(expected) {
            for seed in 1..8 {
                let found = meanwhile(*operation, locking, seed);
                assert_eq!(found, *expected, "{about}, write_lock {locking}, seed {seed}");
            }
        }
    }
}

/// Looks at the watched operation so often before it counts as blocked: many times what any of them
/// takes to its end.
const LOOKS: u32 = 2000;

fn meanwhile(operation: fn(&Stage) -> Outcome, locking: &str, seed: u64) -> Meanwhile {
    let hold = Arc::new(Hold::default());
    let mut options = Options { steer: Arc::<Hold>::clone(&hold), ..options(4096, 16384) };
    assert!(options.choices.set("write_lock", locking));
    let (watching, writing, operating) = (Arc::clone(&hold), Arc::clone(&hold), Arc::clone(&hold));
    let watch = move |stage: &Stage| {
        lay_out(stage);
        watching.armed.set();
        watching.held.wait();
        watching.begun.set();
        for _ in 0..LOOKS {
            sim::pause();
        }
        watching.ran.store(watching.ended.is_set(), Ordering::SeqCst);
        watching.released.set();
        watching.ended.wait();
        watching.written.wait();
    };
    let write = move |stage: &Stage| {
        writing.armed.wait();
        assert_eq!(stage.write(0, 48 << 10, 7), Ok(48 << 10));
        writing.written.set();
    };
    let operate = move |stage: &Stage| {
        operating.begun.wait();
        operation(stage).expect("nothing stands in its way but the write");
        operating.ended.set();
    };
    let tasks: Vec<crate::stage::Task> = vec![Box::new(watch), Box::new(write), Box::new(operate)];
    perform(&spec(4096), options, seed, tasks);
    if hold.ran.load(Ordering::SeqCst) { Runs } else { Blocks }
}

fn lay_out(stage: &Stage) {
    let calls = [
        stage.truncate(65536),
        stage.write(0, 16384, 1),
        stage.fs.sync(),
        stage.write(32768, 4096, 2),
    ];
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");
}

/// Where to, and where from.
fn source() -> (u64, ByteRange) {
    (60000, ByteRange::at(0, 100))
}

/// Holds the write at its point, and what the tasks tell one another.
#[derive(Default)]
struct Hold {
    armed: Signal,
    held: Signal,
    begun: Signal,
    ended: Signal,
    released: Signal,
    written: Signal,
    ran: AtomicBool,
}

impl Steer for Hold {
    fn at(&self, point: Point) {
        if point == Point::WriteMapped && self.armed.is_set() && !self.held.is_set() {
            self.held.set();
            self.released.wait();
        }
    }
}

/// Something that has happened or not.
#[derive(Default)]
struct Signal {
    given: AtomicBool,
    changed: WaitQueue,
}

impl Signal {
    fn set(&self) {
        self.given.store(true, Ordering::SeqCst);
        self.changed.wake_all();
    }

    fn is_set(&self) -> bool {
        self.given.load(Ordering::SeqCst)
    }

    fn wait(&self) {
        self.changed.wait_until(Site::point("signal", 0xe000, 0), || self.is_set());
    }
}
