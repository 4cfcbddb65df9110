//! A failure that was met for the first time: whether it comes back, its case, and the smallest like it.

use super::alarm::Alarm;
use super::entries::Entry;
use crate::explain;
use crate::failure::{Failure, Kind};
use crate::ground::NoGround;
use crate::onlooker::Look;
use crate::replay::Replay;
use crate::reproducer;
use crate::scenario;
use crate::scenario::plan::{Expectation, Plan, WorldKind};
use crate::shrink::{self, Limits, Refused};
use crate::signature::signature;
use crate::storm::{self, Orders, Storm};
use crate::vocabulary;
use oracle::Violation;
use report::naming;
use report::record::{NightFailure, Rate, Seen, Soaked};
use sim::chance::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a case is run again.
const REPLAYS: u64 = 3;

/// The first seed of a kind of failure, which is still to be looked at.
pub struct First<'a> {
    /// What was run.
    pub entry: &'a Entry,
    /// Under which campaign.
    pub campaign: &'a Soaked,
    /// The number of the iteration.
    pub iteration: u64,
    /// Its seed.
    pub seed: Seed,
    /// How it failed.
    pub failure: Failure,
    /// What was seen.
    pub seen: Option<Box<Seen>>,
}

/// What is kept of a storm that failed. Its device and its filesystem are not.
pub struct Failed {
    /// How.
    pub failure: Failure,
    /// What was violated.
    pub violation: Violation,
    trace_hash: u64,
    /// What threads did last.
    left: Option<Plan>,
}

impl Failed {
    /// How a storm of `entry` failed, if it did.
    pub fn of(entry: &Entry, seed: Seed, storm: &Storm) -> Option<Failed> {
        let (failure, violation) = (Failure::of(storm)?, storm.violation.clone()?);
        let Entry { plan, file, .. } = entry;
        let of_threads = plan.world == WorldKind::Threads;
        let left =
            if of_threads { reproducer::of_threads((plan, file), seed, storm) } else { None };
        Some(Failed { failure, violation, trace_hash: storm.end.trace_hash, left })
    }
}

/// What is known of it.
pub struct Known {
    /// The case; none if there is none that fails alike.
    pub case: Option<Plan>,
    /// Whether the seed did the same when it was run again.
    pub deterministic: bool,
}

