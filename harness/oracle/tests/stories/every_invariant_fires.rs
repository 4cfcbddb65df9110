//! The alarm rings: for every invariant a story in which something is broken on purpose and this
//! very invariant says so, and the same story with nothing broken, in which nobody says a word.

use crate::scene::{Scene, Setting, play};
use block::{Bio, Buffer};
use oracle::extents::extents_writes_never_overlap;
use oracle::outside::is_of_the_model;
use oracle::results::{Excuses, results_are_justified};
use oracle::{Invariant, Violation};
use sim::{Site, WaitQueue};
use std::cell::Cell;
use std::collections::BTreeSet;
use stormfs::damage::Damage;
use stormfs::errno::Errno;
use stormfs::extent_map::State;
use stormfs::locks::Lock;
use stormfs::op::{Op, Outcome};
use stormfs::quantity::{BlockRange, ByteRange, DiskBlock, FileBlock};
use stormfs::witness::{Completion, Submission, Witness};

/// A story that breaks an invariant. Blocks are pages of 4096 bytes.
struct Row {
    invariant: &'static str,
    story: fn(&Scene, Breaking),
    /// The decision that is wrong, if what is broken is the filesystem itself.
    choice: Option<(&'static str, &'static str)>,
    /// No write to the device succeeds, broken or not.
    device_fails: bool,
    /// Writes hold `i_rwsem` shared, broken or not.
    writes_share: bool,
}

