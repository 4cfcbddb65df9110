//! The source buffer of a write, some of whose bytes may not be there.

use crate::sources::ScriptedSource;
use sim::chance::{FaultDice, FaultSite};
use std::cell::Cell;
use std::collections::BTreeSet;
use stormfs::op::OpId;
use stormfs::quantity::{ByteRange, PAGE, narrow, wide};
use stormfs::uaccess::UserMemory;

/// How often copies end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShortCopies {
    /// Writes whose source has a byte that is not present, in a million.
    pub chance_ppm: u32,
    /// Of those, the ones whose byte can never be read, in a million.
    pub persistent_ppm: u32,
}

/// A byte that is not present when a copy meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its offset in the buffer.
    pub at: u64,
    /// Whether faulting it in fails, too.
    pub persistent: bool,
}

/// The fault kinds of short copies; see [`FaultSite`].
const STRIKES: u32 = 0x20;

impl ShortCopies {
    /// The gap in the `len` bytes that `op` writes from, if it has one. `pieces` are the offsets
    /// at which its iovecs end.
    pub fn gap(self, dice: FaultDice, op: OpId, len: u64, pieces: &[u64]) -> Option<Gap> {
        let site = |nth| FaultSite { kind: STRIKES, operation: op.packed(), nth };
        if self.chance_ppm == 0 || !dice.strikes(site(0), self.chance_ppm) {
            return None;
        }
        let anywhere = dice.below(site(1), len);
        let at = match dice.below(site(2), 4) {
            // Where memory really ends: at a page of the buffer, or at the start of an iovec.
            0 => anywhere - anywhere % PAGE,
            1 => pieces.get(narrow(dice.below(site(3), wide(pieces.len())))).copied().unwrap_or(0),
            _ => anywhere,
        };
        let persistent = dice.strikes(site(4), self.persistent_ppm);
        Some(Gap { at: at.min(len - 1), persistent })
    }
}

/// A fault that would strike always, in a million.
const ALWAYS: u32 = 1_000_000;

impl ShortCopies {
    /// Every kind of gap that a write to `range` can have, if blocks are that large: at its first
    /// byte and at its second, at its last, in the middle of a block and at the edges of one, of a
    /// page of the file and of a page of the buffer, and where an iovec ends.
    pub fn kinds(self, range: ByteRange, block: u64, pieces: &[u64]) -> Vec<Gap> {
        let len = range.len();
        if self.chance_ppm == 0 || len == 0 {
            return Vec::new();
        }
        let first = range.start.next_multiple_of(block);
        let last = (range.end - 1) / block * block;
        let page = range.start.next_multiple_of(PAGE);
        let in_file = [first, first + block / 2, last, page, range.end - 1];
        let in_buffer = [0, 1, PAGE].into_iter().chain(pieces.iter().copied());
        let all = in_file.into_iter().filter_map(|pos| pos.checked_sub(range.start));
        let places: BTreeSet<u64> = all.chain(in_buffer).filter(|at| *at < len).collect();
        let both = match self.persistent_ppm {
            0 => &[false][..],
            ALWAYS.. => &[true],
            _ => &[false, true],
        };
        let gaps = |at| both.iter().map(move |persistent| Gap { at, persistent: *persistent });
        places.into_iter().flat_map(gaps).collect()
    }
}

/// Bytes in one or more pieces, with at most one gap.
pub struct UserBuffer<'a> {
    bytes: &'a [u8],
    /// Offsets at which a piece ends and another begins, in order.
    pieces: &'a [u64],
    gap: Cell<Option<Gap>>,
    /// Who may end it while the write is on its way.
    source: Option<&'a ScriptedSource>,
    /// Whether a copy has met the gap.
    met: Cell<bool>,
}

impl<'a> UserBuffer<'a> {
    /// A buffer of `bytes`, cut at `pieces`.
    pub fn new(bytes: &'a [u8], pieces: &'a [u64], gap: Option<Gap>) -> UserBuffer<'a> {
        UserBuffer { bytes, pieces, gap: Cell::new(gap), source: None, met: Cell::new(false) }
    }

    /// The same, which ends where it is asked for next when `source` says so.
    #[must_use]
    pub fn ended_by(self, source: Option<&'a ScriptedSource>) -> UserBuffer<'a> {
        UserBuffer { source, ..self }
    }

    /// Its gap, from the start or since it has ended.
    pub fn gap(&self) -> Option<Gap> {
        self.gap.get()
    }

    /// Whether a copy ended early because of the gap.
    pub fn fell_short(&self) -> bool {
        self.met.get()
    }

    /// Where the part from `at` of `len` bytes ends, if the gap lies in it.
    fn stops_in(&self, at: u64, len: u64) -> Option<Gap> {
        self.gap.get().filter(|gap| at <= gap.at && gap.at < at + len)
    }

    fn hand_over(&self, mut at: u64, end: u64, take: &mut dyn FnMut(&[u8])) {
        for cut in self.pieces.iter().copied().chain([end]) {
            let stop = cut.min(end);
            if at < stop {
                take(&self.bytes[narrow(at)..narrow(stop)]);
                at = stop;
            }
        }
    }
}

