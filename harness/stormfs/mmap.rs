//! Access through a shared mapping by the task that owns it, and such a mapping as the source of a
//! write.

use crate::inode::Inode;
use crate::page_fault::{Wanted, fault, page_parts, within};
use crate::page_table::{Access, PageTable};
use crate::quantity::{ByteRange, narrow, wide};
use crate::uaccess::UserMemory;
use sim::Mutex;

/// A range of a shared mapping as the source buffer of a write. It remembers what it handed over,
/// because nobody else can tell what the mapping held at that moment.
pub(crate) struct MappedSource<'a> {
    inode: &'a Inode,
    table: &'a PageTable,
    range: ByteRange,
    handed_over: Mutex<Vec<u8>>,
}

impl<'a> MappedSource<'a> {
    pub(crate) fn new(inode: &'a Inode, table: &'a PageTable, range: ByteRange) -> Self {
        let rank = crate::locks::Lock::UserCopy.rank();
        let handed_over = sim::sync::mutex(rank, 0, vec![0; narrow(range.len())]);
        MappedSource { inode, table, range, handed_over }
    }

    /// The first `len` bytes, as the last copy of each saw them.
    pub(crate) fn handed_over(self, len: u64) -> Vec<u8> {
        let mut bytes = self.handed_over.into_inner();
        bytes.truncate(narrow(len));
        bytes
    }
}

impl UserMemory for MappedSource<'_> {
    fn len(&self) -> u64 {
        self.range.len()
    }

    fn fault_in(&self, at: u64, len: u64) -> u64 {
        let wanted = ByteRange::at(self.range.start + at, len).intersection(self.range);
        for part in page_parts(wanted) {
            while self.table.load(part.start, &mut [0]) == Access::Faults {
                if fault(self.inode, self.table, part.start, Wanted::Read).is_err() {
                    return part.start - wanted.start;
                }
            }
        }
        wanted.len()
    }

    fn copy(&self, at: u64, len: u64, take: &mut dyn FnMut(&[u8])) -> u64 {
        let wanted = ByteRange::at(self.range.start + at, len).intersection(self.range);
        let mut bounce = [0; 4096];
        for part in page_parts(wanted) {
            let bytes = &mut bounce[..narrow(part.len())];
            if self.table.load(part.start, bytes) == Access::Faults {
                return part.start - wanted.start;
            }
            self.handed_over.lock()[within(part, self.range.start)].copy_from_slice(bytes);
            take(bytes);
        }
        wanted.len()
    }
}

/// Anonymous memory that is always there.
pub struct Resident<'a>(pub &'a [u8]);

impl UserMemory for Resident<'_> {
    fn len(&self) -> u64 {
        wide(self.0.len())
    }

    fn fault_in(&self, at: u64, len: u64) -> u64 {
        len.min(self.len() - at)
    }

    fn copy(&self, at: u64, len: u64, take: &mut dyn FnMut(&[u8])) -> u64 {
        let bytes = &self.0[narrow(at)..];
        let bytes = &bytes[..narrow(len).min(bytes.len())];
        take(bytes);
        wide(bytes.len())
    }
}
