//! What each seed draws for itself, within what the scenario names: which operations its actors do
//! and how often, how long and where they are, what goes wrong and how often, and what else the
//! scenario leaves open.
//!
//! A mix of everything keeps every state from being reached that only some of it reaches: whoever
//! truncates all the time sees no long file. So each seed leaves something out, and many let all
//! actors meet in a few blocks. Each thing has a stream of its own.

use super::actors::HEAVIEST;
use super::plan::{ActorPlan, FaultPlan, FilePlan, Layout, Plan, SizeShape, StrategyPlan};
use super::quantity::{show_chance, show_duration, show_size};
use sim::chance::{Seed, Stream};
use std::borrow::Cow;
use std::time::Duration;
use stormfs::op::OpKind;

/// The plan with everything drawn that `plan` leaves to each seed, which nothing is if it has been
/// drawn already.
pub(super) fn drawn(plan: &Plan, seed: Seed) -> Cow<'_, Plan> {
    let any = plan.files.iter().any(|file| file.layout == Layout::Any);
    let open = strategy(plan.strategy, seed);
    if !plan.swarm && !any && open == plan.strategy {
        return Cow::Borrowed(plan);
    }
    let mut draw = Draw { seed, plan: plan.clone() };
    draw.plan.strategy = open;
    if plan.swarm {
        draw.plan.swarm = false;
        draw.window();
        draw.actors();
        draw.faults();
    }
    draw.layouts();
    draw.note_files(&plan.files);
    Cow::Owned(draw.plan)
}

/// The strategy of one seed.
fn strategy(plan: StrategyPlan, seed: Seed) -> StrategyPlan {
    let mut chance = seed.strategy();
    match plan {
        StrategyPlan::Pct { depth: None } => StrategyPlan::Pct { depth: depth(&mut chance) },
        StrategyPlan::Random | StrategyPlan::Pct { depth: Some(_) } => plan,
    }
}

/// Bugs that need more ordering constraints than six are not known, and a depth above what a bug
/// needs costs little.
fn depth(chance: &mut Stream) -> Option<u32> {
    u32::try_from(chance.between(1, 6)).ok()
}

/// What the numbers of the streams begin with, after those of what varies: one for each actor,
/// file or fault.
const WINDOW: u64 = 1 << 32;
const KINDS: u64 = 2 << 32;
const SIZE: u64 = 3 << 32;
const PAUSE: u64 = 4 << 32;
const FAULT: u64 = 5 << 32;
const DELAYS: u64 = 6 << 32;
const LAYOUT: u64 = 7 << 32;

/// A plan on its way to be drawn.
struct Draw {
    seed: Seed,
    plan: Plan,
}

impl Draw {
    fn note(&mut self, path: String, value: String) {
        self.plan.drawn.push((path, value));
    }

    /// Where actors meet. In half of the seeds they have less room than the scenario gives them,
    /// and in half of those the files are as much smaller, so that their ends are in it, too.
    fn window(&mut self) {
        let mut chance = self.seed.setting(WINDOW);
        let drawing = self.plan.actors.iter().filter(|actor| actor.draws());
        let widest = drawing.map(|actor| self.plan.reach(actor)).max().unwrap_or(1);
        let (block, folio) = (self.plan.filesystem.block_size, self.plan.filesystem.max_folio);
        let room = match chance.below(8) {
            4 => block * chance.between(1, 2),
            5 => folio * chance.between(1, 2),
            6 => block * chance.between(3, 16),
            7 => chance.log_uniform(block, widest),
            _ => return,
        };
        let shrinks = chance.below(2) == 0 && self.plan.actors.iter().all(ActorPlan::draws);
        if widest <= room {
            return;
        }
        for at in 0..self.plan.actors.len() {
            let actor = &self.plan.actors[at];
            if actor.draws() && room < self.plan.reach(actor) {
                self.plan.actors[at].within = Some(room);
                self.note(format!("actors[{at}].within"), show_size(room));
            }
        }
        for file in self.plan.files.iter_mut().filter(|_| shrinks) {
            file.size = part(file.size, room, widest);
        }
    }

    fn actors(&mut self) {
        for at in 0..self.plan.actors.len() {
            if self.plan.actors[at].draws() {
                self.kinds(at);
                self.lengths(at);
                self.pause(at);
            }
        }
    }

