//! Following a schedule: the default rule, except where a switch says otherwise; and where the
//! run no longer fits.

use crate::case;
use crate::scenario::plan::Plan;
use sim::schedule::Key;
use sim::strategy::{Decision, Strategy};
use sim::{Mutex, Rank};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a run and the schedule it was to follow came apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The switch, by its place in the schedule, from 0.
    pub switch: usize,
    /// What was found where it was to happen.
    pub why: Misfit,
}

/// Why a switch did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The task stood somewhere else, at this site. It was followed if the one it names could go on.
    OtherSite(&'static str),
    /// The one to go on could not.
    CannotRun,
    /// Nobody came there.
    NeverReached,
}

static FITS: Rank = Rank::leaf(12, "fits");

/// What became of the switches of a schedule.
#[derive(Debug)]
pub struct Fits {
    /// By switch: `None` until its place is reached.
    fits: Mutex<Vec<Option<Result<(), Misfit>>>>,
}

impl Fits {
    /// The switches that did not fit, in the order of the run; those that nobody came to are last.
    pub fn drifts(&self) -> Vec<Drift> {
        let fits = self.fits.lock();
        let drift = |(switch, fit): (usize, &Option<Result<(), Misfit>>)| match fit {
            Some(Ok(())) => None,
            Some(Err(why)) => Some(Drift { switch, why: why.clone() }),
            None => Some(Drift { switch, why: Misfit::NeverReached }),
        };
        let mut drifts: Vec<_> = fits.iter().enumerate().filter_map(drift).collect();
        drifts.sort_by_key(|drift| drift.why == Misfit::NeverReached);
        drifts
    }
}

/// See the module.
#[derive(Debug)]
pub struct Following {
    switches: BTreeMap<Key, Wanted>,
    fits: Arc<Fits>,
}

#[derive(Debug)]
struct Wanted {
    switch: usize,
    to: usize,
    site: String,
}

impl Following {
    /// Follows the schedule of `plan`. Of two switches at one place the later counts.
    pub fn new(plan: &Plan) -> Following {
        let actors = crate::storm::actors(plan);
        let schedule = plan.schedule.as_deref().unwrap_or_default();
        let wanted = schedule.iter().enumerate().map(|(switch, wanted)| {
            let (to, site) = (case::task(wanted.to, actors), wanted.at.site.clone());
            (case::key(&wanted.at, actors), Wanted { switch, to, site })
        });
        let switches = wanted.collect();
        let fits = sim::sync::mutex(&FITS, 0, vec![None; schedule.len()]);
        Following { switches, fits: Arc::new(Fits { fits }) }
    }

    /// What becomes of its switches.
    pub fn fits(&self) -> Arc<Fits> {
        Arc::clone(&self.fits)
    }
}

impl Strategy for Following {
    fn pick(&mut self, decision: &Decision<'_>, key: Key) -> usize {
        let Some(Wanted { switch, to, site }) = self.switches.get(&key) else {
            return decision.default;
        };
        let can = decision.candidates.contains(*to);
        let fit = match () {
            () if site != decision.site.name => Err(Misfit::OtherSite(decision.site.name)),
            () if !can => Err(Misfit::CannotRun),
            () => Ok(()),
        };
        self.fits.fits.lock()[*switch] = Some(fit);
        if can { *to } else { decision.default }
    }
}
