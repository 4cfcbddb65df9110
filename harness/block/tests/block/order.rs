//! Completions come out of order, seeds repeat them, and overlaps are told.

use crate::world::{serve, simulated, spec, threads};
use block::{
    Access, Bio, BioOp, Buffer, Device, DeviceFaults, DeviceKind, DeviceSpec, Latency, Overlap,
    open,
};
use sim::chance::Seed;
use sim::{Mutex, Rank, sync};
use std::sync::Arc;
use std::time::Duration;

static LOG: Rank = Rank::leaf(14, "log");

type Log = Arc<Mutex<Vec<u64>>>;

/// Submits eight writes at once; the log gets their causes as they complete.
fn burst(device: &Device, log: &Log) {
    for cause in 0..8 {
        let log = Arc::clone(log);
        let bio = Bio::write(cause * 4096, Buffer::new(4096), cause);
        device.submit(bio, move |bio, result| {
            assert_eq!(result, Ok(()));
            log.lock().push(bio.cause);
        });
    }
}

/// The order in which a burst completes, and the hash of the run.
fn order(wish: &DeviceSpec, seed: u64, workers: usize) -> (Vec<u64>, u64) {
    let log = Arc::new(sync::mutex(&LOG, 0, Vec::new()));
    let theirs = Arc::clone(&log);
    let device = open(wish).expect("it can be had");
    let end = serve(simulated(seed), &device, workers, move |device| burst(device, &theirs));
    (Arc::into_inner(log).expect("the run is over").into_inner(), end.trace_hash)
}

fn slow(kind: DeviceKind) -> DeviceSpec {
    let (min, max) = (Duration::from_micros(10), Duration::from_millis(1));
    let faults =
        DeviceFaults { latency: Latency { min, max }, ..DeviceFaults::none(Seed(3).faults()) };
    DeviceSpec { faults, ..spec(kind) }
}

#[test]
fn two_workers_complete_out_of_order_and_one_does_not() {
    let submitted: Vec<u64> = (0..8).collect();
    for wish in [spec(DeviceKind::Ram), slow(DeviceKind::Ram)] {
        let mut overtaken = 0;
        for seed in 0..50 {
            assert_eq!(order(&wish, seed, 1).0, submitted);
            let mut completed = order(&wish, seed, 2).0;
            overtaken += u32::from(completed != submitted);
            completed.sort_unstable();
            assert_eq!(completed, submitted, "each exactly once");
        }
        assert!(25 < overtaken, "{overtaken} of 50 seeds");
    }
}

#[test]
fn a_seed_has_one_hash_whatever_the_media() {
    for wish in [spec, slow] {
        let first = order(&wish(DeviceKind::Ram), 7, 3);
        for _ in 0..20 {
            assert_eq!(order(&wish(DeviceKind::Ram), 7, 3), first);
        }
        assert_eq!(order(&wish(DeviceKind::Image), 7, 3), first);
        assert_ne!(order(&wish(DeviceKind::Ram), 8, 3).1, first.1);
    }
}

#[test]
fn latency_passes_on_the_clock_of_the_world() {
    let wait = Duration::from_millis(30);
    let faults = DeviceFaults {
        latency: Latency { min: wait, max: wait },
        ..DeviceFaults::none(Seed(1).faults())
    };
    for world in [simulated(1), threads()] {
        let device = open(&DeviceSpec { faults: faults.clone(), ..spec(DeviceKind::Ram) }).unwrap();
        let end = serve(world, &device, 1, |device| {
            device.submit_wait(Bio::flush(0)).1.unwrap();
        });
        assert!((wait..wait * 20).contains(&end.elapsed), "{:?}", end.elapsed);
    }
}

#[test]
fn a_completion_may_submit_the_next_bio_on_the_same_range() {
    for world in [simulated(2), threads()] {
        let device = open(&spec(DeviceKind::Ram)).unwrap();
        let again = Arc::clone(&device);
        serve(world, &device, 2, move |device| {
            let done = Arc::new(sync::mutex(&LOG, 0, false));
            let (theirs, bell) = (Arc::clone(&done), Arc::new(sim::WaitQueue::new()));
            let ring = Arc::clone(&bell);
            device.submit(Bio::write(0, Buffer::new(512), 1), move |bio, result| {
                result.unwrap();
                again.submit(Bio::write(0, bio.data, 2), move |_, result| {
                    result.unwrap();
                    *theirs.lock() = true;
                    ring.wake_all();
                });
            });
            bell.wait_until(sim::Site::point("both written", 1, 0), || *done.lock());
        });
        assert_eq!(device.overlaps(), 0);
    }
}

#[test]
fn a_write_that_shares_bytes_with_a_bio_in_flight_is_told() {
    let device = open(&spec(DeviceKind::Ram)).unwrap();
    serve(simulated(3), &device, 2, |device| {
        device.submit(Bio::write(4096, Buffer::new(4096), 11), |_, _| {});
        device.submit(Bio::write(8192, Buffer::new(4096), 12), |_, _| {});
        device.submit(Bio::read(7680, 1024, 13), |_, _| {});
    });
    let access = |op, offset, len, cause| Access { op, offset, len, cause };
    let second = access(BioOp::Read, 7680, 1024, 13);
    let expected = [
        Overlap { first: access(BioOp::Write, 4096, 4096, 11), second },
        Overlap { first: access(BioOp::Write, 8192, 4096, 12), second },
    ];
    assert_eq!(device.take_overlaps(), expected);
    assert_eq!((device.overlaps(), device.take_overlaps().len()), (2, 0));
}

#[test]
fn an_idle_worker_never_runs_out_of_steps() {
    let device = open(&spec(DeviceKind::Ram)).unwrap();
    // Far more bios than the step budget of an operation, and one worker would do for all.
    serve(simulated(4), &device, 4, |device| {
        for n in 1..20_000 {
            sim::begin_operation(n);
            device.submit_wait(Bio::read(n % 8 * 512, 512, n)).1.unwrap();
        }
    });
}
