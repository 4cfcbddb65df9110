//! Where an actor stands between two steps of a script, as far as their sentences tell.

use super::super::plan::Target;
use stormfs::op::OpKind;
use stormfs::points::Point;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stood {
    /// So many of its calls have returned, and it is in none.
    Between(usize),
    /// In the call behind so many others, where that has passed this point.
    Within(usize, Point),
}

/// Places that every write passes, in this order.
const OF_A_WRITE: [Point; 8] = [
    Point::WriteLocked,
    Point::WriteMapped,
    Point::WriteFaultedIn,
    Point::WriteFolioLocked,
    Point::WriteValidated,
    Point::WriteCopied,
    Point::WriteAccepted,
    Point::WriteUnlocked,
];

impl Stood {
    /// How many of its calls have returned, if it is in none.
    pub(super) fn returned(self) -> Option<usize> {
        if let Stood::Between(returned) = self { Some(returned) } else { None }
    }

    /// Where it stands when a step has led it on, of all its calls. `None`: that cannot be told. A write
    /// whose source `ends` need not pass what others pass.
    pub(super) fn led(self, calls: &[OpKind], until: &[Target], ends: bool) -> Option<Stood> {
        let (Stood::Between(call) | Stood::Within(call, _)) = self;
        match until {
            [Target::Returned]
            | [Target::Returned, Target::Done]
            | [Target::Done, Target::Returned] => Some(Stood::Between(call + 1)),
            [Target::Point { nth, point }] => {
                let mut ahead = (call..calls.len()).filter(|at| may_pass(calls[*at], *point));
                let first = ahead.next()?;
                let here = if let Stood::Within(at, here) = self {
                    (at == first).then_some(here)
                } else {
                    None
                };
                let is_next = *nth == 1 && !ends && passes(calls[first], here, *point);
                (is_next || ahead.next().is_none()).then_some(Stood::Within(first, *point))
            }
            _ => None,
        }
    }
}

/// Whether a call of that kind passes the point, if it passes any like it.
fn may_pass(kind: OpKind, point: Point) -> bool {
    let group = point.name().split('.').next().unwrap_or_default();
    match group {
        "write" | "write_end" => {
            matches!(kind, OpKind::Write | OpKind::Append | OpKind::WriteFromMmap)
        }
        "truncate" => kind == OpKind::Truncate,
        _ => true,
    }
}

/// Whether a call of that kind is sure to pass the point, once it is behind `here`.
fn passes(kind: OpKind, here: Option<Point>, point: Point) -> bool {
    let rank = |point| OF_A_WRITE.iter().position(|other| *other == point);
    let is_write = matches!(kind, OpKind::Write | OpKind::Append);
    is_write
        && rank(point).is_some()
        && here.is_none_or(|here| rank(here).is_some_and(|here| Some(here) < rank(point)))
}
