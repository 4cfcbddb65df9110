//! What one shard has done of one scenario, and its next turn.

use super::entries::Entry;
use super::finding::{Failed, First, Known, plain_signature};
use super::seeds;
use super::sums::{add_counts, add_latency, hash_text};
use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::ground::{Ground, NoGround};
use crate::onlooker::Look;
use crate::progress::Progress;
use crate::record;
use crate::scenario::plan::{Plan, WorldKind};
use crate::storm::{self, Orders, Storm};
use crate::tally::Tally;
use crate::verdict;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use report::record::{Clock, NightFailure, Part, Rate, Shard, Soaked, World};
use sim::chance::Seed;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Iterations in a batch at most: what waits for its turn to be counted is in memory.
const BATCH: u64 = 64;

/// One scenario in one world, as far as this shard came with it.
pub struct Work<'a> {
    /// What is run.
    pub entry: &'a Entry,
    /// How many iterations are done, from the first one on.
    pub done: u64,
    /// How many there are to do.
    pub all: u64,
    /// The time that went into it since the start.
    pub used: Duration,
    /// Why it cannot go on.
    pub refused: Option<NoGround>,
    /// What failed, by kind.
    pub failures: Vec<NightFailure>,
    /// Whether every seed that failed did the same when it was run again.
    pub deterministic: bool,
    shard: Shard,
    campaign: &'a Soaked,
    marks: Vec<String>,
    trace_hash: u64,
    /// What was counted until the last turn ended, and by earlier starts. Histograms are text in it,
    /// which is a hundredth of what they are in memory: a night has thousands of them.
    part: Part,
    batch: u64,
}

/// What a turn needs beside its work.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Counts what is done.
    pub progress: &'a Progress,
    /// Asks to end.
    pub interrupted: &'a Arc<AtomicBool>,
    /// How long a turn is.
    pub turn: Duration,
}

/// What is kept of one iteration that ended, beside what it counted.
struct Ran {
    iteration: u64,
    seed: Seed,
    trace_hash: u64,
    failed: Option<Failed>,
}

/// What is kept of some iterations that ended, in their order.
type Batch = (Vec<Ran>, Tally);

/// A failure of a kind that this work has not met before.
pub struct News<'a> {
    /// Where it stands in `failures`.
    pub at: usize,
    /// What is known of it.
    pub first: First<'a>,
    /// The case, as it was found.
    pub case: Option<Plan>,
}

impl<'a> Work<'a> {
    /// Nothing is done but what `before` says.
    pub fn new(
        entry: &'a Entry,
        (campaign, shard): (&'a Soaked, Shard),
        all: u64,
        before: Option<Part>,
    ) -> Work<'a> {
        let mut part = before.unwrap_or_else(|| nothing(entry, campaign, shard));
        part.enough = entry.enough;
        let hash = part.trace_hash.as_deref();
        Work {
            entry,
            done: part.done,
            all,
            used: Duration::ZERO,
            refused: None,
            failures: part.failures.clone(),
            deterministic: part.deterministic,
            shard,
            campaign,
            marks: part.marks.clone(),
            trace_hash: hash.and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(0),
            part,
            batch: 1,
        }
    }

    /// Whether it was seen to fail as it should.
    pub fn is_caught(&self) -> bool {
        let is_it = |failure: &NightFailure| Some(&*failure.invariant) == self.entry.expects();
        self.failures.iter().any(is_it)
    }

    fn simulated(&self) -> bool {
        self.entry.plan.world == WorldKind::Simulated
    }

    /// Runs iterations until the turn is over. What failed as nothing did before is in the answer.
    ///
    /// # Errors
    ///
    /// A device could not be opened. What ended before that is counted.
    pub fn turn(&mut self, means: Means<'_>) -> Result<Vec<News<'a>>, NoGround> {
        let watch = Stopwatch::start();
        let (mut news, mut tally) = (Vec::new(), nothing_counted(self.entry));
        let result = loop {
            let size = if self.simulated() { self.batch.min(self.all - self.done) } else { 1 };
            let begun = watch.elapsed();
            let (ran, counted) = match batch(self, self.done..self.done + size, means) {
                Ok(ran) => ran,
                Err(error) => break Err(error),
            };
            tally.add(&counted);
            for ran in ran {
                news.extend(self.count(ran));
            }
            let is_raised = means.interrupted.load(Ordering::Relaxed);
            if means.turn <= watch.elapsed()
                || self.done == self.all
                || is_raised
                || !news.is_empty()
                || self.refused.is_some()
            {
                break Ok(());
            }
            if watch.elapsed().saturating_sub(begun) < means.turn / 8 {
                self.batch = (self.batch * 2).min(BATCH);
            }
        };
        self.add(&tally);
        self.used += watch.elapsed();
        result.map(|()| news)
    }

    /// Counts one iteration, the next one in their order.
    fn count(&mut self, ran: Ran) -> Option<News<'a>> {
        let Ran { iteration, seed, trace_hash, failed } = ran;
        self.trace_hash = self.trace_hash.wrapping_add(trace_hash);
        self.done += 1;
        if self.simulated() && self.done.is_power_of_two() {
            self.marks.push(hash_text(self.trace_hash));
        }
        self.note(iteration, seed, failed?)
    }

