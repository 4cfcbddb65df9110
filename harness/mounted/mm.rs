//! Memory that files are mapped into: that of this process, or that of a companion.
//!
//! Threads share one mm, processes have one each. Where a page is taken from the page cache, every processor
//! that runs a task with an mm in which it is mapped is interrupted, and all faults of an mm meet at its locks.

use crate::companion::{Call, Companion};
use nix::errno::Errno;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Mm(Option<Companion>);

impl Mm {
    /// That of this process.
    pub fn ours() -> Arc<Mm> {
        Arc::new(Mm(None))
    }

    /// Another one. It is gone with the thread that asks for it.
    pub fn another() -> Result<Arc<Mm>, Errno> {
        Companion::new().map(|companion| Arc::new(Mm(Some(companion))))
    }

    /// Whether it is that of this process.
    pub fn is_ours(&self) -> bool {
        self.0.is_none()
    }

    /// Whether somebody has killed whoever had it, and with that all that was mapped there. What has been
    /// asked of it since then says nothing of any file.
    pub fn is_lost(&self) -> bool {
        self.0.as_ref().is_some_and(Companion::is_lost)
    }

    /// Copies what lies at `at` there to `bytes`, as its page table has it: how many came before there was
    /// none. Pages that are not there are faulted in. `None`: none came, it is ours, or this kernel lets
    /// nobody look into the memory of another process.
    pub(crate) fn peek(&self, at: usize, bytes: &mut [u8]) -> Option<usize> {
        self.0.as_ref()?.peek(at, bytes).ok()
    }

    /// Takes it away from whoever has it, as somebody could who wants memory.
    pub fn kill(&self) {
        self.0.as_ref().map(Companion::kill).unwrap_or_default();
    }

    /// Makes a system call there.
    ///
    /// # Safety
    ///
    /// That of the call, in this process or in a copy of it.
    #[expect(unsafe_code, reason = "any system call")]
    pub(crate) unsafe fn call(&self, call: Call) -> Result<usize, Errno> {
        // SAFETY: the caller vouches for it.
        unsafe {
            match &self.0 {
                None => call.make(),
                Some(companion) => companion.call(call),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use std::fs;

    #[test]
    fn what_another_has_mapped_is_not_mapped_here() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mapped = |mm| {
            let _mapping = Mapping::new(mm, &file, 4096, 4096).unwrap();
            let maps = fs::read_to_string("/proc/self/maps").unwrap();
            maps.contains(file.path().to_str().unwrap())
        };
        let (ours, another) = (Mm::ours(), Mm::another().unwrap());
        assert_eq!((mapped(&ours), mapped(&another)), (true, false));
        assert_eq!((ours.is_ours(), another.is_ours()), (true, false));
    }
}
