//! A script on a real filesystem: its steps are performed as far as a kernel can be led, and each says
//! whether it was.

use super::Real;
use super::lead::{Lead, Stands};
use super::wishes::Wish;
use crate::scenario::plan::{Action, Step, Target};
use crate::stage::Stage;
use mounted::asleep::Doze;
use mounted::{Habit, Volume, look};
use report::record::{Led, LedStep};
use std::sync::atomic::Ordering;
use std::time::Duration;
use stormfs::quantity::{ByteRange, wide};

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Its number, from 1.
    pub step: usize,
    /// Its sentence.
    pub text: String,
    /// Whether it did what it says.
    pub how: How,
}

impl Followed {
    /// The same in the words of a record.
    pub fn recorded(&self) -> LedStep {
        let (how, why) = match &self.how {
            How::Steered(what) => (Led::Steered, what.clone()),
            How::Nearby(what) => (Led::Nearby, Some(what.clone())),
            How::Not(why) => (Led::NotSteered, Some(why.clone())),
        };
        LedStep { step: wide(self.step), text: self.text.clone(), how, why }
    }
}

/// Whether a step did what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It did, and if it ended where somebody waits, what for.
    Steered(Option<String>),
    /// It came close: what differs.
    Nearby(String),
    /// It did not: why.
    Not(String),
}

/// Who does not come to where a step leads it for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// I/O that nobody holds is done by then.
const IO: Duration = Duration::from_secs(2);

/// How long the kernel is given each time that it is asked to let go of what is cached.
const BETWEEN: Duration = Duration::from_millis(1);

impl Real {
    /// An actor comes to its next call.
    pub fn enters(&self, actor: usize) {
        if let Some(lead) = &self.lead {
            lead.enters(actor);
        }
    }

    /// It has returned from it.
    pub fn returns(&self, actor: usize) {
        if let Some(lead) = &self.lead {
            lead.returns(actor);
        }
    }

    /// It leaves a call out, which this filesystem does not know.
    pub fn leaves_out(&self, actor: usize) {
        if let Some(lead) = &self.lead {
            lead.actors[actor].leaves_out.store(true, Ordering::SeqCst);
            lead.returns(actor);
        }
    }

    /// It has no more calls.
    pub fn ends(&self, actor: usize) {
        if let Some(lead) = &self.lead {
            lead.ends(actor);
        }
    }

    /// Performs every step. Afterwards all go on as they like.
    pub fn follow(&self, stage: &Stage, steps: &[Step]) {
        let _end = LetGo(self);
        let mut held = None;
        for (number, step) in (1..).zip(steps) {
            if sim::stopping() || stage.is_interrupted() {
                return;
            }
            let how = match &step.action {
                Action::Run { actor, until } => {
                    self.run(stage, number, (*actor, until, false), held.is_some())
                }
                Action::Fail { actor, until } => {
                    self.run(stage, number, (*actor, until, true), held.is_some())
                }
                Action::Evict { file, range } => self.evict_for(*file, *range),
                Action::HoldDisk(point) => self.hold_disk(&mut held, number, *point),
                Action::HoldReads => self.hold_reads(&mut held, number),
                Action::ResumeDisk => self.resume_disk(&mut held),
            };
            // While the disk is held, no I/O ends.
            if held.is_none() {
                self.settle();
            }
            let text = step.text.trim().to_owned();
            self.followed.lock().push(Followed { step: number, text, how });
        }
        self.resume_disk(&mut held);
    }

    /// Lets an actor go on until the first of the targets; if it `fails`, with a source that ends where it
    /// stands.
    fn run(
        &self,
        stage: &Stage,
        step: usize,
        (actor, until, fails): (usize, &[Target], bool),
        held: bool,
    ) -> How {
        let Some(lead) = &self.lead else { return How::Not("nobody leads".to_owned()) };
        let around = (&self.host.volume, held);
        let how = run_to(stage, (lead, around), step, (actor, until, fails));
        let one = &lead.actors[actor];
        if one.leaves_out.swap(false, Ordering::SeqCst) {
            return How::Not(format!(
                "`{}` leaves out a call that this filesystem lacks",
                one.name
            ));
        }
        with_refusal(how, until, one.refused.lock().as_deref())
    }

    /// Has the kernel let go of pages that somebody has read or written.
    fn evict_for(&self, file: usize, range: ByteRange) -> How {
        let cached = look::cached(self.file(file), range.start..range.end);
        if cached.is_ok_and(|cached| cached.pages == 0) {
            return How::Not("none of these pages is cached".to_owned());
        }
        match self.emptied(file, range, || sim::sleep(BETWEEN)) {
            Ok(0) => How::Steered(None),
            Ok(pages) => How::Not(format!("the kernel keeps {pages} of these pages")),
            Err(error) => How::Not(format!("what is cached cannot be seen: {}", error.desc())),
        }
    }

    /// I/O that was begun ends before the next step.
    pub(super) fn settle(&self) {
        let begun = sim::now();
        while self.writes_back() {
            if IO < sim::now().saturating_sub(begun) || sim::stopping() {
                return;
            }
            sim::pause();
        }
    }

    /// Whether a page of some file is in writeback.
    pub(super) fn writes_back(&self) -> bool {
        (0..self.names.len()).any(|number| {
            let cached = look::cached(self.file(number), 0..i64::MAX.unsigned_abs());
            cached.is_ok_and(|cached| cached.writeback != 0)
        })
    }
}