    fn note(&mut self, iteration: u64, seed: Seed, failed: Failed) -> Option<News<'a>> {
        let failure = failed.failure.clone();
        let name = failure.to_string();
        if let Some(known) = self.failures.iter_mut().find(|known| known.failure == name) {
            known.count += 1;
            return None;
        }
        let sentence = failed.violation.about().split_whitespace().collect::<Vec<_>>().join(" ");
        let (entry, campaign) = (self.entry, self.campaign);
        let found = Some(Box::new(record::seen(&entry.plan.under(seed), &failed.violation)));
        if entry.expects().is_some() {
            self.failures
                .push(NightFailure { seen: found, ..excused(iteration, seed, &failure, sentence) });
            return None;
        }
        let first = First { entry, campaign, iteration, seed, failure, seen: found };
        let known = first.look(failed).unwrap_or_else(|error| {
            // It failed, whatever the machine can do now.
            self.refused = Some(error);
            Known { case: None, deterministic: true }
        });
        self.deterministic &= known.deterministic;
        self.failures.push(first.entered(sentence, false, &known));
        Some(News { at: self.failures.len() - 1, first, case: known.case })
    }

    /// Adds what the iterations of a turn have counted.
    fn add(&mut self, tally: &Tally) {
        let part = &mut self.part;
        add_counts(&mut part.counts, &record::counts(&self.entry.plan, tally));
        add_latency(&mut part.latency, &tally.journal.latency.to_record())
            .expect("what an earlier start left was read when this one began");
        if self.simulated() {
            self.part.trace_hash = Some(hash_text(self.trace_hash));
        }
    }

    /// Failures that an earlier start has left as they were found, also those that it could not look at,
    /// or also those whose case may become smaller yet.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn left(&mut self, smaller: bool) -> Result<Vec<News<'a>>, NoGround> {
        let mut news = Vec::new();
        let is_left = |one: &NightFailure| one.rate.runs == 0 || (smaller && !one.minimal);
        let failures = self.failures.iter_mut().enumerate();
        for (at, entered) in failures.filter(|(_, one)| !one.excused && is_left(one)) {
            if let Some(known) = First::looked_at_later(self.entry, self.campaign, entered)? {
                self.deterministic &= known.deterministic;
            }
            let again = First::again(self.entry, self.campaign, entered)?;
            news.extend(again.map(|(first, case)| News { at, first, case: Some(case) }));
        }
        Ok(news)
    }

    /// What is done, as a part of the night.
    pub fn part(&self) -> Part {
        Part {
            done: self.done,
            marks: self.marks.clone(),
            failures: self.failures.clone(),
            deterministic: self.deterministic,
            ..self.part.clone()
        }
    }
}

/// The part of a scenario of which nothing is done.
fn nothing(entry: &Entry, campaign: &Soaked, shard: Shard) -> Part {
    let Entry { plan, file, text_hash, .. } = entry;
    let tally = nothing_counted(entry);
    let simulated = plan.world == WorldKind::Simulated;
    Part {
        campaign: campaign.clone(),
        name: plan.name.clone(),
        file: file.clone(),
        text_hash: hash_text(*text_hash),
        world: if simulated { World::Simulated } else { World::Threads },
        target: entry.target.clone(),
        own_target: if entry.target.is_none() { plan.target.named() } else { None },
        expected: verdict::expected(plan),
        expects: entry.expects().map(str::to_owned),
        enough: entry.enough,
        shard,
        done: 0,
        counts: record::counts(plan, &tally),
        latency: tally.journal.latency.to_record(),
        trace_hash: simulated.then(|| hash_text(0)),
        marks: Vec::new(),
        failures: Vec::new(),
        deterministic: true,
    }
}

fn nothing_counted(entry: &Entry) -> Tally {
    Tally::new(match entry.plan.world {
        WorldKind::Simulated => Clock::Steps,
        WorldKind::Threads => Clock::Wall,
    })
}

