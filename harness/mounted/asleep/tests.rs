//! Who waits for a disk that works goes on by itself; who waits for one that is held does not.

use super::*;
use crate::allowed::is_allowed;
use crate::gate::{Access, Rule, What};
use crate::{Cached, File, Kind, Spec, Venue, look};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use sim::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A file of one page that is on disk and not in the cache.
fn on_disk(volume: &Volume, name: &str) -> File {
    let file = volume.create(name).and_then(File::open).unwrap();
    file.write(0, crate::file::Bytes::Whole(&[1; 4096], &[])).unwrap();
    file.sync().unwrap();
    for _ in 0..10_000 {
        posix_fadvise(&file, 0, 4096, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
        if look::cached(&file, 0..4096).unwrap() == Cached::default() {
            return file;
        }
        sim::sleep(Duration::from_millis(1));
    }
    panic!("the page of {name} stays cached");
}

/// Where a thread stays asleep that reads the file while this happens to reads; none if it goes on.
fn reads(kind: Kind, what: What, held: bool) -> Option<Asleep> {
    let spec = Spec { gated: true, ..Spec::plain(kind) };
    let volume = Arc::new(Volume::open(&Venue::Made(spec)).unwrap());
    let file = on_disk(&volume, "a");
    let (begun, done) = (Arc::new(OnceLock::new()), Arc::new(AtomicBool::new(false)));
    let found = Arc::new(OnceLock::new());
    let mut world = World::threads(Duration::from_secs(30));
    let (may, over) = (Arc::clone(&begun), Arc::clone(&done));
    let thread = Arc::new(OnceLock::new());
    let own = Arc::clone(&thread);
    world.spawn("reader", move || {
        own.set(Thread::current()).unwrap();
        while may.get().is_none() {
            sim::pause();
        }
        file.read(0, &mut [0; 4096], &[]).unwrap();
        over.store(true, Ordering::SeqCst);
    });
    let (slot, around) = (Arc::clone(&found), Arc::clone(&volume));
    world.spawn("conductor", move || {
        let rule = Rule { access: Access::Read, range: 0..u64::MAX, what };
        let force = around.gate().unwrap().ask(rule).unwrap();
        begun.set(()).unwrap();
        while thread.get().is_none() {
            sim::pause();
        }
        let is_over = || done.load(Ordering::SeqCst);
        slot.set(thread.get().unwrap().stays_asleep((&around, held), is_over)).unwrap();
        force.lift();
    });
    let end = world.run();
    assert!(matches!(end.outcome, sim::Outcome::Finished), "{end:?}");
    found.get().cloned().unwrap()
}

#[test]
fn who_waits_for_a_disk_that_works_goes_on_by_itself_and_who_waits_for_one_that_is_held_does_not() {
    if !is_allowed("a disk that is slow", &["/dev/fuse"]) {
        return;
    }
    for kind in [Kind::Xfs, Kind::Ext4, Kind::Btrfs] {
        let slow = What::Slow(Duration::from_millis(100));
        for held in [false, true] {
            assert_eq!(reads(kind, slow, held), None, "{kind:?}, writes held: {held}");
        }
        assert!(reads(kind, What::Hold, true).is_some(), "{kind:?}");
    }
}
