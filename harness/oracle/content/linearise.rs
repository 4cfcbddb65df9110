//! Every order of a few operations on a small file, by brute force, against the content shadow.

use super::*;
use crate::pattern;
use std::collections::BTreeSet;

const LEN: usize = 16;
const SLOTS: usize = 4;
type Bytes = [u8; LEN];

/// Where an operation took effect that could not.
const REFUSED: usize = usize::MAX;

/// A file that some order of the operations leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    bytes: Bytes,
    size: usize,
    /// Where the operation of each slot took effect, once it has.
    done: [Option<usize>; SLOTS],
}

impl State {
    /// `accepted` bytes of what `effect` says, all at one instant.
    fn take_effect(&mut self, op: OpId, effect: &Effect, accepted: usize) -> usize {
        let end = |start: u64| (at(start) + accepted).min(LEN);
        match effect {
            Effect::Nothing | Effect::Read { .. } | Effect::Load { .. } => 0,
            Effect::Write { range, .. } | Effect::Direct { range, .. } => {
                self.write(op, at(range.start)..end(range.start), 0);
                self.size = self.size.max(if accepted == 0 { 0 } else { end(range.start) });
                at(range.start)
            }
            Effect::Append { .. } => {
                let start = self.size;
                self.size = (start + accepted).min(LEN);
                self.write(op, start..self.size, start);
                start
            }
            Effect::Store { range, .. } => {
                let visible = end(range.start).min(self.size);
                self.write(op, at(range.start)..visible, 0);
                at(range.start)
            }
            Effect::Zero { range, grows_to } => {
                self.bytes[at(range.start)..at(range.end)].fill(0);
                self.size = self.size.max(grows_to.map_or(0, at));
                at(range.start)
            }
            Effect::Resize { to } => {
                self.bytes[at(*to)..].fill(0);
                self.size = at(*to);
                self.size
            }
            Effect::Grow { to } => {
                self.size = self.size.max(at(*to));
                self.size
            }
            Effect::Collapse { range } => {
                if self.size <= at(range.end) {
                    return REFUSED;
                }
                self.bytes.copy_within(at(range.end).., at(range.start));
                self.size -= at(range.end - range.start);
                self.bytes[self.size..].fill(0);
                at(range.start)
            }
            Effect::Insert { range } => {
                let (start, len) = (at(range.start), at(range.end - range.start));
                if self.size <= start || LEN < self.size + len {
                    return REFUSED;
                }
                self.bytes.copy_within(start..self.size, start + len);
                self.bytes[start..start + len].fill(0);
                self.size += len;
                start
            }
        }
    }

    fn write(&mut self, op: OpId, range: Range<usize>, shift: usize) {
        for pos in range {
            self.bytes[pos] = pattern::byte(op, pos64(pos - shift));
        }
    }
}

/// An operation in flight, and what the test knows of its end.
struct Pending {
    op: OpId,
    effect: Effect,
    accepted: usize,
    perhaps: bool,
    ticket: Ticket,
    /// If it reads: what its bytes may have been.
    seen: Vec<BTreeSet<u8>>,
}

struct Run {
    random: Random,
    content: Content,
    states: BTreeSet<State>,
    slots: [Option<Pending>; SLOTS],
    width: usize,
    number: u64,
    counts: Counts,
    /// What happened, for the message of a failure.
    story: Vec<String>,
}

/// How many values are allowed, in the shadow and by brute force.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    bytes: u64,
    allowed: u64,
    exact: u64,
    larger: u64,
    quiet_bytes: u64,
    quiet_larger: u64,
}

impl Run {
    /// At most `width` operations overlap.
    fn new(seed: u64, width: usize) -> Run {
        let mut random = Random(seed);
        let size = random.below(LEN + 1);
        let base = OpId { actor: 7, number: 1 };
        let mut first = State { bytes: [0; LEN], size, done: [None; SLOTS] };
        let mut initial = Initial::Zeroes;
        if random.below(2) == 0 {
            first.write(base, 0..size, 0);
            initial = Initial::Pattern(base);
        }
        Run {
            random,
            content: Content::new(pos64(size), initial),
            states: BTreeSet::from([first]),
            slots: Default::default(),
            width,
            number: 0,
            counts: Counts::default(),
            story: vec![format!("{size} bytes, {initial:?}")],
        }
    }

    fn step(&mut self) {
        let slot = self.random.below(self.width);
        match self.slots[slot].take() {
            None => self.begin(slot),
            Some(pending) => self.end(slot, pending),
        }
        self.compare();
        // The shadow does not learn from a look at a byte that somebody is changing.
        let exact = self.width != 1 || self.content.is_quiet();
        if exact && self.random.below(8) == 0 {
            self.observe();
            self.compare();
        }
    }

