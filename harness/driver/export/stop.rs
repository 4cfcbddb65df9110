//! Where a write stands still in the program: its source, in pieces at one of which it stands.

use super::order::Stands;
use super::write::named;
use crate::call::Call;
use crate::scenario::plan::Unreadable;
use stormfs::op::Op;
use stormfs::quantity::{narrow, wide};

/// The source of a write that is to stand somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// How long each of its pieces is.
    pub(super) lengths: Vec<u64>,
    /// The piece that is not there until somebody says so.
    pub(super) at: usize,
    /// The piece that can never be read.
    unreadable: Option<usize>,
    /// What differs there from where it stood on the model.
    pub(super) nearby: Option<&'static str>,
}

impl Stop {
    /// The stop of `call` where it `stands` on the model.
    ///
    /// # Errors
    ///
    /// Why nobody can stop it there from outside.
    pub(super) fn of(call: &Call, stands: &Stands) -> Result<Stop, &'static str> {
        let (pos, len) = if let Op::Write(range) = call.op {
            (Some(range.start), range.len())
        } else if let Op::Append(len) = call.op {
            (None, len)
        } else {
            return Err("where nobody can stop it from outside");
        };
        let spot = stands.spot.ok_or("where nobody can stop it from outside")?;
        let unreadable = match call.gap {
            Some(gap) if !gap.persistent => {
                return Err("and a page that is missing for a moment only is no place to stop at");
            }
            gap => gap.map(|gap| gap.at),
        };
        let write = (pos.unwrap_or(0), narrow(len));
        let copied = wide(spot.copied(write, unreadable));
        if 0 < copied && pos.is_none() {
            return Err("and where an append copies to is not known before");
        }
        if len <= copied {
            return Err("and nothing more of its source is asked for there");
        }
        let behind = (0 < copied).then_some(copied + 1);
        let cuts = call.pieces.iter().copied().chain([copied]).chain(behind).chain(unreadable);
        let mut ends: Vec<u64> = cuts.chain([len]).filter(|cut| (1..=len).contains(cut)).collect();
        ends.sort_unstable();
        ends.dedup();
        let starts: Vec<u64> = [0].into_iter().chain(ends.iter().copied()).collect();
        let piece = |byte: u64| starts.iter().position(|start| *start == byte);
        Ok(Stop {
            lengths: starts.windows(2).map(|ends| ends[1] - ends[0]).collect(),
            at: piece(copied).expect("it is cut there"),
            unreadable: unreadable.and_then(piece),
            nearby: spot.nearby(None),
        })
    }

    /// Whether it stands behind what it has copied, as far as there is a page that can be asked for first.
    pub(super) fn is_behind(&self) -> bool {
        0 < self.at && self.at + 1 < self.lengths.len()
    }

    /// Its definition in C, under this name.
    pub(super) fn defined(&self, name: &str, value: u64, by: Unreadable) -> String {
        let unreadable = self.unreadable.map_or("-1".to_owned(), |piece| piece.to_string());
        let (pieces, at) = (self.lengths.len(), self.at);
        let how = self.how(by).map_or(String::new(), |how| format!(", .how = {how}"));
        format!(
            "static struct stop {name} = {{\n\t.pieces = {pieces}, .at = {at}, .unreadable = {unreadable}{how}, .value = {value}\n}};\n\n"
        )
    }

    /// In which way the byte cannot be read, in C, if there is one, and it is one of several ways.
    pub(super) fn how(&self, by: Unreadable) -> Option<&'static str> {
        self.unreadable.and(named(by))
    }

    /// The lines that make it ready.
    pub(super) fn prepared(&self, name: &str) -> String {
        let lengths: Vec<_> = self.lengths.iter().map(u64::to_string).collect();
        format!("prepare(&{name}, (size_t[]){{ {} }});\n", lengths.join(", "))
    }

    /// The line that waits until it stands there.
    pub(super) fn awaited(&self, name: &str) -> String {
        let how = if self.is_behind() { "stands_behind" } else { "stands" };
        let more = if self.is_behind() { ", directory" } else { "" };
        format!("{how}(&{name}{more});\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::spot::Spot;
    use crate::user_buffer::Gap;
    use stormfs::points::Point;
    use stormfs::quantity::ByteRange;

    #[test]
    fn a_source_is_cut_where_its_write_stands() {
        let plain = Call::plain(1, 0, Op::Write(ByteRange::at(100, 9000)));
        let gap = Some(Gap { at: 3996, persistent: true });
        let holed = Call { gap, pieces: vec![700], ..plain.clone() };
        let append = Call::plain(1, 0, Op::Append(9000));
        let of = |call: &Call, point: Point, nth| {
            let stands = Stands { at: point.name(), spot: Spot::of(point, nth) };
            Stop::of(call, &stands).map(|stop| (stop.lengths, stop.at, stop.unreadable))
        };
        assert_eq!(of(&plain, Point::WriteMapped, 1), Ok((vec![9000], 0, None)));
        let second = Ok((vec![3996, 1, 5003], 1, None));
        assert_eq!(of(&plain, Point::WriteUnlocked, 1), second);
        assert_eq!(of(&plain, Point::WriteFolioLocked, 2), second);
        assert!(of(&plain, Point::WriteUnlocked, 3).is_err());
        let in_pieces = Ok((vec![700, 3296, 1, 5003], 2, Some(2)));
        assert_eq!(of(&holed, Point::WriteEndScan, 1), in_pieces);
        assert_eq!(of(&append, Point::WriteMapped, 1), Ok((vec![9000], 0, None)));
        assert!(of(&append, Point::WriteUnlocked, 1).is_err());
        assert!(of(&plain, Point::FsyncBeforeFlush, 1).is_err());
        let told = |point: Point| {
            let stands = Stands { at: point.name(), spot: Spot::of(point, 1) };
            Stop::of(&plain, &stands).unwrap().nearby
        };
        assert!(told(Point::WriteMapped).unwrap().contains("where the filesystem asks"));
        assert_eq!(told(Point::WriteUnlocked), None);
    }
}
