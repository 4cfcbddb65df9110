//! What goes wrong with a device on purpose, and how long its I/O takes.

use crate::bio::BioOp;
use crate::limit::{Allowance, Limit};
use sim::chance::{FaultDice, FaultSite};
use sim::{Mutex, Rank, sync};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What a device does to its bios.
///
/// Each decision belongs to one bio, named by what it asks for, by its cause, and by how many bios
/// of that kind the same cause has submitted before it. So the faults of one operation stay as
/// they are when other operations disappear from a run, and when the scheduler lets other workers
/// or other bios go first. They do change if the operation itself then needs other bios; offsets
/// would not be steadier, because they move with every block allocated before.
///
/// Draws use the fault kinds 0x100 to 0x1ff.
#[derive(Debug, Clone)]
pub struct DeviceFaults {
    /// Decides; one for a run.
    pub dice: FaultDice,
    /// Reads that fail, in a million.
    pub read_error_ppm: u32,
    /// Writes that fail, in a million. A failed write leaves the media as it was.
    pub write_error_ppm: u32,
    /// Flushes that fail, in a million.
    pub flush_error_ppm: u32,
    /// How long every bio takes before it is performed.
    pub latency: Latency,
    /// How long some bios take beyond that.
    pub spike: Spike,
    /// What happens to single bios, whatever the dice say.
    pub strikes: Vec<Strike>,
    /// Whether the strategy of the run chooses which bios fail, of the kinds whose chance is above
    /// zero, and not the dice: see [`sim::choice`].
    pub tried: bool,
    /// Whether what happens to each bio is kept for [`crate::Device::take_strikes`].
    pub record: bool,
}

/// What happens to one bio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// Which.
    pub place: BioPlace,
    /// What.
    pub what: Mishap,
}

/// What can happen to a bio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It fails. A failed write leaves the media as it was.
    Fails,
    /// It takes this long.
    Takes(Duration),
}

impl DeviceFaults {
    /// A device that never fails and takes no time.
    pub fn none(dice: FaultDice) -> DeviceFaults {
        DeviceFaults {
            dice,
            read_error_ppm: 0,
            write_error_ppm: 0,
            flush_error_ppm: 0,
            latency: Latency::default(),
            spike: Spike::default(),
            strikes: Vec::new(),
            tried: false,
            record: false,
        }
    }
}

/// A time between two bounds, both included; `min` if they are in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// At least this long.
    pub min: Duration,
    /// At most this long.
    pub max: Duration,
}

/// A delay that strikes now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spike {
    /// Bios that it strikes, in a million.
    pub ppm: u32,
    /// How long it lasts.
    pub time: Duration,
    /// From when on, and how often.
    pub limit: Limit,
}

/// How often one kind of fault could have struck, and how often it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultCount {
    /// Decisions with a chance above zero.
    pub armed: u64,
    /// Those that said yes.
    pub fired: u64,
}

/// The counts of every kind of fault of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultCounts {
    /// Reads that fail.
    pub read_error: FaultCount,
    /// Writes that fail.
    pub write_error: FaultCount,
    /// Flushes that fail.
    pub flush_error: FaultCount,
    /// Bios that take longer.
    pub spike: FaultCount,
}

/// Which bio a decision belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BioPlace {
    /// What it asks for.
    pub op: BioOp,
    /// What caused it, as in the bio.
    pub cause: u64,
    /// How many bios alike its cause had before it.
    pub nth: u64,
}

/// Decides, and counts its decisions: a device has one, and whoever else carries out bios.
#[derive(Debug)]
pub struct Injector {
    faults: DeviceFaults,
    read_error: Count,
    write_error: Count,
    flush_error: Count,
    spike: Count,
    allowance: Allowance,
    healed: AtomicBool,
    strikes: Strikes,
    happened: Mutex<Vec<Strike>>,
}

/// How long a bio takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// So long.
    pub time: Duration,
    /// Whether a fault made it longer.
    pub struck: bool,
}

/// What happens to single bios, by their places.
#[derive(Debug, Default)]
struct Strikes {
    fails: BTreeSet<BioPlace>,
    takes: BTreeMap<BioPlace, Duration>,
}

