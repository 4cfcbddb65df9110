//! What one shard has done of one scenario, and its next turn.

use super::entries::Entry;
use super::finding::{Failed, First, plain_signature};
use super::seeds;
use super::sums::{add_counts, add_hash, add_latency, hash_text};
use crate::clock::Stopwatch;
use crate::failure::Failure;
use crate::onlooker::Look;
use crate::progress::Progress;
use crate::record;
use crate::scenario::plan::{Plan, WorldKind};
use crate::storm::{self, Orders, Storm};
use crate::tally::Tally;
use crate::verdict;
use block::OpenError;
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
    pub refused: Option<String>,
    /// What failed, by kind.
    pub failures: Vec<NightFailure>,
    /// Whether every seed that failed did the same when it was run again.
    pub deterministic: bool,
    shard: Shard,
    campaign: &'a Soaked,
    marks: Vec<String>,
    trace_hash: u64,
    tally: Tally,
    /// What an earlier start has done.
    before: Option<Part>,
    /// The part as it was told last, until something is done.
    told: Option<Part>,
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

/// What is kept of one iteration that ended.
struct Ran {
    iteration: u64,
    seed: Seed,
    tally: Tally,
    trace_hash: u64,
    failed: Option<Failed>,
}

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
        let clock = match entry.plan.world {
            WorldKind::Simulated => Clock::Steps,
            WorldKind::Threads => Clock::Wall,
        };
        let known = before.as_ref();
        let hash = known.and_then(|part| part.trace_hash.as_deref());
        Work {
            entry,
            done: known.map_or(0, |part| part.done),
            all,
            used: Duration::ZERO,
            refused: None,
            failures: known.map(|part| part.failures.clone()).unwrap_or_default(),
            deterministic: known.is_none_or(|part| part.deterministic),
            shard,
            campaign,
            marks: known.map(|part| part.marks.clone()).unwrap_or_default(),
            trace_hash: hash.and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(0),
            tally: Tally::new(clock),
            before,
            told: None,
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
    pub fn turn(&mut self, means: Means<'_>) -> Result<Vec<News<'a>>, OpenError> {
        let watch = Stopwatch::start();
        let mut news = Vec::new();
        let result = loop {
            let size = if self.simulated() { self.batch.min(self.all - self.done) } else { 1 };
            let begun = watch.elapsed();
            let ran = match batch(self, self.done..self.done + size, means) {
                Ok(ran) => ran,
                Err(error) => break Err(error),
            };
            for ran in ran {
                match self.count(ran) {
                    Ok(found) => news.extend(found),
                    Err(error) => {
                        self.used += watch.elapsed();
                        return Err(error);
                    }
                }
            }
            let is_raised = means.interrupted.load(Ordering::Relaxed);
            if means.turn <= watch.elapsed()
                || self.done == self.all
                || is_raised
                || !news.is_empty()
            {
                break Ok(());
            }
            if watch.elapsed().saturating_sub(begun) < means.turn / 8 {
                self.batch = (self.batch * 2).min(BATCH);
            }
        };
        self.used += watch.elapsed();
        result.map(|()| news)
    }

    /// Counts one iteration, the next one in their order.
    fn count(&mut self, ran: Ran) -> Result<Option<News<'a>>, OpenError> {
        let Ran { iteration, seed, tally, trace_hash, failed } = ran;
        let news = match failed {
            Some(failed) => self.note(iteration, seed, failed)?,
            None => None,
        };
        self.told = None;
        self.tally.add(&tally);
        self.trace_hash = self.trace_hash.wrapping_add(trace_hash);
        self.done += 1;
        if self.simulated() && self.done.is_power_of_two() {
            self.marks.push(hash_text(self.trace_hash));
        }
        Ok(news)
    }

    fn note(
        &mut self,
        iteration: u64,
        seed: Seed,
        failed: Failed,
    ) -> Result<Option<News<'a>>, OpenError> {
        let failure = failed.failure.clone();
        let name = failure.to_string();
        if let Some(known) = self.failures.iter_mut().find(|known| known.failure == name) {
            known.count += 1;
            return Ok(None);
        }
        let sentence = failed.violation.about().split_whitespace().collect::<Vec<_>>().join(" ");
        let (entry, campaign) = (self.entry, self.campaign);
        if entry.expects().is_some() {
            self.failures.push(excused(iteration, seed, &failure, sentence));
            return Ok(None);
        }
        let first = First { entry, campaign, iteration, seed, failure };
        let known = first.look(failed)?;
        self.deterministic &= known.deterministic;
        self.failures.push(first.entered(sentence, false, &known));
        Ok(Some(News { at: self.failures.len() - 1, first, case: known.case }))
    }

    /// Failures that an earlier start has left as they were found.
    ///
    /// # Errors
    ///
    /// A device could not be opened.
    pub fn left(&self) -> Result<Vec<News<'a>>, OpenError> {
        let mut news = Vec::new();
        for (at, entered) in self.failures.iter().enumerate().filter(|(_, one)| !one.excused) {
            let again = First::again(self.entry, self.campaign, entered)?;
            news.extend(again.map(|(first, case)| News { at, first, case: Some(case) }));
        }
        Ok(news)
    }

    /// Says that something of it changed.
    pub fn touch(&mut self) {
        self.told = None;
    }

    /// What is done, as a part of the night.
    pub fn part(&mut self) -> Part {
        if let Some(told) = &self.told {
            return told.clone();
        }
        let part = self.made();
        self.told = Some(part.clone());
        part
    }

    fn made(&self) -> Part {
        let Entry { plan, file, text_hash, .. } = self.entry;
        let hash = self.simulated().then(|| hash_text(self.tally.trace_hash));
        let mut part = Part {
            campaign: self.campaign.clone(),
            name: plan.name.clone(),
            file: file.clone(),
            text_hash: hash_text(*text_hash),
            world: if self.simulated() { World::Simulated } else { World::Threads },
            expected: verdict::expected(plan),
            expects: self.entry.expects().map(str::to_owned),
            shard: self.shard,
            done: self.done,
            counts: record::counts(plan, &self.tally),
            latency: self.tally.journal.latency.to_record(),
            trace_hash: hash,
            marks: self.marks.clone(),
            failures: self.failures.clone(),
            deterministic: self.deterministic,
        };
        if let Some(before) = &self.before {
            add_counts(&mut part.counts, &before.counts);
            add_hash(&mut part.trace_hash, before.trace_hash.as_ref());
            add_latency(&mut part.latency, &before.latency)
                .expect("what an earlier start left was read when this one began");
        }
        part
    }
}

