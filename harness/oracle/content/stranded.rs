//! Stores through a mapping behind the end of a file, in its last page.

use super::{fill::Fill, flight::intersection, sizes::Span};
use std::ops::Range;

/// What may show when the file grows, in the order in which it was stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Stranded {
    stores: Vec<(Range<u64>, Fill, u64)>,
}

impl Stranded {
    /// More than so many are not told apart: anything may be where they are.
    const MOST: usize = 64;

    /// One more, which ended then.
    pub(super) fn add(&mut self, range: Range<u64>, fill: Fill, ended: u64) {
        if range.is_empty() {
            return;
        }
        if self.stores.len() == Self::MOST {
            let all = self.stores.drain(..).map(|(range, ..)| range);
            let hull = all.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
            self.stores.extend(hull.map(|hull| (hull, Fill::Anything, ended)));
        }
        self.stores.push((range, fill, ended));
    }

    /// Those within `range`.
    pub(super) fn within(&self, range: &Range<u64>) -> Vec<(Range<u64>, Fill)> {
        let part = |(stored, fill, _): &(Range<u64>, Fill, u64)| {
            let part = intersection(stored, range);
            (!part.is_empty()).then(|| (part, fill.clone()))
        };
        self.stores.iter().filter_map(part).collect()
    }

    /// A truncate has cleared everything behind its end that was there when it began.
    pub(super) fn clear(&mut self, span: Span) {
        self.stores.retain(|(.., ended)| span.begin < *ended);
    }

    /// Nobody is in flight, and the file has at least `size` bytes: what lies below has shown itself.
    pub(super) fn forget_below(&mut self, size: u64) {
        self.stores.retain(|(range, ..)| size < range.end);
    }
}
