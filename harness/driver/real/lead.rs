//! Who goes on in a script on a real filesystem, and how far: actors stand between two calls, or inside a
//! write, until a step lets them go on.

use super::Host;
use super::wishes::{Wish, wishes};
use crate::call::Call;
use crate::scenario::plan::{ActorPlan, Plan};
use mounted::{Failing, Habit, Refusal, Reins, Stops, Thread, Wanted};
use nix::errno::Errno;
use sim::{Mutex, Rank, Site, WaitQueue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use stormfs::quantity::{narrow, wide};

static REINS: Rank = Rank::leaf(12, "reins");
static FAILED: Rank = Rank::leaf(13, "what failed at the reins");
static REFUSED: Rank = Rank::leaf(12, "why a write cannot stand");
static THREAD: Rank = Rank::leaf(12, "thread of an actor");

/// See the module.
pub(super) struct Lead {
    wishes: BTreeMap<(usize, u64), Vec<Wish>>,
    /// Of the filesystem; none if no write is to stand.
    pub(super) habit: Option<Habit>,
    /// How sources of writes end that stand.
    failing: Failing,
    pub(super) actors: Vec<LedActor>,
    changed: WaitQueue,
    over: AtomicBool,
    /// Why a write did not copy what it was given, once that has happened.
    failed: Mutex<Option<Errno>>,
}

/// An actor that is led.
pub(super) struct LedActor {
    pub(super) name: String,
    may: AtomicBool,
    /// Whether it is to stand when it has returned from the call that it is in, or from its next one.
    stops_at_return: AtomicBool,
    /// Whether it is in a call.
    pub(super) acts: AtomicBool,
    pub(super) returned: AtomicU64,
    pub(super) ended: AtomicBool,
    /// Why its last write that was to stand could not be made to, if it could not.
    pub(super) refused: Mutex<Option<String>>,
    /// Whether it has left out a call since somebody asked.
    pub(super) leaves_out: AtomicBool,
    pub(super) thread: Mutex<Option<Thread>>,
    write: Mutex<Option<Write>>,
}

/// A write that can stand.
struct Write {
    reins: Reins,
    /// The wishes for it, each with the bytes that are copied there.
    at: Vec<(Wish, usize)>,
}

/// Where an actor is, as seen by a step.
pub(super) enum Stands {
    /// In no write that stands.
    Nowhere,
    /// In one, for another step.
    Elsewhere,
    /// Where the step leads it.
    There(Wish),
}

impl Lead {
    /// For the script of `plan`; none without one.
    pub(super) fn new(plan: &Plan, host: &Host, failing: Failing) -> Result<Option<Lead>, Refusal> {
        if plan.script.is_empty() {
            return Ok(None);
        }
        let wishes = wishes(plan);
        let habit = (!wishes.is_empty()).then(|| host.habit()).transpose()?;
        let names = plan.actors.iter().flat_map(ActorPlan::names);
        Ok(Some(Lead {
            wishes,
            habit,
            failing,
            actors: names.map(LedActor::new).collect(),
            changed: WaitQueue::new(),
            over: AtomicBool::new(false),
            failed: sim::sync::mutex(&FAILED, 0, None),
        }))
    }

    /// An actor comes to its next call, and stands there until it may go on.
    pub(super) fn enters(&self, actor: usize) {
        let led = &self.actors[actor];
        led.thread.lock().get_or_insert_with(Thread::current);
        let may = || led.may.load(Ordering::SeqCst) || self.is_over();
        self.changed.wait_until(Site::point("turn", 0x97, 0), may);
        led.acts.store(true, Ordering::SeqCst);
    }

    /// It has returned from a call.
    pub(super) fn returns(&self, actor: usize) {
        let led = &self.actors[actor];
        led.acts.store(false, Ordering::SeqCst);
        if led.stops_at_return.swap(false, Ordering::SeqCst) {
            led.may.store(false, Ordering::SeqCst);
        }
        led.returned.fetch_add(1, Ordering::SeqCst);
    }

    /// It has no more calls.
    pub(super) fn ends(&self, actor: usize) {
        self.actors[actor].ended.store(true, Ordering::SeqCst);
    }

    /// What a write copies from that is to stand somewhere. `None`: it is not, or cannot.
    pub(super) fn stops(
        &self,
        (actor, call): (usize, &Call),
        pos: u64,
        bytes: &[u8],
    ) -> Option<Arc<Stops>> {
        let wishes = self.wishes.get(&(actor, call.number))?;
        let refused = &self.actors[actor].refused;
        *refused.lock() = None;
        let habit = self.habit?;
        // What is missing for a moment only is missing at the same byte that others wait for.
        let unreadable = match call.gap {
            Some(gap) if !gap.persistent => return None,
            gap => gap.map(|gap| gap.at),
        };
        let of = (pos, bytes.len());
        let at = wishes.iter().map(|wish| (*wish, wish.copied(of, unreadable)));
        let at: Vec<_> = at.filter(|(_, copied)| habit.can_stand(of, *copied)).collect();
        let mut stops: Vec<usize> = at.iter().map(|(_, copied)| *copied).collect();
        stops.sort_unstable();
        stops.dedup();
        let cuts: Vec<usize> = call.pieces.iter().map(|cut| narrow(*cut)).collect();
        let unreadable = unreadable.map(|at| (narrow(at), self.failing));
        let wanted = Wanted { bytes, cuts: &cuts, stops: &stops, unreadable };
        if at.is_empty() {
            return None;
        }
        let made = Reins::new(wanted, habit);
        *refused.lock() = made.as_ref().err().map(ToString::to_string);
        let (mut reins, source) = made.ok()?;
        let mut write = self.actors[actor].write.lock();
        if self.is_over() {
            // Nobody waits in it yet, and the write takes its bytes from elsewhere.
            reins.let_go().ok()?;
        }
        *write = Some(Write { reins, at });
        Some(source)
    }

    /// The write is over that was to stand somewhere: the byte of its source that a step has ended it
    /// before.
    pub(super) fn wrote(&self, actor: usize) -> Option<u64> {
        let write = self.actors[actor].write.lock().take();
        write.and_then(|write| write.reins.failed()).map(wide)
    }

    /// Lets an actor go on; to the end of the call that it is in or that comes next, if so wished.
    pub(super) fn release(&self, actor: usize, to_its_return: bool) {
        let led = &self.actors[actor];
        led.stops_at_return.store(to_its_return, Ordering::SeqCst);
        led.may.store(true, Ordering::SeqCst);
        self.go_on(actor);
        self.changed.wake_all();
    }

    /// Where an actor is, as seen by this step.
    pub(super) fn stands(&self, actor: usize, step: usize) -> Stands {
        let mut write = self.actors[actor].write.lock();
        let Some(Write { reins, at }) = write.as_mut() else { return Stands::Nowhere };
        let Some(copied) = self.noted(reins.look()).flatten() else { return Stands::Nowhere };
        let reached = at.iter().find(|(wish, at)| wish.step == step && *at == copied);
        reached.map_or(Stands::Elsewhere, |(wish, _)| Stands::There(*wish))
    }

    /// Lets the write of an actor go on, if it stands.
    pub(super) fn go_on(&self, actor: usize) {
        let mut write = self.actors[actor].write.lock();
        if let Some(Write { reins, .. }) = write.as_mut()
            && self.noted(reins.look()).flatten().is_some()
        {
            self.noted(reins.resume());
        }
    }

    /// Ends the source of the write that an actor stands in, and lets it go on, to the end of that write if
    /// so wished; or why not.
    pub(super) fn fail(&self, actor: usize, to_its_return: bool) -> Result<(), String> {
        let led = &self.actors[actor];
        let mut write = led.write.lock();
        let Some(Write { reins, .. }) = write.as_mut() else {
            return Err(format!("`{}` is in no write that can stand", led.name));
        };
        if self.noted(reins.look()).flatten().is_none() {
            return Err(format!("`{}` stands nowhere in its write", led.name));
        }
        if reins.is_short() {
            return Err(format!("the source of `{}` ends early by itself", led.name));
        }
        led.stops_at_return.store(to_its_return, Ordering::SeqCst);
        led.may.store(true, Ordering::SeqCst);
        self.ended(reins.fail(self.failing))
    }

    /// What came of ending a source. Where that has failed, all of the source is gone, and the write ends
    /// where nobody wanted it to.
    fn ended(&self, came: Result<(), Errno>) -> Result<(), String> {
        let told = |errno: Errno| format!("its source could not be ended: {}", errno.desc());
        self.noted(came);
        came.map_err(told)
    }

    /// The script is over: everybody goes on.
    pub(super) fn let_go(&self) {
        self.over.store(true, Ordering::SeqCst);
        for led in &self.actors {
            if let Some(write) = &mut *led.write.lock() {
                self.noted(write.reins.let_go());
            }
        }
        self.changed.wake_all();
    }

    /// Why some write did not copy what it was given. Nothing that was seen since then tells anything of
    /// the filesystem.
    pub(super) fn failed(&self) -> Option<Refusal> {
        let errno = (*self.failed.lock())?;
        Some(Refusal::errno("the source of a write that was to stand", errno, ADVICE))
    }

    /// What came of asking the reins for something; that it failed is kept.
    pub(super) fn noted<T>(&self, came: Result<T, Errno>) -> Option<T> {
        came.inspect_err(|errno| {
            self.failed.lock().get_or_insert(*errno);
        })
        .ok()
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// What to do if userfaultfd fails in the middle of a run.
const ADVICE: &str = "nothing is known of the filesystem: free some memory, and run it again";

impl LedActor {
    fn new(name: String) -> LedActor {
        LedActor {
            name,
            may: AtomicBool::new(false),
            stops_at_return: AtomicBool::new(false),
            acts: AtomicBool::new(false),
            returned: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            refused: sim::sync::mutex(&REFUSED, 0, None),
            leaves_out: AtomicBool::new(false),
            thread: sim::sync::mutex(&THREAD, 0, None),
            write: sim::sync::mutex(&REINS, 0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use mounted::Venue;
    use sim::World;
    use std::time::Duration;

    /// Lets one actor, which makes three calls, go on as `acts` says.
    fn leads(acts: impl FnOnce(&Lead, &dyn Fn(u64)) + Send + 'static) {
        let text = "\
world: threads
target: {directory: /not/used}
actors: [{name: a, does: [fsync, fsync, fsync]}]
script: [run a]
";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let host = Host::open(&Venue::Directory(dir.path().to_owned())).unwrap();
        let lead = Arc::new(Lead::new(&plan, &host, Failing::Protected).unwrap().unwrap());
        assert_eq!(lead.habit, None, "no write is to stand");
        let mut world = World::threads(Duration::from_secs(30));
        let ours = Arc::clone(&lead);
        world.spawn("a", move || {
            for _ in 0..3 {
                ours.enters(0);
                ours.returns(0);
            }
            ours.ends(0);
        });
        world.spawn("conductor", move || {
            acts(&lead, &|calls| {
                while lead.actors[0].returned.load(Ordering::SeqCst) < calls {
                    sim::pause();
                }
            });
            lead.let_go();
        });
        let end = world.run();
        assert!(matches!(end.outcome, sim::Outcome::Finished), "{end:?}");
    }

    #[test]
    fn an_actor_stands_between_two_calls_until_it_is_released() {
        leads(|lead, returns| {
            let one = &lead.actors[0];
            lead.release(0, true);
            returns(1);
            assert!(!one.may.load(Ordering::SeqCst), "it stands behind its call");
            assert!(matches!(lead.stands(0, 1), Stands::Nowhere));
            lead.release(0, false);
            returns(3);
            assert!(one.may.load(Ordering::SeqCst), "it went on as it liked");
        });
    }

    #[test]
    fn a_source_that_could_not_be_ended_is_the_end_of_the_run() {
        leads(|lead, _| {
            assert_eq!(lead.ended(Ok(())), Ok(()));
            assert!(lead.failed().is_none(), "it is as it should be");
            let why = lead.ended(Err(Errno::ENOMEM)).unwrap_err();
            assert_eq!(why, "its source could not be ended: Out of memory");
            let refusal = lead.failed().expect("its write was not given its bytes");
            assert_eq!(refusal.came, "ENOMEM, Out of memory");
        });
    }

    #[test]
    fn nobody_fails_who_stands_in_no_write() {
        leads(|lead, returns| {
            let why = lead.fail(0, true).unwrap_err();
            assert_eq!(why, "`a` is in no write that can stand");
            assert_eq!(lead.actors[0].returned.load(Ordering::SeqCst), 0, "and it stays there");
            lead.let_go();
            returns(3);
        });
    }
}
