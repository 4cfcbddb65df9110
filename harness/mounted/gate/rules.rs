//! What is asked of a gate.

use block::Spike;
use std::ops::Range;
use std::time::Duration;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// From the device.
    Read,
    /// To the device.
    Write,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is kept until the rule is lifted, and performed then.
    Hold,
    /// It is answered with EIO, and nothing is performed.
    Fail,
    /// It is performed after this time.
    Slow(Duration),
}

/// Something that happens to requests of one kind that touch some bytes of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// To requests of that kind.
    pub access: Access,
    /// Those that touch one of these bytes.
    pub range: Range<u64>,
    /// What.
    pub what: What,
}

/// What happens to requests by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chances {
    /// Reads and writes that take longer.
    pub spike: Spike,
    /// Reads of bytes of files that are answered with EIO, in a million. What a filesystem keeps about its
    /// files, its log among it, never fails: that would end it.
    pub read_error_ppm: u32,
    /// Writes of them, and nothing is performed.
    pub write_error_ppm: u32,
    /// How bytes of files are told from others, see `gate::data`.
    pub stride: u64,
}

impl Rule {
    /// Whether it is about such a request.
    pub(super) fn is_about(&self, access: Access, range: &Range<u64>) -> bool {
        let Range { start, end } = self.range;
        self.access == access && start < range.end && range.start < end
    }
}