impl UserMemory for UserBuffer<'_> {
    fn len(&self) -> u64 {
        wide(self.bytes.len())
    }

    fn fault_in(&self, at: u64, len: u64) -> u64 {
        if self.source.is_some_and(ScriptedSource::ends_now) {
            self.gap.set(Some(Gap { at, persistent: true }));
        }
        let stop = self.stops_in(at, len).filter(|gap| gap.persistent);
        stop.map_or(len.min(self.len() - at), |gap| {
            self.met.set(true);
            gap.at - at
        })
    }

    fn copy(&self, at: u64, len: u64, take: &mut dyn FnMut(&[u8])) -> u64 {
        let len = len.min(self.len() - at);
        // Present again once it was faulted in after the first meeting.
        let stop = self.stops_in(at, len).filter(|gap| gap.persistent || !self.met.replace(true));
        let end = stop.map_or(at + len, |gap| gap.at);
        self.hand_over(at, end, take);
        end - at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(buffer: &UserBuffer<'_>, at: u64, len: u64) -> (u64, Vec<usize>) {
        let mut parts = Vec::new();
        (buffer.copy(at, len, &mut |part| parts.push(part.len())), parts)
    }

    #[test]
    fn a_transient_gap_stops_one_copy() {
        let bytes = [7; 100];
        let gap = Gap { at: 40, persistent: false };
        let buffer = UserBuffer::new(&bytes, &[], Some(gap));
        assert_eq!((buffer.fault_in(0, 100), copied(&buffer, 0, 30).0), (100, 30));
        assert!(!buffer.fell_short());
        assert_eq!(copied(&buffer, 30, 70).0, 10);
        assert!(buffer.fell_short());
        assert_eq!(copied(&buffer, 40, 60).0, 60);
    }

    #[test]
    fn a_persistent_gap_stops_every_copy_to_the_byte() {
        let bytes = [7; 100];
        let buffer = UserBuffer::new(&bytes, &[], Some(Gap { at: 40, persistent: true }));
        assert_eq!((buffer.fault_in(0, 100), copied(&buffer, 0, 100).0), (40, 40));
        assert_eq!((buffer.fault_in(40, 60), copied(&buffer, 40, 60).0), (0, 0));
        assert_eq!(buffer.fault_in(50, 50), 50);
    }

    #[test]
    fn a_source_that_ends_on_the_way_can_be_read_up_to_where_it_is_asked_for_next() {
        let (bytes, sources) = ([7; 100], crate::sources::Sources::new(1));
        let source = sources.of(0);
        let buffer = UserBuffer::new(&bytes, &[], None).ended_by(source);
        source.unwrap().begins(false);
        assert_eq!((buffer.fault_in(0, 40), copied(&buffer, 0, 40).0), (40, 40));
        source.unwrap().fail().unwrap();
        assert_eq!((buffer.gap(), buffer.fell_short()), (None, false));
        assert_eq!((buffer.fault_in(40, 40), copied(&buffer, 40, 40).0), (0, 0));
        assert_eq!(buffer.gap(), Some(Gap { at: 40, persistent: true }));
        assert!(buffer.fell_short());
    }

    #[test]
    fn every_kind_of_gap_is_known() {
        let copies = ShortCopies { chance_ppm: 1, persistent_ppm: 0 };
        let table: [(u64, u64, &[u64], &[u64]); 4] = [
            (0, 1, &[], &[0]),
            (0, 4096, &[], &[0, 1, 2048, 4095]),
            (100, 9000, &[700], &[0, 1, 700, 3996, 4096, 6044, 8092, 8999]),
            (4095, 2, &[], &[0, 1]),
        ];
        for (start, len, pieces, places) in table {
            let gaps = copies.kinds(ByteRange::at(start, len), 4096, pieces);
            assert_eq!(gaps.iter().map(|gap| gap.at).collect::<Vec<_>>(), places, "{start} {len}");
            assert!(gaps.iter().all(|gap| !gap.persistent));
        }
        let both = ShortCopies { persistent_ppm: 1, ..copies };
        assert_eq!(both.kinds(ByteRange::at(0, 4096), 4096, &[]).len(), 8);
        let off = ShortCopies::default();
        assert_eq!(off.kinds(ByteRange::at(0, 4096), 4096, &[]), []);
    }

    #[test]
    fn iovecs_come_one_by_one() {
        let bytes = [7; 100];
        let buffer = UserBuffer::new(&bytes, &[10, 11, 60], Some(Gap { at: 59, persistent: true }));
        assert_eq!(copied(&buffer, 5, 90), (54, vec![5, 1, 48]));
    }
}