/// Runs some iterations, by their numbers within the shard, and gives them in their order.
///
/// A signal lets those end that have begun: what is counted is whole. Threads end early by
/// themselves.
///
/// What they count is added up as they end: the histograms of each would take some megabytes until
/// all of them are through.
fn batch(work: &Work<'_>, nths: Range<u64>, means: Means<'_>) -> Result<Batch, NoGround> {
    let one = |nth| {
        let iteration = work.shard.iteration(nth);
        let seed = seeds::of_iteration(work.campaign.seed, work.entry.text_hash, iteration);
        let plan = &work.entry.plan;
        let never = Arc::default();
        let interrupted = if work.simulated() { &never } else { means.interrupted };
        let (record, judged, look) = (false, true, Look::default());
        let orders = Orders { plan, seed, record, judged, look, interrupted };
        let storm = storm::run_on(orders, Ground::of(orders)?, &means.progress.operations)?;
        let storm = storm.or_failed()?;
        let failed = Failed::of(work.entry, seed, &storm);
        let Progress { seeds, violations, .. } = means.progress;
        seeds.fetch_add(1, Ordering::Relaxed);
        // A bug that is caught is what its scenario is there for.
        let is_violation = failed.is_some() && work.entry.expects().is_none();
        violations.fetch_add(u64::from(is_violation), Ordering::Relaxed);
        let Storm { tally, end, .. } = storm;
        Ok((Ran { iteration, seed, trace_hash: end.trace_hash, failed }, tally))
    };
    if nths.end - nths.start == 1 {
        let (ran, tally) = one(nths.start)?;
        return Ok((vec![ran], tally));
    }
    let none = || (Vec::new(), nothing_counted(work.entry));
    let some = nths.into_par_iter().map(one).try_fold(none, |(mut all, mut sum), ended| {
        let (ran, tally) = ended?;
        all.push(ran);
        sum.add(&tally);
        Ok((all, sum))
    });
    some.try_reduce(none, |(mut all, mut sum): Batch, (more, tally)| {
        all.extend(more);
        sum.add(&tally);
        Ok((all, sum))
    })
}

/// A failure that the scenario expects, or that comes of the same bug.
fn excused(iteration: u64, seed: Seed, failure: &Failure, sentence: String) -> NightFailure {
    NightFailure {
        failure: failure.to_string(),
        invariant: failure.invariant.to_owned(),
        sentence,
        count: 1,
        excused: true,
        iteration,
        seed: report::record::Seed(seed.0),
        signature: plain_signature(failure),
        minimal: false,
        rate: Rate::default(),
        case: None,
        story: None,
        seen: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::Expectation;
    use crate::soak::entries::{self, Wanted};
    use std::path::Path;

    #[test]
    fn a_scenario_that_names_its_target_is_told_by_that() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        let text =
            "world: threads\ntarget: {directory: /there}\nactors: [{name: a, ops: {write: 1}}]\n";
        std::fs::write(&path, text).unwrap();
        for (target, setting) in [(None, "/there"), (Some("kernel:xfs"), "kernel:xfs")] {
            let files = std::slice::from_ref(&path);
            let wanted = Wanted { files, except: None, world: None, target, slice: "1s" };
            let entry = entries::read(&wanted).unwrap().entries.pop().unwrap();
            let campaign = Soaked { seed: report::record::Seed(1), date: None, commit: None };
            assert_eq!(nothing(&entry, &campaign, Shard::WHOLE).setting(), setting);
        }
    }

    #[test]
    fn progress_counts_only_violations_that_nobody_expects() {
        let path = "../../scenarios/bugs/stale-iomap-write.yaml";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let world = Some(WorldKind::Simulated);
        let wanted = Wanted { files: &[path], except: None, world, target: None, slice: "1s" };
        let mut entry = entries::read(&wanted).unwrap().entries.pop().unwrap();
        let campaign = Soaked { seed: report::record::Seed(1), date: None, commit: None };
        let violations = |entry: &Entry| {
            let (progress, interrupted) = (Progress::default(), Arc::default());
            let means =
                Means { progress: &progress, interrupted: &interrupted, turn: Duration::MAX };
            let mut work = Work::new(entry, (&campaign, Shard::WHOLE), entry.enough, None);
            work.turn(means).unwrap();
            (work.failures.is_empty(), progress.violations.load(Ordering::Relaxed))
        };
        assert_eq!(violations(&entry), (false, 0));
        entry.plan.expect = Expectation::Clean;
        let (none, counted) = violations(&entry);
        assert!(!none && 0 < counted, "{counted}");
    }
}