impl Strikes {
    fn new(strikes: &[Strike]) -> Strikes {
        let mut all = Strikes::default();
        for Strike { place, what } in strikes {
            match what {
                Mishap::Fails => drop(all.fails.insert(*place)),
                Mishap::Takes(time) => drop(all.takes.insert(*place, *time)),
            }
        }
        all
    }
}

static HAPPENED: Rank = Rank::leaf(14, "strikes");

impl Injector {
    /// Decides as `faults` says.
    pub fn new(faults: DeviceFaults) -> Injector {
        let count = Count::default;
        Injector {
            strikes: Strikes::new(&faults.strikes),
            happened: sync::mutex(&HAPPENED, 0, Vec::new()),
            allowance: Allowance::new(faults.spike.limit),
            faults,
            read_error: count(),
            write_error: count(),
            flush_error: count(),
            spike: count(),
            healed: AtomicBool::new(false),
        }
    }

    /// Whether any decision depends on the place. If not, nobody needs to count.
    pub(crate) fn is_armed(&self) -> bool {
        let faults = &self.faults;
        let errors = [faults.read_error_ppm, faults.write_error_ppm, faults.flush_error_ppm];
        let by_chance = errors != [0; 3] || faults.spike.ppm != 0;
        by_chance || faults.latency.min < faults.latency.max || !faults.strikes.is_empty()
    }

    /// The actors begin at `now`, by a clock of the caller's.
    pub fn begin(&self, now: Duration) {
        self.allowance.begin_at(now);
    }

    /// From now on nothing fails and nothing takes time.
    pub fn heal(&self) {
        self.healed.store(true, Ordering::SeqCst);
    }

    /// Whether the bio at `place` fails.
    pub fn fails(&self, place: BioPlace) -> bool {
        if self.healed.load(Ordering::Relaxed) {
            return false;
        }
        let (ppm, count) = match place.op {
            BioOp::Read => (self.faults.read_error_ppm, &self.read_error),
            BioOp::Write => (self.faults.write_error_ppm, &self.write_error),
            BioOp::Flush => (self.faults.flush_error_ppm, &self.flush_error),
        };
        let fails = if self.strikes.fails.contains(&place) {
            count.strike();
            true
        } else if self.faults.tried {
            count.choose(ppm)
        } else {
            count.decide(self.faults.dice, site(ERROR, place), ppm)
        };
        if fails {
            self.note(place, Mishap::Fails);
        }
        fails
    }

    /// How long the bio at `place` takes, if it begins at `now`.
    pub fn delay(&self, place: BioPlace, now: Duration) -> Delay {
        if self.healed.load(Ordering::Relaxed) {
            return Delay { time: Duration::ZERO, struck: false };
        }
        let DeviceFaults { dice, latency: Latency { min, max }, spike, .. } = self.faults;
        if let Some(time) = self.strikes.takes.get(&place) {
            self.spike.strike();
            self.note(place, Mishap::Takes(*time));
            return Delay { time: *time, struck: true };
        }
        let mut delay = min;
        if min < max {
            let width = u64::try_from(max.saturating_sub(min).as_nanos()).unwrap_or(u64::MAX - 1);
            delay += Duration::from_nanos(dice.below(site(LATENCY, place), width + 1));
        }
        let struck = self.allowance.is_open_at(now)
            && self.spike.decide_within(&self.allowance, dice, (site(SPIKE, place), spike.ppm));
        if struck {
            delay = delay.saturating_add(spike.time);
        }
        if delay != min {
            self.note(place, Mishap::Takes(delay));
        }
        Delay { time: delay, struck }
    }

    /// What happened to bios so far, in that order; leaves nothing. Empty unless it is recorded.
    pub(crate) fn take_strikes(&self) -> Vec<Strike> {
        std::mem::take(&mut *self.happened.lock())
    }

    fn note(&self, place: BioPlace, what: Mishap) {
        if self.faults.record {
            self.happened.lock().push(Strike { place, what });
        }
    }

