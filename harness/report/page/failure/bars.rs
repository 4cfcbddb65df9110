//! What stands in the lanes beside a row: who is in a call, who waits, and which locks are held.

use crate::record::{Lanes, Row, RowKind};

/// More tasks than these share the last lane.
pub(super) const LANES: usize = 12;
/// More classes of locks than these share the last bar.
pub(super) const LOCKS: usize = 5;

/// One lane beside one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// Whether a call goes on.
    pub(super) in_call: bool,
    /// Whether the task waits.
    pub(super) waits: bool,
    /// The locks that are held, by their number in [`locks`].
    pub(super) held: Vec<usize>,
}

/// How many lanes are drawn.
pub(super) fn count(lanes: &Lanes) -> usize {
    lanes.columns.len().clamp(1, LANES)
}

/// In which of them a row stands.
pub(super) fn lane(lanes: &Lanes, row: &Row) -> usize {
    usize::try_from(row.column).unwrap_or(usize::MAX).min(count(lanes) - 1)
}

/// The classes of locks that somebody holds, in the order in which they are met.
pub(super) fn locks(lanes: &Lanes) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for name in lanes.rows.iter().flat_map(|row| &row.holds) {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all
}

/// The lanes after each row.
pub(super) fn beside(lanes: &Lanes) -> Vec<Vec<Beside>> {
    let locks = locks(lanes);
    let mut now = vec![Beside::default(); count(lanes)];
    let after = lanes.rows.iter().map(|row| {
        let own = &mut now[lane(lanes, row)];
        own.waits = row.kind == RowKind::Waits;
        match row.kind {
            RowKind::Begins => own.in_call = true,
            RowKind::Returns => own.in_call = false,
            RowKind::Changes
            | RowKind::Decides
            | RowKind::Stops
            | RowKind::Waits
            | RowKind::Strikes
            | RowKind::Fails => {}
        }
        let number = |name: &String| locks.iter().position(|known| known == name);
        let held = row.holds.iter().filter_map(number).map(|number| number.min(LOCKS - 1));
        own.held = held.collect();
        own.held.sort_unstable();
        own.held.dedup();
        now.clone()
    });
    after.collect()
}
