//! What happens to a task that passes a named point: delays, and reclaim at the worst moment.

use crate::case;
use crate::director::Director;
use crate::incidents::Incidents;
use crate::recording::Notes;
use crate::scenario::plan::{FaultPlan, Moment, Plan, Strike};
use crate::tally::Fault;
use block::Allowance;
use sim::chance::{FaultDice, FaultSite};
use sim::schedule::Key;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use stormfs::Filesystem;
use stormfs::inode::Steer;
use stormfs::points::Point;
use stormfs::quantity::{ByteRange, narrow, wide};

/// The faults of a plan that strike at points.
pub struct Steering {
    dice: FaultDice,
    delays: Vec<Delay>,
    evict_ppm: u32,
    /// Where everything is tried out: the strategy chooses whom to evict, and not the dice.
    tried: bool,
    /// What happens at one place only, whatever the dice say.
    strikes: BTreeMap<Key, Strike>,
    actors: usize,
    /// What happened.
    notes: Notes<Strike>,
    /// Who holds tasks at points, if a script does.
    director: Option<Arc<Director>>,
    filesystem: OnceLock<Weak<Filesystem>>,
    passed: AtomicU64,
    delay: Counter,
    evict: Counter,
    incidents: Arc<Incidents>,
}

/// Delays at one point.
struct Delay {
    at: Point,
    chance_ppm: u32,
    length: Duration,
    allowance: Allowance,
}

#[derive(Default)]
struct Counter {
    armed: AtomicU64,
    fired: AtomicU64,
}

const DELAY: u32 = 0x30;
const EVICT: u32 = 0x31;
const VICTIM: u32 = 0x32;

impl Steering {
    /// What `plan` asks for, and what its script holds; whether what happens is recorded, and who
    /// is told of it meanwhile.
    pub fn new(
        plan: &Plan,
        dice: FaultDice,
        director: Option<Arc<Director>>,
        (record, incidents): (bool, Arc<Incidents>),
    ) -> Steering {
        let mut delays = Vec::new();
        let mut evict_ppm = 0;
        for fault in &plan.faults {
            match *fault {
                FaultPlan::Delay { at, chance_ppm, length, limit } => {
                    let allowance = Allowance::new(limit);
                    delays.push(Delay { at, chance_ppm, length, allowance });
                }
                FaultPlan::Evict { chance_ppm } => evict_ppm = chance_ppm.max(evict_ppm),
                FaultPlan::ShortCopy { .. }
                | FaultPlan::AbandonedFault { .. }
                | FaultPlan::IoError { .. }
                | FaultPlan::Latency { .. } => {}
            }
        }
        let (passed, delay, evict) = (AtomicU64::new(0), Counter::default(), Counter::default());
        let filesystem = OnceLock::new();
        let actors = crate::storm::actors(plan);
        let place = |strike: &Strike| Some((case::key(strike.moment()?, actors), strike.clone()));
        let strikes = plan.strikes.iter().filter_map(place).collect();
        let notes = Notes::new(record);
        Steering {
            dice,
            delays,
            evict_ppm,
            tried: plan.exhaustive().is_some(),
            strikes,
            actors,
            notes,
            director,
            filesystem,
            passed,
            delay,
            evict,
            incidents,
        }
    }

    /// The actors begin now: faults that wait for that may strike.
    pub fn begin(&self) {
        self.delays.iter().for_each(|delay| delay.allowance.begin());
        self.incidents.begin();
    }

    /// What happened so far, in that order, if it is recorded; leaves nothing.
    pub fn take_strikes(&self) -> Vec<Strike> {
        self.notes.take()
    }

    /// Whose folios are evicted. Must be told before the first point is passed.
    pub fn attach(&self, filesystem: Weak<Filesystem>) {
        self.filesystem.set(filesystem).expect("one filesystem for one steering");
    }

    /// How often each fault could have struck, and did.
    pub fn counts(&self) -> [(Fault, u64, u64); 2] {
        let row = |fault, counter: &Counter| {
            let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
            (fault, read(&counter.armed), read(&counter.fired))
        };
        [row(Fault::Delay, &self.delay), row(Fault::Evict, &self.evict)]
    }

    /// Names this passage of a point: by task, operation and number of points in it where those
    /// are the same in every run, else by a running number.
    fn here(&self, kind: u32) -> FaultSite {
        let (task, operation) = sim::current_operation();
        let passed = sim::points_passed();
        let nth = if passed == 0 { self.passed.fetch_add(1, Ordering::Relaxed) } else { passed };
        FaultSite { kind, operation: task << 48 | operation, nth }
    }