    fn begin(&mut self, slot: usize) {
        self.number += 1;
        let op = OpId { actor: u16::try_from(slot).unwrap(), number: self.number };
        let (mut effect, len) = self.random.effect(op);
        let mut others = self.slots.iter().flatten().filter(|other| !other.is_read());
        let looks = matches!(effect, Effect::Read { .. } | Effect::Load { .. });
        if !looks && others.any(|other| is_shift(&other.effect) || is_shift(&effect)) {
            effect = Effect::Read { range: 0..pos64(LEN) };
        }
        let whole = self.random.below(4) != 0;
        let accepted = if whole { len } else { self.random.below(len + 1) };
        let unsure = self.width != 1 && !matches!(effect, Effect::Append { .. });
        let perhaps = unsure && self.random.below(16) == 0;
        let ticket = self.content.begin(op, effect.clone());
        self.story.push(format!("begin {op} {effect:?}"));
        let seen = vec![BTreeSet::new(); LEN];
        let accepted = if perhaps { len } else { accepted };
        self.slots[slot] = Some(Pending { op, effect, accepted, perhaps, ticket, seen });
        self.spread();
    }

    /// Adds every state that operations in flight may lead to.
    fn spread(&mut self) {
        let mut fresh: Vec<State> = self.states.iter().copied().collect();
        while let Some(state) = fresh.pop() {
            for (slot, pending) in self.slots.iter().enumerate() {
                let Some(pending) = pending else { continue };
                if pending.is_read() || state.done[slot].is_some() {
                    continue;
                }
                let mut next = state;
                let place = next.take_effect(pending.op, &pending.effect, pending.accepted);
                next.done[slot] = Some(place);
                if self.states.insert(next) {
                    fresh.push(next);
                }
            }
        }
    }

    fn end(&mut self, slot: usize, pending: Pending) {
        if pending.is_read() {
            self.forget(slot, |_| true);
            self.end_read(pending);
            return;
        }
        let done: BTreeSet<usize> = self.states.iter().filter_map(|s| s.done[slot]).collect();
        let place = *done.iter().nth(self.random.below(done.len())).unwrap();
        let perhaps = pending.perhaps;
        self.forget(slot, |done| perhaps || done == Some(place));
        let range = pos64(place)..pos64(place.saturating_add(pending.accepted).min(LEN));
        let applied = match &pending.effect {
            _ if perhaps => Applied::Perhaps,
            Effect::Nothing | Effect::Read { .. } | Effect::Load { .. } => Applied::Nothing,
            _ if place == REFUSED => Applied::Nothing,
            Effect::Collapse { .. } | Effect::Insert { .. } => Applied::Shifted,
            Effect::Write { .. } | Effect::Store { .. } | Effect::Direct { .. }
                if range.is_empty() =>
            {
                Applied::Nothing
            }
            Effect::Write { fill, .. }
            | Effect::Store { fill, .. }
            | Effect::Direct { fill, .. } => Applied::Wrote { range, fill: fill.clone() },
            Effect::Append { .. } => {
                let fill = Fill::Tag { op: pending.op, shift: range.start };
                Applied::Wrote { range, fill }
            }
            Effect::Zero { range, grows_to } => {
                Applied::Zeroed { range: range.clone(), grew_to: *grows_to }
            }
            Effect::Resize { to } => Applied::Resized { to: *to },
            Effect::Grow { to } => Applied::Grew { to: *to },
        };
        self.story.push(format!("end {} {applied:?}", pending.op));
        self.content.end(pending.ticket, applied).expect("it is no read");
    }

    /// Any of the values seen is what the read may return.
    fn end_read(&mut self, pending: Pending) {
        let Some(range) = pending.effect_range() else { return };
        let end = (at(range.start)..at(range.end)).take_while(|p| !pending.seen[*p].is_empty());
        let positions: Vec<usize> = end.collect();
        let widest = positions.iter().map(|p| pending.seen[*p].len()).max().unwrap_or(0);
        for turn in 0..widest {
            let bytes: Vec<u8> = positions
                .iter()
                .map(|p| *pending.seen[*p].iter().cycle().nth(turn).unwrap())
                .collect();
            let ticket = Ticket(pending.ticket.0);
            let found = Applied::Read { pos: range.start, bytes: &bytes };
            let result = self.content.clone().end(ticket, found);
            assert_eq!(result, Ok(()), "read by {}, turn {turn}", pending.op);
        }
        let _judged = self.content.end(pending.ticket, Applied::Nothing);
    }

    /// Keeps the states whose slot is as wanted, and frees the slot.
    fn forget(&mut self, slot: usize, keep: impl Fn(Option<usize>) -> bool) {
        let states = std::mem::take(&mut self.states);
        self.states = states
            .into_iter()
            .filter(|state| keep(state.done[slot]))
            .map(|mut state| {
                state.done[slot] = None;
                state
            })
            .collect();
    }

    /// Somebody looks at the whole file, and both sides learn from it.
    fn observe(&mut self) {
        let seen = *self.states.iter().nth(self.random.below(self.states.len())).unwrap();
        self.story.push(format!("see {} bytes {:?}", seen.size, seen.bytes));
        let same = |s: &State| s.size == seen.size && s.bytes == seen.bytes;
        self.states.retain(same);
        self.spread();
        self.content.quiet_settle_size(pos64(seen.size)).expect("the size is possible");
        self.content.quiet_settle(0, &seen.bytes[..seen.size]).expect("the bytes are possible");
    }

