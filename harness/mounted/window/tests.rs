//! Windows in writes: where a write stands, what it holds there, what came of it, and who goes on.

use super::*;
use crate::allowed::is_allowed;
use crate::file::Bytes;
use crate::{
    Abilities, Ability, File, Kind, Mapping, Mm, Spec, Thread, Venue, Volume, look, rights,
};
use nix::fcntl::FallocateFlags;
use sim::{Mutex, Rank, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Far more than anything takes here: whoever is not done by then never will be.
const PATIENCE: Duration = Duration::from_secs(30);

const PAGE_SIZE: u64 = 4096;

static SLOT: Rank = Rank::leaf(12, "slot");

/// A filesystem of that kind. `None`, and it says so, where this machine cannot.
fn volume(kind: Kind) -> Option<Volume> {
    let what = format!("a window into a write of {}", kind.name());
    if !is_allowed(&what, &["/proc/sys/vm/unprivileged_userfaultfd"]) {
        return None;
    }
    Some(Volume::open(&Venue::Made(Spec::plain(kind))).unwrap())
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251).to_le_bytes()[0] | 1).collect()
}

/// What came of a write into which others have looked.
struct Landed<T> {
    returned: Result<u64, Errno>,
    /// How many bytes it had copied where it stood, each time.
    stood: Vec<usize>,
    seen: Vec<T>,
}

/// Writes `wanted` at `pos` of `file`, and has `inside` look, and let go on, wherever it stands.
fn written<T: Send + 'static>(
    file: &Arc<File>,
    (wanted, pos): (Wanted<'_>, u64),
    habit: Habit,
    mut inside: impl FnMut(&mut Reins) -> T + Send + 'static,
) -> Landed<T> {
    let (mut window, stops) = Reins::new(wanted, habit).unwrap();
    let came = Arc::new(sim::sync::mutex(&SLOT, 0, (Err(Errno::EAGAIN), Vec::new(), Vec::new())));
    let done = Arc::new(AtomicBool::new(false));
    let mut world = World::threads(PATIENCE);
    let (slot, over, file) = (Arc::clone(&came), Arc::clone(&done), Arc::clone(file));
    world.spawn("writer", move || {
        let returned = file.write(pos, Bytes::Stopping(&stops));
        slot.lock().0 = returned;
        over.store(true, Ordering::SeqCst);
    });
    let slot: Arc<Mutex<_>> = Arc::clone(&came);
    world.spawn("conductor", move || {
        while !done.load(Ordering::SeqCst) {
            if let Some(copied) = window.look().unwrap() {
                let seen = inside(&mut window);
                let mut slot = slot.lock();
                slot.1.push(copied);
                slot.2.push(seen);
            }
            sim::pause();
        }
    });
    let end = world.run();
    assert!(matches!(end.outcome, sim::Outcome::Finished), "{end:?}");
    let (returned, stood, seen) = Arc::into_inner(came).unwrap().into_inner();
    Landed { returned, stood, seen }
}

fn new_file(volume: &Volume, name: &str) -> Arc<File> {
    Arc::new(File::open(volume.create(name).unwrap()).unwrap())
}

#[test]
fn filesystems_have_these_habits() {
    for (kind, habit) in [
        (Kind::Xfs, Habit::Ahead),
        (Kind::Ext4, Habit::AfterTheCopy),
        (Kind::Btrfs, Habit::PageByPage),
        (Kind::Tmpfs, Habit::AfterTheCopy),
    ] {
        let Some(volume) = volume(kind) else { return };
        assert_eq!(Habit::of(&volume).unwrap(), habit, "{kind:?}");
    }
}

#[test]
fn a_write_stands_at_any_byte_and_goes_on_or_fails_there() {
    for kind in Kind::ALL {
        let Some(volume) = volume(kind) else { return };
        let habit = Habit::of(&volume).unwrap();
        let bytes = bytes(20_000);
        for (nth, at) in [0, 1, 777, 4096, 5000, 8192, 19_998, 19_999].into_iter().enumerate() {
            for (way, how) in [None].into_iter().chain(Failing::ALL.map(Some)).enumerate() {
                if !habit.can_stand((0, bytes.len()), at) {
                    continue;
                }
                let file = new_file(&volume, &format!("a{nth}{way}"));
                let wanted = Wanted { bytes: &bytes, cuts: &[300], stops: &[at], unreadable: None };
                let came = written(&file, (wanted, 0), habit, move |window| match how {
                    None => window.resume().unwrap(),
                    Some(how) => window.fail(how).unwrap(),
                });
                assert_eq!(came.stood, [at], "{kind:?} {at} {how:?}");
                // btrfs keeps of a short copy what fills whole blocks.
                let kept = if kind == Kind::Btrfs { at / 4096 * 4096 } else { at };
                let short = match kept {
                    0 => Err(Errno::EFAULT),
                    kept => Ok(u64::try_from(kept).unwrap()),
                };
                let expected = if how.is_none() { Ok(20_000) } else { short };
                assert_eq!(came.returned, expected, "{kind:?} {at} {how:?}");
                let mut back = vec![0; 20_000];
                let found = file.read(0, &mut back, &[]).unwrap();
                assert!(back[..found] == bytes[..found], "{kind:?} {at} {how:?}");
            }
        }
    }
}

