//! Free space: which blocks are allocated, and how many are promised to delayed allocations.
//!
//! Invariant: blocks in the free map = free blocks + reserved blocks; a reservation can always be
//! allocated.

use crate::errno::Errno;
use crate::locks::Lock;
use crate::quantity::DiskBlock;
use sim::Mutex;
use std::collections::{BTreeMap, VecDeque};

/// The free-space map of one filesystem.
pub struct Space {
    total: u64,
    state: Mutex<State>,
}

struct State {
    /// Runs of unallocated blocks: first block, length. Neighbours are merged.
    runs: BTreeMap<u64, u64>,
    unallocated: u64,
    reserved: u64,
    low_water: LowWater,
}

/// When free space was how low. No algorithm looks at it: it is what ENOSPC is judged by.
///
/// Instants count changes of the counters. Marks are kept for as long as nothing was as low since.
#[derive(Default)]
struct LowWater {
    now: u64,
    /// Instants and free blocks, both rising.
    marks: VecDeque<(u64, u64)>,
    /// Marks before this instant are forgotten.
    known_since: u64,
}

impl LowWater {
    /// This many marks are kept.
    const KEPT: usize = 1024;

    fn note(&mut self, free: u64) {
        self.now += 1;
        while self.marks.pop_back_if(|(_, marked)| free <= *marked).is_some() {}
        self.marks.push_back((self.now, free));
        if Self::KEPT < self.marks.len() {
            let forgotten = self.marks.pop_front();
            self.known_since = forgotten.map_or(0, |(instant, _)| instant + 1);
        }
    }

    /// The least since `instant`; 0 if that is too long ago to be known.
    fn least_since(&self, instant: u64) -> u64 {
        let first = self.marks.partition_point(|(marked, _)| *marked < instant);
        let least = self.marks.get(first).map_or(u64::MAX, |(_, free)| *free);
        if instant < self.known_since { 0 } else { least }
    }
}

/// The counters at one instant, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Blocks of the device.
    pub total: u64,
    /// Blocks without an owner, reserved ones included.
    pub unallocated: u64,
    /// Blocks promised to delayed allocations.
    pub reserved: u64,
}

impl Counts {
    /// Blocks that a new reservation can have.
    pub fn free(self) -> u64 {
        self.unallocated - self.reserved
    }
}

impl Space {
    /// All of `total` blocks are free.
    pub fn new(total: u64) -> Space {
        let runs = BTreeMap::from([(0, total)]);
        let low_water = LowWater::default();
        let state = State { runs, unallocated: total, reserved: 0, low_water };
        Space { total, state: sim::sync::mutex(Lock::Space.rank(), 0, state) }
    }

    /// The counters now.
    pub fn counts(&self) -> Counts {
        let state = self.state.lock();
        Counts { total: self.total, unallocated: state.unallocated, reserved: state.reserved }
    }

    /// The instant that [`Space::least_free_since`] can be asked about later.
    pub fn instant(&self) -> u64 {
        self.state.lock().low_water.now
    }

    /// The fewest blocks that were free at any moment from `instant` until now.
    pub fn least_free_since(&self, instant: u64) -> u64 {
        let state = self.state.lock();
        let free = state.unallocated.saturating_sub(state.reserved);
        state.low_water.least_since(instant).min(free)
    }

    /// Promises `blocks`.
    pub fn reserve(&self, blocks: u64) -> Result<(), Errno> {
        let mut state = self.state.lock();
        if state.unallocated - state.reserved < blocks {
            return Err(Errno::NoSpace);
        }
        state.reserved += blocks;
        state.note();
        Ok(())
    }

    /// Promises `blocks`, whether there are as many or not: only damage does.
    pub(crate) fn promise_blindly(&self, blocks: u64) {
        self.state.lock().reserved += blocks;
    }

    /// Takes back a promise of `blocks`.
    pub fn unreserve(&self, blocks: u64) {
        let mut state = self.state.lock();
        assert!(blocks <= state.reserved, "more blocks unreserved than were reserved");
        state.reserved -= blocks;
        state.note();
    }