const ROWS: &[Row] = &[
    row("data_matches_model", |s, breaking| {
        ok(s.write(0, 4096));
        breaking.with(s, Damage::Scribble(100));
        ok(s.read(0, 4096));
    }),
    row("data_is_never_poison", |s, _| {
        ok(s.truncate(8192));
        ok(s.write_cut(0, 4096, 100));
        ok(s.read(0, 4096));
    })
    .choosing("short_copy", "always"),
    row("data_exposed_by_growth_is_zero", |s, _| {
        ok(s.write(0, 100));
        ok(s.store(200, 64));
        ok(s.truncate(400));
        ok(s.read(0, 400));
    })
    .choosing("extension", "leave_exposed"),
    row("data_survives_eviction", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        breaking.with(s, Damage::ScribbleOnDisk(100));
        ok(s.evict());
        s.oracle.judge_reread(&s.files());
    }),
    row("data_in_clean_folios_equals_disk", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        breaking.with(s, Damage::ScribbleOnDisk(100));
        s.oracle.judge_quiet(&s.files());
    }),
    row("data_beyond_eof_is_zero_after_zeroing", |s, _| {
        ok(s.write(0, 1000));
        ok(s.store(2000, 100));
        ok(s.punch(500, 500));
    })
    .choosing("punch_eof", "left_in_place"),
    row("data_beyond_eof_on_disk_is_zero", |s, breaking| {
        ok(s.write(0, 100));
        ok(s.fs.sync());
        breaking.with(s, Damage::ScribbleOnDisk(100));
        s.oracle.judge_synced(&s.files());
    }),
    row("size_matches_model", |s, breaking| {
        ok(s.write(0, 100));
        breaking.with(s, Damage::Size(50));
        ok(s.write(0, 10));
    }),
    row("size_matches_model", |s, breaking| {
        ok(s.write(0, 100));
        breaking.with(s, Damage::Size(50));
        ok(s.append(60));
    }),
    row("size_on_disk_never_exceeds_size", |s, breaking| {
        ok(s.write(0, 100));
        ok(s.fs.sync());
        breaking.with(s, Damage::SizeDisk(101));
        s.oracle.judge_quiet(&s.files());
    }),
    row("size_on_disk_covers_only_completed_io", |s, breaking| {
        let bytes = ByteRange::new(4096, 5000);
        let size_disk_after = breaking.or(5001, 5000);
        s.oracle.completed(s.file(), Completion { bytes, size_disk_before: 0, size_disk_after });
    }),
    row("size_bounds_the_page_cache", |s, breaking| {
        ok(s.write(0, 100));
        breaking.with(s, Damage::CacheNothing(8192));
        s.oracle.judge_quiet(&s.files());
    }),
    row("size_bounds_the_page_cache", |s, breaking| {
        ok(s.write(0, 100));
        ok(s.fs.sync());
        ok(s.load(0, 100));
        breaking.with(s, Damage::DetachMapped(0));
        s.oracle.judge_quiet(&s.files());
    }),
    row("folio_dirty_block_has_backing", |s, breaking| {
        ok(s.write(0, 100));
        breaking.with(s, Damage::ForgetExtents(blocks(0, 1)));
        ok(s.load(0, 100));
    }),
    row("folio_modified_block_is_dirty", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.store(0, 8));
        breaking.with(s, Damage::PretendClean(0));
        ok(s.store(8, 8));
        s.oracle.judge_quiet(&s.files());
    }),
    row("folio_bits_are_consistent", |s, breaking| {
        ok(s.write(0, 4096));
        breaking.with(s, Damage::ForgetDirty(0));
    }),
    row("folio_clean_means_write_protected", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.store(0, 8));
        breaking.with(s, Damage::PretendClean(0));
        s.oracle.judge_quiet(&s.files());
    }),
    row("extents_agree_with_validated_mapping", |s, _| {
        ok(s.write(0, 4096));
        ok(s.write_while(0, 100, 100, &|| s.sync_meanwhile()));
    })
    .choosing("mapping_check", "never"),
    row("extents_agree_with_submitted_io", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        let disk = first_block(s) + breaking.or(1, 0);
        let io = Submission { blocks: blocks(0, 1), disk, converts: false };
        s.oracle.submits(s.file(), io);
    }),
    row("extents_agree_with_submitted_io", |s, breaking| {
        ok(s.reserve(0, 4096));
        let converts = breaking.or(false, true);
        let io = Submission { blocks: blocks(0, 1), disk: first_block(s), converts };
        s.oracle.submits(s.file(), io);
    }),
    row("extents_delalloc_is_flushable", |s, breaking| {
        ok(s.truncate(16384));
        ok(s.write(0, 100));
        breaking.with(s, Damage::ReserveForNobody(blocks(2, 3)));
        s.oracle.judge_quiet(&s.files());
    }),
    row("extents_delalloc_is_flushable", |s, breaking| {
        ok(s.truncate(16384));
        ok(s.read(0, 16384));
        breaking.with(s, Damage::ReserveForNobody(blocks(2, 3)));
        assert_eq!(s.write_cut(8192, 4096, 0), Err(Errno::Fault));
    }),
    row("extents_delalloc_is_flushable", |s, _| {
        ok(s.write(0, 65536));
        ok(s.write(65536, 4096));
        ok(s.write_while(81920, 4096, 4096, &|| s.write_back_meanwhile(69632, 4096)));
    })
    .choosing("posteof_delalloc", "zeroed_in_cache"),
    row("extents_writes_never_overlap", |s, breaking| {
        for offset in [0, breaking.or(0, 4096)] {
            s.device.submit(Bio::write(offset, Buffer::new(4096), 0), |_, _| {});
        }
        let overlaps = s.device.take_overlaps();
        let told: Vec<String> = overlaps.iter().map(|overlap| format!("{overlap:?}")).collect();
        s.oracle.judge_overall(extents_writes_never_overlap(s.oracle.checks(), &told));
    }),
    row("extents_below_eof_are_allocated_after_sync", |s, breaking| {
        ok(s.truncate(16384));
        ok(s.fs.sync());
        breaking.with(s, Damage::ReserveForNobody(blocks(2, 3)));
        s.oracle.judge_synced(&s.files());
    }),
    row("extents_delalloc_beyond_eof_is_tagged", |s, breaking| {
        ok(s.write(0, 4096));
        breaking.with(s, Damage::ReserveForNobody(blocks(1, 4)));
        s.oracle.judge_quiet(&s.files());
    }),
    row("extents_own_their_blocks", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        breaking.with(s, Damage::FreeUnderneath(blocks(0, 1)));
        s.oracle.judge_quiet(&s.files());
    }),
    row("extents_own_their_blocks", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        breaking.with(s, Damage::FreeUnderneath(blocks(0, 1)));
        ok(s.fs.fallocate(1, s.next_id(), ByteRange::new(0, 4096), false));
        s.oracle.judge_quiet(&s.files());
    }),
    row("extents_beyond_eof_were_asked_for", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.release(0));
        breaking.with(s, Damage::ReserveForNobody(blocks(1, 4)));
        s.oracle.judge_released(&s.files());
    }),
    row("extents_beyond_eof_were_asked_for", |s, breaking| {
        ok(s.fs.release(0));
        breaking.with(s, Damage::CallSpeculative);
        s.oracle.judge_released(&s.files());
    }),
    row("space_adds_up", |s, breaking| {
        ok(s.write(0, 4096));
        breaking.with(s, Damage::LeakReservation(3));
        s.oracle.judge_quiet(&s.files());
    }),
    row("space_promised_is_there", |s, breaking| {
        breaking.with(s, Damage::Overpromise(257));
        ok(s.read(0, 100));
    }),
    row("results_are_justified", |s, breaking| {
        let op = Op::Write(ByteRange::at(0, 100));
        let outcome = Ok(breaking.or(99, 100));
        let checks = s.oracle.checks();
        s.oracle.judge_overall(results_are_justified(
            checks,
            &op,
            100,
            outcome,
            Excuses::default(),
        ));
    }),
    row("results_report_writeback_errors", |s, breaking| {
        ok(s.write(0, 100));
        let reported = u64::from(s.fs.fsync(0).is_err());
        s.oracle.judge_errors_reported(s.file(), breaking.or(0, reported));
    })
    .on_a_failing_device(),
    row("progress_is_made", |_, breaking| {
        let ready = !breaking.or(true, false);
        WaitQueue::new().wait_until(Site::point("nothing", 0, 0), || ready);
    }),
    row("progress_despite_stale_mappings", |s, _| {
        ok(s.truncate(65536));
        let stored = Cell::new(0);
        ok(s.write_while(0, 100, 100, &|| {
            // Each store reserves a block, for the first dozen times that the write comes by.
            if stored.get() < 12 {
                stored.set(stored.get() + 1);
                s.store_meanwhile(12288 + stored.get() * 4096, 8);
            }
        }));
    })
    .choosing("stale_retries", "unbounded")
    .where_writes_share(),
    row("progress_keeps_the_lock_order", |_, breaking| {
        let lock = |lock: Lock| sim::sync::mutex(lock.rank(), 0, ());
        let (outer, inner) = (lock(Lock::Folio), lock(Lock::Extents));
        let (first, second) = breaking.or((&inner, &outer), (&outer, &inner));
        let _held = first.lock();
        drop(second.lock());
    }),
    row("progress_without_panic", |s, breaking| {
        ok(s.write(0, 4096));
        ok(s.fs.sync());
        breaking.with(s, Damage::FreeUnderneath(blocks(0, 1)));
        ok(s.punch(0, 4096));
    }),
];

