//! What a file may hold after the device failed a write, where nobody saw which: each byte is what it was
//! when all of it was on the device, or something that came there since.

use super::{
    Content,
    dense::{Dense, end_of},
    fill::Fill,
    flight::{Applied, Effect, Flight},
    had::{Fallback, Had},
    mismatch::Mismatch,
};
use crate::leeway::Leeway;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is remembered since all of the file was on the device.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    base: Dense,
    since: Since,
    /// The sizes that it had then, and since.
    had: Had,
    /// Whether a write has failed since.
    cast: bool,
}

/// What came to the file, by where.
#[derive(Debug, Clone)]
struct Since {
    /// In parts of the file of that size each, by their number.
    near: BTreeMap<u64, Vec<(Range<u64>, Fill)>>,
    /// What is longer than many of them.
    far: Vec<(Range<u64>, Fill)>,
    /// From here on there may be zeroes.
    zero_from: u64,
    /// From here on there may be anything.
    anything_from: u64,
    changes: usize,
}

/// Bytes of a part.
const PART: u64 = 1 << 14;

/// Parts of what is kept by parts.
const MANY: u64 = 64;

impl Content {
    /// Nobody acts, and all that the file holds is on the device: from now on it is remembered what
    /// comes there, until this is said again.
    pub fn is_on_the_device(&mut self) {
        let (base, since, had) = (self.dense.clone(), Since::default(), Had::default());
        self.doubt = Some(Doubt { base, since, had, cast: false });
        self.remember_sizes();
    }

    /// The device has failed a write since [`Content::is_on_the_device`], or it has not. If it has, bytes
    /// may be what they were then, or became since.
    pub fn doubt(&mut self, cast: bool) {
        if let Some(doubt) = &mut self.doubt {
            doubt.cast = cast;
        }
    }

    /// What a truncate that fails may leave besides its own size and the one before, of a file that has had
    /// no more than `highest` bytes meanwhile.
    pub(super) fn fallback(&self, highest: u64) -> Option<Fallback> {
        let doubt = self.doubt.as_ref().filter(|doubt| doubt.cast)?;
        let falls_back = self.leeways.has(Leeway::FailedTruncateFallsBack);
        falls_back.then(|| Fallback { had: doubt.had.up_to(highest), ends: 0..=highest })
    }

    /// An operation has begun or ended: the sizes that the file may have from now on are remembered.
    pub(super) fn remember_sizes(&mut self) {
        if self.doubt.is_none() {
            return;
        }
        let sizes = self.ranges_of_sizes();
        if let Some(doubt) = &mut self.doubt {
            for one in sizes {
                doubt.had.add(one);
            }
        }
    }

    /// How many changes are remembered.
    pub fn remembered(&self) -> usize {
        self.doubt.as_ref().map_or(0, |doubt| doubt.since.changes)
    }

    /// What is remembered is forgotten: if a write has failed, the file may hold anything.
    pub fn forget_changes(&mut self) {
        if let Some(doubt) = &mut self.doubt {
            doubt.since = Since { anything_from: 0, ..Since::default() };
            doubt.had = Had::everything();
        }
    }

    /// Nobody acts, and the device holds these bytes: they are what the file holds, whatever was lost.
    /// The error is the first byte that may not be there; then nothing is settled.
    pub fn accept(&mut self, pos: u64, bytes: &[u8]) -> Result<(), Mismatch> {
        self.check(pos, bytes)?;
        if self.flights.is_empty() {
            let range = pos..end_of(pos, bytes.len());
            self.dense.put(range.clone(), &Fill::bytes(pos, bytes));
            self.segments.remove(range);
        }
        Ok(())
    }

    /// An operation that changes the file has ended.
    pub(super) fn remember_for_doubt(&mut self, flight: &Flight, applied: &Applied<'_>) {
        let lowest = self.sizes.lowest();
        let Some(doubt) = &mut self.doubt else { return };
        let since = &mut doubt.since;
        match applied {
            Applied::Nothing
            | Applied::CopiedNothing
            | Applied::Read { .. }
            | Applied::Grew { .. } => {}
            Applied::Wrote { range, fill } => {
                // What a copy brought may itself have been lost from its source.
                let copied = matches!(&flight.effect, Effect::Write { fill: Fill::Anything, .. });
                since.add(range, if copied { &Fill::Anything } else { fill });
            }
            Applied::Zeroed { range, .. } => since.add(range, &Fill::Zero),
            Applied::Resized { to } => since.add(&(*to..u64::MAX), &Fill::Zero),
            Applied::Shifted | Applied::Perhaps => {
                let puts = flight.puts(lowest).into_iter().flatten();
                puts.for_each(|(range, fill)| since.add(&range, &fill));
            }
        }
    }
}

