//! Faults strike where they were asked for, the same ones for the same seed, and real errors are
//! told apart from them.

use crate::world::{serve, simulated, spec, threads};
use block::{
    Bio, BioOp, Buffer, Description, Device, DeviceFaults, DeviceKind, DeviceSpec, FaultCount,
    IoError, Media, open,
};
use sim::chance::Seed;
use sim::{Failure, Mutex, Outcome, Rank, sync};
use std::sync::Arc;

static LOG: Rank = Rank::leaf(14, "log");

fn failing(seed: u64, [read, write, flush]: [u32; 3]) -> Arc<Device> {
    let faults = DeviceFaults {
        read_error_ppm: read,
        write_error_ppm: write,
        flush_error_ppm: flush,
        ..DeviceFaults::none(Seed(seed).faults())
    };
    open(&DeviceSpec { faults, ..spec(DeviceKind::Ram) }).expect("memory can be had")
}

#[test]
fn always_and_never_mean_what_they_say_in_both_worlds() {
    for bits in 0..8 {
        let fails = [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0];
        for world in [simulated(1), threads()] {
            let device = failing(1, fails.map(|fails| if fails { 1_000_000 } else { 0 }));
            serve(world, &device, 2, move |device| {
                let expected =
                    fails.map(|fails| if fails { Err(IoError::Injected) } else { Ok(()) });
                for n in 0..20 {
                    let data = Buffer::from([7_u8; 512].as_slice());
                    assert_eq!(device.submit_wait(Bio::read(0, 512, n)).1, expected[0]);
                    assert_eq!(device.submit_wait(Bio::write(512, data, n)).1, expected[1]);
                    assert_eq!(device.submit_wait(Bio::flush(n)).1, expected[2]);
                }
            });
            let counts = device.faults();
            let counts = [counts.read_error, counts.write_error, counts.flush_error];
            let told = fails.map(|fails| if fails { 20 } else { 0 });
            assert_eq!(counts, told.map(|n| FaultCount { armed: n, fired: n }));
        }
    }
}

#[test]
fn a_failed_write_leaves_the_media_as_it_was() {
    let device = failing(2, [0, 500_000, 0]);
    serve(simulated(2), &device, 1, |device| {
        let (mut held, mut failed) = ([0; 512], 0);
        device.peek(0, &mut held).unwrap();
        for value in 0..100 {
            let data = Buffer::from([value; 512].as_slice());
            match device.submit_wait(Bio::write(0, data, u64::from(value))).1 {
                Ok(()) => held = [value; 512],
                Err(error) => {
                    assert_eq!(error, IoError::Injected);
                    failed += 1;
                }
            }
            let mut now = [0; 512];
            device.peek(0, &mut now).unwrap();
            assert_eq!(now, held, "after the write of {value}");
        }
        assert!((20..80).contains(&failed), "{failed} of 100 at 50 %");
    });
}

/// Which of the reads fail that ten causes submit at once, four each, if `left_out` does not.
fn failures(seed: u64, schedule: u64, left_out: Option<u64>) -> Vec<(u64, u64)> {
    let log: Arc<Mutex<Vec<(u64, u64)>>> = Arc::new(sync::mutex(&LOG, 0, Vec::new()));
    let theirs = Arc::clone(&log);
    serve(simulated(schedule), &failing(seed, [200_000, 0, 0]), 3, move |device| {
        for n in 0..40 {
            let cause = n % 10;
            if Some(cause) == left_out {
                continue;
            }
            let log = Arc::clone(&theirs);
            device.submit(Bio::read(n * 512, 512, cause), move |bio, result| {
                if result.is_err() {
                    log.lock().push((bio.cause, bio.offset));
                }
            });
        }
    });
    let mut failed = Arc::into_inner(log).expect("the run is over").into_inner();
    failed.sort_unstable();
    failed
}

#[test]
fn a_seed_has_the_same_faults_whatever_the_schedule_and_whoever_else_is_there() {
    let first = failures(5, 0, None);
    assert!((3..15).contains(&first.len()), "{first:?}");
    for schedule in 1..20 {
        assert_eq!(failures(5, schedule, None), first);
    }
    for cause in 0..10 {
        let rest: Vec<_> = first.iter().copied().filter(|(by, _)| *by != cause).collect();
        assert_eq!(failures(5, 0, Some(cause)), rest, "without cause {cause}");
    }
    assert_ne!(failures(6, 0, None), first);
}

/// A machine that is broken.
struct Broken;

impl Media for Broken {
    fn read(&self, _: u64, _: &mut [u8]) -> Result<(), IoError> {
        Err(IoError::Real { errno: 5, what: "pread" })
    }

    fn write(&self, _: u64, _: &[u8]) -> Result<(), IoError> {
        Err(IoError::Real { errno: 28, what: "pwrite" })
    }

    fn flush(&self) -> Result<(), IoError> {
        Err(IoError::Real { errno: 5, what: "fdatasync" })
    }

    fn peek(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        self.read(offset, into)
    }
}

#[test]
fn real_errors_arrive_as_they_are_and_count_as_no_fault() {
    let description = Description {
        kind: DeviceKind::Image,
        detail: "broken".to_owned(),
        size: 4096,
        sector: 512,
    };
    let faults = DeviceFaults::none(Seed(1).faults());
    let device = Arc::new(Device::new(description, Box::new(Broken), faults));
    serve(simulated(1), &device, 1, |device| {
        let bios = [Bio::read(0, 512, 1), Bio::write(0, Buffer::new(512), 1), Bio::flush(1)];
        for (bio, errno) in bios.into_iter().zip([5, 28, 5]) {
            let (bio, result) = device.submit_wait(bio);
            let told = matches!(result, Err(IoError::Real { errno: told, .. }) if told == errno);
            assert!(told, "{}: {result:?}", bio.op);
        }
        assert!(device.peek(7, &mut [0]).is_err());
    });
    assert_eq!(device.faults(), block::FaultCounts::default());
}

#[test]
fn bios_that_no_filesystem_may_submit_stop_the_run() {
    let bio = |op, offset, len| Bio { op, offset, data: Buffer::new(len), cause: 0 };
    let cases = [
        (bio(BioOp::Read, 0, 0), "a flush moves nothing"),
        (bio(BioOp::Flush, 0, 512), "a flush moves nothing"),
        (bio(BioOp::Write, 100, 512), "not whole sectors"),
        (bio(BioOp::Write, 512, 700), "not whole sectors"),
        (bio(BioOp::Read, 1 << 20, 512), "beyond the end"),
        (bio(BioOp::Write, (1 << 20) - 512, 1024), "beyond the end"),
        (bio(BioOp::Read, u64::MAX - 511, 512), "beyond the end"),
    ];
    for (bio, expected) in cases {
        let device = open(&spec(DeviceKind::Ram)).unwrap();
        let mut world = simulated(1);
        world.spawn("actor", move || device.submit(bio, |_, _| {}));
        let Outcome::Failed(Failure::Panicked { panic, .. }) = world.run().outcome else {
            panic!("{expected}: accepted");
        };
        assert!(panic.message.contains(expected), "{}", panic.message);
    }
}