/// Runs some iterations, by their numbers within the shard, and gives them in their order.
///
/// A signal lets those end that have begun: what is counted is whole. Threads end early by
/// themselves.
fn batch(work: &Work<'_>, nths: Range<u64>, means: Means<'_>) -> Result<Vec<Ran>, OpenError> {
    let one = |nth| {
        let iteration = work.shard.iteration(nth);
        let seed = seeds::of_iteration(work.campaign.seed, work.entry.text_hash, iteration);
        let plan = &work.entry.plan;
        let never = Arc::default();
        let interrupted = if work.simulated() { &never } else { means.interrupted };
        let (record, judged, look) = (false, true, Look::default());
        let orders = Orders { plan, seed, record, judged, look, interrupted };
        let device = storm::open_device(plan, seed)?;
        let storm = storm::run_on(orders, device, &means.progress.operations)?;
        let failed = Failed::of(work.entry, seed, &storm);
        let Progress { seeds, violations, .. } = means.progress;
        seeds.fetch_add(1, Ordering::Relaxed);
        violations.fetch_add(u64::from(failed.is_some()), Ordering::Relaxed);
        let Storm { tally, end, .. } = storm;
        Ok(Ran { iteration, seed, tally, trace_hash: end.trace_hash, failed })
    };
    if nths.end - nths.start == 1 {
        return Ok(vec![one(nths.start)?]);
    }
    nths.into_par_iter().map(one).collect()
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
    }
}
