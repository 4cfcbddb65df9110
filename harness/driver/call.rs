//! A call: an operation, the file it is for, and what is peculiar about the task that makes it.

use crate::user_buffer::Gap;
use stormfs::op::Op;
use stormfs::quantity::ByteRange;

/// All of a file, however large: twice the size that any can have.
pub const WHOLE_FILE: ByteRange = ByteRange { start: 0, end: 32 << 40 };

/// One call, as an actor draws it or a scenario lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number of its operation: counts up within an actor, from 1 at least.
    pub number: u64,
    /// The file's number.
    pub file: usize,
    /// The operation.
    pub op: Op,
    /// Offsets at which the iovecs of a write end.
    pub pieces: Vec<u64>,
    /// The byte of a write's source that is not present. Where there is none, the faults of the
    /// scenario decide.
    pub gap: Option<Gap>,
    /// Whether a store gives up at its first write fault. If not, the faults of the scenario decide.
    pub abandoned: bool,
}

impl Call {
    /// A call with nothing peculiar about it.
    pub fn plain(number: u64, file: usize, op: Op) -> Call {
        Call { number, file, op, pieces: Vec::new(), gap: None, abandoned: false }
    }
}
