//! Devices, and what goes wrong with them.
//!
//! A filesystem submits a [`Bio`] to a [`Device`] and is called back, in the task of one of the
//! device's workers, when it is done. The bytes lie in a [`Media`]: memory, an image file, or a
//! loop device over such a file. Faults (errors, latency, spikes) are decided between the two, and
//! are a function of the seed and of the operation that caused the bio.
//!
//! Blocks that were never written read as [`POISON`], whatever the media: a filesystem that maps a
//! block before its data is there shows it.
//!
//! What this does not model: a volatile write cache. A completed write is on the media; a flush
//! costs time and can fail, and changes nothing.

pub mod buffer;
pub mod bio;
pub mod device;
pub mod flight;
pub mod limit;
pub mod faults;
pub mod media;
pub mod open;
pub mod open_error;
mod ram;
mod file;
mod written;
mod backing;
mod errno;
mod loop_dev;

pub use bio::{Bio, BioOp, IoError};
pub use buffer::Buffer;
pub use device::{Aftermath, Description, Device, EndedBio};
pub use faults::{
    BioPlace, Delay, DeviceFaults, FaultCount, FaultCounts, Injector, Latency, Mishap, Spike,
    Strike,
};
pub use flight::{Access, Overlap};
pub use limit::{Allowance, Limit};
pub use media::{Media, POISON, poison};
pub use open::{DeviceKind, DeviceSpec, LoopDevice, open, sparse};
pub use open_error::{Attempt, OpenError};
