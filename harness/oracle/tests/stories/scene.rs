//! A filesystem on a device in memory, an oracle beside it, and one task that tells a story.

use block::{Device, DeviceFaults, DeviceKind, DeviceSpec};
use oracle::watch::{Oracle, Sight};
use oracle::{Violation, pattern, progress};
use sim::World;
use sim::chance::Seed;
use sim::strategy::Random;
use sim::world::Settings;
use std::cell::Cell;
use std::sync::Arc;
use stormfs::choices::Choices;
use stormfs::mmap::Resident;
use stormfs::op::{OpId, Outcome};
use stormfs::quantity::{ByteRange, Geometry, narrow, wide};
use stormfs::uaccess::{NoSignals, UserMemory};
use stormfs::view::View;
use stormfs::{Filesystem, Options};

/// Where a story takes place.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// Bytes of a block.
    pub(crate) block_size: u64,
    /// Bytes of the largest folio.
    pub(crate) max_folio: u64,
    /// Blocks of the device.
    pub(crate) blocks: u64,
    /// The filesystem's decisions.
    pub(crate) choices: Choices,
    /// Writes to the device that fail, in a million.
    pub(crate) write_error_ppm: u32,
}

impl Setting {
    /// A correct filesystem of 256 blocks on a device that never fails.
    pub(crate) fn new(block_size: u64, max_folio: u64) -> Setting {
        let choices = Choices::default();
        Setting { block_size, max_folio, blocks: 256, choices, write_error_ppm: 0 }
    }
}

/// What a story acts on: files 0 and 1, and one mapping of each.
pub(crate) struct Scene {
    pub(crate) fs: Arc<Filesystem>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) device: Arc<Device>,
    number: Cell<u64>,
}

/// Plays `story` to its end or to the first violation, which it returns.
pub(crate) fn play(
    setting: Setting,
    story: impl FnOnce(&Scene) + Send + 'static,
) -> Option<Violation> {
    let device = device(setting);
    let oracle = Arc::new(Oracle::new(2, Sight::Frozen));
    let mut options = Options::new(Geometry::new(setting.block_size, setting.max_folio));
    options.choices = setting.choices;
    (options.files, options.mappers) = (2, 1);
    options.witness = Arc::<Oracle>::clone(&oracle);
    let fs = Arc::new(Filesystem::new(Arc::clone(&device), options));
    let strategy = Box::new(Random::new(Seed(1).schedule()));
    let mut world = World::simulated(Settings::new(strategy, 100_000));
    let (judge, below) = (Arc::clone(&oracle), Arc::clone(&device));
    world.spawn("story", move || {
        let scene = Scene { fs, oracle, device, number: Cell::new(0) };
        story(&scene);
        scene.device.shutdown();
    });
    for worker in 0..2 {
        let device = Arc::clone(&below);
        world.spawn(&format!("disk-{worker}"), move || device.serve());
    }
    let outcome = world.run().outcome;
    let checks = judge.checks();
    judge.judge_overall(progress::progress_keeps_the_lock_order(checks, &outcome));
    judge.judge_overall(progress::progress_without_panic(checks, &outcome));
    judge.judge_overall(progress::progress_is_made(checks, &outcome));
    judge.violation()
}

fn device(setting: Setting) -> Arc<Device> {
    let mut faults = DeviceFaults::none(Seed(1).faults());
    faults.write_error_ppm = setting.write_error_ppm;
    let spec = DeviceSpec {
        kind: DeviceKind::Ram,
        size: setting.blocks * setting.block_size,
        block_size: setting.block_size,
        simulated: true,
        faults,
    };
    block::open(&spec).expect("memory can be had")
}

impl Scene {
    /// The name of the next operation.
    pub(crate) fn next_id(&self) -> OpId {
        self.number.set(self.number.get() + 1);
        sim::begin_operation(self.number.get());
        OpId { actor: 1, number: self.number.get() }
    }

    /// Writes `len` bytes at `pos` of file 0.
    pub(crate) fn write(&self, pos: u64, len: u64) -> Outcome {
        self.write_while(pos, len, len, &|| {})
    }

    /// Writes `len` bytes at `pos` from a source of which only the first `present` can be read.
    pub(crate) fn write_cut(&self, pos: u64, len: u64, present: u64) -> Outcome {
        self.write_while(pos, len, present, &|| {})
    }

    /// The same; `meanwhile` happens whenever the source is faulted in, when the write has its
    /// mapping and no folio is locked.
    pub(crate) fn write_while(
        &self,
        pos: u64,
        len: u64,
        present: u64,
        meanwhile: &dyn Fn(),
    ) -> Outcome {
        let id = self.next_id();
        let bytes = patterned(id, pos, len);
        let present = Cell::new(present);
        let source = Source { bytes: &bytes, present, meanwhile, vanishes: false };
        self.fs.write(0, id, Some(pos), &source)
    }

    /// Writes `len` bytes at the end of file 0.
    pub(crate) fn append(&self, len: u64) -> Outcome {
        let id = self.next_id();
        self.fs.write(0, id, None, &Resident(&patterned(id, 0, len)))
    }