#[test]
fn a_write_stands_several_times_and_fails_where_it_cannot_be_read() {
    for kind in Kind::ALL {
        let Some(volume) = volume(kind) else { return };
        let habit = Habit::of(&volume).unwrap();
        let (bytes, file) = (bytes(30_000), new_file(&volume, "a"));
        for how in Failing::ALL {
            let (stops, unreadable) = (&[0, 4096, 8192, 12_288][..], Some((16_384, how)));
            let wanted = Wanted { bytes: &bytes, cuts: &[], stops, unreadable };
            let came = written(&file, (wanted, 0), habit, |window| window.resume().unwrap());
            let told = format!("{kind:?} {how:?}");
            assert_eq!((came.stood.as_slice(), came.returned), (stops, Ok(16_384)), "{told}");
            let wanted = Wanted { bytes: &bytes, cuts: &[], stops: &[16_384], unreadable };
            let came = written(&file, (wanted, 0), habit, |window| window.resume().unwrap());
            let stood = (came.stood.as_slice(), came.returned);
            assert_eq!(stood, (&[16_384][..], Ok(16_384)), "{told}");
        }
    }
}

#[test]
fn what_cannot_be_supplied_ends_the_write_and_is_never_read_as_zeros() {
    type Act = fn(&mut Reins) -> Result<(), Errno>;
    let acts: [(&str, Act); 2] = [("r", Reins::resume), ("g", Reins::let_go)];
    for kind in Kind::ALL {
        let Some(volume) = volume(kind) else { return };
        let habit = Habit::of(&volume).unwrap();
        let bytes = bytes(20_000);
        for (at, (name, act)) in [0, 4096].into_iter().flat_map(|at| acts.map(|act| (at, act))) {
            let file = new_file(&volume, &format!("{name}{at}"));
            let wanted = Wanted { bytes: &bytes, cuts: &[300], stops: &[at], unreadable: None };
            let came = written(&file, (wanted, 0), habit, move |window| {
                window.shelf.lose(0..window.shelf.len(), Missing::Protected).unwrap();
                act(window)
            });
            assert_eq!(came.seen, [Err(Errno::EFAULT)], "{kind:?} {name} {at}");
            let written = came.returned.unwrap_or(0);
            assert!(written <= u64::try_from(at).unwrap(), "{kind:?} {name} {at}: {written}");
            let mut back = vec![0; 20_000];
            let found = file.read(0, &mut back, &[]).unwrap();
            assert!(back[..found] == bytes[..found], "{kind:?} {name} {at}");
        }
    }
}

#[test]
fn before_the_first_byte_there_may_be_blocks_and_later_there_are_pages() {
    // Blocks promised before the first byte is copied, and whether a folio was made for it.
    for (kind, promised, folio) in [
        (Kind::Xfs, true, false),
        (Kind::Ext4, true, true),
        (Kind::Btrfs, false, false),
        (Kind::Tmpfs, true, true),
    ] {
        let Some(volume) = volume(kind) else { return };
        let habit = Habit::of(&volume).unwrap();
        let (bytes, file) = (bytes(65_536), new_file(&volume, "a"));
        let wanted = Wanted { bytes: &bytes, cuts: &[], stops: &[0, 8192], unreadable: None };
        let seen = Arc::clone(&file);
        let came = written(&file, (wanted, 0), habit, move |window| {
            let space = look::size_and_space(&*seen).unwrap().1;
            let cached = look::cached(&*seen, 0..16 * PAGE_SIZE).unwrap();
            window.resume().unwrap();
            (space, cached.pages)
        });
        assert_eq!(came.seen.len(), 2, "{kind:?}");
        let (before, later) = (came.seen[0], came.seen[1]);
        let expected = (promised, folio);
        assert_eq!((before.0 != 0, before.1 != 0), expected, "{kind:?}: {:?}", came.seen);
        assert!(2 <= later.1, "{kind:?}: {:?}", came.seen);
    }
}

/// What somebody else does meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Load,
    Store,
    WriteBack,
    Fsync,
    Read,
    Fiemap,
    Write,
    Truncate,
    Punch,
}

/// A file with a clean page at 32 KiB, its mapping, and another descriptor of it.
struct Scene {
    file: Arc<File>,
    other: Arc<(File, Mapping)>,
}

impl Scene {
    fn new(volume: &Volume, name: &str) -> Scene {
        let file = new_file(volume, name);
        file.truncate(64 << 10).unwrap();
        file.write(32 << 10, Bytes::Whole(&[9; 4096], &[])).unwrap();
        file.sync().unwrap();
        let again = File::open(&*file).unwrap();
        let mapping = Mapping::new(&Mm::ours(), &again, 64 << 10, 4096).unwrap();
        Scene { file, other: Arc::new((again, mapping)) }
    }
}

