//! Opening a device: which kind it becomes, and why.

use crate::backing::{self, Backing, Directory};
use crate::device::{Description, Device};
use crate::errno;
use crate::faults::DeviceFaults;
use crate::file::FileMedia;
use crate::loop_dev::{Attached, Control};
use crate::media::Media;
use crate::open_error::OpenError;
use crate::ram::Ram;
use nix::errno::Errno;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a device is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// Memory if the world is simulated; else a loop device; where that cannot be had, an image.
    Auto,
    /// Memory: costs what is written.
    Ram,
    /// A file without a name, on `/dev/shm` where it fits, else in the temporary directory.
    Image,
    /// A loop device over such a file. Needs root.
    Loop,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceKind::Auto => "auto",
            DeviceKind::Ram => "ram",
            DeviceKind::Image => "image",
            DeviceKind::Loop => "loop",
        })
    }
}

/// What device is wanted.
#[derive(Debug, Clone)]
pub struct DeviceSpec {
    /// What it is made of.
    pub kind: DeviceKind,
    /// Bytes: a positive multiple of the sector, below 2^63.
    pub size: u64,
    /// The filesystem's block in bytes: a power of two from 512 to 65536. It is the device's
    /// sector too, but for sectors of at most 4096.
    pub block_size: u64,
    /// Whether the world is simulated. It decides what [`DeviceKind::Auto`] takes; the other
    /// kinds work in both worlds, though image and loop stop a simulation's thread at each bio.
    pub simulated: bool,
    /// What goes wrong with it.
    pub faults: DeviceFaults,
}

/// Opens the device that `spec` asks for. Nothing of it outlives the process.
pub fn open(spec: &DeviceSpec) -> Result<Arc<Device>, OpenError> {
    let shape = Shape::new(spec)?;
    let (kind, made) = match spec.kind {
        DeviceKind::Auto if spec.simulated => (DeviceKind::Ram, ram("ram: the world is simulated")),
        DeviceKind::Auto => match loop_device(shape) {
            Ok(made) => (DeviceKind::Loop, made),
            Err(refused) => (DeviceKind::Image, image(shape, Some(&refused))?),
        },
        DeviceKind::Ram => (DeviceKind::Ram, ram("ram")),
        DeviceKind::Image => (DeviceKind::Image, image(shape, None)?),
        DeviceKind::Loop => (DeviceKind::Loop, loop_device(shape)?),
    };
    let Made { media, detail } = made;
    let Shape { size, sector } = shape;
    let description = Description { kind, detail, size, sector: u64::from(sector) };
    Ok(Arc::new(Device::new(description, media, spec.faults.clone())))
}

/// A loop device for a filesystem of the kernel: the media alone, with nothing that goes wrong.
pub struct LoopDevice {
    attached: Attached,
    /// Where the backing file takes its space from.
    pub dir: PathBuf,
}

impl LoopDevice {
    /// One of `size` bytes with sectors of 512, over a file without a name that is sparse: in `dir`
    /// if one is named, else where devices go by default. It goes when this is dropped and nobody
    /// has it mounted.
    pub fn open(size: u64, dir: Option<&Path>) -> Result<LoopDevice, OpenError> {
        let control = Control::open()?;
        let (file, dir) = sparse(size, dir)?;
        Ok(LoopDevice { attached: control.attach(&file, 512)?, dir })
    }

    /// One over a file that somebody else provides, of whole sectors of `sector` bytes.
    pub fn over(file: &File, sector: u32, dir: PathBuf) -> Result<LoopDevice, OpenError> {
        Ok(LoopDevice { attached: Control::open()?.attach(file, sector)?, dir })
    }

    /// Its node.
    pub fn path(&self) -> &str {
        &self.attached.path
    }

    /// Whether the kernel goes around the page cache of the backing file.
    pub fn is_direct(&self) -> bool {
        self.attached.direct
    }
}

/// A sparse file of `size` bytes without a name, and where it takes its space from: `dir` if one is
/// named, else where devices go by default.
pub fn sparse(size: u64, dir: Option<&Path>) -> Result<(File, PathBuf), OpenError> {
    let named = dir.map(|dir| vec![Directory { dir: dir.to_owned(), memory: false }]);
    let places = named.unwrap_or_else(|| backing::places().into());
    let failed = |tried| OpenError::Backing { size, tried };
    let Backing { file, dir } = backing::create_sparse(&places, size).map_err(failed)?;
    Ok((file, dir))
}

/// A size and a sector that go together.
#[derive(Clone, Copy)]
struct Shape {
    size: u64,
    sector: u32,
}

impl Shape {
    fn new(spec: &DeviceSpec) -> Result<Shape, OpenError> {
        let DeviceSpec { size, block_size, .. } = *spec;
        if !block_size.is_power_of_two() || !(512..=65536).contains(&block_size) {
            return Err(OpenError::BlockSize { block_size });
        }
        let sector = block_size.min(4096);
        if size == 0 || !size.is_multiple_of(sector) || i64::try_from(size).is_err() {
            return Err(OpenError::Size { size, sector });
        }
        Ok(Shape { size, sector: u32::try_from(sector).expect("at most 4096") })
    }
}

/// Where the bytes lie, and what to tell people about it.
struct Made {
    media: Box<dyn Media>,
    detail: String,
}

fn ram(detail: &str) -> Made {
    Made { media: Box::new(Ram::new()), detail: detail.to_owned() }
}

/// `instead_of` is why there is no loop device, if one was wanted.
fn image(shape: Shape, instead_of: Option<&OpenError>) -> Result<Made, OpenError> {
    let Backing { file, dir } = backing(shape)?;
    let (media, direct) = FileMedia::new(file, u64::from(shape.sector));
    let why = instead_of.map_or_else(String::new, |refused| format!(": {};", refused.cause()));
    let detail = format!("image{why} backing on {}, {}", dir.display(), cached(direct));
    Ok(Made { media: Box::new(media), detail })
}

fn loop_device(shape: Shape) -> Result<Made, OpenError> {
    let control = Control::open()?;
    let Backing { file, dir } = backing(shape)?;
    let attached = control.attach(&file, shape.sector)?;
    let (media, direct) = FileMedia::new(attached.file, u64::from(shape.sector));
    let dir = dir.display();
    let mut detail = format!("loop {}, backing on {dir}, {}", attached.path, cached(direct));
    if !attached.direct {
        detail.push_str(", backing buffered by the kernel");
    }
    Ok(Made { media: Box::new(media), detail })
}

fn backing(shape: Shape) -> Result<Backing, OpenError> {
    let failed = |tried| OpenError::Backing { size: shape.size, tried };
    backing::create(&backing::places(), shape.size).map_err(failed)
}

fn cached(direct: Result<(), Errno>) -> String {
    match direct {
        Ok(()) => "O_DIRECT".to_owned(),
        Err(refused) => format!("buffered: {}", errno::name(errno::raw(refused))),
    }
}
