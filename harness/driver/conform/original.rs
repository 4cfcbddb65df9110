//! What a real filesystem does with a call inside a window: one thread stands there, another makes the call,
//! and a third opens and closes the window.

use super::Answer;
use super::calls::{Opened, Tried};
use super::lever::Lever;
use super::watched::{STEP, Watched};
use super::windows::Window;
use mounted::{Habit, Kind, Refusal, Spec, Venue, Volume};
use nix::errno::Errno;
use sim::World;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A filesystem behind a gate.
pub(super) struct Original {
    volume: Arc<Volume>,
    habit: Habit,
}

/// A call that has not returned for so long has hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file of every call, one after the other.
const NAME: &str = "a";

impl Original {
    /// Makes one of that kind.
    pub(super) fn open(kind: Kind) -> Result<Original, Refusal> {
        let spec = Spec { gated: true, ..Spec::plain(kind) };
        let volume = Volume::open(&Venue::Made(spec))?;
        let habit = Habit::of(&volume)?;
        Ok(Original { volume: Arc::new(volume), habit })
    }

    /// What it is and where, for people.
    pub(super) fn detail(&self) -> &str {
        &self.volume.detail
    }

    /// Tries a call inside a window, on a file of its own.
    pub(super) fn came(&self, window: Window, tried: &'static Tried) -> Answer {
        let made = self.volume.create(NAME).map_err(told);
        let came = made.and_then(|made| self.on(&made, window, tried));
        let _ = self.volume.forget(NAME);
        came.unwrap_or_else(Answer::Failed)
    }

    fn on(&self, made: &OwnedFd, window: Window, tried: &'static Tried) -> Result<Answer, String> {
        let holder = Arc::new(Opened::new(made).map_err(told)?);
        let caller = Opened::new(made).map_err(told)?;
        let (lever, source) = Lever::new(window, &holder, self.habit)?;
        let scene = Arc::new(Scene::default());
        let mut world = World::threads(PATIENCE);
        let (ours, hands) = (Arc::clone(&scene), Arc::clone(&holder));
        world
            .spawn("W", move || ours.hold(|| super::lever::act(window, &hands, source.as_deref())));
        let ours = Arc::clone(&scene);
        world.spawn("O", move || {
            ours.call(|| {
                // Whatever it returns, it has returned; but who does not know the call has not made it.
                if let Some(errno) = unknown((tried.kernel)(&caller)) {
                    ours.unknown.get_or_init(|| errno);
                }
            });
        });
        let (ours, volume) = (Arc::clone(&scene), Arc::clone(&self.volume));
        world.spawn("lead", move || {
            let came = ours.lead(&volume, lever, &holder);
            ours.came.set(came).expect("one task leads");
        });
        let end = world.run();
        let came = scene.came.get().cloned();
        came.unwrap_or_else(|| Err(format!("{:?}", end.outcome)))
    }
}

/// The one who stands in the window, and the one who calls.
#[derive(Default)]
struct Scene {
    armed: AtomicBool,
    open: AtomicBool,
    holding: Watched,
    calling: Watched,
    /// What the call answers if there is no such call.
    unknown: OnceLock<Errno>,
    came: OnceLock<Result<Answer, String>>,
}

impl Scene {
    fn hold(&self, act: impl FnOnce()) {
        if is_raised(&self.armed) {
            self.holding.make(act);
        }
    }

    fn call(&self, call: impl FnOnce()) {
        if is_raised(&self.open) {
            self.calling.make(call);
        }
    }

    fn lead(&self, volume: &Volume, lever: Lever, holder: &Opened) -> Result<Answer, String> {
        let gate = volume.gate().ok_or("there is no gate")?;
        let mut held = lever.arm(gate)?;
        self.armed.store(true, Ordering::SeqCst);
        let opened = held.opens(|| self.holding.has_returned());
        // Those who wait for it are let go, whatever happened.
        self.open.store(true, Ordering::SeqCst);
        let observed = self.calling.observe((volume, held.is_of_disk()));
        let stood = held.stands(holder, self.holding.has_returned());
        held.close()?;
        let returned = self.calling.returns() && self.holding.returns();
        if !opened? || !stood {
            return Err("the window did not open, or closed by itself".to_owned());
        }
        if !returned {
            return Err("it did not return when the window was closed".to_owned());
        }
        self.came(observed)
    }

    /// What came of a call that was seen to wait in a function of the kernel, or not.
    fn came(&self, observed: Option<String>) -> Result<Answer, String> {
        match self.unknown.get() {
            Some(errno) => Err(format!("it cannot be asked: {}", told(*errno))),
            None => Ok(observed.map_or(Answer::Runs, Answer::Blocks)),
        }
    }
}

/// What a call answers that this kernel or filesystem does not know.
fn unknown(answer: Result<(), Errno>) -> Option<Errno> {
    let absent = [Errno::ENOSYS, Errno::EOPNOTSUPP, Errno::ENOTTY];
    answer.err().filter(|errno| absent.contains(errno))
}

/// Waits for the flag. False: the world stops before.
fn is_raised(flag: &AtomicBool) -> bool {
    while !flag.load(Ordering::SeqCst) && !sim::stopping() {
        sim::sleep(STEP);
    }
    flag.load(Ordering::SeqCst)
}

/// An error number, in words.
pub(super) fn told(errno: Errno) -> String {
    format!("{errno:?}, {}", errno.desc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_nobody_knows_has_not_run() {
        for (answer, is_unknown) in [
            (Ok(()), false),
            (Err(Errno::ENOSPC), false),
            (Err(Errno::EINVAL), false),
            (Err(Errno::ENOSYS), true),
            (Err(Errno::EOPNOTSUPP), true),
        ] {
            assert_eq!(unknown(answer).is_some(), is_unknown, "{answer:?}");
        }
        let scene = Scene::default();
        scene.calling.make(|| {});
        scene.unknown.get_or_init(|| Errno::ENOSYS);
        assert!(scene.came(None).is_err_and(|why| why.contains("ENOSYS")));
        assert_eq!(Scene::default().came(None), Ok(Answer::Runs));
        assert_eq!(Scene::default().came(Some("a".into())), Ok(Answer::Blocks("a".into())));
    }
}
