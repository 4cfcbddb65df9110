//! What the actors of a storm of threads did last: their calls, and in which order these began and
//! ended. Nothing else is left of such a storm that could be done again.

use crate::call::Call;
use crate::user_buffer::Gap;
use sim::{Mutex, Rank};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls that are kept, over all actors.
const KEPT: usize = 512;

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// By the number of its actor.
    pub actor: usize,
    /// The call, with what chance did to it.
    pub call: Call,
    /// The size of its file when it began.
    pub size: u64,
    /// When it began, among all beginnings and ends.
    pub began: u64,
    /// When it ended, if it did.
    pub ended: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Memory {
    /// By actor.
    rings: Vec<Mutex<VecDeque<Made>>>,
    order: AtomicU64,
}

static MEMORY: Rank = Rank::leaf(12, "memory");

impl Memory {
    /// An empty one for so many actors.
    pub fn new(actors: usize) -> Memory {
        let ring = |_| sim::sync::mutex(&MEMORY, 0, VecDeque::new());
        Memory { rings: (0..actors).map(ring).collect(), order: AtomicU64::new(0) }
    }

    /// An actor begins a call on a file of that size.
    pub fn begins(&self, actor: usize, call: &Call, size: u64) {
        let mut ring = self.rings[actor].lock();
        if ring.len() == KEPT {
            ring.pop_front();
        }
        let began = self.order.fetch_add(1, Ordering::SeqCst);
        ring.push_back(Made { actor, call: call.clone(), size, began, ended: None });
    }

    /// The source of its call has ended there meanwhile.
    pub fn falls_short(&self, actor: usize, gap: Gap) {
        if let Some(last) = self.rings[actor].lock().back_mut() {
            last.call.gap = Some(gap);
        }
    }

    /// Its call has returned.
    pub fn ends(&self, actor: usize) {
        let ended = self.order.fetch_add(1, Ordering::SeqCst);
        if let Some(last) = self.rings[actor].lock().back_mut() {
            last.ended = Some(ended);
        }
    }

    /// The last calls over all actors, in the order in which they began.
    pub fn last(&self) -> Vec<Made> {
        let rings =
            self.rings.iter().flat_map(|ring| ring.lock().iter().cloned().collect::<Vec<_>>());
        let mut made: Vec<_> = rings.collect();
        made.sort_by_key(|made| made.began);
        made.split_off(made.len().saturating_sub(KEPT))
    }
}
