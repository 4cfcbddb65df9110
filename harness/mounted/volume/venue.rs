//! Which filesystem a run wants: one that is made for it, or a directory that the user lends.

use crate::kind::Kind;
use std::path::PathBuf;

/// Which filesystem a run wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Venue {
    /// One that is made for it.
    Made(Spec),
    /// Whatever is mounted at this directory.
    Directory(PathBuf),
}

/// How a filesystem is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// Arguments of its `mkfs`, behind those that always go with it.
    pub mkfs: Vec<String>,
    /// Options of its mount, separated by commas.
    pub mount: String,
    /// Bytes of its image.
    pub size: u64,
    /// The directory that holds the image. `None`: memory where it fits.
    pub image: Option<PathBuf>,
    /// Whether a gate stands before its disk.
    pub gated: bool,
}

impl Spec {
    /// A filesystem of that kind with nothing peculiar about it.
    pub fn plain(kind: Kind) -> Spec {
        let (mkfs, mount, size) = (Vec::new(), String::new(), kind.image_size());
        Spec { kind, mkfs, mount, size, image: None, gated: false }
    }
}
