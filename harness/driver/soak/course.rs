//! The course of a night: whose turn it is, what is made of what failed, and when all of it is
//! written down.

use super::alarm::Alarm;
use super::night;
use super::regressions::Cases;
use super::shelf::Shelf;
use super::turn::{Means, News, Work};
use crate::clock::Stopwatch;
use crate::exit::Exit;
use crate::ground::NoGround;
use crate::progress::Progress;
use crate::shrink::Limits;
use report::record::{LeftOut, Night, ShardEnd, ShardState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often what there is is written down: so much work a kill can cost.
const PERIOD: Duration = Duration::from_secs(30);

/// How long one turn is at most.
const TURN: Duration = Duration::from_secs(2);

/// Of the time of a night, the part in which failures are made smaller.
const EFFORT: u32 = 10;

/// Failures of one part whose story is told.
const STORIES: usize = 8;

/// How often a night that is over is tried to be written, and how long it waits in between.
const TRIES: usize = 5;
const BETWEEN: Duration = Duration::from_secs(1);

/// A night on its way.
pub struct Course<'a> {
    /// What is known beside what the works have done.
    pub night: Night,
    /// The scenarios.
    pub works: Vec<Work<'a>>,
    /// What runs first; nothing if that was done by an earlier start.
    pub cases: Option<Cases>,
    /// Where it is written.
    pub shelf: Shelf,
    /// When it ends by itself, counted over all starts.
    pub time: Option<Duration>,
    /// How long one failure is made smaller at most.
    pub shrink: Duration,
    /// With how many runs at most.
    pub shrink_runs: u64,
    /// Asks to end.
    pub interrupted: &'a Arc<AtomicBool>,
    /// Ends what takes too long.
    pub alarm: &'a Alarm,
    /// Counts what is done.
    pub progress: &'a Progress,
    /// The time of earlier starts.
    pub before: Duration,
    /// Since when this start is at it.
    pub watch: Stopwatch,
}

/// Why a night did not come to its end.
#[derive(Debug)]
pub enum Stopped {
    /// What an earlier start left cannot be added up.
    Damaged(String),
    /// Nothing can be written where it should go.
    Nowhere(io::Error),
}

impl From<String> for Stopped {
    fn from(what: String) -> Stopped {
        Stopped::Damaged(what)
    }
}