    /// How often it could have struck so far, and how often it did.
    pub fn counts(&self) -> FaultCounts {
        FaultCounts {
            read_error: self.read_error.snapshot(),
            write_error: self.write_error.snapshot(),
            flush_error: self.flush_error.snapshot(),
            spike: self.spike.snapshot(),
        }
    }
}

/// Counts the bios of each cause, in bounded memory.
///
/// Causes come and go by the million, so only some are remembered: at least the [`GENERATION`]
/// used last. An operation that is still at work is always among them.
#[derive(Debug, Default)]
pub(crate) struct Recurrences {
    young: BTreeMap<u64, [u64; 3]>,
    old: BTreeMap<u64, [u64; 3]>,
}

impl Recurrences {
    /// How many bios that ask for `op` the `cause` had before this one.
    pub(crate) fn next(&mut self, op: BioOp, cause: u64) -> u64 {
        if !self.young.contains_key(&cause) {
            let counts = self.old.remove(&cause).unwrap_or_default();
            if self.young.len() == GENERATION {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(cause, counts);
        }
        let counts = self.young.get_mut(&cause).expect("it was found or put there above");
        let count = &mut counts[index(op)];
        *count += 1;
        *count - 1
    }
}

/// Far more than tasks can be at work at once.
const GENERATION: usize = 1024;

const ERROR: u32 = 0x100;
const LATENCY: u32 = 0x110;
const SPIKE: u32 = 0x120;

fn site(kind: u32, place: BioPlace) -> FaultSite {
    let op = u32::try_from(index(place.op)).expect("below 3");
    FaultSite { kind: kind + op, operation: place.cause, nth: place.nth }
}

fn index(op: BioOp) -> usize {
    match op {
        BioOp::Read => 0,
        BioOp::Write => 1,
        BioOp::Flush => 2,
    }
}

#[derive(Debug, Default)]
struct Count {
    armed: AtomicU64,
    fired: AtomicU64,
}

impl Count {
    fn decide(&self, dice: FaultDice, site: FaultSite, ppm: u32) -> bool {
        if ppm == 0 {
            return false;
        }
        let strikes = dice.strikes(site, ppm);
        self.armed.fetch_add(1, Ordering::Relaxed);
        self.fired.fetch_add(u64::from(strikes), Ordering::Relaxed);
        strikes
    }

    /// The same, as often as the allowance has it.
    fn decide_within(
        &self,
        allowance: &Allowance,
        dice: FaultDice,
        (site, ppm): (FaultSite, u32),
    ) -> bool {
        if ppm == 0 {
            return false;
        }
        let strikes = dice.strikes(site, ppm) && allowance.take();
        self.armed.fetch_add(1, Ordering::Relaxed);
        self.fired.fetch_add(u64::from(strikes), Ordering::Relaxed);
        strikes
    }

    fn choose(&self, ppm: u32) -> bool {
        if ppm == 0 {
            return false;
        }
        let strikes = sim::choice(2) == 1;
        self.armed.fetch_add(1, Ordering::Relaxed);
        self.fired.fetch_add(u64::from(strikes), Ordering::Relaxed);
        strikes
    }

    fn strike(&self) {
        self.armed.fetch_add(1, Ordering::Relaxed);
        self.fired.fetch_add(1, Ordering::Relaxed);
    }