impl<'a> First<'a> {
    /// What an earlier start has found and not looked at: it was killed, or there was no time. None if
    /// its case does not fail so any more.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn again(
        entry: &'a Entry,
        campaign: &'a Soaked,
        entered: &NightFailure,
    ) -> Result<Option<(First<'a>, Plan)>, NoGround> {
        let Some(text) = &entered.case else { return Ok(None) };
        let read = scenario::parse("case", text, &vocabulary::known(), &[]);
        let Some(case) = read.ok().filter(Plan::is_explicit) else { return Ok(None) };
        let failed = reproducer::run(&case, &Arc::default())?;
        let failure = Failure::of(&failed).filter(|found| found.to_string() == entered.failure);
        let NightFailure { iteration, seed, .. } = *entered;
        let seed = Seed(seed.0);
        let first = |failure| First {
            entry,
            campaign,
            iteration,
            seed,
            failure,
            seen: entered.seen.clone(),
        };
        Ok(failure.map(|failure| (first(failure), case)))
    }

    /// What an earlier start has found and could not look at, run again. None if there is nothing more to
    /// know: it has been looked at, or threads did it.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn looked_at_later(
        entry: &'a Entry,
        campaign: &'a Soaked,
        entered: &mut NightFailure,
    ) -> Result<Option<Known>, NoGround> {
        let of_threads = entry.plan.world == WorldKind::Threads;
        if of_threads || entered.case.is_some() || entered.rate.runs != 0 {
            return Ok(None);
        }
        let seed = Seed(entered.seed.0);
        let never = Arc::default();
        let (plan, look) = (&entry.plan, Look::default());
        let orders = Orders { plan, seed, record: false, judged: true, look, interrupted: &never };
        let failed = Failed::of(entry, seed, &storm::run(orders)?);
        let alike = failed.filter(|failed| failed.failure.to_string() == entered.failure);
        let Some(failed) = alike else {
            return Ok(Some(Known { case: None, deterministic: false }));
        };
        let (iteration, failure) = (entered.iteration, failed.failure.clone());
        let first = First { entry, campaign, iteration, seed, failure, seen: entered.seen.clone() };
        let known = first.look(failed)?;
        entered.case = known.case.as_ref().map(|case| first.text(case));
        Ok(Some(known))
    }

    /// Runs the seed again and makes its case. Of threads the case is what the storm did last.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn look(&self, failed: Failed) -> Result<Known, NoGround> {
        let Entry { plan, file, .. } = self.entry;
        if plan.world == WorldKind::Threads {
            return Ok(Known { case: failed.left, deterministic: true });
        }
        let again = storm::run(self.orders(true, &Arc::default()))?;
        let same = again.violation == Some(failed.violation);
        let deterministic = same && again.end.trace_hash == failed.trace_hash;
        let case = reproducer::of((plan, file), self.seed, &again, &Arc::default())?;
        Ok(Known { case: case.map(|reproducer| reproducer.case), deterministic })
    }

    /// The entry of a failure that nobody has made smaller.
    pub fn entered(&self, sentence: String, excused: bool, known: &Known) -> NightFailure {
        NightFailure {
            failure: self.failure.to_string(),
            invariant: self.failure.invariant.to_owned(),
            sentence,
            count: 1,
            excused,
            iteration: self.iteration,
            seed: report::record::Seed(self.seed.0),
            signature: plain_signature(&self.failure),
            minimal: false,
            rate: Rate::default(),
            case: known.case.as_ref().map(|case| self.text(case)),
            story: None,
            seen: self.seen.clone(),
        }
    }

    /// Makes the case as small as it gets in time, sees how often it fails, and why, unless there is
    /// no alarm to end that. False if it did not do the same when it was run again. Interrupted, it
    /// leaves the entry as it was: whoever goes on with the night begins from there, and comes to what
    /// nobody interrupted comes to.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn make_smaller(
        &self,
        case: &Plan,
        entered: &mut NightFailure,
        limits: Limits<'_>,
        alarm: Option<&Alarm>,
    ) -> Result<bool, NoGround> {
        if case.is_real_case() {
            return self.make_real_smaller(case, entered, limits);
        }
        if !case.is_explicit() {
            entered.rate = self.tried_again(limits.interrupted)?;
            return Ok(true);
        }
        let (mut small, before) = (case.clone(), entered.clone());
        match shrink::shrink(case, &self.failure, limits, &mut |_, _| {}) {
            // It stays as it was found, for the next start to look at: as if there had been no signal.
            Ok(shrunk) if !shrunk.minimal && limits.interrupted.load(Ordering::Relaxed) => {
                return Ok(true);
            }
            Ok(shrunk) => {
                // How far a case comes in time depends on the machine, and its name must not.
                if shrunk.minimal {
                    entered.signature = signature(self.failure.invariant, &shrunk.case);
                }
                entered.minimal = shrunk.minimal;
                entered.story = None;
                small = shrunk.case;
                entered.case = Some(self.text(&small));
            }
            Err(Refused::NotDeterministic) => return Ok(false),
            Err(Refused::NoGround(error)) => return Err(error),
            // It fails, and in another way than the storm did: it stays as it was found.
            Err(Refused::FailsOtherwise(_) | Refused::OutOfTime(_) | Refused::Interrupted(_)) => {}
        }
        let replay = Replay::of(&small, REPLAYS, &Arc::default())?;
        let found = replay.first.violation.as_ref().map(|violation| violation.invariant);
        let fails = found == Some(self.failure.invariant);
        if let Some(alarm) = alarm.filter(|_| fails) {
            let explained = alarm.within(limits.time, |over| explain::explain(&small, over));
            if explained.is_none() && limits.interrupted.load(Ordering::Relaxed) {
                *entered = before;
                return Ok(true);
            }
            let story = explained.and_then(Result::ok).map(|told| told.recorded());
            entered.story = story.map(Box::new);
        }
        entered.rate = Rate { failed: if fails { replay.equal } else { 0 }, runs: replay.runs };
        Ok(replay.equal == replay.runs)
    }

    /// What threads did on a real filesystem: whether it fails again is a matter of how often one tries.
    fn make_real_smaller(
        &self,
        case: &Plan,
        entered: &mut NightFailure,
        limits: Limits<'_>,
    ) -> Result<bool, NoGround> {
        let shrunk = shrink::real::shrink(case, &self.failure, limits, &mut |_, _| {});
        let minimal = shrunk.as_ref().is_ok_and(|shrunk| shrunk.minimal);
        if !minimal && limits.interrupted.load(Ordering::Relaxed) {
            return Ok(true);
        }
        match shrunk {
            Ok(shrunk) => {
                if shrunk.minimal {
                    entered.signature = signature(self.failure.invariant, &shrunk.case);
                }
                entered.minimal = shrunk.minimal;
                let shrink::real::Rate { failed, runs } = shrunk.rate;
                entered.rate = Rate { failed, runs };
                entered.case = Some(self.text(&shrunk.case));
            }
            Err(Refused::NoGround(error)) => return Err(error),
            Err(Refused::OutOfTime(runs) | Refused::Interrupted(runs)) => {
                entered.rate = Rate { failed: 0, runs }
            }
            Err(Refused::FailsOtherwise(_) | Refused::NotDeterministic) => {
                let rate = self.tried_again(limits.interrupted)?;
                if rate.runs != 0 {
                    entered.rate = rate;
                }
            }
        }
        Ok(true)
    }

    /// Threads under the same seed, some times.
    fn tried_again(&self, interrupted: &Arc<AtomicBool>) -> Result<Rate, NoGround> {
        let mut rate = Rate::default();
        for _ in 0..REPLAYS {
            let storm = storm::run(self.orders(false, interrupted))?;
            // A run that was cut short says nothing.
            if interrupted.load(Ordering::Relaxed) {
                return Ok(Rate::default());
            }
            rate.failed += u64::from(Failure::of(&storm).as_ref() == Some(&self.failure));
            rate.runs += 1;
        }
        Ok(rate)
    }

    fn orders<'b>(&'b self, record: bool, interrupted: &'b Arc<AtomicBool>) -> Orders<'b> {
        let (plan, seed) = (&self.entry.plan, self.seed);
        Orders { plan, seed, record, judged: true, look: Look::default(), interrupted }
    }

    /// The case as a file that can be kept among the scenarios: it says what must hold, so it fails for
    /// as long as it does not. What threads left is no such case: it says what was seen.
    fn text(&self, case: &Plan) -> String {
        if !case.is_explicit() {
            let facts = self.seen.iter().flat_map(|seen| seen.facts());
            let told: Vec<_> = facts.map(|(name, value)| format!("{name}: {value}")).collect();
            let about = if told.is_empty() {
                case.about.clone()
            } else {
                format!("{} {}.", self.origin(), told.join("; "))
            };
            return scenario::write(&Plan { about, ..case.clone() });
        }
        let about = self.about();
        scenario::write(&Plan { expect: Expectation::Clean, about, ..case.clone() })
    }

    fn about(&self) -> String {
        format!(
            "A regression: {} was violated here. {} It must be clean, and fails until the cause is gone.",
            self.failure,
            self.origin()
        )
    }

    /// Who found it.
    fn origin(&self) -> String {
        let Soaked { seed: campaign, date, commit } = self.campaign;
        let date = date.as_ref().map(|date| format!(" of {date}")).unwrap_or_default();
        let commit =
            commit.as_ref().map(|commit| format!(" at commit {commit}")).unwrap_or_default();
        format!(
            "A soak{date}{commit} with the seed {campaign} found it in {}, iteration {}.",
            self.entry.plan.name, self.iteration
        )
    }
}

