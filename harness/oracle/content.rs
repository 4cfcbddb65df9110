//! What each byte of one file may be, given which operations were in flight together.
//!
//! An operation takes effect at some instant between its begin and its end, byte by byte. So when it
//! ends, each of its bytes holds what it put there, or what somebody put there who ended after it
//! began. Who ended before that was overwritten. A byte is therefore explained by the *last writers*
//! that ended, none of which began after another ended, and by everybody still in flight.
//!
//! * The dense byte is what the last of these writers put.
//! * Where there are more, or where somebody in flight may still need to know when the last one
//!   ended, a segment lists them. Everywhere else the dense byte is the whole truth.
//! * Beyond the end of the file everything is zero. A growing file shows those zeroes, and the
//!   growing operation counts as a writer of them. A store through a mapping that misses the end of
//!   the file changes nothing, but it survives if somebody grows the file meanwhile.
//!
//! Not verified here: how many bytes a read returned, and the order in which the bytes of one
//! operation change. A read that stalls while hundreds of others pass below it is not judged.

mod dense;
mod doubt;
mod effects;
mod expected;
mod fill;
mod flight;
mod had;
mod judge;
#[cfg(test)]
mod linearise;
mod mismatch;
mod range_map;
mod segments;
mod settle;
mod shift;
mod sizes;
mod stranded;

pub use fill::Fill;
pub use flight::{Applied, Effect, Ticket};
pub use mismatch::{Class, Mismatch, SizeMismatch};

use crate::leeway::{Leeway, Leeways};
use dense::Dense;
use doubt::Doubt;
use flight::{Flight, History};
use segments::Segments;
use sizes::{Sizes, Span};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};
use stormfs::op::OpId;
use stranded::Stranded;

/// The bytes of a file when the run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// All zero.
    Zeroes,
    /// The pattern of this operation.
    Pattern(OpId),
}

/// The possible contents and sizes of one file.
#[derive(Debug, Clone)]
pub struct Content {
    /// invariant: zero beyond the largest possible size.
    dense: Dense,
    segments: Segments,
    sizes: Sizes,
    flights: Vec<Flight>,
    /// Counts begins and ends.
    now: u64,
    /// What was written lately, newest first: it names bytes that cannot name themselves.
    lately: VecDeque<(Range<u64>, Fill)>,
    /// Where zeroes came lately, newest first: it tells why a byte should be zero.
    zeroed: VecDeque<(Range<u64>, Zeroed)>,
    /// What its filesystem does with what POSIX leaves open.
    leeways: Leeways,
    /// How often something was seen that only one of them explains.
    used: BTreeMap<Leeway, u64>,
    /// Stores behind the end of the file that may show when it grows.
    stranded: Stranded,
    /// What may be there if the device has failed a write.
    doubt: Option<Doubt>,
}

/// How a range came to be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zeroed {
    /// The file grew over it.
    Grown,
    /// It was punched or zeroed.
    Cleared,
}

impl Content {
    /// A file of `size` bytes. Nothing is in flight.
    pub fn new(size: u64, initial: Initial) -> Content {
        let base = match initial {
            Initial::Zeroes => None,
            Initial::Pattern(op) => Some(op),
        };
        Content {
            dense: Dense::new(base, size),
            segments: Segments::default(),
            sizes: Sizes::exactly(size),
            flights: Vec::new(),
            now: 0,
            lately: base.map(|op| (0..size, Fill::tag(op))).into_iter().collect(),
            zeroed: VecDeque::new(),
            leeways: Leeways::NONE,
            used: BTreeMap::new(),
            stranded: Stranded::default(),
            doubt: None,
        }
    }

    /// The same on a filesystem that makes use of these.
    #[must_use]
    pub fn with(self, leeways: Leeways) -> Content {
        Content { leeways, ..self }
    }

    /// How often something was seen that is right only by a leeway, for each.
    pub fn leeways_used(&self) -> &BTreeMap<Leeway, u64> {
        &self.used
    }

    /// Something was seen that is right by that leeway only, if by any.
    fn note_use(&mut self, leeway: Option<Leeway>) {
        if let Some(leeway) = leeway {
            *self.used.entry(leeway).or_default() += 1;
        }
    }

    /// The operation may take effect from now on.
    ///
    /// # Panics
    ///
    /// If it changes the file while somebody moves bytes of it, or the other way round: that is a
    /// mistake of the caller.
    pub fn begin(&mut self, op: OpId, effect: Effect) -> Ticket {
        self.now += 1;
        let (floor, ceiling) = self.size_bounds();
        let (history, crowded) = (History::default(), !self.flights.is_empty());
        let flight = Flight { begin: self.now, op, effect, floor, ceiling, crowded, history };
        let mut changers = self.flights.iter().filter(|other| other.changes());
        let alone = changers.all(|other| !(other.shifts() || flight.shifts() && other.changes()));
        assert!(
            alone || !flight.changes(),
            "whoever moves bytes is the only one who changes the file"
        );
        self.flights.iter_mut().for_each(|other| other.crowded = true);
        self.widen_size_bounds(&flight);
        let is_reader = !flight.changes();
        self.flights.push(flight);
        if !is_reader {
            self.remember_sizes();
        }
        Ticket(self.now)
    }

