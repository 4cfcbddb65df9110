//! Where the writes of a script are to stand: worked out before they begin, because their sources are
//! made so.

use super::spot::Spot;
use crate::call::Call;
use crate::scenario::plan::{Action, Plan, Target};
use std::collections::BTreeMap;
use stormfs::op::Op;
use stormfs::points::Point;

/// A place in a write at which a step of the script wants it to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// The step, from 1.
    pub(super) step: usize,
    /// The point that the step names.
    pub(super) point: Point,
    spot: Spot,
}

/// The wishes for each call, by the number of its actor and its own.
pub(super) fn wishes(plan: &Plan) -> BTreeMap<(usize, u64), Vec<Wish>> {
    let actors = plan.actors.iter().flat_map(|actor| actor.names().map(|_| actor.does.as_slice()));
    let mut walks: Vec<_> = actors.map(|does| Walk { does, call: 0, spot: None }).collect();
    let mut wishes: BTreeMap<_, Vec<Wish>> = BTreeMap::new();
    for (step, action) in (1..).zip(plan.script.iter().map(|step| &step.action)) {
        let (Action::Run { actor, until } | Action::Fail { actor, until }) = action else {
            continue;
        };
        let walk = &mut walks[*actor];
        let mut reached = None;
        // Whose source has ended stands nowhere any more.
        let stands = matches!(action, Action::Run { .. });
        for target in until.iter().filter(|_| stands) {
            let Target::Point { nth, point } = *target else { continue };
            let Some((call, spot)) = walk.find(nth, point) else { continue };
            wishes.entry((*actor, walk.does[call].number)).or_default().push(Wish {
                step,
                point,
                spot,
            });
            reached = reached.max(Some((call, spot)));
        }
        walk.goes_on(reached, until);
    }
    wishes
}

/// An actor on its way through its calls, as the script leads it.
struct Walk<'a> {
    does: &'a [Call],
    /// The call that it is in, or that comes next.
    call: usize,
    /// Where in that it stands.
    spot: Option<Spot>,
}

impl Walk<'_> {
    /// Where it passes the point for the `nth` time from here on.
    fn find(&self, nth: u64, point: Point) -> Option<(usize, Spot)> {
        let is_write = |call: &Call| matches!(call.op, Op::Write(_) | Op::Append(_));
        let ahead = self.does[self.call.min(self.does.len())..].iter().position(is_write)?;
        let (call, spot) = (self.call + ahead, self.spot.filter(|_| ahead == 0));
        Some((call, Spot::ahead(spot, point, nth)?))
    }

    /// A step has led it on.
    fn goes_on(&mut self, reached: Option<(usize, Spot)>, until: &[Target]) {
        if let Some((call, spot)) = reached {
            (self.call, self.spot) = (call, Some(spot));
        } else if until.contains(&Target::Returned) {
            (self.call, self.spot) = (self.call + 1, None);
        } else if until.contains(&Target::Done) {
            (self.call, self.spot) = (self.does.len(), None);
        }
    }
}

impl Wish {
    /// How many bytes a write of `len` at `pos` has copied there, if it stops at `limit`.
    pub(super) fn copied(self, write: (u64, usize), limit: Option<u64>) -> usize {
        self.spot.copied(write, limit)
    }

    /// What differs there from the point that the step names, if anything does.
    pub(super) fn nearby(self, maps_late: bool) -> Option<&'static str> {
        self.spot.nearby(Some(maps_late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use stormfs::quantity::narrow;

    /// What stands in which call, and how many bytes are copied there.
    fn stops(does: &str, script: &str) -> Vec<(u64, usize, usize)> {
        let text = format!("actors: [{{name: W, does: [{does}]}}]\nscript: [{script}]\n");
        let plan = parse("a.yaml", &text, &Known::default(), &[]).unwrap();
        let call = |number: u64| &plan.actors[0].does[narrow(number - 1)];
        let stop = |number: u64, wish: &Wish| {
            let Op::Write(range) = call(number).op else { panic!() };
            let limit = call(number).gap.map(|gap| gap.at);
            (number, wish.step, wish.copied((range.start, narrow(range.len())), limit))
        };
        let found = wishes(&plan);
        let all = found.iter().flat_map(|((_, number), wishes)| {
            wishes.iter().map(|wish| stop(*number, wish)).collect::<Vec<_>>()
        });
        all.collect()
    }

    type Row = (&'static str, &'static str, &'static [(u64, usize, usize)]);

    #[test]
    fn steps_are_bytes_of_writes() {
        let write = "write: {at: 100, size: 16KiB}";
        let short = "write: {at: 0, size: 64KiB, unreadable_at: 5000}";
        let table: &[Row] = &[
            (write, "run W until write.mapped", &[(1, 1, 0)]),
            (write, "run W until write.locked", &[(1, 1, 0)]),
            (
                write,
                "run W until write.locked, resume W until write.mapped",
                &[(1, 1, 0), (1, 2, 0)],
            ),
            (write, "run W until write.mapped, resume W until write.locked or done", &[(1, 1, 0)]),
            (write, "run W until write.faulted_in", &[(1, 1, 0)]),
            (write, "run W until 2nd write.faulted_in", &[(1, 1, 3996)]),
            (
                write,
                "run W until write.unlocked, resume W until write.unlocked",
                &[(1, 1, 3996), (1, 2, 8092)],
            ),
            (
                write,
                "run W until write.unlocked, resume W until write.faulted_in",
                &[(1, 1, 3996), (1, 2, 3996)],
            ),
            (write, "run W until write.mapped, resume W until write.mapped or done", &[(1, 1, 0)]),
            (short, "run W until 2nd write.copied", &[(1, 1, 5000)]),
            (short, "run W until write_end.before_punch", &[(1, 1, 5000)]),
            ("fsync, write: {at: 0, size: 9000}", "run W until write.copied", &[(2, 1, 4096)]),
            (
                "fsync, write: {at: 0, size: 9000}",
                "run W until returned, run W until write.mapped",
                &[(2, 2, 0)],
            ),
            (write, "run W until fsync.before_flush or done", &[]),
        ];
        for (does, script, expected) in table {
            assert_eq!(stops(does, script), *expected, "{does}; {script}");
        }
    }
}