impl Course<'_> {
    /// Runs the night to its end. The answer is the night, how the command ends because of it, and
    /// whether it is on disk.
    ///
    /// # Errors
    ///
    /// See [`Stopped`].
    pub fn run(mut self) -> Result<(Night, Exit, io::Result<()>), Stopped> {
        let (begun, _) = self.concluded()?;
        // Hours of which nothing is left are not worth beginning.
        self.shelf.begin(&begun).map_err(Stopped::Nowhere)?;
        if let Some(cases) = self.cases.take() {
            match cases.run() {
                Ok(regressions) => self.night.regressions = regressions,
                Err(error) => self.refuse("regressions", &error),
            }
            self.night.left_out.extend(cases.left_out);
            self.write()?;
        }
        let (mut written, mut effort) = (Duration::ZERO, self.effort());
        self.catch_up(&mut effort);
        let turn = self.turn();
        while let Some(at) = self.next() {
            let (interrupted, progress) = (self.interrupted, self.progress);
            match self.works[at].turn(Means { progress, interrupted, turn }) {
                Ok(news) if news.is_empty() => {}
                Ok(news) => {
                    // Before anything else runs: whatever happens next, the failure is not lost.
                    self.write()?;
                    for one in news {
                        self.make_smaller(at, one, &mut effort);
                    }
                    self.write()?;
                    written = self.watch.elapsed();
                }
                Err(error) => self.works[at].refused = Some(error),
            }
            if PERIOD <= self.watch.elapsed().saturating_sub(written) {
                self.write()?;
                written = self.watch.elapsed();
            }
        }
        self.end()
    }

    /// Whose turn it is: of those who have something to do, the one that has had the least time.
    fn next(&self) -> Option<usize> {
        let is_up = self.time.is_some_and(|time| time <= self.elapsed());
        if is_up || self.is_raised() {
            return None;
        }
        let open = self.works.iter().enumerate().filter(|(_, work)| self.is_open(work));
        open.min_by_key(|(_, work)| work.used).map(|(at, _)| at)
    }

    /// Whether a scenario has something to do.
    fn is_open(&self, work: &Work<'_>) -> bool {
        let open = work.done < work.all && work.refused.is_none();
        // A bug that was caught has shown that the alarm rings; the time is for what is not known.
        open && (self.time.is_none() || !work.is_caught())
    }

    /// How it ended: with iterations that were counted and are not done, time was up.
    fn ended(&self) -> ShardEnd {
        let counted = |work: &&Work<'_>| work.all != u64::MAX;
        if self.is_raised() {
            ShardEnd::Interrupted
        } else if self.works.iter().filter(counted).any(|work| self.is_open(work)) {
            ShardEnd::TimeUp
        } else {
            ShardEnd::Complete
        }
    }

    /// Short enough for everybody to have some turns.
    fn turn(&self) -> Duration {
        let works = u32::try_from(self.works.len()).unwrap_or(u32::MAX).max(1);
        let share = self.time.map_or(TURN, |time| time / works / 4);
        share.clamp(Duration::from_millis(20), TURN)
    }

    fn effort(&self) -> Option<Duration> {
        self.time.map(|time| time / EFFORT)
    }

    fn make_smaller(&mut self, at: usize, news: News<'_>, effort: &mut Option<Duration>) {
        // No failure takes the time of all others.
        let time = effort.map_or(self.shrink, |left| (left / 3).min(self.shrink));
        let Some(case) = news.case.filter(|_| !time.is_zero() && !self.is_raised()) else { return };
        let begun = self.watch.elapsed();
        let (runs, interrupted) = (Some(self.shrink_runs), self.interrupted);
        let limits = Limits { time, runs, interrupted, parallel: true };
        let work = &mut self.works[at];
        let others = work.failures.iter().enumerate().filter(|(at, _)| *at != news.at);
        let told = others.filter(|(_, one)| one.story.is_some()).count();
        let alarm = (told < STORIES).then_some(self.alarm);
        let entered = &mut work.failures[news.at];
        match news.first.make_smaller(&case, entered, limits, alarm) {
            Ok(same) => work.deterministic &= same,
            Err(error) => work.refused = Some(error),
        }
        let took = self.watch.elapsed().saturating_sub(begun);
        *effort = effort.map(|left| left.saturating_sub(took));
    }

    /// Looks at what an earlier start has found and left, and goes on where it ran out of time. Where
    /// iterations end the night, and not time, a case is as small as its runs made it.
    fn catch_up(&mut self, effort: &mut Option<Duration>) {
        for at in 0..self.works.len() {
            let left = self.works[at].left(self.time.is_some());
            match left {
                Ok(news) => news.into_iter().for_each(|one| self.make_smaller(at, one, effort)),
                Err(error) => self.works[at].refused = Some(error),
            }
        }
    }

    fn end(mut self) -> Result<(Night, Exit, io::Result<()>), Stopped> {
        for work in &self.works {
            if let Some(error) = &work.refused {
                self.night.left_out.push(refused(&work.entry.file, error));
            }
        }
        self.night.regressions.sort();
        self.night.left_out.sort();
        self.night.left_out.dedup();
        let ended = self.ended();
        if let Some(state) = self.night.shards.first_mut() {
            state.ended = ended;
        }
        let (night, exit) = self.concluded()?;
        let mut tries = 0..TRIES;
        loop {
            let put = self.shelf.put(&night);
            if put.is_ok() || tries.next().is_none() {
                return Ok((night, exit, put));
            }
            sim::sleep(BETWEEN);
        }
    }

    /// Writes down what there is. That it could not be is told, and is no reason to end.
    fn write(&mut self) -> Result<(), String> {
        let (night, _) = self.concluded()?;
        drop(self.shelf.put(&night));
        Ok(())
    }

    fn concluded(&mut self) -> Result<(Night, Exit), String> {
        let elapsed = self.elapsed();
        let mut night = self.night.clone();
        if let Some(ShardState { elapsed_ms, .. }) = night.shards.first_mut() {
            *elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        }
        night.parts = self.works.iter().map(Work::part).collect();
        night::sort(&mut night.parts);
        night::concluded(night)
    }

    fn refuse(&mut self, what: &str, error: &NoGround) {
        self.night.left_out.push(refused(what, error));
    }

    fn elapsed(&self) -> Duration {
        self.before + self.watch.elapsed()
    }

    fn is_raised(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Something that could not be soaked, or no further.
fn refused(file: &str, error: &NoGround) -> LeftOut {
    LeftOut {
        file: file.to_owned(),
        why: error.to_string(),
        refused: true,
        harness_failed: matches!(error, NoGround::Harness(_)),
    }
}