impl Doubt {
    /// Shows what may be at `at` and somewhat behind because a write has failed. `consider` is told of a
    /// range, and of what may be there; what it is told holds at least up to the next range.
    pub(super) fn explain(&self, at: u64, consider: &mut impl FnMut(&Range<u64>, &Fill)) {
        if !self.cast {
            return;
        }
        let part = at / PART;
        let end = (part + 1).saturating_mul(PART);
        let Since { near, far, zero_from, anything_from, .. } = &self.since;
        for (range, fill) in near.get(&part).into_iter().flatten().chain(far) {
            consider(range, fill);
        }
        consider(&(*zero_from..u64::MAX), &Fill::Zero);
        consider(&(*anything_from..u64::MAX), &Fill::Anything);
        consider(&(at..end), &Fill::bytes(at, &self.base.copy(at..end)));
    }
}

impl Default for Since {
    fn default() -> Since {
        let (near, far) = (BTreeMap::new(), Vec::new());
        Since { near, far, zero_from: u64::MAX, anything_from: u64::MAX, changes: 0 }
    }
}

impl Since {
    fn add(&mut self, range: &Range<u64>, fill: &Fill) {
        self.changes += 1;
        match fill {
            _ if range.is_empty() => {}
            Fill::Zero if range.end == u64::MAX => {
                self.zero_from = self.zero_from.min(range.start);
            }
            Fill::Anything if range.end == u64::MAX => {
                self.anything_from = self.anything_from.min(range.start);
            }
            _ if MANY * PART < range.end - range.start => {
                self.far.push((range.clone(), fill.clone()));
            }
            Fill::Zero | Fill::Anything | Fill::Tag { .. } | Fill::Bytes { .. } => {
                for part in range.start / PART..=(range.end - 1) / PART {
                    self.near.entry(part).or_default().push((range.clone(), fill.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Initial;
    use super::*;
    use crate::leeway::Leeways;
    use stormfs::op::OpId;

    const A: OpId = OpId { actor: 1, number: 5 };
    const B: OpId = OpId { actor: 2, number: 6 };
    const C: OpId = OpId { actor: 3, number: 7 };

    fn write(content: &mut Content, op: OpId, range: Range<u64>) {
        let fill = Fill::tag(op);
        let ticket = content.begin(op, Effect::Write { range: range.clone(), fill: fill.clone() });
        content.end(ticket, Applied::Wrote { range, fill }).unwrap();
    }

    fn of(op: OpId, range: Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
        crate::pattern::fill(op, range.start, &mut bytes);
        bytes
    }

    /// A on the device; then B and C.
    fn three() -> Content {
        let mut content = Content::new(64, Initial::Zeroes);
        write(&mut content, A, 0..64);
        content.is_on_the_device();
        write(&mut content, B, 8..40);
        write(&mut content, C, 16..32);
        content
    }

    #[test]
    fn a_failed_write_leaves_what_was_on_the_device_or_came_since() {
        for (op, range, with, without) in [
            (A, 0..64, true, false),
            (B, 8..40, true, false),
            (C, 16..32, true, true),
            (C, 16..33, false, false),
            (B, 0..16, false, false),
        ] {
            let mut content = three();
            let bytes = of(op, range.clone());
            assert_eq!(content.check(range.start, &bytes).is_ok(), without, "{op} {range:?}");
            content.doubt(true);
            assert_eq!(content.check(range.start, &bytes).is_ok(), with, "{op} {range:?}");
            content.doubt(false);
            assert_eq!(content.check(range.start, &bytes).is_ok(), without, "{op} {range:?}");
        }
        let mut content = three();
        content.doubt(true);
        assert!(content.check(20, &[0]).is_err(), "nobody has zeroed it");
        let torn = [of(A, 0..12), of(B, 12..20), of(C, 20..24), of(A, 24..64)].concat();
        assert_eq!(content.check(0, &torn), Ok(()));
    }

    #[test]
    fn changes_that_are_forgotten_allow_anything_until_it_is_found_out() {
        let mut content = three();
        content.forget_changes();
        assert_eq!(content.remembered(), 0);
        assert!(content.check(0, &[9; 64]).is_err(), "no write has failed");
        content.doubt(true);
        assert_eq!(content.check(0, &[9; 64]), Ok(()));
        content.accept(0, &of(A, 0..64)).unwrap();
        content.is_on_the_device();
        assert!(content.check(0, &[9; 64]).is_err());
    }

    #[test]
    fn what_is_found_on_the_device_is_all_there_is() {
        let mut content = three();
        content.doubt(true);
        let old = of(A, 0..64);
        content.accept(0, &old).unwrap();
        content.is_on_the_device();
        assert_eq!(content.remembered(), 0);
        for cast in [false, true] {
            content.doubt(cast);
            assert_eq!(content.check(0, &old), Ok(()));
            assert!(content.check(16, &of(C, 16..32)).is_err());
        }
        assert!(content.accept(0, &[9; 64]).is_err());
    }

    #[test]
    fn a_truncate_that_fails_may_leave_a_size_that_may_be_on_the_device() {
        let leeway = Leeways::of(&[Leeway::FailedTruncateFallsBack]);
        for (leeways, cast, may) in
            [(leeway, true, true), (leeway, false, false), (Leeways::NONE, true, false)]
        {
            let mut content = Content::new(2000, Initial::Zeroes).with(leeways);
            let ticket = content.begin(A, Effect::Resize { to: 2200 });
            content.end(ticket, Applied::Resized { to: 2200 }).unwrap();
            content.is_on_the_device();
            let ticket = content.begin(A, Effect::Resize { to: 3000 });
            content.end(ticket, Applied::Resized { to: 3000 }).unwrap();
            content.doubt(cast);
            let ticket = content.begin(B, Effect::Resize { to: 2500 });
            let sizes = |content: &Content| {
                let told = [0, 1000, 1024, 2000, 2200, 2201, 2500, 2999, 3000, 3001, 3072];
                let is = |size: &u64| content.check_size(*size).is_ok();
                told.into_iter().filter(is).collect::<Vec<_>>()
            };
            let expected: &[u64] = if may { &[0, 1024, 2200, 2500, 3000] } else { &[2500, 3000] };
            assert_eq!(sizes(&content), expected, "while it is under way");
            content.end(ticket, Applied::Perhaps).unwrap();
            assert_eq!(sizes(&content), expected, "afterwards");
            let told = content.check_size(1000).unwrap_err().to_string();
            assert_eq!(told.contains(" or a multiple of 512 from 0 to 3000"), may, "{told}");
            assert_eq!(content.quiet_settle_size(2200).is_ok(), may);
            let used = content.leeways_used().get(&Leeway::FailedTruncateFallsBack);
            assert_eq!(used, may.then_some(&1));
            if may {
                write(&mut content, A, 2400..2500);
                assert_eq!((content.check(2300, &[0; 30]), content.size()), (Ok(()), 2500));
            }
        }
    }

    #[test]
    fn sizes_on_the_way_of_a_write_are_remembered() {
        let leeway = Leeways::of(&[Leeway::FailedTruncateFallsBack]);
        let mut content = Content::new(100, Initial::Zeroes).with(leeway);
        content.is_on_the_device();
        write(&mut content, A, 90..300);
        content.doubt(true);
        let ticket = content.begin(B, Effect::Resize { to: 10 });
        content.end(ticket, Applied::Perhaps).unwrap();
        let is = |size: &u64| content.check_size(*size).is_ok();
        let found: Vec<u64> = (1..400).filter(is).collect();
        assert_eq!(found, [10].into_iter().chain(100..=300).collect::<Vec<_>>());
        content.forget_changes();
        let ticket = content.begin(B, Effect::Resize { to: 10 });
        content.end(ticket, Applied::Perhaps).unwrap();
        assert!((0..=300).all(|size| content.check_size(size).is_ok()));
    }

    #[test]
    fn zeroes_and_copies_are_remembered_too() {
        let mut content = three();
        content.doubt(true);
        let ticket = content.begin(A, Effect::Zero { range: 0..8, grows_to: None });
        content.end(ticket, Applied::Zeroed { range: 0..8, grew_to: None }).unwrap();
        write(&mut content, C, 0..8);
        assert_eq!(content.check(0, &[0; 8]), Ok(()));
        let copy = Effect::Write { range: 48..56, fill: Fill::Anything };
        let ticket = content.begin(B, copy);
        let fill = Fill::bytes(48, &[1; 8]);
        content.end(ticket, Applied::Wrote { range: 48..56, fill }).unwrap();
        assert_eq!(content.check(48, &[7; 8]), Ok(()));
        assert!(content.check(40, &[7; 8]).is_err());
        let ticket = content.begin(A, Effect::Resize { to: 10 });
        content.end(ticket, Applied::Resized { to: 10 }).unwrap();
        write(&mut content, B, 10..30);
        assert_eq!(content.check(10, &[0; 20]), Ok(()));
        let ticket = content.begin(A, Effect::Collapse { range: 0..4 });
        content.end(ticket, Applied::Shifted).unwrap();
        assert_eq!(content.check(0, &[7; 26]), Ok(()), "what moved may be anything");
    }
}
