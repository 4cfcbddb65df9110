//! How the operations of a storm are shared among those who draw theirs.
//!
//! There is one budget, and whoever is ready for an operation takes it from there, so that all act
//! to the end. If each had a part of its own, those with short operations would be done early, and
//! what is left would be a storm without a flusher or a truncater.
//!
//! Two things bound what one may take. Under priorities (`pct`) the first would go on until the
//! budget is spent before anybody else begins: there, each has its share and no more. Under the other
//! strategies all get on about evenly, and an actor leaves the others half of their shares, whatever
//! happens.

use crate::scenario::plan::{ActorPlan, Plan, StrategyPlan, WorldKind};
use stormfs::quantity::{narrow, wide};

/// The most operations that the `number`-th actor of `plan`, one that draws, does.
pub fn most(plan: &Plan, number: usize) -> u64 {
    let Some(ops) = plan.ops else { return u64::MAX };
    let share = share(plan, ops, number);
    match plan.strategy {
        _ if plan.world == WorldKind::Threads => u64::MAX,
        StrategyPlan::Pct { .. } => share,
        StrategyPlan::Random
        | StrategyPlan::Pos
        | StrategyPlan::Surw
        | StrategyPlan::Mix
        | StrategyPlan::Exhaustive(_) => share + (ops - share) / 2,
    }
}

/// The operations, divided evenly among those who draw; the first get what remains.
fn share(plan: &Plan, ops: u64, number: usize) -> u64 {
    let draws = |actor: &ActorPlan| std::iter::repeat_n(actor.draws(), narrow(actor.count.into()));
    let each: Vec<bool> = plan.actors.iter().flat_map(draws).collect();
    let drawing = |among: &[bool]| wide(among.iter().filter(|draws| **draws).count());
    let (all, before) = (drawing(&each), drawing(&each[..number]));
    ops / all + u64::from(before < ops % all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Known, parse};

    fn plan(strategy: &str) -> Plan {
        let text = format!(
            "ops: 100\nstrategy: {strategy}\nactors: [{{name: l, does: [fsync]}}, \
             {{name: a, count: 2, ops: {{write: 1}}}}, {{name: b, ops: {{write: 1}}}}]\n"
        );
        parse("a.yaml", &text, &Known::default(), &[]).unwrap()
    }

    #[test]
    fn under_priorities_each_has_its_share() {
        let plan = plan("{pct: {depth: 2}}");
        assert_eq!([1, 2, 3].map(|number| most(&plan, number)), [34, 33, 33]);
    }

    #[test]
    fn else_nobody_takes_more_than_half_of_what_is_others() {
        let mut plan = plan("pos");
        assert_eq!([1, 2, 3].map(|number| most(&plan, number)), [67, 66, 66]);
        plan.world = WorldKind::Threads;
        assert_eq!(most(&plan, 1), u64::MAX);
        plan.ops = None;
        assert_eq!(most(&plan, 1), u64::MAX);
    }

    #[test]
    fn who_acts_alone_does_everything() {
        let text = "ops: 7\nstrategy: random\nactors: [{name: a, ops: {write: 1}}]\n";
        let plan = parse("a.yaml", text, &Known::default(), &[]).unwrap();
        assert_eq!(most(&plan, 0), 7);
    }
}
