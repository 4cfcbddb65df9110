//! Somebody who looks on at a storm: told of every passage of the scheduler, of every commit point of
//! the filesystem before the oracle is, and of the calls as they begin and return.

use crate::call::Call;
use crate::target::Performed;
use oracle::Oracle;
use sim::Passage;
use std::sync::Arc;
use stormfs::Filesystem;
use stormfs::folio::Folio;
use stormfs::iomap::Iomap;
use stormfs::op::OpId;
use stormfs::quantity::ByteRange;
use stormfs::view::View;
use stormfs::witness::{Completion, Effect, Intent, Submission, Used, Witness};

/// See the module. It only looks, and takes no lock but leaves.
pub trait Onlooker: Witness {
    /// A task came to a place, and nobody has gone on from there yet.
    fn passes(&self, filesystem: &Filesystem, passage: &Passage);

    /// An actor begins a call.
    fn call_begins(&self, filesystem: &Filesystem, actor: usize, call: &Call);

    /// The call has returned.
    fn call_returns(&self, filesystem: &Filesystem, actor: usize, call: &Call, result: Performed);
}

/// How closely a storm is looked at.
#[derive(Clone, Copy, Default)]
pub struct Look<'a> {
    /// Whether every passage is kept: [`sim::End::trace`].
    pub trace: bool,
    /// Whether what it passes is counted: [`sim::End::profile`].
    pub counts: bool,
    /// Stop right before the step after this one is passed.
    pub until: Option<u64>,
    /// Who looks on.
    pub onlooker: Option<&'a Arc<dyn Onlooker>>,
}

/// The oracle, and before it an onlooker: where the oracle ends the run, the other one has seen why.
pub struct Both {
    /// The first to be told.
    pub onlooker: Arc<dyn Onlooker>,
    /// The second.
    pub oracle: Arc<Oracle>,
}

impl Witness for Both {
    fn begins(&self, file: View<'_>, op: OpId, intent: Intent) {
        self.onlooker.begins(file, op, intent.clone());
        self.oracle.begins(file, op, intent);
    }

    fn ends(&self, file: View<'_>, op: OpId, effect: Effect<'_>) {
        self.onlooker.ends(file, op, effect);
        self.oracle.ends(file, op, effect);
    }

    fn folio_unlocks(&self, file: View<'_>, folio: &Folio) {
        self.onlooker.folio_unlocks(file, folio);
        self.oracle.folio_unlocks(file, folio);
    }

    fn mapping_sampled(&self, file: View<'_>, map: &Iomap) {
        self.onlooker.mapping_sampled(file, map);
        self.oracle.mapping_sampled(file, map);
    }

    fn mapping_validated(&self, file: View<'_>, map: &Iomap, range: ByteRange) {
        self.onlooker.mapping_validated(file, map, range);
        self.oracle.mapping_validated(file, map, range);
    }

    fn mapping_done(&self, file: View<'_>, op: OpId, range: ByteRange, used: Used) {
        self.onlooker.mapping_done(file, op, range, used);
        self.oracle.mapping_done(file, op, range, used);
    }

    fn cleanup_done(&self, file: View<'_>, op: OpId, range: ByteRange) {
        self.onlooker.cleanup_done(file, op, range);
        self.oracle.cleanup_done(file, op, range);
    }

    fn folio_cleaned(&self, file: View<'_>, folio: &Folio) {
        self.onlooker.folio_cleaned(file, folio);
        self.oracle.folio_cleaned(file, folio);
    }

    fn submits(&self, file: View<'_>, submission: Submission) {
        self.onlooker.submits(file, submission);
        self.oracle.submits(file, submission);
    }

    fn completed(&self, file: View<'_>, completion: Completion) {
        self.onlooker.completed(file, completion);
        self.oracle.completed(file, completion);
    }

    fn writeback_failed(&self, file: View<'_>, range: ByteRange) {
        self.onlooker.writeback_failed(file, range);
        self.oracle.writeback_failed(file, range);
    }
}
