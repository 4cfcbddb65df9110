//! The memory of a bio: aligned for direct I/O, and cheap to come by.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Bytes at an address that is a multiple of 4096, as direct I/O needs them.
///
/// Dropped buffers of up to 1 MiB are kept by the thread that dropped them and handed out again.
/// A fresh buffer is filled with [`Buffer::FRESH`], so that nothing of its former life shows, and
/// bytes that nobody has put there never pass for zeros.
#[derive(Default)]
pub struct Buffer {
    /// Longer than `len` by what aligning may cost.
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// What every byte of a fresh buffer is.
    pub const FRESH: u8 = 0xdb;

    /// A fresh buffer of `len` bytes. One of no bytes allocates nothing.
    pub fn new(len: usize) -> Buffer {
        if len == 0 {
            return Buffer::default();
        }
        let memory = pool::take(len);
        let start = memory.as_ptr().align_offset(ALIGN);
        let mut buffer = Buffer { memory, start, len };
        buffer.fill(Buffer::FRESH);
        buffer
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::new(bytes.len());
        buffer.copy_from_slice(bytes);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        pool::give_back(std::mem::take(&mut self.memory));
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

const ALIGN: usize = 4096;

/// A pool a thread, not a device: it needs no lock, so a buffer may be dropped under any lock, and
/// simulations that follow each other on a thread share it.
mod pool {
    use super::{ALIGN, RefCell};

    /// Sizes are powers of two, from 4 KiB to 1 MiB.
    const CLASSES: usize = 9;
    /// A class keeps this many bytes at most.
    const KEPT: usize = 1 << 20;

    thread_local! {
        static FREE: RefCell<[Vec<Vec<u8>>; CLASSES]> = RefCell::default();
    }

    /// Memory that holds `len` aligned bytes.
    pub(super) fn take(len: usize) -> Vec<u8> {
        let class = class(len);
        // Without a pool, which a thread that ends no longer has, memory comes from the system.
        let kept = FREE.try_with(|free| free.borrow_mut().get_mut(class).and_then(Vec::pop));
        kept.ok().flatten().unwrap_or_else(|| {
            let room = if class < CLASSES { ALIGN << class } else { len };
            vec![0; room + ALIGN - 1]
        })
    }

    /// Keeps `memory` for the next buffer of its size, if there is room.
    pub(super) fn give_back(memory: Vec<u8>) {
        let Some(room) = (memory.len() + 1).checked_sub(ALIGN).filter(|room| *room != 0) else {
            return;
        };
        // Frees the memory if the thread ends.
        let _ = FREE.try_with(|free| {
            if let Some(kept) = free.borrow_mut().get_mut(class(room))
                && kept.len() * room < KEPT
            {
                kept.push(memory);
            }
        });
    }

    fn class(len: usize) -> usize {
        let pages = len.div_ceil(ALIGN).next_power_of_two();
        usize::try_from(pages.trailing_zeros()).expect("below 64")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_fresh_and_as_long_as_asked() {
        for len in [0, 1, 512, 4096, 4097, 65536, 1 << 20, (1 << 20) + 1, 3 << 20] {
            for life in 0..3 {
                let mut buffer = Buffer::new(len);
                assert_eq!(buffer.len(), len);
                if len != 0 {
                    assert_eq!(buffer.as_ptr().align_offset(ALIGN), 0, "{len}, life {life}");
                }
                assert!(buffer.iter().all(|byte| *byte == Buffer::FRESH), "{len}, life {life}");
                buffer.fill(life);
            }
        }
    }

    #[test]
    fn memory_given_back_is_used_again_and_only_once() {
        let mut memory = pool::take(4096);
        memory[0] = 0x77;
        pool::give_back(memory);
        let (second, third) = (pool::take(512), pool::take(4096));
        assert_eq!((second[0], third[0]), (0x77, 0));
    }

    #[test]
    fn a_buffer_is_made_from_bytes() {
        assert_eq!(&*Buffer::from([1_u8, 2, 3].as_slice()), [1, 2, 3]);
    }
}
