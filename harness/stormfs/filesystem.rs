//! A filesystem on a device: made, mounted, and its files at hand by number.

use crate::choices::Choices;
use crate::inode::{Inode, Shared, Steer, Unsteered};
use crate::quantity::{Geometry, narrow};
use crate::rules::Rules;
use crate::view::View;
use crate::witness::{Blind, Witness};
use block::Device;
use std::sync::Arc;

/// What a filesystem is made with.
pub struct Options {
    /// Block and folio sizes.
    pub geometry: Geometry,
    /// The decisions; the default is the correct filesystem.
    pub choices: Choices,
    /// How many files there are.
    pub files: usize,
    /// How many mappings each file has, one a task that may map it.
    pub mappers: usize,
    /// Who looks on.
    pub witness: Arc<dyn Witness>,
    /// Who delays or holds tasks at named points.
    pub steer: Arc<dyn Steer>,
}

impl Options {
    /// One file, no mappings, nobody looks on, the correct filesystem.
    pub fn new(geometry: Geometry) -> Options {
        Options {
            geometry,
            choices: Choices::default(),
            files: 1,
            mappers: 0,
            witness: Arc::new(Blind),
            steer: Arc::new(Unsteered),
        }
    }
}

/// See the module. Its operations are in [`crate::syscall`].
pub struct Filesystem {
    shared: Arc<Shared>,
    files: Vec<Arc<Inode>>,
}

impl Filesystem {
    /// An empty filesystem over the whole device: metadata lives in memory only.
    pub fn new(device: Arc<Device>, options: Options) -> Filesystem {
        let Options { geometry, choices, files, mappers, witness, steer } = options;
        let shared = Shared::new(geometry, Rules::new(choices), device, witness, steer);
        let shared = Arc::new(shared);
        let file = |number| Inode::new(Arc::clone(&shared), number, mappers);
        let count = u64::try_from(files).expect("a number of files");
        Filesystem { files: (0..count).map(file).collect(), shared }
    }

    /// What all files share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn inode(&self, file: usize) -> &Arc<Inode> {
        &self.files[file]
    }

    pub(crate) fn inodes(&self) -> &[Arc<Inode>] {
        &self.files
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// A file as an observer may see it.
    pub fn view(&self, file: usize) -> View<'_> {
        self.files[file].view()
    }

    /// Every file as an observer may see it.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.files.iter().map(|inode| inode.view())
    }

    /// The file's size in memory, for code that indexes by it.
    pub fn size_in_memory(&self, file: usize) -> usize {
        narrow(self.files[file].size())
    }
}
