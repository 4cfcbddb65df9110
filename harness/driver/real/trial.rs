//! For tests: a real filesystem and one actor, who makes calls on two empty files.

use super::{Host, Real};
use crate::call::Call;
use crate::scenario::plan::Plan;
use crate::scenario::{Known, parse};
use crate::target::{Performed, Target};
use mounted::Venue;
use std::cell::Cell;
use std::sync::Arc;
use stormfs::op::{Op, OpId};

/// See the module.
pub(super) struct Trial {
    pub(super) real: Real,
    /// The number of the last call.
    last: Cell<u64>,
    /// Goes behind what lies in it.
    _dir: tempfile::TempDir,
}

/// Whoever could do all of that.
const PLAN: &str = "
world: threads
ops: 9
target: {directory: /not/used}
files: [{name: a, size: 64KiB}, {name: b, size: 64KiB}]
actors: [{name: one, within: 256KiB, size: {max: 64KiB}, ops: {write: 1, truncate: 1, collapse_range: 1}}]
";

pub(super) fn plan() -> Plan {
    match parse("trial", PLAN, &Known::default(), &[]) {
        Ok(plan) => plan,
        Err(report) => panic!("{report}"),
    }
}

impl Trial {
    /// In a directory.
    pub(super) fn new() -> Trial {
        let dir = tempfile::tempdir().unwrap();
        let real = Real::open(&plan(), &Venue::Directory(dir.path().to_owned())).unwrap();
        Trial { real, last: Cell::new(0), _dir: dir }
    }

    /// On that filesystem.
    pub(super) fn on(host: Arc<Host>) -> Trial {
        let real = Real::on(&plan(), host).unwrap();
        Trial { real, last: Cell::new(0), _dir: tempfile::tempdir().unwrap() }
    }

    /// A call with nothing peculiar about it, on the first file.
    pub(super) fn act(&self, op: Op) -> Performed {
        self.call(Call::plain(1, 0, op))
    }

    /// The next call. It is judged, too.
    pub(super) fn call(&self, call: Call) -> Performed {
        let number = self.last.replace(self.last.get() + 1) + 1;
        let (id, call) = (OpId { actor: 1, number }, Call { number, ..call });
        let mut memory = Vec::new();
        let before = self.real.reach(call.file);
        self.real.prepare(id, &call, &mut memory);
        let performed = self.real.perform(id, 1, &call, &mut memory);
        self.real.judge(&call, performed, before);
        performed
    }

    /// What does not hold.
    pub(super) fn violated(&self) -> Option<&'static str> {
        self.real.oracle.violation().map(|violation| violation.invariant)
    }
}
