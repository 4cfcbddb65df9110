//! A device in memory: costs what was written, whatever its size.

use crate::bio::IoError;
use crate::media::{Media, poison};
use sim::{Mutex, Rank, sync};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes in memory. What has no chunk is poison.
pub(crate) struct Ram {
    chunks: Mutex<Chunks>,
}

impl Ram {
    /// Memory in which nothing was written.
    pub(crate) fn new() -> Ram {
        Ram { chunks: sync::mutex(&CHUNKS, 0, Chunks::default()) }
    }
}

impl Media for Ram {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        self.peek(offset, into)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let mut chunks = self.chunks.lock();
        for Piece { chunk, within, part } in pieces(offset, bytes.len()) {
            let memory = chunks.get_or_blank(chunk);
            memory[within].copy_from_slice(&bytes[part]);
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), IoError> {
        Ok(())
    }

    fn peek(&self, offset: u64, into: &mut [u8]) -> Result<(), IoError> {
        let chunks = self.chunks.lock();
        for Piece { chunk, within, part } in pieces(offset, into.len()) {
            match chunks.get(chunk) {
                Some(memory) => into[part].copy_from_slice(&memory[within]),
                None => poison(offset + wide(part.start), &mut into[part]),
            }
        }
        Ok(())
    }
}

/// Memory comes in pieces of this many bytes.
const CHUNK: usize = 64 << 10;
/// Chunks in a row; a row stands for 16 MiB.
const ROW: u64 = 256;

static CHUNKS: Rank = Rank::leaf(14, "device memory");

/// The chunks that were written to, in two steps: a large device costs nothing, and in one of
/// usual size a chunk is found without searching.
#[derive(Default)]
struct Chunks {
    rows: BTreeMap<u64, Vec<Option<Box<[u8]>>>>,
}

impl Chunks {
    fn get(&self, chunk: u64) -> Option<&[u8]> {
        self.rows.get(&(chunk / ROW))?[column(chunk)].as_deref()
    }

    fn get_or_blank(&mut self, chunk: u64) -> &mut [u8] {
        let row = self.rows.entry(chunk / ROW).or_insert_with(|| (0..ROW).map(|_| None).collect());
        row[column(chunk)].get_or_insert_with(blank)
    }
}

fn column(chunk: u64) -> usize {
    usize::try_from(chunk % ROW).expect("below the length of a row")
}

/// The part of a range that lies in one chunk.
struct Piece {
    chunk: u64,
    /// Where in the chunk.
    within: Range<usize>,
    /// Where in the range.
    part: Range<usize>,
}

fn pieces(offset: u64, len: usize) -> impl Iterator<Item = Piece> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + wide(done);
        let start = usize::try_from(at % wide(CHUNK)).expect("below the size of a chunk");
        let size = (CHUNK - start).min(len - done);
        let part = done..done + size;
        done += size;
        Some(Piece { chunk: at / wide(CHUNK), within: start..start + size, part })
    })
}

fn blank() -> Box<[u8]> {
    let mut bytes = vec![0; CHUNK].into_boxed_slice();
    poison(0, &mut bytes);
    bytes
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).expect("lengths fit 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_device_costs_only_what_is_written() {
        let ram = Ram::new();
        let tebibyte = 1_u64 << 40;
        ram.write(tebibyte - 512, &[7; 512]).unwrap();
        ram.write(wide(CHUNK) - 512, &[8; 1024]).unwrap();
        let chunks = ram.chunks.lock();
        assert_eq!(chunks.rows.values().flatten().flatten().count(), 3);
        drop(chunks);
        let mut bytes = [0; 1027];
        ram.peek(tebibyte - 1027, &mut bytes).unwrap();
        let mut expected = [7; 1027];
        poison(tebibyte - 1027, &mut expected[..515]);
        assert_eq!(bytes, expected);
    }
}