    /// In half of the seeds an actor does what the scenario says; in the others, each kind is left
    /// out with a chance of one half, and those that are left get new weights.
    fn kinds(&mut self, at: usize) {
        let mut chance = self.seed.setting(KINDS + number(at));
        let ops = &self.plan.actors[at].ops;
        if chance.below(2) == 0 || ops.len() == 1 {
            return;
        }
        let mut kept: Vec<(OpKind, u64)> =
            ops.iter().filter(|_| chance.below(2) == 0).copied().collect();
        if kept.is_empty() {
            let any = usize::try_from(chance.below(number(ops.len()))).expect("a few kinds");
            kept.push(ops[any]);
        }
        for (_, weight) in &mut kept {
            *weight = (*weight << chance.below(5)).min(HEAVIEST);
        }
        let shown: Vec<_> =
            kept.iter().map(|(kind, weight)| format!("{}: {weight}", kind.name())).collect();
        self.note(format!("actors[{at}].ops"), format!("{{{}}}", shown.join(", ")));
        self.plan.actors[at].ops = kept;
    }

    /// In a quarter of the seeds the longest operation of an actor is shorter.
    fn lengths(&mut self, at: usize) {
        let mut chance = self.seed.setting(SIZE + number(at));
        let size = self.plan.actors[at].size;
        if size.shape == SizeShape::Fixed || chance.below(4) != 0 {
            return;
        }
        let max = chance.log_uniform(size.min, size.max);
        self.note(format!("actors[{at}].size.max"), show_size(max));
        self.plan.actors[at].size.max = max;
    }

    /// In a quarter of the seeds an actor that pauses does not.
    fn pause(&mut self, at: usize) {
        let mut chance = self.seed.setting(PAUSE + number(at));
        if !self.plan.actors[at].pause.is_zero() && chance.below(4) == 0 {
            self.plan.actors[at].pause = Duration::ZERO;
            self.note(format!("actors[{at}].pause"), show_duration(Duration::ZERO));
        }
    }

    /// Some faults do not happen, some seldom, some often; in a quarter of the seeds nobody is
    /// delayed.
    fn faults(&mut self) {
        let without_delays = self.seed.setting(DELAYS).below(4) == 0;
        for at in 0..self.plan.faults.len() {
            let mut chance = self.seed.setting(FAULT + number(at));
            let (name, ppm) = named(&mut self.plan.faults[at]);
            let before = *ppm;
            *ppm = match chance.weighted(&[1, 1, 4, 2]) {
                _ if without_delays && name == "delay" => 0,
                0 => 0,
                1 => before / 10,
                2 => before,
                _ => before.saturating_mul(5).min(OFTEN).max(before),
            };
            let now = *ppm;
            if now != before {
                self.note(format!("faults[{at}].{name}.chance"), show_chance(now));
            }
        }
    }

    fn layouts(&mut self) {
        const KNOWN: [Layout; 4] =
            [Layout::Hole, Layout::Written, Layout::Unwritten, Layout::Delalloc];
        for (at, file) in self.plan.files.iter_mut().enumerate() {
            if file.layout == Layout::Any {
                let choice = self.seed.setting(LAYOUT + number(at)).below(4);
                file.layout = KNOWN[usize::try_from(choice).expect("below 4")];
            }
        }
    }

    /// Notes all files at once, because a scenario may name none.
    fn note_files(&mut self, before: &[FilePlan]) {
        if self.plan.files == before {
            return;
        }
        let shown = |FilePlan { name, size, layout }: &FilePlan| {
            format!("{{name: {name}, size: {}, layout: {}}}", show_size(*size), layout.name())
        };
        let shown: Vec<_> = self.plan.files.iter().map(shown).collect();
        self.note("files".to_owned(), format!("[{}]", shown.join(", ")));
    }
}

/// No fault is made to strike more often than this.
const OFTEN: u32 = 500_000;

/// The name of a fault in a scenario, and its chance.
fn named(fault: &mut FaultPlan) -> (&'static str, &mut u32) {
    match fault {
        FaultPlan::ShortCopy { chance_ppm, .. } => ("short_copy", chance_ppm),
        FaultPlan::AbandonedFault { chance_ppm } => ("abandoned_fault", chance_ppm),
        FaultPlan::IoError { chance_ppm, .. } => ("io_error", chance_ppm),
        FaultPlan::Evict { chance_ppm } => ("evict", chance_ppm),
        FaultPlan::Delay { chance_ppm, .. } => ("delay", chance_ppm),
        FaultPlan::Latency { chance_ppm, .. } => ("latency", chance_ppm),
    }
}

/// `whole * room / widest`.
fn part(whole: u64, room: u64, widest: u64) -> u64 {
    let wide = u128::from(whole) * u128::from(room) / u128::from(widest.max(1));
    u64::try_from(wide).unwrap_or(whole).min(whole)
}

fn number(at: usize) -> u64 {
    u64::try_from(at).expect("lengths fit 64 bits")
}