    fn compare(&mut self) {
        let sizes: BTreeSet<usize> = self.states.iter().map(|s| s.size).collect();
        for size in &sizes {
            assert_eq!(self.content.check_size(pos64(*size)), Ok(()), "{}", self.told());
        }
        let (lowest, _) = self.content.size_bounds();
        let quiet = self.content.is_quiet();
        for pos in 0..LEN {
            let visible = self.states.iter().filter(|s| pos < s.size);
            let exact: BTreeSet<u8> = visible.map(|s| s.bytes[pos]).collect();
            for pending in self.slots.iter_mut().flatten() {
                pending.seen[pos].extend(&exact);
            }
            let past = judge::Past::default();
            let allows =
                |byte: &u8| self.content.compare(pos64(pos), &[*byte], &past).wrong.is_none();
            let missing: Vec<&u8> = exact.iter().filter(|byte| !allows(byte)).collect();
            assert!(missing.is_empty(), "at {pos}: {missing:?} forbidden\n{}", self.told());
            if pos < at(lowest) {
                let allowed = (0..=255).filter(allows).count();
                self.counts.add(allowed, exact.len(), quiet);
                let alone = self.width == 1 && quiet;
                assert!(!alone || allowed == exact.len(), "at {pos}\n{}", self.told());
            }
        }
        if quiet && self.width == 1 {
            assert_eq!(self.content.allowed_sizes().len(), sizes.len());
        }
    }

    fn told(&self) -> String {
        let Content { sizes, segments, flights, .. } = &self.content;
        let story = self.story.join("\n");
        format!("{story}\n{sizes:?}\n{segments:#?}\n{flights:?}")
    }
}

impl Counts {
    fn add(&mut self, allowed: usize, exact: usize, quiet: bool) {
        self.bytes += 1;
        self.allowed += pos64(allowed);
        self.exact += pos64(exact);
        self.larger += u64::from(exact < allowed);
        self.quiet_bytes += u64::from(quiet);
        self.quiet_larger += u64::from(quiet && exact < allowed);
    }
}

impl Pending {
    fn is_read(&self) -> bool {
        self.effect_range().is_some()
    }

    fn effect_range(&self) -> Option<Range<u64>> {
        let (Effect::Read { range } | Effect::Load { range }) = &self.effect else { return None };
        Some(range.clone())
    }
}

/// Splitmix64: the test needs neither quality nor a dependency.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % pos64(bound)).unwrap()
    }

    /// An effect and how many bytes it covers.
    fn effect(&mut self, op: OpId) -> (Effect, usize) {
        let start = self.below(LEN);
        let len = 1 + self.below(LEN - start).min(self.below(LEN));
        let range = pos64(start)..pos64(start + len);
        let size = pos64(self.below(LEN + 1));
        let fill = Fill::tag(op);
        let effect = match self.below(19) {
            0..4 => Effect::Write { range, fill },
            4..7 => Effect::Store { range, fill },
            7..9 => Effect::Zero { range, grows_to: None },
            9 => Effect::Zero { grows_to: Some(range.end), range },
            10..12 => Effect::Resize { to: size },
            12 => Effect::Grow { to: size },
            13 => Effect::Append { len: pos64(len) },
            14 => Effect::Load { range },
            15 => Effect::Direct { range, fill },
            16 => Effect::Collapse { range },
            17 => Effect::Insert { range },
            _ => Effect::Read { range },
        };
        (effect, len)
    }
}

fn is_shift(effect: &Effect) -> bool {
    matches!(effect, Effect::Collapse { .. } | Effect::Insert { .. })
}

fn at(pos: u64) -> usize {
    usize::try_from(pos).unwrap()
}

fn pos64(at: usize) -> u64 {
    u64::try_from(at).unwrap()
}

fn run(width: usize, seeds: u64, steps: usize) -> Counts {
    let mut total = Counts::default();
    for seed in 0..seeds {
        let mut run = Run::new(seed, width);
        run.counts = total;
        for _ in 0..steps {
            run.step();
        }
        total = run.counts;
    }
    println!("width {width}: {total:?}");
    total
}

#[test]
fn alone_it_is_exact() {
    let counts = run(1, 100, 60);
    assert_eq!(counts.quiet_larger, 0, "{counts:?}");
}

#[test]
fn two_at_once_are_contained() {
    let counts = run(2, 60, 40);
    // A direct write beside somebody stays open until it is seen on the disk.
    assert!(counts.quiet_larger * 20 < counts.quiet_bytes, "{counts:?}");
}

#[test]
fn four_at_once_are_contained() {
    let counts = run(4, 10, 30);
    assert!(counts.larger * 5 < counts.bytes, "{counts:?}");
}
