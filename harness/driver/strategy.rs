//! Who goes on in one simulated storm: the strategy that its seed has drawn.

use crate::scenario::plan::{Plan, StrategyPlan};
use sim::chance::Seed;
use sim::profile::Profile;
use sim::schedule::Schedule;
use sim::strategy::{Pct, Pos, Random, Replay, Strategy, Surw};

/// A strategy, and what a report calls it.
pub struct Made {
    /// Who decides.
    pub strategy: Box<dyn Strategy>,
    /// Its name, with what it was given: `pct, depth 3`.
    pub told: String,
}

/// Whether the storms of `plan`, which has drawn, need to know what a run of them passes.
pub fn needs_profile(plan: &Plan) -> bool {
    let asks = matches!(plan.strategy, StrategyPlan::Pct { .. } | StrategyPlan::Surw);
    asks && plan.script.is_empty() && plan.schedule.is_none()
}

/// The strategy of a storm of `plan`, which has drawn, under `seed`. `profile` is that of a run of
/// the same, if it is needed.
pub fn make(plan: StrategyPlan, seed: Seed, profile: &Profile) -> Made {
    let chance = seed.schedule();
    let name = plan.name();
    match plan {
        StrategyPlan::Random => made(Random::new(chance), name.to_owned()),
        StrategyPlan::Pos => made(Pos::new(chance), name.to_owned()),
        StrategyPlan::Surw => {
            let surw = Surw::new(chance, profile);
            let told = match surw.selected() {
                "" => format!("{name}, over nothing"),
                site => format!("{name}, over {site}"),
            };
            made(surw, told)
        }
        StrategyPlan::Pct { depth: Some(depth) } => {
            made(Pct::new(chance, depth, profile.explored), format!("{name}, depth {depth}"))
        }
        // The first schedule of an exploration, if nobody leads it.
        StrategyPlan::Exhaustive(_) => made(Replay::new(&Schedule::default()), name.to_owned()),
        StrategyPlan::Pct { depth: None } | StrategyPlan::Mix => {
            unreachable!("a seed draws it before its storm begins")
        }
    }
}

fn made(strategy: impl Strategy + 'static, told: String) -> Made {
    Made { strategy: Box::new(strategy), told }
}
