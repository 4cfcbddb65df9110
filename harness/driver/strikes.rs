//! Faults of single requests, in the words of a plan and in those of the device.

use crate::scenario::plan::{IoKind, Request, Strike};
use block::{BioOp, BioPlace, Mishap};
use stormfs::quantity::{narrow, wide};

/// The filesystem names the cause of a bio by the file, in the upper bits, and the first byte.
const FILE_SHIFT: u32 = 48;

/// What happened to a bio, in the words of a plan.
pub fn of_device(strike: block::Strike) -> Strike {
    let BioPlace { op, cause, nth } = strike.place;
    let on = match op {
        BioOp::Read => IoKind::Read,
        BioOp::Write => IoKind::Write,
        BioOp::Flush => IoKind::Flush,
    };
    let (file, pos) = self::place(cause);
    let request = Request { on, file, pos, nth: nth + 1 };
    match strike.what {
        Mishap::Fails => Strike::IoError(request),
        Mishap::Takes(time) => Strike::Latency(request, time),
    }
}

/// The file of a bio with that cause, and the first byte of it there.
pub fn place(cause: u64) -> (usize, u64) {
    (narrow(cause >> FILE_SHIFT), cause & ((1 << FILE_SHIFT) - 1))
}

/// What a strike does to a bio, if it is about one.
pub fn for_device(strike: &Strike) -> Option<block::Strike> {
    let (request, what) = match strike {
        Strike::IoError(request) => (request, Mishap::Fails),
        Strike::Latency(request, time) => (request, Mishap::Takes(*time)),
        Strike::Evict { .. } | Strike::Delay(..) => return None,
    };
    let op = match request.on {
        IoKind::Read => BioOp::Read,
        IoKind::Write => BioOp::Write,
        IoKind::Flush => BioOp::Flush,
    };
    let cause = wide(request.file) << FILE_SHIFT | request.pos;
    let place = BioPlace { op, cause, nth: request.nth.saturating_sub(1) };
    Some(block::Strike { place, what })
}
