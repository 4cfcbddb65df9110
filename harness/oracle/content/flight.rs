//! Operations in flight: what each may do, and what it saw done while it ran.

use super::fill::Fill;
use std::ops::Range;
use stormfs::op::OpId;

/// What an operation may do to the content between its begin and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that content can tell.
    Nothing,
    /// Reads by a call, which returns no byte from beyond the end of the file.
    Read {
        /// The bytes asked for.
        range: Range<u64>,
    },
    /// Reads through a mapping, which may see what was stored beyond the end of the file.
    Load {
        /// The bytes looked at.
        range: Range<u64>,
    },
    /// Writes by a call. The file grows to hold what was written.
    Write {
        /// The bytes asked for.
        range: Range<u64>,
        /// What is written there.
        fill: Fill,
    },
    /// Writes at the end of the file, wherever that is when it takes effect.
    Append {
        /// How many bytes.
        len: u64,
    },
    /// Writes through a mapping. Does not change the size; what lies beyond it is lost.
    Store {
        /// The bytes stored to.
        range: Range<u64>,
        /// What is stored.
        fill: Fill,
    },
    /// Punches a hole or zeroes a range.
    Zero {
        /// The bytes that become zero.
        range: Range<u64>,
        /// The size to which the file grows, if the call says so.
        grows_to: Option<u64>,
    },
    /// Truncates, up or down.
    Resize {
        /// The new size.
        to: u64,
    },
    /// Grows and changes no byte: fallocate.
    Grow {
        /// The new size, unless the file is larger.
        to: u64,
    },
    /// Writes past the page cache, and drops from it what lies there. Beside others who touch the
    /// file, what they bring into the cache meanwhile may stay there.
    Direct {
        /// The bytes asked for.
        range: Range<u64>,
        /// What is written there.
        fill: Fill,
    },
    /// Takes a range out of the file; what lies behind moves down. Nobody else who changes the file
    /// may be in flight with it.
    Collapse {
        /// The bytes that go.
        range: Range<u64>,
    },
    /// Puts zeroes into the file; what lies there and behind moves up. Nobody else who changes the
    /// file may be in flight with it.
    Insert {
        /// The bytes that come.
        range: Range<u64>,
    },
}

/// What an operation turned out to have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied<'a> {
    /// Nothing: it failed, or wrote no byte.
    Nothing,
    /// Nothing: a write failed at its first byte, for which it may have made room before.
    CopiedNothing,
    /// Wrote or stored exactly this: the part of the request that was accepted.
    Wrote {
        /// Where the bytes are.
        range: Range<u64>,
        /// What they are.
        fill: Fill,
    },
    /// Zeroed exactly this.
    Zeroed {
        /// The bytes that are zero now.
        range: Range<u64>,
        /// The size to which the file grew, if the call says so.
        grew_to: Option<u64>,
    },
    /// Set the size.
    Resized {
        /// The new size.
        to: u64,
    },
    /// Made the file at least this large.
    Grew {
        /// The size.
        to: u64,
    },
    /// Moved what lies behind its range, as its effect says.
    Shifted,
    /// Failed half-way and did not say how far it came: each byte, and the size, may have changed as
    /// the effect said, or not.
    Perhaps,
    /// Read or loaded these bytes.
    Read {
        /// The position of the first.
        pos: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
}

impl Applied<'_> {
    /// How far the file surely reaches that a call through the page cache has grown, if it says so.
    pub(super) fn reached(&self) -> Option<u64> {
        match self {
            Applied::Wrote { range, .. } => Some(range.end),
            Applied::Grew { to } => Some(*to),
            Applied::Zeroed { grew_to, .. } => *grew_to,
            Applied::Nothing
            | Applied::CopiedNothing
            | Applied::Resized { .. }
            | Applied::Shifted
            | Applied::Perhaps
            | Applied::Read { .. } => None,
        }
    }
}

/// Names an operation in flight. Ends with the operation.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an operation that never ends widens what is allowed for the rest of the run"]
pub struct Ticket(pub(super) u64);

/// An operation in flight.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    /// When it began. No two operations begin at one instant, so that this also names it.
    pub(super) begin: u64,
    /// Who it is.
    pub(super) op: OpId,
    /// What it may do.
    pub(super) effect: Effect,
    /// The smallest size the file may have had since it began.
    pub(super) floor: u64,
    /// A bound on the sizes that other operations may have given the file since it began.
    pub(super) ceiling: u64,
    /// Whether anybody else was in flight with it.
    pub(super) crowded: bool,
    /// If it reads: what its bytes also might have been since it began.
    pub(super) history: History,
}

impl Flight {
    /// What it may put where. `lowest` is the smallest size the file may have had before it.
    pub(super) fn puts(&self, lowest: u64) -> [Option<(Range<u64>, Fill)>; 2] {
        let zero = |range: Range<u64>| (!range.is_empty()).then_some((range, Fill::Zero));
        match &self.effect {
            Effect::Nothing | Effect::Read { .. } | Effect::Load { .. } => [None, None],
            Effect::Write { range, fill } | Effect::Direct { range, fill } => {
                [Some((range.clone(), fill.clone())), zero(lowest..range.end)]
            }
            Effect::Append { .. } => [Some((self.floor..u64::MAX, Fill::Anything)), None],
            Effect::Store { range, fill } => [Some((range.clone(), fill.clone())), None],
            Effect::Collapse { range } | Effect::Insert { range } => {
                [Some((range.start..u64::MAX, Fill::Anything)), None]
            }
            Effect::Zero { range, grows_to } => {
                [zero(range.clone()), grows_to.and_then(|to| zero(lowest..to))]
            }
            Effect::Resize { to } => [zero(lowest.min(*to)..u64::MAX), None],
            Effect::Grow { to } => [zero(lowest..*to), None],
        }
    }

