//! What each seed draws for itself, within what the scenario names: which operations its actors do
//! and how often, how long and where they are, what goes wrong and how often, and what else the
//! scenario leaves open.
//!
//! A mix of everything keeps every state from being reached that only some of it reaches: whoever
//! truncates all the time sees no long file. So two seeds of three leave something out, and many
//! of them let all actors meet in a few blocks; the third runs what is written, which somebody chose
//! for a reason. Each thing has a stream of its own.

use super::actors::HEAVIEST;
use super::plan::{
    ActorPlan, FaultPlan, FilePlan, Layout, Plan, SizeShape, StrategyPlan, WorldKind,
};
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
    if open != plan.strategy {
        draw.plan.strategy = open;
        let shown = if let StrategyPlan::Pct { depth: Some(depth) } = open {
            format!("{{pct: {{depth: {depth}}}}}")
        } else {
            open.name().to_owned()
        };
        // Threads are scheduled by the kernel, whatever is drawn.
        if plan.world == WorldKind::Simulated {
            draw.note("strategy".to_owned(), shown);
        }
    }
    if plan.swarm {
        draw.plan.swarm = false;
        if seed.setting(AS_WRITTEN).below(3) != 0 {
            draw.window();
            draw.actors();
            draw.faults();
        }
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
        // No strategy is the best for every bug; each of these finds some that the others miss. In
        // storms of many calls the random walk finds the most.
        StrategyPlan::Mix => match chance.weighted(&[20, 20, 20, 40]) {
            0 => StrategyPlan::Pos,
            1 => StrategyPlan::Pct { depth: depth(&mut chance) },
            2 => StrategyPlan::Surw,
            _ => StrategyPlan::Random,
        },
        StrategyPlan::Random
        | StrategyPlan::Pos
        | StrategyPlan::Surw
        | StrategyPlan::Exhaustive(_)
        | StrategyPlan::Pct { depth: Some(_) } => plan,
    }
}

/// Bugs that need more ordering constraints than six are not known, and a depth above what a bug
/// needs costs little.
fn depth(chance: &mut Stream) -> Option<u32> {
    u32::try_from(chance.between(1, 6)).ok()
}

