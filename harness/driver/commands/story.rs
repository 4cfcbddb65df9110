//! What a failing run tells of each failure: why its smallest case fails.

use super::attended::attended;
use crate::campaign::{Campaign, Found};
use crate::clock::Stopwatch;
use crate::explain::{self, Refusal};
use crate::interrupt::Interrupts;
use rayon::ThreadPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// At most so many failures that differ in their signature are told of.
const MOST: usize = 20;

/// Tells of the failures of a run.
pub struct Teller<'a> {
    /// How long each is looked into at most. What does not end in time is not told: half of it would
    /// depend on the machine.
    pub time: Duration,
    /// Ends it early, likewise.
    pub interrupts: &'a Interrupts,
    /// Who runs the cases.
    pub pool: &'a ThreadPool,
}

impl Teller<'_> {
    /// Tells of every failure that has a case, once for each signature.
    pub fn tell(&self, campaign: &mut Campaign) {
        let mut told = BTreeSet::new();
        for found in campaign.found.iter_mut().chain(&mut campaign.others) {
            let signature = found.kept.as_ref().map(|kept| kept.signature.clone());
            let signature = signature.unwrap_or_else(|| found.violation.invariant.to_owned());
            if told.len() < MOST && told.insert(signature) {
                self.tell_one(found);
            }
        }
    }

    fn tell_one(&self, found: &mut Found) {
        let Some(case) = found.case.as_deref().filter(|case| case.is_explicit()) else { return };
        if self.time.is_zero() || self.interrupts.caught().is_some() {
            return;
        }
        let (watch, over) = (Stopwatch::start(), Arc::<AtomicBool>::default());
        let look = || {
            if self.interrupts.look() || self.time < watch.elapsed() {
                over.store(true, Ordering::SeqCst);
            }
        };
        let explained = attended(self.pool, look, || explain::explain(case, &over));
        // Runs that were cut short would be taken for runs in which nothing breaks.
        let ended = self.interrupts.caught().is_some() || over.load(Ordering::SeqCst);
        if let Err(Refusal::TooLong(points)) = explained {
            let told = format!("its story is not told: {}", Refusal::too_long(points));
            found.details.insert(0, told);
            return;
        }
        found.story = explained.ok().filter(|_| !ended).map(|it| Box::new(it.recorded()));
    }
}
