//! What one task has of the files: descriptors, mappings, and memory with holes.

use crate::scenario::plan::{MmPlan, Plan};
use crate::storm;
use mounted::direct::Aligned;
use mounted::source::Source;
use mounted::{File, Mapping, Mm};
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
    /// Of each file, if it can be mapped.
    mappings: Vec<Option<Mapping>>,
    /// Where these are.
    mm: Arc<Mm>,
    /// Only its own task takes it.
    pub(super) source: Mutex<Option<Source>>,
    /// The same.
    pub(super) aligned: Mutex<Option<Aligned>>,
    /// Room for what it sees when it looks again. The same.
    pub(super) seen: Mutex<Vec<u8>>,
}

static DESCRIPTORS: Rank = Rank::leaf(12, "descriptors");
static SOURCE: Rank = Rank::new(12, "source buffer");
static ALIGNED: Rank = Rank::new(12, "aligned buffer");
static SEEN: Rank = Rank::leaf(12, "bytes that were seen");

impl Hands {
    /// Those of the conductor and of each actor of `plan`, of no file yet.
    pub(super) fn all(plan: &Plan) -> Result<Vec<Hands>, Errno> {
        let ours = std::iter::once(Ok(Mm::ours()));
        let theirs = (0..storm::actors(plan)).map(|_| match plan.mm {
            MmPlan::Shared => Ok(Mm::ours()),
            MmPlan::Own => Mm::another(),
        });
        ours.chain(theirs).map(|mm| mm.map(Hands::new)).collect()
    }

    /// Of nothing. Files will be mapped in `mm`.
    pub(super) fn new(mm: Arc<Mm>) -> Hands {
        Hands {
            files: Vec::new(),
            mappings: Vec::new(),
            mm,
            source: sim::sync::mutex(&SOURCE, 0, None),
            aligned: sim::sync::mutex(&ALIGNED, 0, None),
            seen: sim::sync::mutex(&SEEN, 0, Vec::new()),
        }
    }

    /// Opens the next file `times` times, and maps so many bytes of it, if any can be; `most` are loaded
    /// or stored at once.
    pub(super) fn take_up(
        &mut self,
        of: &File,
        times: u32,
        mapped: Option<usize>,
        most: usize,
    ) -> Result<(), Errno> {
        let opened = (0..times).map(|_| opened(of)).collect::<Result<_, Errno>>()?;
        self.files.push(opened);
        let mapping = mapped.map(|mapped| Mapping::new(&self.mm, of, mapped, most)).transpose()?;
        self.mappings.push(mapping);
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

    /// Its mapping of a file; what `mmap(2)` says where there can be none.
    pub(super) fn mapping(&self, file: usize) -> Result<&Mapping, Errno> {
        self.mappings[file].as_ref().ok_or(Errno::ENODEV)
    }

    /// Whether somebody has taken its mappings away.
    pub(super) fn are_lost(&self) -> bool {
        self.mm.is_lost()
    }

    /// Takes its mappings away, as somebody could who wants memory.
    #[cfg(test)]
    pub(super) fn kill(&self) {
        self.mm.kill();
    }

    fn slot(&self, file: usize, id: OpId) -> &Mutex<Arc<File>> {
        let all = &self.files[file];
        &all[narrow(id.number % wide(all.len()))]
    }
}

fn opened(of: impl AsFd) -> Result<Mutex<Arc<File>>, Errno> {
    Ok(sim::sync::mutex(&DESCRIPTORS, 0, Arc::new(File::open(of)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    #[test]
    fn each_actor_has_memory_of_its_own_if_it_is_to() {
        let own = |mm: &str| {
            let text = format!(
                "world: threads\ntarget: {{directory: /{mm}}}\nactors: [{{name: a, count: 3, ops: {{write: 1}}}}]\n"
            );
            let plan = parse("x.yaml", &text, &Known::default(), &[]).unwrap();
            let all = Hands::all(&plan).unwrap();
            all.iter().map(|hands| !hands.mm.is_ours()).collect::<Vec<_>>()
        };
        assert_eq!(own(", mm: own"), [false, true, true, true]);
        assert_eq!(own(", mm: shared"), [false; 4]);
        assert_eq!(own(""), [false; 4]);
    }

    #[test]
    fn descriptors_are_used_in_turn_and_each_is_opened_anew_by_itself() {
        let made = File::open(tempfile::tempfile().unwrap()).unwrap();
        let mut hands = Hands::new(Mm::ours());
        hands.take_up(&made, 3, Some(4096), 4096).unwrap();
        let id = |number| OpId { actor: 1, number };
        let same = |one, other| Arc::ptr_eq(&hands.file(0, id(one)), &hands.file(0, id(other)));
        assert!(same(1, 4) && !same(1, 2) && !same(2, 3) && !same(3, 4));
        let (old, beside) = (hands.file(0, id(4)), hands.file(0, id(5)));
        hands.reopen(0, id(1)).unwrap();
        assert!(!Arc::ptr_eq(&old, &hands.file(0, id(4))), "it is another");
        assert!(Arc::ptr_eq(&beside, &hands.file(0, id(2))), "the others stay");
        assert_eq!(Arc::strong_count(&old), 1, "nobody else holds it open");
        made.truncate(77).unwrap();
        assert_eq!(hands.file(0, id(1)).size(), Ok(77), "and it is of the same file");
    }

    #[test]
    fn a_file_that_cannot_be_mapped_has_no_mapping_and_the_others_have_their_own() {
        let (one, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let files = [one, other].map(|file| File::open(file).unwrap());
        files[1].truncate(4096).unwrap();
        let mut hands = Hands::new(Mm::ours());
        hands.take_up(&files[0], 1, None, 4096).unwrap();
        hands.take_up(&files[1], 1, Some(8192), 4096).unwrap();
        assert_eq!(hands.mapping(0).err(), Some(Errno::ENODEV));
        let mapping = hands.mapping(1).unwrap();
        assert_eq!(mapping.store(0, b"there"), Ok(5));
        let mut seen = [0; 5];
        let id = OpId { actor: 1, number: 1 };
        assert_eq!(hands.file(1, id).read(0, &mut seen, &[]), Ok(5));
        assert_eq!(&seen, b"there");
        assert_eq!(hands.file(0, id).size(), Ok(0), "and of their own file");
    }
}