    /// The operation has taken effect, exactly so. A read is judged against everything that was
    /// possible since it began; the error is the first byte that was not.
    ///
    /// # Panics
    ///
    /// If the ticket is of another file: that is a mistake of the caller.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an operation ends once, and its ticket with it"
    )]
    pub fn end(&mut self, ticket: Ticket, applied: Applied<'_>) -> Result<(), Mismatch> {
        let place = self.flights.iter().position(|flight| flight.begin == ticket.0);
        let flight = self.flights.remove(place.expect("a ticket ends on the file that gave it"));
        self.now += 1;
        if let Applied::Read { pos, bytes } = applied {
            let needed = self.judge_read(&flight, pos, bytes)?;
            self.note_use(needed);
            return Ok(());
        }
        if flight.changes() {
            self.remember_attempt(&flight);
            self.pass(&flight, &applied);
            self.remember_for_doubt(&flight, &applied);
            self.apply(&flight, applied, Span { begin: flight.begin, end: self.now });
            let oldest = self.oldest_change();
            self.sizes.forget_before(oldest);
            self.segments.forget_before(oldest, self.sizes.highest());
            if oldest.is_none() {
                self.stranded.forget_below(self.sizes.lowest());
            }
            self.remember_sizes();
        }
        Ok(())
    }

    /// A read that looked at a range for somebody who writes elsewhere what it saw has ended: what it
    /// saw. None if several answers were right, at one time or another.
    ///
    /// # Panics
    ///
    /// If the ticket is of another file: that is a mistake of the caller.
    #[expect(clippy::needless_pass_by_value, reason = "a read ends once, and its ticket with it")]
    pub fn end_source(&mut self, ticket: Ticket) -> Option<Vec<u8>> {
        let place = self.flights.iter().position(|flight| flight.begin == ticket.0);
        let flight = self.flights.remove(place.expect("a ticket ends on the file that gave it"));
        self.now += 1;
        let range = flight.reads()?.clone();
        let untouched = flight.history.pieces().is_some_and(<[_]>::is_empty);
        // A mapping shows anything beyond the end.
        let inside = range.end <= flight.floor;
        if untouched && inside { self.expected(range) } else { None }
    }

    /// The smallest size that the file may have had since an operation in flight began.
    pub fn least_since(&self, ticket: &Ticket) -> u64 {
        let flight = self.flights.iter().find(|flight| flight.begin == ticket.0);
        flight.map_or(0, |flight| flight.floor)
    }

    /// The size after the operations that ended; the largest if several are possible.
    pub fn size(&self) -> u64 {
        self.sizes.highest()
    }

    /// The same; the smallest if several are possible.
    pub fn least_size(&self) -> u64 {
        self.sizes.lowest()
    }

    /// Counts begins and ends: as long as it stays the same, nothing began or ended.
    pub fn instant(&self) -> u64 {
        self.now
    }

    /// True if nothing in flight can change a byte or the size.
    pub fn is_quiet(&self) -> bool {
        self.oldest_change().is_none()
    }

    /// When the first operation that is in flight and changes something began.
    fn oldest_change(&self) -> Option<u64> {
        self.flights.iter().filter(|flight| flight.changes()).map(|flight| flight.begin).min()
    }

    /// The smallest and a bound on the largest size that the file may have now.
    fn size_bounds(&self) -> (u64, u64) {
        let mut lowest = self.sizes.lowest();
        let mut highest = self.sizes.raised_since(0).fold(self.sizes.highest(), u64::max);
        let mut appended: u64 = 0;
        for flight in &self.flights {
            lowest = lowest.saturating_sub(flight.takes_out());
            let set = flight.sets_size();
            lowest = set.map_or(lowest, |to| lowest.min(to));
            highest = set.max(flight.raises_size()).map_or(highest, |to| highest.max(to));
            appended = appended.saturating_add(flight.appends());
        }
        (lowest, highest.saturating_add(appended))
    }

    /// A new operation makes more sizes possible for those already in flight.
    fn widen_size_bounds(&mut self, new: &Flight) {
        let appended = self.flights.iter().map(Flight::appends).fold(0, u64::saturating_add);
        let target = new.sets_size().max(new.raises_size());
        for flight in &mut self.flights {
            if let Some(to) = new.sets_size() {
                flight.floor = flight.floor.min(to);
            }
            if let Some(to) = target {
                let behind = appended.saturating_sub(flight.appends());
                flight.ceiling = flight.ceiling.max(to.saturating_add(behind));
            }
            flight.floor = flight.floor.saturating_sub(new.takes_out());
            flight.ceiling = flight.ceiling.saturating_add(new.appends());
        }
    }
}

#[cfg(test)]
mod leeway_tests;
#[cfg(test)]
mod tests;
