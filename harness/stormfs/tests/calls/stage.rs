//! A filesystem on a device in memory, and tasks that use it.

use block::{Device, DeviceFaults, DeviceKind, DeviceSpec};
use sim::chance::Seed;
use sim::strategy::Random;
use sim::world::Settings;
use sim::{Outcome as Ended, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stormfs::mmap::Resident;
use stormfs::op::{OpId, Outcome};
use stormfs::quantity::{ByteRange, Geometry, narrow};
use stormfs::uaccess::{NoSignals, Signals};
use stormfs::{Filesystem, Options};

/// What one task does.
pub(crate) type Task = Box<dyn FnOnce(&Stage) + Send>;

/// What tasks act on: file 0, with two mappings.
pub(crate) struct Stage {
    pub(crate) fs: Filesystem,
    pub(crate) device: Arc<Device>,
    numbers: AtomicU64,
}

/// A device of 16 MiB that never fails.
pub(crate) fn spec(block_size: u64) -> DeviceSpec {
    let faults = DeviceFaults::none(Seed(1).faults());
    DeviceSpec { kind: DeviceKind::Ram, size: 16 << 20, block_size, simulated: true, faults }
}

/// The correct filesystem with two mappings of its one file.
pub(crate) fn options(block_size: u64, max_folio: u64) -> Options {
    Options { mappers: 2, ..Options::new(Geometry::new(block_size, max_folio)) }
}

/// Runs `tasks` in the simulated world to their ends. The first one ends last.
pub(crate) fn perform(spec: &DeviceSpec, options: Options, seed: u64, tasks: Vec<Task>) {
    let device = block::open(spec).expect("memory can be had");
    let fs = Filesystem::new(Arc::clone(&device), options);
    let stage = Arc::new(Stage { fs, device, numbers: AtomicU64::new(0) });
    let strategy = Box::new(Random::new(Seed(seed).schedule()));
    let mut world = World::simulated(Settings::new(strategy, 100_000));
    for (number, task) in tasks.into_iter().enumerate() {
        let stage = Arc::clone(&stage);
        world.spawn(&format!("task-{number}"), move || {
            task(&stage);
            if number == 0 {
                stage.device.shutdown();
            }
        });
    }
    for worker in 0..2 {
        let device = Arc::clone(&stage.device);
        world.spawn(&format!("disk-{worker}"), move || device.serve());
    }
    let outcome = world.run().outcome;
    assert!(matches!(outcome, Ended::Finished), "{outcome:?}");
}

impl Stage {
    /// The name of the next operation.
    pub(crate) fn next_id(&self) -> OpId {
        OpId { actor: 1, number: 1 + self.numbers.fetch_add(1, Ordering::Relaxed) }
    }

    /// Writes `len` bytes of `byte` at `pos`.
    pub(crate) fn write(&self, pos: u64, len: u64, byte: u8) -> Outcome {
        self.fs.write(0, self.next_id(), Some(pos), &Resident(&vec![byte; narrow(len)]))
    }

    /// Writes `len` bytes of `byte` at the end.
    pub(crate) fn append(&self, len: u64, byte: u8) -> Outcome {
        self.fs.write(0, self.next_id(), None, &Resident(&vec![byte; narrow(len)]))
    }

    /// Reads up to `len` bytes from `pos`.
    pub(crate) fn read(&self, pos: u64, len: u64) -> Result<Vec<u8>, stormfs::errno::Errno> {
        let mut bytes = vec![0xee; narrow(len)];
        let read = self.fs.read(0, self.next_id(), pos, &mut bytes)?;
        bytes.truncate(narrow(read));
        Ok(bytes)
    }

    /// Stores `len` bytes of `byte` at `pos` through a mapping.
    pub(crate) fn store(&self, pos: u64, len: u64, byte: u8) -> Outcome {
        self.fs.mmap_store(0, self.next_id(), 0, (pos, &vec![byte; narrow(len)]), &NoSignals)
    }

    /// Stores like [`Stage::store`], with a fatal signal pending.
    pub(crate) fn store_killed(&self, pos: u64, len: u64, byte: u8) -> Outcome {
        self.fs.mmap_store(0, self.next_id(), 0, (pos, &vec![byte; narrow(len)]), &Killed)
    }

    /// Loads `len` bytes at `pos` through a mapping.
    pub(crate) fn load(&self, pos: u64, len: u64) -> Outcome {
        self.fs.mmap_load(0, self.next_id(), 0, (pos, &mut vec![0; narrow(len)]))
    }

    /// Sets the size.
    pub(crate) fn truncate(&self, size: u64) -> Outcome {
        self.fs.truncate(0, self.next_id(), size)
    }

    /// Makes a hole.
    pub(crate) fn punch(&self, pos: u64, len: u64) -> Outcome {
        self.fs.punch(0, self.next_id(), ByteRange::at(pos, len))
    }

    /// Makes zeros; the size stays if `keep_size`.
    pub(crate) fn zero(&self, pos: u64, len: u64, keep_size: bool) -> Outcome {
        self.fs.zero_range(0, self.next_id(), ByteRange::at(pos, len), keep_size)
    }

    /// Allocates; the size stays if `keep_size`.
    pub(crate) fn allocate(&self, pos: u64, len: u64, keep_size: bool) -> Outcome {
        self.fs.fallocate(0, self.next_id(), ByteRange::at(pos, len), keep_size)
    }

    /// Drops whatever is clean.
    pub(crate) fn evict(&self) -> Outcome {
        self.fs.evict(0, ByteRange::new(0, u64::MAX >> 8))
    }
}

/// A task that a fatal signal awaits.
struct Killed;

impl Signals for Killed {
    fn fatal_signal_pending(&self) -> bool {
        true
    }
}