/// What stands for a signature as long as the case is not as small as it can be. Of a panic it names the
/// file and not the line, which is another one after any edit above.
pub fn plain_signature(failure: &Failure) -> String {
    let words = if let Kind::Panic(place) = &failure.kind {
        let file = place.rsplit_once(':').map_or(place.as_str(), |(file, _)| file);
        Failure { kind: Kind::Panic(file.to_owned()), ..failure.clone() }.to_string()
    } else {
        failure.to_string()
    };
    naming::name(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_leaves_what_is_entered_of_a_real_filesystem_as_it_was() {
        let text = "world: threads\ntarget: {directory: /}\nactors: [{name: w, does: [fsync]}]\n";
        let plan = scenario::parse("a", text, &vocabulary::known(), &[]).unwrap();
        let (file, enough) = ("a.yaml".to_owned(), 1);
        let case = plan.clone();
        assert!(case.is_real_case(), "{case:?}");
        let entry = Entry { file, text_hash: 0, plan, target: None, once: true, enough };
        let seed = report::record::Seed(1);
        let campaign = Soaked { seed, date: None, commit: None };
        let failure = Failure { invariant: "data_matches_model", kind: Kind::Plain };
        let (entry, campaign) = (&entry, &campaign);
        let (file, range) = (Some("a".to_owned()), None);
        let [expected, found, operation] = ["0", "1", "w, operation 7"].map(str::to_owned);
        let met = Seen { target: None, file, range, expected, found, operation };
        let met = Some(Box::new(met));
        let first = First { entry, campaign, iteration: 0, seed: Seed(1), failure, seen: met };
        let known = Known { case: Some(case.clone()), deterministic: true };
        let mut entered = first.entered("it".to_owned(), false, &known);
        let told = "iteration 0. where: file a; expected: 0; found: 1; after: w, operation 7.";
        let text = entered.case.as_ref().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(told), "{text}");
        entered.rate = Rate { failed: 3, runs: 5 };
        let (before, interrupted) = (entered.clone(), &Arc::new(AtomicBool::new(true)));
        let time = std::time::Duration::from_mins(1);
        let limits = Limits { time, runs: None, interrupted, parallel: false };
        assert!(first.make_smaller(&case, &mut entered, limits, None).unwrap());
        assert_eq!(entered, before);
    }

    #[test]
    fn a_provisional_signature_holds_no_line_of_the_source() {
        let invariant = "progress_keeps_the_lock_order";
        let at = |place: &str| Failure { invariant, kind: Kind::Panic(place.to_owned()) };
        let names = ["harness/sim/rank.rs:88", "harness/sim/rank.rs:91"].map(at);
        assert_ne!(names[0], names[1]);
        for failure in &names {
            let name = plain_signature(failure);
            assert_eq!(name, "progress_keeps_the_lock_order-at-harness-sim-rank-rs");
        }
    }
}
