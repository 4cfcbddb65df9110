//! The signature of a case that was shrunk: equal for failures that probably have the same cause,
//! and fit for the name of a file.

use crate::scenario::plan::{Plan, Strike};
use std::collections::BTreeSet;
use stormfs::op::OpKind;

/// The invariant, then the kinds of the case's operations and of its faults, each in alphabetical
/// order: `folio_dirty_block_has_backing-mmap_store-write-short_copy`. Positions and numbers have
/// no part in it, so a case that was not shrunk says little.
pub fn signature(invariant: &str, case: &Plan) -> String {
    let calls = || case.actors.iter().flat_map(|actor| &actor.does);
    let kinds: BTreeSet<&str> = calls().map(|call| OpKind::name(call.op.kind())).collect();
    let short = calls().filter(|call| call.gap.is_some()).map(|_| "short_copy");
    let abandoned = calls().filter(|call| call.abandoned).map(|_| "abandoned_fault");
    let struck = case.strikes.iter().map(|strike| match strike {
        Strike::IoError(_) => "io_error",
        Strike::Latency(..) => "latency",
        Strike::Evict { .. } => "evict",
        Strike::Delay(..) => "delay",
    });
    let faults: BTreeSet<&str> = short.chain(abandoned).chain(struck).collect();
    let words = std::iter::once(invariant).chain(kinds).chain(faults);
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::{IoKind, Request};
    use crate::scenario::{Known, parse};
    use std::time::Duration;

    #[test]
    fn a_signature_says_what_and_not_where() {
        let text = "
actors:
  - {name: b, does: [write: {at: 5, size: 9, unreadable_at: 3}, mmap_store: {at: 0, size: 1}]}
  - {name: a, does: [write: {at: 77, size: 1}]}
";
        let mut case = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let request = Request { on: IoKind::Read, file: 0, pos: 4096, nth: 2 };
        case.strikes.push(Strike::Latency(request, Duration::from_micros(5)));
        let name = signature("size_matches_model", &case);
        assert_eq!(name, "size_matches_model-mmap_store-write-latency-short_copy");
    }
}
