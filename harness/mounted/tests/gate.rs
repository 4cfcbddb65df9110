//! The gate before the disk: what is held stays held until it is let go, what fails is told, and nothing
//! stays behind, whoever is killed in the middle of it.

#[path = "../allowed.rs"]
mod allowed;

use allowed::is_allowed;
use block::{Limit, Spike};
use mounted::file::Bytes;
use mounted::gate::{Access, Chances, Rule, What};
use mounted::{Cached, File, Gate, Kind, Spec, Venue, Volume, look};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Far more than anything takes here: whoever is not done by then never will be.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file on a filesystem behind a gate, of one block that is on disk and in the cache.
struct Ground {
    file: File,
    /// The block on the device.
    block: std::ops::Range<u64>,
    volume: Volume,
}

/// `None`, and it says so, where this machine cannot.
fn ground(kind: Kind) -> Option<Ground> {
    if !is_allowed("a gate", &["/dev/fuse"]) {
        return None;
    }
    let spec = Spec { gated: true, ..Spec::plain(kind) };
    let volume = Volume::open(&Venue::Made(spec)).expect("root can make one");
    let file = volume.create("a").and_then(File::open).expect("there is room");
    assert_eq!(file.write(0, Bytes::Whole(&[1; 4096], &[])), Ok(4096));
    file.sync().expect("nothing fails yet");
    let disk = look::extents(&file, 0..4096).expect("it is no tmpfs")[0].disk;
    Some(Ground { file, block: disk..disk + 4096, volume })
}

impl Ground {
    fn gate(&self) -> &Gate {
        self.volume.gate().expect("it was asked for")
    }

    fn cached(&self) -> Cached {
        look::cached(&self.file, 0..4096).expect("this kernel tells")
    }
}

/// Until it is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let mut waited = Duration::ZERO;
    while !so() {
        assert!(waited < PATIENCE, "not in {PATIENCE:?}: {what}");
        let step = Duration::from_millis(5);
        sim::sleep(step);
        waited += step;
    }
}

#[test]
fn writeback_is_held_in_flight_and_goes_on_when_it_is_let() {
    for kind in [Kind::Xfs, Kind::Ext4] {
        let Some(ground) = ground(kind) else { return };
        let Ground { file, block, .. } = &ground;
        file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
        let held = ground.gate().hold(Access::Write, block.clone()).unwrap();
        file.write_back(0..4096, false).unwrap();
        assert_eq!(held.met(1, PATIENCE), Ok(1), "{kind:?}");
        assert_eq!(ground.cached(), Cached { pages: 1, dirty: 0, writeback: 1 }, "{kind:?}");
        // A page in writeback is not written back again before that ends.
        file.write(0, Bytes::Whole(&[3; 4096], &[])).unwrap();
        assert_eq!(ground.cached(), Cached { pages: 1, dirty: 1, writeback: 1 }, "{kind:?}");
        std::thread::scope(|scope| {
            let synced = scope.spawn(|| file.sync());
            assert_eq!(held.met(2, Duration::from_millis(50)), Ok(1));
            assert!(!synced.is_finished(), "{kind:?}: fsync waits for writeback");
            held.lift();
            assert_eq!(synced.join().unwrap(), Ok(()), "{kind:?}");
        });
        assert_eq!(ground.cached(), Cached { pages: 1, dirty: 0, writeback: 0 }, "{kind:?}");
    }
}

#[test]
fn a_read_is_held_in_flight_and_brings_what_is_there_when_it_is_let() {
    let Some(ground) = ground(Kind::Xfs) else { return };
    let Ground { file, block, .. } = &ground;
    file.drop_cache(0..4096).unwrap();
    let held = ground.gate().hold(Access::Read, block.clone()).unwrap();
    let mut bytes = [0; 4096];
    std::thread::scope(|scope| {
        let read = scope.spawn(|| file.read(0, &mut bytes, &[]));
        assert_eq!(held.met(1, PATIENCE), Ok(1));
        assert!(!read.is_finished());
        drop(held);
        assert_eq!(read.join().unwrap(), Ok(4096));
    });
    assert_eq!(bytes, [1; 4096]);
}

