//! The ranges in flight, and writes that share a block with another bio.
//!
//! Bios that overlap complete in either order, so a write that overlaps anything in flight makes
//! the contents of a block a matter of luck. A filesystem must wait for the first bio before it
//! submits the second; here it is only noted when one does not.

use crate::bio::{Bio, BioOp};
use std::collections::BTreeMap;

/// One bio, as far as overlaps are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Read or write.
    pub op: BioOp,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// The operation that caused it.
    pub cause: u64,
}

/// Two bios that were in flight together on a common range, at least one of them a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The one that was in flight.
    pub first: Access,
    /// The one that was submitted meanwhile.
    pub second: Access,
}

/// Overlaps that nobody has taken yet are kept up to this many: the first ones tell the story.
const KEPT: usize = 64;

/// The ranges in flight.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// By offset and ticket.
    accesses: BTreeMap<(u64, u64), Access>,
    /// No access that is or was in flight is longer: bounds how far back to look.
    longest: u64,
    overlaps: Vec<Overlap>,
    /// How many overlaps there were, kept or not.
    total: u64,
}

impl Flight {
    /// Notes that `bio` is in flight under `ticket`, which no other has.
    pub(crate) fn begin(&mut self, bio: &Bio, ticket: u64) {
        if bio.is_empty() {
            return;
        }
        let second = Access { op: bio.op, offset: bio.offset, len: bio.len(), cause: bio.cause };
        let from = second.offset.saturating_sub(self.longest);
        let end = second.offset + second.len;
        for first in self.accesses.range((from, 0)..(end, 0)).map(|(_, access)| *access) {
            let meets = second.offset < first.offset + first.len;
            let writes = first.op == BioOp::Write || second.op == BioOp::Write;
            if meets && writes {
                self.total += 1;
                if self.overlaps.len() < KEPT {
                    self.overlaps.push(Overlap { first, second });
                }
            }
        }
        self.longest = self.longest.max(second.len);
        self.accesses.insert((second.offset, ticket), second);
    }

    /// Notes that the bio at `offset` with `ticket` is done.
    pub(crate) fn end(&mut self, offset: u64, ticket: u64) {
        self.accesses.remove(&(offset, ticket));
    }

    /// How many overlaps there were so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The overlaps since the last call.
    pub(crate) fn take_overlaps(&mut self) -> Vec<Overlap> {
        std::mem::take(&mut self.overlaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;

    fn bio(op: BioOp, offset: u64, len: usize) -> Bio {
        Bio { op, offset, data: Buffer::new(len), cause: offset }
    }

    #[test]
    fn only_a_write_on_a_common_range_counts() {
        use BioOp::{Read, Write};
        // The first bio is op, offset, len; so is the second; then whether they overlap.
        let cases = [
            ((Write, 4096, 4096), (Write, 4096, 4096), true),
            ((Write, 4096, 4096), (Read, 4096, 4096), true),
            ((Read, 4096, 4096), (Write, 4096, 4096), true),
            ((Read, 4096, 4096), (Read, 4096, 4096), false),
            ((Write, 4096, 4096), (Write, 8192, 4096), false),
            ((Write, 4096, 4096), (Write, 0, 4096), false),
            ((Write, 4096, 4096), (Write, 0, 4608), true),
            ((Write, 4096, 4096), (Write, 7680, 512), true),
            ((Write, 0, 65536), (Write, 65024, 512), true),
            ((Write, 8192, 512), (Write, 0, 65536), true),
        ];
        for (first, second, overlaps) in cases {
            let mut flight = Flight::default();
            flight.begin(&bio(first.0, first.1, first.2), 1);
            flight.begin(&bio(second.0, second.1, second.2), 2);
            assert_eq!(flight.total(), u64::from(overlaps), "{first:?} {second:?}");
            let told = flight.take_overlaps();
            assert_eq!(told.len(), usize::from(overlaps));
            assert!(told.iter().all(|o| o.first.offset == first.1 && o.second.offset == second.1));
            flight.end(first.1, 1);
            flight.end(second.1, 2);
            flight.begin(&bio(second.0, second.1, second.2), 3);
            assert_eq!(flight.total(), u64::from(overlaps), "what has landed overlaps nothing");
        }
    }

    #[test]
    fn a_flood_of_overlaps_is_counted_and_its_beginning_kept() {
        let mut flight = Flight::default();
        for ticket in 0..100 {
            flight.begin(&bio(BioOp::Write, 0, 512), ticket);
        }
        assert_eq!(flight.total(), 99 * 100 / 2);
        assert_eq!(flight.take_overlaps().len(), KEPT);
        assert!(flight.take_overlaps().is_empty());
    }
}