/// The same, whatever calls the filesystem lacks.
fn run_to(
    stage: &Stage,
    (lead, around): (&Lead, (&Volume, bool)),
    step: usize,
    (actor, until, fails): (usize, &[Target], bool),
) -> How {
    let one = &lead.actors[actor];
    let maps_late = lead.habit == Some(Habit::PageByPage);
    let at = |wish: Wish| match wish.nearby(maps_late) {
        None => How::Steered(None),
        Some(why) => How::Nearby(format!("`{}`: {why}", wish.point.name())),
    };
    // Two points may be the same place here.
    if let Stands::There(wish) = lead.stands(actor, step) {
        return at(wish);
    }
    let (returned, begun) = (one.returned.load(Ordering::SeqCst), sim::now());
    let to_its_return = until.contains(&Target::Returned);
    if !fails {
        lead.release(actor, to_its_return);
    } else if let Err(why) = lead.fail(actor, to_its_return) {
        return How::Not(why);
    }
    let mut doze = Doze::default();
    loop {
        let ended = one.ended.load(Ordering::SeqCst);
        let has_returned = returned < one.returned.load(Ordering::SeqCst);
        match lead.stands(actor, step) {
            Stands::There(wish) => return at(wish),
            Stands::Elsewhere => {
                lead.go_on(actor);
                doze = Doze::default();
            }
            Stands::Nowhere if has_returned && until.contains(&Target::Returned) => {
                return How::Steered(None);
            }
            Stands::Nowhere if ended && until.contains(&Target::Done) => {
                return How::Steered(None);
            }
            Stands::Nowhere if ended => return missed(&one.name, "ended", until),
            Stands::Nowhere => {}
        }
        let acts = one.acts.load(Ordering::SeqCst);
        let thread = one.thread.lock().filter(|_| acts);
        if let Some(asleep) = thread.and_then(|thread| doze.look(thread, around)) {
            let place = format!("waits in `{}`", asleep.function);
            if until.contains(&Target::Blocked) {
                return How::Steered(Some(format!("`{}` {place}", one.name)));
            }
            return missed(&one.name, &place, until);
        }
        if PATIENCE < sim::now().saturating_sub(begun) {
            return missed(&one.name, "came to no end", until);
        }
        if sim::stopping() || stage.is_interrupted() {
            return How::Not("the run was ended".to_owned());
        }
        sim::pause();
    }
}

/// However a script ends, nobody stays behind in a window.
struct LetGo<'a>(&'a Real);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        if let Some(lead) = &self.0.lead {
            lead.let_go();
        }
    }
}

/// What came of a step, if the write of its actor could not be made to stand: of interest to a step that
/// wants one to.
fn with_refusal(how: How, until: &[Target], refused: Option<&str>) -> How {
    let wants = until.iter().any(|target| matches!(target, Target::Point { .. }));
    match (how, refused.filter(|_| wants)) {
        (How::Not(why), Some(refused)) => How::Not(format!("{why}: {refused}")),
        (How::Steered(why), Some(refused)) => {
            let why = why.map_or_else(String::new, |why| why + "; ");
            How::Nearby(format!("{why}its write could not be made to stand: {refused}"))
        }
        (how, _) => how,
    }
}

/// An actor came to something that is no target of its step.
fn missed(name: &str, what: &str, until: &[Target]) -> How {
    let points: Vec<_> = until
        .iter()
        .filter_map(|target| match target {
            Target::Point { point, .. } => Some(format!("`{}`", point.name())),
            Target::Returned | Target::Done | Target::Blocked => None,
        })
        .collect();
    let instead = match points.as_slice() {
        [] => String::new(),
        points => format!(", and could not be stopped at {}", points.join(" or ")),
    };
    How::Not(format!("`{name}` {what}{instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stormfs::points::Point;

    #[test]
    fn what_was_missed_is_told_by_its_points() {
        let point = |point| Target::Point { nth: 1, point };
        let (mapped, unlocked) = (point(Point::WriteMapped), point(Point::WriteUnlocked));
        for (until, told) in [
            (&[Target::Done, Target::Blocked][..], "`a` ended"),
            (&[mapped], "`a` ended, and could not be stopped at `write.mapped`"),
            (
                &[mapped, Target::Returned, unlocked],
                "`a` ended, and could not be stopped at `write.mapped` or `write.unlocked`",
            ),
        ] {
            assert_eq!(missed("a", "ended", until), How::Not(told.to_owned()));
        }
    }

    #[test]
    fn why_a_write_could_not_stand_is_told_by_the_steps_that_want_it_to() {
        let point = Target::Point { nth: 1, point: Point::WriteMapped };
        let (steered, not) = (How::Steered(None), How::Not("`a` ended".to_owned()));
        let near = "its write could not be made to stand: no memory";
        for (how, until, refused, told) in [
            (&steered, &[point, Target::Returned][..], None, steered.clone()),
            (&steered, &[Target::Returned], Some("no memory"), steered.clone()),
            (&steered, &[point, Target::Returned], Some("no memory"), How::Nearby(near.to_owned())),
            (&not, &[point], Some("no memory"), How::Not("`a` ended: no memory".to_owned())),
            (&not, &[point], None, not.clone()),
            (&not, &[Target::Blocked], Some("no memory"), not.clone()),
        ] {
            assert_eq!(with_refusal(how.clone(), until, refused), told, "{until:?}");
        }
    }

    #[test]
    fn a_step_is_recorded_with_its_reason() {
        for (how, led, why) in [
            (How::Steered(None), Led::Steered, None),
            (How::Steered(Some("it waits".to_owned())), Led::Steered, Some("it waits")),
            (How::Nearby("late".to_owned()), Led::Nearby, Some("late")),
            (How::Not("no".to_owned()), Led::NotSteered, Some("no")),
        ] {
            let step = Followed { step: 2, text: "run a".to_owned(), how }.recorded();
            assert_eq!((step.step, step.text.as_str()), (2, "run a"));
            assert_eq!((step.how, step.why.as_deref()), (led, why));
        }
    }
}