#[test]
fn a_block_that_fails_is_an_error_and_the_next_write_of_it_is_none() {
    let Some(ground) = ground(Kind::Ext4) else { return };
    let Ground { file, block, .. } = &ground;
    let fails = |access| Rule { access, range: block.clone(), what: What::Fail };
    let failing = ground.gate().ask(fails(Access::Write)).unwrap();
    file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
    assert_eq!(file.sync(), Err(Errno::EIO));
    assert_eq!(failing.met(1, PATIENCE), Ok(1));
    failing.lift();
    file.write(0, Bytes::Whole(&[3; 4096], &[])).unwrap();
    assert_eq!(file.sync(), Ok(()));
    file.drop_cache(0..4096).unwrap();
    let failing = ground.gate().ask(fails(Access::Read)).unwrap();
    assert_eq!(file.read(0, &mut [0; 4096], &[]), Err(Errno::EIO));
    failing.lift();
    let mut bytes = [0; 4096];
    assert_eq!(file.read(0, &mut bytes, &[]), Ok(4096));
    assert_eq!(bytes, [3; 4096]);
}

#[test]
fn chance_fails_bytes_of_files_and_nothing_else() {
    const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
    let pattern: Vec<u8> =
        (0..512_u64).flat_map(|n| (7 ^ n.wrapping_mul(STRIDE)).to_le_bytes()).collect();
    for kind in [Kind::Xfs, Kind::Ext4, Kind::Btrfs] {
        let Some(ground) = ground(kind) else { return };
        let Ground { file, volume, .. } = &ground;
        let always = Chances {
            read_error_ppm: 1_000_000,
            write_error_ppm: 1_000_000,
            stride: STRIDE,
            ..Chances::default()
        };
        let failed = || (ground.gate().failed().reads(), ground.gate().failed().writes());
        ground.gate().chances(5, always).unwrap();
        // Neither what is no pattern, nor the log that every fsync writes.
        file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
        volume.create("b").unwrap();
        assert_eq!((file.sync(), file.sync_all()), (Ok(()), Ok(())), "{kind:?}");
        assert_eq!(failed(), (0, 0), "{kind:?}");
        file.write(0, Bytes::Whole(&pattern, &[])).unwrap();
        assert_eq!(file.sync(), Err(Errno::EIO), "{kind:?}");
        assert_eq!(failed(), (0, 1), "{kind:?}");
        ground.gate().pause(true).unwrap();
        file.write(0, Bytes::Whole(&pattern, &[])).unwrap();
        assert_eq!(file.sync(), Ok(()), "{kind:?}");
        file.drop_cache(0..4096).unwrap();
        ground.gate().pause(false).unwrap();
        assert_eq!(file.read(0, &mut [0; 4096], &[]), Err(Errno::EIO), "{kind:?}");
        let (reads, writes) = failed();
        assert!(0 < reads && writes == 1, "{kind:?}: {reads} {writes}");
        let told = ground.gate().told().unwrap().struck;
        assert_eq!((told.read_error.fired, told.write_error.fired), (reads, writes), "{kind:?}");
        ground.gate().heal().unwrap();
        assert_eq!(file.read(0, &mut [0; 4096], &[]), Ok(4096), "{kind:?}");
    }
}

#[test]
fn a_slow_block_takes_its_time_and_others_do_not_wait_for_it() {
    let Some(ground) = ground(Kind::Xfs) else { return };
    let Ground { file, block, volume } = &ground;
    let time = Duration::from_millis(300);
    let slow = Rule { access: Access::Write, range: block.clone(), what: What::Slow(time) };
    let slow = ground.gate().ask(slow).unwrap();
    file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
    let began = now();
    file.write_back(0..4096, false).unwrap();
    let other = File::open(volume.create("b").unwrap()).unwrap();
    other.write(0, Bytes::Whole(&[5; 4096], &[])).unwrap();
    assert_eq!(slow.met(1, PATIENCE), Ok(1));
    assert_eq!(other.sync(), Ok(()));
    file.sync().unwrap();
    assert!(began + time <= now());
}