#[test]
fn every_invariant_fires_and_only_when_something_is_broken() {
    for row in ROWS {
        let found =
            row.played(Breaking(true)).unwrap_or_else(|| panic!("{}: silent", row.invariant));
        assert_eq!(found.invariant, row.invariant, "{found}");
        assert!(!found.expected.is_empty() && !found.found.is_empty(), "{found}");
        if let Some(false_alarm) = row.played(Breaking(false)) {
            panic!("{}: nothing is broken, and yet {false_alarm}", row.invariant);
        }
    }
}

#[test]
fn every_invariant_has_a_story() {
    let told: BTreeSet<_> = ROWS.iter().map(|row| row.invariant).collect();
    let names = Invariant::all().map(|invariant| invariant.name);
    let all: BTreeSet<_> = names.filter(|name| is_of_the_model(name)).collect();
    assert_eq!(told, all);
}

/// Whether the story is told with something broken.
#[derive(Clone, Copy)]
struct Breaking(bool);

impl Breaking {
    /// Does the damage, or leaves all as it is.
    fn with(self, scene: &Scene, damage: Damage) {
        if self.0 {
            scene.fs.damage(0, damage);
        }
    }

    /// What is broken, or what is right.
    fn or<T>(self, broken: T, right: T) -> T {
        if self.0 { broken } else { right }
    }
}

impl Row {
    /// With this decision wrong, where something is to be broken.
    const fn choosing(self, decision: &'static str, value: &'static str) -> Row {
        Row { choice: Some((decision, value)), ..self }
    }

    const fn on_a_failing_device(self) -> Row {
        Row { device_fails: true, ..self }
    }

    const fn where_writes_share(self) -> Row {
        Row { writes_share: true, ..self }
    }

    fn played(&self, breaking: Breaking) -> Option<Violation> {
        let mut setting = Setting::new(4096, 16384);
        if self.writes_share {
            assert!(setting.choices.set("write_lock", "shared"));
        }
        if let Some((decision, value)) = self.choice.filter(|_| breaking.0) {
            assert!(setting.choices.set(decision, value), "{decision}: {value}");
        }
        setting.write_error_ppm = if self.device_fails { 1_000_000 } else { 0 };
        let story = self.story;
        play(setting, move |scene| story(scene, breaking))
    }
}

const fn row(invariant: &'static str, story: fn(&Scene, Breaking)) -> Row {
    Row { invariant, story, choice: None, device_fails: false, writes_share: false }
}

fn ok(outcome: Outcome) {
    outcome.expect("nothing stands in the way of this operation");
}

/// Where the first block of the file lies.
fn first_block(scene: &Scene) -> DiskBlock {
    let state = scene.file().extent(FileBlock(0)).state;
    state.and_then(State::disk).expect("the story has allocated it")
}

fn blocks(start: u64, end: u64) -> BlockRange {
    BlockRange { start: FileBlock(start), end: FileBlock(end) }
}
