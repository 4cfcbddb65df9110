//! A failure: what must stay the same when a case is made smaller, and nothing that may change.

use crate::storm::Storm;
use oracle::Violation;
use oracle::content::Class;
use oracle::pattern::Origin;
use sim::{End, Outcome};
use std::fmt;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The name of the invariant that was violated.
    pub invariant: &'static str,
    /// What was found, where the invariant alone leaves that open.
    pub kind: Kind,
}

/// What was found instead of the truth, as far as that makes it another failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The invariant says it all.
    Plain,
    /// Wrong bytes of this kind.
    Bytes(Class),
    /// Memory of a folio that nobody initialised.
    FolioMemory,
    /// A device block that nobody wrote.
    DeviceBlock,
    /// Every task waits for another.
    Deadlock,
    /// Somebody waits for what is already true.
    LostWakeUp,
    /// An operation that does not end.
    OutOfSteps,
    /// A panic at this place of the source, without its column.
    Panic(String),
}

impl Failure {
    /// How a storm failed, if it did.
    pub fn of(storm: &Storm) -> Option<Failure> {
        storm.violation.as_ref().map(|violation| Failure::new(violation, &storm.end))
    }

    /// The failure of a run that ended so.
    pub fn new(violation: &Violation, end: &End) -> Failure {
        let kind = match violation.invariant {
            name if name.starts_with("data_") => bytes(&violation.found),
            name if name.starts_with("progress_") => stopped(end),
            _ => Kind::Plain,
        };
        Failure { invariant: violation.invariant, kind }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.invariant)?;
        match &self.kind {
            Kind::Plain => Ok(()),
            Kind::Bytes(class) => write!(f, " ({} bytes)", class.name()),
            Kind::FolioMemory => write!(f, " ({})", Origin::FolioPoison),
            Kind::DeviceBlock => write!(f, " ({})", Origin::DevicePoison),
            Kind::Deadlock => f.write_str(" (deadlock)"),
            Kind::LostWakeUp => f.write_str(" (lost wake-up)"),
            Kind::OutOfSteps => f.write_str(" (out of steps)"),
            Kind::Panic(place) => write!(f, " (at {place})"),
        }
    }
}

/// Wrong bytes name where they come from, and then their class in parentheses.
fn bytes(found: &str) -> Kind {
    let classes = [Class::Lost, Class::Stale, Class::Garbage, Class::BeyondEof];
    let ends = |class: &Class| found.ends_with(&format!("({})", class.name()));
    if found.contains(&Origin::FolioPoison.to_string()) {
        Kind::FolioMemory
    } else if found.contains(&Origin::DevicePoison.to_string()) {
        Kind::DeviceBlock
    } else {
        classes.into_iter().find(ends).map_or(Kind::Plain, Kind::Bytes)
    }
}

fn stopped(end: &End) -> Kind {
    let Outcome::Failed(failure) = &end.outcome else { return Kind::Plain };
    match failure {
        sim::Failure::Deadlock(_) => Kind::Deadlock,
        sim::Failure::LostWakeUp(_) => Kind::LostWakeUp,
        sim::Failure::OutOfSteps { .. } => Kind::OutOfSteps,
        sim::Failure::Panicked { panic, .. } => {
            let place = panic.location.rsplit_once(':').map_or("", |(place, _)| place);
            Kind::Panic(place.to_owned())
        }
        sim::Failure::Stopped(_) | sim::Failure::Until(_) | sim::Failure::Hung(_) => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_bytes_are_told_apart_by_where_they_come_from() {
        for (found, kind) in [
            ("0x41, written by 1.2 (lost)", Kind::Bytes(Class::Lost)),
            ("0x41, written by 1.2 (stale)", Kind::Bytes(Class::Stale)),
            ("0x41, written by nobody known (beyond-eof)", Kind::Bytes(Class::BeyondEof)),
            ("0xa5, uninitialised folio memory (garbage)", Kind::FolioMemory),
            ("0x5a, a device block never written (garbage)", Kind::DeviceBlock),
            ("0x41 cached, 0x42 on disk", Kind::Plain),
        ] {
            assert_eq!(bytes(found), kind, "{found}");
        }
    }
}