    /// Turns up to `wanted` promised blocks into one run of allocated ones: the first free run at
    /// or after `goal`, else the first of the device. Returns its start and length.
    pub fn allocate(&self, wanted: u64, goal: DiskBlock) -> (DiskBlock, u64) {
        let mut state = self.state.lock();
        assert!(0 < wanted && wanted <= state.reserved, "allocation without reservation");
        let (start, len) = state.run_near(goal.0);
        let first = start.max(if goal.0 < start + len { goal.0 } else { start });
        let taken = wanted.min(start + len - first);
        state.runs.remove(&start);
        if start < first {
            state.runs.insert(start, first - start);
        }
        if first + taken < start + len {
            state.runs.insert(first + taken, start + len - first - taken);
        }
        state.unallocated -= taken;
        state.reserved -= taken;
        (DiskBlock(first), taken)
    }

    /// Gives back `len` allocated blocks from `start`.
    pub fn free(&self, start: DiskBlock, len: u64) {
        let mut state = self.state.lock();
        let (mut start, mut end) = (start.0, start.0 + len);
        state.unallocated += len;
        if let Some((&before, &run)) = state.runs.range(..=start).next_back() {
            assert!(before + run <= start, "block {start} freed twice");
            if before + run == start {
                state.runs.remove(&before);
                start = before;
            }
        }
        if let Some((&after, &run)) = state.runs.range(start..).next() {
            assert!(end <= after, "block {after} freed twice");
            if after == end {
                state.runs.remove(&after);
                end = after + run;
            }
        }
        state.runs.insert(start, end - start);
        state.note();
    }

    /// Whether any block of the run is unallocated.
    pub fn any_unallocated(&self, start: DiskBlock, len: u64) -> bool {
        let state = self.state.lock();
        let before = state.runs.range(..start.0 + len).next_back();
        before.is_some_and(|(first, run)| start.0 < first + run)
    }
}

impl State {
    /// Free space has changed.
    fn note(&mut self) {
        self.low_water.note(self.unallocated.saturating_sub(self.reserved));
    }

    /// The free run that holds `goal`, else the next one, else the first.
    fn run_near(&self, goal: u64) -> (u64, u64) {
        let holding = self.runs.range(..=goal).next_back().filter(|(s, l)| goal < *s + *l);
        let next = holding.or_else(|| self.runs.range(goal..).next());
        let (start, len) = next.or_else(|| self.runs.iter().next()).expect("blocks are reserved");
        (*start, *len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_split_and_merge() {
        let space = Space::new(100);
        space.reserve(100).unwrap();
        assert_eq!(space.reserve(1), Err(Errno::NoSpace));
        assert_eq!(space.allocate(10, DiskBlock(20)), (DiskBlock(20), 10));
        assert_eq!(space.allocate(90, DiskBlock(5)), (DiskBlock(5), 15));
        assert_eq!(space.allocate(75, DiskBlock(25)), (DiskBlock(30), 70));
        assert_eq!(space.allocate(5, DiskBlock(99)), (DiskBlock(0), 5));
        assert_eq!(space.counts(), Counts { total: 100, unallocated: 0, reserved: 0 });
        assert!(!space.any_unallocated(DiskBlock(0), 100));
        for (start, len) in [(10, 20), (50, 50), (0, 10), (30, 20)] {
            space.free(DiskBlock(start), len);
        }
        space.reserve(100).unwrap();
        assert_eq!(space.allocate(100, DiskBlock(0)), (DiskBlock(0), 100));
    }

    #[test]
    fn the_least_free_is_known_for_every_instant() {
        let space = Space::new(100);
        let mut instants = vec![space.instant()];
        for (reserves, blocks) in [(true, 60), (false, 50), (true, 20), (true, 30), (false, 60)] {
            if reserves {
                space.reserve(blocks).unwrap();
            } else {
                space.unreserve(blocks);
            }
            instants.push(space.instant());
        }
        // Free: 100, then 40, 90, 70, 40, 100.
        let least: Vec<u64> = instants.iter().map(|at| space.least_free_since(*at)).collect();
        assert_eq!(least, [40, 40, 40, 40, 40, 100]);
        space.reserve(5).unwrap();
        assert_eq!(space.least_free_since(instants[5]), 95);
    }

    #[test]
    #[should_panic(expected = "freed twice")]
    fn a_block_is_freed_once() {
        let space = Space::new(10);
        space.reserve(4).unwrap();
        space.allocate(4, DiskBlock(0));
        space.free(DiskBlock(0), 2);
        space.free(DiskBlock(1), 2);
    }
}
