//! The verdicts of a run: the first breach that counts is kept, and ends it.

use crate::invariant::{Breach, Checks, Invariant, Scope, Verdict};
use crate::violation::Violation;
use sim::{Mutex, Rank};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
pub(crate) struct Docket {
    /// How often each invariant was checked.
    pub(crate) checks: Checks,
    /// The widest scope of a breach that ends the run.
    strictness: Scope,
    violated: AtomicBool,
    told: Mutex<Told>,
}

/// What was found.
#[derive(Default)]
struct Told {
    violation: Option<Violation>,
    passed_over: BTreeMap<&'static str, u64>,
}

static VERDICT: Rank = Rank::leaf(12, "verdict lock");

impl Docket {
    /// No verdict yet; every breach counts.
    pub(crate) fn new() -> Docket {
        Docket {
            checks: Checks::default(),
            strictness: Scope::State,
            violated: AtomicBool::new(false),
            told: sim::sync::mutex(&VERDICT, 0, Told::default()),
        }
    }

    /// The docket on which breaches that no user can notice are only counted.
    pub(crate) fn for_users(self) -> Docket {
        Docket { strictness: Scope::User, ..self }
    }

    /// The first violation.
    pub(crate) fn violation(&self) -> Option<Violation> {
        self.told.lock().violation.clone()
    }

    /// The breaches that did not end the run, by invariant.
    pub(crate) fn passed_over(&self) -> BTreeMap<&'static str, u64> {
        self.told.lock().passed_over.clone()
    }

    /// Takes a verdict; a breach that counts ends the run, with what `tell` knows about it.
    pub(crate) fn take(&self, verdict: Verdict, tell: impl FnOnce(Breach) -> Violation) {
        if let Err(breach) = verdict
            && !self.passes_over(&breach)
        {
            let violation = tell(breach);
            let name = violation.invariant;
            if !self.violated.swap(true, Ordering::SeqCst) {
                self.told.lock().violation = Some(violation);
            }
            sim::stop(name);
        }
    }

    /// Whether the run goes on after that breach. If it does, it is counted.
    fn passes_over(&self, breach: &Breach) -> bool {
        let known = Invariant::named(breach.invariant).expect("a breach is of an invariant");
        let passes = self.strictness == Scope::User && known.scope == Scope::State;
        if passes {
            *self.told.lock().passed_over.entry(known.name).or_default() += 1;
        }
        passes
    }
}
