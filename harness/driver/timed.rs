//! The oracle with a watch beside it: what it takes is no latency of the filesystem.

use crate::incidents::Incidents;
use oracle::Oracle;
use std::sync::Arc;
use stormfs::folio::Folio;
use stormfs::iomap::Iomap;
use stormfs::op::OpId;
use stormfs::quantity::ByteRange;
use stormfs::view::View;
use stormfs::witness::{Completion, Effect, Intent, Submission, Used, Witness};

/// See the module.
pub struct Timed {
    /// Who judges.
    pub oracle: Arc<Oracle>,
    /// Where its time is noted.
    pub incidents: Arc<Incidents>,
}

impl Witness for Timed {
    fn begins(&self, file: View<'_>, op: OpId, intent: Intent) {
        let _time = self.incidents.oracle();
        self.oracle.begins(file, op, intent);
    }

    fn ends(&self, file: View<'_>, op: OpId, effect: Effect<'_>) {
        let _time = self.incidents.oracle();
        self.oracle.ends(file, op, effect);
    }

    fn folio_unlocks(&self, file: View<'_>, folio: &Folio) {
        let _time = self.incidents.oracle();
        self.oracle.folio_unlocks(file, folio);
    }

    fn mapping_sampled(&self, file: View<'_>, map: &Iomap) {
        let _time = self.incidents.oracle();
        self.oracle.mapping_sampled(file, map);
    }

    fn mapping_validated(&self, file: View<'_>, map: &Iomap, range: ByteRange) {
        let _time = self.incidents.oracle();
        self.oracle.mapping_validated(file, map, range);
    }

    fn mapping_done(&self, file: View<'_>, op: OpId, range: ByteRange, used: Used) {
        let _time = self.incidents.oracle();
        self.oracle.mapping_done(file, op, range, used);
    }

    fn cleanup_done(&self, file: View<'_>, op: OpId, range: ByteRange) {
        let _time = self.incidents.oracle();
        self.oracle.cleanup_done(file, op, range);
    }

    fn folio_cleaned(&self, file: View<'_>, folio: &Folio) {
        let _time = self.incidents.oracle();
        self.oracle.folio_cleaned(file, folio);
    }

    fn submits(&self, file: View<'_>, submission: Submission) {
        let _time = self.incidents.oracle();
        self.oracle.submits(file, submission);
    }

    fn completed(&self, file: View<'_>, completion: Completion) {
        let _time = self.incidents.oracle();
        self.oracle.completed(file, completion);
    }

    fn writeback_failed(&self, file: View<'_>, range: ByteRange) {
        let _time = self.incidents.oracle();
        self.oracle.writeback_failed(file, range);
    }
}
