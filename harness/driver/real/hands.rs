//! What one task has of the files: descriptors, mappings, and memory with holes.

use mounted::source::Source;
use mounted::{File, Mapping};
use nix::errno::Errno;
use sim::{Mutex, Rank};
use std::os::fd::AsFd;

/// See the module. Descriptors and mappings are as separate as those of processes.
pub(super) struct Hands {
    files: Vec<File>,
    mappings: Vec<Mapping>,
    /// Only its own task takes it.
    pub(super) source: Mutex<Option<Source>>,
}

static SOURCE: Rank = Rank::new(12, "source buffer");

impl Default for Hands {
    fn default() -> Hands {
        let source = sim::sync::mutex(&SOURCE, 0, None);
        Hands { files: Vec::new(), mappings: Vec::new(), source }
    }
}

impl Hands {
    /// Opens the next file, and maps so many bytes of it; `most` are loaded or stored at once.
    pub(super) fn take_up(
        &mut self,
        of: impl AsFd,
        mapped: usize,
        most: usize,
    ) -> Result<(), Errno> {
        let file = File::open(of)?;
        self.mappings.push(Mapping::new(&file, mapped, most)?);
        self.files.push(file);
        Ok(())
    }

    /// Its descriptors of a file.
    pub(super) fn file(&self, file: usize) -> &File {
        &self.files[file]
    }

    /// Its mapping of a file.
    pub(super) fn mapping(&self, file: usize) -> &Mapping {
        &self.mappings[file]
    }
}