    /// True if it may change a byte or the size.
    pub(super) fn changes(&self) -> bool {
        !matches!(self.effect, Effect::Nothing | Effect::Read { .. } | Effect::Load { .. })
    }

    /// Whether it is a call of `fallocate(2)` that keeps every byte where it is.
    pub(super) fn allocates(&self) -> bool {
        matches!(self.effect, Effect::Grow { .. } | Effect::Zero { .. })
    }

    /// The size it may set, if it sets one.
    pub(super) fn sets_size(&self) -> Option<u64> {
        if let Effect::Resize { to } = self.effect { Some(to) } else { None }
    }

    /// Whether it moves bytes from one position to another.
    pub(super) fn shifts(&self) -> bool {
        matches!(self.effect, Effect::Collapse { .. } | Effect::Insert { .. })
    }

    /// By how many bytes it may make the file shorter, wherever that ends.
    pub(super) fn takes_out(&self) -> u64 {
        if let Effect::Collapse { range } = &self.effect { range.end - range.start } else { 0 }
    }

    /// The size to which it may raise the file, if it names one.
    pub(super) fn raises_size(&self) -> Option<u64> {
        match &self.effect {
            Effect::Write { range, .. } | Effect::Direct { range, .. } if !range.is_empty() => {
                Some(range.end)
            }
            Effect::Zero { grows_to, .. } => *grows_to,
            Effect::Grow { to } => Some(*to),
            Effect::Nothing
            | Effect::Read { .. }
            | Effect::Load { .. }
            | Effect::Write { .. }
            | Effect::Append { .. }
            | Effect::Store { .. }
            | Effect::Direct { .. }
            | Effect::Collapse { .. }
            | Effect::Insert { .. }
            | Effect::Resize { .. } => None,
        }
    }

    /// The bytes behind the end that a write through the page cache or a fallocate may grow over, and leaves
    /// zero; none if it is neither.
    pub(super) fn grows_over(&self) -> Option<Range<u64>> {
        let to = if let Effect::Write { range, .. } = &self.effect {
            range.start
        } else {
            self.raises_size().filter(|_| self.allocates())?
        };
        Some(self.floor.min(to)..to)
    }

    /// Whether it reads by a call.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.effect, Effect::Read { .. })
    }

    /// How many bytes it may add at an end of file that only shows when it takes effect.
    pub(super) fn appends(&self) -> u64 {
        if let Effect::Append { len } = self.effect {
            len
        } else if let Effect::Insert { range } = &self.effect {
            range.end - range.start
        } else {
            0
        }
    }

    /// What it reads, if it reads.
    pub(super) fn reads(&self) -> Option<&Range<u64>> {
        match &self.effect {
            Effect::Read { range } | Effect::Load { range } => Some(range),
            Effect::Nothing
            | Effect::Write { .. }
            | Effect::Append { .. }
            | Effect::Store { .. }
            | Effect::Zero { .. }
            | Effect::Resize { .. }
            | Effect::Direct { .. }
            | Effect::Collapse { .. }
            | Effect::Insert { .. }
            | Effect::Grow { .. } => None,
        }
    }
}

/// Values that were possible while a read was in flight and may not be any more.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// invariant: at most `PIECES`.
    pieces: Vec<(Range<u64>, Fill)>,
    /// Those of stores behind the end which the file has grown over meanwhile.
    /// invariant: at most `PIECES`.
    passing: Vec<(Range<u64>, Fill)>,
    lost: bool,
}

impl History {
    /// A read that stalls while this many values pass below it is not judged: memory stays flat.
    const PIECES: usize = 512;

    /// The values at `range` may have been `fill`.
    pub(super) fn remember(&mut self, range: Range<u64>, fill: Fill) {
        if self.lost || range.is_empty() {
            return;
        }
        if self.pieces.len() == Self::PIECES {
            self.pieces.clear();
            self.lost = true;
        } else {
            self.pieces.push((range, fill));
        }
    }

    /// What was stored behind the end may have shown at `range`.
    pub(super) fn remember_passing(&mut self, range: Range<u64>, fill: Fill) {
        if self.passing.len() == Self::PIECES {
            self.lost = true;
        } else if !range.is_empty() {
            self.passing.push((range, fill));
        }
    }

    /// What may have shown so.
    pub(super) fn passing(&self) -> &[(Range<u64>, Fill)] {
        &self.passing
    }

    /// What is remembered; none if it was too much.
    pub(super) fn pieces(&self) -> Option<&[(Range<u64>, Fill)]> {
        (!self.lost).then_some(&self.pieces)
    }
}

/// What two ranges share; empty if nothing.
pub(super) fn intersection(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    a.start.max(b.start)..a.end.min(b.end)
}