    /// Evicts some folio.
    fn evict_somebody(&self, point: Point) {
        let Some(filesystem) = self.filesystem() else { return };
        let file = narrow(self.dice.below(self.here(VICTIM), wide(filesystem.files())));
        let size = filesystem.view(file).size();
        let pos = self.dice.below(self.here(VICTIM + 1), size.max(1));
        self.evict(&filesystem, point, file, pos);
    }

    /// Evicts the folio that the strategy chooses, if it chooses one.
    fn evict_chosen(&self, point: Point) {
        let Some(filesystem) = self.filesystem() else { return };
        let mut victims = Vec::new();
        for view in filesystem.views() {
            let mut rest = ByteRange::new(0, u64::MAX >> 8);
            while let Some(folio) = view.first_folio(rest) {
                rest.start = folio.range().end;
                if !(folio.is_dirty() || folio.is_writeback() || folio.is_locked()) {
                    victims.push((view.file(), folio.range().start));
                }
            }
        }
        let chosen = sim::choice(u32::try_from(victims.len()).expect("a few folios") + 1);
        let victim = usize::try_from(chosen).ok().and_then(|chosen| chosen.checked_sub(1));
        if let Some((file, pos)) = victim.map(|victim| victims[victim]) {
            self.evict(&filesystem, point, file, pos);
        }
    }

    /// Evicts the folio that holds a byte, if it can go.
    fn evict(&self, filesystem: &Filesystem, point: Point, file: usize, pos: u64) {
        let at = self.notes.are_wanted().then(|| self.moment(point));
        let before = sim::points_passed();
        let evicted = filesystem.evict(file, ByteRange::at(pos, 1)) != Ok(0);
        if evicted {
            self.evict.fired.fetch_add(1, Ordering::Relaxed);
            self.incidents.strikes_now(Fault::Evict);
        }
        if let Some(at) = at.filter(|_| evicted || sim::points_passed() != before) {
            self.notes.add(|| Strike::Evict { at, file, pos });
        }
    }

    fn sleep(&self, point: Point, time: Duration) {
        self.delay.fired.fetch_add(1, Ordering::Relaxed);
        self.notes.add(|| Strike::Delay(self.moment(point), time));
        self.incidents.delays(time);
        sim::sleep(time);
    }

    /// What the plan has for this place. It may pass points, and so lead to another place.
    fn strike(&self, point: Point) {
        while let Some(strike) = self.strikes.get(&key()) {
            let before = sim::points_passed();
            match strike {
                Strike::Delay(_, time) => {
                    self.delay.armed.fetch_add(1, Ordering::Relaxed);
                    self.sleep(point, *time);
                }
                Strike::Evict { file, pos, .. } => {
                    self.evict.armed.fetch_add(1, Ordering::Relaxed);
                    let Some(filesystem) = self.filesystem() else { return };
                    self.evict(&filesystem, point, *file, *pos);
                }
                Strike::IoError(_) | Strike::Latency(..) => {}
            }
            if sim::points_passed() == before {
                return;
            }
        }
    }

    fn filesystem(&self) -> Option<Arc<Filesystem>> {
        self.filesystem.get().and_then(Weak::upgrade)
    }

    /// Where the current task stands, about to pass `point`.
    fn moment(&self, point: Point) -> Moment {
        let Key { task, operation, point: next } = key();
        let who = case::who(task.into(), self.actors);
        Moment { who, operation, point: next, site: point.name().to_owned() }
    }
}

/// The place of the point that the current task is about to pass.
fn key() -> Key {
    let (task, operation) = sim::current_operation();
    let point = u32::try_from(sim::points_passed() + 1).unwrap_or(u32::MAX);
    Key { task: u8::try_from(task).unwrap_or(u8::MAX), operation, point }
}

impl Steer for Steering {
    fn at(&self, point: Point) {
        for Delay { at, chance_ppm, length, allowance } in &self.delays {
            if *at == point && allowance.is_open() {
                self.delay.armed.fetch_add(1, Ordering::Relaxed);
                if self.dice.strikes(self.here(DELAY), *chance_ppm) && allowance.take() {
                    self.sleep(point, *length);
                }
            }
        }
        // Reclaim passes a point itself, with a folio locked.
        if self.evict_ppm != 0 && point != Point::EvictFolioLocked {
            self.evict.armed.fetch_add(1, Ordering::Relaxed);
            if self.tried {
                self.evict_chosen(point);
            } else if self.dice.strikes(self.here(EVICT), self.evict_ppm) {
                self.evict_somebody(point);
            }
        }
        if !self.strikes.is_empty() {
            self.strike(point);
        }
        if let Some(director) = &self.director {
            director.passes(point);
        }
    }
}