/// What the numbers of the streams begin with, after those of what varies: one for each actor,
/// file or fault.
const AS_WRITTEN: u64 = 1 << 32;
const WINDOW: u64 = 8 << 32;
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

    /// Where actors meet. Mostly they have less room than the scenario gives them, and in half of
    /// those seeds the files are as much smaller, so that their ends are in it, too.
    fn window(&mut self) {
        let mut chance = self.seed.setting(WINDOW);
        let drawing = self.plan.actors.iter().filter(|actor| actor.draws());
        let widest = drawing.map(|actor| self.plan.reach(actor)).max().unwrap_or(1);
        let (block, folio) = (self.plan.filesystem.block_size, self.plan.filesystem.max_folio);
        let room = match chance.below(8) {
            0 => return,
            1 | 2 => block * chance.between(1, 2),
            3 | 4 => folio * chance.between(1, 2),
            5 => block * chance.between(3, 16),
            _ => chance.log_uniform(block, widest),
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

    /// Each kind is left out with a chance of three eighths, which is a quarter of all seeds, and
    /// those that are left get new weights.
    fn kinds(&mut self, at: usize) {
        let mut chance = self.seed.setting(KINDS + number(at));
        let ops = &self.plan.actors[at].ops;
        if ops.len() == 1 {
            return;
        }
        let mut kept: Vec<(OpKind, u64)> =
            ops.iter().filter(|_| 3 <= chance.below(8)).copied().collect();
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

    /// In a quarter of those seeds the longest operation of an actor is shorter.
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

    /// In a quarter of those seeds an actor that pauses does not.
    fn pause(&mut self, at: usize) {
        let mut chance = self.seed.setting(PAUSE + number(at));
        if !self.plan.actors[at].pause.is_zero() && chance.below(4) == 0 {
            self.plan.actors[at].pause = Duration::ZERO;
            self.note(format!("actors[{at}].pause"), show_duration(Duration::ZERO));
        }
    }

    /// Some faults do not happen, some seldom, some often; in a quarter of those seeds nobody is
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};
    use std::collections::BTreeSet;

    const TEXT: &str = "
files: [{name: a, size: 70001, layout: any}, {name: b, layout: written}]
actors:
  - {name: w, count: 2, ops: {write: 900000, append: 1, read: 3}, size: {max: 32KiB}, pause: 5us}
  - {name: t, ops: {truncate: 1, punch: 2}, size: {shape: fixed, max: 5000}, within: 200KiB}
  - {name: s, ops: {fsync: 1}}
  - {name: l, does: [fsync]}
faults:
  - {short_copy: {chance: 4%}}
  - {delay: {at: write.mapped, chance: 70%, for: 1us}}
  - {evict: {chance: 0.0003%}}
";

    fn plan(text: &str, sets: &[(String, String)]) -> Plan {
        parse("a.yaml", text, &Known::default(), sets).unwrap_or_else(|report| panic!("{report}"))
    }

    fn without_lists() -> String {
        TEXT.replace("  - {name: l, does: [fsync]}\n", "")
    }

    fn seeds() -> impl Iterator<Item = Seed> {
        (0..600).map(|n| Seed(7).nth(n))
    }

    #[test]
    fn what_a_seed_drew_can_be_set_on_the_command_line() {
        for text in [TEXT, &without_lists(), "actors: [{name: a, ops: {write: 1, read: 1}}]"] {
            let open = plan(text, &[]);
            for seed in seeds() {
                let drawn = open.under(seed).into_owned();
                let mut sets = drawn.drawn.clone();
                sets.push(("swarm".to_owned(), "false".to_owned()));
                let set = plan(text, &sets);
                let plain =
                    |plan: &Plan| format!("{:?}", Plan { drawn: Vec::new(), ..plan.clone() });
                assert_eq!(plain(&set), plain(&drawn), "{sets:?}");
                assert_eq!(format!("{:?}", drawn.under(seed)), format!("{drawn:?}"), "once");
            }
        }
    }

    #[test]
    fn nothing_is_drawn_that_the_scenario_does_not_name() {
        let open = plan(&without_lists(), &[]);
        for seed in seeds() {
            let drawn = open.under(seed);
            for (actor, named) in drawn.actors.iter().zip(&open.actors) {
                assert!(!actor.ops.is_empty());
                let known: BTreeSet<_> = named.kinds().collect();
                assert!(actor.kinds().all(|kind| known.contains(&kind)));
                assert!(actor.ops.iter().all(|(_, weight)| (1..=HEAVIEST).contains(weight)));
                assert!(named.size.min <= actor.size.max && actor.size.max <= named.size.max);
                assert!((1..=open.reach(named)).contains(&drawn.reach(actor)));
                assert!(actor.pause <= named.pause);
            }
            assert!(drawn.files.iter().all(|file| file.layout != Layout::Any));
            assert!(drawn.files.iter().zip(&open.files).all(|(new, old)| new.size <= old.size));
            let chance = |plan: &Plan, at: usize| *named(&mut plan.faults[at].clone()).1;
            assert!([0, 4_000, 40_000, 200_000].contains(&chance(&drawn, 0)));
            assert!([0, 70_000, 700_000].contains(&chance(&drawn, 1)));
            assert!([0, 3, 15].contains(&chance(&drawn, 2)));
        }
    }

    #[test]
    fn each_thing_is_drawn_about_as_often_as_it_says() {
        let open = plan(&without_lists(), &[]);
        let share = |holds: &dyn Fn(&Plan) -> bool| {
            100 * seeds().filter(|seed| holds(&open.under(*seed))).count() / 600
        };
        let lacks = |plan: &Plan| plan.actors[0].kinds().all(|kind| kind != OpKind::Read);
        let rest = |path: &String| path == "files" || path == "strategy";
        let whole = |plan: &Plan| plan.drawn.iter().all(|(path, _)| rest(path));
        let narrow = |plan: &Plan| plan.actors[0].within.is_some_and(|within| within <= 128 << 10);
        let written = |plan: &Plan| plan.files[0].layout == Layout::Written;
        assert!((20..30).contains(&share(&lacks)), "{}", share(&lacks));
        assert!((29..39).contains(&share(&whole)), "{}", share(&whole));
        assert!((35..55).contains(&share(&narrow)), "{}", share(&narrow));
        assert!((20..30).contains(&share(&written)), "{}", share(&written));
    }

    #[test]
    fn nothing_is_drawn_unless_it_is_left_open() {
        let fixed =
            TEXT.replace("layout: any", "layout: hole") + "swarm: false\nstrategy: random\n";
        for text in [fixed.as_str(), "actors: [{name: l, does: [fsync]}]\nstrategy: random\n"] {
            let plan = plan(text, &[]);
            assert!(matches!(plan.under(Seed(3)), Cow::Borrowed(_)), "{text}");
        }
        let depths: BTreeSet<_> = {
            let plan = plan("actors: [{name: l, does: [fsync]}]\nstrategy: pct\n", &[]);
            let depth = |seed| {
                let strategy = plan.under(seed).strategy;
                if let StrategyPlan::Pct { depth } = strategy { depth } else { None }
            };
            seeds().map(depth).collect()
        };
        assert_eq!(depths, (1..=6).map(Some).collect());
    }
}
