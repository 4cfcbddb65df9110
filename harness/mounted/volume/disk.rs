//! The disk below a volume: a loop device, behind a gate if requests are to be held up or to fail.

use super::venue::Spec;
use crate::gate::Gate;
use crate::refusal::Refusal;
use block::LoopDevice;
use std::path::Path;

/// Where the bytes of an image lie.
pub(super) enum Disk {
    /// In a file.
    Loop(LoopDevice),
    /// In a file, behind a gate.
    Gate(Gate),
}

impl Disk {
    pub(super) fn open(spec: &Spec) -> Result<Disk, Refusal> {
        let dir = spec.image.as_deref();
        if spec.gated {
            return Gate::open(spec.size, dir).map(Disk::Gate);
        }
        LoopDevice::open(spec.size, dir).map(Disk::Loop).map_err(|error| {
            let tried = format!("a loop device of {} bytes for {}", spec.size, spec.kind.name());
            Refusal::of_device(tried, &error)
        })
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Disk::Loop(device) => device.path(),
            Disk::Gate(gate) => gate.path(),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        match self {
            Disk::Loop(device) => &device.dir,
            Disk::Gate(gate) => &gate.dir,
        }
    }

    pub(super) fn gate(&self) -> Option<&Gate> {
        match self {
            Disk::Loop(_) => None,
            Disk::Gate(gate) => Some(gate),
        }
    }

    /// Where it is, for people.
    pub(super) fn detail(&self) -> String {
        match self {
            Disk::Loop(device) => {
                let buffered =
                    if device.is_direct() { "" } else { ", backing buffered by the kernel" };
                format!("{}, image on {}{buffered}", device.path(), device.dir.display())
            }
            Disk::Gate(gate) => {
                format!("{}, image on {} behind a gate", gate.path(), gate.dir.display())
            }
        }
    }
}
