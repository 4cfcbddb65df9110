//! What a failing run keeps of each failure: the case as it was found, and the smallest like it,
//! both as files that `replay` takes.

use super::attended::attended;
use super::beside;
use super::shrink::real;
use crate::campaign::{Campaign, Found};
use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::reproducer::{self, Kept};
use crate::scenario::plan::Expectation;
use crate::scenario::{self, Plan};
use crate::shrink::{self, Limits, Shrunk};
use crate::signature::signature;
use rayon::ThreadPool;
use report::number::wide;
use report::record::{Again, Seed};
use report::{naming, writing};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Keeps failures in the directory of a run.
pub struct Keeper<'a> {
    /// Where the run's files go.
    pub dir: &'a Path,
    /// The scenario's path, as it was written.
    pub from: &'a str,
    /// How long each failure is made smaller at most.
    pub time: Duration,
    /// Where it is told.
    pub console: Console,
    /// Ends shrinking early; what there is until then is kept.
    pub interrupts: &'a Interrupts,
    /// Who runs the cases.
    pub pool: &'a ThreadPool,
}

impl Keeper<'_> {
    /// Keeps every failure of a campaign that has a case. The answer is how well that went.
    pub fn keep(&self, campaign: &mut Campaign) -> Exit {
        self.set_aside();
        let keep = |found: &mut Found| match self.keep_one(found) {
            Ok(exit) => exit,
            Err(error) => {
                self.console.warn(&format!(
                    "a reproducer was not written below {}: {error}; name another place with --reports",
                    self.dir.display()
                ));
                Exit::Environment
            }
        };
        campaign.found.iter_mut().chain(&mut campaign.others).map(keep).max().unwrap_or(Exit::Ok)
    }

    /// Failures of an earlier run into the same directory are none of this one: they are put aside,
    /// in the place of those put aside before.
    fn set_aside(&self) {
        let (failures, before) = (self.dir.join("failures"), self.dir.join("failures.before"));
        if failures.exists() {
            drop(fs::remove_dir_all(&before));
            drop(fs::rename(&failures, &before));
        }
    }

    fn keep_one(&self, found: &mut Found) -> io::Result<Exit> {
        let Some(case) = &mut found.case else { return Ok(Exit::Ok) };
        if let Some(recorded) = &mut case.recorded {
            self.from.clone_into(&mut recorded.from);
        }
        let failures = self.dir.join("failures");
        fs::create_dir_all(&failures)?;
        // Before anything else runs: whatever happens next, the failure is not lost.
        let whole = failures.join(format!("seed-{}.yaml", Seed(found.seed.0)));
        writing::write_whole(&whole, scenario::write(case).as_bytes())?;
        let kept = |signature: String, path: &Path| {
            Some(Kept { signature, path: path.to_string_lossy().into_owned() })
        };
        if case.is_real_case() {
            return self.keep_real(found, &failures, &whole);
        }
        if !case.is_explicit() {
            // What threads did last has no schedule: it is for `replay` to find one.
            let name = format!("seed-{}", Seed(found.seed.0));
            found.kept = kept(found.violation.invariant.to_owned(), &whole);
            beside::of_threads(&failures, &name, case, &found.violation)?;
            return Ok(Exit::Ok);
        }
        // Whatever cannot be written from here on, this much is there.
        found.kept = kept(signature(found.violation.invariant, case), &whole);
        let (shrunk, exit) = self.shrink(case);
        if let Some(shrunk) = shrunk {
            self.console.say(&told(&shrunk, self.interrupts.caught().is_some()));
            keep_others(&failures, &shrunk)?;
            **case = shrunk.case;
        }
        let mut name = format!("seed-{}", Seed(found.seed.0));
        if !self.time.is_zero() {
            name = signature(found.violation.invariant, case);
            let path = failures.join(format!("{name}.yaml"));
            writing::write_whole(&path, scenario::write(case).as_bytes())?;
            found.kept = kept(name.clone(), &path);
        }
        let told = (self.console, self.interrupts.flag());
        beside::write(&failures, &name, (case, found.violation.invariant), told)?;
        Ok(exit)
    }

    /// What threads did on a real filesystem is run again until it is small.
    fn keep_real(&self, found: &mut Found, failures: &Path, whole: &Path) -> io::Result<Exit> {
        let Some(case) = &mut found.case else { return Ok(Exit::Ok) };
        let kept = |signature: String, path: &Path| {
            Some(Kept { signature, path: path.to_string_lossy().into_owned() })
        };
        found.kept = kept(found.violation.invariant.to_owned(), whole);
        if self.time.is_zero() || self.interrupts.caught().is_some() {
            return Ok(Exit::Ok);
        }
        let (time, interrupted) = (self.time, self.interrupts.flag());
        let limits = Limits { time, runs: None, interrupted, parallel: false };
        let look = || {
            self.interrupts.look();
        };
        let shrunk = attended(self.pool, look, || real::shrunk(case, limits, &mut |_, _| {}));
        match shrunk {
            Ok(shrunk) => {
                let shrink::real::Rate { failed, runs } = shrunk.rate;
                let (before, after, all) = (shrunk.before, shrunk.after, shrunk.executions);
                self.console.say(&format!(
                    "made smaller: {before} -> {after}; {all} runs; {}; fails in {failed} of {runs} runs",
                    shrunk.end()
                ));
                found.again = Some(Again {
                    failed,
                    runs,
                    calls_found: wide(before.calls),
                    calls: wide(after.calls),
                });
                **case = shrunk.case;
                let name = signature(found.violation.invariant, case);
                let path = failures.join(format!("{name}.yaml"));
                writing::write_whole(&path, scenario::write(case).as_bytes())?;
                found.kept = kept(name, &path);
            }
            Err(refused) => {
                self.console.warn(&format!("the failure is kept as it was found: {refused}"));
            }
        }
        Ok(Exit::Ok)
    }

    /// Makes the case as small as it gets in time; nothing if it stays as it is.
    fn shrink(&self, case: &Plan) -> (Option<Shrunk>, Exit) {
        let (time, interrupted) = (self.time, self.interrupts.flag());
        if time.is_zero() || self.interrupts.caught().is_some() {
            return (None, Exit::Ok);
        }
        let look = || {
            self.interrupts.look();
        };
        let shrunk = attended(self.pool, look, || {
            let failed = reproducer::run(case, &Arc::default())?;
            let Some(failure) = Failure::of(&failed) else {
                return Err(shrink::Refused::FailsOtherwise(None));
            };
            let limits = Limits { time, runs: None, interrupted, parallel: true };
            shrink::shrink(case, &failure, limits, &mut |_, _| {})
        });
        match shrunk {
            Ok(shrunk) => (Some(shrunk), Exit::Ok),
            Err(shrink::Refused::NotDeterministic) => {
                self.console.warn(&shrink::Refused::NotDeterministic.to_string());
                (None, Exit::Harness)
            }
            Err(refused) => {
                self.console.warn(&format!("the failure is kept as it was found: {refused}"));
                (None, Exit::Ok)
            }
        }
    }
}

/// Keeps other failures that were met on the way, each as it was found.
fn keep_others(failures: &Path, shrunk: &Shrunk) -> io::Result<()> {
    for (failure, case) in &shrunk.others {
        let by = failure.invariant.to_owned();
        let case = Plan { expect: Expectation::Caught { by, bug: None }, ..case.clone() };
        let path = failures.join(format!("met-{}.yaml", naming::name(&failure.to_string())));
        writing::write_whole(&path, scenario::write(&case).as_bytes())?;
    }
    Ok(())
}

/// What shrinking came to.
fn told(shrunk: &Shrunk, interrupted: bool) -> String {
    let Shrunk { before, after, executions, minimal, .. } = shrunk;
    let end = match (minimal, interrupted) {
        (true, _) => "nothing more can be taken out",
        (false, true) => "a signal ended it; `pagestorm shrink` goes on",
        (false, false) => "time ran out; `pagestorm shrink` goes on",
    };
    format!("made smaller: {before} -> {after}; {executions} runs; {end}")
}