    /// Writes `len` bytes at `pos` of file 0 from a source that can be faulted in once and is gone
    /// then; `meanwhile` happens as above.
    pub(crate) fn write_vanishing(&self, pos: u64, len: u64, meanwhile: &dyn Fn()) -> Outcome {
        let id = self.next_id();
        let bytes = patterned(id, pos, len);
        let present = Cell::new(len);
        let source = Source { bytes: &bytes, present, meanwhile, vanishes: true };
        self.fs.write(0, id, Some(pos), &source)
    }

    /// Reads `len` bytes at `pos` of file 0.
    pub(crate) fn read(&self, pos: u64, len: u64) -> Outcome {
        self.fs.read(0, self.next_id(), pos, &mut vec![0; narrow(len)])
    }

    /// Stores `len` bytes at `pos` through the mapping.
    pub(crate) fn store(&self, pos: u64, len: u64) -> Outcome {
        let id = self.next_id();
        self.fs.mmap_store(0, id, 0, (pos, &patterned(id, pos, len)), &NoSignals)
    }

    /// Stores through the mapping while another operation of the story is in flight.
    pub(crate) fn store_meanwhile(&self, pos: u64, len: u64) {
        let id = OpId { actor: 2, number: self.number.get() };
        let stored = self.fs.mmap_store(0, id, 0, (pos, &patterned(id, pos, len)), &NoSignals);
        assert_eq!(stored, Ok(len), "a page fault needs no lock that a write holds");
    }

    /// Makes file 0 durable while another operation of the story is in flight.
    pub(crate) fn sync_meanwhile(&self) {
        assert_eq!(self.fs.fsync(0), Ok(0), "fsync needs no lock that a write holds");
    }

    /// Starts writeback of `len` bytes at `pos` of file 0 while another operation is in flight.
    pub(crate) fn write_back_meanwhile(&self, pos: u64, len: u64) {
        let started = self.fs.writeback(0, ByteRange::at(pos, len));
        assert_eq!(started, Ok(0), "writeback needs no lock that a write holds");
    }

    /// Loads `len` bytes at `pos` through the mapping.
    pub(crate) fn load(&self, pos: u64, len: u64) -> Outcome {
        self.fs.mmap_load(0, self.next_id(), 0, (pos, &mut vec![0; narrow(len)]))
    }

    /// Sets the size of file 0.
    pub(crate) fn truncate(&self, size: u64) -> Outcome {
        self.fs.truncate(0, self.next_id(), size)
    }

    /// Makes a hole of `len` bytes at `pos`.
    pub(crate) fn punch(&self, pos: u64, len: u64) -> Outcome {
        self.fs.punch(0, self.next_id(), ByteRange::at(pos, len))
    }

    /// Allocates `len` bytes at `pos`; the size stays.
    pub(crate) fn reserve(&self, pos: u64, len: u64) -> Outcome {
        self.fs.fallocate(0, self.next_id(), ByteRange::at(pos, len), true)
    }

    /// Allocates `len` bytes at `pos` and grows the file over them.
    pub(crate) fn allocate(&self, pos: u64, len: u64) -> Outcome {
        self.fs.fallocate(0, self.next_id(), ByteRange::at(pos, len), false)
    }

    /// Makes zeros of `len` bytes at `pos`, and grows the file over them.
    pub(crate) fn zero(&self, pos: u64, len: u64) -> Outcome {
        self.fs.zero_range(0, self.next_id(), ByteRange::at(pos, len), false)
    }

    /// Writes `len` bytes at the start of file 1.
    pub(crate) fn fill_other_file(&self, len: u64) -> Outcome {
        let id = self.next_id();
        let bytes = patterned(id, 0, len);
        self.fs.write(1, id, Some(0), &Resident(&bytes))
    }

    /// Drops whatever is clean of file 0.
    pub(crate) fn evict(&self) -> Outcome {
        self.fs.evict(0, ByteRange::new(0, u64::MAX >> 8))
    }

    /// File 0.
    pub(crate) fn file(&self) -> View<'_> {
        self.fs.view(0)
    }

    /// Both files.
    pub(crate) fn files(&self) -> Vec<View<'_>> {
        self.fs.views().collect()
    }
}

/// The bytes of `id`, of which only the first `present` can be read.
struct Source<'a> {
    bytes: &'a [u8],
    present: Cell<u64>,
    meanwhile: &'a dyn Fn(),
    /// Nothing is there any more once some of it was faulted in.
    vanishes: bool,
}

impl UserMemory for Source<'_> {
    fn len(&self) -> u64 {
        wide(self.bytes.len())
    }

    fn fault_in(&self, at: u64, len: u64) -> u64 {
        (self.meanwhile)();
        let there = len.min(self.present.get().saturating_sub(at));
        if self.vanishes {
            self.present.set(0);
        }
        there
    }

    fn copy(&self, at: u64, len: u64, take: &mut dyn FnMut(&[u8])) -> u64 {
        let len = len.min(self.present.get().saturating_sub(at));
        take(&self.bytes[narrow(at)..narrow(at + len)]);
        len
    }
}

fn patterned(id: OpId, pos: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; narrow(len)];
    pattern::fill(id, pos, &mut bytes);
    bytes
}
