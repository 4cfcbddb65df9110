//! What observation adds and takes away: failed writeback widens, a look settles.

use super::{
    Content,
    dense::{end_of, length},
    fill::Fill,
    mismatch::{Mismatch, SizeMismatch},
    segments::{Kind, Writer},
    sizes::Span,
};
use std::ops::Range;

impl Content {
    /// Writeback failed: until something new is written, or [`Content::settle`], the file may also
    /// show what the disk holds, which is `disk` at `pos`.
    pub fn widen(&mut self, pos: u64, disk: &[u8]) {
        // A write in flight may have come to these bytes already, and its data failed with them.
        let disk = below(self.size_bounds().1, pos, disk);
        let range = pos..end_of(pos, disk.len());
        let same = self.dense.first_difference(pos, disk).is_none();
        // Where something else may be there, too, the cache may show that until it is dropped.
        let known = same && self.segments.overlapping(range.clone()).next().is_none();
        if disk.is_empty() || known && self.is_quiet() {
            return;
        }
        self.now += 1;
        let span = Span { begin: self.now, end: self.now };
        let oldest = self.oldest_change();
        self.segments.add(range, Fill::bytes(pos, disk), Kind::OnDisk, span, oldest);
    }

    /// The bytes were seen after a sync, dropping the cache and reading again: where nothing is in
    /// flight they are what the file holds, even after failed writeback. The error is the first byte
    /// that may not be there; then nothing is settled.
    pub fn settle(&mut self, pos: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        self.collapse(pos, bytes, |_| true)
    }

    /// The bytes were seen: where nothing is in flight they are what the file holds, unless
    /// writeback had failed. The error is the first byte that may not be there; then nothing is
    /// settled.
    pub fn quiet_settle(&mut self, pos: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        self.collapse(pos, bytes, |writers| !writers.iter().any(|w| w.kind.is_split()))
    }

    /// The size was seen: it is the size, unless somebody in flight changes it. The error says which
    /// sizes were possible; then nothing is settled.
    pub fn quiet_settle_size(&mut self, found: u64) -> Result<(), SizeMismatch> {
        self.check_size(found)?;
        self.note_use(self.needed_for_size(found));
        let changes = self.flights.iter().any(|flight| {
            let names = flight.sets_size().is_some() || flight.raises_size().is_some();
            names || flight.appends() != 0 || flight.shifts()
        });
        if !changes && !self.sizes.is_certain() {
            self.remember_before(&(found..u64::MAX));
            self.sizes.settle(found);
            self.dense.put(found..u64::MAX, &Fill::Zero);
            self.segments.remove(found..u64::MAX);
        }
        Ok(())
    }

    fn collapse(
        &mut self,
        pos: u64,
        bytes: &[u8],
        may: impl Fn(&[Writer]) -> bool,
    ) -> Result<(), Mismatch> {
        let needed = self.look(pos, bytes)?;
        self.note_use(needed);
        let seen = below(self.size_bounds().0, pos, bytes);
        let range = pos..end_of(pos, seen.len());
        let uncertain: Vec<Range<u64>> = self
            .segments
            .overlapping(range)
            .filter(|(_, writers)| may(writers))
            .flat_map(|(here, _)| self.not_in_flight(here))
            .collect();
        for here in uncertain {
            self.remember_before(&here);
            let first = length(&(pos..here.start));
            let fill = Fill::bytes(here.start, &seen[first..first + length(&here)]);
            self.dense.put(here.clone(), &fill);
            self.segments.remove(here);
        }
        Ok(())
    }

    /// The parts of `range` that nobody in flight changes.
    fn not_in_flight(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let lowest = self.sizes.lowest();
        let mut left = vec![range];
        let puts = self.flights.iter().flat_map(|flight| flight.puts(lowest)).flatten();
        for (put, _) in puts {
            let cut = |part: Range<u64>| {
                let ahead = part.start..put.start.min(part.end);
                let behind = put.end.max(part.start)..part.end;
                [ahead, behind].into_iter().filter(|part| !part.is_empty())
            };
            if !put.is_empty() {
                left = left.into_iter().flat_map(cut).collect();
            }
        }
        left
    }
}

/// The bytes at `pos` that lie below `size`.
pub(super) fn below(size: u64, pos: u64, bytes: &[u8]) -> &[u8] {
    let len = usize::try_from(size.saturating_sub(pos)).unwrap_or(usize::MAX);
    &bytes[..len.min(bytes.len())]
}
