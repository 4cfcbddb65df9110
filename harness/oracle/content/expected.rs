//! What a range should hold, where there is one answer.

use super::{Content, Fill};
use std::ops::Range;

impl Content {
    /// The bytes of a range. None if several answers are right: somebody in flight may have come there
    /// or not, or nobody can tell who of several came last.
    pub fn expected(&self, range: Range<u64>) -> Option<Vec<u8>> {
        let overlaps = |other: &Range<u64>| other.start < range.end && range.start < other.end;
        let lowest = self.sizes.lowest();
        let mut puts = self.flights.iter().flat_map(|flight| flight.puts(lowest)).flatten();
        if puts.any(|(put, _)| overlaps(&put)) {
            return None;
        }
        let mut writers = self.segments.overlapping(range.clone()).map(|(_, writers)| writers);
        let open = writers.any(|all| 1 < all.len() || all.iter().any(|it| !it.is_dense()));
        (!open).then(|| self.dense.copy(range))
    }

    /// The first position from `from` on where a byte may be that is not zero; the end of all positions
    /// if there is none.
    pub fn next_data(&self, from: u64) -> u64 {
        let lowest = self.sizes.lowest();
        let puts = self.flights.iter().flat_map(|flight| flight.puts(lowest)).flatten();
        let stranded = self.stranded.within(&(from..u64::MAX));
        let writers = self.segments.overlapping(from..u64::MAX);
        let open = writers.flat_map(|(range, all)| {
            let range = range.clone();
            all.iter().map(move |writer| (range.clone(), writer.fill.clone()))
        });
        let others = puts.chain(stranded).chain(open);
        let data = others.filter(|(range, fill)| from < range.end && *fill != Fill::Zero);
        let starts = data.map(|(range, _)| range.start.max(from));
        starts.fold(self.dense.next_data(from), u64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Applied, Effect, Fill, Initial};
    use super::*;
    use stormfs::op::OpId;

    const A: OpId = OpId { actor: 1, number: 5 };
    const B: OpId = OpId { actor: 2, number: 6 };

    fn write(content: &mut Content, op: OpId, range: Range<u64>) -> super::super::Ticket {
        content.begin(op, Effect::Write { range, fill: Fill::tag(op) })
    }

    fn wrote(op: OpId, range: Range<u64>) -> Applied<'static> {
        Applied::Wrote { range, fill: Fill::tag(op) }
    }

    #[test]
    fn a_write_in_flight_leaves_its_range_open_and_nothing_else() {
        let mut content = Content::new(64, Initial::Zeroes);
        let ticket = write(&mut content, A, 0..16);
        assert_eq!(content.expected(0..8), None);
        assert_eq!(content.expected(8..24), None);
        assert_eq!(content.expected(16..24), Some(vec![0; 8]));
        content.end(ticket, wrote(A, 0..16)).unwrap();
        let word = crate::pattern::word(A, 8).to_le_bytes();
        assert_eq!(content.expected(8..16), Some(word.to_vec()));
    }

    #[test]
    fn what_nobody_knows_is_no_answer() {
        let mut content = Content::new(64, Initial::Zeroes);
        let range = 0..16;
        let copy = Effect::Write { range: range.clone(), fill: Fill::Anything };
        let reader = content.begin(B, Effect::Load { range: 32..48 });
        let ticket = content.begin(A, copy);
        content.end(ticket, Applied::Wrote { range, fill: Fill::Anything }).unwrap();
        assert_eq!(content.expected(0..16), None);
        assert_eq!(content.end_source(reader), Some(vec![0; 16]));
        assert_eq!(content.expected(0..16), None);
    }

    #[test]
    fn a_source_that_changed_and_changed_back_has_no_answer() {
        let mut content = Content::new(64, Initial::Zeroes);
        let source = content.begin(B, Effect::Load { range: 0..16 });
        let ticket = write(&mut content, A, 0..16);
        content.end(ticket, wrote(A, 0..16)).unwrap();
        let ticket = content.begin(A, Effect::Zero { range: 0..16, grows_to: None });
        content.end(ticket, Applied::Zeroed { range: 0..16, grew_to: None }).unwrap();
        assert_eq!(content.expected(0..16), Some(vec![0; 16]));
        assert_eq!(content.end_source(source), None);
        let beyond = content.begin(B, Effect::Load { range: 60..68 });
        assert_eq!(content.end_source(beyond), None, "a mapping shows anything beyond the end");
    }

    #[test]
    fn where_something_may_be_is_found() {
        let far = 1 << 42;
        let mut content = Content::new(64, Initial::Zeroes);
        assert_eq!(content.next_data(0), u64::MAX);
        let end = Effect::Resize { to: 2 * far };
        let ticket = content.begin(B, end);
        content.end(ticket, Applied::Resized { to: 2 * far }).unwrap();
        assert_eq!(content.next_data(0), u64::MAX, "a hole");
        let flying = write(&mut content, A, far..far + 8);
        assert_eq!(content.next_data(5), far, "in flight");
        content.end(flying, wrote(A, far..far + 8)).unwrap();
        assert_eq!(content.next_data(far / 2) >> 14, far >> 14);
        assert_eq!(content.next_data(far + 3), far + 3);
        assert_eq!(content.next_data(far + (1 << 14)), u64::MAX);
        assert_eq!(Content::new(64, Initial::Pattern(A)).next_data(7), 7);
        assert_eq!(Content::new(64, Initial::Pattern(A)).next_data(64), u64::MAX);
    }

    #[test]
    fn two_that_overlapped_leave_it_open_until_the_next_write() {
        let mut content = Content::new(64, Initial::Zeroes);
        let (one, other) = (write(&mut content, A, 0..16), write(&mut content, B, 8..24));
        content.end(one, wrote(A, 0..16)).unwrap();
        content.end(other, wrote(B, 8..24)).unwrap();
        assert_eq!(content.expected(8..16), None);
        let last = write(&mut content, OpId { number: 9, ..A }, 8..16);
        content.end(last, wrote(OpId { number: 9, ..A }, 8..16)).unwrap();
        assert!(content.expected(8..16).is_some());
    }
}