    fn snapshot(&self) -> FaultCount {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        FaultCount { armed: load(&self.armed), fired: load(&self.fired) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::chance::Seed;

    fn injector(change: impl FnOnce(&mut DeviceFaults)) -> Injector {
        let mut faults = DeviceFaults::none(Seed(5).faults());
        change(&mut faults);
        Injector::new(faults)
    }

    fn places(op: BioOp) -> impl Iterator<Item = BioPlace> {
        (0..10_000).map(move |n| BioPlace { op, cause: n / 10, nth: n % 10 })
    }

    #[test]
    fn each_chance_concerns_its_own_kind_and_comes_out_in_proportion() {
        let injector = injector(|faults| {
            faults.read_error_ppm = 1_000_000;
            faults.write_error_ppm = 100_000;
        });
        assert!(places(BioOp::Read).all(|place| injector.fails(place)));
        assert!(!places(BioOp::Flush).any(|place| injector.fails(place)));
        let failed = places(BioOp::Write).filter(|place| injector.fails(*place)).count();
        assert!((900..1100).contains(&failed), "{failed} of 10000 at 10 %");
        let counts = injector.counts();
        assert_eq!(counts.read_error, FaultCount { armed: 10_000, fired: 10_000 });
        let fired = u64::try_from(failed).unwrap();
        assert_eq!(counts.write_error, FaultCount { armed: 10_000, fired });
        assert_eq!(counts.flush_error, FaultCount::default());
    }

    #[test]
    fn delays_stay_within_their_bounds_and_spikes_lie_above() {
        let (min, max) = (Duration::from_micros(20), Duration::from_micros(90));
        let time = Duration::from_millis(5);
        let injector = injector(|faults| {
            faults.latency = Latency { min, max };
            faults.spike = Spike { ppm: 10_000, time, ..Spike::default() };
        });
        let delays: Vec<Duration> =
            places(BioOp::Read).map(|p| injector.delay(p, Duration::ZERO).time).collect();
        let (spiked, plain): (Vec<_>, Vec<_>) = delays.iter().partition(|delay| max < **delay);
        assert!(plain.iter().all(|delay| (min..=max).contains(delay)));
        assert!(spiked.iter().all(|delay| (min + time..=max + time).contains(delay)));
        assert!((60..140).contains(&spiked.len()), "{} of 10000 at 1 %", spiked.len());
        assert_eq!(injector.counts().spike.fired, u64::try_from(spiked.len()).unwrap());
    }

    #[test]
    fn bounds_in_the_wrong_order_mean_the_lower_and_extremes_do_not_panic() {
        let (short, long) = (Duration::from_micros(1), Duration::MAX);
        let place = BioPlace { op: BioOp::Write, cause: 1, nth: 0 };
        let delay = |latency, spike| {
            injector(|faults| (faults.latency, faults.spike) = (latency, spike))
                .delay(place, Duration::ZERO)
                .time
        };
        let none = Spike::default();
        assert_eq!(delay(Latency { min: long, max: short }, none), long);
        assert!(short <= delay(Latency { min: short, max: long }, none));
        let spike = Spike { ppm: 1_000_000, time: long, ..Spike::default() };
        assert_eq!(delay(Latency { min: long, max: long }, spike), long);
    }

    #[test]
    fn what_happened_by_chance_happens_again_without_it() {
        let time = Duration::from_millis(5);
        let chance = injector(|faults| {
            faults.record = true;
            (faults.read_error_ppm, faults.write_error_ppm) = (300_000, 100_000);
            faults.spike = Spike { ppm: 200_000, time, ..Spike::default() };
        });
        let did = |injector: &Injector| -> Vec<(bool, Duration)> {
            let all = places(BioOp::Read).take(500).chain(places(BioOp::Write).take(500));
            all.map(|place| (injector.fails(place), injector.delay(place, Duration::ZERO).time))
                .collect()
        };
        let first = did(&chance);
        let strikes = chance.take_strikes();
        assert!((200..500).contains(&strikes.len()), "{} strikes", strikes.len());
        let again = injector(|faults| faults.strikes = strikes);
        assert!(again.is_armed());
        assert_eq!(did(&again), first);
        assert_eq!(again.counts().read_error.fired, chance.counts().read_error.fired);
    }

    #[test]
    fn causes_count_for_themselves_and_memory_stays_flat() {
        let mut recurrences = Recurrences::default();
        for n in 0..3 {
            assert_eq!(recurrences.next(BioOp::Read, 7), n);
            assert_eq!(recurrences.next(BioOp::Write, 7), n);
            assert_eq!(recurrences.next(BioOp::Read, 8), n);
        }
        for n in 3..100_000 {
            recurrences.next(BioOp::Flush, 1000 + n);
            if n % 500 == 0 {
                assert_eq!(recurrences.next(BioOp::Read, 7), 2 + n / 500, "a live cause");
            }
        }
        assert!(recurrences.young.len() + recurrences.old.len() <= 2 * GENERATION);
        assert_eq!(recurrences.next(BioOp::Read, 8), 0, "a cause of long ago");
    }
}