impl Other {
    fn act(self, (file, mapping): &(File, Mapping)) {
        let page = (32 << 10)..(32 << 10) + PAGE_SIZE;
        match self {
            Other::Load => drop(mapping.load(32 << 10, &mut [0; 8]).unwrap()),
            Other::Store => drop(mapping.store(48 << 10, &[7; 8]).unwrap()),
            Other::WriteBack => file.write_back(page, true).unwrap(),
            Other::Fsync => file.sync().unwrap(),
            Other::Read => drop(file.read(32 << 10, &mut [0; 8], &[]).unwrap()),
            Other::Fiemap => drop(look::extents(file, page).unwrap()),
            Other::Write => drop(file.write(32 << 10, Bytes::Whole(&[5; 8], &[])).unwrap()),
            Other::Truncate => file.truncate(60 << 10).unwrap(),
            Other::Punch => {
                let how =
                    FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
                file.allocate(how, page).unwrap();
            }
        }
    }
}

/// Whether `other` has to wait while a write stands before its first byte; and if so, for what.
fn waits(volume: &Arc<Volume>, habit: Habit, name: &str, other: Other) -> Option<String> {
    let around = Arc::clone(volume);
    let Scene { file, other: with } = Scene::new(volume, name);
    let bytes = bytes(16 << 10);
    let wanted = Wanted { bytes: &bytes, cuts: &[], stops: &[0], unreadable: None };
    let (mut window, stops) = Reins::new(wanted, habit).unwrap();
    let found = Arc::new(sim::sync::mutex(&SLOT, 0, (None, None)));
    let (begun, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut world = World::threads(PATIENCE);
    world.spawn("writer", move || {
        file.write(0, Bytes::Stopping(&stops)).unwrap();
    });
    let (slot, start, over) = (Arc::clone(&found), Arc::clone(&begun), Arc::clone(&done));
    world.spawn("other", move || {
        slot.lock().0 = Some(Thread::current());
        while !start.load(Ordering::SeqCst) {
            sim::pause();
        }
        other.act(&with);
        over.store(true, Ordering::SeqCst);
    });
    let slot = Arc::clone(&found);
    world.spawn("conductor", move || {
        while window.look().unwrap().is_none() || slot.lock().0.is_none() {
            sim::pause();
        }
        begun.store(true, Ordering::SeqCst);
        let thread = slot.lock().0.unwrap();
        let asleep = thread.stays_asleep((&around, false), || done.load(Ordering::SeqCst));
        window.let_go().unwrap();
        slot.lock().1 = asleep.map(|asleep| asleep.function);
    });
    let end = world.run();
    assert!(matches!(end.outcome, sim::Outcome::Finished), "{end:?}");
    Arc::into_inner(found).unwrap().into_inner().1
}

#[test]
fn others_run_or_wait_while_a_write_stands_before_its_first_byte() {
    use Other as O;
    const LOCKED: [Other; 3] = [O::Write, O::Truncate, O::Punch];
    for (kind, more) in [
        (Kind::Xfs, &[O::Read, O::Fiemap][..]),
        (Kind::Ext4, &[O::Fiemap]),
        (Kind::Btrfs, &[O::Fsync, O::Fiemap]),
        (Kind::Tmpfs, &[]),
    ] {
        let Some(volume) = volume(kind).map(Arc::new) else { return };
        let habit = Habit::of(&volume).unwrap();
        let fiemap = Abilities::of(&volume).unwrap().has(Ability::Fiemap);
        for (nth, other) in [
            O::Load,
            O::Store,
            O::WriteBack,
            O::Fsync,
            O::Read,
            O::Fiemap,
            O::Write,
            O::Truncate,
            O::Punch,
        ]
        .into_iter()
        .filter(|other| fiemap || *other != O::Fiemap)
        .enumerate()
        {
            let waited = waits(&volume, habit, &format!("b{nth}"), other);
            let expected = LOCKED.contains(&other) || more.contains(&other);
            assert_eq!(waited.is_some(), expected, "{kind:?} {other:?}: {waited:?}");
        }
    }
}

#[test]
fn who_may_not_have_faults_told_is_told_how_to_be_allowed() {
    let wanted = Wanted { bytes: &[1], cuts: &[], stops: &[0], unreadable: None };
    match (rights::stopping().advice(), Reins::new(wanted, Habit::Ahead)) {
        (None, opened) => assert!(opened.is_ok(), "{:?}", opened.err()),
        (Some(advice), opened) => {
            let refused = opened.expect_err("it may not");
            assert!(refused.advice.contains("vm.unprivileged_userfaultfd"), "{refused}");
            assert!(advice.contains(&refused.advice), "{refused}");
        }
    }
}
