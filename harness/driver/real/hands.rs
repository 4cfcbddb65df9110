//! What one task has of the files: descriptors, mappings, and memory with holes.

use mounted::direct::Aligned;
use mounted::source::Source;
use mounted::{File, Mapping};
use nix::errno::Errno;
use sim::{Mutex, Rank};
use std::os::fd::AsFd;
use std::sync::Arc;
use stormfs::op::OpId;
use stormfs::quantity::{narrow, wide};

/// See the module. Descriptors and mappings are as separate as those of processes.
pub(super) struct Hands {
    /// Of each file, as many as the scenario asks for. Only its own task takes them.
    files: Vec<Vec<Mutex<Arc<File>>>>,
    mappings: Vec<Mapping>,
    /// Only its own task takes it.
    pub(super) source: Mutex<Option<Source>>,
    /// The same.
    pub(super) aligned: Mutex<Option<Aligned>>,
}

static DESCRIPTORS: Rank = Rank::leaf(12, "descriptors");
static SOURCE: Rank = Rank::new(12, "source buffer");
static ALIGNED: Rank = Rank::new(12, "aligned buffer");

impl Default for Hands {
    fn default() -> Hands {
        Hands {
            files: Vec::new(),
            mappings: Vec::new(),
            source: sim::sync::mutex(&SOURCE, 0, None),
            aligned: sim::sync::mutex(&ALIGNED, 0, None),
        }
    }
}

impl Hands {
    /// Opens the next file `times` times, and maps so many bytes of it; `most` are loaded or stored at
    /// once.
    pub(super) fn take_up(
        &mut self,
        of: &File,
        times: u32,
        mapped: usize,
        most: usize,
    ) -> Result<(), Errno> {
        let opened = (0..times).map(|_| opened(of)).collect::<Result<_, Errno>>()?;
        self.files.push(opened);
        self.mappings.push(Mapping::new(of, mapped, most)?);
        Ok(())
    }

    /// Its descriptors of a file, which it uses in turn: those for operation `id`.
    pub(super) fn file(&self, file: usize, id: OpId) -> Arc<File> {
        Arc::clone(&self.slot(file, id).lock())
    }

    /// Closes the descriptors for operation `id`, and opens others in their place.
    pub(super) fn reopen(&self, file: usize, id: OpId) -> Result<(), Errno> {
        let old = self.file(file, id);
        let new = Arc::new(File::open(&*old)?);
        *self.slot(file, id).lock() = new;
        Ok(())
    }

    /// Its mapping of a file.
    pub(super) fn mapping(&self, file: usize) -> &Mapping {
        &self.mappings[file]
    }

    fn slot(&self, file: usize, id: OpId) -> &Mutex<Arc<File>> {
        let all = &self.files[file];
        &all[narrow(id.number % wide(all.len()))]
    }
}

fn opened(of: impl AsFd) -> Result<Mutex<Arc<File>>, Errno> {
    Ok(sim::sync::mutex(&DESCRIPTORS, 0, Arc::new(File::open(of)?)))
}
