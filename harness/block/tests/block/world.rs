//! What the stories share: specifications, worlds, and a device that is served in one.

use block::{Device, DeviceFaults, DeviceKind, DeviceSpec};
use sim::chance::Seed;
use sim::strategy::Random;
use sim::world::Settings;
use sim::{End, Outcome, World};
use std::sync::Arc;
use std::time::Duration;

/// A device of 1 MiB in sectors of 512 bytes that never fails.
pub(crate) fn spec(kind: DeviceKind) -> DeviceSpec {
    let faults = DeviceFaults::none(Seed(1).faults());
    DeviceSpec { kind, size: 1 << 20, block_size: 512, simulated: true, faults }
}

/// Virtual time, and a random schedule of its own for every seed.
pub(crate) fn simulated(seed: u64) -> World {
    let strategy = Box::new(Random::new(Seed(seed).schedule()));
    World::simulated(Settings::new(strategy, 10_000))
}

/// OS threads.
pub(crate) fn threads() -> World {
    World::threads(Duration::from_secs(20))
}

/// Runs `story` with `workers` that serve `device`.
pub(crate) fn serve(
    mut world: World,
    device: &Arc<Device>,
    workers: usize,
    story: impl FnOnce(&Device) + Send + 'static,
) -> End {
    let actor = Arc::clone(device);
    world.spawn("actor", move || {
        story(&actor);
        actor.shutdown();
    });
    for worker in 0..workers {
        let device = Arc::clone(device);
        world.spawn(&format!("worker-{worker}"), move || device.serve());
    }
    let end = world.run();
    assert!(matches!(end.outcome, Outcome::Finished), "{:?}", end.outcome);
    end
}

/// The errno with which this machine refuses loop devices, if it does.
pub(crate) fn loop_refused() -> Option<i32> {
    let control = std::fs::File::options().read(true).write(true).open("/dev/loop-control");
    control.err().and_then(|error| error.raw_os_error())
}
