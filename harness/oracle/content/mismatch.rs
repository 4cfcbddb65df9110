//! A byte or a size that no order of the operations explains.

use super::fill::Fill;
use crate::pattern::Origin;
use std::{fmt, ops::RangeInclusive};
use stormfs::op::OpId;

/// A byte that may not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The position of the first wrong byte.
    pub pos: u64,
    /// The wrong byte and some bytes behind it. Never empty.
    pub found: Vec<u8>,
    /// What the byte may be. Empty beyond the end of the file.
    pub allowed: Vec<Fill>,
    /// Who may be changing the byte right now.
    pub in_flight: Vec<OpId>,
    /// Where the byte came from.
    pub origin: Origin,
    /// What kind of corruption it is.
    pub class: Class,
}

/// The kinds of wrong bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Zero, or what an earlier operation wrote here, where something new was promised.
    Lost,
    /// What an operation wrote to another place, another file, or too long ago to be remembered.
    Stale,
    /// What no operation wrote.
    Garbage,
    /// A byte that was put beyond the end of the file, and is still there or shows since the file
    /// grew over it; or one that a read returned from there.
    BeyondEof,
}

impl Class {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Class::Lost => "lost",
            Class::Stale => "stale",
            Class::Garbage => "garbage",
            Class::BeyondEof => "beyond-eof",
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: expected ", self.class.name(), self.pos)?;
        if self.allowed.is_empty() {
            write!(f, "nothing beyond the end of the file")?;
        }
        for (at, fill) in self.allowed.iter().enumerate() {
            let between = if at == 0 { "" } else { " or " };
            write!(f, "{between}{fill}")?;
        }
        let byte = self.found.first().copied().unwrap_or_default();
        write!(f, "; found {byte:#04x}, {}", self.origin)?;
        for (at, op) in self.in_flight.iter().enumerate() {
            let between = if at == 0 { "; in flight: " } else { ", " };
            write!(f, "{between}{op}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}

/// A size that may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeMismatch {
    /// The size that was seen, in bytes.
    pub found: u64,
    /// The sizes that may be.
    pub allowed: Vec<RangeInclusive<u64>>,
    /// Every multiple of such a unit in this range may be, too.
    pub units: Option<(u64, RangeInclusive<u64>)>,
}

impl fmt::Display for SizeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {}: expected ", self.found)?;
        for (at, sizes) in self.allowed.iter().enumerate() {
            let between = if at == 0 { "" } else { " or " };
            write!(f, "{between}{}", sizes.start())?;
            if sizes.start() < sizes.end() {
                write!(f, " to {}", sizes.end())?;
            }
        }
        if let Some((unit, sizes)) = &self.units {
            write!(f, " or a multiple of {unit} from {} to {}", sizes.start(), sizes.end())?;
        }
        Ok(())
    }
}

impl std::error::Error for SizeMismatch {}