#[test]
fn chance_makes_requests_slow_as_often_as_it_may_until_it_is_healed() {
    let Some(ground) = ground(Kind::Ext4) else { return };
    let Ground { file, .. } = &ground;
    let always = |limit| {
        let spike = Spike { ppm: 1_000_000, time: Duration::from_millis(1), limit };
        Chances { spike, ..Chances::default() }
    };
    let read = || {
        file.drop_cache(0..4096).unwrap();
        assert_eq!(file.read(0, &mut [0; 9], &[]), Ok(9));
        let told = ground.gate().told().unwrap();
        (told.struck.spike.armed, told.struck.spike.fired)
    };
    let five = Limit { after: None, times: Some(5) };
    ground.gate().chances(5, always(five)).unwrap();
    let counts: Vec<_> = (0..10).map(|_| read()).collect();
    assert_eq!(counts[9], (5, 5));
    ground.gate().chances(5, always(Limit::default())).unwrap();
    let so_far = read();
    assert!(0 < so_far.0 && so_far.0 == so_far.1, "{so_far:?}");
    ground.gate().heal().unwrap();
    let healed = ground.gate().told().unwrap();
    let healed = healed.struck.spike;
    assert_eq!(read(), (healed.armed, healed.fired));
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has it").into()
}

/// Whether anything of a gate is left: its process, or its loop device.
fn is_left(server: i32, device: &str) -> bool {
    let name = device.trim_start_matches("/dev/");
    // A process that has ended, and that nobody has asked about, is no process any more.
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap_or_default();
    let lives = !status.is_empty() && !status.contains("State:\tZ");
    let backing = std::fs::read_to_string(format!("/sys/block/{name}/loop/backing_file"));
    // Somebody else may have it by now.
    lives || backing.is_ok_and(|backing| backing.trim() == "/")
}

#[test]
fn when_its_process_is_killed_what_it_held_fails_and_nothing_is_left() {
    for kind in [Kind::Xfs, Kind::Ext4] {
        let Some(ground) = ground(kind) else { return };
        let Ground { file, block, .. } = &ground;
        let (server, device) = (ground.gate().server(), ground.gate().path().to_owned());
        file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
        let held = ground.gate().hold(Access::Write, block.clone()).unwrap();
        std::thread::scope(|scope| {
            let synced = scope.spawn(|| file.sync());
            assert_eq!(held.met(1, PATIENCE), Ok(1));
            kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
            assert_eq!(synced.join().unwrap(), Err(Errno::EIO), "{kind:?}");
            assert_eq!(held.met(1, PATIENCE), Err(Errno::EPIPE));
        });
        drop(held);
        drop(ground);
        until("it is gone", || !is_left(server, &device));
    }
}

/// In the environment of a process that is to be killed: what it waits for when that happens.
const VICTIM: &str = "PAGESTORM_TEST_VICTIM";

/// Not a test: what [`when_its_parent_is_killed_nothing_is_left`] kills.
#[test]
fn a_victim_waits_for_what_is_held() {
    let Ok(how) = std::env::var(VICTIM) else { return };
    let ground = ground(Kind::Xfs).unwrap();
    let Ground { file, block, .. } = &ground;
    let access = if how == "read" { Access::Read } else { Access::Write };
    file.drop_cache(0..4096).unwrap();
    if how != "read" {
        file.write(0, Bytes::Whole(&[2; 4096], &[])).unwrap();
    }
    let held = ground.gate().hold(access, block.clone()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if how == "read" { file.read(0, &mut [0; 9], &[]).map(drop) } else { file.sync() }
        });
        assert_eq!(held.met(1, PATIENCE), Ok(1));
        println!("\nholds {} {}", ground.gate().server(), ground.gate().path());
    });
}

#[test]
fn when_its_parent_is_killed_nothing_is_left() {
    if ground(Kind::Xfs).is_none() {
        return;
    }
    for how in ["read", "write"] {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_victim_waits_for_what_is_held", "--nocapture"])
            .env(VICTIM, how)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.starts_with("holds")).unwrap();
        let words: Vec<_> = line.split(' ').collect();
        let (server, device): (i32, _) = (words[1].parse().unwrap(), words[2]);
        assert!(is_left(server, device), "{line}");
        assert!(is_left(0, device), "{line}");
        victim.kill().unwrap();
        victim.wait().unwrap();
        until("it is gone", || !is_left(server, device));
    }
}
