//! The names that a scenario may use and that others define: invariants and bugs.

use crate::catalogue::{self, Bug};
use crate::scenario::Known;
use oracle::Invariant;
use std::sync::LazyLock;

static INVARIANTS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Invariant::all().map(|invariant| invariant.name).collect());

static BUGS: LazyLock<Vec<&'static Bug>> = LazyLock::new(|| catalogue::all().collect());

/// All of them.
pub fn known() -> Known<'static> {
    Known { invariants: &INVARIANTS, bugs: &BUGS }
}
