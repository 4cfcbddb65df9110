//! A breach with everything a person needs to see what happened.

use crate::invariant::{Breach, Invariant, Scope};
use crate::strip::strip;
use std::fmt;
use stormfs::op::OpId;
use stormfs::quantity::ByteRange;
use stormfs::view::View;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// The file's number, if it concerns one.
    pub file: Option<usize>,
    /// The bytes concerned.
    pub range: Option<ByteRange>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// The operation that was being judged.
    pub operation: Option<OpId>,
    /// Extents and folios around the range, one character a block.
    pub strip: String,
}

impl Violation {
    /// A breach in a file.
    pub fn in_file(file: View<'_>, operation: Option<OpId>, breach: Breach) -> Violation {
        let strip = breach.range.map_or_else(String::new, |range| strip(file, range));
        Violation { file: Some(file.file()), operation, strip, ..Violation::overall(breach) }
    }

    /// A breach that concerns no file in particular.
    pub fn overall(breach: Breach) -> Violation {
        let Breach { invariant, range, expected, found } = breach;
        let strip = String::new();
        Violation { invariant, file: None, range, expected, found, operation: None, strip }
    }

    /// Who can notice it.
    pub fn scope(&self) -> Scope {
        Invariant::named(self.invariant).map_or(Scope::User, |invariant| invariant.scope)
    }

    /// Why the invariant must hold.
    pub fn about(&self) -> &'static str {
        Invariant::named(self.invariant).map_or("", |invariant| invariant.about)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.invariant)?;
        if let Some(file) = self.file {
            write!(f, " in file {file}")?;
        }
        if let Some(range) = self.range {
            write!(f, " at {range}")?;
        }
        write!(f, ": expected {}; found {}", self.expected, self.found)
    }
}
