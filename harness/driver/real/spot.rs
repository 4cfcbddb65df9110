//! Places in a write of the model, and where a write on a real filesystem can stand nearest to each.

use stormfs::points::Point;
use stormfs::quantity::{PAGE, narrow, wide};

/// A place in a write, in the order in which it comes there. A folio counts as a page of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    /// It holds its lock.
    Locked,
    /// Nothing is copied.
    Mapped,
    /// In its `folio`-th folio, counted from 0, so far behind.
    Folio { folio: u64, rank: usize },
    /// All that can be copied is.
    End,
}

/// What a write passes for each folio, in order, and what of it stands before the copy.
const OF_A_FOLIO: [Point; 7] = [
    Point::WriteFaultedIn,
    Point::WriteFolioLocked,
    Point::WriteValidated,
    Point::WriteCopied,
    Point::WriteAccepted,
    Point::WriteSizePublished,
    Point::WriteUnlocked,
];
const BEFORE_THE_COPY: usize = 3;

/// What it passes when it gives back what it did not use.
const AT_THE_END: [Point; 3] =
    [Point::WriteEndBeforeWalk, Point::WriteEndScan, Point::WriteEndBeforePunch];

impl Spot {
    /// Where a write stands that has passed `point` for the `nth` time. `None`: nobody can stop one near
    /// that.
    pub(crate) fn of(point: Point, nth: u64) -> Option<Spot> {
        Spot::ahead(None, point, nth)
    }

    /// The same, counted from where it stands.
    pub(super) fn ahead(here: Option<Spot>, point: Point, nth: u64) -> Option<Spot> {
        let once = [(Point::WriteLocked, Spot::Locked), (Point::WriteMapped, Spot::Mapped)];
        if let Some((_, spot)) = once.into_iter().find(|(other, _)| *other == point) {
            return Some(spot).filter(|_| nth == 1 && here < Some(spot));
        }
        if AT_THE_END.contains(&point) {
            return Some(Spot::End);
        }
        let rank = OF_A_FOLIO.iter().position(|other| *other == point)?;
        let further = nth.checked_sub(1)?;
        let folio = match here {
            None | Some(Spot::Locked | Spot::Mapped) => further,
            Some(Spot::Folio { folio, rank: here }) if here < rank => folio + further,
            Some(Spot::Folio { folio, .. }) => folio + nth,
            Some(Spot::End) => return None,
        };
        Some(Spot::Folio { folio, rank })
    }

    /// How many bytes a write of `len` at `pos` has copied there, if it stops at `limit`.
    pub(crate) fn copied(self, (pos, len): (u64, usize), limit: Option<u64>) -> usize {
        let limit = limit.unwrap_or(wide(len)).min(wide(len));
        let end_of = |folio: u64| (pos / PAGE + folio + 1) * PAGE - pos;
        narrow(match self {
            Spot::Locked | Spot::Mapped => 0,
            Spot::Folio { folio: 0, rank } if rank < BEFORE_THE_COPY => 0,
            Spot::Folio { folio, rank } if rank < BEFORE_THE_COPY => end_of(folio - 1).min(limit),
            Spot::Folio { folio, .. } => end_of(folio).min(limit),
            Spot::End => limit,
        })
    }

    /// What differs there from the point of the model, if anything does. A filesystem that maps late asks for
    /// the source first; `None`: it may be of either kind.
    pub(crate) fn nearby(self, maps_late: Option<bool>) -> Option<&'static str> {
        match (self, maps_late) {
            (Spot::Locked, Some(true)) | (Spot::Mapped, Some(false)) => None,
            (Spot::Locked, Some(false)) => {
                Some("it stands behind that, and has reserved what its first bytes need")
            }
            (Spot::Locked, None) => Some(
                "it has reserved what its first bytes need, unless the filesystem asks for the source \
                 ahead of that, as btrfs does",
            ),
            (Spot::Mapped, Some(true)) => {
                Some("it holds its lock there, and has reserved nothing yet")
            }
            (Spot::Mapped, None) => Some(
                "where the filesystem asks for the source ahead of that, as btrfs does, it holds its lock \
                 and has reserved nothing yet",
            ),
            (Spot::Folio { rank, .. }, _) if OF_A_FOLIO[rank] == Point::WriteUnlocked => None,
            (Spot::Folio { rank, .. }, _) if rank < BEFORE_THE_COPY => {
                Some("it stands before it asks for its source, and has no folio locked")
            }
            (Spot::Folio { .. }, _) => Some("it stands behind that, with the folio unlocked again"),
            (Spot::End, _) => Some("it stands before the byte that ends it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_and_the_mapping_are_told_apart() {
        for (point, maps_late, said) in [
            (Point::WriteLocked, Some(true), None),
            (Point::WriteLocked, Some(false), Some("it stands behind that")),
            (Point::WriteLocked, None, Some("as btrfs does")),
            (Point::WriteMapped, Some(true), Some("reserved nothing yet")),
            (Point::WriteMapped, Some(false), None),
            (Point::WriteMapped, None, Some("as btrfs does")),
            (Point::WriteUnlocked, None, None),
            (Point::WriteCopied, None, Some("unlocked again")),
        ] {
            let told = Spot::of(point, 1).and_then(|spot| spot.nearby(maps_late));
            let is_said = match said {
                None => told.is_none(),
                Some(said) => told.is_some_and(|told| told.contains(said)),
            };
            assert!(is_said, "{}, {maps_late:?}: {told:?}", point.name());
        }
    }

    #[test]
    fn places_are_bytes_of_a_write() {
        let write = (100, 9000);
        for (point, nth, limit, copied) in [
            (Point::WriteLocked, 1, None, Some(0)),
            (Point::WriteMapped, 1, None, Some(0)),
            (Point::WriteMapped, 2, None, None),
            (Point::WriteFolioLocked, 1, None, Some(0)),
            (Point::WriteFolioLocked, 2, None, Some(3996)),
            (Point::WriteCopied, 2, None, Some(8092)),
            (Point::WriteUnlocked, 3, None, Some(9000)),
            (Point::WriteUnlocked, 2, Some(5000), Some(5000)),
            (Point::WriteEndScan, 1, Some(5000), Some(5000)),
            (Point::FsyncBeforeFlush, 1, None, None),
        ] {
            let found = Spot::of(point, nth).map(|spot| spot.copied(write, limit));
            assert_eq!(found, copied, "{nth} {}", point.name());
        }
    }
}
